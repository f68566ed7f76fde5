"""Asking again: which stored posts a source should be asked for by id, and what its answers change here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from monitor.store.mentions import refresh
from monitor.store.schema import mentions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from monitor.store.mentions import Arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A stored post that should be asked for: its number, its key at the source, and when it last stood there."""

    id: int
    native_id: str
    last_seen: datetime


def waiting(
    connection: sa.Connection, source: str, *, seen_before: datetime, after: Waiting | None = None, limit: int
) -> tuple[Waiting, ...]:
    """Return up to `limit` posts of a source that were last seen before a moment, oldest first.

    Args:
        connection: inside a read.
        source: the collector's name.
        seen_before: zone-aware.
        after: where to go on: the last post of the batch before, None at the beginning. Without it a post of
            which the source says nothing would come again and again.
        limit: the most that come back.
    """
    order = (mentions.c.last_seen, mentions.c.id)
    further = (
        sa.tuple_(*order) > sa.tuple_(sa.literal(after.last_seen, mentions.c.last_seen.type), after.id)
        if after
        else sa.true()
    )
    rows = connection.execute(
        sa.select(mentions.c.id, mentions.c.native_id, mentions.c.last_seen)
        .where(mentions.c.source == source, mentions.c.last_seen < seen_before, further)
        .order_by(*order)
        .limit(limit)
    )
    return tuple(Waiting(id=row.id, native_id=row.native_id, last_seen=row.last_seen) for row in rows)


def confirm(connection: sa.Connection, arrivals: Sequence[Arrival], *, now: datetime) -> int:
    """Note that posts still stand, taking over what was edited; return how many were.

    An edited post is to be judged again; one whose words may not be kept keeps the judgement that was made while
    they were at hand. What is not here, or no longer, is left out: a re-check adds nothing.

    Args:
        connection: inside a write.
        arrivals: posts of one source, as they stand there now; without text where it may not be kept.
        now: zone-aware.
    """
    by_key = {(arrival.mention.source, arrival.mention.native_id): arrival for arrival in arrivals}
    rows = connection.execute(
        sa.select(mentions.c.id, mentions.c.source, mentions.c.native_id, mentions.c.sha256).where(
            sa.tuple_(mentions.c.source, mentions.c.native_id).in_(list(by_key))
        )
    ).all()
    edited = 0
    for row in rows:
        arrival = by_key[row.source, row.native_id]
        differs = bool(arrival.mention.text) and arrival.sha256 != row.sha256
        refresh(connection, row.id, arrival if differs else None, now)
        edited += differs
    return edited
