"""How far and how fast an incident went: by time and by platform. Accounts are counted, never named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from monitor.records import Sight
from reports import charts, wording
from reports.charts import Bar, Chart

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from monitor.records import StoredMention
    from reports.incident_material import Known

BARS: Final = 12
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One span of time: from when, new originals, new copies, and all so far."""

    label: str
    originals: str
    copies: str
    so_far: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One source: posts, how many of them are originals and copies, accounts, and its newest post."""

    name: str
    posts: str
    originals: str
    copies: str
    accounts: str
    newest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How far it went: the pace in a sentence, the drawing, the figures behind it, and by platform."""

    pace: str
    svg: Markup
    steps: tuple[Step, ...]
    every: str
    platforms: tuple[Platform, ...]


def spread(known: Known) -> Spread | None:
    """Return how far an incident went, None where nothing was found."""
    everything = known.material.mentions
    if not everything:
        return None
    faces = {known.faces[first].id for first in known.firsts}
    hours, edges = _edges(known)
    rows: list[tuple[datetime, int, int]] = []
    for start in edges:
        inside = [stored for stored in everything if start <= stored.mention.published < start + hours * HOUR]
        new = sum(1 for stored in inside if stored.id in faces)
        rows.append((start, new, len(inside) - new))
    # what is older than the first bar, or dated in the future, is counted in "so far" alone
    so_far = sum(1 for stored in everything if stored.mention.published < edges[0])
    steps = []
    for start, new, copies in rows:
        so_far += new + copies
        steps.append(
            Step(
                label=known.at(start),
                originals=f"{new}",
                copies=f"{copies}",
                so_far=f"{so_far}",
            )
        )
    every = "hour" if hours == 1 else f"{hours} hours"
    return Spread(
        pace=pace(known),
        svg=Markup(charts.svg(_chart(rows, every, known))),  # noqa: S704 - drawn and escaped by reports.charts
        steps=tuple(steps),
        every=every,
        platforms=_platforms(known, faces),
    )


def pace(known: Known) -> str:
    """Return how fast it goes: "5 posts in the last hour, 2 in the hour before"; when it last went on, if it does not.

    "" where nothing was found.
    """
    published = [stored.mention.published for stored in known.material.mentions]
    if not published:
        return ""
    now = known.material.made_at
    last = sum(1 for moment in published if now - HOUR < moment)
    before = sum(1 for moment in published if now - 2 * HOUR < moment <= now - HOUR)
    if not last and not before:
        seen = "found" if _unsure(known) else "published"
        return f"no post {seen} in the last two hours, the newest is from {known.book.when(max(published))}"
    least = "at least " if _unsure(known) else ""
    return f"{least}{wording.counted(last, 'post')} in the last hour, {wording.figure(before)} in the hour before"


def _unsure(known: Known) -> bool:
    """Whether a source that is on was not read as it should be, so that counts are lower bounds."""
    return any(source.sight in {Sight.BEHIND, Sight.NEVER} for source in known.material.coverage)


def _edges(known: Known) -> tuple[int, list[datetime]]:
    """Return the hours of a bar, and where each bar begins: whole hours, no more than twelve, the last one now."""
    now = known.material.made_at
    end = now.replace(minute=0, second=0, microsecond=0) + HOUR
    oldest = min(stored.mention.published for stored in known.material.mentions)
    span = end - max(min(oldest, now), known.material.window.start)
    hours = max(1, ceil(span / HOUR / BARS))
    return hours, [end - hours * HOUR * back for back in range(BARS, 0, -1)]


def _chart(rows: Sequence[tuple[datetime, int, int]], every: str, known: Known) -> Chart:
    """Return the posts of each span; hatched where a source was not read to its end."""
    read = [source.last_read for source in known.material.coverage if source.sight is not Sight.OFF]
    behind = [source.last_read for source in known.material.coverage if source.sight in {Sight.BEHIND, Sight.NEVER}]
    seen_until = None if not read or None in behind else min((one for one in behind if one), default=None)
    never = not read or None in behind
    width = rows[1][0] - rows[0][0]
    bars = tuple(
        Bar(
            label=known.at(start),
            count=new + copies,
            blind=never or (seen_until is not None and start + width > seen_until),
        )
        for start, new, copies in rows
    )
    most = max(bar.count or 0 for bar in bars)
    peak = next(bar for bar in bars if bar.count == most)
    return Chart(
        name="incident-posts",
        title=f"Posts published in each {every}",
        description=f"The most were {peak.words}, from {peak.label}. {wording.sentence(pace(known))}.",
        bars=bars,
        usual=None,
        most=float(max(most, 1)),
    )


def _platforms(known: Known, faces: set[int]) -> tuple[Platform, ...]:
    """Return each source with posts, the one with the most first."""
    by_source: dict[str, list[StoredMention]] = {}
    for stored in known.material.mentions:
        by_source.setdefault(stored.mention.source, []).append(stored)
    ordered = sorted(by_source.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return tuple(
        Platform(
            name=known.book.source(source),
            posts=wording.figure(len(found)),
            originals=wording.figure(sum(1 for one in found if one.id in faces)),
            copies=wording.figure(sum(1 for one in found if one.id not in faces)),
            accounts=wording.figure(accounts)
            if (accounts := len({o.author_key for o in found if o.author_key}))
            else "not given",
            newest=known.book.when(max(one.mention.published for one in found)),
        )
        for source, found in ordered
    )
