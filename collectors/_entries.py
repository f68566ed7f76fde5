"""The entries of a feed, whatever its format: RSS and Atom by feedparser, JSON Feed by the json module.

JSON Feed: https://www.jsonfeed.org/version/1.1/
"""

from __future__ import annotations

import html
import json
from calendar import timegm
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin
from xml.sax import SAXException

import feedparser

from collectors._text import alternates
from monitor.addresses import is_web
from monitor.records import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

FEED_TYPES: Final = ("application/rss+xml", "application/atom+xml", "application/feed+json")


class NotAFeed(ValueError):
    """The answer holds no feed; the message is one sentence for a report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry as its feed gave it.

    `title` and `content` are HTML of any quality. Times are zone-aware; `published` never lies ahead: what a
    wrong clock or an embargo dates later was published when we saw it.
    """

    id: str
    link: str
    title: str
    content: str
    published: datetime
    updated: datetime | None
    language: str


def parse(body: bytes, headers: Mapping[str, str], url: str, now: datetime) -> list[Entry | Malformed]:
    """Return the entries of a feed in its own order, and a `Malformed` for each that cannot be read.

    Args:
        body: as it was sent, decompressed.
        headers: the answer's, names in lower case: the charset may stand there.
        url: the feed's own, to complete relative links.
        now: for entries of a feed that dates nothing. Zone-aware.

    Raises:
        NotAFeed: the body is something else, such as an error page.
    """
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _json_feed(body, now)
    return _xml_feed(body, headers, url, now)


def feed_link(body: bytes, headers: Mapping[str, str], url: str) -> str:
    """Return the feed that a page names in `<link rel="alternate">`, "" if it is no page or names none."""
    if "html" not in headers.get("content-type", "") or b"<link" not in body.lower():
        return ""
    targets = (_joined(url, href) for kind, href in alternates(body) if kind in FEED_TYPES)
    return next((target for target in targets if is_web(target)), "")


def _xml_feed(body: bytes, headers: Mapping[str, str], url: str, now: datetime) -> list[Entry | Malformed]:
    """Return the entries of an RSS or Atom feed."""
    told = {"content-location": url, "content-type": headers.get("content-type", "application/xml")}
    found = feedparser.parse(BytesIO(body), response_headers=told)
    if not found.get("version") and not found.entries:
        kind = headers.get("content-type", "no content type").split(";")[0]
        raise NotAFeed(f"expected a feed, got {kind}")
    feed_time = _time(found.feed, "updated") or _time(found.feed, "published") or now
    language = str(found.feed.get("language", ""))
    entries: list[Entry | Malformed] = [
        Entry(
            id=str(entry.get("id", "")),
            link=str(entry.get("link", "")),
            title=str(entry.get("title", "")),
            content=_longest(entry),
            published=min(_time(entry, "published") or _time(entry, "updated") or feed_time, now),
            updated=_time(entry, "updated"),
            language=language,
        )
        for entry in found.entries
    ]
    if isinstance(found.get("bozo_exception"), SAXException):
        entries.append(Malformed(reason="a feed that is not well-formed: entries may be missing"))
    return entries


def _longest(entry: Any) -> str:  # noqa: ANN401 - feedparser's own dictionary
    """Return the fullest of an entry's summary and contents."""
    contents = [str(content.get("value", "")) for content in entry.get("content", [])]
    return max([str(entry.get("summary", "")), *contents], key=len)


def _time(record: Any, name: str) -> datetime | None:  # noqa: ANN401 - feedparser's own dictionary
    """Return a time of a feed or entry, zone-aware; None if it is missing or impossible.

    feedparser gives UTC, and passes "published" off as "updated" where asked by its own `get`.
    """
    parsed = dict.get(record, f"{name}_parsed")
    if parsed is None:
        return None
    try:
        return datetime.fromtimestamp(timegm(parsed), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _json_feed(body: bytes, now: datetime) -> list[Entry | Malformed]:
    """Return the items of a JSON Feed."""
    try:
        feed = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotAFeed("expected a feed, got damaged JSON") from error
    if not isinstance(feed.get("items"), list):
        raise NotAFeed("expected a JSON Feed, got JSON without items")
    language = feed.get("language")
    return [_json_item(item, language if isinstance(language, str) else "", now) for item in feed["items"]]


def _json_item(item: Any, language: str, now: datetime) -> Entry | Malformed:  # noqa: ANN401 - any JSON value
    """Return one item of a JSON Feed."""
    if not isinstance(item, dict):
        return Malformed(reason="an item that is not an object")
    words = {name: value for name, value in item.items() if isinstance(value, str)}
    published, updated = _iso(words.get("date_published")), _iso(words.get("date_modified"))
    summary = html.escape(words.get("content_text") or words.get("summary", ""))
    return Entry(
        id=str(item.get("id", "")) if isinstance(item.get("id"), str | int) else "",
        link=words.get("url", ""),
        title=html.escape(words.get("title", "")),
        content=words.get("content_html") or summary,
        published=min(published or updated or now, now),
        updated=updated,
        language=words.get("language", language),
    )


def _iso(text: str | None) -> datetime | None:
    """Return an RFC 3339 time; None if it is missing, wrong or without a zone."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _joined(base: str, target: str) -> str:
    """Return a link made complete, "" where it cannot be read."""
    try:
        return urljoin(base, target.strip())
    except ValueError:
        return ""
