"""Judge a past window again under other rules, and say what would change before they go live."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from analysis import pipeline
from analysis.encoder import Encoder
from monitor.jobs.audit import audited, note
from monitor.jobs.judge import BATCH, judge_mentions
from monitor.records import Severity
from monitor.store import mentions
from monitor.store.audit import Deed
from monitor.store.batches import batched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.jobs.workplace import Workplace
    from monitor.policy.folder import Policy
    from monitor.records import Judgement, StoredMention, Window

MOST: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One mention that would be judged differently."""

    mention: StoredMention
    before: Judgement
    after: Judgement

    @property
    def raised(self) -> bool:
        """Whether it would be more urgent."""
        return _rank(self.after) < _rank(self.before)

    @property
    def lowered(self) -> bool:
        """Whether it would be less urgent: what to look at first."""
        return _rank(self.after) > _rank(self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What a replay found. `judged`: how many mentions were judged again; `whole`: whether that is all of them."""

    judged: int
    whole: bool
    changes: tuple[Change, ...]
    version: str


def replay(place: Workplace, window: Window, policy: Policy) -> Replay:
    """Judge every mention of `window` that was judged before under `policy`; only that it was done is recorded.

    One that is kept without its words is left out: nobody can judge it again.

    Of more than `MOST` mentions the first are judged, and the answer says so.

    Changes come with lowered severities first, then raised ones, then the rest, oldest first in each.
    """
    judges = pipeline.judges_of(policy, Encoder.load())
    other = replace(place, policy=policy)
    with audited(place) as connection:
        found = mentions.between(connection, window, limit=MOST + 1)
        judged = [m for m in found[:MOST] if m.judgement and _has_words(m)]
        note(place, connection, Deed.REPLAYED, f"{len(judged)} posts under rules {policy.version}")
    changes = sorted(_changes(other, judged, judges), key=lambda c: (not c.lowered, not c.raised, c.mention.id))
    return Replay(judged=len(judged), whole=len(found) <= MOST, changes=tuple(changes), version=policy.version)


def _changes(place: Workplace, judged: list[StoredMention], judges: pipeline.Judges) -> Iterator[Change]:
    """Give the mentions whose judgement differs in what people act on."""
    for batch in batched(judged, BATCH):
        for stored, after in zip(batch, judge_mentions(place, batch, judges), strict=True):
            before = stored.judgement
            if before is not None and _acted_on(before) != _acted_on(after):
                yield Change(mention=stored, before=before, after=after)


def _has_words(stored: StoredMention) -> bool:
    """Whether a mention has anything to judge."""
    return bool(stored.mention.text or stored.mention.title)


def _acted_on(judgement: Judgement) -> tuple[object, ...]:
    """Return what a change of rules may not change unseen."""
    return (judgement.relevant, judgement.schools, judgement.category, judgement.severity, judgement.owner)


def _rank(judgement: Judgement) -> int:
    """Return a severity's place, the most urgent first; none comes last."""
    order = list(Severity)
    return order.index(judgement.severity) if judgement.severity else len(order)
