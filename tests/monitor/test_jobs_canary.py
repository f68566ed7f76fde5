"""A planted post of our own shows that a source is read; it counts nowhere, and hides nothing."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitor.errors import ConfigError
from monitor.jobs.canary import SET_ASIDE
from monitor.jobs.checkup import State, check
from monitor.jobs.collect import collect
from monitor.jobs.daily import gather as digest_of
from monitor.jobs.judge import judge_pending
from monitor.jobs.retention import METADATA_KEPT, retain
from monitor.jobs.weekly import gather, weekly, window_for
from monitor.records import Severity, Window
from monitor.rehearsal.bluesky import Bluesky, Post
from monitor.rehearsal.server import Reply, Server
from monitor.store import canaries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitor.jobs.workplace import Workplace
    from reports.week import Canary
    from tests.monitor.conftest import Hands

MARKER = "wren-7f3q9k"
PLANTED = f"Boroughbridge High School: weekly test of our monitoring, please ignore. {MARKER}"
THREAT = f"I will bring a knife to Boroughbridge High School tomorrow {MARKER}"
DAY = timedelta(days=1)


@pytest.fixture
def reading(opened: Callable[..., Workplace], hands: Hands) -> Iterator[tuple[Bluesky, Workplace]]:
    """Give a Bluesky, and a workplace that reads it and expects a planted post there every week."""
    town = Bluesky()
    with Server(town.routes) as server:
        table = {"service": server.url, "handle": town.handle, "canary": MARKER.upper()}
        place = opened(
            sources={"bluesky": table},
            secrets={"MONITOR_BLUESKY_APP_PASSWORD": town.password},
            federation={"time_zone": "Europe/London"},
        )
        yield town, place
    assert hands.now == place.clock()


def post(text: str, indexed: Any, key: str = "3kcanary") -> Post:  # noqa: ANN401 - a moment
    return Post(rkey=f"{key}0001", text=text, indexed=indexed)


def canary(place: Workplace) -> Canary:
    """Return the week's word on the planted posts."""
    with place.store.read() as connection:
        (found,) = gather(place, connection, window_for(place, place.clock())).canaries
    return found


def asks_and_facts(place: Workplace) -> str:
    """Return the weekly report as text."""
    rendered, _ = weekly(place, window_for(place, place.clock()))
    return " ".join(rendered.text.split())


def test_a_planted_post_is_timed_and_is_in_no_count_case_or_digest(
    reading: tuple[Bluesky, Workplace], hands: Hands
) -> None:
    """From the wire to both reports: the post of a parent counts, ours does not."""
    town, place = reading
    town.posts = [
        post(PLANTED, hands() - timedelta(minutes=25)),
        post("Boroughbridge High School: no heating again", hands() - timedelta(hours=1), "3kparent"),
    ]
    (run,) = collect(place)
    opened = judge_pending(place)
    hands.forward(minutes=1)
    with place.store.read() as connection:
        digest = digest_of(place, connection, Window(start=hands() - DAY, end=hands()))
        week = gather(place, connection, window_for(place, hands()))

    assert (run.seen, run.new, run.dropped) == (2, 1, {SET_ASIDE: 1})
    assert len(opened) == 1
    assert [MARKER in one.mention.text for one in digest.mentions] == [False]
    assert week.week.total == 1
    (found,) = week.canaries
    assert (found.name, found.took, found.missed) == ("Bluesky", timedelta(minutes=25), False)
    assert "Our test posts: Bluesky: last seen Mon 23 Nov 09:00, 25 minutes after it was published." in asks_and_facts(
        place
    )


def test_a_post_that_is_met_again_keeps_the_time_of_its_first_sight(
    reading: tuple[Bluesky, Workplace], hands: Hands
) -> None:
    town, place = reading
    town.posts = [post(PLANTED, hands() - timedelta(minutes=5))]
    collect(place)
    hands.forward(hours=1)
    (again,) = collect(place)
    hands.forward(minutes=1)

    assert again.dropped == {SET_ASIDE: 1}
    assert canary(place).took == timedelta(minutes=5)


def test_a_planted_post_that_does_not_come_is_missed_and_said_so_plainly(
    reading: tuple[Bluesky, Workplace], hands: Hands
) -> None:
    """The source answers without an error and shows nothing: only the canary can tell."""
    town, place = reading
    town.posts = [post(PLANTED, hands() - timedelta(minutes=25))]
    collect(place)
    for _ in range(9):
        hands.forward(days=1)
        collect(place)
    hands.forward(minutes=1)
    said = asks_and_facts(place)

    assert canary(place).missed
    assert "Bluesky: not seen since Mon 23 Nov 09:00, so this source may be blind." in said
    assert "Have Bluesky looked at: our test post was not seen since Mon 23 Nov 09:00, so it may be blind" in said
    found = next(f for f in check(place, DAY).findings if f.subject == "canary bluesky")
    assert (found.state, found.seen) == (State.WRONG, "last seen 23 Nov 09:00 UTC: this source may be blind")


def test_one_that_was_never_seen_is_missed_from_the_first_day(reading: tuple[Bluesky, Workplace], hands: Hands) -> None:
    _, place = reading
    collect(place)
    hands.forward(minutes=1)

    assert "none of ours was ever seen, so this source may be blind" in asks_and_facts(place)


def test_a_new_planted_post_ends_the_alarm(reading: tuple[Bluesky, Workplace], hands: Hands) -> None:
    town, place = reading
    collect(place)
    hands.forward(days=20)
    assert canary(place).missed

    town.posts = [post(PLANTED, hands())]
    hands.forward(minutes=15)
    collect(place)
    hands.forward(minutes=1)
    assert not canary(place).missed
    assert next(f for f in check(place, DAY).findings if f.subject == "canary bluesky").state is State.WELL


def test_a_threat_that_carries_the_marker_is_a_threat(reading: tuple[Bluesky, Workplace], hands: Hands) -> None:
    """Anybody can read the marker and copy it."""
    town, place = reading
    town.posts = [post(THREAT, hands() - timedelta(minutes=1))]
    (run,) = collect(place)
    (case,) = judge_pending(place)

    assert (run.new, run.dropped) == (1, {})
    assert case.severity is Severity.P0


def test_a_source_that_is_off_or_has_no_canary_is_not_waited_for(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    table = {"instances": ["https://social.example"]}
    place = opened(sources={"mastodon": table, "bluesky": {"canary": MARKER}})
    with place.store.read() as connection:
        assert gather(place, connection, window_for(place, hands())).canaries == ()
    assert "Our test posts" not in asks_and_facts(place)


@pytest.mark.parametrize("marker", ["Knaresborough", "boroughbridge high", "KingJamesSchool"])
def test_a_marker_that_everybody_writes_is_refused(opened: Callable[..., Workplace], marker: str) -> None:
    place = opened(sources={"bluesky": {"handle": "monitor.test", "canary": marker}})

    with pytest.raises(ConfigError, match=r"sources\.bluesky\.canary.*everybody's posts"):
        check(place, DAY)


@contextmanager
def feed_with(text: str, hands: Hands) -> Iterator[Server]:
    """Serve a feed with one item."""
    moment = hands().strftime("%a, %d %b %Y %H:%M:%S GMT")
    item = f"<item><title>{text}</title><link>https://school.example/canary-7</link><pubDate>{moment}</pubDate></item>"
    body = f'<rss version="2.0"><channel><title>News</title>{item}</channel></rss>'.encode()
    with Server({"/rss": lambda _: Reply(body=body, headers={"Content-Type": "application/rss+xml"})}) as server:
        yield server


def test_an_address_can_be_the_marker_and_no_school_need_be_named(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    """An item of the Federation's own website, found by its address; nobody else can publish there."""
    with feed_with("A test, nothing has happened", hands) as server:
        feed = {"name": "Our news", "url": f"{server.url}/rss"}
        table = {"feeds": [feed], "canary": "https://school.example/canary-"}
        place = opened(sources={"feeds": table}, reading={"private_hosts": [server.host]})
        hands.forward(minutes=15)
        (run,) = collect(place)
    hands.forward(minutes=1)

    assert (run.new, run.dropped) == (0, {SET_ASIDE: 1})
    assert canary(place).took == timedelta(minutes=15)


def test_old_sightings_are_forgotten(reading: tuple[Bluesky, Workplace], hands: Hands) -> None:
    town, place = reading
    town.posts = [post(PLANTED, hands())]
    hands.forward(minutes=1)
    collect(place)
    hands.now += METADATA_KEPT + DAY
    retain(place)

    with place.store.read() as connection:
        assert canaries.last(connection, "bluesky", before=hands()) is None
