"""What the parent and the child of a crawl tell each other: one order in, JSON lines out.

The parent is `collectors.pages`, the child `collectors._spider`. Nothing heavy is imported here.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter

from monitor.addresses import canonical
from monitor.settings import Federation, Reading
from monitor.tables import Table

Trouble = Literal["rate_limited", "access_refused", "unexpected_shape", "unreachable"]
"""`SourceError.kind` of what a crawl can meet."""


class Listing(Table):
    """A page that lists others.

    Attributes:
        url: of the listing.
        follow: which of its links are read: a path with "*" for anything ("/news/*"), or a CSS selector of
            the part of the page that holds them ("ul.news"). Never another host's.
    """

    url: str
    follow: str = Field(min_length=1)


class Order(Table):
    """What the child is to read.

    Attributes:
        pages, listings, sitemaps: entries of the configuration.
        max_pages: the most pages read from one listing or sitemap.
        max_depth: how many links deep a listing is followed.
        seconds: after these the child stops by itself.
        pause_seconds: between two requests to one host.
        oldest: linked pages that say they are older are left alone. Zone-aware.
        now: the parent's clock when it gave the order. Zone-aware.
        known: `key` of each page -> mark, as the last complete run left them.
        names: what excerpts look for.
        reading, federation: what the polite client needs.
    """

    pages: tuple[str, ...]
    listings: tuple[Listing, ...]
    sitemaps: tuple[str, ...]
    max_pages: int
    max_depth: int
    seconds: float
    pause_seconds: float
    oldest: datetime
    now: datetime
    known: dict[str, str]
    names: tuple[str, ...]
    reading: Reading
    federation: Federation


class Page(Table):
    """A page that was read: `text` is an excerpt, "" where it has not changed since `known` or is too old.

    Attributes:
        entry: the configured address that led to it.
        url: its own, after redirects.
        mark: for the next order's `known`.
        changed: whether an earlier state of it was known.
    """

    kind: Literal["page"] = "page"
    entry: str
    url: str
    mark: str
    title: str = ""
    text: str = ""
    language: str = ""
    published: datetime | None = None
    changed: bool = False


class Unread(Table):
    """One linked page that could not be read, and why; the rest goes on."""

    kind: Literal["unread"] = "unread"
    reason: str


class Failed(Table):
    """A configured entry that could not be read as it should."""

    kind: Literal["failed"] = "failed"
    entry: str
    trouble: Trouble
    problem: str
    retry_at: datetime | None = None


class Done(Table):
    """The child's last line; without it the crawl broke off.

    Attributes:
        calls: requests made.
        in_time: whether everything was read before `seconds` were over.
    """

    kind: Literal["done"] = "done"
    calls: int
    in_time: bool


Line = Annotated[Page | Unread | Failed | Done, Field(discriminator="kind")]
LINES: Final[TypeAdapter[Page | Unread | Failed | Done]] = TypeAdapter(Line)
"""Reads one line of the child."""


def key(url: str) -> str:
    """Return under what a page's mark is kept: a short hash of its canonical address."""
    return hashlib.sha256(canonical(url).encode("utf-8", "replace")).hexdigest()[:16]
