"""TikTok's API for Business as it lists mentions, with invented videos and comments.

::

    town = TikTok([Post(video="7001", text="@our.school open evening", created=an_hour_ago)], clock=lambda: now)
    with Server(town.routes) as server:
        ...                       # [sources.tiktok] api_url = server.url + VERSION, business_id, token TikTok.token
        server.play(refuses(40105), at=READING)

Errors come with HTTP status 200 and a code other than 0. The envelope is documented; the fields of the items are
those that public clients ask for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from monitor.records import Clock, utc_now
from monitor.rehearsal.server import Reply, Request, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.rehearsal.server import Fault, Route

VERSION: Final = "/open_api/v1.3"
VIDEOS: Final = f"{VERSION}/business/mention/video/list/"
COMMENTS: Final = f"{VERSION}/business/mention/comment/list/"
READING: Final = f"{VERSION}/business/mention/*"
"""Every request that reads."""
MOST: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """An invented video, or with a `comment` number an invented comment under one.

    Attributes:
        video, comment: TikTok's numbers.
        text: caption of the video, or words of the comment.
        created: zone-aware.
        caption: of the video under which a comment stands.
        handle: the author's.
        deleted: whether it is missing from every answer.
    """

    video: str
    text: str
    created: datetime
    comment: str = ""
    caption: str = ""
    handle: str = "invented.parent"
    deleted: bool = False

    def wire(self) -> dict[str, Any]:
        """Return it with every field there is."""
        link = {"item_id": self.video, "video_link": f"https://www.tiktok.com/@{self.handle}/video/{self.video}"}
        thumbnail = {"thumbnail_url": "https://p16.tiktok.example/invented.jpeg"}
        moment = str(int(self.created.timestamp()))
        if not self.comment:
            counts = dict.fromkeys(("likes", "comments", "shares", "views", "reach"), 1)
            own = {"caption": self.text, "create_time": moment, "creator_handle_name": self.handle}
            return {**link, **thumbnail, **counts, **own}
        return {
            **link,
            **thumbnail,
            "caption": self.caption,
            "video_likes": 1,
            "commenter_display_name": "Invented Parent",
            "comment_id": self.comment,
            "comment_type": "COMMENT",
            "comment_text": self.text,
            "comment_create_time": moment,
            "comment_likes": 0,
        }


@dataclass(slots=True)
class TikTok:
    """A small TikTok. Change `posts` at any time.

    Attributes:
        posts: all that mention the account.
        page: the most items on a page, however many are asked for.
        clock: tells the time, for the number of days that are asked for.
        business_id, token: the only account it knows, and its token.
    """

    posts: list[Post] = field(default_factory=list)
    page: int = MOST
    clock: Clock = utc_now
    business_id: str = "invented-business-id"
    token: str = "rehearsal-tiktok-token"  # noqa: S105 - opens nothing but this rehearsal

    @property
    def routes(self) -> Mapping[str, Route]:
        """What to serve."""
        return {VIDEOS: self.videos, COMMENTS: self.comments}

    def videos(self, request: Request, /) -> Reply:
        """List videos."""
        return self._list(request, "videos", [post for post in self.posts if not post.comment])

    def comments(self, request: Request, /) -> Reply:
        """List comments."""
        return self._list(request, "comments", [post for post in self.posts if post.comment])

    def _list(self, request: Request, name: str, posts: list[Post]) -> Reply:
        """Answer with one page, newest first, of the fields that were asked for."""
        query = request.query
        if request.headers.get("access-token") != self.token:
            return error(40105, f"Access token is incorrect or has been revoked: {request.headers.get('access-token')}")
        if query.get("business_id") != self.business_id:
            return error(40001, "No permission to operate this account")
        oldest = self.clock() - timedelta(days=int(query.get("number_of_days", "30")))
        standing = [post for post in posts if not post.deleted and post.created >= oldest]
        newest = sorted(standing, key=lambda post: post.created, reverse=query["sort_type"] == "DESC")
        begin = int(query.get("cursor", "0"))
        end = begin + min(self.page, int(query.get("max_count", "20")))
        fields = json.loads(query["fields"])
        items = [{key: value for key, value in post.wire().items() if key in fields} for post in newest[begin:end]]
        return envelope({name: items, "has_more": end < len(newest), "cursor": min(end, len(newest))})


def envelope(data: Any, *, code: int = 0, message: str = "OK") -> Reply:  # noqa: ANN401 - any JSON value
    """Return an answer as TikTok wraps it, always with status 200."""
    request_id = "20220701063301010002006005005006003019117A7E27"
    return json_reply({"code": code, "message": message, "request_id": request_id, "data": data})


def error(code: int, message: str = "(invented)") -> Reply:
    """Return an error."""
    return envelope({}, code=code, message=message)


def refuses(code: int, message: str = "(invented)") -> Fault:
    """Answer with an error."""
    return lambda _request, _reply: error(code, message)


def expired_token() -> Fault:
    """Answer as to a token that is over, which the message repeats."""
    return lambda request, _reply: error(40102, f"Access token expired: {request.headers.get('access-token')}")


def empty_page(cursor: int = 0) -> Fault:
    """Answer with no items, a cursor and more to come."""
    return _changed(lambda data: {**_without(data), "has_more": True, "cursor": cursor})


def same_cursor() -> Fault:
    """Give the same cursor, and more to come, with every page."""
    return _changed(lambda data: {**data, "has_more": True, "cursor": 7})


def malformed_item() -> Fault:
    """Put an item without a time and something that is no item beside the good ones."""
    bad: list[Any] = [{"item_id": "1", "comment_id": "2", "caption": "no time"}, "no item"]
    return _changed(
        lambda data: {key: [*bad, *value] if isinstance(value, list) else value for key, value in data.items()}
    )


def _without(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data with its lists empty."""
    return {key: [] if isinstance(value, list) else value for key, value in data.items()}


def _changed(change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Fault:
    """Return a fault that rewrites the data of a good answer."""

    def spoilt(_request: Request, reply: Reply) -> Reply:
        content = json.loads(reply.whole())
        return replace(reply, body=json.dumps({**content, "data": change(content["data"])}).encode())

    return spoilt
