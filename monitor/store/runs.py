"""Runs and bookmarks: what was read, when, how far, and why not. Coverage is printed from here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from monitor.records import Bookmark, Outcome, Purpose, Run, Spent, Window
from monitor.store.schema import bookmarks, runs, spending

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


READ: Final = sa.and_(runs.c.outcome == Outcome.COMPLETE.value, runs.c.purpose == Purpose.COLLECT.value)
"""The condition that a run read a source: whole, and for what is new."""


UNDER_WAY: Final = Spent(calls=1, units=1, pence=40.0)
"""What the dearest single call of any source costs: it may have been made when a run died, and nobody counted it.

In pence that is a page of a hundred posts of X, of 0.4 each (see `collectors.x`).
"""


def book(
    connection: sa.Connection, source: str, purpose: Purpose, started: datetime, spent: Spent, *, now: datetime
) -> None:
    """Write down all that a run which goes on has cost so far; `add` settles it. Times are zone-aware.

    If the run dies, this counts as spent, with the dearest call that may have been under way (see `UNDER_WAY`).
    """
    cost = spent + UNDER_WAY
    _settle(connection, source, purpose, started)
    connection.execute(
        sa.insert(spending).values(
            source=source,
            purpose=purpose.value,
            started=started,
            at=now,
            calls=cost.calls,
            units=cost.units,
            pence=cost.pence,
        )
    )


def _settle(connection: sa.Connection, source: str, purpose: Purpose, started: datetime) -> None:
    """Take back what was booked for a run, whose record says now what it cost."""
    connection.execute(
        sa.delete(spending).where(
            spending.c.source == source, spending.c.purpose == purpose.value, spending.c.started == started
        )
    )


def add(connection: sa.Connection, run: Run) -> None:
    """Store one run, and settle what was booked for it."""
    _settle(connection, run.source, run.purpose, run.started)
    connection.execute(
        sa.insert(runs).values(
            source=run.source,
            started=run.started,
            ended=run.ended,
            window_start=run.window.start,
            window_end=run.window.end,
            purpose=run.purpose.value,
            outcome=run.outcome.value,
            seen=run.seen,
            new=run.new,
            changed=run.changed,
            gone=run.gone,
            dropped=run.dropped,
            malformed=run.malformed,
            calls=run.spent.calls,
            units=run.spent.units,
            pence=run.spent.pence,
            error_kind=run.error_kind,
            error=run.error,
            retry_at=run.retry_at,
        )
    )


def latest(
    connection: sa.Connection, source: str, *, before: datetime | None = None, purpose: Purpose = Purpose.COLLECT
) -> Run | None:
    """Return the newest run of a source for one purpose, started before a moment if one is given."""
    return _one(connection, runs.c.source == source, runs.c.purpose == purpose.value, _before(before))


def waits_until(connection: sa.Connection, source: str) -> datetime | None:
    """Return until when a source, or our cap, wants us to wait, whatever its newest runs were for; None if neither."""
    newest = (latest(connection, source, purpose=purpose) for purpose in Purpose)
    return max((run.retry_at for run in newest if run and run.retry_at), default=None)


def latest_complete(connection: sa.Connection, source: str, *, before: datetime | None = None) -> Run | None:
    """Return the newest run that read its whole window."""
    return _one(connection, runs.c.source == source, READ, _before(before))


def between(connection: sa.Connection, window: Window) -> tuple[Run, ...]:
    """Return the runs for any purpose that started in `window`, oldest first."""
    rows = connection.execute(
        sa.select(runs)
        .where(runs.c.started >= window.start, runs.c.started < window.end)
        .order_by(runs.c.started, runs.c.id)
    )
    return tuple(_run(row) for row in rows)


def complete_starts(connection: sa.Connection, window: Window) -> tuple[tuple[str, datetime], ...]:
    """Return (source, start) of every complete run that started in `window`, oldest first."""
    rows = connection.execute(
        sa.select(runs.c.source, runs.c.started)
        .where(READ, runs.c.started >= window.start, runs.c.started < window.end)
        .order_by(runs.c.started)
    )
    return tuple((row.source, row.started) for row in rows)


def spent(connection: sa.Connection, source: str, since: datetime) -> Spent:
    """Return what runs for any purpose that ended since a moment (zone-aware) cost, and what is booked: the ledger."""
    return _sum(connection, runs, runs.c.source == source, runs.c.ended >= since) + _sum(
        connection, spending, spending.c.source == source, spending.c.at >= since
    )


def _sum(connection: sa.Connection, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> Spent:
    """Return what the rows of a table that has costs add up to."""
    row = connection.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(table.c.calls), 0).label("calls"),
            sa.func.coalesce(sa.func.sum(table.c.units), 0).label("units"),
            sa.func.coalesce(sa.func.sum(table.c.pence), 0.0).label("pence"),
        ).where(*conditions)
    ).one()
    return Spent(calls=int(row.calls), units=int(row.units), pence=float(row.pence))


def first_cost(connection: sa.Connection, source: str, since: datetime) -> datetime | None:
    """Return when the first run that cost calls or units ended, or died, since a moment; None if none did."""
    ended: datetime | None = connection.scalar(
        sa.select(sa.func.min(runs.c.ended)).where(
            runs.c.source == source, runs.c.ended >= since, sa.or_(runs.c.calls > 0, runs.c.units > 0)
        )
    )
    booked: datetime | None = connection.scalar(
        sa.select(sa.func.min(spending.c.at)).where(spending.c.source == source, spending.c.at >= since)
    )
    return min((one for one in (ended, booked) if one), default=None)


def bookmarks_of(connection: sa.Connection, source: str) -> dict[str, str]:
    """Return where a source's channels start next time."""
    rows = connection.execute(sa.select(bookmarks.c.channel, bookmarks.c.value).where(bookmarks.c.source == source))
    return {row.channel: row.value for row in rows}


def keep_bookmarks(connection: sa.Connection, source: str, kept: Iterable[Bookmark]) -> None:
    """Move a source's bookmarks: last of all, in the transaction that stored what they stand behind."""
    for bookmark in kept:
        here = (bookmarks.c.source == source) & (bookmarks.c.channel == bookmark.channel)
        connection.execute(sa.delete(bookmarks).where(here))
        connection.execute(sa.insert(bookmarks).values(source=source, channel=bookmark.channel, value=bookmark.value))


def _before(moment: datetime | None) -> sa.ColumnElement[bool]:
    """Return the condition that a run started before `moment`."""
    return sa.true() if moment is None else runs.c.started < moment


def _one(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> Run | None:
    """Return the newest run that meets the conditions."""
    row = connection.execute(
        sa.select(runs).where(*conditions).order_by(runs.c.started.desc(), runs.c.id.desc()).limit(1)
    ).first()
    return _run(row) if row else None


def _run(row: Any) -> Run:  # noqa: ANN401 - a database row
    """Turn a row into a record."""
    return Run(
        source=row.source,
        started=row.started,
        ended=row.ended,
        window=Window(start=row.window_start, end=row.window_end),
        purpose=Purpose(row.purpose),
        outcome=Outcome(row.outcome),
        seen=row.seen,
        new=row.new,
        changed=row.changed,
        gone=row.gone,
        dropped=row.dropped,
        malformed=row.malformed,
        spent=Spent(calls=row.calls, units=row.units, pence=row.pence),
        error_kind=row.error_kind,
        error=row.error,
        retry_at=row.retry_at,
    )
