"""GDELT's DOC 2.0 API as it speaks, with invented headlines.

::

    town = Gdelt([Article(path="/a", title="Boroughbridge High wins", seen=an_hour_ago)])
    with Server(town.routes) as server:
        ...                                    # api_url = server.url
        server.play(rate_limited(), at=SEARCH)
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from monitor.rehearsal.server import Reply, Request, json_reply, status, text_reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.rehearsal.server import Fault, Route

SEARCH: Final = "/api/v2/doc/doc"
MOST: Final = 250
PATIENCE: Final = "Please limit requests to one every 5 seconds or contact the operator for larger queries."


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An invented article.

    Attributes:
        path: of its page.
        seen: when GDELT saw it, zone-aware; whole seconds.
        body: what the article says, which GDELT searches and never shows.
        site: where the page stands; https at its domain if "".
    """

    path: str
    title: str
    seen: datetime
    body: str = ""
    domain: str = "courier.example"
    language: str = "English"
    site: str = ""


@dataclass(slots=True)
class Gdelt:
    """A small GDELT. Change `articles` at any time."""

    articles: list[Article] = field(default_factory=list)

    @property
    def routes(self) -> Mapping[str, Route]:
        """What to serve."""
        return {SEARCH: self.search}

    def search(self, request: Request, /) -> Reply:
        """Answer a search for phrases, oldest first."""
        query = request.query
        terms = query["query"].removesuffix(" sourcecountry:UK")
        if " OR " in terms and not terms.startswith("("):
            return text_reply("Queries containing OR'd terms must be surrounded by ().\n", kind="text/html")
        phrases = [phrase or word for phrase, word in re.findall(r'"([^"]+)"|([^\s()"]+)', terms)]
        if any(phrase.count(" ") == 0 for phrase in re.findall(r'"([^"]+)"', terms)):
            return text_reply("The specified phrase is too short.\n", kind="text/html")
        start, end = (_moment(query[name], "%Y%m%d%H%M%S") for name in ("startdatetime", "enddatetime"))
        found = [
            article
            for article in sorted(self.articles, key=lambda article: article.seen)
            if start <= article.seen <= end
            and any(phrase.lower() in f"{article.title} {article.body}".lower() for phrase in phrases)
        ]
        shown = [wire(article) for article in found[: min(MOST, int(query["maxrecords"]))]]
        return json_reply({"articles": shown} if shown else {})


def wire(article: Article) -> dict[str, Any]:
    """Return an article as it goes over the wire."""
    return {
        "url": f"{article.site or f'https://{article.domain}'}{article.path}",
        "url_mobile": "",
        "title": article.title,
        "seendate": article.seen.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ"),
        "socialimage": "",
        "domain": article.domain,
        "language": article.language,
        "sourcecountry": "United Kingdom",
    }


def rate_limited() -> Fault:
    """Answer 429 as GDELT does: in plain words, and without a time."""
    return status(429, {"Content-Type": "text/plain"}, PATIENCE.encode())


def rate_limited_with_status_200() -> Fault:
    """Ask for patience in plain words and with status 200."""
    return lambda _request, _reply: text_reply(PATIENCE, kind="text/html")


def refused_in_words(words: str = "Your query was too short or too long.") -> Fault:
    """Refuse the query in plain words and with status 200."""
    return lambda _request, _reply: text_reply(f"{words}\n", kind="text/html")


def careless_json() -> Fault:
    """Leave a tab and a lone backslash inside the headlines, as GDELT does."""

    def spoilt(_request: Request, reply: Reply) -> Reply:
        return replace(reply, body=reply.whole().replace(b"Boroughbridge", b"Borough\tbridge \\& "))

    return spoilt


def malformed_item() -> Fault:
    """Put an article without an address, one without a date and something that is no article beside the good."""

    def spoilt(_request: Request, reply: Reply) -> Reply:
        content = json.loads(reply.whole())
        good = content["articles"][0]
        bad: list[Any] = [{**good, "url": "javascript:alert(1)"}, {**good, "seendate": "today"}, "not an article"]
        return replace(reply, body=json.dumps({"articles": [*bad, *content["articles"]]}).encode())

    return spoilt


def _moment(text: str, form: str) -> datetime:
    """Read a time of the query."""
    return datetime.strptime(text, form).replace(tzinfo=UTC)
