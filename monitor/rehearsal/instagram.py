"""Instagram as the Graph API shows own accounts to their managers, with invented posts and comments.

::

    town = Instagram(posts=[Post(id="501", text="Great day at the high school", created=an_hour_ago)])
    with Server(town.routes) as server:
        ...                     # [sources.instagram] graph_url = server.url + meta.VERSION, token Instagram.token
        server.play(meta.expired_token(), at=meta.READING)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from monitor.rehearsal import meta
from monitor.rehearsal.server import Reply, Request, json_reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from monitor.rehearsal.server import Route

ACCOUNT: Final = "301"
HASHTAG: Final = "701"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """An invented post.

    Attributes:
        id: Meta's number.
        created: zone-aware.
        where: "own" ones are an account's, "tagged" ones tag it, "hashtag" ones only hold the hashtag.
        account: id of our account that it belongs to or tags.
    """

    id: str
    text: str
    created: datetime
    where: Literal["own", "tagged", "hashtag"] = "tagged"
    account: str = ACCOUNT
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """An invented comment on the post `post`, an answer if it has a `parent`; `own` if our account wrote it."""

    id: str
    text: str
    created: datetime
    post: str
    parent: str = ""
    own: bool = False
    deleted: bool = False


@dataclass(slots=True)
class Instagram:
    """A small Instagram. Change `posts` and `comments` at any time.

    Attributes:
        accounts: id -> name of our accounts.
        posts, comments: everything that was ever posted.
        hashtag: the only one that anybody has used.
        size: the most items on a page of an answer.
        token: the only one it knows.
    """

    accounts: dict[str, str] = field(default_factory=lambda: {ACCOUNT: "Our School"})
    posts: list[Post] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    hashtag: str = "BoroughbridgeHigh"
    size: int = 50
    token: str = "rehearsal-instagram-token"  # noqa: S105 - opens nothing but this rehearsal
    _shown: int = 0

    @property
    def routes(self) -> Mapping[str, Route]:
        """What to serve."""
        return {meta.READING: self.answer}

    def answer(self, request: Request, /) -> Reply:
        """Answer for an account, a hashtag, a post or a comment."""
        number, _, edge = request.path.removeprefix(f"{meta.VERSION}/").partition("/")
        if meta.token_of(request) != self.token:
            return meta.expired_token()(request, Reply())
        if number == "ig_hashtag_search":
            found = request.query["q"].lower() == self.hashtag.lower()
            return json_reply({"data": [{"id": HASHTAG}]}) if found else meta.error(400, 24, subcode=2207024)
        if number == HASHTAG:
            return self._recent(request)
        if number in self.accounts:
            return self._account(request, number, edge)
        return self._node(request, number, edge)

    def _account(self, request: Request, number: str, edge: str) -> Reply:
        """Answer for one of our accounts."""
        if not edge:
            return json_reply({"id": number, "username": "our_school", "name": self.accounts[number]})
        where = "own" if edge == "media" else "tagged"
        found = [post for post in self._standing() if post.account == number and post.where == where]
        return json_reply(meta.page_of(request, [self._wire(post, request) for post in found], size=self.size))

    def _recent(self, request: Request) -> Reply:
        """Answer with what stands under the hashtag: in no order, and every page with the same cursor."""
        self._shown = self._shown + self.size if "after" in request.query else 0
        found = [post for post in self.posts if not post.deleted and self.hashtag.lower() in post.text.lower()]
        shown = [self._wire(post, request) for post in found[self._shown : self._shown + self.size]]
        following = f"{request.base}{request.path}?access_token={meta.token_of(request)}&after=ALWAYS"
        return json_reply({"data": shown, "paging": {"cursors": {"after": "ALWAYS"}, "next": following}})

    def _node(self, request: Request, number: str, edge: str) -> Reply:
        """Answer for a post of ours, a comment on one, or what stands under it."""
        if edge == "comments":
            return json_reply(self._comments(request, number))
        if edge == "replies":
            return json_reply(self._replies(request, number))
        fields = request.query["fields"].split(",")
        for comment in self.comments:
            if comment.id == number and not comment.deleted:
                wrong = "caption" in fields
                return meta.error(400, 100) if wrong else json_reply(_comment(comment))
        for post in self._standing():
            if post.id == number and post.where == "own":
                return meta.error(400, 100) if "text" in fields else json_reply(self._wire(post, request))
        return meta.missing()

    def _standing(self) -> list[Post]:
        """Return the posts that are there, newest first."""
        return sorted((post for post in self.posts if not post.deleted), key=lambda post: post.created, reverse=True)

    def _wire(self, post: Post, request: Request) -> dict[str, Any]:
        """Return a post as it goes over the wire, with its comments where they were asked for."""
        content: dict[str, Any] = {
            "id": post.id,
            "timestamp": meta.moment(post.created),
            "permalink": f"https://www.instagram.com/p/{post.id}/",
            **({"caption": post.text} if post.text else {}),
        }
        if "comments." in request.query.get("fields", ""):
            comments = self._comments(_within(request, f"{post.id}/comments"), post.id)
            content |= {"comments": comments} if comments["data"] else {}
        return content

    def _comments(self, request: Request, post: str) -> dict[str, Any]:
        """Return a page of the comments on a post, each with its answers."""
        wires = []
        for comment in self._newest(c for c in self.comments if c.post == post and not c.parent):
            replies = self._replies(_within(request, f"{comment.id}/replies"), comment.id)
            wires.append(_comment(comment) | ({"replies": replies} if replies["data"] else {}))
        return meta.page_of(request, wires, size=self.size)

    def _replies(self, request: Request, parent: str) -> dict[str, Any]:
        """Return a page of the answers to a comment."""
        found = self._newest(comment for comment in self.comments if comment.parent == parent)
        return meta.page_of(request, [_comment(comment) for comment in found], size=self.size)

    @staticmethod
    def _newest(comments: Iterable[Comment]) -> list[Comment]:
        """Return the comments that are there, newest first."""
        return sorted((c for c in comments if not c.deleted), key=lambda comment: comment.created, reverse=True)


def _within(request: Request, path: str) -> Request:
    """Return the question for what comes along with something else."""
    return Request(verb="GET", path=f"{meta.VERSION}/{path}", query={"limit": "50"}, headers=request.headers)


def _comment(comment: Comment) -> dict[str, Any]:
    """Return a comment as it goes over the wire."""
    return {
        "id": comment.id,
        "timestamp": meta.moment(comment.created),
        **({"text": comment.text} if comment.text else {}),
        **({"user": {"id": ACCOUNT}} if comment.own else {}),
    }
