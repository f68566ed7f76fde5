"""Bluesky as its XRPC interface speaks, with invented posts.

::

    town = Bluesky([Post(rkey="3kaaaaaaaaa22", text="Well done Boroughbridge High", indexed=an_hour_ago)])
    with Server(town.routes) as server:
        ...                                    # service = server.url, handle and password as below
        server.play(rate_limited(reset=1_800_000_000), at=SEARCH)

Fields are those of answers recorded from a real server (tests/data/bluesky).
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from monitor.rehearsal.server import Reply, Request, json_reply, json_status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from monitor.rehearsal.server import Fault, Route

SIGN_IN: Final = "/xrpc/com.atproto.server.createSession"
SEARCH: Final = "/xrpc/app.bsky.feed.searchPosts"
LOOKUP: Final = "/xrpc/app.bsky.feed.getPosts"
READING: Final = "/xrpc/app.bsky.feed.*"
"""Every request that reads."""
NOT_FOR_OUTSIDERS: Final = "!no-unauthenticated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """An invented post.

    Attributes:
        rkey: its key among its author's posts.
        indexed: when the network saw it, zone-aware.
        created: when its author's program says it was written; `indexed` if None.
        handle: the author's; None leaves the author out, as no real server does.
        labels, author_labels: values of labels on the post and on its author.
        reply_to: address of the post it answers.
        card: headline of the page it links to.
        deleted: whether it is missing from every answer.
    """

    rkey: str
    text: str
    indexed: datetime
    created: datetime | None = None
    did: str = "did:plc:inventedauthor0000000000"
    handle: str | None = "parent-one.test"
    langs: tuple[str, ...] = ("en",)
    labels: tuple[str, ...] = ()
    author_labels: tuple[str, ...] = ()
    reply_to: str = ""
    card: str = ""
    deleted: bool = False

    @property
    def uri(self) -> str:
        """Its address."""
        return f"at://{self.did}/app.bsky.feed.post/{self.rkey}"


@dataclass(slots=True)
class Bluesky:
    """A small Bluesky. Change `posts` at any time.

    Attributes:
        posts: everything that was ever posted.
        page: the most posts on a page, however many are asked for.
        handle, password: the only account it knows.
        sessions: how many sessions were given out; only the newest one's token is good.
        elsewhere: what the sign-in names as the account's own server; the server itself if "".
    """

    posts: list[Post] = field(default_factory=list)
    page: int = 100
    handle: str = "monitor.test"
    password: str = "rehearsal-app-password"  # noqa: S105 - opens nothing but this rehearsal
    sessions: int = 0
    elsewhere: str = ""

    @property
    def routes(self) -> Mapping[str, Route]:
        """What to serve."""
        return {SIGN_IN: self.sign_in, SEARCH: self.search, LOOKUP: self.lookup}

    @property
    def token(self) -> str:
        """The access token of the newest session."""
        return _token(f"access-{self.sessions}")

    def sign_in(self, request: Request, /) -> Reply:
        """Give the account a session."""
        if request.json() != {"identifier": self.handle, "password": self.password}:
            return _error(401, "AuthenticationRequired", "Invalid identifier or password")
        self.sessions += 1
        did = "did:plc:inventedmonitor000000000"
        own = {
            "id": "#atproto_pds",
            "type": "AtprotoPersonalDataServer",
            "serviceEndpoint": self.elsewhere or request.base,
        }
        return json_reply(
            {
                "accessJwt": self.token,
                "refreshJwt": _token(f"refresh-{self.sessions}"),
                "did": did,
                "didDoc": {"id": did, "alsoKnownAs": [f"at://{self.handle}"], "service": [own]},
                "handle": self.handle,
                "active": True,
            }
        )

    def search(self, request: Request, /) -> Reply:
        """Answer a search: posts that hold every word, newest first."""
        words = request.query["q"].lower().split()
        since = datetime.fromisoformat(request.query["since"]) if "since" in request.query else None
        found = [
            post
            for post in sorted(self.posts, key=lambda post: post.indexed, reverse=True)
            if not post.deleted
            and all(word in f"{post.text} {post.card}".lower() for word in words)
            and (since is None or post.indexed >= since)
        ]
        begin = int(request.query.get("cursor", "0"))
        end = begin + min(self.page, int(request.query.get("limit", "25")))
        content: dict[str, Any] = {"posts": [wire(post) for post in found[begin:end]]}
        if found[end:]:
            content["cursor"] = str(end)
        return self._refusal(request) or json_reply(content)

    def lookup(self, request: Request, /) -> Reply:
        """Answer a question for posts by address."""
        found = [post for post in self.posts if post.uri in request.queries["uris"] and not post.deleted]
        return self._refusal(request) or json_reply({"posts": [wire(post) for post in found]})

    def _refusal(self, request: Request) -> Reply | None:
        """Return what a real server says without a session, or with an old one."""
        given = request.headers.get("authorization")
        if given is None:
            return _error(401, "AuthMissing", "Authentication Required")
        if not self.sessions or _name(given) != f"access-{self.sessions}":
            return _error(400, "ExpiredToken", "Token has expired")
        return None


def wire(post: Post) -> dict[str, Any]:
    """Return a post as it goes over the wire."""
    counts = dict.fromkeys(("bookmarkCount", "replyCount", "repostCount", "likeCount", "quoteCount"), 0)
    author = {"did": post.did, "handle": post.handle, "labels": _labels(post.did, post.author_labels)}
    record: dict[str, Any] = {
        "$type": "app.bsky.feed.post",
        "text": post.text,
        "langs": list(post.langs),
        "createdAt": _moment(post.created or post.indexed),
    }
    if post.reply_to:
        record["reply"] = {name: {"uri": post.reply_to, "cid": "bafyinvented"} for name in ("root", "parent")}
    if post.card:
        external = {"uri": "https://news.example/article", "title": post.card, "description": ""}
        record["embed"] = {"$type": "app.bsky.embed.external", "external": external}
    return {
        "uri": post.uri,
        "cid": f"bafyrei{post.rkey}",
        "record": record,
        "indexedAt": _moment(post.indexed),
        "labels": _labels(post.uri, post.labels),
        **counts,
        **({} if post.handle is None else {"author": author}),
    }


def rate_limited(*, reset: int) -> Fault:
    """Answer 429 as Bluesky does: the limit ends at the epoch second `reset`."""
    headers = {
        "ratelimit-limit": "3000",
        "ratelimit-remaining": "0",
        "ratelimit-reset": str(reset),
        "ratelimit-policy": "3000;w=300",
    }
    return json_status(429, {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}, headers)


def expired_token() -> Fault:
    """Answer as if the session were over."""
    return json_status(400, {"error": "ExpiredToken", "message": "Token has expired"})


def refused() -> Fault:
    """Answer as to somebody who may not search."""
    return json_status(403, {"error": "Forbidden", "message": "Forbidden"})


def empty_page(cursor: str = "0") -> Fault:
    """Answer with no posts and a cursor."""
    return _changed(lambda _: {"posts": [], "cursor": cursor})


def same_cursor() -> Fault:
    """Give the same cursor with every page."""
    return _changed(lambda content: {**content, "cursor": "0"})


def malformed_item() -> Fault:
    """Put a post without an author, one without a time and something that is no post beside the good ones."""
    bad: list[Any] = [
        {"uri": "at://did:plc:a/app.bsky.feed.post/1", "indexedAt": "2026-11-22T00:00:00Z"},
        {"uri": "at://did:plc:a/app.bsky.feed.post/2", "author": {}, "record": {"text": "no time"}},
        "not a post",
    ]
    return _changed(lambda content: {**content, "posts": [*bad, *content["posts"]]})


def _changed(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Fault:
    """Return a fault that rewrites the JSON of a good reply."""

    def spoilt(_request: Request, reply: Reply) -> Reply:
        return replace(reply, body=json.dumps(change(json.loads(reply.whole()))).encode())

    return spoilt


def _error(status: int, name: str, message: str) -> Reply:
    """Return an XRPC error."""
    return json_reply({"error": name, "message": message}, status=status)


def _labels(about: str, values: Sequence[str]) -> list[dict[str, Any]]:
    """Return labels as they stand on posts and accounts."""
    return [{"src": about, "uri": about, "val": value, "cts": "2026-01-01T00:00:00.000Z"} for value in values]


def _moment(moment: datetime) -> str:
    """Return a time as Bluesky writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _token(name: str) -> str:
    """Return a token of the form that the library reads: unsigned, and good for longer than the library."""
    parts = ({"alg": "none", "typ": "JWT"}, {"jti": name, "exp": 4_000_000_000})
    head, payload = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{head}.{payload}.AAAA"


def _name(authorization: str) -> str:
    """Return the name inside a token, "" if it is none of ours."""
    parts = authorization.removeprefix("Bearer ").split(".")
    if len(parts) != 3:  # noqa: PLR2004 - head, payload, signature
        return ""
    return str(json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))).get("jti", ""))
