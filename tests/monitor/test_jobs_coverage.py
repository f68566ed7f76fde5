"""Zero is not silence: every count knows whether its source was read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.jobs.coverage import coverage, day_windows, days, usual
from monitor.records import Coverage, DayCount, Outcome, Sight, Window
from tests.monitor.conftest import Hands, ran, stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.jobs.workplace import Workplace

ON = {"feeds": {"feeds": [{"name": "Paper", "url": "https://paper.example/rss"}]}, "pages": {"enabled": False}}


@pytest.fixture
def reading(opened: Callable[..., Workplace]) -> Workplace:
    """Give a workplace with one source that is on."""
    return opened(sources=ON)


def feeds(place: Workplace, hands: Hands) -> Coverage:
    window = Window(start=hands.now - timedelta(days=1), end=hands.now)
    with place.store.read() as connection:
        return next(c for c in coverage(place, connection, window) if c.source == "feeds")


def test_a_source_that_never_ran_is_never_read_and_has_no_count(reading: Workplace, hands: Hands) -> None:
    found = feeds(reading, hands)

    assert (found.sight, found.new, found.why) == (Sight.NEVER, None, "no run yet")


def test_a_quiet_source_that_was_read_has_a_true_zero(reading: Workplace, hands: Hands) -> None:
    ran(reading, "feeds")
    hands.forward(minutes=5)

    found = feeds(reading, hands)

    assert (found.sight, found.new, found.why) == (Sight.READ, 0, "")


def test_a_source_that_fails_is_behind_since_its_last_complete_run(reading: Workplace, hands: Hands) -> None:
    good = ran(reading, "feeds")
    hands.forward(minutes=20)
    ran(reading, "feeds", Outcome.FAILED, error="paper.example has a fault of its own (503)", error_kind="unreachable")
    hands.forward(minutes=1)

    found = feeds(reading, hands)

    assert (found.sight, found.new, found.last_read) == (Sight.BEHIND, None, good.ended)
    assert "503" in found.why


def test_a_monitor_that_stood_still_is_behind(reading: Workplace, hands: Hands) -> None:
    ran(reading, "feeds")
    hands.forward(hours=9)

    found = feeds(reading, hands)

    assert (found.sight, found.why) == (Sight.BEHIND, "the monitor did not run")


def test_what_was_found_before_a_source_fell_behind_is_still_counted(reading: Workplace, hands: Hands) -> None:
    stored(reading, 1)
    ran(reading, "feeds")
    hands.forward(hours=9)

    assert feeds(reading, hands).new == 1


def test_drops_and_unreadable_items_are_summed_over_the_window(reading: Workplace, hands: Hands) -> None:
    for _ in range(2):
        ran(reading, "feeds", dropped={"LeBron James": 2}, malformed={"no date": 1})
        hands.forward(minutes=15)

    found = feeds(reading, hands)

    assert (found.dropped, found.malformed) == ({"LeBron James": 4}, 2)


def test_a_day_without_a_complete_run_is_blind(reading: Workplace, hands: Hands) -> None:
    hands.forward(days=-2)
    ran(reading, "feeds")
    hands.forward(days=1)
    ran(reading, "feeds", Outcome.PARTIAL)
    hands.forward(days=1)

    with reading.store.read() as connection:
        found = days(reading, connection, hands.now, 3)

    assert [day.blind for day in found] == [True, False, True]


def test_days_follow_the_wall_clock_across_the_clock_change(reading: Workplace) -> None:
    last = datetime(2026, 10, 26, 7, 30, tzinfo=UTC)

    windows = day_windows(reading, last, 2)

    assert [w.length for w in windows] == [timedelta(hours=25), timedelta(hours=24)]
    assert windows[-1].end == last


def test_the_usual_range_is_the_middle_half_of_the_days_that_were_seen() -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    counts = [1, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 6, 7, 30]
    history = tuple(DayCount(start=start + timedelta(days=i), count=c) for i, c in enumerate(counts))
    blind = tuple(DayCount(start=start, count=0, blind=True) for _ in range(20))

    assert usual(history + blind) == (3, 5)


def test_there_is_no_usual_range_before_two_weeks_were_seen() -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)

    assert usual(tuple(DayCount(start=start, count=3) for _ in range(13))) is None
