"""Facebook: the schools' own Pages: posts that tag them, what visitors write on them, and comments there.

Graph API `/PAGE/tagged`, `/PAGE/feed` with its comments, and, for the re-check, `/ID`
(developers.facebook.com/docs/graph-api/reference/page). Facebook offers no search of public posts. It names
authors to nobody but themselves: none are stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import AwareDatetime, BaseModel, Field, SecretStr

from collectors._graph import CALL, AccountId, Graph, Missing, NodeId, Page
from collectors._meta import KEPT, MetaReader, OwnOptions, still_listed
from collectors._purse import Purse
from collectors._words import Words
from monitor.addresses import is_web
from monitor.records import Gone, Malformed, Mention, Spent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from monitor.records import Ask, Yielded

NAME: Final = "facebook"
SECRETS: Final = ("FACEBOOK_TOKEN",)
WORDS: Final = "id,message,created_time,permalink_url"
"""Fields that posts and comments share."""
COMMENT: Final = f"{WORDS},from{{id}},parent{{id}}"
COMMENTS: Final = "comments.filter(stream).order(reverse_chronological).limit(50)"
"""Asked for with each post of the feed: all levels in one list, newest first."""


class Options(OwnOptions):
    """`[sources.facebook]`.

    Attributes:
        pages: ids of our own Pages.
    """

    pages: tuple[AccountId, ...] = ()

    def missing(self) -> str:
        """Return what must still be configured."""
        return "" if self.pages else "no Page is named: give the ids of our own Pages in pages"


class Facebook(MetaReader[Options]):
    """Reads our own Pages. The token is a system user's, or one Page's own; each Page is read with its own token."""

    name = NAME
    secret = SECRETS[0]
    why = "Facebook shows our own Pages to their managers alone"
    parts = "Pages"

    def recheck(
        self, native_ids: Sequence[str], allowance: Spent | None = None
    ) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Yield each post or comment as it stands now, or `Gone`.

        Somebody else's post that tags us may be shown in the list of tags alone, so that is read first; a Page
        that cannot be read at all is an error, and makes nothing gone.

        Raises:
            SourceError: see `monitor.errors`.
        """
        purse = Purse(NAME, allowance, self._clock)
        waiting = set(native_ids)
        pages: list[_Page] = []
        for number in self._options.pages:
            purse.need(CALL)
            page = self._opened(number)
            yield purse.pay(CALL)
            pages.append(page)
            yield from still_listed(self._tagged(page, purse, self._clock() - KEPT), waiting)
        for native_id in sorted(waiting):
            yield from self._again(native_id, pages, purse)

    def _again(
        self, native_id: str, pages: Sequence[_Page], purse: Purse
    ) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Ask each Page's token for one post or comment; it is gone when none of them sees it."""
        unsure: Malformed | None = None
        for page in pages:
            purse.need(CALL)
            post = page.graph.again(native_id, _Post, WORDS)
            yield purse.pay(CALL)
            if isinstance(post, _Post):
                yield _mention(post, page.name, channel="page")
                return
            unsure = post or unsure
        yield unsure or Gone(source=NAME, native_id=native_id)

    def _shelves(self, ask: Ask, purse: Purse) -> dict[str, Iterator[Yielded]]:
        """Return each Page, by number."""
        return {number: self._page(number, ask, purse) for number in self._options.pages}

    def _page(self, number: str, ask: Ask, purse: Purse) -> Iterator[Yielded]:
        """Yield everything of one Page."""
        purse.need(CALL)
        page = self._opened(number)
        yield purse.pay(CALL)
        yield from self._tagged(page, purse, ask.window.start)
        back_to = self._options.followed_from(ask.window)
        fields = f"{WORDS},from{{id}},{COMMENTS}{{{COMMENT}}}"
        for post in page.graph.read(f"{number}/feed", _Post, {"fields": fields, "limit": 25}, purse, back_to=back_to):
            if not isinstance(post, _Post):
                yield post
                continue
            if post.author.id not in self._options.pages:
                yield _mention(post, page.name, channel="page")
            yield from self._comments(page, post, ask, purse)

    def _tagged(self, page: _Page, purse: Purse, back_to: datetime) -> Iterator[Mention | Malformed | Spent]:
        """Yield public posts that tag a Page; their own address is given by number, as the long one holds names."""
        params: dict[str, str | int] = {"fields": "id,message,created_time,from{id}", "limit": 50}
        for post in page.graph.read(f"{page.number}/tagged", _Post, params, purse, back_to=back_to):
            if not isinstance(post, _Post):
                yield post
            elif post.author.id not in self._options.pages:
                yield _mention(post, page.name, channel="tagged")

    def _comments(self, page: _Page, post: _Post, ask: Ask, purse: Purse) -> Iterator[Mention | Malformed | Spent]:
        """Yield the comments under one post: those that came with it, and further pages of them."""
        params: dict[str, str | int] = {
            "fields": COMMENT,
            "filter": "stream",
            "order": "reverse_chronological",
            "limit": 50,
        }
        if post.comments is None:
            return
        try:
            for comment in page.graph.read(
                f"{post.id}/comments", _Post, params, purse, back_to=ask.window.start, begun=post.comments
            ):
                if not isinstance(comment, _Post):
                    yield comment
                elif comment.author.id not in self._options.pages:
                    yield _mention(comment, page.name, channel="page", under=post.id)
        except Missing:
            return  # the post went while we read

    def _opened(self, number: str) -> _Page:
        """Return a Page's name, and the API with its own token.

        Raises:
            Missing: there is no such Page, or it is not ours.
            SourceError: see `monitor.errors`.
        """
        account = self._graph.one(number, _Account, "a Page", fields="id,name,access_token")
        return _Page(number=number, name=account.name, graph=self._graph.signed(account.token or self._graph.token))


collector = Facebook


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """One of our own Pages, and the API with its token."""

    number: str
    name: str
    graph: Graph


class _Account(BaseModel):
    """A Page, as it describes itself to its managers."""

    id: AccountId
    name: Words = ""
    token: SecretStr | None = Field(default=None, alias="access_token")


class _Node(BaseModel):
    """Another thing, by id."""

    id: Words = ""


class _Post(BaseModel):
    """A post or a comment; pictures are not looked at."""

    id: NodeId
    published: AwareDatetime = Field(alias="created_time")
    message: Words = ""
    permalink_url: Words = ""
    author: _Node = Field(default=_Node(), alias="from")
    parent: _Node = _Node()
    comments: Page | None = None


def _mention(post: _Post, community: str, *, channel: str, under: str = "") -> Mention | Malformed:
    """Return a post or comment as a mention; one without words, such as a picture, is counted."""
    if not post.message:
        return Malformed(reason="a post without words")
    return Mention(
        source=NAME,
        native_id=post.id,
        url=post.permalink_url if is_web(post.permalink_url) else f"https://www.facebook.com/{post.id}",
        text=post.message,
        published=post.published,
        community=community,
        channel=channel,
        in_reply_to=post.parent.id or under or None,
    )
