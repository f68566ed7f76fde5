"""The feeds collector over real HTTP: every format, every way a feed goes wrong, and nobody's name."""

from __future__ import annotations

import codecs
import json
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import collectors
from collectors import _entries, feeds
from collectors._text import EXCERPT, excerpt, plain
from monitor.errors import AccessRefused, RateLimited, SourceError, UnexpectedShape, Unreachable
from monitor.http import Client
from monitor.records import Ask, Bookmark, Malformed, Mention, Spent, Window
from monitor.rehearsal import server as fault
from monitor.rehearsal.feeds import REQUESTER
from monitor.rehearsal.server import Reply, Server, html_reply, json_reply, text_reply, unless_known
from monitor.rehearsal.town import DemoTown
from monitor.settings import Federation, Reading, Secrets
from monitor.store import mentions
from monitor.store.engine import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.records import Yielded

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
SHARED = Path(__file__).parents[3] / "shared" / "platforms" / "samples" / "feeds"
DATA = Path(__file__).parents[1] / "data" / "feeds"
TITLE = "£5 für Grüße"
PHRASES = ("King James's School Knaresborough", "Boroughbridge High")


def rss(*items: str, encoding: str = "utf-8", channel: str = "") -> str:
    """Return an RSS feed around items."""
    return (
        f'<?xml version="1.0" encoding="{encoding}"?><rss version="2.0"><channel><title>Feed</title>'
        f"<link>https://news.example/</link>{channel}{''.join(items)}</channel></rss>"
    )


def item(name: str = "a", *, title: str = "A headline", text: str = "Words", hours: float = 1, more: str = "") -> str:
    """Return an RSS item."""
    date = format_datetime(NOW - timedelta(hours=hours))
    return (
        f"<item><title>{title}</title><link>https://news.example/{name}</link><description>{text}</description>"
        f"<pubDate>{date}</pubDate>{more}</item>"
    )


def ask(*, days: float = 7, bookmarks: dict[str, str] | None = None, end: datetime = NOW) -> Ask:
    """Ask for the last days."""
    return Ask(window=Window(start=end - timedelta(days=days), end=end), phrases=PHRASES, bookmarks=bookmarks or {})


@contextmanager
def reader(
    tables: Sequence[dict[str, Any]], *, secrets: dict[str, str] | None = None, now: datetime = NOW
) -> Iterator[feeds.Feeds]:
    """Make a collector of these feeds that may read this machine."""
    with Client(Reading(private_hosts=("127.0.0.1",)), Federation(), lambda: now) as http:
        tools = collectors.Tools(
            http=http, secrets=Secrets(secrets or {}), clock=lambda: now, user_agent=http.user_agent
        )
        yield feeds.collector(feeds.Options.model_validate({"feeds": tables}), tools)


def read(server: Server, asked: Ask | None = None, *, path: str = "/feed", **table: Any) -> list[Yielded]:  # noqa: ANN401
    """Read one feed of a server to its end."""
    with reader([{"name": "Feed", "url": f"{server.url}{path}", **table}]) as collector:
        return list(collector.collect(asked or ask()))


def read_body(
    body: bytes | str,
    media: str = "application/rss+xml",
    asked: Ask | None = None,
    **table: Any,  # noqa: ANN401
) -> list[Yielded]:
    """Serve one body as a feed and read it."""
    whole = body.encode() if isinstance(body, str) else body
    with Server({"/feed": lambda _: Reply(headers={"Content-Type": media}, body=whole)}) as server:
        return read(server, asked, **table)


def found(items: Sequence[Yielded]) -> list[Mention]:
    return [one for one in items if isinstance(one, Mention)]


def counted(items: Sequence[Yielded]) -> list[str]:
    return [one.reason for one in items if isinstance(one, Malformed)]


def kept(items: Sequence[Yielded]) -> dict[str, str]:
    return {one.channel: one.value for one in items if isinstance(one, Bookmark)}


# ---- the whole town ------------------------------------------------------------------------------------


@pytest.fixture
def town() -> Iterator[DemoTown]:
    with DemoTown(lambda: NOW) as built:
        yield built


def read_town(town: DemoTown) -> list[Yielded]:
    with reader(town.sources["feeds"]["feeds"]) as collector:
        return list(collector.collect(ask()))


def test_every_format_is_read_and_each_article_has_one_key(town: DemoTown) -> None:
    planted = {one.native_id for one in town.planted if one.source == "feeds"}

    assert {mention.native_id for mention in found(read_town(town))} == planted
    assert len(planted) > 40


def test_the_words_of_every_story_arrive(town: DemoTown) -> None:
    by_key = {mention.native_id: mention for mention in found(read_town(town))}
    for one in town.planted:
        if one.source == "feeds" and len(one.story.text) <= EXCERPT:
            assert by_key[one.native_id].text == one.story.text
            assert by_key[one.native_id].title == one.story.title


def test_no_author_and_no_requester_is_ever_taken(town: DemoTown) -> None:
    items = read_town(town)

    assert all(mention.author == "" for mention in found(items))
    assert "Invented Author" not in repr(items)
    assert REQUESTER not in repr(items)


def test_one_article_in_two_feeds_is_stored_once_with_both_places(town: DemoTown, tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'monitor.sqlite'}")
    for one in found(read_town(town)):  # in runs of their own, as when the feeds are read at different times
        arrival = mentions.Arrival(mention=replace(one, raw=b""), author_key="", sha256=one.sha256)
        with store.write() as connection:
            mentions.take(connection, [arrival], now=NOW, articles=frozenset({"feeds"}))
    with store.read() as connection:
        stored = mentions.between(connection, Window(start=NOW, end=NOW + timedelta(seconds=1)))
    store.close()

    [petition] = [one for one in stored if one.mention.native_id.endswith("/phone-pouch-petition")]
    assert petition.mention.channel == "Nidd Valley Courier"
    assert [channel for _, channel, _ in petition.also_in] == ["Alert for both schools"]


def test_an_alerts_link_is_unwrapped_and_its_bold_words_are_plain(town: DemoTown) -> None:
    [page] = [one for one in found(read_town(town)) if one.native_id == "https://elsewhere.example/fake-page"]

    assert page.url.startswith("https://elsewhere.example/fake-page?")
    assert page.title == "Warning over fake school page"
    assert "<b>" not in page.text


def test_a_council_feed_that_dates_no_item_gives_them_its_own_date(town: DemoTown) -> None:
    papers = [one for one in found(read_town(town)) if one.channel == "Council papers"]

    assert {one.published for one in papers} == {NOW - timedelta(hours=70)}


def test_a_request_recorded_from_its_documentation_loses_its_requester() -> None:
    body = (DATA / "2026-11-22_whatdotheyknow.atom").read_bytes()
    [request] = found(read_body(body, "application/atom+xml", ask(days=30), kind="whatdotheyknow"))

    assert request.native_id == "https://www.whatdotheyknow.com/request/example_request"
    assert request.title == "Example request"
    assert request.text == "Dear Example Primary School..."
    assert request.published == datetime(2026, 11, 10, 10, 11, 12, tzinfo=UTC)


# ---- words, dates and links ----------------------------------------------------------------------------


def test_html_becomes_plain_words() -> None:
    text = escape("<p>Fish &amp; chips</p><p>at <b>noon</b><script>alert(1)</script>")
    [mention] = found(read_body(rss(item(text=text, title="One &amp;amp; two"))))

    assert mention.text == "Fish & chips at noon"
    assert mention.title == "One & two"


def test_a_long_article_is_cut_to_the_part_that_names_the_school() -> None:
    text = "Filler words go here. " * 200 + "Then Boroughbridge High won. " + "More filler. " * 200
    [mention] = found(read_body(rss(item(text=text))))

    assert len(mention.text) <= EXCERPT
    assert "Boroughbridge High won" in mention.text
    assert mention.text.startswith("…")
    assert mention.text.endswith("…")


@given(st.text(), st.lists(st.text(max_size=20), max_size=3), st.integers(10, 600))
def test_an_excerpt_never_grows_beyond_its_limit(text: str, names: list[str], limit: int) -> None:
    assert len(excerpt(text, names, limit)) <= limit


@given(st.one_of(st.text(), st.text(alphabet="<>/abp&;#! x-\"'"), st.from_regex(r"(<[a-z/!-]{0,5}[^>]?>?){1,9}")))
def test_any_html_becomes_text_that_a_database_takes(content: str) -> None:
    words = plain(content)

    assert words == " ".join(words.split())
    assert "\0" not in words
    assert words.encode("utf-8").decode("utf-8") == words


def test_an_entry_without_any_date_is_dated_now() -> None:
    body = rss("<item><title>A</title><link>https://news.example/a</link></item>")

    assert found(read_body(body))[0].published == NOW


@pytest.mark.parametrize(
    "date", ["gestern", "Mon, 99 Nov 2026 07:00:00 GMT", "9999-99-99", "2026-11-24T07:00:00Z", "-1", ""]
)
def test_a_date_that_cannot_be_read_or_lies_ahead_is_no_date(date: str) -> None:
    body = rss(f"<item><title>A</title><link>https://news.example/a</link><pubDate>{date}</pubDate></item>")

    assert found(read_body(body))[0].published == NOW


@pytest.mark.parametrize(
    "date", ["Mon, 23 Nov 2026 05:30:00 +0000", "Mon, 23 Nov 2026 06:30:00 +0100", "2026-11-23T05:30:00Z"]
)
def test_dates_of_any_zone_are_told_in_utc(date: str) -> None:
    body = rss(f"<item><title>A</title><link>https://news.example/a</link><pubDate>{date}</pubDate></item>")
    [mention] = found(read_body(body))

    assert mention.published == datetime(2026, 11, 23, 5, 30, tzinfo=UTC)
    assert mention.published.utcoffset() == timedelta(0)


def test_an_edited_entry_says_when() -> None:
    body = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>F</title><entry><id>1</id><title>A</title>'
        '<link href="https://news.example/a"/><published>2026-11-22T07:00:00Z</published>'
        "<updated>2026-11-23T06:00:00Z</updated></entry></feed>"
    )
    [mention] = found(read_body(body, "application/atom+xml"))

    assert mention.published == datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
    assert mention.edited == datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def test_a_script_for_a_link_is_no_link() -> None:
    body = rss(
        '<item><title>A</title><link>javascript:alert(1)</link><guid isPermaLink="false">n1</guid></item>',
        "<item><title>B</title><link>http://[bad</link></item>",
    )
    items = read_body(body)

    assert [(one.native_id, one.url) for one in found(items)] == [("n1", "")]
    assert counted(items) == ["an entry without link and id"]


def test_relative_links_are_completed() -> None:
    with Server(
        {"/feed": lambda _: text_reply(rss("<item><title>A</title><link>/a?x=1</link></item>"), kind="text/xml")}
    ) as server:
        [mention] = found(read(server))

        assert mention.url == f"{server.url}/a?x=1"


def test_the_newest_state_of_an_entry_comes_last() -> None:
    body = rss(item("a", text="answered", hours=1), item("a", text="asked", hours=9))

    assert [one.text for one in found(read_body(body))] == ["asked", "answered"]


# ---- feeds that are not as they should be --------------------------------------------------------------


def test_a_feed_that_is_not_well_formed_keeps_its_good_entries_and_says_so() -> None:
    broken = rss(item("a"), item("b", title="Fish & chips")).replace("</channel></rss>", "<item><title>Cut o")
    items = read_body(broken)

    assert {"https://news.example/a", "https://news.example/b"} <= {one.native_id for one in found(items)}
    assert any("not well-formed" in reason for reason in counted(items))


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (rss(item(title=TITLE)).encode(), "application/rss+xml"),
        (codecs.BOM_UTF8 + rss(item(title=TITLE)).encode(), "application/rss+xml; charset=utf-8"),
        (rss(item(title=TITLE), encoding="windows-1252").encode("cp1252"), "text/xml"),
        (rss(item(title=TITLE), encoding="utf-16").encode("utf-16"), "application/xml"),
        (rss(item(title=TITLE), encoding="windows-1252").encode(), "application/xml; charset=utf-8"),
        (b"\n\n" + rss(item(title=TITLE)).encode(), "text/html; charset=utf-8"),
    ],
    ids=[
        "plain",
        "byte-order-mark",
        "windows-1252",
        "utf-16",
        "header-is-right",
        "blank-lines-and-wrong-type",
    ],
)
def test_charset_trouble_is_survived(body: bytes, media: str) -> None:
    assert [one.title for one in found(read_body(body, media))] == [TITLE]


def test_a_json_feed_with_a_byte_order_mark_is_read() -> None:
    content = {
        "version": "https://jsonfeed.org/version/1",
        "items": [{"id": 7, "content_text": "1 < 2 & so on"}],
    }
    [mention] = found(read_body(codecs.BOM_UTF8 + json.dumps(content).encode(), "application/json"))

    assert mention.native_id == "7"
    assert mention.text == "1 < 2 & so on"


def test_a_json_feed_item_that_cannot_be_read_is_counted() -> None:
    good = {
        "url": "https://news.example/a",
        "content_html": "<p>Good</p>",
        "date_published": "2026-11-23T06:00:00Z",
    }
    strange = [None, "text", {"title": 7}, {"url": ["x"], "content_text": "Words"}, {"id": "n", "title": ""}]
    items = read_body(json.dumps({"items": [good, *strange]}), "application/feed+json")

    assert [one.text for one in found(items)] == ["Good"]
    assert len(counted(items)) == len(strange)


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b'{"items": 3}', "application/json"),
        (b"", "application/rss+xml"),
        (b"just words", "text/plain"),
        (b"/etc/hostname", "text/plain"),
        (b"\x89PNG", "application/octet-stream"),
        (b"<html><body>We will be back</body></html>", "text/html"),
    ],
)
def test_what_is_no_feed_is_an_unexpected_shape(body: bytes, media: str) -> None:
    with pytest.raises(UnexpectedShape, match="1 of 1 feeds failed: Feed"):
        read_body(body, media)


def test_an_empty_feed_is_quiet_and_not_broken() -> None:
    items = read_body(rss())

    assert found(items) == []
    assert kept(items)


def test_entities_that_unfold_or_read_files_are_harmless() -> None:
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "ha"><!ENTITY f SYSTEM "file:///etc/passwd">'
        + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(8))
        + ']><rss version="2.0"><channel><title>F</title><item><title>&i; &f; title</title>'
        "<link>https://news.example/a</link></item></channel></rss>"
    )
    items = read_body(bomb)

    assert all(len(one.title) <= EXCERPT and "root:" not in one.title for one in found(items))


@given(
    st.binary(max_size=300)
    | st.text(max_size=300).map(lambda text: rss(f"<item>{text}</item>").encode("utf-8", "replace"))
)
def test_any_bytes_are_a_feed_or_not_but_never_a_fault(body: bytes) -> None:
    entries: list[_entries.Entry | Malformed] = []
    with suppress(_entries.NotAFeed):
        entries = _entries.parse(body, {"content-type": "application/xml"}, "https://news.example/feed", NOW)

    assert all(isinstance(one, Malformed) or one.published.tzinfo for one in entries)


# ---- pages that lead to feeds --------------------------------------------------------------------------


def test_a_page_leads_to_its_feed() -> None:
    page = '<!doctype html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head>'
    routes = {
        "/": lambda _: html_reply(page),
        "/feed.xml": lambda _: text_reply(rss(item()), kind="text/xml"),
    }
    with Server(routes) as server:
        items = read(server, path="/")

        assert len(found(items)) == 1
        assert sum(one.calls for one in items if isinstance(one, Spent)) == 2


def test_a_page_that_leads_to_another_page_is_followed_once() -> None:
    page = '<html><head><link rel="alternate" type="application/atom+xml" href="/"></head><body></body></html>'
    with Server({"/": lambda _: html_reply(page)}) as server:
        with pytest.raises(UnexpectedShape):
            read(server, path="/")

        assert server.count("/") == 2


# ---- coming back ---------------------------------------------------------------------------------------


def test_an_unchanged_feed_is_not_sent_again() -> None:
    with Server(
        {"/feed": lambda request: unless_known(request, text_reply(rss(item()), kind="text/xml"), etag='"v1"')}
    ) as server:
        first = read(server)
        again = read(server, ask(bookmarks=kept(first)))

        assert len(found(first)) == 1
        assert [type(one) for one in again] == [Spent]
        assert server.asked("/feed")[1].headers["if-none-match"] == '"v1"'


def test_a_feed_that_moved_is_read_in_full() -> None:
    with Server(
        {"/*": lambda _: Reply(headers={"ETag": '"v1"', "Content-Type": "text/xml"}, body=rss(item()).encode())}
    ) as server:
        first = read(server, path="/old")
        read(server, ask(bookmarks=kept(first)), path="/new")

        assert "if-none-match" not in server.asked("/new")[0].headers


def test_a_strange_validator_does_not_spoil_the_next_visit() -> None:
    with Server(
        {"/feed": lambda _: Reply(headers={"ETag": "v\xe9", "Content-Type": "text/xml"}, body=rss(item()).encode())}
    ) as server:
        first = read(server)

        assert len(found(read(server, ask(bookmarks=kept(first))))) == 1


def test_late_entries_are_taken_but_none_from_before_the_first_visit() -> None:
    later = NOW + timedelta(days=4)
    body = rss(item("late", hours=2), item("before", hours=24 * 8), item("long-before", hours=24 * 300))
    with Server({"/feed": lambda _: text_reply(body, kind="text/xml")}) as server:
        first = read(server)
        again = read(server, ask(days=0.1, end=later, bookmarks=kept(first)))

    assert [one.native_id for one in found(first)] == ["https://news.example/late"]
    assert [one.native_id for one in found(again)] == ["https://news.example/late"]


# ---- several feeds -------------------------------------------------------------------------------------


@pytest.fixture
def three() -> Iterator[Server]:
    def feed(name: str) -> Any:  # noqa: ANN401 - a route
        return lambda _: text_reply(rss(item(name)), kind="text/xml")

    with Server({f"/{name}": feed(name) for name in "abc"}) as server:
        yield server


def read_all(
    tables: Sequence[dict[str, Any]], secrets: dict[str, str] | None = None
) -> tuple[list[Yielded], SourceError | None]:
    """Read several feeds; return what they gave, and what was raised after it."""
    items: list[Yielded] = []
    with reader(tables, secrets=secrets) as collector:
        reading = collector.collect(ask())
        try:
            while True:
                items.append(next(reading))
        except StopIteration:
            return items, None
        except SourceError as error:
            return items, error


def all_of(server: Server) -> list[dict[str, Any]]:
    """Return the tables of the three feeds."""
    return [{"name": name.upper(), "url": f"{server.url}/{name}"} for name in "abc"]


def test_one_feed_that_fails_does_not_stop_the_others(three: Server) -> None:
    three.play(fault.status(500), at="/b")
    items, error = read_all(all_of(three))

    assert [one.channel for one in found(items)] == ["A", "C"]
    assert set(kept(items)) == {"A", "C"}
    assert isinstance(error, Unreachable)
    assert error.problem.startswith("1 of 3 feeds failed: B (")


def test_the_most_telling_failure_is_raised_and_all_are_named(three: Server) -> None:
    three.play(fault.status(500), at="/a")
    three.play(fault.status(403), at="/b")
    _, error = read_all(all_of(three))

    assert isinstance(error, AccessRefused)
    assert error.problem.startswith("2 of 3 feeds failed: A (")
    assert "; B (" in error.problem


def test_one_feeds_long_wait_does_not_blind_us_to_the_others(three: Server) -> None:
    three.play(fault.status(429, {"Retry-After": "80000"}), at="/c")
    _, error = read_all(all_of(three))

    assert isinstance(error, RateLimited)
    assert error.retry_at == NOW + timedelta(hours=1)


def test_a_wait_that_every_feed_asks_for_is_kept(three: Server) -> None:
    three.play(fault.status(429, {"Retry-After": "80000"}))
    _, error = read_all([{**table, "kind": "alerts"} for table in all_of(three)])

    assert isinstance(error, RateLimited)
    assert error.retry_at == NOW + timedelta(seconds=80_000)


def test_robots_txt_is_asked_for_feeds_but_not_for_those_made_for_their_subscriber() -> None:
    routes = {
        "/robots.txt": lambda _: text_reply("User-agent: *\nDisallow: /"),
        "/feed": lambda _: text_reply(rss(item()), kind="text/xml"),
    }
    with Server(routes) as server:
        with pytest.raises(AccessRefused, match=r"robots\.txt"):
            read(server)

        assert len(found(read(server, kind="alerts"))) == 1
        assert len(found(read(server, kind="whatdotheyknow"))) == 1


# ---- secrets and configuration -------------------------------------------------------------------------


def test_a_secret_address_is_read_and_never_shown(three: Server) -> None:
    secret = f"{three.url}/a"
    table = {"name": "Alert", "url_secret": "ALERTS_1", "kind": "alerts"}
    with reader([table], secrets={"MONITOR_ALERTS_1": secret}) as collector:
        items = list(collector.collect(ask()))
        three.play(fault.status(500))
        with pytest.raises(Unreachable) as caught:
            list(collector.collect(ask()))

    assert len(found(items)) == 1
    assert secret not in repr(items)
    assert "/a" not in str(caught.value)


@pytest.mark.parametrize("secrets", [{}, {"MONITOR_ALERTS_1": "htps:/secret-words"}])
def test_a_secret_address_that_is_not_set_fails_that_feed_alone(three: Server, secrets: dict[str, str]) -> None:
    tables = [{"name": "Alert", "url_secret": "ALERTS_1"}, {"name": "A", "url": f"{three.url}/a"}]
    items, error = read_all(tables, secrets)

    assert len(found(items)) == 1
    assert isinstance(error, AccessRefused)
    assert "MONITOR_ALERTS_1" in error.problem
    assert "secret-words" not in error.problem


@pytest.mark.parametrize(
    ("tables", "problem"),
    [
        ([{"name": "A"}], "needs one of url and url_secret"),
        ([{"name": "A", "url": "https://a.example", "url_secret": "S"}], "needs one of url and url_secret"),
        ([{"name": "A", "url": "a.example"}], "not an http"),
        ([{"name": "A", "url": "https://a.example"}, {"name": "A", "url": "https://b.example"}], "two feeds"),
        ([{"name": "A", "url": "https://a.example", "adress": "x"}], "adress"),
        ([{"name": "A", "url": "https://a.example", "kind": "rss"}], "kind"),
    ],
)
def test_a_wrong_configuration_is_refused(tables: list[dict[str, str]], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        feeds.Options.model_validate({"feeds": tables})


def test_without_feeds_the_source_says_what_is_missing() -> None:
    assert "no feed is configured" in feeds.Options().missing()


def test_a_feed_may_stand_for_a_community() -> None:
    [mention] = found(read_body(rss(item()), community="Knaresborough Forum"))

    assert mention.community == "Knaresborough Forum"
    assert mention.channel == "Feed"


# ---- feeds of the real world ---------------------------------------------------------------------------


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the recorded feeds are not here: {SHARED}")
@pytest.mark.parametrize("file", sorted(SHARED.glob("*.xml")), ids=lambda file: file.stem)
def test_recorded_feeds_are_read_to_the_end(file: Path) -> None:
    with Server({"/feed": lambda _: Reply(headers={"Content-Type": "text/xml"}, body=file.read_bytes())}) as server:
        items = read(server, ask(days=365 * 20))

    assert len(found(items)) >= 2
    assert all(one.url.startswith("http") and one.text and "<p>" not in one.text for one in found(items))
    assert all(one.published.year < 2023 for one in found(items))


def test_the_json_of_a_page_is_no_feed() -> None:
    with (
        Server({"/feed": lambda _: json_reply({"error": "moved"})}) as server,
        pytest.raises(UnexpectedShape),
    ):
        read(server)
