"""The clock of staffed hours: due times stand still while the schools are closed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from monitor.policy.escalation import SeverityRule
    from monitor.settings import Calendar

SATURDAY: Final = 5
LOOK_AHEAD: Final = 400
"""Days after which a calendar without any school day is an error."""


@lru_cache(maxsize=16)
def _bank_holidays(year: int) -> frozenset[date]:
    """Return England's bank holidays of a year."""
    import holidays  # noqa: PLC0415 - a large package, needed only when a due time is reckoned

    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=year))


def is_school_day(day: date, calendar: Calendar) -> bool:
    """Whether the schools are staffed on `day`."""
    if day.weekday() >= SATURDAY:
        return False
    if calendar.bank_holidays and day in _bank_holidays(day.year):
        return False
    return not any(closure.first <= day <= closure.last for closure in calendar.closures)


def is_staffed(moment: datetime, calendar: Calendar, zone: ZoneInfo) -> bool:
    """Whether somebody is there at `moment` (zone-aware)."""
    local = moment.astimezone(zone)
    return is_school_day(local.date(), calendar) and calendar.opens <= local.time() < calendar.closes


def after_staffed(start: datetime, minutes: int, calendar: Calendar, zone: ZoneInfo) -> datetime:
    """Return the moment `minutes` of staffed time after `start` (zone-aware), in UTC.

    Raises:
        ValueError: the calendar has no school day within 400 days.
    """
    left = timedelta(minutes=minutes)
    day = start.astimezone(zone).date()
    for _ in range(LOOK_AHEAD):
        if is_school_day(day, calendar):
            opens = datetime.combine(day, calendar.opens, zone).astimezone(UTC)
            closes = datetime.combine(day, calendar.closes, zone).astimezone(UTC)
            begin = max(start.astimezone(UTC), opens)
            if begin < closes:
                if begin + left <= closes:
                    return begin + left
                left -= closes - begin
        day += timedelta(days=1)
    problem = f"the calendar has no school day in the {LOOK_AHEAD} days after {start:%d %B %Y}"
    raise ValueError(problem)


def staffed_between(start: datetime, end: datetime, calendar: Calendar, zone: ZoneInfo) -> timedelta:
    """Return the staffed time from `start` to `end` (both zone-aware); nothing if `end` is not later."""
    begin, finish = start.astimezone(UTC), end.astimezone(UTC)
    total = timedelta()
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        if is_school_day(day, calendar):
            opens = datetime.combine(day, calendar.opens, zone).astimezone(UTC)
            closes = datetime.combine(day, calendar.closes, zone).astimezone(UTC)
            total += max(min(finish, closes) - max(begin, opens), timedelta())
        day += timedelta(days=1)
    return total


def due(
    start: datetime, rule: SeverityRule, calendar: Calendar, zone: ZoneInfo, *, acknowledged: bool = False
) -> datetime | None:
    """Return by when an item first seen at `start` should be acknowledged, or once it is, be decided on.

    None where nothing is due. Reckoned from `start` both times: an acknowledgement buys no time twice.
    """
    minutes = rule.act_minutes if acknowledged else rule.acknowledge_minutes
    if not minutes:
        return None
    if rule.clock == "always":
        return start.astimezone(UTC) + timedelta(minutes=minutes)
    return after_staffed(start, minutes, calendar, zone)
