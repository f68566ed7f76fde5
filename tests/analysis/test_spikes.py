"""Small numbers are weighed exactly, few days make the bound wide, and a day not looked at is no zero."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.spikes import Fast, KnownDay, TooLittleKnown, Unusual, chance_of, clumping_of, comparable, pace, weigh
from monitor.policy.escalation import SpikeRule

RULE = SpikeRule()
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TWELVE = (0, 1, 3, 0, 2, 1, 0, 0, 3, 1, 0, 1)


def tail(count: int, days: tuple[int, ...]) -> float:
    """The same chance by its definition: one minus the sum of the Gamma-Poisson's terms below `count`."""
    shape, number = sum(days) + 0.5, len(days)
    term = (number / (number + 1)) ** shape
    below = 0.0
    for k in range(count):
        below += term
        term *= (shape + k) / ((k + 1) * (number + 1))
    return 1 - below


@pytest.mark.parametrize(
    ("count", "days", "chance"),
    [
        (1, (0,), 1 - math.sqrt(1 / 2)),  # r = 1/2, p = 1/2
        (1, (0, 0, 0), 1 - math.sqrt(3 / 4)),
        (2, (0,), 1 - math.sqrt(1 / 2) * (1 + 1 / 4)),
        (0, (5, 5), 1.0),
    ],
)
def test_the_chance_is_that_of_the_textbook(count: int, days: tuple[int, ...], chance: float) -> None:
    assert chance_of(count, days) == pytest.approx(chance, rel=1e-12)


@given(count=st.integers(1, 12), days=st.lists(st.integers(0, 8), min_size=1, max_size=15).map(tuple))
def test_the_chance_agrees_with_its_definition(count: int, days: tuple[int, ...]) -> None:
    assert chance_of(count, days) == pytest.approx(tail(count, days), rel=1e-6, abs=1e-12)


def test_with_many_days_the_chance_is_nearly_poissons() -> None:
    poisson = 1 - sum(math.exp(-2) * 2**k / math.factorial(k) for k in range(6))
    assert chance_of(6, (2,) * 5000) == pytest.approx(poisson, rel=0.01)


@given(count=st.integers(1, 30), days=st.lists(st.integers(0, 8), min_size=1, max_size=15))
def test_more_is_less_likely_and_busier_days_make_it_more_likely(count: int, days: list[int]) -> None:
    assert chance_of(count + 1, days) < chance_of(count, days)
    assert chance_of(count, [*days[:-1], days[-1] + 1]) > chance_of(count, days)


@given(days=st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_the_same_days_seen_twice_as_often_make_the_bound_narrower(days: list[int]) -> None:
    far = 3 * max(days) + 5
    assert chance_of(far, [*days, *days]) < chance_of(far, days)


def test_eleven_where_the_most_of_twelve_days_was_three_is_unusual() -> None:
    found = weigh(11, TWELVE, RULE)
    assert found == Unusual(count=11, most=3, days=12, chance=chance_of(11, TWELVE, clumping_of(TWELVE)))
    assert found.chance < 1e-4


@pytest.mark.parametrize(
    ("count", "days"),
    [
        (4, (0,) * 12),  # fewer than `least_accounts` are never unusual
        (9, (0, 0, 0, 0, 0, 0, 0, 9)),  # no more than on a day before
        (6, (5, 4, 5, 3, 4, 5, 4, 5)),  # more than ever, and still likely
    ],
)
def test_what_is_not_unusual_is_nothing(count: int, days: tuple[int, ...]) -> None:
    assert weigh(count, days, RULE) is None


def test_too_little_history_says_so_instead_of_alerting() -> None:
    assert weigh(40, (0,) * 5, RULE) == TooLittleKnown(count=40, days=5, needed=6)
    assert weigh(40, (), RULE) == TooLittleKnown(count=40, days=0, needed=6)
    assert weigh(4, (), RULE) is None


def day(number: int, voices: int, *sources: str) -> KnownDay:
    return KnownDay(day=date(2026, 9, 1) + timedelta(weeks=number), sources=frozenset(sources), voices=voices)


def test_a_day_on_which_a_source_was_not_read_is_left_out_and_is_no_zero() -> None:
    known = [day(1, 4, "bluesky", "feeds"), day(2, 0, "feeds"), day(3, 0), day(4, 2, "bluesky")]
    assert comparable(known, frozenset({"bluesky"}), 12) == (2, 4)
    assert comparable(known, frozenset({"bluesky", "feeds"}), 12) == (4,)
    assert comparable(known, frozenset({"reddit"}), 12) == ()


def test_the_newest_comparable_days_are_used() -> None:
    assert comparable([day(number, number, "feeds") for number in range(30)], frozenset({"feeds"}), 3) == (29, 28, 27)


def test_blind_days_can_only_widen_the_bound() -> None:
    """Leaving a zero out that was none never makes an alert of what was no alert."""
    assert chance_of(5, (1,) * 6) > chance_of(5, (1,) * 6 + (0,) * 6)


def test_days_that_differ_no_more_than_chance_are_not_clumped() -> None:
    assert clumping_of((0, 0, 0)) == 1
    assert clumping_of((2, 2, 2)) == 1
    assert clumping_of((7,)) == 1
    assert clumping_of((0, 0, 0, 8)) == 8


@given(count=st.integers(1, 30), days=st.lists(st.integers(0, 8), min_size=2, max_size=12))
def test_what_is_unusual_in_spite_of_clumps_is_unusual_without_them(count: int, days: list[int]) -> None:
    if isinstance(weigh(max(days) + count, days, RULE), Unusual):
        assert chance_of(max(days) + count, days) * RULE.one_in <= 1


def test_where_posts_come_in_clumps_fewer_alarms_are_left() -> None:
    """Days three times as varied as chance: about half of the alarms that the bound for ordinary days would raise."""
    days = np.random.default_rng(2026).negative_binomial(0.5, 1 / 3, 2012).tolist()
    spans = [(days[at], days[at - 12 : at]) for at in range(12, len(days))]
    alarms = sum(isinstance(weigh(count, before, RULE), Unusual) for count, before in spans)
    exact = sum(
        count >= RULE.least_accounts and count > max(before) and chance_of(count, before) * RULE.one_in <= 1
        for count, before in spans
    )
    assert 0 < alarms < 0.6 * exact


@pytest.mark.parametrize("rate", [0.2, 1.0, 4.0])
def test_a_year_of_ordinary_days_raises_hardly_a_false_alarm(rate: float) -> None:
    """Poisson days, each weighed against the twelve before it: at most two in a hundred weeks for each topic."""
    days = np.random.default_rng(2026).poisson(rate, 112).tolist()
    alarms = [weigh(days[at], days[at - 12 : at], RULE) for at in range(12, 112)]
    assert sum(isinstance(alarm, Unusual) for alarm in alarms) <= 2


def ago(*minutes: float) -> list[datetime]:
    return [NOW - timedelta(minutes=each) for each in minutes]


def test_a_story_is_fast_that_is_told_often_and_much_more_often_than_before() -> None:
    assert pace(ago(*range(0, 110, 10)), NOW, RULE) == Fast(count=11, before=0, hours=2)
    assert pace(ago(*range(0, 110, 10), 130, 140, 150), NOW, RULE) == Fast(count=11, before=3, hours=2)


@pytest.mark.parametrize(
    "published",
    [
        ago(*range(0, 70, 10)),  # seven are too few
        ago(*range(0, 110, 10), 130, 140, 150, 160),  # eleven after four: it was fast before
        ago(*range(121, 240, 5)),  # it was fast, and is over
        [NOW + timedelta(minutes=5)] * 20,  # dates in the future prove nothing
    ],
)
def test_what_is_slow_over_or_from_the_future_is_not_fast(published: list[datetime]) -> None:
    assert pace(published, NOW, RULE) is None
