"""YouTube as its Data API v3 speaks, with invented videos and comments.

::

    town = YouTube([Clip(id="aaaaaaaaaaa", title="Boroughbridge High open day", published=an_hour_ago)])
    with Server(town.routes) as server:
        ...                                    # [sources.youtube] api_url = server.url, key YouTube.key
        server.play(quota_spent(), at=SEARCH)

Fields are those of developers.google.com/youtube/v3/docs.
"""

from __future__ import annotations

import html
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from monitor.rehearsal.server import Reply, Request, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from monitor.rehearsal.server import Fault, Route

READING: Final = "/youtube/v3/*"
"""Every request."""
SEARCH: Final = "/youtube/v3/search"
VIDEOS: Final = "/youtube/v3/videos"
THREADS: Final = "/youtube/v3/commentThreads"
COMMENTS: Final = "/youtube/v3/comments"
COME_ALONG: Final = 5
"""How many answers a thread brings with it."""
STRANGER: Final = "UCinventedchannel0000001"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """An invented video.

    Attributes:
        id: 11 characters.
        published: zone-aware.
        comments_off: whether its maker has switched comments off.
        deleted: whether it is missing from every answer.
        coarse: whether its time is written without milliseconds, as older ones are.
    """

    id: str
    title: str
    published: datetime
    description: str = ""
    channel: str = STRANGER
    channel_name: str = "Invented Films"
    language: str = "en-GB"
    comments_off: bool = False
    deleted: bool = False
    coarse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """An invented comment under the video `video`; an answer if it has a `parent`; without an author if "" ."""

    id: str
    text: str
    published: datetime
    video: str
    parent: str = ""
    edited: datetime | None = None
    author: str = "@invented-viewer"
    channel: str = "UCinventedviewer00000001"
    deleted: bool = False


@dataclass(slots=True)
class YouTube:
    """A small YouTube. Change `videos` and `comments` at any time.

    Attributes:
        videos, comments: everything that was ever posted.
        page: the most items on a page, however many are asked for.
        key: the only API key it knows.
    """

    videos: list[Clip] = field(default_factory=list)
    comments: list[Remark] = field(default_factory=list)
    page: int = 100
    key: str = "rehearsal-api-key"

    @property
    def routes(self) -> Mapping[str, Route]:
        """What to serve."""
        return {SEARCH: self.search, VIDEOS: self.lookup, THREADS: self.threads, COMMENTS: self.answers}

    def search(self, request: Request, /) -> Reply:
        """Answer a search for videos: newest first; words of a title come with HTML escapes."""
        query = request.query
        words = query["q"].strip('"#').lower()
        after = datetime.fromisoformat(query["publishedAfter"])
        found = [
            {
                "kind": "youtube#searchResult",
                "id": {"kind": "youtube#video", "videoId": clip.id},
                **({"snippet": {"title": html.escape(clip.title)}} if "snippet" in query["part"] else {}),
            }
            for clip in sorted(self.videos, key=lambda clip: clip.published, reverse=True)
            if not clip.deleted
            and clip.published >= after
            and words in f"{clip.title} {clip.description}".lower().replace("#", "")
        ]
        return self._refusal(request) or self._paged(request, found, {"regionCode": query.get("regionCode", "")})

    def lookup(self, request: Request, /) -> Reply:
        """Answer a question for videos by id; what is not there is left out."""
        asked = request.query["id"].split(",")
        found = [_video(clip) for clip in self.videos if clip.id in asked and not clip.deleted]
        return self._refusal(request) or json_reply({"items": found})

    def threads(self, request: Request, /) -> Reply:
        """Answer with the comments under a video or on a channel: newest thread first."""
        clips = {clip.id: clip for clip in self.videos if not clip.deleted}
        if "videoId" in request.query:
            clip = clips.get(request.query["videoId"])
            if clip is None:
                return _error(404, "videoNotFound", "The video could not be found.")
            if clip.comments_off:
                return comments_disabled()(request, Reply())
            under = {clip.id}
        else:
            channel = request.query["allThreadsRelatedToChannelId"]
            under = {clip.id for clip in clips.values() if clip.channel == channel}
        tops = [comment for comment in self._standing() if comment.video in under and not comment.parent]
        return self._refusal(request) or self._paged(request, [self._thread(comment) for comment in tops])

    def answers(self, request: Request, /) -> Reply:
        """Answer with all answers to a comment, or with comments by id, which then name no video."""
        query = request.query
        asked = query.get("id", "").split(",")
        found = [
            _comment(comment)
            for comment in self._standing()
            if comment.id in asked or (comment.parent and comment.parent == query.get("parentId"))
        ]
        if "id" in query:
            return self._refusal(request) or json_reply({"items": found})
        return self._refusal(request) or self._paged(request, found)

    def _standing(self) -> list[Remark]:
        """Return the comments that are not deleted, newest first."""
        there = [comment for comment in self.comments if not comment.deleted]
        return sorted(there, key=lambda comment: comment.published, reverse=True)

    def _thread(self, top: Remark) -> dict[str, Any]:
        """Return a comment with the newest of its answers."""
        answers = [comment for comment in self._standing() if comment.parent == top.id]
        snippet = {"videoId": top.video, "topLevelComment": _comment(top), "totalReplyCount": len(answers)}
        brought = {"replies": {"comments": [_comment(answer) for answer in answers[:COME_ALONG]]}} if answers else {}
        return {"kind": "youtube#commentThread", "id": top.id, "snippet": snippet, **brought}

    def _refusal(self, request: Request) -> Reply | None:
        """Return what YouTube says to a wrong key."""
        if request.headers.get("x-goog-api-key") == self.key:
            return None
        return _error(400, "badRequest", "API key not valid. Please pass a valid API key.")

    def _paged(self, request: Request, items: Sequence[Any], more: Mapping[str, str] | None = None) -> Reply:
        """Return one page."""
        begin = int(request.query.get("pageToken", "CURSOR0").removeprefix("CURSOR"))
        end = begin + min(self.page, int(request.query.get("maxResults", "50")))
        content: dict[str, Any] = {
            "pageInfo": {"totalResults": 1_000_000, "resultsPerPage": self.page},
            "items": list(items[begin:end]),
            **(more or {}),
        }
        if items[end:]:
            content["nextPageToken"] = f"CURSOR{end}"
        return json_reply(content)


def quota_spent() -> Fault:
    """Answer 429 as YouTube does when the searches of the day are used up: only the body says what is meant."""
    message = (
        "Quota exceeded for quota metric 'Search Queries' and limit 'Search Queries per day' of service "
        "'youtube.googleapis.com' for consumer 'project_number:1'."
    )
    return lambda _request, _reply: _error(429, "rateLimitExceeded", message)


def old_quota_spent() -> Fault:
    """Answer 403 as YouTube did, and does when the units of the day are used up."""
    message = 'The request cannot be completed because you have exceeded your <a href="/quota">quota</a>.'
    return lambda _request, _reply: _error(403, "quotaExceeded", message)


def too_fast() -> Fault:
    """Answer 403 as to somebody who asks too often in a minute."""
    return lambda _request, _reply: _error(403, "rateLimitExceeded", "Rate Limit Exceeded")


def comments_disabled() -> Fault:
    """Answer 403 as under a video without comments."""
    message = "The video identified by the videoId parameter has disabled comments."
    return lambda _request, _reply: _error(403, "commentsDisabled", message)


def forbidden() -> Fault:
    """Answer 403 as to a project that may not use the API."""
    return lambda _request, _reply: _error(403, "accessNotConfigured", "YouTube Data API has not been used before.")


def wrong_key(key: str = "") -> Fault:
    """Answer 400 as to a wrong key, which the message repeats."""
    return lambda _request, _reply: _error(400, "badRequest", f"API key not valid: {key}")


def empty_page(cursor: str = "CURSOR0") -> Fault:
    """Answer with no items and a cursor."""
    return _changed(lambda content: {**content, "items": [], "nextPageToken": cursor})


def same_cursor() -> Fault:
    """Give the same cursor with every page."""
    return _changed(lambda content: {**content, "nextPageToken": "CURSOR0"})


def malformed_item() -> Fault:
    """Put an item without anything and something that is no item beside the good ones."""
    return _changed(lambda content: {**content, "items": [{"id": {}}, "not an item", *content["items"]]})


def _changed(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Fault:
    """Return a fault that rewrites the JSON of a good reply."""

    def spoilt(_request: Request, reply: Reply) -> Reply:
        if reply.status != HTTPStatus.OK:
            return reply
        return replace(reply, body=json.dumps(change(json.loads(reply.whole()))).encode())

    return spoilt


def _error(status: int, reason: str, message: str) -> Reply:
    """Return an error in Google's envelope."""
    detail = {"message": message, "domain": "youtube", "reason": reason}
    return json_reply({"error": {"code": status, "message": message, "errors": [detail]}}, status=status)


def _video(clip: Clip) -> dict[str, Any]:
    """Return a video as it goes over the wire."""
    return {
        "kind": "youtube#video",
        "id": clip.id,
        "snippet": {
            "publishedAt": _moment(clip.published, coarse=clip.coarse),
            "title": clip.title,
            "description": clip.description,
            "channelId": clip.channel,
            "channelTitle": clip.channel_name,
            "defaultAudioLanguage": clip.language,
            "thumbnails": {"default": {"url": "https://pictures.example/never-read.jpg"}},
        },
    }


def _comment(comment: Remark) -> dict[str, Any]:
    """Return a comment as it goes over the wire."""
    return {
        "kind": "youtube#comment",
        "id": comment.id,
        "snippet": {
            "textDisplay": comment.text,
            "publishedAt": _moment(comment.published, coarse=True),
            "updatedAt": _moment(comment.edited or comment.published, coarse=True),
            **({"authorDisplayName": comment.author} if comment.author else {}),
            **({"authorChannelId": {"value": comment.channel}} if comment.author else {}),
            **({"parentId": comment.parent} if comment.parent else {}),
        },
    }


def _moment(moment: datetime, *, coarse: bool) -> str:
    """Return a time as YouTube writes it, with or without milliseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ" if coarse else "%Y-%m-%dT%H:%M:%S.000Z")
