"""The journal of jobs: what was due, what ran, what failed, what was missed; and who holds the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from monitor.store.schema import job_runs, leases

if TYPE_CHECKING:
    from monitor.records import Window

RUNNING, DONE, FAILED, MISSED = "running", "done", "failed", "missed"
YESTERDAY: Final = (timedelta(hours=36), timedelta(hours=12))
"""How long ago, at most and at least, a job has begun under a clock that can be trusted."""
LEASE: Final = timedelta(minutes=2)
"""How long a scheduler that died keeps the others out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """One run of a job for one planned moment."""

    job: str
    planned: datetime
    started: datetime
    ended: datetime | None
    outcome: str
    error: str = ""


def start(connection: sa.Connection, job: str, *, planned: datetime, now: datetime) -> int:
    """Note that a job begins; return the line's number."""
    result = connection.execute(
        sa.insert(job_runs).values(job=job, planned=planned, started=now, ended=None, outcome=RUNNING, error="")
    )
    key = result.inserted_primary_key
    assert key is not None  # noqa: S101 - an INSERT of one row has one key
    return int(key[0])


def finish(connection: sa.Connection, number: int, *, now: datetime, error: str = "") -> None:
    """Note how a job ended."""
    connection.execute(
        sa.update(job_runs)
        .where(job_runs.c.id == number)
        .values(ended=now, outcome=FAILED if error else DONE, error=error)
    )


def missed(connection: sa.Connection, job: str, *, planned: datetime, now: datetime) -> None:
    """Note that a planned run did not happen."""
    connection.execute(
        sa.insert(job_runs).values(
            job=job, planned=planned, started=now, ended=now, outcome=MISSED, error="not run in time"
        )
    )


def last_done(connection: sa.Connection, job: str, *, until: datetime | None = None) -> datetime | None:
    """Return the planned moment of the job's newest finished run, none after `until` if that is given.

    A clock that was a year ahead for a minute must not keep the job from running until that year is over.
    """
    found: datetime | None = connection.scalar(
        sa.select(job_runs.c.planned)
        .where(
            job_runs.c.job == job,
            job_runs.c.outcome == DONE,
            sa.true() if until is None else job_runs.c.planned <= until,
        )
        .order_by(job_runs.c.planned.desc())
        .limit(1)
    )
    return found


def newest(connection: sa.Connection, job: str) -> JobRun | None:
    """Return the job's newest run, whatever became of it."""
    row = connection.execute(
        sa.select(job_runs).where(job_runs.c.job == job).order_by(job_runs.c.id.desc()).limit(1)
    ).first()
    return _run(row) if row else None


def first_start(connection: sa.Connection) -> datetime | None:
    """Return when the very first job of this store began."""
    found: datetime | None = connection.scalar(sa.select(job_runs.c.started).order_by(job_runs.c.id).limit(1))
    return found


def steady(connection: sa.Connection, now: datetime) -> bool:
    """Whether a job began yesterday or last night: the clock has not just leapt ahead.

    After days without power the first answer is no as well, and the next day's is yes.
    """
    return bool(
        connection.scalar(
            sa.select(sa.func.count())
            .select_from(job_runs)
            .where(job_runs.c.started >= now - YESTERDAY[0], job_runs.c.started <= now - YESTERDAY[1])
        )
    )


def troubles(connection: sa.Connection, window: Window) -> tuple[JobRun, ...]:
    """Return the runs in `window` that failed, were missed, or never came to an end."""
    rows = connection.execute(
        sa.select(job_runs)
        .where(
            job_runs.c.outcome.in_((FAILED, MISSED, RUNNING)),
            job_runs.c.started >= window.start,
            job_runs.c.started < window.end,
        )
        .order_by(job_runs.c.started, job_runs.c.id)
    )
    return tuple(_run(row) for row in rows)


def _run(row: sa.Row[Any]) -> JobRun:
    """Return one line of the journal."""
    return JobRun(
        job=row.job,
        planned=row.planned,
        started=row.started,
        ended=row.ended,
        outcome=row.outcome,
        error=row.error,
    )


def claim(connection: sa.Connection, name: str, *, holder: str, now: datetime) -> bool:
    """Take or renew a lease; return False while somebody else holds it.

    A lease that ends later than any that is given now was taken while the clock was ahead, and holds nobody off.
    """
    row = connection.execute(sa.select(leases).where(leases.c.name == name)).first()
    if row is not None and row.holder != holder and now < row.until <= now + LEASE:
        return False
    connection.execute(sa.delete(leases).where(leases.c.name == name))
    connection.execute(sa.insert(leases).values(name=name, holder=holder, until=now + LEASE))
    return True


def release(connection: sa.Connection, name: str, *, holder: str) -> None:
    """Give a lease back."""
    connection.execute(sa.delete(leases).where(leases.c.name == name, leases.c.holder == holder))
