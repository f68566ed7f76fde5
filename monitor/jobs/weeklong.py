"""Week by week: how much was said about each school, and what of it we could see.

Posts are erased after their time (PR07), some after thirty days, so twelve weeks cannot be counted again from
the store. Each report therefore writes its own week's counts down, and later reports read them.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from monitor.jobs.sources import standings
from monitor.jobs.workplace import write_private
from monitor.records import Window, as_plain
from monitor.store import figures
from reports.week import ReadDay, SourceDays, WeekCount

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import sqlalchemy as sa

    from monitor.jobs.sources import Standing
    from monitor.jobs.workplace import Workplace
    from monitor.store.figures import Reading

DAYS: Final = 7
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
SAME_WEEK: Final = timedelta(hours=12)
"""How far the end of a week that was written down may lie from the one that is wanted: its time was changed."""
SLACK: Final = timedelta(hours=2)
"""Unread time at the end of a day that says nothing: the next reading is about to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watch:
    """One source over the weeks: since when it is watched, how often, and what was read of it."""

    standing: Standing
    since: datetime
    readings: tuple[Reading, ...]

    @property
    def tolerated(self) -> timedelta:
        """How much of a day may be unread before the day counts as not wholly read."""
        return self.standing.every + SLACK


def week_windows(place: Workplace, last: datetime, number: int) -> tuple[Window, ...]:
    """Return `number` consecutive weeks that end at `last`, oldest first, by the wall clock."""
    return _windows(place, last, number, timedelta(weeks=1))


def _windows(place: Workplace, last: datetime, number: int, length: timedelta) -> tuple[Window, ...]:
    """Return `number` consecutive windows of whole days that end at `last`, oldest first."""
    local = last.astimezone(place.settings.federation.zone)
    # arithmetic in one zone is by the wall clock: a week has the hour more or less of a clock change
    edges = [local - back * length for back in range(number, -1, -1)]
    return tuple(Window(start=start, end=end) for start, end in pairwise(edges))


def counted_weeks(
    place: Workplace, connection: sa.Connection, windows: Sequence[Window], readings: Sequence[Reading]
) -> tuple[WeekCount, ...]:
    """Return each week's counts: as an earlier report wrote them down, else from the store."""
    watches = _watches(place, connection, windows[-1].end, readings)
    began = min((watch.since for watch in watches), default=windows[-1].start)
    retention = place.settings.retention
    shortest = timedelta(days=min(retention.P0, retention.P1, retention.P2, retention.P3, retention.P4))
    kept = _written_down(place)
    out = []
    for window in windows:
        found = _nearest(kept, window) if window is not windows[-1] else None
        if found:
            out.append(found)
        elif window.end <= began:
            out.append(WeekCount(window=window, total=None, schools={}, unread={}))
        else:
            tallies = figures.tallies(connection, window)
            out.append(
                WeekCount(
                    window=window,
                    total=sum(tally.count for tally in tallies),
                    schools={
                        code: sum(tally.count for tally in tallies if code in tally.schools)
                        for code in place.policy.schools.codes
                    },
                    unread=_unread(place, window, watches),
                    faded=window.start < windows[-1].end - shortest,
                )
            )
    return tuple(out)


def grid(
    place: Workplace, connection: sa.Connection, window: Window, readings: Sequence[Reading]
) -> tuple[SourceDays, ...]:
    """Return how much of each day of `window` was read of each source that is on."""
    watched = {watch.standing.source: watch for watch in _watches(place, connection, window.end, readings)}
    out = []
    for standing in standings(place):
        if standing.on:
            watch = watched.get(standing.source)
            days = _days(place, window, watch) if watch else (ReadDay(hours=0, whole=False),) * DAYS
            out.append(SourceDays(source=standing.source, name=_name(standing), days=days))
    return tuple(out)


def write_down(place: Workplace, week: WeekCount) -> Path:
    """Write a week's counts into the reports folder, to be read by later reports; return the file."""
    name = f"weekly-counts-{week.window.end.astimezone(UTC):%Y%m%dT%H%M}Z.json"
    return write_private(place.reports_folder / name, json.dumps(as_plain(week), ensure_ascii=False, indent=2) + "\n")


def _written_down(place: Workplace) -> tuple[WeekCount, ...]:
    """Return the counts that earlier reports wrote down.

    A damaged file is as none: its week is counted from the store, and says so where it faded.
    """
    out = []
    for file in sorted(place.reports_folder.glob("weekly-counts-*.json")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            plain = json.loads(file.read_text(encoding="utf-8"))
            edges = {edge: datetime.fromisoformat(plain["window"][edge]) for edge in ("start", "end")}
            out.append(WeekCount(**{**plain, "window": Window(**edges)}))
    return tuple(out)


def _nearest(kept: Sequence[WeekCount], window: Window) -> WeekCount | None:
    """Return the week that was written down for `window`, None if there is none."""
    nearest = min(kept, key=lambda week: abs(week.window.end - window.end), default=None)
    return nearest if nearest and abs(nearest.window.end - window.end) <= SAME_WEEK else None


def _watches(
    place: Workplace, connection: sa.Connection, end: datetime, readings: Sequence[Reading]
) -> tuple[_Watch, ...]:
    """Return the sources that are on and were ever tried before `end`."""
    of: dict[str, list[Reading]] = {}
    for reading in readings:
        of.setdefault(reading.source, []).append(reading)
    out = []
    for standing in standings(place):
        since = figures.first_run(connection, standing.source) if standing.on else None
        if since and since < end:
            out.append(_Watch(standing=standing, since=since, readings=tuple(of.get(standing.source, ()))))
    return tuple(out)


def _unread(place: Workplace, window: Window, watches: Sequence[_Watch]) -> dict[str, int]:
    """Return source -> days of the week that were not wholly read.

    A source that was not read once in all the weeks is in none of the counts, so it makes no week differ.
    """
    unread = {}
    for watch in watches:
        if watch.readings:
            days = sum(day is not None and not day.whole for day in _days(place, window, watch))
            if days:
                unread[_name(watch.standing)] = days
    return unread


def _days(place: Workplace, window: Window, watch: _Watch) -> tuple[ReadDay | None, ...]:
    """Return how much of each day was read by the end of its week; None for days before it was watched."""
    spans = _merged([reading.window for reading in watch.readings if window.start <= reading.started < window.end])
    days: list[ReadDay | None] = []
    for day in _windows(place, window.end, DAYS, DAY):
        if day.end <= watch.since:
            days.append(None)
            continue
        missing = day.end - max(day.start, watch.since) - _within(spans, max(day.start, watch.since), day.end)
        whole = missing <= watch.tolerated
        # what the next reading is about to bring is not a gap: a whole day has all its hours
        read = _within(spans, day.start, day.end) + (missing if whole else timedelta())
        days.append(ReadDay(hours=round(read / HOUR), whole=whole))
    return tuple(days)


def _within(spans: Sequence[Window], start: datetime, end: datetime) -> timedelta:
    """Return how much of the time from `start` to `end` lies in `spans`, which do not overlap."""
    return sum((max(min(span.end, end) - max(span.start, start), timedelta()) for span in spans), timedelta())


def _merged(windows: Sequence[Window]) -> list[Window]:
    """Return the same time without overlaps, in order."""
    merged: list[Window] = []
    for window in sorted(windows, key=lambda one: one.start):
        if merged and window.start <= merged[-1].end:
            merged[-1] = Window(start=merged[-1].start, end=max(merged[-1].end, window.end))
        else:
            merged.append(window)
    return merged


def _name(standing: Standing) -> str:
    """Return a source's name without what stands in brackets."""
    return standing.policy.name.split(" (")[0]
