"""Forget in time: each mention's words go when its severity's or its source's limit is reached (PR07).

What is left for a year is who did what and how much there was, without a word of any post; then that goes too.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from monitor.jobs import audit, copies, incident_file
from monitor.jobs.coverage import write_days_down
from monitor.jobs.erasing import erase
from monitor.records import Severity
from monitor.store import audit as chain
from monitor.store import canaries, forgetting, holds, mentions

if TYPE_CHECKING:
    from datetime import datetime

    import sqlalchemy as sa

    from monitor.jobs.workplace import Workplace

TOMBSTONES_KEPT: Final = timedelta(days=90)
"""How long a tombstone is kept after what it stands for was last met at its source: then it comes no more."""
METADATA_KEPT: Final = timedelta(days=365)
"""The "metadata-only audit 12 months" of PR07: audit, closed cases, holds that ended, sent mail, runs."""


def retain(place: Workplace) -> int:
    """Erase what has been kept long enough, in every place; return how many mentions went.

    The days that are over are counted first: what is usual can be said of a month that is no longer stored.

    Raises:
        StoreError: a file cannot be read or removed.
    """
    now = place.clock()
    with audit.audited(place) as connection:
        write_days_down(place, connection, now)
        erased = _posts(place, connection, now)
        mentions.forget_tombstones(connection, before=now - TOMBSTONES_KEPT)
        forgetting.content(connection, before=now - timedelta(days=place.settings.retention.P0))
        forgetting.metadata(connection, before=now - METADATA_KEPT)
        holds.forget(connection, before=now - METADATA_KEPT)
        canaries.forget(connection, before=now - METADATA_KEPT)
        chain.prune(connection, before=now - METADATA_KEPT, at=now, who=place.who)
        first = chain.first(connection)
        held = frozenset(hold.mention_id for hold in holds.standing(connection, now))
    place.handles.forget_old(now)
    incident_file.forget_old(place, held)
    copies.forget_old(place)
    audit.forget_heads(place, first)
    return erased


def _posts(place: Workplace, connection: sa.Connection, now: datetime) -> int:
    """Erase the posts whose time is over, and those that only a hold kept and that it keeps no longer."""
    kept = place.settings.retention
    sources = place.policy.sources
    over = mentions.expired(
        connection,
        now=now,
        by_severity={severity: timedelta(days=getattr(kept, severity.value)) for severity in Severity},
        by_source={name: keep for name in sources.names if (keep := sources[name].keep)},
    )
    erased = 0
    for number, why in holds.owed(connection, now).items():
        erased += erase(place, connection, [number], why=why).count
    return erased + erase(place, connection, over, why="kept long enough").count
