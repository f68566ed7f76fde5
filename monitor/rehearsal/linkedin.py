"""LinkedIn as it speaks to the administrators of a page, with invented notifications, posts and comments.

::

    town = LinkedIn([Post(urn="urn:li:share:71", text="Thank you @[Our School](urn:li:organization:12345)", ...)])
    with Server(town.routes) as server:
        ...                       # [sources.linkedin] api_url = server.url, organizations, token LinkedIn.token
        server.play(expired_token(), at=READING)

Shapes follow learn.microsoft.com/linkedin/marketing/community-management.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import unquote

from monitor.rehearsal.server import Reply, Request, json_reply, json_status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from monitor.rehearsal.server import Fault, Route

READING: Final = "/rest/*"
"""Every request."""
NOTIFICATIONS: Final = "/rest/organizationalEntityNotifications"
POSTS: Final = "/rest/posts/*"
COMMENTS: Final = "/rest/socialActions/*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """An invented post that mentions a page, or an invented comment under a page's post.

    Attributes:
        urn: its name; a comment's holds its post's: "urn:li:comment:(urn:li:activity:1,2)".
        created: zone-aware. told: when the page was told of it; `created` if None.
        organization: number of the page that is told.
        by: URN of its author.
        state: "closed" ones are not shown to applications, "connections" ones not to everybody.
    """

    urn: str
    text: str
    created: datetime
    told: datetime | None = None
    organization: str = "12345"
    by: str = "urn:li:person:invented1"
    state: Literal["public", "deleted", "closed", "connections", "draft"] = "public"

    @property
    def of_comment(self) -> bool:
        """Whether it is a comment."""
        return self.urn.startswith("urn:li:comment:")


@dataclass(slots=True)
class LinkedIn:
    """A small LinkedIn. Change `posts` at any time.

    Attributes:
        posts: all that pages were told of.
        size: the most notifications in an answer, however many are asked for.
        token: the only one it knows.
    """

    posts: list[Post] = field(default_factory=list)
    size: int = 50
    token: str = "rehearsal-linkedin-token"  # noqa: S105 - opens nothing but this rehearsal

    @property
    def routes(self) -> Mapping[str, Route]:
        """What to serve."""
        return {NOTIFICATIONS: self.notifications, POSTS: self.post, COMMENTS: self.comment}

    def notifications(self, request: Request, /) -> Reply:
        """Tell a page what it was mentioned in: oldest first, deleted or not."""
        query = request.query
        span = re.fullmatch(r"\(start:([0-9]+),end:([0-9]+)\)", query.get("timeRange", ""))
        if span is None or query.get("actions") != "List(SHARE_MENTION,COMMENT)" or query.get("q") != "criteria":
            return error(400, "Invalid query parameters passed to request")
        told = [
            post
            for post in self.posts
            if query.get("organizationalEntity") == f"urn:li:organization:{post.organization}"
            and int(span[1]) <= _milliseconds(post.told or post.created) < int(span[2])
        ]
        begin = int(query.get("start", "0"))
        end = begin + min(self.size, int(query.get("count", "10")))
        elements = [_notification(number, post) for number, post in enumerate(told)][begin:end]
        following = {"rel": "next", "type": "application/json", "href": f"{request.path}?start={end}"}
        links = [following] if told[end:] else []
        paging = {"start": begin, "count": end - begin, "links": links}
        return self._refusal(request) or json_reply({"elements": elements, "paging": paging})

    def post(self, request: Request, /) -> Reply:
        """Show one post."""
        urn = unquote(request.path.removeprefix("/rest/posts/"))
        return self._refusal(request) or self._shown(urn, _post)

    def comment(self, request: Request, /) -> Reply:
        """Show one comment."""
        post, _, number = unquote(request.path.removeprefix("/rest/socialActions/")).partition("/comments/")
        return self._refusal(request) or self._shown(f"urn:li:comment:({post},{number})", _comment)

    def _shown(self, urn: str, wire: Callable[[Post], dict[str, Any]]) -> Reply:
        """Show what has this name."""
        found = next((post for post in self.posts if post.urn == urn), None)
        if found is None or found.state == "deleted":
            return error(404, f"Could not find entity {urn}")
        if found.state == "closed":
            return error(403, "Unpermitted fields present in RESPONSE")
        return json_reply(wire(found))

    def _refusal(self, request: Request) -> Reply | None:
        """Refuse a wrong token, and a request without its two headers or with a URN that is not encoded."""
        headers = request.headers
        if headers.get("authorization") != f"Bearer {self.token}":
            return error(401, f"Invalid access token: {headers.get('authorization')}")
        if not headers.get("linkedin-version") or headers.get("x-restli-protocol-version") != "2.0.0":
            return error(400, "Missing version")
        return error(400, "Syntax exception in path variables") if "urn:" in request.path else None


def _notification(number: int, post: Post) -> dict[str, Any]:
    """Return a notification as it goes over the wire."""
    return {
        "notificationId": 4_406_000 + number,
        "organizationalEntity": f"urn:li:organization:{post.organization}",
        "action": "COMMENT" if post.of_comment else "SHARE_MENTION",
        "generatedActivity": post.urn,
        "sourcePost": "urn:li:activity:92828282828282828828",
        "lastModifiedAt": _milliseconds(post.told or post.created),
    }


def _post(post: Post) -> dict[str, Any]:
    """Return a post as it goes over the wire."""
    return {
        "id": post.urn,
        "author": post.by,
        "commentary": post.text,
        "createdAt": _milliseconds(post.created),
        "publishedAt": _milliseconds(post.created),
        "lastModifiedAt": _milliseconds(post.created),
        "lifecycleState": "DRAFT" if post.state == "draft" else "PUBLISHED",
        "visibility": "CONNECTIONS" if post.state == "connections" else "PUBLIC",
        "isReshareDisabledByAuthor": False,
    }


def _comment(post: Post) -> dict[str, Any]:
    """Return a comment as it goes over the wire."""
    stamp = {"actor": post.by, "time": _milliseconds(post.created)}
    return {
        "actor": post.by,
        "commentUrn": post.urn,
        "created": stamp,
        "lastModified": stamp,
        "id": post.urn.rpartition(",")[2].rstrip(")"),
        "message": {"attributes": [], "text": post.text},
        "object": post.urn.partition("(")[2].partition(",")[0],
    }


def _milliseconds(moment: datetime) -> int:
    """Return a moment as LinkedIn writes it."""
    return int(moment.timestamp() * 1000)


def error(status: int, message: str = "(invented)") -> Reply:
    """Return an error as LinkedIn describes it."""
    return json_reply({"status": status, "serviceErrorCode": 100, "message": message}, status=status)


def refuses(status: int, message: str = "(invented)") -> Fault:
    """Answer with an error."""
    return lambda _request, _reply: error(status, message)


def expired_token() -> Fault:
    """Answer as to a token that is over, which the message repeats."""
    return lambda request, _reply: error(401, f"Expired access token: {request.headers.get('authorization')}")


def rate_limited(*, seconds: int) -> Fault:
    """Answer that a limit is reached, and for how long."""
    content = {"status": 429, "message": "Resource level throttle limit for calls to this resource is reached."}
    return json_status(429, content, {"Retry-After": str(seconds)})


def endless() -> Fault:
    """Say with every answer that another one follows."""
    links = {"start": 0, "count": 1, "links": [{"rel": "next", "href": "/rest/next"}]}
    return _changed(lambda content: {**content, "paging": links})


def malformed_item() -> Fault:
    """Put notifications of nothing, of something else and of no shape beside the good ones."""
    bad: list[Any] = [{"action": "COMMENT"}, {"generatedActivity": "urn:li:person:1"}, "no notification"]
    return _changed(lambda content: {**content, "elements": [*bad, *content["elements"]]})


def _changed(change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Fault:
    """Return a fault that rewrites an answer of notifications."""

    def spoilt(_request: Request, reply: Reply) -> Reply:
        content = json.loads(reply.whole()) if reply.status == HTTPStatus.OK else {}
        return replace(reply, body=json.dumps(change(content)).encode()) if "elements" in content else reply

    return spoilt
