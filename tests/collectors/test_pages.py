"""The pages collector: real child processes over real HTTP, and every way in which a page can misbehave."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import collectors
from collectors import pages
from collectors._article import article
from collectors._crawl import LINES, Order, Page, key
from monitor.errors import AccessRefused, RateLimited, SourceError, UnexpectedShape, Unreachable
from monitor.http import Client
from monitor.records import Ask, Bookmark, Malformed, Mention, Spent, Window
from monitor.rehearsal import pages as village
from monitor.rehearsal import server as fault
from monitor.rehearsal.server import Reply, Server, html_reply, text_reply
from monitor.rehearsal.town import DemoTown
from monitor.settings import Federation, Reading, Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.records import Yielded
    from monitor.rehearsal.server import Route

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
WORDS = "The heritage centre will be open on every Saturday in December, and there is tea for all who help. " * 3


def ask(bookmarks: dict[str, str] | None = None) -> Ask:
    window = Window(start=NOW - timedelta(days=7), end=NOW)
    return Ask(window=window, phrases=("Boroughbridge High",), bookmarks=bookmarks or {})


@contextmanager
def reader(table: dict[str, Any], *hosts: str, patience: float = 20) -> Iterator[pages.Pages]:
    """Make a collector that may read these private hosts."""
    reading = Reading(private_hosts=hosts, total_seconds=patience, read_seconds=patience, max_megabytes=1)
    with Client(reading, Federation(), lambda: NOW) as http:
        tools = collectors.Tools(http=http, secrets=Secrets({}), clock=lambda: NOW, user_agent=http.user_agent)
        yield pages.collector(pages.Options.model_validate({"pause_seconds": 0, **table}), tools)


def read(
    server: Server, table: dict[str, Any], bookmarks: dict[str, str] | None = None, *, patience: float = 20
) -> tuple[list[Yielded], SourceError | None]:
    """Read; return what was yielded, and what was raised after it."""
    items: list[Yielded] = []
    with reader(table, server.host, patience=patience) as collector:
        reading = collector.collect(ask(bookmarks))
        try:
            while True:
                items.append(next(reading))
        except StopIteration:
            return items, None
        except SourceError as error:
            return items, error


def found(items: Sequence[Yielded]) -> dict[str, Mention]:
    """Return the mentions by the last part of their address."""
    return {one.url.rsplit("/", 1)[-1].partition("?")[0]: one for one in items if isinstance(one, Mention)}


def counted(items: Sequence[Yielded]) -> list[str]:
    return [one.reason for one in items if isinstance(one, Malformed)]


def kept(items: Sequence[Yielded]) -> dict[str, str]:
    return {one.channel: one.value for one in items if isinstance(one, Bookmark)}


def page(title: str, words: str = WORDS) -> Reply:
    return village.page(title, words, NOW - timedelta(hours=3))


def always(reply: Reply) -> Route:
    """Return a route that gives one reply."""
    return lambda _request: reply


def sitemap(*urls: str, lastmod: str = "") -> Reply:
    told = f"<lastmod>{lastmod}</lastmod>" if lastmod else ""
    rows = "".join(f"<url><loc>{url}</loc>{told}</url>" for url in urls)
    return text_reply(
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</urlset>', kind="application/xml"
    )


def listing(*links: str) -> Reply:
    return html_reply("<html><body>" + "".join(f'<a href="{link}">x</a>' for link in links) + "</body></html>")


# ---- what is read --------------------------------------------------------------------------------------


def test_pages_listings_and_sitemaps_of_the_village_are_read_and_nothing_else() -> None:
    with DemoTown(lambda: NOW) as town:
        items, error = read(town.server, town.sources["pages"])
        planted = {one.native_id for one in town.planted if one.source == "pages"}
        mentions = found(items)

        assert error is None
        assert planted <= {one.native_id for one in mentions.values()}
        assert set(mentions) == {"notices", "village-hall-quiz", "museum-exhibition", "allotment-show"}
        assert town.server.count(village.CLOSED) == 0
        assert town.server.count("/robots.txt") == 1
        assert "Invented Author" not in repr(items)
        quiz = mentions["village-hall-quiz"]
        assert quiz.title == "Quiz night beats all records"
        assert quiz.text.startswith("The village hall was packed")
        assert quiz.published == NOW - timedelta(hours=6)
        assert quiz.community == town.server.host
        assert quiz.language == "en-GB"
        assert sum(one.calls for one in items if isinstance(one, Spent)) == 6


def test_an_unchanged_page_is_not_given_again_and_a_changed_one_is() -> None:
    with Server({"/a": always(page("A")), "/b": always(page("B"))}) as server:
        table = {"pages": [f"{server.url}/a", f"{server.url}/b"]}
        first, _ = read(server, table)
        server.routes["/b"] = always(page("B", WORDS + "Closed in January."))
        again, _ = read(server, table, kept(first))

    assert set(found(first)) == {"a", "b"}
    assert set(found(again)) == {"b"}
    assert found(again)["b"].edited == NOW


def test_a_page_whose_sitemap_says_that_nothing_changed_is_not_even_asked_for() -> None:
    with Server() as server:
        server.routes = {
            "/map.xml": always(sitemap(f"{server.url}/a", lastmod="2026-11-22")),
            "/a": always(page("A")),
        }
        first, _ = read(server, {"sitemaps": [f"{server.url}/map.xml"]})
        read(server, {"sitemaps": [f"{server.url}/map.xml"]}, kept(first))

        assert set(found(first)) == {"a"}
        assert server.count("/a") == 1


def test_an_index_of_compressed_sitemaps_is_followed_and_old_pages_are_left_alone() -> None:
    with Server() as server:
        index = f"<sitemapindex><sitemap><loc>{server.url}/1.xml.gz</loc></sitemap></sitemapindex>"
        rows = (
            f"<urlset><url><loc>{server.url}/new</loc><lastmod>2026-11-22T10:00:00+00:00</lastmod></url>"
            f"<url><loc>{server.url}/old</loc><lastmod>2020-01-01</lastmod></url></urlset>"
        )
        packed = Reply(headers={"Content-Type": "application/gzip"}, body=gzip.compress(rows.encode()))
        server.routes = {
            "/index.xml": always(text_reply(index, kind="text/xml")),
            "/1.xml.gz": always(packed),
            "/*": always(page("A")),
        }
        items, error = read(server, {"sitemaps": [f"{server.url}/index.xml"]})

        assert error is None
        assert set(found(items)) == {"new"}
        assert server.count("/old") == 0


def test_links_are_followed_by_selector_on_the_same_host_and_to_the_depth_that_is_set() -> None:
    with Server({"/*": always(page("Elsewhere"))}) as other, Server() as server:
        news = f'<li><a href="/one">1</a><a href="{other.url}/x">x</a></li>'
        body = f'<ul class="news">{news}</ul><a href="/no">n</a>'
        deeper = WORDS + '<ul class="news"><li><a href="/two">2</a></li></ul>'
        server.routes = {
            "/news": always(html_reply(f"<html><body>{body}</body></html>")),
            "/one": always(html_reply(f"<html><body><article><p>{deeper}</p></article></body></html>")),
            "/*": always(page("Two")),
        }
        table = {"listings": [{"url": f"{server.url}/news", "follow": "ul.news"}], "max_depth": 2}
        items, error = read(server, table)

        assert error is None
        assert set(found(items)) == {"one", "two"}
        assert other.requests == []
        assert server.count("/no") == 0


def test_a_listing_that_moved_is_followed_to_where_it_went_and_no_further() -> None:
    with Server({"/x": always(page("Elsewhere"))}) as other, Server() as moved, Server() as server:
        server.routes = {"/news": always(Reply(status=301, headers={"Location": f"{moved.url}/news"}))}
        moved.routes = {
            "/news": always(listing("/p/one", "/p/away", f"{other.url}/p/x")),
            "/p/one": always(page("One")),
            "/p/away": always(Reply(status=302, headers={"Location": f"{other.url}/x"})),
        }
        hosts = (server.host, moved.host, other.host)
        with reader({"listings": [{"url": f"{server.url}/news", "follow": "/p/*"}]}, *hosts) as collector:
            items = list(collector.collect(ask()))

        assert set(found(items)) == {"one"}
        assert counted(items) == ["a link that leads to another site"]
        assert other.count("/p/x") == 0


def test_pages_beyond_the_limit_are_counted_and_read_at_the_next_visits() -> None:
    with Server({"/p/*": lambda request: page(request.path)}) as server:
        server.routes["/news"] = always(listing(*(f"/p/{number}" for number in range(5))))
        table = {"listings": [{"url": f"{server.url}/news", "follow": "/p/*"}], "max_pages": 3}
        first, error = read(server, table)
        second, _ = read(server, table, kept(first))

        assert error is None
        assert len(found(first)) == 3
        assert counted(first) == ["beyond the limit of 3 pages from one address"] * 2
        assert set(found(second)) | set(found(first)) == {"0", "1", "2", "3", "4"}


# ---- what is refused -----------------------------------------------------------------------------------


def test_a_page_that_robots_txt_closes_is_refused_and_the_others_are_read() -> None:
    with Server({"/a": always(page("A")), "/closed": always(page("B"))}) as server:
        server.routes["/robots.txt"] = always(text_reply("User-agent: *\nDisallow: /closed"))
        items, error = read(server, {"pages": [f"{server.url}/closed", f"{server.url}/a"]})

        assert set(found(items)) == {"a"}
        assert isinstance(error, AccessRefused)
        assert "1 of 2 addresses failed" in error.problem
        assert "robots.txt" in error.problem
        assert server.count("/closed") == 0


def test_private_addresses_are_refused_to_the_child_as_to_everyone() -> None:
    with Server({"/a": always(page("A"))}) as private, Server() as server:
        server.routes = {"/a": always(Reply(status=302, headers={"Location": f"{private.url}/a"}))}
        items, error = read(server, {"pages": [f"{server.url}/a", f"{private.url}/a", "http://10.0.0.1/"]})

        assert found(items) == {}
        assert isinstance(error, AccessRefused)
        assert "3 of 3 addresses failed" in error.problem
        assert private.requests == []


def test_media_are_never_downloaded_and_other_files_are_counted() -> None:
    kinds = {"/p/photo": "image/jpeg", "/p/film": "video/mp4", "/p/minutes": "application/pdf"}
    with Server(
        {path: always(Reply(headers={"Content-Type": kind}, body=b"x")) for path, kind in kinds.items()}
    ) as server:
        server.routes["/news"] = always(listing(*kinds, "/p/picture.jpg"))
        items, error = read(server, {"listings": [{"url": f"{server.url}/news", "follow": "/p/*"}]})

        assert error is None
        assert sorted(counted(items)) == [
            "127.0.0.1 sent image/jpeg, which is never read",
            "127.0.0.1 sent video/mp4, which is never read",
            "expected a web page, got application/pdf",
        ]
        assert server.count("/p/picture.jpg") == 0


def test_nothing_of_the_environment_reaches_the_child() -> None:
    root = Path(pages.__file__).parents[1]
    with Server({"/a": always(page("A"))}) as server:
        program = (
            "from datetime import *\nimport collectors\nfrom collectors import pages\n"
            "from monitor.http import Client\nfrom monitor.records import *\nfrom monitor.settings import *\n"
            f"http = Client(Reading(private_hosts=({server.host!r},)), Federation())\n"
            "tools = collectors.Tools(http=http, secrets=Secrets({}), clock=utc_now, user_agent='')\n"
            f"made = pages.collector(pages.Options(pages=({server.url + '/a'!r},)), tools)\n"
            "now = utc_now()\n"
            "ask = Ask(window=Window(start=now - timedelta(days=7), end=now))\n"
            "print(sum(isinstance(one, Mention) for one in made.collect(ask)))\n"
        )
        environment = {
            **os.environ,
            "PYTHONPATH": str(root),
            "HTTP_PROXY": "http://127.0.0.1:9",
            "http_proxy": "http://127.0.0.1:9",
            "SCRAPY_SETTINGS_MODULE": "nowhere.settings",
        }
        done = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
        )

    assert done.stdout.strip() == "1", done.stderr


# ---- what goes wrong -----------------------------------------------------------------------------------


def test_a_site_that_asks_us_to_wait_is_left_alone_at_once() -> None:
    with Server({"/p/*": always(Reply(status=429, headers={"Retry-After": "1800"}))}) as server:
        server.routes["/news"] = always(listing(*(f"/p/{number}" for number in range(9))))
        _, error = read(server, {"listings": [{"url": f"{server.url}/news", "follow": "/p/*"}]})

        assert isinstance(error, RateLimited)
        assert NOW + timedelta(minutes=30) <= error.retry_at <= NOW + timedelta(minutes=31)
        assert server.count("/p/*") == 1


def test_hostile_pages_are_counted_or_read_and_the_rest_goes_on() -> None:
    bad = {
        "/p/deep": html_reply("<div>" * 100_000 + "words"),
        "/p/empty": html_reply(""),
        "/p/nothing": html_reply("<html><body><img src=x><script>var a = 1</script></body></html>"),
        "/p/bytes": Reply(headers={"Content-Type": "text/html"}, body=bytes(range(256)) * 50),
        "/p/gone": Reply(status=404),
        "/p/error": Reply(status=500),
    }
    with Server({path: always(reply) for path, reply in bad.items()}) as server:
        server.routes["/p/good"] = always(page("Good"))
        server.routes["/p/endless"] = lambda request: fault.endless(50)(request, html_reply("x"))
        server.routes["/p/bomb"] = lambda request: fault.gzip_bomb(50)(request, html_reply("x"))
        server.routes["/p/cut"] = lambda request: fault.truncated_gzip()(request, page("Cut"))
        server.routes["/p/reset"] = lambda request: fault.reset()(request, page("Reset"))
        server.routes["/news"] = always(listing(*(path for path in server.routes if path != "/news")))
        items, error = read(server, {"listings": [{"url": f"{server.url}/news", "follow": "/p/*"}]})

        assert error is None
        assert "good" in found(items)
        assert len(found(items)) + len(counted(items)) == 11
        assert all(one.text and "\0" not in one.text for one in found(items).values())


def test_what_is_no_sitemap_is_an_unexpected_shape() -> None:
    with Server({"/map.xml": always(html_reply("<html>We will be back"))}) as server:
        _, error = read(server, {"sitemaps": [f"{server.url}/map.xml"]})

    assert isinstance(error, UnexpectedShape)
    assert "expected a sitemap, got text/html" in error.problem


def test_a_crawl_that_takes_too_long_ends_by_itself_and_is_not_complete() -> None:
    with Server({"/a": always(page("A")), "/slow": always(page("Slow"))}) as server:
        server.play(fault.dripping(0.2), at="/slow")
        table = {"pages": [f"{server.url}/a", f"{server.url}/slow"], "seconds": 2}
        items, error = read(server, table, patience=4)

    assert set(found(items)) == {"a"}
    assert kept(items) == {}
    assert isinstance(error, Unreachable)
    assert "not complete after 2 s" in error.problem


def order(*urls: str, host: str, seconds: float = 1) -> Order:
    """Return an order of single pages."""
    return Order(
        pages=urls,
        listings=(),
        sitemaps=(),
        max_pages=9,
        max_depth=1,
        seconds=seconds,
        pause_seconds=0,
        oldest=NOW - timedelta(days=7),
        now=NOW,
        known={},
        names=(),
        reading=Reading(private_hosts=(host,)),
        federation=Federation(),
    )


def test_a_child_that_hangs_is_killed() -> None:
    with Server({"/a": always(page("A"))}) as server:
        server.play(fault.dripping(5))
        with pages._child(order(f"{server.url}/a", host=server.host), grace=3) as lines:
            assert list(lines) == []


def test_a_child_that_breaks_down_says_why() -> None:
    lines: list[object] = []
    broken = Order.model_construct(**{**dict(order("http://a.example/", host="x")), "max_pages": None})
    with pytest.raises(Unreachable, match="broke down"), pages._child(broken, grace=60) as told:
        lines.extend(told)

    assert lines == []


# ---- small parts ---------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=200) | st.text(alphabet="<>/abphtml \"'=&;!-", max_size=200))
def test_any_html_has_words_or_none_but_never_a_fault(body: str) -> None:
    result = article(body, "https://village.example/a")

    assert result.text == " ".join(result.text.split())
    assert result.published is None or result.published.tzinfo


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (
            '<meta property="article:published_time" content="2026-11-22T10:00:00+01:00">',
            datetime(2026, 11, 22, 9, tzinfo=UTC),
        ),
        ('<meta property="article:published_time" content="2026-11-22">', datetime(2026, 11, 22, tzinfo=UTC)),
        ("", None),
    ],
)
def test_a_page_tells_when_it_was_published(head: str, expected: datetime | None) -> None:
    body = f"<html><head><title>T</title>{head}</head><body><article><p>{WORDS}</p></article></body></html>"

    assert article(body, "https://village.example/a").published == expected


def test_a_line_of_the_child_reads_back_as_it_was_written() -> None:
    line = Page(entry="https://a.example/", url="https://a.example/", mark="|1", text="Words", published=NOW)

    assert LINES.validate_json(line.model_dump_json()) == line


def test_a_page_keeps_its_mark_whatever_link_led_to_it() -> None:
    assert key("http://a.example/p/?utm_source=x#top") == key("https://a.example/p")


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"pages": ["village.example"]}, "not an http"),
        ({"pages": ["https://a.example/", "https://a.example/"]}, "twice"),
        ({"listings": [{"url": "https://a.example/"}]}, "follow"),
        ({"seiten": []}, "seiten"),
        ({"pages": ["https://a.example/"], "max_pages": 0}, "max_pages"),
    ],
)
def test_a_wrong_configuration_is_refused(table: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        pages.Options.model_validate(table)


def test_without_pages_the_source_says_what_is_missing() -> None:
    assert "no page is configured" in pages.Options().missing()


def test_bookmarks_are_small_and_hold_no_words() -> None:
    with Server({"/a": always(page("A"))}) as server:
        items, _ = read(server, {"pages": [f"{server.url}/a"]})

    [value] = kept(items).values()
    assert set(json.loads(value)) == {"since", "pages"}
    assert "heritage" not in value
