"""Facebook as its Graph API shows own Pages to their managers, with invented posts and comments.

::

    town = Facebook([Page(id="101", name="Our School")], [Post(id="9_1", text="Thank you!", created=an_hour_ago)])
    with Server(town.routes) as server:
        ...                       # [sources.facebook] graph_url = server.url + meta.VERSION, token Facebook.token
        server.play(meta.expired_token(), at=meta.READING)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Literal

from monitor.rehearsal import meta
from monitor.rehearsal.server import Reply, Request, json_reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.rehearsal.server import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An invented Page, with the token that only its managers get."""

    id: str = "101"
    name: str = "Our School"
    token: str = "rehearsal-page-token"  # noqa: S105 - opens nothing but this rehearsal


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """An invented post or comment.

    Attributes:
        id: Meta's number.
        created: zone-aware.
        page: id of the Page it stands on, or tags.
        where: "tagged" posts stand elsewhere and tag the Page; the others stand on it.
        by: id of the Page that wrote it, "" for anybody else, whom Facebook does not name.
        under: id of the post it is a comment on; parent: id of the comment it answers.
        zone: in which its time is written.
        state: "hidden" ones are known by the list they stand in, and not by id.
    """

    id: str
    text: str
    created: datetime
    page: str = "101"
    where: Literal["tagged", "page"] = "page"
    by: str = ""
    under: str = ""
    parent: str = ""
    zone: tzinfo = UTC
    state: Literal["public", "deleted", "hidden"] = "public"


@dataclass(slots=True)
class Facebook:
    """A small Facebook. Change `posts` at any time.

    Attributes:
        pages, posts: all there are.
        size: the most items on a page of an answer.
        token: the system user's.
    """

    pages: list[Page] = field(default_factory=lambda: [Page()])
    posts: list[Post] = field(default_factory=list)
    size: int = 50
    token: str = "rehearsal-system-token"  # noqa: S105 - as above

    @property
    def routes(self) -> Mapping[str, Route]:
        """What to serve."""
        return {meta.READING: self.answer}

    def answer(self, request: Request, /) -> Reply:
        """Answer for a Page, one of its edges, or one post."""
        number, _, edge = request.path.removeprefix(f"{meta.VERSION}/").partition("/")
        token = meta.token_of(request)
        page = next((page for page in self.pages if page.id == number), None)
        if token not in {self.token, *(page.token for page in self.pages)}:
            return meta.expired_token(token)(request, Reply())
        if page is not None and not edge:
            return json_reply({"id": page.id, "name": page.name, "access_token": page.token})
        if token == self.token:
            return meta.error(400, 10, "A page access token is required to request this resource.")
        if page is not None:
            return self._edge(request, page, edge)
        return self._node(request, number, edge, token)

    def _edge(self, request: Request, page: Page, edge: str) -> Reply:
        """Answer with posts of one Page: newest first."""
        if meta.token_of(request) != page.token:
            return meta.error(403, 200, "Permissions error")
        wanted = [
            post
            for post in self._standing(hidden=True)
            if post.page == page.id and not post.under and (edge == "feed" or post.where == "tagged")
        ]
        return json_reply(meta.page_of(request, [self._wire(post, request) for post in wanted], size=self.size))

    def _node(self, request: Request, number: str, edge: str, token: str) -> Reply:
        """Answer for one post or comment, or with the comments under it."""
        post = next((post for post in self._standing() if post.id == number), None)
        if post is None or token != next(page.token for page in self.pages if page.id == post.page):
            return meta.missing()
        if edge == "comments":
            return json_reply(self._comments(request, post))
        return json_reply(self._wire(post, request))

    def _standing(self, *, hidden: bool = False) -> list[Post]:
        """Return what is there, newest first."""
        there = [post for post in self.posts if post.state == "public" or (hidden and post.state == "hidden")]
        return sorted(there, key=lambda post: post.created, reverse=True)

    def _comments(self, request: Request, post: Post) -> dict[str, Any]:
        """Return a page of comments: all levels in one list."""
        under = [self._wire(comment, request) for comment in self._standing() if comment.under == post.id]
        return meta.page_of(request, under, size=self.size)

    def _wire(self, post: Post, request: Request) -> dict[str, Any]:
        """Return a post as it goes over the wire; comments come along where they were asked for."""
        fields = request.query.get("fields", "")
        content: dict[str, Any] = {
            "id": post.id,
            "created_time": meta.moment(post.created, post.zone),
            **({"message": post.text} if post.text else {}),
            **({"from": {"id": post.by, "name": "Our School"}} if post.by else {}),
            **({"parent": {"id": post.parent}} if post.parent else {}),
        }
        if "permalink_url" in fields:
            content["permalink_url"] = f"https://www.facebook.com/{post.page}/posts/{post.id}"
        if "comments." in fields and not post.under:
            nested = Request(
                verb="GET",
                path=f"{meta.VERSION}/{post.id}/comments",
                query={"limit": "50"},
                headers=request.headers,
            )
            comments = self._comments(nested, post)
            content |= {"comments": comments} if comments["data"] else {}
        return content
