"""Figures for the weekly report: counted by the database, without a word of any post or case."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from monitor.records import Window
from monitor.store import cases as case_store
from monitor.store.outbox import MAIL
from monitor.store.runs import READ
from monitor.store.schema import case_events, cases, day_counts, judgements, mentions, messages, runs, sent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime, timedelta

    from monitor.records import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many mentions of one window share schools, category and tone.

    `category` and `sentiment` are "" where a mention is not judged yet, or may not be scored.
    """

    schools: tuple[str, ...]
    category: str
    sentiment: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One complete run: the source, when it began, and the window that it read."""

    source: str
    started: datetime
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class LateMessage:
    """A message that was delivered, but late: its kind, when it was queued, and when it left."""

    kind: str
    queued: datetime
    left: datetime


def tallies(connection: sa.Connection, window: Window) -> tuple[Tally, ...]:
    """Return the mentions first seen in `window`, counted; what is not about our schools is left out.

    The index over `first_seen` and the key of `judgements` answer, whatever the history.
    """
    current = sa.and_(judgements.c.mention_id == mentions.c.id, judgements.c.policy_version == mentions.c.judged_under)
    # as text: PostgreSQL cannot group by JSON
    schools = sa.cast(judgements.c.schools, sa.Text).label("schools")
    rows = connection.execute(
        sa.select(schools, judgements.c.category, judgements.c.sentiment, sa.func.count().label("count"))
        .select_from(mentions.outerjoin(judgements, current))
        .where(
            mentions.c.first_seen >= window.start,
            mentions.c.first_seen < window.end,
            sa.or_(mentions.c.judged_under.is_(None), judgements.c.severity.is_not(None)),
        )
        .group_by(schools, judgements.c.category, judgements.c.sentiment)
        .order_by(schools, judgements.c.category, judgements.c.sentiment)
    )
    return tuple(
        Tally(
            schools=tuple(json.loads(row.schools or "[]")),
            category=row.category or "",
            sentiment=row.sentiment or "",
            count=int(row[3]),
        )
        for row in rows
    )


def cases_touched(connection: sa.Connection, window: Window) -> tuple[Case, ...]:
    """Return the cases that were open at some moment of `window`, with their histories; the oldest first."""
    events = sa.select(case_events.c.case_id).where(case_events.c.at >= window.start, case_events.c.at < window.end)
    numbers = connection.scalars(
        sa.select(cases.c.mention_id).where(
            cases.c.opened < window.end,
            sa.or_(cases.c.opened >= window.start, cases.c.state.in_(case_store.OPEN), cases.c.id.in_(events)),
        )
    ).all()
    found = case_store.of_mentions(connection, numbers).values()
    return tuple(sorted(found, key=lambda case: (case.opened, case.reference)))


def readings(connection: sa.Connection, window: Window) -> tuple[Reading, ...]:
    """Return every complete run that started in `window`, oldest first."""
    rows = connection.execute(
        sa.select(runs.c.source, runs.c.started, runs.c.window_start, runs.c.window_end)
        .where(READ, runs.c.started >= window.start, runs.c.started < window.end)
        .order_by(runs.c.started, runs.c.id)
    )
    return tuple(
        Reading(source=row.source, started=row.started, window=Window(start=row.window_start, end=row.window_end))
        for row in rows
    )


def first_run(connection: sa.Connection, source: str) -> datetime | None:
    """Return when a source was tried for the very first time, None if it never was."""
    found: datetime | None = connection.scalar(
        sa.select(runs.c.started).where(runs.c.source == source).order_by(runs.c.started).limit(1)
    )
    return found


def late_messages(connection: sa.Connection, window: Window, late: timedelta) -> tuple[LateMessage, ...]:
    """Return the e-mails queued in `window` that left later than that, once for each kind and moment."""
    rows = connection.execute(
        sa.select(messages.c.kind, messages.c.queued, sa.func.max(sent.c.at).label("left"))
        .select_from(messages.join(sent, sent.c.message_id == messages.c.message_id))
        .where(messages.c.queued >= window.start, messages.c.queued < window.end, messages.c.carrier == MAIL)
        .group_by(messages.c.kind, messages.c.queued)
        .order_by(messages.c.queued, messages.c.kind)
    )
    found = (LateMessage(kind=row.kind, queued=row.queued, left=row.left) for row in rows)
    return tuple(one for one in found if one.left - one.queued > late)


def written_days(connection: sa.Connection, first: date, last: date) -> dict[date, int]:
    """Return the counts that were written down of the days from `first` to `last`: local date -> mentions."""
    rows = connection.execute(sa.select(day_counts).where(day_counts.c.day >= first, day_counts.c.day <= last))
    return {row.day: int(row[1]) for row in rows}


def write_days(connection: sa.Connection, counts: Mapping[date, int]) -> None:
    """Write days down, local date -> mentions; they outlive the mentions they were counted from."""
    if counts:
        connection.execute(sa.insert(day_counts), [{"day": day, "count": count} for day, count in counts.items()])
