"""Forget in time: each mention's words go when its severity's or its source's limit is reached (PR07)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from monitor.jobs import incident_file
from monitor.jobs.collect import forgotten
from monitor.records import Severity
from monitor.store import mentions

TOMBSTONES_KEPT: Final = timedelta(days=90)
"""No source is read further back than 30 days (PR21), so that nothing erased can come back after this."""

if TYPE_CHECKING:
    from monitor.jobs.workplace import Workplace


def retain(place: Workplace) -> int:
    """Erase what has been kept long enough, old tombstones and old handle keys; return how many mentions went."""
    now = place.clock()
    kept = place.settings.retention
    sources = place.policy.sources
    with place.store.write() as connection:
        over = mentions.expired(
            connection,
            now=now,
            by_severity={s: timedelta(days=getattr(kept, s.value)) for s in Severity},
            by_source={name: keep for name in sources.names if (keep := sources[name].keep)},
        )
        erased = mentions.erase(connection, over, now=now, why="kept long enough", forget=forgotten(place.policy))
        mentions.forget_tombstones(connection, before=now - TOMBSTONES_KEPT)
    place.handles.forget_old(now)
    incident_file.forget_old(place)
    return erased
