"""Where we looked, and what was not seen: zero is not silence.

Every count stands beside its coverage. A source that was not read shows since when and why, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from monitor.records import Sight
from reports import wording
from reports.quoting import clean, shortened, unnamed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from monitor.records import Coverage

UNKNOWN: Final = "?"
"""Stands where a count is not known, because the source was not read."""
REASONS_SHOWN: Final = 4
LONGEST_WHY: Final = 200
BRIEF: Final = 90
NEAR_THE_CAP: Final = 0.8
"""Share of our own limit from which a reader is told what a source cost, even if it cost no money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One line of "Where we looked".

    Attributes:
        name: what people call the source.
        read: when it was last read, or since when and why it is not.
        new: how many mentions are new, "?" if that is not known.
        seen: whether it was read as it should be.
        notes: what was dropped or could not be read, what it cost where that matters, what it can never show; in
            sentences.
    """

    name: str
    read: str
    new: str
    seen: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """What was seen in one window.

    Attributes:
        rows: one for each source that is switched on, in the order given.
        off: "name: why" of each source that is switched off.
        gaps: each source that is on and was not read as it should be, as it stands in the box "Not seen".
        unread: the short names of those sources, for a subject line.
        on: how many sources are switched on.
        spent: the money spent in the window, "" if none.
    """

    rows: tuple[SourceRow, ...]
    off: tuple[str, ...]
    gaps: tuple[str, ...]
    unread: tuple[str, ...]
    on: int
    spent: str

    def without_notes(self) -> Looking:
        """Return the same with nothing but when each source was read and how much was new."""
        return replace(self, rows=tuple(replace(row, notes=()) for row in self.rows))

    @property
    def blind(self) -> bool:
        """Whether nothing was read at all: no source is on, or none of them was seen."""
        return not any(row.seen for row in self.rows)


def short_name(source: Coverage) -> str:
    """Return a source's name without what stands in brackets: "X", not "X (Twitter)"."""
    return clean(source.name).split(" (")[0] or clean(source.source)


def looked(coverage: Sequence[Coverage], now: datetime, zone: ZoneInfo) -> Looking:
    """Return what `coverage` (times zone-aware) amounts to at `now`, in words, in the reader's zone."""
    on = [source for source in coverage if source.sight is not Sight.OFF]
    unseen = [source for source in on if source.sight is not Sight.READ]
    gaps = tuple(_gap(source, now, zone) for source in unseen)
    unread = tuple(shortened(short_name(source), 40) for source in unseen)
    pence = sum(source.spent.pence for source in coverage)
    return Looking(
        rows=tuple(_row(source, now, zone) for source in on),
        off=tuple(
            f"{shortened(clean(source.name), 60)}: {_why(source) or 'switched off'}"
            for source in coverage
            if source.sight is Sight.OFF
        ),
        gaps=gaps if on else ("anything, because no source is switched on",),
        unread=unread if on else ("anything",),
        on=len(on),
        spent=wording.money(pence) if pence > 0 else "",
    )


def _why(source: Coverage, limit: int = LONGEST_WHY) -> str:
    """Return why a source is behind or off; the sentence may hold words of an answer, so it is masked."""
    return shortened(unnamed(source.why).rstrip("."), limit)


def _brief(source: Coverage) -> str:
    """Return why a source is behind in a few words: what stands in brackets goes first."""
    why = _why(source)
    return shortened(why if len(why) <= BRIEF else why.partition(" (")[0], BRIEF)


def _since(source: Coverage, now: datetime, zone: ZoneInfo) -> str:
    """Return since when a source has not been read."""
    if source.last_read is None:
        return "never read yet"
    return f"not read since {wording.near(source.last_read, now, zone)}"


def _again(source: Coverage, now: datetime, zone: ZoneInfo) -> str:
    """Return when a source is tried again; "" if that is not known, or was meant to be before now."""
    return f"next try {wording.near(source.next_try, now, zone)}" if source.next_try and source.next_try > now else ""


def _gap(source: Coverage, now: datetime, zone: ZoneInfo) -> str:
    """Return a source that was not read, for the box: "X since Sun 14:10 (rate limit; next try ...)"."""
    since = f" since {wording.near(source.last_read, now, zone)}" if source.last_read else ""
    after = [] if source.last_read else ["never read yet"]
    after += [_brief(source)] if source.why else []
    after += [again] if (again := _again(source, now, zone)) else []
    return f"{shortened(short_name(source), 40)}{since}" + (f" ({'; '.join(after)})" if after else "")


def _row(source: Coverage, now: datetime, zone: ZoneInfo) -> SourceRow:
    """Return one source as a line of the table."""
    seen = source.sight is Sight.READ
    if seen and source.last_read:
        read = wording.sentence(wording.near(source.last_read, now, zone))
    elif seen:
        read = "Read"
    else:
        read = wording.sentence(_since(source, now, zone))
        read += f": {why}" if (why := _why(source)) else ""
        read += f"; {again}" if (again := _again(source, now, zone)) else ""
    return SourceRow(
        name=shortened(clean(source.name), 60) or clean(source.source),
        read=read,
        new=wording.figure(source.new) if seen and source.new is not None else UNKNOWN,
        seen=seen,
        notes=_notes(source),
    )


def _cost(source: Coverage) -> str:
    """Return what a source cost in calls, its own units and money; "" if neither money nor our own limit matters."""
    spent = source.spent
    near = source.used >= NEAR_THE_CAP
    if not near and spent.pence <= 0:
        return ""
    parts = [wording.counted(spent.calls, "call")] if spent.calls else []
    parts += [wording.counted(spent.units, "unit")] if spent.units else []
    parts += [wording.money(spent.pence)] if spent.pence > 0 else []
    limit = [f"{int(100 * min(source.used, 1))}% of our own limit is used up"] if near else []
    return "; ".join([*([f"{wording.listed(parts)} spent"] if parts else []), *limit])


def _notes(source: Coverage) -> tuple[str, ...]:
    """Return what else is to be said of a source, in sentences."""
    notes = []
    dropped = sorted(source.dropped.items(), key=lambda item: (-item[1], item[0]))
    if dropped:
        parts = [
            f"{wording.figure(count)} dropped: {shortened(clean(reason), 80)}"
            for reason, count in dropped[:REASONS_SHOWN]
        ]
        rest = dropped[REASONS_SHOWN:]
        if rest:
            count = sum(count for _, count in rest)
            parts.append(f"{wording.figure(count)} for {wording.counted(len(rest), 'other reason')}")
        notes.append("; ".join(parts))
    if source.malformed:
        notes.append(f"{wording.counted(source.malformed, 'item')} could not be read")
    if source.gone:
        notes.append(f"{wording.counted(source.gone, 'post')} wiped: gone at the source")
    if source.changed:
        notes.append(f"{wording.counted(source.changed, 'post')} edited at the source: judged again")
    if cost := _cost(source):
        notes.append(cost)
    if source.never_sees:
        never = [shortened(clean(thing), 60) for thing in source.never_sees[:REASONS_SHOWN]]
        notes.append(f"never sees {wording.listed(never, 'or')}")
    return tuple(wording.sentence(note) for note in notes)
