"""Due times stand still while the schools are closed, and a minute is a minute across clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.hours import after_staffed, due, is_school_day, is_staffed, staffed_between
from monitor.policy.escalation import SeverityRule
from monitor.settings import Calendar, Closure

LONDON = ZoneInfo("Europe/London")
TERM = Calendar()
CHRISTMAS = Closure(name="Christmas", first=date(2026, 12, 21), last=date(2027, 1, 4))
WITH_HOLIDAYS = Calendar(closures=(CHRISTMAS,))
ROUND_THE_CLOCK = Calendar(opens=time(0, 0), closes=time(23, 59), bank_holidays=False)


def local(text: str) -> datetime:
    """Return a wall-clock time in London."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


def rule(minutes: int, clock: str = "staffed") -> SeverityRule:
    return SeverityRule(
        name="n",
        meaning="m",
        acknowledge_minutes=minutes,
        act_minutes=0,
        clock=clock,  # type: ignore[arg-type]
        target="t",
        channel="c",
    )


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-11-23 09:00", 60, "2026-11-23 10:00"),
        ("2026-11-23 16:30", 60, "2026-11-24 08:30"),
        ("2026-11-23 20:00", 60, "2026-11-24 09:00"),
        ("2026-11-23 03:00", 60, "2026-11-23 09:00"),
        ("2026-11-27 16:30", 60, "2026-11-30 08:30"),
        ("2026-11-28 12:00", 60, "2026-11-30 09:00"),
        ("2026-11-23 08:00", 540, "2026-11-23 17:00"),
        ("2026-11-23 08:00", 541, "2026-11-24 08:01"),
        ("2026-11-23 17:00", 1, "2026-11-24 08:01"),
        ("2027-03-25 16:00", 120, "2027-03-30 09:00"),  # Good Friday, weekend, Easter Monday
        ("2026-12-18 16:30", 60, "2027-01-05 08:30"),  # the closure, with Christmas and New Year in it
        ("2026-10-23 16:30", 60, "2026-10-26 08:30"),  # clocks go back in between
        ("2027-03-26 16:30", 60, "2027-03-30 09:00"),  # and forward
    ],
)
def test_staffed_time_stops_at_night_weekends_bank_holidays_and_closures(start: str, minutes: int, end: str) -> None:
    assert after_staffed(local(start), minutes, WITH_HOLIDAYS, LONDON) == local(end)


def test_the_answer_is_in_utc() -> None:
    found = after_staffed(local("2026-06-10 09:00"), 60, TERM, LONDON)
    assert found.tzinfo is UTC
    assert found.hour == 9


def test_bank_holidays_can_be_school_days() -> None:
    christmas = date(2026, 12, 25)
    assert not is_school_day(christmas, TERM)
    assert is_school_day(christmas, Calendar(bank_holidays=False))
    assert not is_school_day(date(2026, 11, 28), TERM)


def test_somebody_is_there_from_opening_to_just_before_closing() -> None:
    assert is_staffed(local("2026-11-23 08:00"), TERM, LONDON)
    assert is_staffed(local("2026-11-23 16:59"), TERM, LONDON)
    assert not is_staffed(local("2026-11-23 17:00"), TERM, LONDON)
    assert not is_staffed(local("2026-11-23 07:59"), TERM, LONDON)
    assert not is_staffed(local("2026-12-21 10:00"), WITH_HOLIDAYS, LONDON)
    assert is_staffed(datetime(2026, 6, 10, 7, 0, tzinfo=UTC), TERM, LONDON)


def test_the_most_urgent_clock_never_stops() -> None:
    """P0: a Saturday night across the clock change is as good as any time."""
    start = local("2026-10-24 23:50")
    assert due(start, rule(120, "always"), WITH_HOLIDAYS, LONDON) == start.astimezone(UTC) + timedelta(hours=2)


def test_nothing_is_due_where_the_rule_says_so() -> None:
    assert due(local("2026-11-23 09:00"), rule(0), TERM, LONDON) is None


def test_a_staffed_rule_follows_the_calendar() -> None:
    assert due(local("2026-11-27 16:30"), rule(60), TERM, LONDON) == local("2026-11-30 08:30")


def test_an_hour_that_the_clock_change_skips_is_not_counted() -> None:
    """Israel's clocks go forward on a Friday, 02:00 to 03:00: two hours after midnight it is 03:00."""
    zone = ZoneInfo("Asia/Jerusalem")
    midnight = datetime(2027, 3, 26, tzinfo=zone)
    found = after_staffed(midnight, 120, ROUND_THE_CLOCK, zone)
    assert found - midnight.astimezone(UTC) == timedelta(hours=2)
    assert found.astimezone(zone).time() == time(3, 0)


moments = st.datetimes(
    datetime(2026, 9, 1),  # noqa: DTZ001 - the zone is given below
    datetime(2027, 12, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(start=moments, minutes=st.integers(1, 5000), more=st.integers(0, 5000))
def test_more_minutes_are_never_due_sooner(start: datetime, minutes: int, more: int) -> None:
    sooner = after_staffed(start, minutes, WITH_HOLIDAYS, LONDON)
    assert start < sooner <= after_staffed(start, minutes + more, WITH_HOLIDAYS, LONDON)


@given(start=moments, later=st.timedeltas(timedelta(0), timedelta(days=9)), minutes=st.integers(1, 2000))
def test_what_begins_later_is_never_due_sooner(start: datetime, later: timedelta, minutes: int) -> None:
    first = after_staffed(start, minutes, WITH_HOLIDAYS, LONDON)
    assert first <= after_staffed(start + later, minutes, WITH_HOLIDAYS, LONDON)


@given(start=moments, one=st.integers(1, 1500), two=st.integers(1, 1500))
def test_two_spans_after_one_another_are_one_span(start: datetime, one: int, two: int) -> None:
    """Exact to the minute, whatever nights, holidays and clock changes lie in between."""
    between = after_staffed(start, one, WITH_HOLIDAYS, LONDON)
    assert after_staffed(between, two, WITH_HOLIDAYS, LONDON) == after_staffed(start, one + two, WITH_HOLIDAYS, LONDON)


@given(start=moments, minutes=st.integers(1, 600))
def test_the_staffed_minutes_until_then_are_as_many_as_asked(start: datetime, minutes: int) -> None:
    start = start.replace(second=0, microsecond=0)
    end = after_staffed(start, minutes, WITH_HOLIDAYS, LONDON)
    step = timedelta(minutes=1)
    counted, moment = 0, start
    while moment < end:
        counted += is_staffed(moment, WITH_HOLIDAYS, LONDON)
        moment += step
    assert counted == minutes


@given(start=moments, minutes=st.integers(1, 3000))
def test_the_staffed_time_between_is_the_time_that_was_added(start: datetime, minutes: int) -> None:
    end = after_staffed(start, minutes, WITH_HOLIDAYS, LONDON)
    assert staffed_between(start, end, WITH_HOLIDAYS, LONDON) == timedelta(minutes=minutes)


def test_no_staffed_time_passes_at_night_or_backwards() -> None:
    evening, morning = local("2026-11-23 17:00"), local("2026-11-24 08:00")
    assert staffed_between(evening, morning, TERM, LONDON) == timedelta(0)
    assert staffed_between(morning + timedelta(hours=2), morning, TERM, LONDON) == timedelta(0)


def test_a_calendar_without_school_days_is_an_error_with_the_date() -> None:
    closed = Calendar(closures=(Closure(name="ever", first=date(2026, 1, 1), last=date(2030, 1, 1)),))
    with pytest.raises(ValueError, match="no school day in the 400 days after 23 November 2026"):
        after_staffed(local("2026-11-23 09:00"), 60, closed, LONDON)
