"""When a planted public post of our own was published and when it was first seen: two moments, no word of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from monitor.store.schema import canaries

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One planted post, as far as the store knows it: when it was published, and when it was first seen."""

    published: datetime
    seen: datetime


def note(connection: sa.Connection, source: str, published: Iterable[datetime], *, now: datetime) -> None:
    """Write down that planted posts were met; one that was met before stays as first seen.

    Args:
        connection: inside a write.
        source: the collector's name.
        published: when each was published, zone-aware: that tells them apart.
        now: zone-aware.
    """
    for moment in sorted(set(published)):
        here = (canaries.c.source == source) & (canaries.c.published == moment)
        if connection.scalar(sa.select(sa.func.count()).select_from(canaries).where(here)) == 0:
            connection.execute(sa.insert(canaries).values(source=source, published=moment, seen=now))


def last(connection: sa.Connection, source: str, *, before: datetime) -> Sighting | None:
    """Return the planted post of a source that was first seen last, before a moment; None if none ever was."""
    row = connection.execute(
        sa.select(canaries.c.published, canaries.c.seen)
        .where(canaries.c.source == source, canaries.c.seen < before)
        .order_by(canaries.c.seen.desc(), canaries.c.published.desc())
        .limit(1)
    ).first()
    return Sighting(published=row.published, seen=row.seen) if row else None


def forget(connection: sa.Connection, *, before: datetime) -> None:
    """Forget those that were seen before a moment."""
    connection.execute(sa.delete(canaries).where(canaries.c.seen < before))
