"""What a day had is written down before its mentions are erased, so that the usual stays the usual."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.jobs.coverage import days, shortest_kept, usual
from monitor.jobs.retention import retain
from monitor.records import Severity
from tests.monitor.conftest import Hands, judgement, ran, record, stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.jobs.workplace import Workplace

ON = {"feeds": {"feeds": [{"name": "Paper", "url": "https://paper.example/rss"}]}, "pages": {"enabled": False}}


def live(place: Workplace, hands: Hands, number: int, *, each: int, retained: bool) -> None:
    """Live through days with `each` notes a day, read at noon; `retained`: with the nightly erasure."""
    for day in range(number):
        hands.now = hands.now.replace(hour=3, minute=15)
        if retained:
            retain(place)
        hands.now = hands.now.replace(hour=12, minute=0)
        for line in range(each):
            record(place, stored(place, 100 * day + line), judgement(category="NEUTRAL", severity=Severity.P4))
        ran(place, "feeds")
        hands.forward(days=1)
    hands.now = hands.now.replace(hour=7, minute=30)


def test_days_whose_posts_are_erased_keep_their_counts(opened: Callable[..., Workplace], hands: Hands) -> None:
    place = opened(sources=ON, retention={"P4": 5})
    live(place, hands, 30, each=3, retained=True)

    with place.store.read() as connection:
        found = days(place, connection, hands.now, 29)

    assert [(day.count, day.blind) for day in found] == [(3, False)] * 29
    assert usual(found[:-1]) == (3, 3)


def test_a_day_that_nobody_counted_before_it_faded_is_not_taken_for_a_quiet_one(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    place = opened(sources=ON, retention={"P4": 5})
    live(place, hands, 12, each=2, retained=False)

    with place.store.read() as connection:
        found = days(place, connection, hands.now, 11)

    assert [day.blind for day in found] == [True] * 6 + [False] * 5


def test_counting_twice_writes_nothing_twice_and_the_digests_hour_may_change(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    live(opened(sources=ON), hands, 3, each=1, retained=True)
    place = opened(sources=ON, schedule={"digest_time": "09:00"})
    hands.now = hands.now.replace(hour=9, minute=0)
    retain(place)
    retain(place)

    with place.store.read() as connection:
        assert [day.count for day in days(place, connection, hands.now, 3)] == [1, 1, 1]


def test_the_shortest_time_is_that_of_the_severity_or_of_a_source_that_is_on(
    opened: Callable[..., Workplace],
) -> None:
    assert shortest_kept(opened(sources=ON)) == timedelta(days=30)
    reddit = {"enabled": True, "approval": "a letter", "username": "u", "subreddits": ["harrogate"]}
    secrets = {"MONITOR_REDDIT_CLIENT_ID": "i", "MONITOR_REDDIT_CLIENT_SECRET": "s"}
    assert shortest_kept(opened(sources={"reddit": reddit}, secrets=secrets)) == timedelta(hours=48)
