from __future__ import annotations

import json
import logging
import traceback
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from collectors import Tools
from collectors import mastodon as collector_mastodon
from collectors.mastodon import Options
from monitor.errors import AccessRefused, RateLimited, SourceError, UnexpectedShape, Unreachable
from monitor.http import Client
from monitor.records import Ask, Gone, Malformed, Mention, Spent, Window, Yielded
from monitor.rehearsal import mastodon as rehearsal
from monitor.rehearsal import server as play
from monitor.rehearsal.mastodon import INSTANCE, STATUSES, TAGS, Access, Mastodon, Status
from monitor.rehearsal.server import Reply, Request, Server, json_reply
from monitor.settings import Federation, Reading, Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SAMPLES = Path(__file__).parents[3] / "shared" / "platforms" / "samples" / "mastodon"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

recordings = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the recordings of a test instance are not ours to keep: no ../shared here"
)


def status(number: int, hours: float = 1, html: str = "<p>Well done</p>", **more: Any) -> Status:  # noqa: ANN401
    return Status(id=str(1000 - number), html=html, created=NOW - timedelta(hours=hours), **more)


def ask(**more: Any) -> Ask:  # noqa: ANN401
    window = Window(start=NOW - timedelta(hours=24), end=NOW)
    return Ask(**{"window": window, "tags": ("BoroughbridgeHigh",), **more})


@contextmanager
def reader(*towns: Mastodon) -> Iterator[tuple[list[Server], collector_mastodon.Mastodon]]:
    """Give one rehearsal server for each instance, and a collector that reads them."""
    with ExitStack() as stack:
        servers = [stack.enter_context(Server(town.routes)) for town in towns]
        yield servers, made([server.url for server in servers])


def made(instances: Sequence[str]) -> collector_mastodon.Mastodon:
    """Return a collector."""
    with Client(Reading(), Federation()) as http:
        tools = Tools(http=http, secrets=Secrets({}), clock=lambda: NOW, user_agent="FederationMonitor/test")
        return collector_mastodon.Mastodon(Options.model_validate({"instances": instances}), tools)


def of(kind: type[Any], items: Sequence[object]) -> list[Any]:
    return [item for item in items if isinstance(item, kind)]


def read(*statuses: Status, **more: Any) -> list[Yielded]:  # noqa: ANN401
    with reader(Mastodon(list(statuses))) as (_, collector):
        return list(collector.collect(ask(**more)))


# ---- what a post becomes ---------------------------------------------------------------------------------


def test_a_post_is_read_as_plain_text_with_its_warning_as_title() -> None:
    html = (
        '<p>Proud of <a href="https://mastodon.example/tags/x" class="mention hashtag">#<span>BHS</span></a>'
        "&amp; all</p><p>See <a><span class='invisible'>https://</span><span>news.example/a</span></a><br>Bye</p>"
        "<script>alert(1)</script>"
    )
    told = status(1, html=html, warning="school &\0 exams", reply_to="55", edited=NOW - timedelta(minutes=9))
    with reader(Mastodon([told])) as ([server], collector):
        [mention] = of(Mention, list(collector.collect(ask())))
        host = server.host
    assert mention == Mention(
        source="mastodon",
        native_id=f"{host}/999",
        url="https://mastodon.example/@invented/1",
        text="Proud of #BHS& all See https://news.example/a Bye",
        title="school & exams",
        published=NOW - timedelta(hours=1),
        channel=host,
        author=f"invented_parent@{host}",
        language="en",
        in_reply_to=f"{host}/55",
        edited=NOW - timedelta(minutes=9),
    )


def test_an_author_from_elsewhere_keeps_their_own_host() -> None:
    [mention] = of(Mention, read(status(1, acct="parent@other.example")))
    assert mention.author == "parent@other.example"


@pytest.mark.parametrize("url", [None, "javascript:alert(1)", "nothing"])
def test_an_address_that_is_none_is_left_out(url: str | None) -> None:
    [mention] = of(Mention, read(status(1, url=url, language="<en>")))
    assert (mention.url, mention.language) == ("", "")


@pytest.mark.parametrize(
    "shy",
    [
        status(1, noindex=True),
        status(1, indexable=False),
        status(1, visibility="unlisted"),
        status(1, visibility="private"),
        status(1, visibility="direct"),
    ],
)
def test_who_asks_not_to_be_indexed_or_did_not_post_in_public_is_not_taken_and_is_wiped_if_known(
    shy: Status,
) -> None:
    items = read(shy, status(2))
    assert [m.native_id.partition("/")[2] for m in of(Mention, items)] == ["998"]
    assert [g.native_id.partition("/")[2] for g in of(Gone, items)] == ["999"]


def test_an_old_instance_that_knows_no_wish_to_be_indexed_is_read() -> None:
    assert len(of(Mention, read(status(1, indexable=None, noindex=None)))) == 1


# ---- timelines -------------------------------------------------------------------------------------------


def test_every_page_is_read_and_a_post_under_two_hashtags_comes_once() -> None:
    both = ("boroughbridgehigh", "bhs")
    town = Mastodon([status(n, hours=n / 10, tags=both) for n in range(1, 8)], page=3)
    with reader(town) as ([server], collector):
        items = list(collector.collect(ask(tags=("BoroughbridgeHigh", "#BHS"))))
        assert server.count(TAGS) == 8
        assert sum(spent.calls for spent in of(Spent, items)) == len(server.requests) == 10
        assert {request.query["limit"] for request in server.asked(TAGS)} == {"40"}
    assert len(of(Mention, items)) == 7


def test_a_post_on_two_instances_comes_once_from_the_first() -> None:
    uri = "https://origin.example/1"
    with reader(Mastodon([status(1, uri=uri)]), Mastodon([status(2, uri=uri)])) as ([first, _], collector):
        assert [m.native_id for m in of(Mention, list(collector.collect(ask())))] == [f"{first.host}/999"]


def test_only_the_window_is_taken_and_reading_stops_where_it_begins() -> None:
    town = Mastodon([status(1, hours=-1), status(2, hours=23), status(3, hours=25), status(4, hours=26)], page=1)
    with reader(town) as ([server], collector):
        items = list(collector.collect(ask()))
        assert server.count(TAGS) == 3
    assert [m.native_id.partition("/")[2] for m in of(Mention, items)] == ["998"]


def test_an_empty_page_with_a_link_is_followed() -> None:
    with reader(Mastodon([status(1)])) as ([server], collector):
        server.play(rehearsal.empty_page(), at=TAGS, times=1)
        assert len(of(Mention, list(collector.collect(ask())))) == 1


def test_a_link_that_leads_in_circles_ends_the_run_as_an_unexpected_shape() -> None:
    with reader(Mastodon([status(1)])) as ([server], collector):
        server.play(rehearsal.same_cursor(), at=TAGS)
        with pytest.raises(UnexpectedShape, match="the same cursor came twice"):
            list(collector.collect(ask()))
        assert server.count(TAGS) == 2


def test_a_link_to_another_host_is_not_followed_there() -> None:
    def astray(_request: Request, reply: Reply) -> Reply:
        return Reply(headers={**reply.headers, "Link": '<http://evil.invalid/x?max_id=5>; rel="next"'}, body=b"[]")

    with reader(Mastodon([status(1)])) as ([server], collector):
        server.play(astray, at=TAGS, times=1)
        list(collector.collect(ask()))
        assert [request.query.get("max_id") for request in server.asked(TAGS)] == [None, "5"]


# ---- asking first ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("local", "remote", "asked"),
    [
        ("public", "public", set()),
        ("public", "authenticated", {"local"}),
        ("disabled", "public", {"remote"}),
        (None, None, set()),
    ],
)
def test_an_instance_is_asked_for_what_it_shows_to_outsiders(
    local: Access | None, remote: Access | None, asked: set[str]
) -> None:
    own, foreign = status(1), status(2, acct="parent@other.example")
    with reader(Mastodon([own, foreign], local=local, remote=remote)) as ([server], collector):
        found = of(Mention, list(collector.collect(ask())))
        assert {name for r in server.asked(TAGS) for name in r.query if name in {"local", "remote"}} == asked
        assert server.requests[0].path == INSTANCE
    assert len(found) == (1 if asked else 2)


def test_an_instance_that_shows_hashtags_to_members_only_is_not_asked_for_them() -> None:
    town = Mastodon([status(1)], local="authenticated", remote="disabled")
    with reader(town) as ([server], collector):
        with pytest.raises(AccessRefused, match="members only"):
            list(collector.collect(ask()))
        assert server.count(TAGS) == 0


def test_an_instance_that_cannot_be_read_does_not_keep_us_from_the_others() -> None:
    with reader(Mastodon([status(1)]), Mastodon([status(2)])) as ([first, second], collector):
        first.play(play.status(500))
        items: list[Yielded] = []
        with pytest.raises(Unreachable, match="1 of 2 instances failed"):
            items.extend(collector.collect(ask()))  # extend keeps what came before the error
        assert second.count(TAGS) == 2


# ---- the re-check ----------------------------------------------------------------------------------------


def test_posts_are_asked_for_again_and_deleted_ones_are_gone() -> None:
    edited = status(1, html="<p>New words</p>", edited=NOW)
    town = Mastodon([edited, status(2, deleted=True), status(3, visibility="private"), status(4, noindex=True)])
    with reader(town) as ([server], collector):
        items = list(collector.recheck([f"{server.host}/{1000 - n}" for n in (1, 2, 3, 4)]))
        [mention] = of(Mention, items)
        assert {gone.native_id for gone in of(Gone, items)} == {f"{server.host}/{n}" for n in (998, 997, 996)}
        assert server.count(STATUSES) == sum(s.calls for s in of(Spent, items)) == 4
    assert (mention.text, mention.edited) == ("New words", NOW)


def test_an_instance_that_is_no_longer_chosen_is_not_asked() -> None:
    with reader(Mastodon()) as ([server], collector):
        items = list(collector.recheck(["elsewhere.example/1"]))
        assert server.requests == []
    assert items == [Malformed(reason="asked for again, and its instance is no longer chosen")]


def test_a_post_that_came_back_unreadable_is_not_taken_for_deleted() -> None:
    with reader(Mastodon([status(1)])) as ([server], collector):
        server.play(play.body(b"[]"), at=STATUSES)
        items = list(collector.recheck([f"{server.host}/999"]))
    assert not of(Gone, items)
    assert len(of(Malformed, items)) == 1


def test_a_recheck_that_is_refused_deletes_nothing() -> None:
    with reader(Mastodon([status(1)])) as ([server], collector):
        server.play(rehearsal.members_only(), at=STATUSES)
        with pytest.raises(AccessRefused):
            list(collector.recheck([f"{server.host}/999"]))


# ---- faults ----------------------------------------------------------------------------------------------


def test_a_rate_limit_says_until_when() -> None:
    with reader(Mastodon([status(1)])) as ([server], collector):
        server.play(rehearsal.rate_limited(reset=NOW + timedelta(minutes=4)), at=TAGS)
        with pytest.raises(RateLimited) as caught:
            list(collector.collect(ask()))
        assert server.count(TAGS) == 1
    assert caught.value.retry_at == NOW + timedelta(minutes=4)


@pytest.mark.parametrize(
    ("headers", "minutes"),
    [
        ({"x-ratelimit-reset": "2026-11-22T09:07:00"}, 7),
        ({"x-ratelimit-reset": "2020-01-01T00:00:00Z"}, 0),
        ({"x-ratelimit-reset": "soon"}, 15),
        ({"retry-after": "120"}, 2),
        ({}, 15),
    ],
)
def test_other_ways_to_say_when_are_understood(headers: dict[str, str], minutes: int) -> None:
    with reader(Mastodon([status(1)])) as ([server], collector):
        server.play(play.status(429, headers), at=TAGS)
        with pytest.raises(RateLimited) as caught:
            list(collector.collect(ask()))
    assert caught.value.retry_at == NOW + timedelta(minutes=minutes)


@pytest.mark.parametrize("at", [TAGS, INSTANCE])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (rehearsal.members_only(), AccessRefused),
        (play.status(403), AccessRefused),
        (play.status(500), Unreachable),
        (play.status(404), UnexpectedShape),
        (play.status(410), UnexpectedShape),
        (play.status(422, body=b"{}"), UnexpectedShape),
        (play.redirect("https://elsewhere.invalid"), UnexpectedShape),
        (play.error_page(), UnexpectedShape),
        (play.body(b'"words"'), UnexpectedShape),
        (play.body(b"[" * 100_000), UnexpectedShape),
        (play.truncated_gzip(), Unreachable),
        (play.gzip_bomb(30), UnexpectedShape),
        (play.reset(), Unreachable),
    ],
)
def test_every_fault_becomes_one_of_the_houses_errors(at: str, fault: play.Fault, error: type[SourceError]) -> None:
    with reader(Mastodon([status(1)])) as ([server], collector):
        server.play(fault, at=at)
        with pytest.raises(error) as caught:
            list(collector.collect(ask()))
    assert type(caught.value) is error
    assert caught.value.source == "mastodon"


def test_an_answer_that_is_no_list_is_an_unexpected_shape() -> None:
    with reader(Mastodon([status(1)])) as ([server], collector):
        server.play(play.body(b'{"error": "no"}'), at=TAGS)
        with pytest.raises(UnexpectedShape, match="expected a list"):
            list(collector.collect(ask()))


def test_nobody_at_the_address_is_unreachable() -> None:
    with Server() as gone:
        address = gone.url
    with pytest.raises(Unreachable):
        list(made([address]).collect(ask()))


def test_what_cannot_be_read_is_counted_without_its_words_and_the_rest_goes_on() -> None:
    with reader(Mastodon([status(1)])) as ([server], collector):
        server.play(rehearsal.malformed_item(), at=TAGS, times=1)
        items = list(collector.collect(ask()))
    assert len(of(Mention, items)) == 1
    assert [m.reason for m in of(Malformed, items)] == [
        "account: model_type",
        "created_at: datetime_type",
        "item: model_type",
    ]


def test_a_post_without_words_is_counted() -> None:
    assert of(Malformed, read(status(1, html="<p><br></p>"))) == [Malformed(reason="a post without words")]


@pytest.mark.parametrize("fault", [play.error_page(), play.reset(), play.status(500), play.body(b"[{")])
def test_nothing_that_was_said_enters_an_error_or_the_log(fault: play.Fault, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with reader(Mastodon([status(1)])) as ([server], collector):
        list(collector.collect(ask()))
        server.play(fault, at=TAGS)
        with pytest.raises(SourceError) as caught:
            list(collector.collect(ask()))
    told = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "Well done" not in told
    assert "We will be back" not in told


def test_every_request_says_who_we_are_and_carries_no_account() -> None:
    with reader(Mastodon([status(1)])) as ([server], collector):
        list(collector.collect(ask()))
        assert {r.headers["user-agent"] for r in server.requests} == {"FederationMonitor/test"}
        assert not any("authorization" in r.headers for r in server.requests)


@pytest.mark.parametrize("table", [{"instances": ["mastodon.example"]}, {"instances": ["http://m.example"]}])
def test_an_instance_is_named_by_a_base_address(table: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(table)


def test_an_instance_that_is_named_twice_is_read_once() -> None:
    twice = Options.model_validate({"instances": ["https://m.example", "https://m.example/"]})
    assert twice.instances == ("https://m.example",)
    assert twice.missing() == ""
    assert "instances" in Options().missing()


# ---- recordings of a test instance -----------------------------------------------------------------------


def replay(name: str) -> play.Route:
    """Answer from a recording; the request must be a recorded one but for its page size."""
    exchanges = json.loads((SAMPLES / f"cassettes__{name}.json").read_text(encoding="utf-8"))

    def answer(request: Request, /) -> Reply:
        for exchange in exchanges:
            parts = urlsplit(exchange["uri"])
            if (exchange["method"], parts.path, parse_qs(parts.query)) == (
                request.verb,
                request.path,
                {key: [value] for key, value in request.query.items() if key != "limit"},
            ):
                headers = {
                    key: value.replace("http://localhost:3000", request.base)
                    for key, value in exchange["headers"].items()
                }
                return json_reply(exchange["json"], status=exchange["status"]["code"], headers=headers)
        return json_reply([])

    return answer


@contextmanager
def replaying(name: str) -> Iterator[tuple[Server, collector_mastodon.Mastodon]]:
    """Give a recording that answers over HTTP, and a collector that reads it."""
    with Server({"/*": replay(name)}) as server:
        yield server, made([server.url])


@recordings
def test_a_recorded_hashtag_is_read() -> None:
    window = Window(start=datetime(2026, 8, 1, tzinfo=UTC), end=datetime(2026, 8, 2, tzinfo=UTC))
    with replaying("test_hashtag_tl") as (server, collector):
        items = list(collector.collect(Ask(window=window, tags=("hoot",))))
        host = server.host
    [mention] = of(Mention, items)
    assert mention.text == "#hoot (hashtag toot)"
    assert mention.native_id == f"{host}/117020593741189701"
    assert mention.author == f"mastodonpy_test_2@{host}"
    assert not of(Malformed, items)


@recordings
def test_a_recorded_edit_is_told_and_a_recorded_404_is_gone() -> None:
    with replaying("test_status_edit") as (server, collector):
        [edited] = of(Mention, list(collector.recheck([f"{server.host}/117020586180926938"])))
    assert edited.edited is not None
    assert "Kate" in edited.text
    with replaying("test_status_missing") as (server, collector):
        assert of(Gone, list(collector.recheck([f"{server.host}/0"]))) == [
            Gone(source="mastodon", native_id=f"{server.host}/0")
        ]


@recordings
def test_the_rehearsal_speaks_as_the_recording_does() -> None:
    """A fake that lacks a field of a real post would let a collector pass that needs it."""
    exchanges = json.loads((SAMPLES / "cassettes__test_hashtag_tl.json").read_text(encoding="utf-8"))
    real = next(e for e in exchanges if "/timelines/tag/" in e["uri"])["json"][0]
    assert set(rehearsal.wire(status(1))) <= set(real)
