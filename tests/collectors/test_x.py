from __future__ import annotations

import json
import logging
import traceback
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from collectors import Tools
from collectors import x as collector_x
from collectors._packing import quoted
from collectors.x import Options, packed
from monitor.errors import (
    AccessRefused,
    ConfigError,
    QuotaSpent,
    RateLimited,
    SourceError,
    UnexpectedShape,
    Unreachable,
)
from monitor.http import Client
from monitor.records import Ask, Bookmark, Gone, Malformed, Mention, Spent, Window, Yielded
from monitor.rehearsal import server as play
from monitor.rehearsal import x as rehearsal
from monitor.rehearsal.server import Reply, Request, Server
from monitor.rehearsal.x import LOOKUP, SEARCH, Post, X, id_at
from monitor.settings import Federation, Reading, Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

SPECIFICATION = Path(__file__).parents[3] / "shared" / "platforms" / "samples" / "x" / "openapi.json"
SAMPLES = SPECIFICATION.parents[1] / "doc_shaped"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PHRASES = ("Boroughbridge High", "King James's School Knaresborough")
SECRET = "planted-bearer-token-never-to-be-seen"


def post(hours: float, text: str = "Well done Boroughbridge High", number: int = 0, **more: Any) -> Post:  # noqa: ANN401
    at = NOW - timedelta(hours=hours)
    return Post(id=id_at(at, number), text=text, created_at=at, **more)


def ask(**more: Any) -> Ask:  # noqa: ANN401
    return Ask(**{"window": Window(start=NOW - timedelta(days=7), end=NOW), "phrases": PHRASES, **more})


@contextmanager
def reader(town: X, *, secret: str | None = None, **options: Any) -> Iterator[tuple[Server, collector_x.X]]:  # noqa: ANN401
    """Give the rehearsal server and a collector that reads it."""
    town.clock = lambda: NOW
    with Server(town.routes) as server, Client(Reading(), Federation()) as http:
        tools = Tools(
            http=http,
            secrets=Secrets({"MONITOR_X_BEARER_TOKEN": secret or town.token}),
            clock=lambda: NOW,
            user_agent="FederationMonitor/test",
        )
        yield server, collector_x.X(Options.model_validate({"api_url": server.url, **options}), tools)


def of(kind: type[Any], items: list[Yielded]) -> list[Any]:
    return [item for item in items if isinstance(item, kind)]


def read(town: X, asked: Ask | None = None, **options: Any) -> list[Yielded]:  # noqa: ANN401
    with reader(town, **options) as (_, collector):
        return list(collector.collect(asked or ask()))


# ---- what a post becomes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("names", ["tweet", "post"])
def test_a_post_is_read_whole_in_both_generations_of_names(names: Literal["tweet", "post"]) -> None:
    parent = id_at(NOW - timedelta(days=2))
    long = "Boroughbridge High says thank you " * 12
    one = post(3, "Boroughbridge High says&amp;…", long=long, reply_to=parent)
    items = read(X([one], names=names), field_names=names)
    [mention] = of(Mention, items)
    assert mention.native_id == one.id
    assert mention.text == long
    assert mention.published == NOW - timedelta(hours=3)
    assert mention.url == f"https://x.com/i/web/status/{one.id}"
    assert mention.language == "en"
    assert mention.edited is None
    # the newer specification names no field that gives author or parent without paying for an expansion
    assert mention.author == ("1000000000000000001" if names == "tweet" else "")
    assert mention.in_reply_to == (parent if names == "tweet" else None)


@pytest.mark.parametrize("name", ["legacy_tweet_names", "openapi2167_post_names"])
def test_the_documented_sample_is_read_in_either_generation_of_names(name: str) -> None:
    file = SAMPLES / f"x_search_recent_{name}.json"
    if not file.exists():
        pytest.skip("../shared/platforms/samples is not here")
    content = json.loads(file.read_text())
    del content["meta"]["next_token"]
    with reader(X()) as (server, collector):
        server.play(lambda _request, _reply: play.json_reply(content))
        items = list(collector.collect(ask()))
    [mention] = of(Mention, items)
    assert mention.native_id == "1990000000000000002"
    assert mention.in_reply_to == "1990000000000000001"
    assert mention.author == "42"
    assert of(Spent, items) == [Spent(calls=1, units=2, pence=0.8)], "the parent came along and is billed"


def test_text_is_given_without_html_escapes_and_unknown_languages_without_a_tag() -> None:
    [mention] = of(Mention, read(X([post(1, "Boroughbridge High &amp; Co &lt;3", lang="und")])))
    assert mention.text == "Boroughbridge High & Co <3"
    assert mention.language == ""


def test_the_query_does_not_become_the_channel_where_it_would_look_like_evidence() -> None:
    [mention] = of(Mention, read(X([post(1)])))
    assert mention.channel == "search"


def test_a_post_without_an_author_is_kept() -> None:
    [mention] = of(Mention, read(X([post(1, author_id="")])))
    assert mention.author == ""


def test_an_edited_post_keeps_the_first_versions_key_and_date_and_takes_the_newest_words() -> None:
    first, second = post(5, "Boroughbridge High is shut"), post(4, "Boroughbridge High is open")
    history = (first.id, second.id)
    town = X([replace(first, history=history), replace(second, history=history)])
    [mention] = of(Mention, read(town))
    assert mention.native_id == first.id
    assert mention.text == "Boroughbridge High is open"
    assert mention.published == NOW - timedelta(hours=5)
    assert mention.edited == NOW - timedelta(hours=4)


# ---- windows, pages, bookmarks ---------------------------------------------------------------------------


def test_every_page_is_read_and_a_post_on_two_pages_or_in_two_queries_comes_once() -> None:
    town = X([post(n, number=n) for n in range(1, 26)], page=10)
    items = read(town)
    assert [m.native_id for m in of(Mention, items)] == [p.id for p in town.posts]
    assert len(of(Spent, items)) == 3

    both = post(2, "Boroughbridge High plays King James's School Knaresborough")
    phrases = (*PHRASES, *(f"{'filler ' * 50}{n}" for n in range(2)))
    with reader(X([both])) as (server, collector):
        items = list(collector.collect(ask(phrases=(*phrases, "plays"))))
        assert server.count(SEARCH) == len(packed((*phrases, "plays"), ()))
    assert len(of(Mention, items)) == 1

    def again(_request: Request, reply: Reply) -> Reply:
        content = json.loads(reply.whole())
        return replace(reply, body=json.dumps({**content, "data": content["data"] * 2}).encode())

    with reader(X([post(1)])) as (server, collector):
        server.play(again)
        assert len(of(Mention, list(collector.collect(ask())))) == 1


def test_the_bookmark_is_the_newest_id_and_comes_after_the_last_page() -> None:
    town = X([post(n, number=n) for n in range(1, 16)], page=10)
    items = read(town)
    assert items[-1] == Bookmark(channel=packed(PHRASES, ())[0], value=town.posts[0].id)
    assert len(of(Bookmark, items)) == 1


def test_a_search_that_stops_half_way_leaves_no_bookmark() -> None:
    town = X([post(n, number=n) for n in range(1, 16)], page=10)
    with reader(town) as (server, collector):
        run = collector.collect(ask())
        got: list[Yielded] = [next(run) for _ in range(11)]
        server.play(rehearsal.rate_limited(reset=int(NOW.timestamp()) + 60))
        with pytest.raises(RateLimited):
            got.extend(run)
    assert len(of(Mention, got)) == 10
    assert of(Bookmark, got) == []


def test_a_fresh_bookmark_is_sent_as_since_id_and_an_old_or_foreign_one_is_not() -> None:
    query = packed(PHRASES, ())[0]
    old, new = post(5), post(1, number=1)
    fresh = {query: old.id}
    with reader(X([old, new])) as (server, collector):
        items = list(collector.collect(ask(bookmarks=fresh)))
        [request] = server.asked(SEARCH)
    assert [m.native_id for m in of(Mention, items)] == [new.id]
    assert request.query["since_id"] == old.id
    assert "start_time" not in request.query
    for value in (id_at(NOW - timedelta(days=8)), id_at(NOW + timedelta(days=8)), "not-an-id", "9" * 40):
        with reader(X([new])) as (server, collector):
            items = list(collector.collect(ask(bookmarks={query: value})))
            [request] = server.asked(SEARCH)
        assert "since_id" not in request.query
        assert len(of(Mention, items)) == 1


def test_a_search_without_news_keeps_its_bookmark() -> None:
    query, old = packed(PHRASES, ())[0], post(5)
    items = read(X([old]), ask(bookmarks={query: old.id}))
    assert items == [Spent(calls=1), Bookmark(channel=query, value=old.id)]


def test_a_window_longer_than_a_week_is_cut_to_what_x_accepts() -> None:
    month = Window(start=NOW - timedelta(days=30), end=NOW)
    assert len(of(Mention, read(X([post(1)]), ask(window=month)))) == 1


def test_an_empty_page_with_a_cursor_is_followed() -> None:
    with reader(X([post(1)])) as (server, collector):
        server.play(rehearsal.empty_page(), times=1)
        assert len(of(Mention, list(collector.collect(ask())))) == 1


def test_a_cursor_that_comes_twice_ends_the_run_as_an_unexpected_shape() -> None:
    with reader(X([post(1)])) as (server, collector):
        server.play(rehearsal.same_cursor())
        with pytest.raises(UnexpectedShape, match="cursor"):
            list(collector.collect(ask()))
        assert server.count(SEARCH) == 2


# ---- money -----------------------------------------------------------------------------------------------


def test_each_page_says_what_it_cost() -> None:
    town = X([post(n, number=n) for n in range(1, 16)], page=10)
    costs = of(Spent, read(town, pence_per_post=0.5))
    assert costs == [Spent(calls=1, units=10, pence=5.0), Spent(calls=1, units=5, pence=2.5)]


@settings(max_examples=20, deadline=None)
@given(pence=st.floats(min_value=0.01, max_value=30), price=st.sampled_from([0.4, 0.5, 1.0, 0.33]))
def test_the_allowance_is_never_exceeded_and_running_out_waits_for_the_next_month(pence: float, price: float) -> None:
    town = X([post(n / 4, number=n) for n in range(1, 200)])
    spent = 0.0
    with reader(town, pence_per_post=price) as (server, collector):
        try:
            for item in collector.collect(ask(allowance=Spent(calls=10**9, units=10**9, pence=pence))):
                spent += item.pence if isinstance(item, Spent) else 0
        except QuotaSpent as error:
            assert error.retry_at == datetime(2026, 12, 1, tzinfo=UTC)  # noqa: PT017 - it need not be raised
        asked = [int(request.query["max_results"]) for request in server.asked(SEARCH)]
    assert spent <= pence + 1e-6
    assert all(10 <= most <= 100 for most in asked)


def test_an_allowance_for_less_than_the_smallest_page_asks_for_nothing() -> None:
    with reader(X([post(1)])) as (server, collector):
        with pytest.raises(QuotaSpent, match="cap"):
            list(collector.collect(ask(allowance=Spent(pence=3.9))))
        assert server.requests == []


# ---- the re-check ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", ["tweet", "post"])
def test_posts_are_asked_for_again_and_deleted_and_protected_ones_are_gone(
    names: Literal["tweet", "post"],
) -> None:
    kept = post(3)
    gone, hidden = post(2, state="deleted"), post(1, state="protected")
    never = "123"
    town = X([kept, gone, hidden], names=names)
    with reader(town, field_names=names) as (_, collector):
        items: list[Any] = list(collector.recheck([kept.id, gone.id, hidden.id, never]))
    assert [m.native_id for m in of(Mention, items)] == [kept.id]
    assert {g.native_id for g in of(Gone, items)} == {gone.id, hidden.id, never}
    assert of(Spent, items) == [Spent(calls=1, units=1, pence=0.4)]


def test_the_recheck_follows_an_old_version_to_the_newest() -> None:
    first, second = post(5, "Boroughbridge High is shut"), post(4, "Boroughbridge High is open")
    history = (first.id, second.id)
    town = X([replace(first, history=history), replace(second, history=history)])
    with reader(town) as (_, collector):
        [mention] = of(Mention, list(collector.recheck([first.id])))
    assert (mention.native_id, mention.text) == (first.id, "Boroughbridge High is open")


def test_a_newest_version_that_is_deleted_is_gone_under_the_key_we_hold() -> None:
    first, second = post(5), post(4, state="deleted")
    town = X([replace(first, history=(first.id, second.id)), second])
    with reader(town) as (_, collector):
        items: list[Any] = list(collector.recheck([first.id]))
    assert of(Gone, items) == [Gone(source="x", native_id=first.id)]
    assert of(Mention, items) == []


def test_the_recheck_asks_for_a_hundred_at_a_time_and_counts_what_x_says_nothing_of() -> None:
    posts = [post(n / 10, number=n) for n in range(1, 151)]
    with reader(X(posts)) as (server, collector):
        assert len(of(Mention, list(collector.recheck([p.id for p in posts])))) == 150
        assert [request.query["ids"].count(",") for request in server.asked(LOOKUP)] == [99, 49]
        server.play(lambda _request, _reply: play.json_reply({"errors": []}))
        [_, unanswered] = collector.recheck([posts[0].id])
    assert isinstance(unanswered, Malformed)


# ---- faults ----------------------------------------------------------------------------------------------


def test_a_rate_limit_says_until_when() -> None:
    with reader(X([post(1)])) as (server, collector):
        server.play(rehearsal.rate_limited(reset=int(NOW.timestamp()) + 321))
        with pytest.raises(RateLimited) as caught:
            list(collector.collect(ask()))
        assert server.count(SEARCH) == 1
    assert caught.value.retry_at == NOW + timedelta(seconds=321)


@pytest.mark.parametrize("reset", ["", "soon", "-5", "9" * 30])
def test_a_rate_limit_that_names_no_second_waits_a_quarter_of_an_hour(reset: str) -> None:
    with reader(X()) as (server, collector):
        server.play(play.status(429, {"x-rate-limit-reset": reset}))
        with pytest.raises(RateLimited) as caught:
            list(collector.collect(ask()))
    assert caught.value.retry_at == NOW + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (rehearsal.expired_token(), AccessRefused),
        (rehearsal.not_enrolled(), AccessRefused),
        (rehearsal.no_credit(), AccessRefused),
        (play.status(400), UnexpectedShape),
        (play.status(404), UnexpectedShape),
        (play.status(500), Unreachable),
        (play.status(503, {"Retry-After": "30"}), RateLimited),
        (play.redirect("https://elsewhere.example/"), UnexpectedShape),
        (play.error_page(), UnexpectedShape),
        (play.body(b'{"hello": "you"}'), UnexpectedShape),
        (play.body(b"[]"), UnexpectedShape),
        (play.body(b"null"), UnexpectedShape),
        (play.body(b'{"data": {"id": "1"}}'), UnexpectedShape),
        (play.body(b'{"meta": {"result_count": 3}}'), UnexpectedShape),
        (play.body(b"[" * 100_000), UnexpectedShape),
        (play.truncated_gzip(), Unreachable),
        (play.gzip_bomb(50), UnexpectedShape),
        (play.reset(), Unreachable),
    ],
)
def test_every_fault_becomes_one_of_the_houses_errors(fault: play.Fault, error: type[SourceError]) -> None:
    with reader(X([post(1)])) as (server, collector):
        server.play(fault)
        with pytest.raises(error) as caught:
            list(collector.collect(ask()))
    assert type(caught.value) is error
    assert caught.value.source == "x"


def test_nobody_at_the_address_is_unreachable() -> None:
    with reader(X()) as (_, collector):
        pass
    with pytest.raises(Unreachable):
        list(collector.collect(ask()))


def test_half_a_character_and_a_nul_in_a_post_cost_neither_the_page_nor_the_post() -> None:
    def half(_request: Request, reply: Reply) -> Reply:
        return replace(reply, body=reply.whole().replace(b"HALF", rb"\ud83d\u0000"))

    with reader(X([post(1, "Boroughbridge High HALF\nsecond line")])) as (server, collector):
        server.play(half)
        [mention] = of(Mention, list(collector.collect(ask())))
    assert mention.text == "Boroughbridge High ?\nsecond line"


def test_what_cannot_be_read_is_counted_without_its_words_and_the_rest_goes_on() -> None:
    with reader(X([post(1)])) as (server, collector):
        server.play(rehearsal.malformed_item())
        server.play(rehearsal.partial_error({"title": "words of a post", "type": "about:/odd"}))
        items = list(collector.collect(ask()))
    assert len(of(Mention, items)) == 1
    assert [m.reason for m in of(Malformed, items)] == [
        "created_at: missing",
        "item: model_type",
        "X reports an error: odd",
    ]


# ---- the token -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [None, rehearsal.expired_token(), rehearsal.rate_limited(reset=0), play.error_page(), play.reset()],
)
def test_the_token_reaches_x_and_nothing_else(fault: play.Fault | None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for library in ("tweepy", "urllib3", "requests"):
        caplog.set_level(logging.DEBUG, logger=library)
    told = ""
    with reader(X([post(1)], token=SECRET), secret=SECRET) as (server, collector):
        if fault:
            server.play(fault)
        try:
            told += repr(list(collector.collect(ask())))
        except SourceError as error:
            told += "".join(traceback.format_exception(error)) + repr(error.__dict__)
            # what the libraries raise holds the request, and with it the token
            shown = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
            told += SECRET if shown else ""
        assert server.requests[0].headers["authorization"] == f"Bearer {SECRET}"
        told += repr(collector.__dict__) + repr(vars(collector._client))
    assert told
    assert "Making API request" in caplog.text, "the test listens where tweepy talks"
    assert SECRET not in told + caplog.text


def test_debug_logging_of_the_whole_program_brings_no_posts_into_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    assert len(of(Mention, read(X([post(1)])))) == 1
    assert "Well done" not in caplog.text


def test_a_missing_token_is_a_configuration_error() -> None:
    with Client(Reading(), Federation()) as http:
        tools = Tools(http=http, secrets=Secrets({}), clock=lambda: NOW, user_agent="test")
        with pytest.raises(ConfigError, match="X_BEARER_TOKEN"):
            collector_x.collector(Options(), tools)


@pytest.mark.parametrize("url", ["ftp://api.x.com", "api.x.com", "http://api.x.com", "https://api.x.com/?a=b"])
def test_a_base_address_that_is_none_or_tells_the_token_to_everybody_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        Options(api_url=url)


# ---- packing ---------------------------------------------------------------------------------------------

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"], exclude_characters='"#'), min_size=1)


@given(
    phrases=st.lists(WORDS.map(lambda word: word[:200]), max_size=40),
    tags=st.lists(st.from_regex(r"\w{1,30}", fullmatch=True), max_size=20),
)
def test_queries_are_short_enough_hold_everything_once_and_leave_no_room(phrases: list[str], tags: list[str]) -> None:
    queries = packed(phrases, tags)
    assert all(len(query) <= 512 for query in queries)
    packs = [query.removeprefix("(").removesuffix(") -is:retweet").split(" OR ") for query in queries]
    wanted = dict.fromkeys((*quoted(phrases), *(f"#{tag}" for tag in tags)))
    assert sorted(term for pack in packs for term in pack) == sorted(wanted)
    for number, pack in enumerate(packs):
        # first fit: what stands in a later query found no room in an earlier one
        assert all(len(queries[earlier]) + len(f" OR {pack[0]}") > 512 for earlier in range(number))


def test_quotation_marks_and_line_breaks_inside_a_phrase_do_not_end_it() -> None:
    assert packed(['a "b" \n c', ' " '], ["#KJS"]) == ('("a b c" OR #KJS) -is:retweet',)


def test_a_phrase_that_no_query_can_hold_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="too long"):
        packed(["x" * 512], [])


# ---- the rehearsal itself --------------------------------------------------------------------------------


def test_every_rehearsed_answer_is_of_the_published_shape() -> None:
    if not SPECIFICATION.exists():
        pytest.skip("../shared/platforms/samples is not here")
    components = json.loads(SPECIFICATION.read_text())["components"]
    replies: list[tuple[str, bytes]] = []

    def note(request: Request, reply: Reply) -> Reply:
        replies.append((request.path, reply.whole()))
        return reply

    parent = id_at(NOW - timedelta(days=2))
    history = (post(5).id, post(4).id)
    posts = [
        replace(post(5), history=history),
        replace(post(4), history=history, reply_to=parent, long="Boroughbridge High " * 30),
        post(3, state="deleted"),
        post(2, state="protected"),
    ]
    with reader(X(posts, names="post", page=1), field_names="post") as (server, collector):
        server.play(note)
        list(collector.collect(ask()))
        list(collector.collect(ask(phrases=("nobody says this",))))
        list(collector.recheck([one.id for one in posts]))
    assert len(replies) == 4
    for path, body in replies:
        shape = "SearchPostsRecentResponse" if path == SEARCH else "GetPostsByIdsResponse"
        content = json.loads(body)
        jsonschema.validate(content, {"$ref": f"#/components/schemas/{shape}", "components": components})
        assert set(content) <= {"data", "errors", "meta", "includes"}
