"""Mastodon: what stands under the schools' hashtags on chosen instances, through Mastodon.py, without an account.

REST API `/api/v1/timelines/tag/TAG` and, for the re-check, `/api/v1/statuses/ID` (docs.joinmastodon.org). Each
instance is first asked what it shows to outsiders (`timelines_access` in `/api/v2/instance`, since 4.5). Only
public posts are taken, and none of people who ask not to be indexed.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any, Final, ParamSpec, TypeVar
from urllib.parse import urlsplit

from mastodon import Mastodon as Library
from mastodon.errors import MastodonError
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field, ValidationError

from collectors import SourceOptions
from collectors._failures import Failure, worst
from collectors._purse import Purse
from collectors._text import clean, plain
from collectors._vendor import READ_SECONDS, BaseAddress, leashed
from monitor.addresses import is_web
from monitor.errors import AccessRefused, QuotaSpent, RateLimited, SourceError, UnexpectedShape
from monitor.http import retry_at, status_error
from monitor.records import Gone, Malformed, Mention, Spent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from collectors import Collector, Tools
    from monitor.records import Ask, Window, Yielded

    Asked = ParamSpec("Asked")
    Answer = TypeVar("Answer")

NAME: Final = "mastodon"
SECRETS: tuple[str, ...] = ()
"""None: what an instance shows to its members alone is not for us."""
CALL: Final = Spent(calls=1)
PAGE: Final = 40
MOST_PAGES: Final = 50


def _once(values: tuple[str, ...]) -> tuple[str, ...]:
    """Drop what is named twice."""
    return tuple(dict.fromkeys(values))


class Options(SourceOptions):
    """`[sources.mastodon]`.

    Attributes:
        instances: base addresses of the instances that are read, "https://mastodon.example"; where a post
            stands on several, the first one's copy is taken.
    """

    instances: Annotated[tuple[BaseAddress, ...], AfterValidator(_once)] = ()

    def missing(self) -> str:
        """Return what must still be configured."""
        return "" if self.instances else "no instance is chosen: name one or two in instances"


def collector(options: Options, tools: Tools) -> Collector:
    """Make the reader."""
    return Mastodon(options, tools)


class Mastodon:
    """Reads Mastodon. Timelines come newest first and are read down to the start of the window.

    A post's key is "HOST/ID": an id holds on the instance that gave it, and there it is asked for again.
    """

    name = NAME

    def __init__(self, options: Options, tools: Tools) -> None:
        self._clock = tools.clock
        self._instances = {
            urlsplit(base).netloc: Library(
                api_base_url=base,
                user_agent=tools.user_agent,
                session=leashed(NAME, tools.clock, _refused),
                ratelimit_method="throw",
                request_timeout=READ_SECONDS,
            )
            for base in options.instances
        }

    def collect(self, ask: Ask) -> Iterator[Yielded]:
        """Yield what was published in the window, each post once; see `collectors.Collector`.

        An instance that cannot be read does not keep us from the others; the error at the end names it.

        Raises:
            SourceError: see `monitor.errors`.
        """
        known: set[str] = set()
        failures: list[Failure] = []
        for host, instance in self._instances.items():
            try:
                yield from self._timelines(host, instance, ask, known)
            except SourceError as error:
                failures.append(Failure(what=host, error=_plainly(error)))
        if failures:
            raise self._failed(failures, of=len(self._instances))

    def recheck(
        self, native_ids: Sequence[str], allowance: Spent | None = None
    ) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Yield each post as it stands now on the instance that showed it, or `Gone`.

        Raises:
            SourceError: see `monitor.errors`.
        """
        purse = Purse(NAME, allowance, self._clock)
        failures: list[Failure] = []
        hosts = 0
        for host, keys in groupby(sorted(native_ids), key=lambda key: key.partition("/")[0]):
            hosts += 1
            instance = self._instances.get(host)
            if instance is None:
                for _ in keys:
                    yield Malformed(reason="asked for again, and its instance is no longer chosen")
                continue
            try:
                for key in keys:
                    purse.need(CALL)
                    yield from self._again(host, instance, key)
                    yield purse.pay(CALL)
            except QuotaSpent:
                raise
            except SourceError as error:
                failures.append(Failure(what=host, error=_plainly(error)))
        if failures:
            raise self._failed(failures, of=hosts)

    def _failed(self, failures: Sequence[Failure], of: int) -> SourceError:
        """Return the error for instances that could not be read."""
        return worst(NAME, failures, of=of, things="instances", now=self._clock())

    def _again(self, host: str, instance: Library, key: str) -> Iterator[Mention | Gone | Malformed]:
        """Ask for one post."""
        try:
            wire = _asked(instance.status, key.partition("/")[2])
        except _NotThere:
            yield Gone(source=NAME, native_id=key)
        else:
            yield _read(wire, host)[1]

    def _timelines(
        self, host: str, instance: Library, ask: Ask, known: set[str]
    ) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Yield what one instance shows; `known` holds the posts' network-wide ids, and grows."""
        scope = _open_to_us(instance, host)
        yield Spent(calls=2)  # before its first timeline the library looks for itself as well
        for tag in ask.tags:
            for uri, item in self._timeline(host, instance, tag.lstrip("#"), scope, ask.window):
                if isinstance(item, Mention):
                    if uri in known or item.published not in ask.window:
                        continue
                    known.add(uri)
                yield item

    def _timeline(
        self, host: str, instance: Library, tag: str, scope: Mapping[str, bool], window: Window
    ) -> Iterator[tuple[str, Mention | Gone | Malformed | Spent]]:
        """Yield one hashtag's posts with their network-wide ids, until a whole page is older than the window."""
        cursor, cursors = None, set[str]()
        for _ in range(MOST_PAGES):
            page = _asked(instance.timeline_hashtag, tag, max_id=cursor, limit=PAGE, **scope)
            if not isinstance(page, list) or (page and not any(isinstance(wire, dict) for wire in page)):
                # the library makes a list out of anything
                raise UnexpectedShape(NAME, "expected a list of posts")
            yield "", CALL
            items = [_read(wire, host) for wire in page]
            yield from items
            moments = [item.published for _, item in items if isinstance(item, Mention)]
            cursor = (getattr(page, "_pagination_next", None) or {}).get("max_id")
            if cursor is None or (moments and max(moments) < window.start):
                return
            if str(cursor) in cursors:
                raise UnexpectedShape(NAME, "the same cursor came twice")
            cursors.add(str(cursor))
        raise UnexpectedShape(NAME, f"one hashtag does not end after {MOST_PAGES} pages")


class _NotThere(UnexpectedShape):
    """404 or 410: for a post the word that it is gone, for everything else a wrong answer."""


def _refused(status: int, headers: Mapping[str, str], host: str, now: datetime) -> SourceError:
    """Return what Mastodon means by a status; its 429 names the moment at which the limit ends."""
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return _NotThere(NAME, f"{host} answers {status}")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = retry_at(_reset(headers, now), now)
        return RateLimited(NAME, f"{host} asks us to wait", retry_at=wait)
    return status_error(NAME, status, headers, host, now)


def _reset(headers: Mapping[str, str], now: datetime) -> Mapping[str, str]:
    """Return the wait that `X-RateLimit-Reset` (ISO 8601) names, as Retry-After."""
    try:
        reset = datetime.fromisoformat(headers.get("x-ratelimit-reset", ""))
    except ValueError:
        return headers
    moment = reset if reset.tzinfo else reset.replace(tzinfo=UTC)
    return {"retry-after": str(max(round((moment - now).total_seconds()), 0))}


def _asked(question: Callable[Asked, Answer], *args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
    """Ask a question of the library and return its answer, or raise our error for the library's.

    Raises:
        SourceError: see `monitor.errors`.
    """
    try:
        return question(*args, **kwargs)
    except _TRIPPED as error:
        # from None: the library's errors quote the whole answer
        raise _told(error) from None


_TRIPPED: Final = (MastodonError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What the library raises, and what it trips over when an answer is strange."""


def _told(error: BaseException) -> SourceError:
    """Return the error of ours that the library has wrapped, or say that it could not read the answer."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, SourceError):
            return inner
        inner = inner.__cause__ or inner.__context__
    return UnexpectedShape(NAME, "the answer is not what Mastodon documents")


def _open_to_us(instance: Library, host: str) -> dict[str, bool]:
    """Return which half of a hashtag's timeline to ask for, nothing for both.

    Raises:
        AccessRefused: the instance shows hashtags to its own members only, or to nobody.
        SourceError: see `monitor.errors`.
    """
    try:
        told = _Instance.model_validate(_asked(instance.instance_v2))
    except ValidationError as error:
        raise UnexpectedShape(NAME, f"expected an instance: {_what_is_wrong(error)}") from None
    access = told.configuration.timelines_access
    if access is None:
        return {}  # before 4.5 an instance does not say, and answers 401 where it must not be asked
    feeds = access.hashtag_feeds
    shown = [scope for scope, who in (("local", feeds.local), ("remote", feeds.remote)) if who == "public"]
    if not shown:
        raise AccessRefused(NAME, f"{host} shows hashtags to its own members only")
    return {} if len(shown) == 2 else {shown[0]: True}  # noqa: PLR2004 - both halves


def _plainly(error: SourceError) -> SourceError:
    """Return the error, without the meaning that 404 has for a post."""
    return UnexpectedShape(error.source, error.problem) if isinstance(error, _NotThere) else error


class _Feeds(BaseModel):
    """Who may see an instance's own posts under a hashtag, and those of others."""

    local: str
    remote: str


class _Access(BaseModel):
    """Who may see which timelines."""

    hashtag_feeds: _Feeds


class _Configuration(BaseModel):
    """What an instance allows."""

    timelines_access: _Access | None = None


class _Instance(BaseModel):
    """What an instance says of itself."""

    configuration: _Configuration


class _Account(BaseModel):
    """Who posted, as far as it concerns us; both wishes are unset on old instances."""

    acct: str = ""
    indexable: bool | None = None
    noindex: bool | None = None


class _Status(BaseModel):
    """One post; `content` is HTML, `spoiler_text` a content warning in plain text."""

    id: Annotated[str, BeforeValidator(str), Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    uri: str = Field(min_length=1)
    url: str | None = None
    created_at: AwareDatetime
    edited_at: AwareDatetime | None = None
    visibility: str
    content: str
    spoiler_text: str | None = None
    language: str | None = None
    in_reply_to_id: Annotated[str | None, BeforeValidator(lambda value: value and str(value))] = None
    account: _Account

    @property
    def for_us(self) -> bool:
        """Whether it is public and its author lets it be indexed."""
        return self.visibility == "public" and not self.account.noindex and self.account.indexable is not False


def _read(wire: Any, host: str) -> tuple[str, Mention | Gone | Malformed]:  # noqa: ANN401 - whatever came
    """Return a post's network-wide id and the post; `Gone` if it is not for us, also where we hold it already."""
    try:
        status = _Status.model_validate(wire)
    except ValidationError as error:
        return "", Malformed(reason=_what_is_wrong(error))
    key = f"{host}/{status.id}"
    if not status.for_us:
        return status.uri, Gone(source=NAME, native_id=key)
    title = clean(status.spoiler_text or "")
    text = plain(status.content) or title
    if not text:
        return status.uri, Malformed(reason="a post without words")
    acct, language = status.account.acct, status.language or ""
    return status.uri, Mention(
        source=NAME,
        native_id=key,
        url=status.url if status.url and is_web(status.url) else "",
        text=text,
        published=status.created_at,
        title=title,
        channel=host,  # not the hashtag: it names the school, and as a channel it would be evidence
        author=acct if "@" in acct or not acct else f"{acct}@{host}",
        language=language if re.fullmatch("[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", language) else "",
        in_reply_to=f"{host}/{status.in_reply_to_id}" if status.in_reply_to_id else None,
        edited=status.edited_at,
    )


def _what_is_wrong(error: ValidationError) -> str:
    """Return place and kind of the first thing that is wrong, never its content."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'item'}: {first['type']}"
