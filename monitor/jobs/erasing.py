"""The one way in which posts are erased: not while they are held, with every copy, and recorded (PR07, PR08)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.jobs import audit, copies
from monitor.store import holds, mentions
from monitor.store.audit import Deed, of_erasure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from monitor.jobs.workplace import Workplace
    from monitor.policy.folder import Policy
    from monitor.store.holds import Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What became of the posts that should go: how many went, and the holds that keep the others."""

    count: int
    held: tuple[Hold, ...] = ()


def erase(place: Workplace, connection: sa.Connection, numbers: Sequence[int], *, why: str) -> Erased:
    """Erase posts with their judgements, sightings and every copy of their words; held ones go when their hold ends.

    Raises:
        StoreError: a file that holds a copy cannot be read or written; nothing is erased then.
    """
    now = place.clock()
    kept = holds.held(connection, numbers, now)
    fresh = [hold for hold in kept.values() if not hold.owed]
    holds.owe(connection, [hold.mention_id for hold in fresh], why=why, now=now)
    for hold in fresh:
        audit.note(place, connection, Deed.KEPT, f"{hold.reference} until {hold.until:%Y-%m-%d}: {why}")
    free = [number for number in numbers if number not in kept]
    copies.redact(place, connection, free, why=why)
    count = mentions.erase(connection, free, now=now, why=why, forget=forgotten(place.policy))
    if count:
        audit.note(place, connection, Deed.ERASED, of_erasure(count, len(numbers), why))
    return Erased(count=count, held=tuple(kept.values()))


def forgotten(policy: Policy) -> frozenset[str]:
    """Return the sources of which nothing may stay after a deletion, not even a hash."""
    return frozenset(name for name in policy.sources.names if policy.sources[name].on_deletion == "forget")
