"""What small numbers are compared with, and what was unusual. Numbers and hashes: no post, no account, no name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from monitor.store.batches import batched
from monitor.store.schema import outlets, read_days, spikes, topic_days

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from monitor.records import Window

Topic = tuple[str, str]
"""School and category."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """Something unusual, said once a day.

    Attributes:
        day: the local day. at: when it was found, zone-aware.
        kind: "accounts", "outlet" or "pace"; "unknown" for a number that nobody can weigh yet.
        about: topic, story or outlet, for this store alone.
        category, schools: what it is about.
        cause: the sentence with the numbers, without a word of any post.
    """

    day: date
    at: datetime
    kind: str
    about: str
    category: str
    schools: tuple[str, ...]
    cause: str


def read_on(connection: sa.Connection, since: date) -> dict[date, frozenset[str]]:
    """Return the days from `since` that are written down, with the sources that were read on each."""
    rows = connection.execute(sa.select(read_days).where(read_days.c.day >= since))
    return {row.day: frozenset(row.sources) for row in rows}


def voices_on(connection: sa.Connection, topic: Topic, since: date) -> dict[date, int]:
    """Return how many accounts and outlets spoke of a topic on each day from `since` on which any did."""
    rows = connection.execute(
        sa.select(topic_days.c.day, topic_days.c.voices).where(
            topic_days.c.school == topic[0], topic_days.c.category == topic[1], topic_days.c.day >= since
        )
    )
    return {row.day: row.voices for row in rows}


def write_down(connection: sa.Connection, day: date, sources: Iterable[str], voices: Mapping[Topic, int]) -> None:
    """Write a day down that is over, once; a day that is there already stays as it is."""
    if connection.scalar(sa.select(read_days.c.day).where(read_days.c.day == day)):
        return
    connection.execute(sa.insert(read_days).values(day=day, sources=sorted(sources)))
    if voices:
        connection.execute(
            sa.insert(topic_days),
            [
                {"day": day, "school": school, "category": category, "voices": count}
                for (school, category), count in sorted(voices.items())
            ],
        )


def learn(connection: sa.Connection, names: Iterable[str], at: datetime) -> frozenset[str]:
    """Remember outlets as hashes; return the names that were not known before."""
    keys = {_key(name): name for name in names}
    known: set[str] = set()
    for chunk in batched(sorted(keys)):
        known.update(connection.scalars(sa.select(outlets.c.key).where(outlets.c.key.in_(chunk))))
    fresh = sorted(keys.keys() - known)
    if fresh:
        connection.execute(sa.insert(outlets), [{"key": key, "first_seen": at} for key in fresh])
    return frozenset(keys[key] for key in fresh)


def _key(name: str) -> str:
    """Return what an outlet is remembered by."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def add(connection: sa.Connection, spike: Spike) -> bool:
    """Write something unusual down; return False if it was said on that day already."""
    said = sa.select(spikes.c.id).where(
        spikes.c.day == spike.day, spikes.c.kind == spike.kind, spikes.c.about == spike.about
    )
    if connection.scalar(said) is not None:
        return False
    connection.execute(
        sa.insert(spikes).values(
            day=spike.day,
            kind=spike.kind,
            about=spike.about,
            at=spike.at,
            category=spike.category,
            schools=list(spike.schools),
            cause=spike.cause,
        )
    )
    return True


def between(connection: sa.Connection, window: Window) -> tuple[Spike, ...]:
    """Return what was found in `window`, oldest first."""
    rows = connection.execute(
        sa.select(spikes).where(spikes.c.at >= window.start, spikes.c.at < window.end).order_by(spikes.c.id)
    )
    return tuple(
        Spike(
            day=row.day,
            at=row.at,
            kind=row.kind,
            about=row.about,
            category=row.category,
            schools=tuple(row.schools),
            cause=row.cause,
        )
        for row in rows
    )
