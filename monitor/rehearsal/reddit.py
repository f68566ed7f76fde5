"""Reddit as its OAuth API speaks, with invented posts and comments.

::

    town = Reddit([Submission(id="1abcde", title="King James's School open evening", created=an_hour_ago)])
    with Server(town.routes) as server:
        ...                                    # oauth_url = reddit_url = server.url, id and secret below
        server.play(rate_limited(seconds="41.5"), at="/r/*")

Kinds and fields are those of www.reddit.com/dev/api: t3 for posts, t1 for comments, in a "Listing".
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from monitor.rehearsal.server import Reply, Request, json_reply, json_status, status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from monitor.rehearsal.server import Fault, Route

TOKEN: Final = "/api/v1/access_token"  # noqa: S105 - an address
INFO: Final = "/api/info"
SEARCH: Final = "/search"
DEEPEST: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """An invented post (t3).

    Attributes:
        id: base 36.
        created: zone-aware.
        edited: when it was edited, if ever.
        state: "deleted" by its author, "removed" by a moderator, or "vanished" from every answer.
    """

    id: str
    title: str
    created: datetime
    text: str = ""
    subreddit: str = "harrogate"
    author: str | None = "invented_author"
    edited: datetime | None = None
    crosspost_of: str | None = None
    state: Literal["public", "deleted", "removed", "vanished"] = "public"

    @property
    def fullname(self) -> str:
        """Reddit's name for it."""
        return f"t3_{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """An invented comment (t1) under the post `post`; states as with `Submission`."""

    id: str
    text: str
    created: datetime
    post: str
    subreddit: str = "harrogate"
    author: str | None = "invented_author"
    edited: datetime | None = None
    state: Literal["public", "deleted", "removed", "vanished"] = "public"

    @property
    def fullname(self) -> str:
        """Reddit's name for it."""
        return f"t1_{self.id}"


Thing = Submission | Comment


@dataclass(slots=True)
class Reddit:
    """A small Reddit. Change `things` at any time.

    Attributes:
        things: everything that was ever posted.
        closed: communities that answer 403.
        client_id, client_secret: the only app it knows; token: what that app gets.
        page: the most things on a page, however many are asked for.
    """

    things: list[Thing] = field(default_factory=list)
    closed: frozenset[str] = frozenset()
    client_id: str = "rehearsal-client-id"
    client_secret: str = "rehearsal-client-secret"  # noqa: S105 - opens nothing but this rehearsal
    token: str = "rehearsal-access-token"  # noqa: S105 - as above
    page: int = 100

    @property
    def routes(self) -> Mapping[str, Route]:
        """What to serve: sign-in and API on one server."""
        return {TOKEN: self.sign_in, SEARCH: self.search, INFO: self.info, "/r/*": self.community}

    def sign_in(self, request: Request, /) -> Reply:
        """Give the app its token."""
        basic = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return json_reply({"message": "Unauthorized", "error": 401}, status=401)
        if request.form().get("grant_type") != "client_credentials":
            return json_reply({"error": "unsupported_grant_type"})
        return json_reply({"access_token": self.token, "token_type": "bearer", "expires_in": 86_400, "scope": "*"})

    def search(self, request: Request, /) -> Reply:
        """Answer a search over posts: newest first."""
        phrases = [part.lower() for part in request.query["q"].split('"')[1::2]]
        found = [
            thing
            for thing in self.things
            if isinstance(thing, Submission)
            and any(phrase in f"{thing.title} {thing.text}".lower() for phrase in phrases)
        ]
        return self._signed_in(request) or self._listing(request, found)

    def community(self, request: Request, /) -> Reply:
        """Answer with what is new in a community."""
        name, _, shelf = request.path.removeprefix("/r/").partition("/")
        if name in self.closed:
            return json_reply({"reason": "private", "message": "Forbidden", "error": 403}, status=403)
        kind = Submission if shelf == "new" else Comment
        found = [thing for thing in self.things if isinstance(thing, kind) and thing.subreddit == name]
        return self._signed_in(request) or self._listing(request, found)

    def info(self, request: Request, /) -> Reply:
        """Answer a question for things by name; what is not there is left out."""
        asked = request.query["id"].split(",")
        found = [thing for thing in self.things if thing.fullname in asked and thing.state != "vanished"]
        # by id, comments come without the title of their post
        children = [self._wire(thing, titled=False) for thing in found]
        return self._signed_in(request) or json_reply(_listing(children, None))

    def _signed_in(self, request: Request) -> Reply | None:
        """Return 401 for a wrong token."""
        if request.headers.get("authorization") == f"bearer {self.token}":
            return None
        return json_reply({"message": "Unauthorized", "error": 401}, status=401)

    def _listing(self, request: Request, things: Sequence[Thing]) -> Reply:
        """Return one page, newest first, with the rate-limit headers of every good answer."""
        newest = sorted(things, key=lambda thing: (thing.created, thing.id), reverse=True)
        shown = [thing for thing in newest if thing.state != "vanished"][:DEEPEST]
        names = [thing.fullname for thing in shown]
        after = request.query.get("after")
        begin = names.index(after) + 1 if after in names else 0
        end = begin + min(self.page, int(request.query.get("limit", 25)))
        children = [self._wire(thing, titled=True) for thing in shown[begin:end]]
        headers = {"x-ratelimit-used": "3", "x-ratelimit-remaining": "997.0", "x-ratelimit-reset": "417.3"}
        content = _listing(children, names[end - 1] if shown[end:] else None)
        return json_reply(content, headers=headers)

    def _wire(self, thing: Thing, *, titled: bool) -> dict[str, Any]:
        """Return a thing as it goes over the wire."""
        marker = {"deleted": "[deleted]", "removed": "[removed]"}.get(thing.state)
        author = "[deleted]" if thing.state == "deleted" else thing.author
        shared = {
            "id": thing.id,
            "name": thing.fullname,
            "subreddit": thing.subreddit,
            "subreddit_name_prefixed": f"r/{thing.subreddit}",
            "created_utc": thing.created.timestamp(),
            "edited": thing.edited.timestamp() if thing.edited else False,
            "score": 1,
            **({} if author is None else {"author": author}),
        }
        if isinstance(thing, Comment):
            title = {"link_title": self._title(thing.post)} if titled else {}
            links = {"link_id": f"t3_{thing.post}", "parent_id": f"t3_{thing.post}"}
            return {"kind": "t1", "data": {**shared, "body": marker or thing.text, **links, **title}}
        post = {
            "title": thing.title,
            "selftext": marker or thing.text,
            "permalink": f"/r/{thing.subreddit}/comments/{thing.id}/a_slug/",
            "url": f"https://www.reddit.com/r/{thing.subreddit}/comments/{thing.id}/a_slug/",
            "upvote_ratio": 1.0,
            "num_comments": 0,
            "over_18": False,
            "removed_by_category": {"deleted": "deleted", "removed": "moderator"}.get(thing.state),
            **({"crosspost_parent": f"t3_{thing.crosspost_of}"} if thing.crosspost_of else {}),
        }
        return {"kind": "t3", "data": {**shared, **post}}

    def _title(self, post: str) -> str:
        """Return the title of a post."""
        return next((t.title for t in self.things if isinstance(t, Submission) and t.id == post), "")


def _listing(children: list[dict[str, Any]], after: str | None) -> dict[str, Any]:
    """Return a listing."""
    data = {"after": after, "before": None, "dist": len(children), "modhash": "", "children": children}
    return {"kind": "Listing", "data": data}


def rate_limited(*, seconds: str = "41.5") -> Fault:
    """Answer 429 as Reddit does: so many seconds, with a fraction, until the limit ends."""
    headers = {"x-ratelimit-used": "600", "x-ratelimit-remaining": "0.0", "x-ratelimit-reset": seconds}
    return json_status(429, {"message": "Too Many Requests", "error": 429}, headers)


def nothing_left(*, seconds: str = "41.5") -> Fault:
    """Answer well, and say that it was the last answer for so many seconds."""

    def spoilt(_request: Request, reply: Reply) -> Reply:
        spent = {"x-ratelimit-used": "600", "x-ratelimit-remaining": "0.0", "x-ratelimit-reset": seconds}
        return replace(reply, headers={**reply.headers, **spent})

    return spoilt


def expired_token() -> Fault:
    """Answer as if the access token had been revoked."""
    return status(401, {"www-authenticate": 'Bearer realm="reddit", error="invalid_token"'}, b"{}")


def sign_in_error() -> Fault:
    """Refuse the sign-in with status 200, as Reddit does for a wrong kind of app."""
    return lambda _request, _reply: json_reply({"error": "unsupported_grant_type"})


def empty_page(after: str = "t3_zzzzzz") -> Fault:
    """Answer with nothing and a cursor."""
    return _changed(lambda data: {**data, "children": [], "after": after})


def same_cursor() -> Fault:
    """Give the same cursor with every page."""
    return _changed(lambda data: {**data, "after": "t3_zzzzzz"})


def malformed_item() -> Fault:
    """Put a post without a date, a thing of another kind and something else beside the good ones."""
    bad: list[Any] = [{"kind": "t3", "data": {"name": "t3_bad"}}, {"kind": "t5", "data": {}}, "not a thing"]
    return _changed(lambda data: {**data, "children": [*bad, *data["children"]]})


def _changed(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Fault:
    """Return a fault that rewrites the listing of a good reply."""

    def spoilt(_request: Request, reply: Reply) -> Reply:
        content = json.loads(reply.whole())
        return replace(reply, body=json.dumps({**content, "data": change(content["data"])}).encode())

    return spoilt
