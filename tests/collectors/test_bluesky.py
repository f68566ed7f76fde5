from __future__ import annotations

import json
import logging
import traceback
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from collectors import Tools
from collectors import bluesky as collector_bluesky
from collectors.bluesky import Options
from monitor.errors import AccessRefused, ConfigError, RateLimited, SourceError, UnexpectedShape, Unreachable
from monitor.http import Client
from monitor.records import Ask, Gone, Malformed, Mention, Spent, Window, Yielded
from monitor.rehearsal import bluesky as rehearsal
from monitor.rehearsal import server as play
from monitor.rehearsal.bluesky import LOOKUP, NOT_FOR_OUTSIDERS, READING, SEARCH, SIGN_IN, Bluesky, Post
from monitor.rehearsal.server import Reply, Request, Server, json_reply
from monitor.settings import Federation, Reading, Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RECORDED = Path(__file__).parents[1] / "data" / "bluesky"
NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
SECRET = "planted-app-password-never-to-be-seen"


def post(number: int, hours: float = 1, text: str = "Well done Boroughbridge High", **more: Any) -> Post:  # noqa: ANN401
    return Post(rkey=f"3kinvented{number:04}", text=text, indexed=NOW - timedelta(hours=hours), **more)


def ask(**more: Any) -> Ask:  # noqa: ANN401
    window = Window(start=NOW - timedelta(hours=24), end=NOW)
    return Ask(**{"window": window, "phrases": ("Boroughbridge High",), **more})


@contextmanager
def reader(
    town: Bluesky,
    *,
    service: str = "",
    password: str | None = None,
    **options: Any,  # noqa: ANN401
) -> Iterator[tuple[Server, collector_bluesky.Bluesky]]:
    """Give the rehearsal server and a collector that reads it."""
    with Server(town.routes) as server, Client(Reading(), Federation()) as http:
        tools = Tools(
            http=http,
            secrets=Secrets({"MONITOR_BLUESKY_APP_PASSWORD": password or town.password}),
            clock=lambda: NOW,
            user_agent="FederationMonitor/test",
        )
        table = {"service": service or server.url, "handle": town.handle, **options}
        yield server, collector_bluesky.Bluesky(Options.model_validate(table), tools)


def of(kind: type[Any], items: Sequence[object]) -> list[Any]:
    return [item for item in items if isinstance(item, kind)]


def read(town: Bluesky, asked: Ask | None = None, **options: Any) -> list[Yielded]:  # noqa: ANN401
    with reader(town, **options) as (_, collector):
        return list(collector.collect(asked or ask()))


# ---- what a post becomes ---------------------------------------------------------------------------------


def test_a_post_is_read_with_the_networks_clock_and_a_link_that_opens_in_a_browser() -> None:
    long_ago = NOW - timedelta(days=400)
    parent = "at://did:plc:someone/app.bsky.feed.post/3kparent"
    told = post(1, created=long_ago, langs=("en-GB", "cy"), reply_to=parent, card="Results day")
    [mention] = of(Mention, read(Bluesky([told])))
    assert mention == Mention(
        source="bluesky",
        native_id="at://did:plc:inventedauthor0000000000/app.bsky.feed.post/3kinvented0001",
        url="https://bsky.app/profile/parent-one.test/post/3kinvented0001",
        text="Well done Boroughbridge High",
        title="Results day",
        published=NOW - timedelta(hours=1),
        channel="search",
        author="did:plc:inventedauthor0000000000",
        language="en-GB",
        in_reply_to=parent,
    )


@pytest.mark.parametrize("handle", ["handle.invalid", "a/../../evil", "javascript:alert(1)", ""])
def test_a_handle_that_is_none_never_enters_a_link(handle: str) -> None:
    [mention] = of(Mention, read(Bluesky([post(1, handle=handle)])))
    assert mention.url == "https://bsky.app/profile/did:plc:inventedauthor0000000000/post/3kinvented0001"


def test_a_link_without_words_of_its_own_is_read_by_its_headline() -> None:
    [mention] = of(Mention, read(Bluesky([post(1, text="", card="Boroughbridge High wins")])))
    assert mention.text == mention.title == "Boroughbridge High wins"


def test_a_strange_language_tag_is_left_out() -> None:
    [mention] = of(Mention, read(Bluesky([post(1, langs=("<script>",))])))
    assert mention.language == ""


@pytest.mark.parametrize("shy", [post(1, labels=(NOT_FOR_OUTSIDERS,)), post(1, author_labels=(NOT_FOR_OUTSIDERS,))])
def test_who_asks_not_to_be_shown_to_outsiders_is_not_taken_and_is_wiped_if_known(shy: Post) -> None:
    items = read(Bluesky([shy, post(2)]))
    assert [m.native_id for m in of(Mention, items)] == [post(2).uri]
    assert of(Gone, items) == [Gone(source="bluesky", native_id=shy.uri)]


# ---- searching -------------------------------------------------------------------------------------------


def test_every_page_is_read_and_a_post_in_two_searches_comes_once() -> None:
    town = Bluesky([post(n, hours=n / 10, text="#BoroughbridgeHigh Boroughbridge High") for n in range(1, 8)])
    town.page = 3
    with reader(town) as (server, collector):
        items = list(collector.collect(ask(tags=("BoroughbridgeHigh",))))
        assert server.count(SEARCH) == 6
        assert {request.query["q"] for request in server.asked(SEARCH)} == {
            "Boroughbridge High",
            "#BoroughbridgeHigh",
        }
    assert len(of(Mention, items)) == 7
    assert len({m.native_id for m in of(Mention, items)}) == 7


def test_few_searches_are_made_the_most_telling_names_first() -> None:
    with reader(Bluesky([]), most_searches=2) as (server, collector):
        list(collector.collect(ask(phrases=("one", "two", "three"), tags=("four",))))
        assert [request.query["q"] for request in server.asked(SEARCH)] == ["one", "two"]


def test_only_the_window_is_taken() -> None:
    items = read(Bluesky([post(1, hours=-1), post(2, hours=23), post(3, hours=25)]))
    assert [m.native_id for m in of(Mention, items)] == [post(2).uri]


def test_an_empty_page_with_a_cursor_is_followed() -> None:
    with reader(Bluesky([post(1)])) as (server, collector):
        server.play(rehearsal.empty_page(), at=SEARCH, times=1)
        assert len(of(Mention, list(collector.collect(ask())))) == 1
        assert server.count(SEARCH) == 2


def test_a_cursor_that_comes_twice_ends_the_run_as_an_unexpected_shape() -> None:
    with reader(Bluesky([post(1)])) as (server, collector):
        server.play(rehearsal.same_cursor(), at=SEARCH)
        with pytest.raises(UnexpectedShape, match="the same cursor came twice"):
            list(collector.collect(ask()))
        assert server.count(SEARCH) == 2


def test_a_post_on_two_pages_comes_once() -> None:
    town = Bluesky([post(1), post(2, hours=2)])
    town.page = 1
    with reader(town) as (server, collector):

        def shifted(request: Request, reply: Reply) -> Reply:
            """Show the first page's post again on the second."""
            if "cursor" not in request.query:
                return reply
            return json_reply({"posts": [rehearsal.wire(post(1)), rehearsal.wire(post(2, hours=2))]})

        server.play(shifted, at=SEARCH)
        found = of(Mention, list(collector.collect(ask())))
    assert [m.native_id for m in found] == [post(1).uri, post(2).uri]


# ---- the session -----------------------------------------------------------------------------------------


def test_one_session_serves_a_whole_run_and_the_recheck_after_it() -> None:
    town = Bluesky([post(1)])
    with reader(town) as (server, collector):
        items = list(collector.collect(ask(phrases=("one", "two", "three"))))
        list(collector.recheck([post(1).uri]))
        assert server.count(SIGN_IN) == 1
    assert sum((s.calls for s in of(Spent, items)), start=0) == 4


def test_a_session_that_ends_is_opened_once_more() -> None:
    town = Bluesky([post(1)])
    with reader(town) as (server, collector):
        server.play(rehearsal.expired_token(), at=SEARCH, times=1)
        assert len(of(Mention, list(collector.collect(ask())))) == 1
        assert server.count(SIGN_IN) == 2


def test_a_session_that_ends_again_is_a_refusal_and_no_loop() -> None:
    with reader(Bluesky([post(1)])) as (server, collector):
        server.play(rehearsal.expired_token(), at=SEARCH)
        with pytest.raises(AccessRefused, match="although we have just signed in"):
            list(collector.collect(ask()))
        assert (server.count(SIGN_IN), server.count(SEARCH)) == (2, 2)


def test_a_wrong_password_is_a_refusal_that_is_not_tried_again() -> None:
    with reader(Bluesky([post(1)]), password=SECRET) as (server, collector):
        with pytest.raises(AccessRefused):
            list(collector.collect(ask()))
        assert server.count(SIGN_IN) == 1


def test_a_sign_in_that_leads_to_a_server_in_the_clear_is_not_followed() -> None:
    town = Bluesky([post(1)], elsewhere="http://elsewhere.invalid")
    with reader(town) as (_, collector), pytest.raises(AccessRefused, match="in the clear"):
        list(collector.collect(ask()))


# ---- the re-check ----------------------------------------------------------------------------------------


def test_a_deleted_post_is_gone_and_a_standing_one_comes_as_it_stands() -> None:
    town = Bluesky([post(1), post(2, deleted=True), post(3, author_labels=(NOT_FOR_OUTSIDERS,))])
    with reader(town) as (_, collector):
        assert [m.native_id for m in of(Mention, list(collector.recheck([post(1).uri])))] == [post(1).uri]
        for number in (2, 3):
            items = list(collector.recheck([post(number).uri]))
            assert of(Gone, items) == [Gone(source="bluesky", native_id=post(number).uri)]
            assert not of(Mention, items)


def test_the_recheck_asks_for_twenty_five_at_a_time() -> None:
    with reader(Bluesky([])) as (server, collector):
        items = list(collector.recheck([post(n).uri for n in range(26)]))
        assert server.count(LOOKUP) == 2
    assert len(of(Gone, items)) == 26


def test_a_post_that_came_back_unreadable_is_not_taken_for_deleted() -> None:
    with reader(Bluesky([post(1)])) as (server, collector):
        broken = {**rehearsal.wire(post(1)), "record": None}
        server.play(play.body(json.dumps({"posts": [broken]}).encode()), at=LOOKUP)
        items = list(collector.recheck([post(1).uri]))
    assert not of(Gone, items)
    assert of(Malformed, items) == [Malformed(reason="record: model_type")]


# ---- faults ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [SEARCH, SIGN_IN])
def test_a_rate_limit_says_until_when(at: str) -> None:
    with reader(Bluesky([post(1)])) as (server, collector):
        server.play(rehearsal.rate_limited(reset=int(NOW.timestamp()) + 240), at=at)
        with pytest.raises(RateLimited) as caught:
            list(collector.collect(ask()))
        assert server.count(at) == 1
    assert caught.value.retry_at == NOW + timedelta(minutes=4)


def test_a_rate_limit_in_the_past_is_now_and_one_without_a_second_a_quarter_of_an_hour() -> None:
    for headers, wait in (({"ratelimit-reset": "5"}, 0), ({"ratelimit-reset": "soon"}, 15), ({}, 15)):
        with reader(Bluesky([post(1)])) as (server, collector):
            server.play(play.status(429, headers), at=SEARCH)
            with pytest.raises(RateLimited) as caught:
                list(collector.collect(ask()))
        assert caught.value.retry_at == NOW + timedelta(minutes=wait)


@pytest.mark.parametrize("at", [READING, SIGN_IN])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (rehearsal.refused(), AccessRefused),
        (play.status(500), Unreachable),
        (play.status(503, {"Retry-After": "60"}), RateLimited),
        (play.status(400, body=b"{}"), UnexpectedShape),
        (play.status(404), UnexpectedShape),
        (play.redirect("https://elsewhere.invalid"), UnexpectedShape),
        (play.error_page(), UnexpectedShape),
        (play.body(b"[1, 2]"), UnexpectedShape),
        (play.body(b"{not json"), UnexpectedShape),
        (play.body(b"{}"), UnexpectedShape),
        (play.body(b"[" * 100_000), UnexpectedShape),
        (play.truncated_gzip(), Unreachable),
        (play.gzip_bomb(30), UnexpectedShape),
        (play.reset(), Unreachable),
        (play.status(200, {"Content-Encoding": "br"}, b"x"), UnexpectedShape),
        (play.status(200, {"Content-Encoding": "gzip"}, b"not gzip"), Unreachable),
    ],
)
def test_every_fault_becomes_one_of_the_houses_errors(at: str, fault: play.Fault, error: type[SourceError]) -> None:
    with reader(Bluesky([post(1)])) as (server, collector):
        server.play(fault, at=at)
        with pytest.raises(error) as caught:
            list(collector.collect(ask()))
    assert caught.value.source == "bluesky"


def test_nobody_at_the_address_is_unreachable() -> None:
    with Server() as gone:
        service = gone.url
    with reader(Bluesky([]), service=service) as (_, collector), pytest.raises(Unreachable):
        list(collector.collect(ask()))


def test_what_cannot_be_read_is_counted_without_its_words_and_the_rest_goes_on() -> None:
    with reader(Bluesky([post(1)])) as (server, collector):
        server.play(rehearsal.malformed_item(), at=SEARCH)
        items = list(collector.collect(ask()))
    assert [m.native_id for m in of(Mention, items)] == [post(1).uri]
    assert [m.reason for m in of(Malformed, items)] == [
        "author: missing",
        "indexedAt: missing",
        "item: model_type",
    ]


def test_an_address_that_is_no_posts_is_malformed() -> None:
    strange = {**rehearsal.wire(post(1)), "uri": "at://did:plc:a/app.bsky.actor.profile/self"}
    with reader(Bluesky([])) as (server, collector):
        server.play(play.body(json.dumps({"posts": [strange]}).encode()), at=SEARCH)
        assert of(Malformed, list(collector.collect(ask()))) == [Malformed(reason="uri: not a post's address")]


# ---- secrets and configuration ---------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [play.error_page(), play.reset(), rehearsal.refused(), play.status(500)])
@pytest.mark.parametrize("at", [SEARCH, SIGN_IN])
def test_password_and_tokens_reach_bluesky_and_nothing_else(
    at: str, fault: play.Fault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    town = Bluesky([post(1)], password=SECRET)
    with reader(town) as (server, collector):
        server.play(fault, at=at)
        with pytest.raises(SourceError) as caught:
            list(collector.collect(ask()))
        assert SECRET in server.asked(SIGN_IN)[0].body.decode()
        assert all(SECRET not in str(request.query) for request in server.requests)
    told = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert SECRET not in told
    assert town.token not in told
    assert "Well done" not in told


def test_every_request_says_who_we_are() -> None:
    with reader(Bluesky([post(1)])) as (server, collector):
        list(collector.collect(ask()))
        assert {r.headers["user-agent"] for r in server.requests} == {"FederationMonitor/test"}


def test_a_missing_password_is_a_configuration_error() -> None:
    with Client(Reading(), Federation()) as http:
        tools = Tools(http=http, secrets=Secrets({}), clock=lambda: NOW, user_agent="unused")
        with pytest.raises(ConfigError, match="BLUESKY_APP_PASSWORD"):
            collector_bluesky.collector(Options(handle="monitor.test"), tools)


def test_without_a_handle_the_source_says_what_is_missing() -> None:
    assert "handle" in Options().missing()
    assert Options(handle="@monitor.bsky.social").missing() == ""


@pytest.mark.parametrize(
    "table",
    [{"handle": "not a handle"}, {"service": "http://bsky.example"}, {"service": "ftp://x"}, {"typo": 1}],
)
def test_a_wrong_table_is_refused(table: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(table)


# ---- recordings of a real server -------------------------------------------------------------------------


def recorded(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    return found


def replay(*names: str) -> play.Route:
    """Answer from recordings: the request must be the recorded one but for its page size and its window."""
    exchanges = [exchange for name in names for exchange in recorded(name)]

    def telling(query: dict[str, str]) -> dict[str, str]:
        return {key: value for key, value in query.items() if key not in {"limit", "since"}}

    def answer(request: Request, /) -> Reply:
        for exchange in exchanges:
            parts = urlsplit(exchange["target"])
            query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
            if (exchange["verb"], parts.path) != (request.verb, request.path):
                continue
            if telling(query) != telling(dict(request.query)):
                continue
            if exchange["posted"] and json.loads(exchange["posted"]) != request.json():
                continue
            body = json.dumps(exchange["body"]).replace("http://localhost:2583", request.base)
            body = body.replace("REDACTED.JWT.TOKEN", Bluesky().token)
            return Reply(status=exchange["status"], headers=exchange["headers"], body=body.encode())
        return json_reply({"posts": []})

    return answer


@contextmanager
def replaying(*names: str, password: str | None = None) -> Iterator[collector_bluesky.Bluesky]:
    """Give a collector that reads recordings over HTTP."""
    town = Bluesky(handle="villager.test", password="hunter2-test")
    with reader(town, password=password) as (server, collector):
        server.routes = {"/xrpc/*": replay(*names)}
        yield collector


def test_recorded_pages_are_read_to_their_end() -> None:
    with replaying("login_create_session", "search_posts_p1", "search_posts_p2") as collector:
        items = list(collector.collect(ask(phrases=("Millbrook",))))
    found = of(Mention, items)
    assert [m.text for m in found] == [f"Millbrook Primary School newsletter item {n}" for n in range(24, 4, -1)]
    assert not of(Malformed, items)
    assert found[0].published == datetime(2026, 11, 22, 13, 38, 47, 220_000, tzinfo=UTC)
    assert found[0].url == "https://bsky.app/profile/parent-one.test/post/3n2vqgga5qs2y"


def test_a_recorded_deletion_is_gone() -> None:
    author = "at://did:plc:z32wtwwm7gltm6uika3u7o4g/app.bsky.feed.post/"
    deleted, standing = f"{author}3n2vqgf67ss2y", f"{author}3n2vqgekuoc2y"
    with replaying("login_create_session", "get_posts_after_delete") as collector:
        items = list(collector.recheck([deleted, standing]))
    assert of(Gone, items) == [Gone(source="bluesky", native_id=deleted)]
    assert [m.native_id for m in of(Mention, items)] == [standing]


def test_recorded_refusals_are_refusals() -> None:
    with replaying("login_bad_password_401", password="wrong") as collector, pytest.raises(AccessRefused):
        list(collector.collect(ask()))
    unheard = ("login_create_session", "search_posts_unauthenticated_pds_401")
    with replaying(*unheard) as collector, pytest.raises(AccessRefused):
        list(collector.collect(ask(phrases=("Millbrook",))))


def test_recorded_posts_are_found_by_address() -> None:
    with replaying("login_create_session", "get_posts") as collector:
        wires = recorded("get_posts")[0]["body"]["posts"]
        items = list(collector.recheck([wire["uri"] for wire in wires]))
    assert [m.text for m in of(Mention, items)] == [wire["record"]["text"] for wire in wires]


def test_the_rehearsal_speaks_as_the_recording_does() -> None:
    """A fake that lacks a field of a real post would let a collector pass that needs it."""
    with reader(Bluesky([])) as (server, collector):
        list(collector.collect(ask()))
        assert json.loads(server.answer(server.asked(SEARCH)[0]).whole()) == recorded("search_posts_empty")[0]["body"]
    told = recorded("search_posts_p1")[0]["body"]["posts"][0]
    fake = rehearsal.wire(replace(post(1), labels=("x",)))
    assert set(told) - set(fake) == {"viewer"}
    assert set(told["record"]) == set(fake["record"])
