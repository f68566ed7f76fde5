"""What the digest is told of counts and costs, so that it can leave out what helps nobody to act."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.jobs.coverage import coverage
from monitor.jobs.daily import gather
from monitor.jobs.spikes import look_for_spikes
from monitor.records import Spent, Window
from tests.monitor.conftest import ran
from tests.monitor.test_jobs_spikes import place as place_of_spikes
from tests.monitor.test_jobs_spikes import read, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.jobs.workplace import Workplace
    from tests.monitor.conftest import Hands

busy = place_of_spikes
"""A workplace that reads Bluesky, in term, on a Monday evening."""


def test_a_count_without_a_past_is_unsaid_and_not_unusual(busy: Workplace, hands: Hands) -> None:
    for number in range(11):
        say(busy, number)
    read(busy)
    look_for_spikes(busy)
    hands.forward(minutes=1)

    with busy.store.read() as connection:
        material = gather(busy, connection, Window(start=hands.now - timedelta(days=1), end=hands.now))
    assert material.unusual == ()
    (said,) = material.unsaid
    assert "nobody can say yet" in said


def test_coverage_says_how_much_of_our_own_limit_is_spent(opened: Callable[..., Workplace], hands: Hands) -> None:
    place = opened(sources={"x": {"enabled": True, "approval": "Agreement 7, 1 October 2026"}})
    cap = place.policy.sources["x"].monthly_pence
    ran(place, "x", spent=Spent(calls=3, pence=cap / 2))
    ran(place, "feeds", spent=Spent(calls=900))
    window = Window(start=hands.now - timedelta(minutes=1), end=hands.now)

    with place.store.read() as connection:
        used = {source.source: source.used for source in coverage(place, connection, window)}
    assert used["x"] == 0.5
    assert used["feeds"] == 0.0
