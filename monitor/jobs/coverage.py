"""How well each source was seen: no count leaves the house without it."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from monitor.jobs.sources import standings, used
from monitor.records import Coverage, DayCount, Outcome, Purpose, Severity, Sight, Spent, Window
from monitor.store import figures, mentions, runs

if TYPE_CHECKING:
    from datetime import date

    import sqlalchemy as sa

    from monitor.jobs.sources import Standing
    from monitor.jobs.workplace import Workplace
    from monitor.records import Run

TOLD: Final = {
    "access_refused": "it no longer lets us in",
    "fault": "the monitor has a fault of its own there",
    "quota_spent": "our own limit for it is used up",
    "rate_limited": "it asked us to wait",
    "unexpected_shape": "it answers in a way that the monitor does not know",
    "unreachable": "it could not be reached",
}
"""What each kind of failure is in plain words, for people who read a digest."""

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
            latest=_newest(connection, standing.source, window.end),
            own=[run for run in in_window if run.source == standing.source],
            new=new.get(standing.source, 0),
            share=used(connection, standing, window.end),
            now=window.end,
        )
        for standing in standings(place)
    )


def _newest(connection: sa.Connection, source: str, now: datetime) -> Run | None:
    """Return the run that says how a source stands: the newest reading, or the re-check that keeps it from reading."""
    reading = runs.latest(connection, source, before=now)
    again = runs.latest(connection, source, before=now, purpose=Purpose.RECHECK)
    keeps = again and again.retry_at and now < again.retry_at and (not reading or reading.started < again.started)
    return again if keeps else reading


def _of(
    standing: Standing,
    *,
    complete: Run | None,
    latest: Run | None,
    own: list[Run],
    new: int,
    share: float,
    now: datetime,
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
        kind=latest.error_kind if latest and sight in {Sight.BEHIND, Sight.NEVER} else "",
        new=new if sight is Sight.READ or new else None,
        dropped=dict(dropped.most_common()),
        malformed=sum(sum(run.malformed.values()) for run in own),
        gone=sum(run.gone for run in own),
        changed=sum(run.changed for run in own),
        spent=spent,
        used=share,
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
    told = TOLD.get(latest.error_kind, "")
    if told and latest.error:
        return f"{told} ({latest.error})"
    return told or latest.error or "the monitor did not run"


def days(place: Workplace, connection: sa.Connection, last: datetime, number: int) -> tuple[DayCount, ...]:
    """Return the mentions of each of `number` days, oldest first; the last day ends at `last`.

    A day is blind where a source that is on was not once read completely in it, or where some of it was erased
    before anybody had counted it.
    """
    windows = day_windows(place, last, number)
    counts, faded = _counts(place, connection, windows)
    wanted = {standing.source for standing in standings(place) if standing.on}
    whole = Window(start=windows[0].start, end=windows[-1].end)
    starts = [window.start for window in windows]
    read: dict[int, set[str]] = {}
    for source, started in runs.complete_starts(connection, whole):
        read.setdefault(bisect_right(starts, started) - 1, set()).add(source)
    return tuple(
        DayCount(
            start=window.start,
            count=count,
            blind=window.start in faded or not wanted <= read.get(index, set()),
        )
        for index, (window, count) in enumerate(zip(windows, counts, strict=True))
    )


def write_days_down(place: Workplace, connection: sa.Connection, now: datetime) -> None:
    """Write down the counts of the days that are over, before the first of their mentions is erased.

    Days run from digest to digest. A day of which something may be erased already is not written down.
    """
    zone, at = place.settings.federation.zone, place.settings.schedule.digest_time
    local = now.astimezone(zone)
    last = datetime.combine(local.date() - timedelta(days=local.time() < at), at, zone)
    oldest = now - shortest_kept(place)
    windows = [one for one in day_windows(place, last, HISTORY_DAYS) if one.start >= oldest]
    known = _written(place, connection, windows)
    missing = [one for one in windows if _day(place, one) not in known]
    counts = mentions.counts(connection, missing)
    figures.write_days(connection, {_day(place, one): count for one, count in zip(missing, counts, strict=True)})


def shortest_kept(place: Workplace) -> timedelta:
    """Return the time for which every mention is kept that is not taken down at its source."""
    kept = place.settings.retention
    by_severity = [timedelta(days=getattr(kept, severity.value)) for severity in Severity]
    by_source = [standing.policy.keep for standing in standings(place) if standing.on and standing.policy.keep]
    return min(by_severity + by_source)


def _counts(
    place: Workplace, connection: sa.Connection, windows: list[Window]
) -> tuple[tuple[int, ...], frozenset[datetime]]:
    """Return each day's count, as it was written down or else from the store, and the days that may have faded."""
    known = _written(place, connection, windows)
    oldest = windows[-1].end - shortest_kept(place)
    missing = [window for window in windows if _day(place, window) not in known]
    stored = dict(zip((one.start for one in missing), mentions.counts(connection, missing), strict=True))
    return (
        tuple(stored.get(one.start, known.get(_day(place, one), 0)) for one in windows),
        frozenset(one.start for one in missing if one.start < oldest),
    )


def _written(place: Workplace, connection: sa.Connection, windows: list[Window]) -> dict[date, int]:
    """Return the counts of days that were written down."""
    if not windows:
        return {}
    return figures.written_days(connection, _day(place, windows[0]), _day(place, windows[-1]))


def _day(place: Workplace, window: Window) -> date:
    """Return the local date on which a day begins: its name, whatever the hour of the digest."""
    return window.start.astimezone(place.settings.federation.zone).date()


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
