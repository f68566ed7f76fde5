"""Facebook: the schools' own Pages: posts that tag them, what visitors write on them, and comments there.

Graph API `/PAGE/tagged`, `/PAGE/feed` with its comments, and, for the re-check, `/ID`
(developers.facebook.com/docs/graph-api/reference/page). Facebook offers no search of public posts. It names
authors to nobody but themselves: none are stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pydantic import AwareDatetime, BaseModel, Field, SecretStr, ValidationError

from collectors import SourceOptions
from collectors._failures import Failure, worst
from collectors._meta import CALL, AccountId, Graph, Missing, NodeId, Page, what_is_wrong
from collectors._purse import Purse
from collectors._vendor import BaseAddress
from collectors._words import Words
from monitor.addresses import is_web
from monitor.errors import AccessRefused, UnexpectedShape
from monitor.records import Gone, Malformed, Mention, Spent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from collectors import Collector, Tools
    from monitor.records import Ask, Yielded

NAME: Final = "facebook"
SECRETS: Final = ("FACEBOOK_TOKEN",)
WORDS: Final = "id,message,created_time,permalink_url"
"""Fields that posts and comments share."""
COMMENT: Final = f"{WORDS},from{{id}},parent{{id}}"
COMMENTS: Final = "comments.filter(stream).order(reverse_chronological).limit(50)"
"""Asked for with each post of the feed: all levels in one list, newest first."""
KEPT: Final = timedelta(days=90)
"""How far back tagged posts are listed at the re-check: nothing older is stored."""


class Options(SourceOptions):
    """`[sources.facebook]`.

    Attributes:
        pages: ids of our own Pages.
        follow_days: for how long the comments under a post of a Page are read.
        graph_url: the API's base address, version included.
    """

    pages: tuple[AccountId, ...] = ()
    follow_days: int = Field(default=14, ge=1, le=30)
    graph_url: BaseAddress = "https://graph.facebook.com/v26.0"

    def missing(self) -> str:
        """Return what must still be configured."""
        return "" if self.pages else "no Page is named: give the ids of our own Pages in pages"


def collector(options: Options, tools: Tools) -> Collector:
    """Make the reader.

    Raises:
        ConfigError: the token is not set.
    """
    return Facebook(options, tools)


class Facebook:
    """Reads our own Pages. The token is a system user's, or one Page's own; each Page is read with its own token."""

    name = NAME

    def __init__(self, options: Options, tools: Tools) -> None:
        self._options = options
        self._clock = tools.clock
        token = tools.secrets.need(SECRETS[0], "Facebook shows our own Pages to their managers alone")
        self._graph = Graph(source=NAME, base=options.graph_url, http=tools.http, clock=tools.clock, token=token)

    def collect(self, ask: Ask) -> Iterator[Yielded]:
        """Yield what was published in the window, each post once; see `collectors.Collector`.

        A Page that is closed to us does not keep us from the others; the error at the end names it.

        Raises:
            SourceError: see `monitor.errors`.
        """
        purse = Purse(NAME, ask.allowance, self._clock)
        known: set[str] = set()
        failures: list[Failure] = []
        for number in self._options.pages:
            try:
                for item in self._page(number, ask, purse):
                    if isinstance(item, Mention):
                        if item.native_id in known or item.published not in ask.window:
                            continue
                        known.add(item.native_id)
                    yield item
            except Missing as error:
                failures.append(Failure(what=number, error=AccessRefused(NAME, error.problem)))
            except (AccessRefused, UnexpectedShape) as error:
                failures.append(Failure(what=number, error=error))
        if failures:
            raise worst(NAME, failures, of=len(self._options.pages), things="Pages", now=self._clock())

    def recheck(self, native_ids: Sequence[str]) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Yield each post or comment as it stands now, or `Gone`.

        Somebody else's post that tags us may be shown in the list of tags alone, so that is read first; a Page
        that cannot be read at all is an error, and makes nothing gone.

        Raises:
            SourceError: see `monitor.errors`.
        """
        purse = Purse(NAME, None, self._clock)
        waiting = set(native_ids)
        pages: list[_Page] = []
        for number in self._options.pages:
            page = self._opened(number)
            yield CALL
            pages.append(page)
            for item in self._tagged(page, purse, self._clock() - KEPT):
                if isinstance(item, Mention):
                    if item.native_id not in waiting:
                        continue
                    waiting.discard(item.native_id)
                yield item
        for native_id in sorted(waiting):
            yield from self._again(native_id, pages)

    def _again(self, native_id: str, pages: Sequence[_Page]) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Ask each Page's token for one post or comment; it is gone when none of them sees it."""
        unsure: Malformed | None = None
        for page in pages:
            post = page.graph.again(native_id, _Post, WORDS)
            yield CALL
            if isinstance(post, _Post):
                yield _mention(post, page.name, channel="page")
                return
            unsure = post or unsure
        yield unsure or Gone(source=NAME, native_id=native_id)

    def _page(self, number: str, ask: Ask, purse: Purse) -> Iterator[Yielded]:
        """Yield everything of one Page."""
        purse.need(CALL)
        page = self._opened(number)
        yield purse.pay(CALL)
        yield from self._tagged(page, purse, ask.window.start)
        back_to = min(ask.window.start, ask.window.end - timedelta(days=self._options.follow_days))
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
        try:
            account = _Account.model_validate(self._graph.ask(number, fields="id,name,access_token"))
        except ValidationError as error:
            raise UnexpectedShape(NAME, f"expected a Page: {what_is_wrong(error)}") from None
        return _Page(number=number, name=account.name, graph=self._graph.signed(account.token or self._graph.token))


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
