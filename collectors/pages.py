"""Public web pages named in the configuration: single pages, listings of news, and sitemaps.

::

    [sources.pages]
    pages = ["https://village.example/notices"]
    sitemaps = ["https://parish.example/sitemap.xml"]

    [[sources.pages.listings]]
    url = "https://village.example/news"
    follow = "/news/*"

A crawl is a child process (`python -m collectors._spider`) with a time and a memory limit: whatever a page
does to the parser, the monitor goes on. robots.txt is obeyed, media are never downloaded, links are followed
on the named hosts only. A page that has not changed since the last complete run is not yielded again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from collectors import SourceOptions, _looking_back
from collectors._crawl import LINES, Done, Failed, Listing, Order, Page, Unread, key
from collectors._failures import Failure, worst
from collectors._purse import Purse
from collectors._taken_down import again
from monitor.addresses import canonical, is_web
from monitor.errors import AccessRefused, RateLimited, SourceError, UnexpectedShape, Unreachable
from monitor.records import Bookmark, Malformed, Mention, Spent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collectors import Tools
    from monitor.records import Ask, Gone, Yielded

NAME: Final = "pages"
SECRETS: tuple[str, ...] = ()

GRACE_SECONDS: Final = 15
"""After its own time limit the child has this long to end before it is killed."""

PASSED_ON: Final = ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP")
"""The only environment the child gets: no secrets, no proxies, no settings."""


class Options(SourceOptions):
    """`[sources.pages]`.

    Attributes:
        pages: single pages, each watched for changes.
        listings: pages that list others, with which of their links are read.
        sitemaps: sitemaps or indexes of them, plain or compressed.
        max_pages: the most pages read from one listing or sitemap in one run; what lies beyond is counted.
        max_depth: how many links deep a listing is followed.
        seconds: how long a run may take.
        pause_seconds: between two requests to one host; slow hosts get longer pauses by themselves.
    """

    pages: tuple[str, ...] = ()
    listings: tuple[Listing, ...] = ()
    sitemaps: tuple[str, ...] = ()
    max_pages: int = Field(default=100, ge=1, le=1000)
    max_depth: int = Field(default=1, ge=1, le=5)
    seconds: float = Field(default=300, gt=0, le=3600)
    pause_seconds: float = Field(default=1, ge=0, le=60)

    @model_validator(mode="after")
    def _web_addresses_once(self) -> Self:
        """Refuse an address that is not on the web, or that stands twice."""
        for number, url in enumerate(self.entries):
            if not is_web(url):
                raise ValueError(f"{url!r} is not an http(s) address")
            if url in self.entries[:number]:
                raise ValueError(f"{url!r} stands twice")
        return self

    @property
    def entries(self) -> tuple[str, ...]:
        """Every configured address: each has a bookmark of its own."""
        return (*self.pages, *(listing.url for listing in self.listings), *self.sitemaps)

    def missing(self) -> str:
        """Return what must still be configured."""
        return "" if self.entries else "no page is configured: add pages, listings or sitemaps"


def collector(options: Options, tools: Tools) -> Pages:
    """Make the reader."""
    return Pages(options, tools)


class Pages:
    """Reads the configured pages in a child process."""

    name = NAME

    def __init__(self, options: Options, tools: Tools) -> None:
        self._options = options
        self._tools = tools

    def collect(self, ask: Ask) -> Iterator[Yielded]:
        """Yield pages that are new or changed, as they are read; then raise if any entry failed.

        Raises:
            SourceError: the most telling failure, in a sentence that names every entry that failed.
        """
        kept = {entry: json.loads(ask.bookmarks.get(entry, "{}")) for entry in self._options.entries}
        since = {entry: _looking_back.first_visit(ask, bookmark.get("since", "")) for entry, bookmark in kept.items()}
        order = self._order(ask, kept, min(since.values()))
        marks: dict[str, dict[str, str]] = {entry: {} for entry in self._options.entries}
        failures: list[Failure] = []
        done: Done | None = None
        with _child(order) as lines:
            for line in lines:
                match line:
                    case Page():
                        marks[line.entry][key(line.url)] = line.mark
                        if line.text:
                            yield self._mention(line)
                    case Unread():
                        yield Malformed(reason=line.reason)
                    case Failed():
                        failures.append(Failure(what=line.entry, error=_error(line, order)))
                    case Done():
                        done = line
                        yield Spent(calls=line.calls)
        if done is None or not done.in_time:
            raise Unreachable(NAME, f"not complete after {self._options.seconds:g} s: the visit was ended")
        for entry, pages in marks.items():
            yield Bookmark(channel=entry, value=json.dumps({"since": since[entry], "pages": pages}))
        if failures:
            of = len(self._options.entries)
            raise worst(NAME, failures, of=of, things="addresses", now=self._tools.clock())

    def recheck(
        self, native_ids: Sequence[str], allowance: Spent | None = None
    ) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Ask for each page; see `collectors._taken_down`. What it says now is read by the next crawl."""
        clock = self._tools.clock
        yield from again(NAME, native_ids, self._tools.http, clock, Purse(NAME, allowance, clock))

    def _order(self, ask: Ask, kept: dict[str, Any], since: str) -> Order:
        """Return what the child is to do."""
        options = self._options
        return Order(
            pages=options.pages,
            listings=options.listings,
            sitemaps=options.sitemaps,
            max_pages=options.max_pages,
            max_depth=options.max_depth,
            seconds=options.seconds,
            pause_seconds=options.pause_seconds,
            oldest=_looking_back.oldest(ask, since),
            now=self._tools.clock(),
            known={name: mark for bookmark in kept.values() for name, mark in bookmark.get("pages", {}).items()},
            names=(*ask.phrases, *ask.tags),
            reading=self._tools.http.reading,
            federation=self._tools.http.federation,
        )

    def _mention(self, page: Page) -> Mention:
        """Return a page as a mention: headline, link and short excerpt."""
        now = self._tools.clock()
        return Mention(
            source=NAME,
            native_id=canonical(page.url),
            url=page.url,
            text=page.text,
            title=page.title,
            published=min(page.published or now, now),
            edited=now if page.changed else None,
            community=urlsplit(page.url).netloc,
            channel=page.entry,
            language=page.language,
            raw=f"{page.title}\n{page.text}".encode(),
        )


@contextmanager
def _child(order: Order, grace: float = GRACE_SECONDS) -> Iterator[Iterator[Page | Unread | Failed | Done]]:
    """Give the lines of a child that works through an order; it never outlives the block.

    Args:
        order: what to do, and for how long.
        grace: seconds after that time until it is killed.

    Raises:
        Unreachable: it broke down.
    """
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parent.parent)
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            [sys.executable, "-P", "-m", "collectors._spider"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=environment,
        ) as child,
    ):
        clock = threading.Timer(order.seconds + grace, child.kill)
        clock.start()
        try:
            yield _lines(child, order)
            if child.wait() and clock.is_alive():
                raise Unreachable(NAME, f"the visit broke down: {_last_line(complaints)}")
        finally:
            clock.cancel()
            child.kill()


def _lines(child: subprocess.Popen[bytes], order: Order) -> Iterator[Page | Unread | Failed | Done]:
    """Give the child its order, then give its lines."""
    assert child.stdin is not None  # noqa: S101 - both are pipes
    assert child.stdout is not None  # noqa: S101
    with suppress(BrokenPipeError):  # a child that died at once tells so by its exit status
        child.stdin.write(order.model_dump_json().encode())
        child.stdin.close()
    for line in child.stdout:
        if line.endswith(b"\n"):  # a killed child may leave half a line
            yield LINES.validate_json(line)


def _last_line(complaints: IO[bytes]) -> str:
    """Return the last line that the child wrote to its standard error, for a report."""
    complaints.seek(0)
    words = complaints.read().decode("utf-8", "replace").strip().splitlines()
    return words[-1][:200] if words else "it said nothing"


def _error(line: Failed, order: Order) -> SourceError:
    """Return the error that the child met."""
    match line.trouble:
        case "rate_limited":
            return RateLimited(NAME, line.problem, retry_at=line.retry_at or order.now)
        case "access_refused":
            return AccessRefused(NAME, line.problem)
        case "unexpected_shape":
            return UnexpectedShape(NAME, line.problem)
        case "unreachable":
            return Unreachable(NAME, line.problem)
