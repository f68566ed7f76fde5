"""A case as a clock sees it: when it was opened, acknowledged and decided, on the clock of its severity."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from monitor.hours import after_staffed, staffed_between
from monitor.jobs.casework import Act
from reports.week import CaseTimes

if TYPE_CHECKING:
    from monitor.jobs.workplace import Workplace
    from monitor.records import Case
    from monitor.settings import Calendar

DECIDES: Final = frozenset({Act.ANSWER.value, Act.NO_REPLY.value, Act.REFER.value, Act.CLOSE.value, "not about us"})
"""What in a history answers or decides; "not about us" is written by a correction."""
OLD_DAYS: Final = 5
"""Working days after which an open case is counted as old."""


def times_of(place: Workplace, case: Case, end: datetime) -> CaseTimes:
    """Return the moments of a case up to `end` (zone-aware). One that was opened again starts anew."""
    history = [event for event in case.history if event.at < end]
    again = max((line for line, event in enumerate(history) if event.what == Act.REOPEN.value), default=None)
    started = case.opened if again is None else history[again].at
    since = history if again is None else history[again + 1 :]
    decided = next((event.at for event in since if event.what in DECIDES), None)
    acknowledged = next((event.at for event in since if event.what == Act.ACK.value), None)
    rule = place.policy.escalation.severities[case.severity]
    calendar, zone = place.settings.calendar, place.settings.federation.zone
    always = rule.clock == "always"

    def after(minutes: int) -> datetime | None:
        if not minutes:
            return None
        if always:
            return started.astimezone(UTC) + timedelta(minutes=minutes)
        return after_staffed(started, minutes, calendar, zone)

    took = None
    if decided:
        took = decided - started if always else staffed_between(started, decided, calendar, zone)
    row = place.policy.escalation.categories.get(case.category)
    return CaseTimes(
        reference=case.reference,
        category=case.category,
        severity=case.severity,
        owner=case.owner,
        schools=case.schools,
        state=case.state,
        started=started,
        acknowledged=acknowledged or decided,
        decided=decided,
        acknowledge_by=after(rule.acknowledge_minutes),
        act_by=after(rule.act_minutes),
        old_from=after_staffed(started, OLD_DAYS * int(working_day(calendar) / timedelta(minutes=1)), calendar, zone),
        took=took,
        restricted=case.restricted or row is None or row.restricted,
    )


def working_day(calendar: Calendar) -> timedelta:
    """Return how long the schools are staffed on a school day."""
    return datetime.combine(date.min, calendar.closes) - datetime.combine(date.min, calendar.opens)
