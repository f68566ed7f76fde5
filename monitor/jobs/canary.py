"""The canary: a public post of the Federation's own, planted so that a source that went blind is noticed.

Whoever publishes it puts a marker into it (`canary` in `[sources.NAME]`). A post that carries the marker is noted
(when it was published, when it was seen) and goes no further: it is in no count, case or report. Anybody can copy
a marker. So a post that reads like something that somebody must act on is treated like any other, marker or not.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from analysis import pipeline
from monitor.jobs.sources import standings
from monitor.records import Judgement, Relevance, Severity
from monitor.store import canaries
from reports.week import Canary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import sqlalchemy as sa

    from analysis.matching import Post
    from monitor.jobs.sources import Standing
    from monitor.jobs.workplace import Workplace
    from monitor.records import Mention

SET_ASIDE: Final = "a test post of our own"
"""Why a canary is not among the mentions."""
GRACE: Final = timedelta(days=1)
"""So that one planted an hour later than the last week's is not missed."""


def carries(standing: Standing, mention: Mention) -> bool:
    """Whether a mention holds its source's marker, in its words, its title or its address."""
    marker = marker_of(standing)
    return bool(marker) and marker.casefold() in f"{mention.text}\n{mention.title}\n{mention.url}".casefold()


def marker_of(standing: Standing) -> str:
    """Return a source's marker, "" if no canary is planted there."""
    return standing.options.canary if standing.options else ""


def harmless(place: Workplace, posts: Sequence[Post]) -> list[bool]:
    """Return of each post whether nobody would have to act on it if it were not ours."""
    frame = pipeline.frame_of(posts, [False] * len(posts))
    judged = pipeline.judge(frame, place.judges)
    return [isinstance(judgement, Judgement) and _is_harmless(judgement) for judgement in judged]


def _is_harmless(judgement: Judgement) -> bool:
    """Whether a judgement asks nobody to act, or only somebody to see whether the post is about our schools."""
    unclear = judgement.category == "UNCERTAIN" and judgement.severity is Severity.P3
    return judgement.relevant is Relevance.NO or unclear or judgement.severity is Severity.P4


def watched(place: Workplace, connection: sa.Connection, end: datetime) -> tuple[Canary, ...]:
    """Return how the canary of each source that is on and has one stands at `end` (zone-aware)."""
    out = []
    for standing in standings(place):
        if not standing.on or standing.options is None or not marker_of(standing):
            continue
        last = canaries.last(connection, standing.source, before=end)
        expected = timedelta(days=standing.options.canary_days)
        out.append(
            Canary(
                source=standing.source,
                name=standing.policy.name.split(" (")[0],
                published=last.published if last else None,
                seen=last.seen if last else None,
                missed=last is None or end - last.seen > expected + GRACE,
            )
        )
    return tuple(out)
