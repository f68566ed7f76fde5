"""Threads as its API speaks, with invented posts.

::

    town = Threads([Post(id="801", text="Well done Boroughbridge High", created=an_hour_ago)])
    with Server(town.routes) as server:
        ...                     # [sources.threads] graph_url = server.url + meta.VERSION, token Threads.token
        server.play(meta.expired_token(), at=meta.READING)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final

from monitor.rehearsal import meta
from monitor.rehearsal.server import Reply, Request, json_reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.rehearsal.server import Route

SEARCH: Final = f"{meta.VERSION}/keyword_search"
MENTIONS: Final = f"{meta.VERSION}/me/mentions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """An invented post; without an author if `username` is "".

    Attributes:
        id: Meta's number.
        created: zone-aware; zone: in which it is written.
        mentions_us: whether it mentions our account.
    """

    id: str
    text: str
    created: datetime
    username: str = "invented.parent"
    zone: tzinfo = UTC
    mentions_us: bool = False
    deleted: bool = False


@dataclass(slots=True)
class Threads:
    """A small Threads. Change `posts` at any time.

    Attributes:
        posts: everything that was ever posted.
        size: the most items on a page of an answer.
        token: the only one it knows.
    """

    posts: list[Post] = field(default_factory=list)
    size: int = 100
    token: str = "rehearsal-threads-token"  # noqa: S105 - opens nothing but this rehearsal

    @property
    def routes(self) -> Mapping[str, Route]:
        """What to serve."""
        return {SEARCH: self.search, MENTIONS: self.mentions, meta.READING: self.lookup}

    def search(self, request: Request, /) -> Reply:
        """Answer a search: newest first."""
        query = request.query
        word = query["q"].lower() if query["search_mode"] == "KEYWORD" else f"#{query['q'].lower()}"
        since = datetime.fromtimestamp(int(query["since"]), tz=UTC)
        return self._page(request, [p for p in self.posts if word in p.text.lower() and p.created >= since])

    def mentions(self, request: Request, /) -> Reply:
        """Answer with the posts that mention our account: newest first."""
        return self._page(request, [post for post in self.posts if post.mentions_us])

    def lookup(self, request: Request, /) -> Reply:
        """Answer for our account, or for one post."""
        number = request.path.removeprefix(f"{meta.VERSION}/")
        found = {post.id: _wire(post) for post in self.posts if not post.deleted} | {"me": {"id": "901"}}
        return self._refusal(request) or (json_reply(found[number]) if number in found else meta.missing())

    def _page(self, request: Request, posts: list[Post]) -> Reply:
        """Return one page, with cursors and without a `next`."""
        there = sorted((post for post in posts if not post.deleted), key=lambda post: post.created, reverse=True)
        content = meta.page_of(request, [_wire(post) for post in there], size=self.size, with_next=False)
        return self._refusal(request) or json_reply(content)

    def _refusal(self, request: Request) -> Reply | None:
        """Return what Threads says to a token that is over."""
        return None if meta.token_of(request) == self.token else meta.expired_token()(request, Reply())


def _wire(post: Post) -> dict[str, Any]:
    """Return a post as it goes over the wire."""
    author = post.username or "somebody"
    return {
        "id": post.id,
        "media_type": "TEXT_POST",
        "permalink": f"https://www.threads.net/@{author}/post/C{post.id}",
        "timestamp": meta.moment(post.created, post.zone),
        **({"text": post.text} if post.text else {}),
        **({"username": post.username} if post.username else {}),
    }
