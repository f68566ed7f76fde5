"""News, blogs, councils and alerts: RSS, Atom and JSON Feed, several feeds in one configuration.

::

    [[sources.feeds.feeds]]
    name = "Example Advertiser"
    url = "https://news.example/rss"

    [[sources.feeds.feeds]]
    name = "Alert for both names"
    kind = "alerts"
    url_secret = "ALERTS_1"       # the address is a secret: MONITOR_ALERTS_1 holds it

A mention's key is its page's canonical address, so an article that stands in two feeds, or is linked with
tracking parameters, is one. Authors and requesters are never taken. One feed that fails does not stop the
others: what they gave is yielded, and the failure is raised at the end.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Self

from pydantic import Field, model_validator

from collectors import SourceOptions, _entries, _looking_back
from collectors._failures import Failure, worst
from collectors._purse import Purse
from collectors._taken_down import again
from collectors._text import clean, excerpt, plain
from monitor.addresses import canonical, is_web, unwrapped
from monitor.errors import AccessRefused, SourceError, UnexpectedShape
from monitor.records import Bookmark, Malformed, Mention, Spent
from monitor.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from collectors import Tools
    from collectors._entries import Entry
    from monitor.http import Answer
    from monitor.records import Ask, Gone, Yielded

NAME: Final = "feeds"
SECRETS: tuple[str, ...] = ()
"""None that every feed needs: each `url_secret` names its own."""


class Feed(Table):
    """One feed.

    Attributes:
        name: as reports print it; also the mention's channel. Two feeds never share one.
        url: of the feed, or of a page that links to its feed.
        url_secret: name of the secret that holds the address instead, "ALERTS_1" for MONITOR_ALERTS_1.
        community: the place it stands for, such as a town's forum; the name where it is not given.
        kind: "alerts" and "whatdotheyknow" feeds are made for their subscriber, who may read them whatever
            robots.txt tells crawlers (alaveteli's own says so); "feed" asks robots.txt first.
    """

    name: str = Field(min_length=1, max_length=100)
    url: str = ""
    url_secret: str = Field(default="", pattern=r"^[A-Z0-9_]*$")
    community: str = ""
    kind: Literal["feed", "alerts", "whatdotheyknow"] = "feed"

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        """Refuse a feed without address, with two, or with one that is not on the web."""
        if bool(self.url) == bool(self.url_secret):
            raise ValueError(f"feed {self.name!r} needs one of url and url_secret")
        if self.url and not is_web(self.url):
            raise ValueError(f"the url of feed {self.name!r} is not an http(s) address")
        return self


class Options(SourceOptions):
    """`[sources.feeds]`.

    Attributes:
        feeds: what is read, in this order.
    """

    feeds: tuple[Feed, ...] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        """Refuse two feeds of one name: their bookmarks and counts would mix."""
        names = [feed.name for feed in self.feeds]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two feeds are called {twice[0]!r}")
        return self

    def missing(self) -> str:
        """Return what must still be configured."""
        return "" if self.feeds else "no feed is configured: add [[sources.feeds.feeds]] with name and url"


def collector(options: Options, tools: Tools) -> Feeds:
    """Make the reader."""
    return Feeds(options, tools)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """Where one feed was left.

    Attributes:
        address: a short hash of the address that the validators belong to.
        since: nothing older is taken: the start of the window of the first complete run.
        etag, modified: validators for the next conditional request, "" if the feed sent none.
    """

    address: str = ""
    since: str = ""
    etag: str = ""
    modified: str = ""

    @classmethod
    def read(cls, value: str) -> _Mark:
        """Return a kept mark; an empty one where none was kept."""
        return cls(**json.loads(value)) if value else cls()

    @property
    def headers(self) -> dict[str, str]:
        """The conditional request."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in asked.items() if value}

    def written(self) -> str:
        """Return what is kept."""
        return json.dumps({"address": self.address, "since": self.since, "etag": self.etag, "modified": self.modified})


class Feeds:
    """Reads the configured feeds one after the other."""

    name = NAME

    def __init__(self, options: Options, tools: Tools) -> None:
        self._feeds = options.feeds
        self._tools = tools

    def collect(self, ask: Ask) -> Iterator[Yielded]:
        """Yield what the feeds hold, feed by feed, oldest entries first; then raise if any feed failed.

        Raises:
            SourceError: the most telling failure, in a sentence that names every feed that failed.
        """
        failures: list[Failure] = []
        for feed in self._feeds:
            try:
                yield from self._read(feed, ask)
            except SourceError as error:
                failures.append(Failure(what=feed.name, error=error))
        if failures:
            raise worst(NAME, failures, of=len(self._feeds), things="feeds", now=self._tools.clock())

    def recheck(
        self, native_ids: Sequence[str], allowance: Spent | None = None
    ) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Ask for the page of each article; see `collectors._taken_down`."""
        clock = self._tools.clock
        yield from again(NAME, native_ids, self._tools.http, clock, Purse(NAME, allowance, clock))

    def _read(self, feed: Feed, ask: Ask) -> Iterator[Yielded]:
        """Yield one feed's entries, then its bookmark."""
        url = self._address(feed)
        mark = _Mark.read(ask.bookmarks.get(feed.name, ""))
        key = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        answer = self._get(feed, url, mark.headers if mark.address == key else {})
        yield Spent(calls=1)
        if answer.not_modified:
            return
        validators = answer.headers
        found = _entries.feed_link(answer.body, answer.headers, answer.url)
        if found:
            answer, validators = self._get(feed, found, {}), {}
            yield Spent(calls=1)
        since = _looking_back.first_visit(ask, mark.since)
        yield from self._mentions(feed, answer, ask, _looking_back.oldest(ask, since))
        kept = _Mark(
            address=key,
            since=since,
            etag=_sendable(validators.get("etag", "")),
            modified=_sendable(validators.get("last-modified", "")),
        )
        yield Bookmark(channel=feed.name, value=kept.written())

    def _address(self, feed: Feed) -> str:
        """Return a feed's address, from the configuration or the environment; never shown in an error."""
        if feed.url:
            return feed.url
        secret = self._tools.secrets.get(feed.url_secret)
        if secret is None:
            raise AccessRefused(NAME, f"its address is a secret that is not set: MONITOR_{feed.url_secret}")
        if not is_web(secret.get_secret_value()):
            raise AccessRefused(NAME, f"MONITOR_{feed.url_secret} does not hold an http(s) address")
        return secret.get_secret_value()

    def _get(self, feed: Feed, url: str, headers: dict[str, str]) -> Answer:
        """Read one address."""
        return self._tools.http.get(url, source=NAME, headers=headers, robots=feed.kind == "feed")

    def _mentions(self, feed: Feed, answer: Answer, ask: Ask, oldest: datetime) -> Iterator[Mention | Malformed]:
        """Yield the entries of one answer as mentions, oldest first."""
        try:
            entries = _entries.parse(answer.body, answer.headers, answer.url, self._tools.clock())
        except _entries.NotAFeed as error:
            raise UnexpectedShape(NAME, str(error)) from error
        for entry in reversed(entries):
            if isinstance(entry, Malformed):
                yield entry
            elif max(entry.published, entry.updated or entry.published) >= oldest:
                yield _mention(feed, entry, (*ask.phrases, *ask.tags))


def _sendable(validator: str) -> str:
    """Return a validator that a header can carry; a strange one must not spoil every later visit."""
    return validator if validator.isascii() and validator.isprintable() else ""


def _mention(feed: Feed, entry: Entry, names: tuple[str, ...]) -> Mention | Malformed:
    """Return one entry as a mention: headline, link, short excerpt, and nobody's name."""
    link = unwrapped(entry.link) if is_web(entry.link) else ""
    key = canonical(link) or entry.id
    title = excerpt(plain(entry.title), names)
    words = plain(entry.content, without=("requester",) if feed.kind == "whatdotheyknow" else ())
    text = excerpt(words, names) or title
    if not key:
        return Malformed(reason="an entry without link and id")
    if not text:
        return Malformed(reason="an entry without words")
    return Mention(
        source=NAME,
        native_id=clean(key),
        url=clean(link),
        text=text,
        title=title,
        published=entry.published,
        edited=entry.updated if entry.updated and entry.updated > entry.published else None,
        community=feed.community or feed.name,
        channel=feed.name,
        language=clean(entry.language),
        raw=f"{title}\n{text}".encode(),
    )
