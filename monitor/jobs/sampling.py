"""Everyday posts beyond a number a source and day are counted, and their words are not kept (PR21)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.records import Severity, Window
from monitor.store import cases, holds, mentions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import sqlalchemy as sa

    from monitor.jobs.workplace import Workplace
    from monitor.records import Judgement, StoredMention


def counted_only(
    place: Workplace, connection: sa.Connection, judged: Sequence[tuple[StoredMention, Judgement]], now: datetime
) -> frozenset[int]:
    """Return the numbers of the posts of which only that they came is to be kept.

    Those are P4, beyond `[reading] p4_posts_a_day` of their source on the local day on which they were first seen,
    in the order in which they are judged. Nothing that has a case or is held is among them.

    Args:
        place: whose limit and zone.
        connection: inside the write that will record the judgements.
        judged: posts with their judgements, not recorded yet.
        now: zone-aware; says which holds stand.
    """
    everyday = [stored for stored, judgement in judged if judgement.severity is Severity.P4]
    numbers = [stored.id for stored in everyday]
    spared = cases.of_mentions(connection, numbers).keys() | holds.held(connection, numbers, now).keys()
    left: dict[tuple[str, date], int] = {}
    out = set()
    for stored in everyday:
        local = stored.first_seen.astimezone(place.settings.federation.zone)
        source_and_day = (stored.mention.source, local.date())
        if source_and_day not in left:
            kept = mentions.with_words(connection, stored.mention.source, Severity.P4, _day(local))
            left[source_and_day] = place.settings.reading.p4_posts_a_day - kept
        if stored.id in spared:
            continue
        if left[source_and_day] <= 0:
            out.add(stored.id)
        left[source_and_day] -= 1
    return frozenset(out)


def _day(local: datetime) -> Window:
    """Return the local day of a moment, from midnight to midnight."""
    start = datetime(local.year, local.month, local.day, tzinfo=local.tzinfo)
    return Window(start=start, end=start + timedelta(days=1))
