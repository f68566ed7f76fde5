"""Bluesky: a search for the schools' names, through the atproto library.

XRPC `app.bsky.feed.searchPosts` and, for the re-check, `app.bsky.feed.getPosts` (docs.bsky.app). Search needs
an account's app password. Signing in is limited to 300 times a day, so a reader signs in once and once more
where the session ends early. Bluesky's engineers ask that search serve people's own questions: few phrases at
long intervals. Posts whose author asks not to be shown to outsiders are not taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from atproto import Client, Request, models  # type: ignore[import-untyped]
from atproto_core.exceptions import AtProtocolError  # type: ignore[import-untyped]
from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, ValidationError

from collectors import SourceOptions
from collectors._bluesky_leash import TIMEOUT, Leash, SessionOver
from collectors._purse import Purse
from collectors._text import clean
from collectors._vendor import BaseAddress
from monitor.errors import AccessRefused, UnexpectedShape
from monitor.records import Gone, Malformed, Mention, Spent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from atproto_client.models.base import ParamsModelBase  # type: ignore[import-untyped]

    from collectors import Collector, Tools
    from monitor.records import Ask, Window, Yielded

NAME: Final = "bluesky"
SECRETS: Final = ("BLUESKY_APP_PASSWORD",)
SEARCH: Final = "app.bsky.feed.searchPosts"
LOOKUP: Final = "app.bsky.feed.getPosts"
PAGE: Final = 100
MOST_PAGES: Final = 50
CALL: Final = Spent(calls=1)
BATCH: Final = 25
"""How many posts may be asked for by address at once."""
NOT_FOR_OUTSIDERS: Final = "!no-unauthenticated"
"""The label by which an account asks to be shown to signed-in people only."""


class Options(SourceOptions):
    """`[sources.bluesky]`.

    Attributes:
        handle: the account that signs in, "example.bsky.social".
        service: base address of the account's server.
        most_searches: how many names and hashtags are searched for, the most telling ones first.
    """

    handle: str = Field(default="", pattern=r"^(@?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)?$")
    service: BaseAddress = "https://bsky.social"
    most_searches: int = Field(default=12, ge=1, le=30)

    def missing(self) -> str:
        """Return what must still be configured."""
        return "" if self.handle else "Bluesky's search needs an account: set handle"


def collector(options: Options, tools: Tools) -> Collector:
    """Make the reader.

    Raises:
        ConfigError: the app password is not set.
    """
    return Bluesky(options, tools)


class Bluesky:
    """Reads Bluesky. Search answers newest first and is read down to the start of the window."""

    name = NAME

    def __init__(self, options: Options, tools: Tools) -> None:
        self._options = options
        self._password = tools.secrets.need(SECRETS[0], "Bluesky's search asks for an app password")
        self._user_agent = tools.user_agent
        self._clock = tools.clock
        self._leash = Leash(NAME, tools.clock)
        self._counted = 0
        self._client: Client | None = None

    def collect(self, ask: Ask) -> Iterator[Yielded]:
        """Yield what was indexed in the window, each post once; see `collectors.Collector`.

        Raises:
            SourceError: see `monitor.errors`.
        """
        known: set[str] = set()
        names = (*ask.phrases, *(f"#{tag.lstrip('#')}" for tag in ask.tags))
        for name in names[: self._options.most_searches]:
            for item in self._search(name, ask.window):
                if isinstance(item, Mention):
                    if item.native_id in known or item.published not in ask.window:
                        continue
                    known.add(item.native_id)
                yield item

    def recheck(
        self, native_ids: Sequence[str], allowance: Spent | None = None
    ) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Yield each post as it stands now, or `Gone`; what Bluesky leaves out is deleted.

        Raises:
            SourceError: see `monitor.errors`.
        """
        purse = Purse(NAME, allowance, self._clock)
        for start in range(0, len(native_ids), BATCH):
            batch = list(native_ids[start : start + BATCH])
            purse.need(CALL)
            page = self._ask(LOOKUP, models.AppBskyFeedGetPosts.Params(uris=batch))
            yield purse.pay(self._spent())
            answered = {wire.get("uri") for wire in page.posts if isinstance(wire, dict)}
            yield from map(_read, page.posts)
            for native_id in batch:
                if native_id not in answered:
                    yield Gone(source=NAME, native_id=native_id)

    def _search(self, name: str, window: Window) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Yield every page of one search, until a whole page is older than the window."""
        cursor, cursors = None, set[str]()
        for _ in range(MOST_PAGES):
            page = self._ask(
                SEARCH,
                models.AppBskyFeedSearchPosts.Params(
                    q=name,
                    sort="latest",
                    since=window.start.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                    limit=PAGE,
                    cursor=cursor,
                ),
            )
            yield self._spent()
            items = [_read(wire) for wire in page.posts]
            yield from items
            moments = [item.published for item in items if isinstance(item, Mention)]
            cursor = page.cursor
            if not cursor or (moments and max(moments) < window.start):
                return
            if cursor in cursors:
                raise UnexpectedShape(NAME, "the same cursor came twice")
            cursors.add(cursor)
        raise UnexpectedShape(NAME, f"one search does not end after {MOST_PAGES} pages")

    def _ask(self, method: str, params: ParamsModelBase) -> _Page:
        """Ask for one page; where the session is over, sign in once more.

        Raises:
            SourceError: see `monitor.errors`.
        """
        try:
            return self._page(method, params)
        except SessionOver:
            self._client = None
        try:
            return self._page(method, params)
        except SessionOver as error:
            raise AccessRefused(NAME, f"{error.problem}, although we have just signed in") from None

    def _page(self, method: str, params: ParamsModelBase) -> _Page:
        """Ask for one page, signed in."""
        try:
            if self._client is None:
                self._client = self._signed_in()
            return _Page.model_validate(self._client.invoke_query(method, params=params).content)
        except ValidationError as error:
            raise UnexpectedShape(NAME, f"expected posts: {_what_is_wrong(error)}") from None
        except (AtProtocolError, ValueError, RecursionError):
            # from None: these hold the answer, which may be a session
            raise UnexpectedShape(NAME, "the answer is not what Bluesky documents") from None

    def _signed_in(self) -> Client:
        """Return a client with a session; nobody's profile is fetched, not even our own."""
        request = Request(transport=self._leash, timeout=TIMEOUT, trust_env=False)
        request.add_additional_header("User-Agent", self._user_agent)
        request.add_additional_header("Accept-Encoding", "gzip, deflate")
        client = Client(self._options.service, request)
        handle = self._options.handle.removeprefix("@")
        client.login(handle, self._password.get_secret_value(), fetch_bsky_profile=False)
        return client

    def _spent(self) -> Spent:
        """Return what was asked since the last time, signing in included."""
        calls, self._counted = self._leash.calls - self._counted, self._leash.calls
        return Spent(calls=calls)


def _none_is_empty(value: Any) -> Any:  # noqa: ANN401 - whatever the wire holds
    """Read null as an empty list."""
    return [] if value is None else value


class _Label(BaseModel):
    """What an account, or a moderator, says about a post or an account; `neg` takes it back."""

    val: str
    neg: bool = False


Labels = Annotated[list[_Label], BeforeValidator(_none_is_empty)]


class _Author(BaseModel):
    """Who posted, as far as it concerns us: how to link there, and whether outsiders may."""

    handle: str = ""
    labels: Labels = []


class _Parent(BaseModel):
    """The post that is answered."""

    uri: str


class _Reply(BaseModel):
    """Where a post stands in a conversation."""

    parent: _Parent


class _External(BaseModel):
    """A link's card."""

    title: str = ""


class _Embed(BaseModel):
    """What is shown below a post; pictures and videos are not looked at."""

    external: _External | None = None
    media: _Embed | None = None


class _Record(BaseModel):
    """The post as its author wrote it."""

    text: str
    langs: Annotated[list[str], BeforeValidator(_none_is_empty)] = []
    reply: _Reply | None = None
    embed: _Embed | None = None


class _Post(BaseModel):
    """One post. `indexedAt` is the network's clock, `createdAt` whatever the author's program says."""

    uri: str
    indexed_at: AwareDatetime = Field(alias="indexedAt")
    author: _Author
    record: _Record
    labels: Labels = []

    @property
    def for_outsiders(self) -> bool:
        """Whether people who are not signed in may see it."""
        return not any(
            label.val == NOT_FOR_OUTSIDERS and not label.neg for label in (*self.author.labels, *self.labels)
        )

    @property
    def card(self) -> str:
        """The headline of the page it links to, "" if there is none."""
        embed = self.record.embed
        external = embed and (embed.external or (embed.media and embed.media.external))
        return clean(external.title) if external else ""


class _Page(BaseModel):
    """One answer; without a next page there is no cursor."""

    posts: list[Any]
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Address:
    """What the address at://DID/app.bsky.feed.post/RKEY says."""

    did: str
    rkey: str

    @classmethod
    def of(cls, uri: str) -> _Address | None:
        """Return the parts of a post's address, None for any other text (atproto.com/specs/at-uri-scheme)."""
        found = re.fullmatch(
            r"at://(did:[a-z]+:[A-Za-z0-9._:%-]{1,200})/app\.bsky\.feed\.post/([A-Za-z0-9._:~-]{1,512})", uri
        )
        return cls(did=found[1], rkey=found[2]) if found else None


def _read(wire: object) -> Mention | Gone | Malformed:
    """Return one post as a mention; `Gone` if outsiders may not see it, also where we hold it from before."""
    try:
        post = _Post.model_validate(wire)
    except ValidationError as error:
        return Malformed(reason=_what_is_wrong(error))
    address = _Address.of(post.uri)
    if address is None:
        return Malformed(reason="uri: not a post's address")
    if not post.for_outsiders:
        return Gone(source=NAME, native_id=post.uri)
    text = clean(post.record.text) or post.card
    if not text:
        return Malformed(reason="a post without words")
    handle = post.author.handle
    person = handle if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", handle) else address.did
    person = address.did if person == "handle.invalid" else person
    language = post.record.langs[0] if post.record.langs else ""
    return Mention(
        source=NAME,
        native_id=post.uri,
        url=f"https://bsky.app/profile/{person}/post/{address.rkey}",
        text=text,
        published=post.indexed_at,
        title=post.card,
        channel="search",  # the words searched for name the schools: as a channel they would be evidence
        author=address.did,
        language=language if re.fullmatch("[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", language) else "",
        in_reply_to=post.record.reply.parent.uri if post.record.reply else None,
    )


def _what_is_wrong(error: ValidationError) -> str:
    """Return place and kind of the first thing that is wrong, never its content."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'item'}: {first['type']}"
