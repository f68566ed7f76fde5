"""How well each source was seen: no count leaves the house without it."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from monitor.jobs.sources import standings
from monitor.records import Coverage, DayCount, Outcome, Sight, Spent, Window
from monitor.store import mentions, runs

if TYPE_CHECKING:
    import sqlalchemy as sa

    from monitor.jobs.sources import Standing
    from monitor.jobs.workplace import Workplace
    from monitor.records import Run

PATIENCE: Final = 3
"""Intervals without a complete run after which a source counts as behind."""

HISTORY_DAYS: Final = 56
ENOUGH_DAYS: Final = 14


def coverage(place: Workplace, connection: sa.Connection, window: Window) -> tuple[Coverage, ...]:
    """Return how every source was seen in `window`, as things stand at its end."""
    in_window = runs.between(connection, window)
    new = mentions.counts_by_source(connection, window)
    return tuple(
        _of(
            standing,
            complete=runs.latest_complete(connection, standing.source, before=window.end),
            latest=runs.latest(connection, standing.source, before=window.end),
            own=[run for run in in_window if run.source == standing.source],
            new=new.get(standing.source, 0),
            now=window.end,
        )
        for standing in standings(place)
    )


def _of(
    standing: Standing, *, complete: Run | None, latest: Run | None, own: list[Run], new: int, now: datetime
) -> Coverage:
    """Return how one source was seen."""
    spent = sum((run.spent for run in own), Spent())
    dropped: Counter[str] = Counter()
    for run in own:
        dropped.update(run.dropped)
    sight = _sight(standing, complete, latest, now)
    return Coverage(
        source=standing.source,
        name=standing.policy.name,
        sight=sight,
        last_read=complete.ended if complete else None,
        next_try=latest.retry_at if latest and sight is Sight.BEHIND else None,
        why=_why(standing, sight, latest),
        new=new if sight is Sight.READ or new else None,
        dropped=dict(dropped.most_common()),
        malformed=sum(sum(run.malformed.values()) for run in own),
        gone=sum(run.gone for run in own),
        spent=spent,
        never_sees=standing.policy.never_sees,
    )


def _sight(standing: Standing, complete: Run | None, latest: Run | None, now: datetime) -> Sight:
    """Return what can be said of a source."""
    if not standing.on:
        return Sight.OFF
    if complete is None:
        return Sight.NEVER
    late = now - complete.ended > max(PATIENCE * standing.every, timedelta(hours=1))
    failing = latest is not None and latest.outcome is not Outcome.COMPLETE
    return Sight.BEHIND if late or failing else Sight.READ


def _why(standing: Standing, sight: Sight, latest: Run | None) -> str:
    """Return why a source is not read as it should be, in one sentence."""
    if sight is Sight.OFF:
        return standing.why
    if sight is Sight.READ:
        return ""
    if latest is None:
        return "no run yet"
    return latest.error or "the monitor did not run"


def days(place: Workplace, connection: sa.Connection, last: datetime, number: int) -> tuple[DayCount, ...]:
    """Return the mentions of each of `number` days, oldest first; the last day ends at `last`.

    A day is blind where a source that is on was not once read completely in it.
    """
    windows = day_windows(place, last, number)
    counts = mentions.counts(connection, windows)
    wanted = {standing.source for standing in standings(place) if standing.on}
    whole = Window(start=windows[0].start, end=windows[-1].end)
    starts = [window.start for window in windows]
    read: dict[int, set[str]] = {}
    for source, started in runs.complete_starts(connection, whole):
        read.setdefault(bisect_right(starts, started) - 1, set()).add(source)
    return tuple(
        DayCount(start=window.start, count=count, blind=not wanted <= read.get(index, set()))
        for index, (window, count) in enumerate(zip(windows, counts, strict=True))
    )


def day_windows(place: Workplace, last: datetime, number: int) -> list[Window]:
    """Return `number` consecutive days that end at `last`, oldest first, by the wall clock."""
    zone = place.settings.federation.zone
    local = last.astimezone(zone)
    edges = [
        datetime.combine(local.date() - timedelta(days=back), local.timetz().replace(tzinfo=zone))
        for back in range(number, -1, -1)
    ]
    return [Window(start=start, end=end) for start, end in pairwise(edges)]


def usual(history: tuple[DayCount, ...]) -> tuple[int, int] | None:
    """Return the usual range of a day's count: the middle half of the days that were seen.

    None while fewer than 14 such days are known.
    """
    seen = [day.count for day in history if not day.blind]
    if len(seen) < ENOUGH_DAYS:
        return None
    low, high = np.percentile(seen, [25, 75])
    return int(np.floor(low)), int(np.ceil(high))
