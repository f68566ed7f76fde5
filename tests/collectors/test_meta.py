"""What Facebook, Instagram and Threads keep alike: Meta's errors, pages and tokens, whichever platform it is."""

from __future__ import annotations

import json
import logging
import traceback
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import facebook, instagram, threads
from collectors._graph import MOST_PAGES
from monitor.errors import (
    AccessRefused,
    ConfigError,
    QuotaSpent,
    RateLimited,
    SourceError,
    UnexpectedShape,
    Unreachable,
)
from monitor.records import Ask, Gone, Malformed, Mention, Spent, Window
from monitor.rehearsal import facebook as fake_facebook
from monitor.rehearsal import instagram as fake_instagram
from monitor.rehearsal import meta
from monitor.rehearsal import server as play
from monitor.rehearsal import threads as fake_threads
from monitor.rehearsal.threads import MENTIONS, SEARCH
from tests.collectors.readings import keys, of, reading, without_secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from monitor.records import Yielded
    from monitor.rehearsal.server import Fault, Reply, Request, Server
    from tests.collectors.readings import Reader, Town

NOW: Final = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
WEEK: Final = Window(start=NOW - timedelta(days=7), end=NOW)
SECRET: Final = "planted-token-never-to-be-seen"
PAGE_SECRET: Final = "planted-page-token-never-to-be-seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One of the three, on which three posts stand.

    Attributes:
        module: the collector.
        town: page size -> its fake, opened by `SECRET`.
        table: the server's URL -> the collector's options.
        posts: keys of what stands there.
        lists: the paths of lists that have a cursor to each page; the posts stand in the first.
        read: the paths of a run.
        item: the fields of a post.
    """

    module: Any
    town: Callable[[int], Town]
    table: dict[str, Any]
    posts: tuple[str, ...]
    lists: tuple[str, ...]
    read: tuple[str, ...]
    item: tuple[str, ...]

    @property
    def listed(self) -> str:
        """Where the posts stand."""
        return self.lists[0]

    def reading(self, size: int = 50) -> AbstractContextManager[tuple[Server, Reader]]:
        """Start it, and give the collector that reads it."""
        return reading(
            self.module,
            self.town(size),
            lambda url: {"graph_url": f"{url}{meta.VERSION}", **self.table},
            now=NOW,
        )

    def ask(self, allowance: Spent | None = None) -> Ask:
        """Ask for a week."""
        return Ask(window=WEEK, phrases=("Boroughbridge High",), tags=("BoroughbridgeHigh",), allowance=allowance)

    def error(self, fault: Fault, at: str) -> SourceError:
        """Return what a run raises that meets a fault."""
        with self.reading() as (server, reader):
            server.play(fault, at=at)
            with pytest.raises(SourceError) as caught:
                list(reader.collect(self.ask()))
        return caught.value


def _ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def _facebook(size: int) -> fake_facebook.Facebook:
    posts = [fake_facebook.Post(id=f"101_{n}", text="When is the open evening?", created=_ago(n)) for n in (1, 2, 3)]
    return fake_facebook.Facebook([fake_facebook.Page(token=PAGE_SECRET)], posts, size=size, token=SECRET)


def _instagram(size: int) -> fake_instagram.Instagram:
    posts = [fake_instagram.Post(id=f"50{n}", text="Great day", created=_ago(n)) for n in (1, 2, 3)]
    return fake_instagram.Instagram(posts=posts, size=size, token=SECRET)


def _threads(size: int) -> fake_threads.Threads:
    posts = [
        fake_threads.Post(id=f"80{n}", text="Well done Boroughbridge High", created=_ago(n), mentions_us=True)
        for n in (1, 2, 3)
    ]
    return fake_threads.Threads(posts, size=size, token=SECRET)


ACCOUNT = f"{meta.VERSION}/{fake_instagram.ACCOUNT}"
PLATFORMS: Final = {
    "facebook": Platform(
        module=facebook,
        town=_facebook,
        table={"pages": ["101"]},
        posts=("101_1", "101_2", "101_3"),
        lists=(f"{meta.VERSION}/101/feed", f"{meta.VERSION}/101/tagged"),
        read=(f"{meta.VERSION}/101", f"{meta.VERSION}/101/feed"),
        item=("id", "message", "created_time", "from", "comments"),
    ),
    "instagram": Platform(
        module=instagram,
        town=_instagram,
        table={"accounts": [fake_instagram.ACCOUNT], "hashtag_review": "invented app, 1 October 2026"},
        posts=("501", "502", "503"),
        lists=(f"{ACCOUNT}/tags", f"{ACCOUNT}/media"),
        read=(ACCOUNT, f"{ACCOUNT}/tags", f"{ACCOUNT}/media", f"{meta.VERSION}/{fake_instagram.HASHTAG}/recent_media"),
        item=("id", "timestamp", "caption", "comments"),
    ),
    "threads": Platform(
        module=threads,
        town=_threads,
        table={},
        posts=("801", "802", "803"),
        lists=(MENTIONS, SEARCH),
        read=(SEARCH, MENTIONS),
        item=("id", "timestamp", "text", "permalink"),
    ),
}
every_platform = pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
every_path = pytest.mark.parametrize(
    ("platform", "at"),
    [(platform, at) for platform in PLATFORMS.values() for at in platform.read],
    ids=[f"{name}-{at.rpartition('/')[2]}" for name, platform in PLATFORMS.items() for at in platform.read],
)


# ---- pages -----------------------------------------------------------------------------------------------------


@every_platform
def test_every_page_is_read_and_no_address_holds_the_token(platform: Platform) -> None:
    with platform.reading(size=1) as (server, reader):
        found = keys(reader.collect(platform.ask()))
        assert server.count(platform.listed) >= len(platform.posts)
        assert all("access_token" not in request.query for request in server.requests)
    assert found == list(platform.posts)


@every_platform
def test_a_post_on_two_pages_of_an_answer_comes_once(platform: Platform) -> None:
    twice = meta.changed(lambda content: {**content, "data": content["data"] * 2})
    with platform.reading() as (server, reader):
        server.play(twice)
        assert keys(reader.collect(platform.ask())) == list(platform.posts)


@every_platform
def test_a_cursor_that_comes_twice_ends_the_run_as_an_unexpected_shape(platform: Platform) -> None:
    for at in platform.lists:
        with platform.reading() as (server, reader):
            server.play(meta.same_cursor(), at=at)
            with pytest.raises(UnexpectedShape, match="the same cursor"):
                list(reader.collect(platform.ask()))
            assert server.count(at) < MOST_PAGES


@every_platform
@pytest.mark.parametrize("minutes", [0, 330, -210, 765])
def test_times_with_any_offset_and_without_a_colon_are_read(platform: Platform, minutes: int) -> None:
    there = timezone(timedelta(minutes=minutes))

    def elsewhere(_request: Request, reply: Reply) -> Reply:
        body = reply.whole()
        for hours in (1, 2, 3):
            body = body.replace(meta.moment(_ago(hours)).encode(), meta.moment(_ago(hours), there).encode())
        return replace(reply, body=body)

    with platform.reading() as (server, reader):
        server.play(elsewhere)
        moments = [mention.published for mention in of(Mention, reader.collect(platform.ask()))]
    assert moments == [_ago(1), _ago(2), _ago(3)]


# ---- what it costs -------------------------------------------------------------------------------------------


@every_platform
@settings(max_examples=10, deadline=None)
@given(calls=st.integers(0, 8))
def test_a_cap_on_calls_is_never_exceeded(platform: Platform, calls: int) -> None:
    spent = 0
    with platform.reading(size=1) as (server, reader):
        try:
            for item in reader.collect(platform.ask(Spent(calls=calls))):
                spent += item.calls if isinstance(item, Spent) else 0
        except QuotaSpent as error:
            assert error.retry_at == datetime(2026, 11, 23, tzinfo=UTC)  # noqa: PT017 - it need not be raised
        assert spent <= calls
        assert calls or server.requests == []


@every_platform
def test_a_recheck_without_allowance_asks_for_nothing(platform: Platform) -> None:
    with platform.reading() as (server, reader):
        with pytest.raises(QuotaSpent):
            list(reader.recheck(platform.posts, Spent()))
        assert server.requests == []


# ---- the re-check ------------------------------------------------------------------------------------------


@every_platform
def test_what_stands_is_confirmed(platform: Platform) -> None:
    with platform.reading() as (_, reader):
        items = list(reader.recheck(platform.posts))
    assert sorted(keys(items)) == list(platform.posts)
    assert of(Gone, items) == []


@every_platform
@pytest.mark.parametrize(
    "fault",
    [lambda _request, _reply: meta.missing(), meta.refuses(403, 200), meta.expired_token(), play.status(500)],
    ids=["33", "200", "190", "500"],
)
def test_an_account_that_cannot_be_read_makes_nothing_gone(platform: Platform, fault: Fault) -> None:
    got: list[Any] = []
    with platform.reading() as (server, reader):
        server.play(fault)
        with pytest.raises(SourceError):
            got.extend(reader.recheck(platform.posts))
    assert of(Gone, got) == []


@every_platform
def test_a_post_that_meta_will_not_speak_of_is_counted_and_not_gone(platform: Platform) -> None:
    with platform.reading() as (server, reader):
        server.play(meta.refuses(400, 10), at=f"{meta.VERSION}/777")
        server.play(play.json_status(200, {"id": "778"}), at=f"{meta.VERSION}/778")
        items = list(reader.recheck(["777", "778"]))
    assert of(Gone, items) == []
    assert len(of(Malformed, items)) == 2


# ---- what goes wrong -----------------------------------------------------------------------------------------


@every_platform
@pytest.mark.parametrize("code", [4, 17, 32, 613, 80002])
def test_every_limit_is_a_wish_to_wait(platform: Platform, code: int) -> None:
    for status in (400, 403, 429):
        for minutes, wait in ((19, 19), (0, 60)):
            error = platform.error(meta.rate_limited(code, status=status, minutes=minutes), "*")
            assert isinstance(error, RateLimited)
            assert error.retry_at == NOW + timedelta(minutes=wait)


@every_path
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (meta.expired_token(), AccessRefused),
        (meta.refuses(403, 10), AccessRefused),
        (meta.refuses(403, 200), AccessRefused),
        (meta.refuses(400, 283), AccessRefused),
        (meta.refuses(400, 368), AccessRefused),
        (lambda _request, _reply: meta.missing(), AccessRefused),
        (meta.refuses(400, 100), UnexpectedShape),
        (meta.refuses(400, 12), UnexpectedShape),
        (meta.refuses(500, 2), Unreachable),
        (play.status(502), Unreachable),
        (play.status(429, {"Retry-After": "60"}), RateLimited),
        (play.json_status(400, {"error": "no code"}), UnexpectedShape),
        (play.reset(), Unreachable),
        (play.truncated_gzip(), Unreachable),
        (play.gzip_bomb(20), UnexpectedShape),
        (play.error_page(), UnexpectedShape),
        (play.body(b"[]", "application/json"), UnexpectedShape),
        (play.body(b"[" * 100_000, "application/json"), UnexpectedShape),
        (play.body(b'{"data": {}}', "application/json"), UnexpectedShape),
    ],
)
def test_each_fault_is_one_error_of_the_tree(
    platform: Platform, at: str, fault: Fault, kind: type[SourceError]
) -> None:
    error = platform.error(fault, at)
    assert type(error) is kind
    assert error.source == platform.module.NAME


@every_platform
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_any_item_is_read_or_counted(platform: Platform, data: st.DataObject) -> None:
    wire = data.draw(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(platform.item), inner),
        )
    )
    with platform.reading() as (server, reader):
        server.play(play.body(json.dumps({"data": [wire]}).encode(), "application/json"), at=platform.listed)
        items = list(reader.collect(platform.ask()))
    assert len(of(Malformed, items)) == 1


@every_platform
def test_half_characters_and_nul_do_not_break_a_page(platform: Platform) -> None:
    def broken(_request: Request, reply: Reply) -> Reply:
        words = (b"When", b"Great", b"Well")
        body = reply.whole()
        for word in words:
            body = body.replace(word, b"\\u0000\\ud83d")
        return replace(reply, body=body)

    with platform.reading() as (server, reader):
        server.play(broken, at=platform.listed)
        texts = [mention.text for mention in of(Mention, reader.collect(platform.ask()))]
    assert [text[0] for text in texts] == ["?"] * 3


@every_path
@pytest.mark.parametrize(
    "fault",
    [
        play.reset(),
        play.status(500),
        play.error_page(),
        meta.expired_token(SECRET),
        meta.refuses(403, 200, PAGE_SECRET),
        meta.rate_limited(),
        play.redirect("http://127.0.0.1:9/elsewhere"),
    ],
)
def test_no_token_is_in_an_error_a_log_or_an_address(
    platform: Platform, at: str, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    got: list[Yielded] = []
    answers: list[bytes] = []

    def listen(_request: Request, reply: Reply) -> Reply:
        answers.append(reply.whole())
        return reply

    with platform.reading(size=1) as (server, reader):
        server.play(listen)
        got.extend(reader.collect(platform.ask()))
        server.play(fault, at=at)
        with pytest.raises(SourceError) as caught:
            got.extend(reader.collect(platform.ask()))
        addresses = "".join(f"{request.path}{request.query}" for request in server.requests)
        assert server.requests[0].headers["authorization"] == f"Bearer {SECRET}"
    error = "".join(traceback.format_exception(caught.value))
    shown = f"{error}{caplog.text}{got!r}{reader!r}{addresses}{vars(reader)!r}"
    assert len(keys(got)) >= len(platform.posts)
    # Threads' pages have no `next`; the others' repeats the token
    assert platform.module is threads or any(b"access_token=planted" in answer for answer in answers)
    assert SECRET not in shown
    assert PAGE_SECRET not in shown


@every_platform
def test_without_a_token_the_error_names_it(platform: Platform) -> None:
    with pytest.raises(ConfigError, match=f"MONITOR_{platform.module.NAME.upper()}_TOKEN"):
        without_secret(platform.module, NOW)
