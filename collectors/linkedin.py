"""LinkedIn: posts that mention the schools' own pages, and comments on what these pages post.

`/rest/organizationalEntityNotifications`, and for each notification `/rest/posts/URN` or
`/rest/socialActions/URN/comments/ID` (learn.microsoft.com/linkedin/marketing/community-management). LinkedIn's
terms let nobody keep other members' words: policy/sources.toml has them looked at and not stored, and 48 hours
later the link goes too. Authors are not taken at all.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from collectors import SourceOptions
from collectors._failures import Failure, worst
from collectors._purse import Purse
from collectors._vendor import BaseAddress
from collectors._wire import what_is_wrong
from collectors._words import Words
from monitor.errors import AccessRefused, UnexpectedShape
from monitor.records import Gone, Malformed, Mention, Spent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collectors import Tools
    from monitor.http import Answer
    from monitor.records import Ask, Window, Yielded

NAME: Final = "linkedin"
SECRETS: Final = ("LINKEDIN_ACCESS_TOKEN",)
CALL: Final = Spent(calls=1)
ACTIONS: Final = "List(SHARE_MENTION,COMMENT)"
PAGE: Final = 50
MOST_PAGES: Final = 50
POST: Final = re.compile(r"urn:li:(?:share|ugcPost|activity):[0-9]{1,25}")
COMMENT: Final = re.compile(r"urn:li:comment:\((?:urn:li:)?((?:share|ugcPost|activity):[0-9]{1,25}),([0-9]{1,25})\)")
"""A comment's name holds its post's, with or without the beginning that all names share."""


class Options(SourceOptions):
    """`[sources.linkedin]`.

    Attributes:
        organizations: number -> name of each of our own pages; the name says whom a comment there is about.
        version: of the API, as YYYYMM; LinkedIn retires each about a year after it came.
        api_url: the API's base address.
    """

    organizations: dict[Annotated[str, Field(pattern=r"^[0-9]{1,25}$")], str] = Field(default_factory=dict)
    version: str = Field(default="202611", pattern=r"^20[0-9]{2}(0[1-9]|1[0-2])$")
    api_url: BaseAddress = "https://api.linkedin.com"

    def missing(self) -> str:
        """Return what must still be configured."""
        return "" if self.organizations else "no page is named: give number and name of our own pages in organizations"


class LinkedIn:
    """Reads what LinkedIn tells the administrators of our own pages. A post's key is its URN."""

    name = NAME

    def __init__(self, options: Options, tools: Tools) -> None:
        self._options = options
        self._http = tools.http
        self._clock = tools.clock
        self._token = tools.secrets.need(SECRETS[0], "LinkedIn tells of mentions to a page's administrators alone")
        self._ours = frozenset(f"urn:li:organization:{number}" for number in options.organizations)

    def collect(self, ask: Ask) -> Iterator[Yielded]:
        """Yield what our pages were told of in the window, each post once; see `collectors.Collector`.

        A page that is closed to us does not keep us from the others; the error at the end names it.

        Raises:
            SourceError: see `monitor.errors`.
        """
        purse = Purse(NAME, ask.allowance, self._clock)
        known: set[str] = set()
        failures: list[Failure] = []
        for number, name in self._options.organizations.items():
            try:
                for item in self._notified(number, ask.window, purse):
                    if not isinstance(item, str):
                        yield item
                    elif item not in known:
                        known.add(item)
                        purse.need(CALL)
                        yield from (found for found in self._again(item, name) if _wanted(found, ask.window))
                        yield purse.pay(CALL)
            except (AccessRefused, UnexpectedShape) as error:
                failures.append(Failure(what=number, error=error))
        if failures:
            raise worst(NAME, failures, of=len(self._options.organizations), things="pages", now=self._clock())

    def recheck(
        self, native_ids: Sequence[str], allowance: Spent | None = None
    ) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Yield each post or comment as it stands now, or `Gone`.

        Raises:
            SourceError: see `monitor.errors`.
        """
        purse = Purse(NAME, allowance, self._clock)
        for native_id in native_ids:
            purse.need(CALL)
            yield from self._again(native_id, "")
            yield purse.pay(CALL)

    def _notified(self, number: str, window: Window, purse: Purse) -> Iterator[str | Malformed | Spent]:
        """Yield the URN of everything that one page was told of in the window."""
        start = 0
        for _ in range(MOST_PAGES):
            purse.need(CALL)
            page = self._page(number, window, start)
            yield purse.pay(CALL)
            for wire in page.elements:
                yield _urn(wire)
            start += len(page.elements)
            if not page.elements or not page.more:
                return
        raise UnexpectedShape(NAME, f"one page's notifications do not end after {MOST_PAGES} answers")

    def _page(self, number: str, window: Window, start: int) -> _Page:
        """Ask for one answer of notifications."""
        span = f"(start:{_milliseconds(window.start)},end:{_milliseconds(window.end)})"
        query = (
            f"q=criteria&actions={ACTIONS}&organizationalEntity={_encoded(f'urn:li:organization:{number}')}"
            f"&timeRange={span}&start={start}&count={PAGE}"
        )
        try:
            return _Page.model_validate(self._ask(f"organizationalEntityNotifications?{query}").json(NAME))
        except ValidationError as error:
            raise UnexpectedShape(NAME, f"expected notifications: {what_is_wrong(error)}") from None

    def _again(self, urn: str, community: str) -> Iterator[Mention | Gone | Malformed]:
        """Ask for one post or comment; nothing comes of what our own pages wrote."""
        comment = COMMENT.fullmatch(urn)
        if comment:
            path = f"socialActions/{_encoded(f'urn:li:{comment[1]}')}/comments/{comment[2]}"
        elif POST.fullmatch(urn):
            path = f"posts/{_encoded(urn)}"
        else:
            yield Malformed(reason="not the name of a post or comment")
            return
        answer = self._ask(path, allow=(HTTPStatus.OK, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE))
        if answer.status == HTTPStatus.FORBIDDEN:
            yield Malformed(reason="a post that LinkedIn does not show to applications")
            return
        if answer.status != HTTPStatus.OK:
            yield Gone(source=NAME, native_id=urn)
            return
        wire = answer.json(NAME)
        try:
            post = _Comment.model_validate(wire) if comment else _Post.model_validate(wire)
        except ValidationError as error:
            yield Malformed(reason=what_is_wrong(error))
            return
        if post.author not in self._ours:
            yield post.mention(urn, community)

    def _ask(self, path: str, allow: tuple[int, ...] = (HTTPStatus.OK,)) -> Answer:
        """Ask one question; LinkedIn wants its parentheses raw and its URNs encoded, so the address is made by hand.

        Raises:
            SourceError: see `monitor.errors`.
        """
        return self._http.get(
            f"{self._options.api_url}/rest/{path}",
            source=NAME,
            headers={
                "Authorization": f"Bearer {self._token.get_secret_value()}",
                "Linkedin-Version": self._options.version,
                "X-Restli-Protocol-Version": "2.0.0",
            },
            allow=allow,
        )


collector = LinkedIn


def _wanted(item: Mention | Gone | Malformed, window: Window) -> bool:
    """Whether an item belongs into a run: an old post that was touched again does not."""
    return not isinstance(item, Mention) or item.published in window


def _encoded(urn: str) -> str:
    """Return a URN as it stands in an address."""
    return quote(urn, safe="")


def _milliseconds(moment: datetime) -> int:
    """Return a moment as LinkedIn writes it."""
    return int(moment.timestamp() * 1000)


def _moment(value: Any) -> datetime:  # noqa: ANN401 - whatever the wire holds
    """Return the moment of epoch milliseconds."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("no epoch milliseconds")  # noqa: TRY004 - pydantic turns a ValueError into its own
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError("no epoch milliseconds") from None


def plain(commentary: str) -> str:
    r"""Return the words of a post, as people see them, of LinkedIn's "little text" format.

    A mention is written "@[Name](urn:li:organization:1)", a hashtag "{hashtag|\#|Name}", and "\" stands before
    characters that would mean something.
    """
    text = re.sub(r"@\[([^\]]{0,200})\]\(urn:li:[^)]{1,200}\)", r"\1", commentary)
    text = re.sub(r"\{hashtag\|\\?#\|([^}|]{1,200})\}", r"#\1", text)
    return re.sub(r"\\([|{}@\[\]()<>#\\*_~])", r"\1", text)


Moment = Annotated[datetime, BeforeValidator(_moment)]


class _Link(BaseModel):
    """A way to another page of an answer."""

    rel: str = ""


class _Paging(BaseModel):
    """Where a page stands."""

    links: list[_Link] = []


class _Page(BaseModel):
    """One answer of notifications."""

    elements: list[Any]
    paging: _Paging = _Paging()

    @property
    def more(self) -> bool:
        """Whether another page follows."""
        return len(self.elements) >= PAGE or any(link.rel == "next" for link in self.paging.links)


class _Notification(BaseModel):
    """Word that somebody mentioned a page, or wrote under its post."""

    urn: str = Field(alias="generatedActivity", max_length=200)


class _Post(BaseModel):
    """A post."""

    author: str
    commentary: Words = ""
    published: Moment = Field(alias="publishedAt")
    state: str = Field(default="PUBLISHED", alias="lifecycleState")
    visibility: str = "PUBLIC"

    def mention(self, urn: str, _community: str) -> Mention | Gone | Malformed:
        """Return it as a mention, which stands on nobody's page; `Gone` if it is not, or no longer, for everybody."""
        if self.state != "PUBLISHED" or self.visibility != "PUBLIC":
            return Gone(source=NAME, native_id=urn)
        text = plain(self.commentary)
        if not text:
            return Malformed(reason="a post without words")
        return Mention(
            source=NAME,
            native_id=urn,
            url=f"https://www.linkedin.com/feed/update/{urn}/",
            text=text,
            published=self.published,
            channel="mentions",
        )


class _Written(BaseModel):
    """When a comment was written."""

    time: Moment


class _Message(BaseModel):
    """What a comment says."""

    text: Words = ""


class _Comment(BaseModel):
    """A comment under a post of ours."""

    author: str = Field(alias="actor")
    message: _Message
    created: _Written

    def mention(self, urn: str, community: str) -> Mention | Malformed:
        """Return it as a mention."""
        named = COMMENT.fullmatch(urn)
        if named is None or not self.message.text:
            return Malformed(reason="a comment without words")
        post = f"urn:li:{named[1]}"
        return Mention(
            source=NAME,
            native_id=urn,
            url=f"https://www.linkedin.com/feed/update/{post}/?commentUrn={_encoded(urn)}",
            text=self.message.text,
            published=self.created.time,
            community=community,
            channel="comments",
            in_reply_to=post,
        )


def _urn(wire: Any) -> str | Malformed:  # noqa: ANN401 - whatever came
    """Return the name of what a notification tells of, or what is wrong with it."""
    try:
        return _Notification.model_validate(wire).urn
    except ValidationError as error:
        return Malformed(reason=what_is_wrong(error))
