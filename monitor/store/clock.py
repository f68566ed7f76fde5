"""The clock went back: what was dated later than now is dated now, so that nothing waits for a time that was a mistake.

A machine whose clock was ahead for a while leaves rows from a future that may be a year away: a source "read" then
would not be read again until then, a case would be due then, a post would be kept as much longer. The newest job
of the journal tells that it happened. Nothing is lost by it in the other direction: a clock that wrongly went back
makes posts look a little older and cases due a little sooner, and the digest tells what it has not told by number
(see `monitor.jobs.daily`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from monitor.records import Outcome
from monitor.store.schema import case_events, cases, job_runs, mentions, runs, sightings, spending

if TYPE_CHECKING:
    from datetime import datetime

AHEAD: Final = timedelta(minutes=5)
"""What is dated no more than this after now may come from a colleague who read the clock a moment later."""

JOB: Final = "clock"
"""Under this name the journal says that the clock went back, and the digest repeats it."""


def went_back(connection: sa.Connection, now: datetime) -> timedelta:
    """Return how far the clock went back since the newest job began, nothing if it did not; `now` is zone-aware."""
    newest: datetime | None = connection.scalar(
        sa.select(job_runs.c.started).order_by(job_runs.c.id.desc()).limit(1),
    )
    return newest - now if newest is not None and newest > now + AHEAD else timedelta()


def set_right(connection: sa.Connection, now: datetime) -> bool:
    """Date what is dated in the future now, and write into the journal that it was; return whether it was needed.

    A run that read a source "in the future" no longer counts as complete: the next one reads its window again.
    The journal's own moments stay: a digest that went out early is not sent a second time.
    """
    back = went_back(connection, now)
    if not back:
        return False
    later = now + AHEAD
    dated = (mentions.c.first_seen, mentions.c.last_seen, sightings.c.first_seen, case_events.c.at, spending.c.at)
    for column in dated:
        connection.execute(sa.update(column.table).where(column > later).values({column: now}))
    connection.execute(
        sa.update(runs)
        .where(runs.c.started > later, runs.c.outcome == Outcome.COMPLETE.value)
        .values(outcome=Outcome.PARTIAL.value, error_kind=JOB, error="read while the clock was ahead")
    )
    connection.execute(
        sa.update(runs)
        .where(runs.c.started > later)
        .values(started=now, ended=now, window_start=now, window_end=now, retry_at=None)
    )
    for row in connection.execute(sa.select(cases).where(cases.c.opened > later)).all():
        due = row.due and row.due - (row.opened - now)
        connection.execute(sa.update(cases).where(cases.c.id == row.id).values(opened=now, due=due))
    connection.execute(
        sa.insert(job_runs).values(
            job=JOB,
            planned=now,
            started=now,
            ended=now,
            outcome="failed",
            error=f"it went back by {_hours(back)}; what was dated later is dated now",
        )
    )
    return True


def _hours(span: timedelta) -> str:
    """Return a span in hours and minutes."""
    minutes = round(span.total_seconds() / 60)
    return f"{minutes // 60} h {minutes % 60} min"
