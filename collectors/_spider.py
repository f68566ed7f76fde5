"""The child process of `collectors.pages`: reads an order from standard input, writes JSON lines.

Scrapy keeps the queue, the depth, the pace and the time limit. Its own network code is not used: every
request goes through `monitor.http.Client`, so robots.txt, private addresses, media, body caps and patience
are what they are everywhere else in the house. Nothing comes from the environment.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
import time
from contextlib import suppress
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from lxml import etree  # type: ignore[import-untyped]
from scrapy import Request, Spider, signals
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.http import HtmlResponse, Response, TextResponse, XmlResponse
from scrapy.linkextractors import LinkExtractor
from scrapy.utils.gz import gunzip, gzip_magic_number
from scrapy.utils.sitemap import Sitemap

from collectors._article import article, http_time, zoned_or_day
from collectors._crawl import Done, Failed, Order, Page, Unread, key
from collectors._text import excerpt
from monitor.errors import RateLimited, SourceError, UnexpectedShape
from monitor.http import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from twisted.python.failure import Failure

SOURCE: Final = "pages"
MEMORY: Final = 2 * 1024**3
"""Bytes of address space the child may have, where the system can limit it."""

ENTRY_FIRST, NEW_FIRST, KNOWN_LAST = 100, 10, 0
"""Order of reading: what is configured, then pages not seen before, then known ones."""

LONGEST_SITEMAP: Final = 10_000


class PoliteHandler(BaseDownloadHandler):
    """Downloads through the house's own client, in a thread, and tells AutoThrottle how long it took."""

    async def download_request(self, request: Request) -> Response:
        """Return the answer.

        Raises:
            SourceError: see `monitor.http.Client.get`.
        """
        spider = self.crawler.spider
        assert isinstance(spider, PageSpider)  # noqa: S101 - Scrapy types it as any spider
        started = time.monotonic()
        response = await asyncio.to_thread(spider.fetch, request)
        request.meta["download_latency"] = time.monotonic() - started
        return response


class PageSpider(Spider):
    """Reads what an order names and writes what it finds."""

    name = SOURCE

    def __init__(self, order: Order, write: Callable[[Page | Unread | Failed | Done], None]) -> None:
        super().__init__()
        self.order = order
        self.write = write
        self.calls = 0
        self._started = time.monotonic()
        self._client = Client(order.reading, order.federation, self._now)
        self._resting: dict[str, RateLimited] = {}
        self._failed: set[str] = set()
        self._seen: set[str] = set()
        self._read: dict[str, int] = {}
        self._homes: dict[str, set[str]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:  # noqa: ANN401 - Scrapy's own
        """Make the spider, and have it told of pages that break it."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.broke, signals.spider_error)
        return spider

    def _now(self) -> datetime:
        """Return now by the parent's clock."""
        return self.order.now + timedelta(seconds=time.monotonic() - self._started)

    def fetch(self, request: Request) -> Response:
        """Read one address; a host that asked us to wait is not asked again."""
        host = urlsplit(request.url).netloc
        if host in self._resting:
            raise self._resting[host]
        self.calls += 1
        try:
            answer = self._client.get(request.url, source=SOURCE, robots=True)
        except RateLimited as error:
            self._resting[host] = error
            raise
        kind = answer.headers.get("content-type", "text/html").split(";")[0].strip().lower()
        if request.cb_kwargs["root"]:
            entry = request.cb_kwargs["entry"]
            self._homes[entry] = {urlsplit(entry).netloc, urlsplit(answer.url).netloc}
        made = next((made for mark, made in _RESPONSES.items() if mark in kind), Response)
        headers = {name: value for name, value in answer.headers.items() if name != "content-encoding"}
        return made(answer.url, status=answer.status, headers=headers, body=answer.body, request=request)

    async def start(self) -> AsyncIterator[Request]:
        """Ask for everything that is configured."""
        for url in self.order.pages:
            yield self._ask(url, self.read_page, entry=url, root=True)
        for listing in self.order.listings:
            yield self._ask(
                listing.url, self.read_listing, entry=listing.url, root=True, follow=listing.follow, depth=0
            )
        for url in self.order.sitemaps:
            yield self._ask(url, self.read_sitemap, entry=url, root=True)

    def _ask(
        self,
        url: str,
        callback: Callable[..., Any],
        *,
        root: bool = False,
        new: bool = True,
        **told: Any,  # noqa: ANN401
    ) -> Request:
        """Return a request whose failure reaches `failed`."""
        return Request(
            url,
            callback=callback,
            errback=self.failed,
            cb_kwargs={"root": root, **told},
            priority=ENTRY_FIRST if root else NEW_FIRST if new else KNOWN_LAST,
            dont_filter=True,
        )

    def failed(self, failure: Failure) -> None:
        """Write why an address could not be read."""
        self._write_error(failure.value, failure.request.cb_kwargs)  # type: ignore[attr-defined]  # Scrapy adds it

    def broke(self, failure: Failure, response: Response) -> None:
        """Write that a page broke its reader; the rest goes on."""
        assert response.request is not None  # noqa: S101 - Scrapy sets it
        self._write_error(failure.value, response.request.cb_kwargs)

    def _write_error(self, error: BaseException | None, told: dict[str, Any]) -> None:
        """Write an error where it belongs: the entry's own, or one linked page's."""
        problem = getattr(error, "problem", f"could not be understood ({type(error).__name__})")
        if not told["root"] and not isinstance(error, RateLimited):
            self.write(Unread(reason=problem))
        elif told["entry"] not in self._failed:
            self._failed.add(told["entry"])
            kind = error.kind if isinstance(error, SourceError) else UnexpectedShape.kind
            line = {"entry": told["entry"], "trouble": kind, "problem": problem}
            self.write(Failed.model_validate({**line, "retry_at": getattr(error, "retry_at", None)}))

    def read_page(
        self,
        response: Response,
        *,
        entry: str,
        root: bool,
        follow: str = "",
        depth: int = 0,
        lastmod: str = "",
    ) -> Iterator[Request]:
        """Write a page's words, if they are new, and follow its links where the order says so."""
        if not isinstance(response, TextResponse) or isinstance(response, XmlResponse):
            self._no_page(response, entry, root=root)
            return
        if not root and not self._own(response.url, entry):
            self.write(Unread(reason="a link that leads to another site"))
            return
        found = article(response.text, response.url)
        if not found.text:
            self.write(Unread(reason="no words found on the page"))
            return
        content = hashlib.sha256(f"{found.title}\n{found.text}".encode()).hexdigest()[:16]
        mark = f"{lastmod}|{content}"
        before = self.order.known.get(key(response.url), "")
        modified = http_time((response.headers.get("Last-Modified") or b"").decode("latin-1"))
        published = found.published or zoned_or_day(lastmod) or modified
        page = Page(entry=entry, url=response.url, mark=mark)
        same = before.rpartition("|")[2] == content
        if not same and (root or published is None or published >= self.order.oldest):
            page = page.model_copy(
                update={
                    "title": excerpt(found.title, self.order.names),
                    "text": excerpt(found.text, self.order.names),
                    "language": found.language,
                    "published": published,
                    "changed": bool(before),
                }
            )
        self.write(page)
        if follow and depth < self.order.max_depth:
            yield from self._links(response, entry, follow, depth)

    def read_listing(self, response: Response, *, entry: str, root: bool, follow: str, depth: int) -> Iterator[Request]:
        """Follow a listing's links; its own words are only a list."""
        if not isinstance(response, HtmlResponse):
            self._no_page(response, entry, root=root)
            return
        yield from self._links(response, entry, follow, depth)

    def read_sitemap(self, response: Response, *, entry: str, root: bool) -> Iterator[Request]:
        """Follow a sitemap, or an index of sitemaps, to the pages that changed since the last visit."""
        body = gunzip(response.body, max_size=self._limit) if gzip_magic_number(response) else response.body
        try:
            sitemap = Sitemap(body)
        except (etree.XMLSyntaxError, StopIteration):
            sitemap = None
        if sitemap is None or sitemap.type not in {"urlset", "sitemapindex"}:
            self._no_page(response, entry, root=True, wanted="a sitemap")
            return
        rows = [(str(row["loc"]), str(row.get("lastmod", ""))) for row in islice(sitemap, LONGEST_SITEMAP + 1)]
        if len(rows) > LONGEST_SITEMAP:
            self.write(Unread(reason=f"a sitemap of more than {LONGEST_SITEMAP} addresses"))
        for url, lastmod in sorted(rows[:LONGEST_SITEMAP], key=lambda row: self._is_known(row[0])):
            changed = zoned_or_day(lastmod)
            if changed and changed < self.order.oldest:
                continue
            if sitemap.type == "urlset":
                yield from self._follow(url, entry, lastmod=lastmod)
            elif root and self._own(url, entry):
                yield self._ask(url, self.read_sitemap, entry=entry)

    @property
    def _limit(self) -> int:
        """The most bytes a body may unfold to."""
        return int(self.order.reading.max_megabytes * 1_000_000)

    def _links(self, response: TextResponse, entry: str, follow: str, depth: int) -> Iterator[Request]:
        """Ask for the links of a listing that the order wants."""
        by_path = follow.startswith("/")
        links = LinkExtractor(restrict_css=() if by_path else follow).extract_links(response)
        urls = [link.url for link in links if not by_path or fnmatchcase(urlsplit(link.url).path, follow)]
        for url in sorted(urls, key=self._is_known):
            yield from self._follow(url, entry, follow=follow, depth=depth + 1)

    def _is_known(self, url: str) -> bool:
        """Whether a page was read before; those that were not go first, so that a limit delays but loses none."""
        return key(url) in self.order.known

    def _follow(self, url: str, entry: str, *, lastmod: str = "", **told: Any) -> Iterator[Request]:  # noqa: ANN401
        """Ask for a linked page, unless it is another host's, asked for before, unchanged, or too much."""
        name = key(url)
        if name in self._seen or not self._own(url, entry):
            return
        self._seen.add(name)
        known = self.order.known.get(name, "")
        if lastmod and known.startswith(f"{lastmod}|"):
            self.write(Page(entry=entry, url=url, mark=known))
        elif self._read.get(entry, 0) < self.order.max_pages:
            self._read[entry] = self._read.get(entry, 0) + 1
            yield self._ask(url, self.read_page, entry=entry, new=not known, lastmod=lastmod, **told)
        elif known:
            self.write(Page(entry=entry, url=url, mark=known))
        else:
            self.write(Unread(reason=f"beyond the limit of {self.order.max_pages} pages from one address"))

    def _own(self, url: str, entry: str) -> bool:
        """Whether an address lies on the host that the configuration names, or where that host sent us."""
        with suppress(ValueError):
            return urlsplit(url).netloc in self._homes.get(entry, ())
        return False

    def _no_page(self, response: Response, entry: str, *, root: bool, wanted: str = "a web page") -> None:
        """Write that something else came."""
        kind = (response.headers.get("Content-Type") or b"no content type").decode("latin-1").split(";")[0]
        problem = f"expected {wanted}, got {kind}"
        if root:
            self.write(Failed(entry=entry, trouble="unexpected_shape", problem=problem))
        else:
            self.write(Unread(reason=problem))

    def closed(self, reason: str) -> None:
        """Write the last line."""
        self._client.close()
        self.write(Done(calls=self.calls, in_time=reason == "finished"))


_RESPONSES: Final[dict[str, type[Response]]] = {
    "xhtml": HtmlResponse,
    "html": HtmlResponse,
    "xml": XmlResponse,
    "text/plain": TextResponse,
}


def settings(order: Order) -> dict[str, Any]:
    """Return Scrapy's settings: one request at a time to a host, at its own pace, and nothing on the side.

    The lists of parts are complete: no telnet or remote console, no cookies, no cache, and no redirects,
    retries or robots.txt of its own, because the client sees to those.
    """
    return {
        "AUTOTHROTTLE_ENABLED": True,
        "AUTOTHROTTLE_START_DELAY": order.pause_seconds,
        "CLOSESPIDER_TIMEOUT": order.seconds,
        "CONCURRENT_REQUESTS": 4,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "DOWNLOAD_DELAY": order.pause_seconds,
        "DOWNLOAD_HANDLERS_BASE": {"http": PoliteHandler, "https": PoliteHandler},
        "DOWNLOADER_MIDDLEWARES_BASE": {},
        "EXTENSIONS_BASE": {
            "scrapy.extensions.closespider.CloseSpider": 0,
            "scrapy.extensions.throttle.AutoThrottle": 0,
        },
        "LOG_LEVEL": "ERROR",
        "SPIDER_MIDDLEWARES_BASE": {},
    }


def _limit_memory() -> None:
    """Have the system refuse more than `MEMORY`, where it can."""
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not on every system

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _write(line: Page | Unread | Failed | Done) -> None:
    """Write one JSON line at once."""
    sys.stdout.write(line.model_dump_json() + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read the order, crawl, and end."""
    _limit_memory()
    order = Order.model_validate_json(sys.stdin.read())
    process = AsyncCrawlerProcess(settings(order))
    process.crawl(PageSpider, order=order, write=_write)
    process.start()


if __name__ == "__main__":
    main()
