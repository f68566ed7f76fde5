"""The main text of a web page, by trafilatura, with its title, date and language. Never its author."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import trafilatura

from collectors._text import clean

_TIMES = "//meta[@property='article:published_time' or @itemprop='datePublished' or @name='date']/@content"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What a page says: plain text, and a zone-aware time, None if it tells none."""

    title: str
    text: str
    language: str
    published: datetime | None


def article(body: str, url: str) -> Article:
    """Return the main text of a page; "" where it has none.

    Args:
        body: decoded HTML of any quality.
        url: where it stood.
    """
    tree = trafilatura.load_html(body)
    if tree is None:
        return Article(title="", text=clean(body), language="", published=None)
    times = [time for told in tree.xpath(_TIMES) if (time := _zoned(str(told)))]
    language = str(tree.get("lang") or "")
    found = trafilatura.bare_extraction(tree, url=url, include_comments=False, with_metadata=True)
    if found is None or isinstance(found, dict) or not found.text:
        _, text, _ = trafilatura.baseline(body)
        title, day = tree.findtext(".//title") or "", None
    else:
        text, title, day = found.text, found.title or "", found.date
    title, text = clean(title), clean(text)
    published = times[0] if times else _zoned(f"{day}T00:00:00+00:00" if day else "")
    words = text.removeprefix(title).strip() or text
    return Article(title=title, text=words, language=clean(language), published=published)


def _zoned(text: str) -> datetime | None:
    """Return an ISO 8601 time with a zone; None for anything else."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def zoned_or_day(text: str) -> datetime | None:
    """Return a sitemap's lastmod: a time with a zone, or the beginning of a day in UTC."""
    return _zoned(text) or _zoned(f"{text.strip()}T00:00:00+00:00")


def http_time(text: str) -> datetime | None:
    """Return the time of a Last-Modified header."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
