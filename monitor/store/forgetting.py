"""What goes when it is old: the content of mail that never left, and figures about the monitor's own work (PR07)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from monitor.store.cases import OPEN
from monitor.store.schema import case_events, cases, job_runs, messages, runs, sent, spending

if TYPE_CHECKING:
    from datetime import datetime


def content(connection: sa.Connection, *, before: datetime) -> int:
    """Empty and give up the messages that were queued before a moment and never left; return how many."""
    waiting = sa.and_(messages.c.queued < before, messages.c.content != b"")
    return connection.execute(
        sa.update(messages).where(waiting).values(content=b"", state="refused", error="not sent in its time")
    ).rowcount


def metadata(connection: sa.Connection, *, before: datetime) -> None:
    """Remove closed cases, sent mail, runs and the journal of jobs from before a moment.

    The newest case stays, whatever its age: references count on from it and never come twice.
    """
    touched = sa.select(case_events.c.case_id).where(case_events.c.at >= before)
    newest = sa.select(sa.func.max(cases.c.id)).scalar_subquery()
    over = sa.select(cases.c.id).where(cases.c.state.not_in(OPEN), cases.c.id.not_in(touched), cases.c.id < newest)
    gone = connection.scalars(over).all()
    for number in gone:
        connection.execute(sa.delete(case_events).where(case_events.c.case_id == number))
        connection.execute(sa.delete(cases).where(cases.c.id == number))
    connection.execute(sa.delete(messages).where(messages.c.queued < before))
    connection.execute(sa.delete(sent).where(sent.c.at < before))
    connection.execute(sa.delete(runs).where(runs.c.ended < before))
    connection.execute(sa.delete(spending).where(spending.c.at < before))
    connection.execute(sa.delete(job_runs).where(job_runs.c.ended < before))
