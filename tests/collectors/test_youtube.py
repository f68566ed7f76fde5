from __future__ import annotations

import json
import logging
import traceback
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from collectors import Tools
from collectors import youtube as collector_youtube
from collectors.youtube import Options, names_us
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
from monitor.rehearsal import youtube as rehearsal
from monitor.rehearsal.server import Reply, Request, Server
from monitor.rehearsal.youtube import COMMENTS, READING, SEARCH, THREADS, VIDEOS, Clip, Remark, YouTube
from monitor.settings import Federation, Reading, Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PHRASES = ("Boroughbridge High",)
SECRET = "planted-api-key-never-to-be-seen"
OURS = "UCourchannel000000000001"
DAY = timedelta(days=1)


def clip(number: int = 1, hours: float = 1, title: str = "Boroughbridge High from the air", **more: Any) -> Clip:  # noqa: ANN401
    return Clip(id=f"video{number:06}", title=title, published=NOW - timedelta(hours=hours), **more)


def remark(number: int, video: Clip, hours: float = 1, text: str = "Lovely", **more: Any) -> Remark:  # noqa: ANN401
    return Remark(
        id=f"Ugcomment{number:017}", text=text, published=NOW - timedelta(hours=hours), video=video.id, **more
    )


def ask(**more: Any) -> Ask:  # noqa: ANN401
    return Ask(**{"window": Window(start=NOW - 7 * DAY, end=NOW), "phrases": PHRASES, **more})


@contextmanager
def reader(
    town: YouTube,
    *,
    secret: str | None = None,
    **options: Any,  # noqa: ANN401
) -> Iterator[tuple[Server, collector_youtube.YouTube]]:
    """Give the rehearsal server and a collector that reads it."""
    with (
        Server(town.routes) as server,
        Client(Reading(private_hosts=(server.host,)), Federation(), lambda: NOW) as http,
    ):
        tools = Tools(
            http=http,
            secrets=Secrets({"MONITOR_YOUTUBE_API_KEY": secret or town.key}),
            clock=lambda: NOW,
            user_agent=http.user_agent,
        )
        yield server, collector_youtube.YouTube(Options.model_validate({"api_url": server.url, **options}), tools)


def of(kind: type[Any], items: list[Any]) -> list[Any]:
    return [item for item in items if isinstance(item, kind)]


def read(town: YouTube, asked: Ask | None = None, **options: Any) -> list[Yielded]:  # noqa: ANN401
    with reader(town, **options) as (_, collector):
        return list(collector.collect(asked or ask()))


def keys(items: list[Any]) -> list[str]:
    return [mention.native_id for mention in of(Mention, items)]


# ---- what a video and a comment become ---------------------------------------------------------------------


@pytest.mark.parametrize("coarse", [False, True], ids=["with milliseconds", "without"])
def test_a_video_is_read_whole_and_without_html_escapes(coarse: bool) -> None:  # noqa: FBT001
    one = clip(title="Boroughbridge High & <friends>", description="A long walk " * 60, coarse=coarse)
    [mention] = of(Mention, read(YouTube([one])))
    assert mention.native_id == one.id
    assert mention.title == "Boroughbridge High & <friends>"
    assert mention.text == one.description
    assert mention.published == NOW - timedelta(hours=1)
    assert mention.url == f"https://www.youtube.com/watch?v={one.id}"
    assert mention.author == "Invented Films"
    assert mention.community == "", "the name of somebody's channel is somebody's name"
    assert mention.language == "en-GB"
    assert mention.channel == "search"


def test_a_video_without_description_speaks_by_its_title() -> None:
    [mention] = of(Mention, read(YouTube([clip()])))
    assert mention.text == mention.title == "Boroughbridge High from the air"


def test_a_comment_carries_the_title_it_stands_under_and_its_place() -> None:
    one = clip()
    said = remark(1, one, text="It's <b>cold</b> &amp; wet", edited=NOW - timedelta(minutes=5))
    mention = of(Mention, read(YouTube([one], [said])))[-1]
    assert mention.native_id == f"{one.id}/{said.id}"
    assert mention.text == "It's <b>cold</b> &amp; wet", "asked for as plain text, nothing is an escape"
    assert mention.title == one.title
    assert mention.url == f"https://www.youtube.com/watch?v={one.id}&lc={said.id}"
    assert mention.author == "@invented-viewer"
    assert mention.in_reply_to == one.id
    assert mention.edited == NOW - timedelta(minutes=5)


def test_a_comment_without_an_author_is_kept_and_one_never_edited_says_so() -> None:
    one = clip()
    mention = of(Mention, read(YouTube([one], [remark(1, one, author="")])))[-1]
    assert mention.author == ""
    assert mention.edited is None


def test_a_comment_without_words_is_counted() -> None:
    one = clip()
    items = read(YouTube([one], [remark(1, one, text="")]))
    assert keys(items) == [one.id]
    assert [item.reason for item in of(Malformed, items)] == [
        "snippet.topLevelComment.snippet.textDisplay: value_error"
    ]


def test_half_characters_and_nul_do_not_break_a_page() -> None:
    def broken(_request: Request, reply: Reply) -> Reply:
        return replace(reply, body=reply.whole().replace(b"from the air", b"\\u0000\\ud83d"))

    with reader(YouTube([clip(), clip(2, title="Boroughbridge High choir")])) as (server, collector):
        server.play(broken, at=VIDEOS)
        titles = [mention.title for mention in of(Mention, list(collector.collect(ask())))]
    assert titles == ["Boroughbridge High ?", "Boroughbridge High choir"]


def test_an_answer_comes_with_its_parent_and_many_answers_are_all_read() -> None:
    one = clip()
    top = remark(1, one)
    answers = [remark(n, one, hours=n / 10, parent=top.id) for n in range(2, 12)]
    with reader(YouTube([one], [top, *answers])) as (server, collector):
        mentions = of(Mention, list(collector.collect(ask())))
        assert server.count(COMMENTS) == 1
    assert {m.native_id for m in mentions} == {one.id, *(f"{one.id}/{r.id}" for r in (top, *answers))}
    assert {m.in_reply_to for m in mentions[2:]} == {f"{one.id}/{top.id}"}


# ---- our own channels --------------------------------------------------------------------------------------


def test_comments_on_our_own_channel_are_read_and_what_we_say_ourselves_is_not() -> None:
    mine = clip(title="Open evening", channel=OURS, channel_name="Our School", comments_off=False)
    town = YouTube([mine], [remark(1, mine), remark(2, mine, channel=OURS)])
    [mention] = of(Mention, read(town, channels=[OURS]))
    assert mention.title == "Open evening"
    assert mention.community == "Our School", "our own channel's name tells whom a bare comment is about"


def test_our_own_videos_are_nobodys_mention() -> None:
    assert of(Mention, read(YouTube([clip(channel=OURS)]), channels=[OURS])) == []


def test_an_old_thread_with_a_new_answer_is_read() -> None:
    mine = clip(title="Open evening", channel=OURS)
    top = remark(1, mine, hours=24 * 20)
    town = YouTube([mine], [top, remark(2, mine, parent=top.id)])
    assert keys(read(town, channels=[OURS])) == [f"{mine.id}/{remark(2, mine).id}"]


# ---- windows, pages, what is followed ------------------------------------------------------------------------


def test_only_what_was_published_in_the_window_is_given() -> None:
    one = clip(hours=2)
    window = Window(start=NOW - timedelta(hours=3), end=NOW - timedelta(hours=1))
    comments = [remark(1, one, hours=0.5), remark(2, one, hours=1.5)]
    items = read(YouTube([one, clip(2, hours=4)], comments), ask(window=window))
    assert keys(items) == [one.id, f"{one.id}/{comments[1].id}"]


def test_reading_stops_at_the_first_page_that_is_all_too_old() -> None:
    one = clip()
    old = [remark(n, one, hours=24 * 8 + n) for n in range(10)]
    with reader(YouTube([one], old, page=2)) as (server, collector):
        list(collector.collect(ask()))
        assert server.count(THREADS) == 1


def test_a_thing_on_two_pages_or_found_by_two_names_comes_once() -> None:
    def twice(_request: Request, reply: Reply) -> Reply:
        content = json.loads(reply.whole())
        return replace(reply, body=json.dumps({**content, "items": content["items"] * 2}).encode())

    one = clip()
    with reader(YouTube([one], [remark(1, one)])) as (server, collector):
        server.play(twice)
        items = list(collector.collect(ask(phrases=(*PHRASES, "from the air"), tags=("BoroughbridgeHigh",))))
        assert [request.query["q"] for request in server.asked(SEARCH)] == [
            '"Boroughbridge High"',
            '"from the air"',
            "#BoroughbridgeHigh",
        ]
    assert len(keys(items)) == 2


def test_a_found_video_is_followed_for_new_comments_as_long_as_it_is_young() -> None:
    one, old = clip(hours=24 * 10), clip(2, hours=24 * 40)
    window = Window(start=NOW - timedelta(hours=6), end=NOW)
    town = YouTube([one, old], [remark(1, one), remark(2, old)])
    items = read(town, ask(window=window, bookmarks={"videos": f"{one.id} {old.id} not-an-id !!"}))
    assert keys(items) == [f"{one.id}/{remark(1, one).id}"]
    assert items[-1] == Bookmark(channel="videos", value=one.id)


def test_comments_are_read_under_videos_that_name_us_and_only_under_them() -> None:
    loose = clip(description="#BoroughbridgeHigh", title="A walk")
    town = YouTube([loose], [remark(1, loose)])
    assert len(keys(read(town, ask(tags=("BoroughbridgeHigh",))))) == 2
    other = clip(title="The air over York", description="from the air")
    assert keys(read(YouTube([other], [remark(1, other)]), ask(phrases=("York",), tags=()))) == [
        other.id,
        f"{other.id}/{remark(1, other).id}",
    ]

    def resembling(_request: Request, reply: Reply) -> Reply:
        return replace(reply, body=json.dumps({"items": [{"id": {"videoId": other.id}}]}).encode())

    with reader(YouTube([other], [remark(1, other)])) as (server, collector):
        server.play(resembling, at=SEARCH)
        assert keys(list(collector.collect(ask()))) == [other.id]
        assert server.count(THREADS) == 0


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("King James\u2019s School, in Knaresborough", True),
        ("KING JAMESS SCHOOL Knaresborough", True),
        ("King James's School, Almondbury", False),
        ("", False),
    ],
)
def test_a_name_is_found_whatever_stands_between_its_words(words: str, named: bool) -> None:  # noqa: FBT001
    assert names_us(words, ("King James's School Knaresborough", "")) is named


def test_comments_that_are_switched_off_are_passed_over_and_paid_for() -> None:
    off, on = clip(1, comments_off=True), clip(2, hours=2)
    items = read(YouTube([off, on], [remark(1, on)]))
    assert keys(items) == [off.id, on.id, f"{on.id}/{remark(1, on).id}"]
    assert of(Malformed, items) == []
    assert sum(spent.units for spent in of(Spent, items)) == 3


def test_a_video_that_goes_while_we_read_is_passed_over() -> None:
    one = clip()
    gone = replace(one, deleted=True)
    town = YouTube([one], [remark(1, one)])

    def vanish(_request: Request, reply: Reply) -> Reply:
        town.videos = [gone]
        return reply

    with reader(town) as (server, collector):
        server.play(vanish, at=VIDEOS, times=1)
        assert keys(list(collector.collect(ask()))) == [one.id]


def test_an_empty_page_with_a_cursor_is_followed() -> None:
    with reader(YouTube([clip()])) as (server, collector):
        server.play(rehearsal.empty_page(), at=SEARCH, times=1)
        assert len(keys(list(collector.collect(ask())))) == 1


def test_a_cursor_that_comes_twice_ends_the_run_as_an_unexpected_shape() -> None:
    one = clip()
    with reader(YouTube([one], [remark(1, one)])) as (server, collector):
        server.play(rehearsal.same_cursor(), at=THREADS)
        with pytest.raises(UnexpectedShape, match="cursor"):
            list(collector.collect(ask()))
        assert server.count(THREADS) == 2


def test_more_results_than_are_read_are_counted() -> None:
    items = read(YouTube([clip(n) for n in range(5)], page=2))
    assert len(keys(items)) == 4
    assert [item.reason for item in of(Malformed, items)] == ["more than 2 pages: what lies behind them is not read"]


# ---- what it costs -------------------------------------------------------------------------------------------


def test_searches_are_calls_and_everything_else_is_units() -> None:
    one = clip()
    items = read(YouTube([one], [remark(1, one)]))
    assert of(Spent, items) == [Spent(calls=1), Spent(units=1), Spent(units=1)]


@settings(max_examples=15, deadline=None)
@given(calls=st.integers(0, 4), units=st.integers(0, 6))
def test_the_allowance_is_never_exceeded_and_running_out_waits_for_tomorrow(calls: int, units: int) -> None:
    videos = [clip(n, hours=n + 1) for n in range(4)]
    spent = Spent()
    with reader(YouTube(videos, [remark(n, videos[0]) for n in range(5)], page=2)) as (_, collector):
        try:
            for item in collector.collect(ask(allowance=Spent(calls=calls, units=units))):
                spent += item if isinstance(item, Spent) else Spent()
        except QuotaSpent as error:
            assert error.retry_at == datetime(2026, 11, 23, tzinfo=UTC)  # noqa: PT017 - it need not be raised
        else:
            assert (calls, units) >= (2, 1)
    assert spent.calls <= calls
    assert spent.units <= units


def test_an_empty_purse_asks_for_nothing() -> None:
    with reader(YouTube([clip()])) as (server, collector):
        with pytest.raises(QuotaSpent):
            list(collector.collect(ask(allowance=Spent(units=100))))
        assert server.requests == []


# ---- the re-check ------------------------------------------------------------------------------------------


def test_videos_and_comments_are_asked_for_again_and_missing_ones_are_gone() -> None:
    kept, lost = clip(1), clip(2, deleted=True)
    here = remark(1, kept, text="Changed", edited=NOW)
    away, under_lost = remark(2, kept, deleted=True), remark(3, lost)
    town = YouTube([kept, lost], [here, away, under_lost])
    comments = [f"{kept.id}/{here.id}", f"{kept.id}/{away.id}", f"{lost.id}/{under_lost.id}"]
    with reader(town) as (_, collector):
        items: list[Any] = list(collector.recheck([kept.id, lost.id, *comments]))
    assert keys(items) == [kept.id, comments[0]]
    assert {gone.native_id for gone in of(Gone, items)} == {lost.id, comments[1], comments[2]}
    assert of(Spent, items) == [Spent(units=1), Spent(units=1)]


def test_a_comment_reads_the_same_when_it_is_asked_for_again() -> None:
    mine = clip(channel=OURS, channel_name="Our School")
    top = remark(1, mine)
    town = YouTube([mine], [top, remark(2, mine, hours=0.5, parent=top.id)])
    with reader(town, channels=[OURS]) as (_, collector):
        first = of(Mention, list(collector.collect(ask())))
        again: list[Any] = list(collector.recheck([mention.native_id for mention in first]))
    assert sorted(of(Mention, again), key=lambda m: m.native_id) == sorted(first, key=lambda m: m.native_id)


def test_many_are_asked_for_in_addresses_that_are_not_too_long() -> None:
    one = clip()
    top = remark(0, one)
    answers = [replace(remark(n, one, parent=top.id), id=f"{top.id}.{'z' * 20}{n:03}") for n in range(60)]
    with reader(YouTube([one], [top, *answers])) as (server, collector):
        items: list[Any] = list(collector.recheck([f"{one.id}/{answer.id}" for answer in answers]))
        assert {request.verb for request in server.requests} == {"GET"}
    assert len(of(Mention, items)) == 60


def test_an_answer_to_something_else_is_counted_and_makes_nothing_known() -> None:
    one, other = clip(1), clip(2)

    def wrong(_request: Request, reply: Reply) -> Reply:
        return replace(reply, body=reply.whole().replace(one.id.encode(), other.id.encode()))

    with reader(YouTube([one])) as (server, collector):
        server.play(wrong, at=VIDEOS)
        items: list[Any] = list(collector.recheck([one.id]))
    assert of(Mention, items) == []
    assert of(Malformed, items) == [Malformed(reason="an answer to something that was not asked for")]
    assert of(Gone, items) == [Gone(source="youtube", native_id=one.id)]


# ---- what goes wrong -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [rehearsal.quota_spent(), rehearsal.old_quota_spent()], ids=["429", "403"])
def test_a_spent_quota_waits_for_midnight_in_california(fault: play.Fault) -> None:
    with reader(YouTube([clip()])) as (server, collector):
        server.play(fault, at=SEARCH)
        with pytest.raises(RateLimited) as caught:
            list(collector.collect(ask()))
    assert caught.value.retry_at == datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_too_many_in_a_minute_waits_for_minutes() -> None:
    with reader(YouTube([clip()])) as (server, collector):
        server.play(rehearsal.too_fast())
        with pytest.raises(RateLimited) as caught:
            list(collector.collect(ask()))
    assert caught.value.retry_at == NOW + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (play.status(500), Unreachable),
        (play.reset(), Unreachable),
        (play.truncated_gzip(), Unreachable),
        (play.gzip_bomb(20), UnexpectedShape),
        (play.error_page(), UnexpectedShape),
        (play.body(b"[]", "application/json"), UnexpectedShape),
        (play.body(b"\xff\xfe", "application/json"), UnexpectedShape),
        (play.body(b"[" * 100_000, "application/json"), UnexpectedShape),
        (play.body(b'{"items": {}}', "application/json"), UnexpectedShape),
        (play.json_status(404, {"error": {"errors": [{"reason": "channelNotFound"}]}}), UnexpectedShape),
        (play.json_status(403, ["not what Google says"]), AccessRefused),
        (rehearsal.forbidden(), AccessRefused),
        (rehearsal.wrong_key(), AccessRefused),
    ],
)
def test_each_fault_is_one_error_of_the_tree(fault: play.Fault, error: type[SourceError]) -> None:
    with reader(YouTube([clip()]), channels=[OURS]) as (server, collector):
        server.play(fault)
        with pytest.raises(SourceError) as caught:
            list(collector.collect(ask()))
    assert type(caught.value) is error or issubclass(type(caught.value), error)
    assert caught.value.source == "youtube"


@settings(max_examples=30, deadline=None)
@given(
    wire=st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["id", "snippet", "videoId", "publishedAt"]), inner)
        ),
    )
)
def test_any_item_is_read_or_counted(wire: Any) -> None:  # noqa: ANN401
    with reader(YouTube([clip()])) as (server, collector):
        server.play(play.body(json.dumps({"items": [wire]}).encode(), "application/json"), at=SEARCH)
        assert all(not isinstance(item, Mention) for item in collector.collect(ask()))


@pytest.mark.parametrize(
    "fault",
    [
        play.reset(),
        play.status(500),
        play.error_page(),
        rehearsal.wrong_key(SECRET),
        rehearsal.forbidden(),
        rehearsal.quota_spent(),
        play.redirect("http://127.0.0.1:9/elsewhere"),
    ],
)
def test_the_key_is_in_no_error_no_log_and_no_address(fault: play.Fault, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with reader(YouTube([clip()], key=SECRET), secret=SECRET) as (server, collector):
        server.play(fault)
        with pytest.raises(SourceError) as caught:
            list(collector.collect(ask()))
        assert all(SECRET not in f"{request.path}{request.query}" for request in server.requests)
        assert server.requests[0].headers["x-goog-api-key"] == SECRET
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(collector)
    assert SECRET not in shown


def test_no_mention_holds_the_key() -> None:
    one = clip()
    with reader(YouTube([one], [remark(1, one)], key=SECRET), secret=SECRET) as (server, collector):
        items = list(collector.collect(ask()))
        assert server.count(READING) == len(server.requests)
    assert len(keys(items)) == 2
    assert SECRET not in repr(items)


def test_without_a_key_the_error_names_it() -> None:
    with Client(Reading(), Federation()) as http:
        tools = Tools(http=http, secrets=Secrets({}), clock=lambda: NOW, user_agent="test")
        with pytest.raises(ConfigError, match="MONITOR_YOUTUBE_API_KEY"):
            collector_youtube.collector(Options(), tools)


@pytest.mark.parametrize(
    "wrong",
    [{"channels": ["@handle"]}, {"api_url": "http://api.example.org"}, {"region": "gb"}, {"chanels": []}],
)
def test_wrong_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(wrong)
