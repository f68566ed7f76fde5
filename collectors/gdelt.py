"""GDELT: headlines of the world's online press in which a school's name stands, one question a run.

DOC 2.0 API in mode ArtList (blog.gdeltproject.org/gdelt-doc-2-0-api-debuts). GDELT wants five seconds between two
questions and a collector never waits, so a run asks one: all names joined with OR, and where they do not fit into
one query, the one that was not asked for longest. GDELT has no text of the articles; the headline is all there is.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ValidationError

from collectors import SourceOptions
from collectors._looking_back import LONGEST
from collectors._packing import first_fit, quoted
from collectors._purse import Purse
from collectors._taken_down import again
from collectors._text import clean, plain
from collectors._vendor import BaseAddress
from monitor.addresses import canonical, is_web
from monitor.errors import RateLimited, UnexpectedShape
from monitor.http import retry_at
from monitor.records import Bookmark, Malformed, Mention, Spent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collectors import Collector, Tools
    from monitor.http import Answer
    from monitor.records import Ask, Gone, Yielded

NAME: Final = "gdelt"
SECRETS: tuple[str, ...] = ()
PATH: Final = "/api/v2/doc/doc"
MOST: Final = 250
"""The most articles an answer holds; there are no pages."""
LONGEST_QUERY: Final = 250
COUNTRY: Final = "sourcecountry:UK"
SHORTEST: Final = timedelta(minutes=15)
"""The shortest span that GDELT accepts."""
LANGUAGES: Final = {"English": "en", "Welsh": "cy"}


class Options(SourceOptions):
    """`[sources.gdelt]`.

    Attributes:
        api_url: the API's base address.
    """

    api_url: BaseAddress = "https://api.gdeltproject.org"


def collector(options: Options, tools: Tools) -> Collector:
    """Make the reader."""
    return Gdelt(options, tools)


class Gdelt:
    """Reads GDELT. Each query's bookmark is the moment up to which it was read."""

    name = NAME

    def __init__(self, options: Options, tools: Tools) -> None:
        self._url = options.api_url + PATH
        self._http = tools.http
        self._clock = tools.clock

    def collect(self, ask: Ask) -> Iterator[Yielded]:
        """Yield what GDELT saw since the query was last asked; see `collectors.Collector`.

        An answer that is full holds the oldest articles; its bookmark stands at the newest of them, and the next run
        goes on from there.

        Raises:
            SourceError: see `monitor.errors`.
        """
        queries = packed(ask.phrases)
        if not queries:
            return
        query = min(queries, key=lambda query: ask.bookmarks.get(query, ""))
        start = _start(ask, ask.bookmarks.get(query, ""))
        answer = self._http.get(self._url, source=NAME, params=_params(query, start, ask.window.end))
        yield Spent(calls=1)
        articles = self._articles(answer)
        newest = ask.window.end
        for wire in articles:
            item = _read(wire)
            yield item
            if isinstance(item, Mention) and len(articles) >= MOST:
                newest = item.published
        if len(articles) >= MOST:
            yield Malformed(reason="an answer was full: the newest articles come with the next run")
        yield Bookmark(channel=query, value=newest.isoformat())

    def recheck(
        self, native_ids: Sequence[str], allowance: Spent | None = None
    ) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Ask for the page of each article; see `collectors._taken_down`. GDELT itself is not asked."""
        yield from again(NAME, native_ids, self._http, self._clock, Purse(NAME, allowance, self._clock))

    def _articles(self, answer: Answer) -> list[Any]:
        """Return the articles of an answer; errors come as plain text, often with status 200.

        Raises:
            RateLimited, UnexpectedShape: see `monitor.errors`.
        """
        try:
            content = _Page.model_validate(_repaired(answer.body))
        except ValidationError:
            raise UnexpectedShape(NAME, "the answer is not what GDELT documents") from None
        except (ValueError, RecursionError):
            words = clean(answer.body[:500].decode("utf-8", "replace"))
            if "limit requests" in words.lower():
                wait = retry_at(answer.headers, self._clock())
                raise RateLimited(NAME, "GDELT asks us to wait", retry_at=wait) from None
            told = "a web page" if words.startswith("<") else repr(words[:100])
            raise UnexpectedShape(NAME, f"expected JSON, got {told}") from None
        return content.articles


def packed(phrases: tuple[str, ...]) -> tuple[str, ...]:
    """Return the fewest queries, by first fit, that ask for every phrase once in the British press.

    GDELT refuses quotation marks around a single word ("The specified phrase is too short.") and alternatives
    without brackets around them ("Queries containing OR'd terms must be surrounded by ().").

    Raises:
        ConfigError: a single phrase does not fit.
    """
    terms = (term if " " in term else term.strip('"') for term in quoted(phrases))
    fitting = first_fit(terms, room=LONGEST_QUERY - len(f"() {COUNTRY}"))
    return tuple(f"({terms}) {COUNTRY}" if " OR " in terms else f"{terms} {COUNTRY}" for terms in fitting)


def _start(ask: Ask, mark: str) -> datetime:
    """Return from when on to ask: the window, or where the query was left, but never more than 30 days back."""
    try:
        left = datetime.fromisoformat(mark) if mark else ask.window.start
    except ValueError:
        left = ask.window.start
    left = left if left.tzinfo else left.replace(tzinfo=UTC)
    earliest = max(min(ask.window.start, left), ask.window.end - LONGEST)
    return min(earliest, ask.window.end - SHORTEST)


def _params(query: str, start: datetime, end: datetime) -> dict[str, str | int]:
    """Return the question."""
    return {
        "query": query,
        "mode": "artlist",
        "format": "json",
        "maxrecords": MOST,
        "sort": "dateasc",
        "startdatetime": f"{start:%Y%m%d%H%M%S}",
        "enddatetime": f"{end:%Y%m%d%H%M%S}",
    }


def _repaired(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    r"""Return an answer as JSON; GDELT leaves control characters and lone backslashes in headlines.

    Raises:
        ValueError: it is no JSON.
    """
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text, strict=False)
    except ValueError:
        if not text.lstrip().startswith("{"):
            raise
        return json.loads(re.sub(r'\\(?!["\\/bfnrtu])', r"\\\\", text), strict=False)


def _moment(value: object) -> datetime:
    """Read GDELT's times, 20261122T194500Z."""
    return datetime.strptime(str(value), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _web(value: str) -> str:
    """Accept an http(s) address."""
    if not is_web(value):
        raise ValueError("not a web address")
    return value


class _Article(BaseModel):
    """One article, as far as it concerns us."""

    url: Annotated[str, AfterValidator(_web)]
    title: str
    seendate: Annotated[datetime, BeforeValidator(_moment)]
    domain: str = ""
    language: str = ""


class _Page(BaseModel):
    """One answer; where nothing was found it is empty."""

    articles: list[Any] = []


def _read(wire: object) -> Mention | Malformed:
    """Return one article as a mention."""
    try:
        article = _Article.model_validate(wire)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return Malformed(reason=f"{'.'.join(map(str, first['loc'])) or 'item'}: {first['type']}")
    title = plain(article.title)
    if not title:
        return Malformed(reason="an article without a headline")
    return Mention(
        source=NAME,
        native_id=clean(canonical(article.url)),
        url=clean(article.url),
        text=title,
        title=title,
        published=article.seendate,
        community=clean(article.domain),
        channel="search",  # the query names the schools: as a channel it would be evidence
        language=LANGUAGES.get(article.language, ""),
        raw=title.encode(),
    )
