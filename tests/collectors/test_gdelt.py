from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import Tools
from collectors import gdelt as collector_gdelt
from collectors.gdelt import LONGEST_QUERY, Options, packed
from monitor.errors import AccessRefused, ConfigError, RateLimited, SourceError, UnexpectedShape, Unreachable
from monitor.http import Client
from monitor.records import Ask, Bookmark, Malformed, Mention, Spent, Window, Yielded
from monitor.rehearsal import gdelt as rehearsal
from monitor.rehearsal import server as play
from monitor.rehearsal.gdelt import SEARCH, Article, Gdelt
from monitor.rehearsal.server import Server
from monitor.settings import Federation, Reading, Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PHRASES = ("Boroughbridge High", "King James's School Knaresborough")
QUERY = '("Boroughbridge High" OR "King James\'s School Knaresborough") sourcecountry:UK'


def article(number: int, hours: float = 1, title: str = "Boroughbridge High wins", **more: Any) -> Article:  # noqa: ANN401
    return Article(path=f"/{number}", title=title, seen=NOW - timedelta(hours=hours), **more)


def ask(hours: float = 24, **more: Any) -> Ask:  # noqa: ANN401
    window = Window(start=NOW - timedelta(hours=hours), end=NOW)
    return Ask(**{"window": window, "phrases": PHRASES, **more})


@contextmanager
def reader(*articles: Article) -> Iterator[tuple[Server, collector_gdelt.Gdelt]]:
    """Give the rehearsal server and a collector that reads it."""
    with (
        Server(Gdelt(list(articles)).routes) as server,
        Client(Reading(private_hosts=(server.host,)), Federation(), lambda: NOW) as http,
    ):
        tools = Tools(http=http, secrets=Secrets({}), clock=lambda: NOW, user_agent=http.user_agent)
        yield server, collector_gdelt.Gdelt(Options.model_validate({"api_url": server.url}), tools)


def of(kind: type[Any], items: Sequence[object]) -> list[Any]:
    return [item for item in items if isinstance(item, kind)]


def read(*articles: Article, **more: Any) -> list[Yielded]:  # noqa: ANN401
    with reader(*articles) as (_, collector):
        return list(collector.collect(ask(**more)))


def test_an_article_is_its_headline_and_its_link() -> None:
    title = "Boroughbridge High &amp; friends <b>win</b>"
    items = read(article(1, title=title))
    assert of(Mention, items) == [
        Mention(
            source="gdelt",
            native_id="https://courier.example/1",
            url="https://courier.example/1",
            text="Boroughbridge High & friends win",
            title="Boroughbridge High & friends win",
            published=NOW - timedelta(hours=1),
            community="courier.example",
            channel="search",
            language="en",
        )
    ]
    assert of(Spent, items) == [Spent(calls=1)]


def test_one_page_under_two_addresses_has_one_key() -> None:
    tracked = Article(path="/1?utm_source=x", title="Boroughbridge High", seen=NOW - timedelta(hours=2))
    assert {m.native_id for m in of(Mention, read(article(1), tracked))} == {"https://courier.example/1"}


def test_a_run_asks_one_question_with_all_names_and_the_window() -> None:
    with reader() as (server, collector):
        list(collector.collect(ask()))
        [request] = server.requests
    assert request.query == {
        "query": QUERY,
        "mode": "artlist",
        "format": "json",
        "maxrecords": "250",
        "sort": "dateasc",
        "startdatetime": "20261121090000",
        "enddatetime": "20261122090000",
    }


def test_names_that_do_not_fit_are_asked_in_turn_and_none_is_left_behind() -> None:
    phrases = tuple(f"{name} school of many words {'x' * 80}" for name in ("first", "second", "third", "fourth"))
    bookmarks: dict[str, str] = {}
    asked = []
    with reader() as (server, collector):
        for _ in packed(phrases):
            items = list(collector.collect(ask(phrases=phrases, bookmarks=bookmarks)))
            bookmarks |= {mark.channel: mark.value for mark in of(Bookmark, items)}
        asked = [request.query["query"] for request in server.requests]
    assert len(packed(phrases)) > 1
    assert sorted(asked) == sorted(packed(phrases))


def test_a_query_goes_on_where_it_was_left_but_never_more_than_thirty_days_back() -> None:
    for left, start in ((timedelta(hours=30), "20261121030000"), (timedelta(days=60), "20261023090000")):
        with reader() as (server, collector):
            list(collector.collect(ask(bookmarks={QUERY: (NOW - left).isoformat()})))
            assert server.requests[0].query["startdatetime"] == start


@pytest.mark.parametrize("mark", ["nonsense", "2026-11-22T08:30:00"])
def test_a_bookmark_that_is_none_or_newer_than_the_window_asks_for_the_window(mark: str) -> None:
    with reader() as (server, collector):
        list(collector.collect(ask(bookmarks={QUERY: mark})))
        assert server.requests[0].query["startdatetime"] == "20261121090000"


def test_a_span_is_never_shorter_than_gdelt_accepts() -> None:
    with reader() as (server, collector):
        list(collector.collect(ask(hours=0.05)))
        assert server.requests[0].query["startdatetime"] == "20261122084500"


def test_a_full_answer_is_counted_and_the_next_run_goes_on_from_its_newest_article() -> None:
    many = [article(n, hours=20 - n / 20) for n in range(300)]
    with reader(*many) as (_, collector):
        first = list(collector.collect(ask()))
        [mark] = of(Bookmark, first)
        assert len(of(Mention, first)) == 250
        assert len(of(Malformed, first)) == 1
        second = list(collector.collect(ask(hours=2, bookmarks={mark.channel: mark.value})))
    assert {m.url for m in of(Mention, first + second)} == {f"https://courier.example/{n}" for n in range(300)}
    assert of(Bookmark, second) == [Bookmark(channel=QUERY, value=NOW.isoformat())]


def test_nothing_found_is_an_empty_answer_and_a_bookmark() -> None:
    assert read() == [Spent(calls=1), Bookmark(channel=QUERY, value=NOW.isoformat())]


def test_without_names_nothing_is_asked() -> None:
    with reader() as (server, collector):
        assert list(collector.collect(ask(phrases=()))) == []
        assert server.requests == []


def test_careless_json_is_read_all_the_same() -> None:
    with reader(article(1)) as (server, collector):
        server.play(rehearsal.careless_json(), at=SEARCH)
        [mention] = of(Mention, list(collector.collect(ask())))
    assert mention.text == "Borough bridge \\& High wins"


@pytest.mark.parametrize("fault", [rehearsal.rate_limited(), rehearsal.rate_limited_with_status_200()])
def test_a_wish_for_patience_is_understood_whatever_its_status(fault: play.Fault) -> None:
    with reader(article(1)) as (server, collector):
        server.play(fault, at=SEARCH)
        with pytest.raises(RateLimited) as caught:
            list(collector.collect(ask()))
        assert server.count(SEARCH) == 1
    assert caught.value.retry_at == NOW + timedelta(minutes=15)


def test_a_refusal_in_words_is_told_and_leaves_no_bookmark() -> None:
    with reader(article(1)) as (server, collector):
        server.play(rehearsal.refused_in_words(), at=SEARCH)
        items: list[Yielded] = []
        with pytest.raises(UnexpectedShape, match="too short or too long"):
            items.extend(collector.collect(ask()))  # extend keeps what came before the error
    assert not of(Bookmark, items)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (play.status(403), AccessRefused),
        (play.status(404), UnexpectedShape),
        (play.status(500), Unreachable),
        (play.error_page(), UnexpectedShape),
        (play.body(b"[1]"), UnexpectedShape),
        (play.body(b'{"articles": 3}'), UnexpectedShape),
        (play.body(b'{"articles": [{"'), UnexpectedShape),
        (play.body(b"\xff\xfe\x00"), UnexpectedShape),
        (play.body(b"[" * 100_000), UnexpectedShape),
        (play.truncated_gzip(), Unreachable),
        (play.gzip_bomb(30), UnexpectedShape),
        (play.reset(), Unreachable),
    ],
)
def test_every_fault_becomes_one_of_the_houses_errors(fault: play.Fault, error: type[SourceError]) -> None:
    with reader(article(1)) as (server, collector):
        server.play(fault, at=SEARCH)
        with pytest.raises(error):
            list(collector.collect(ask()))


def test_what_cannot_be_read_is_counted_and_the_rest_goes_on() -> None:
    with reader(article(1)) as (server, collector):
        server.play(rehearsal.malformed_item(), at=SEARCH)
        items = list(collector.collect(ask()))
    assert len(of(Mention, items)) == 1
    assert [m.reason for m in of(Malformed, items)] == ["url: value_error", "seendate: value_error", "item: model_type"]


def test_an_article_without_a_headline_is_counted() -> None:
    assert of(Malformed, read(article(1, title="<b></b>", body="Boroughbridge High"))) == [
        Malformed(reason="an article without a headline")
    ]


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8"), max_size=90), max_size=20))
def test_queries_are_short_enough_and_of_the_form_that_gdelt_accepts(phrases: list[str]) -> None:
    for query in packed(tuple(phrases)):
        assert len(query) <= LONGEST_QUERY
        assert query.endswith(" sourcecountry:UK")
        assert (" OR " in query) <= query.startswith("(")
        assert query.count('"') % 2 == 0


def test_a_single_word_stands_without_quotation_marks() -> None:
    assert packed(("Boroughbridge",)) == ("Boroughbridge sourcecountry:UK",)


def test_a_phrase_that_no_query_can_hold_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError):
        packed(("x " * 200,))
