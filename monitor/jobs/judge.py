"""Judge what nobody judged yet, and open a case where somebody has to act."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from analysis import pipeline
from monitor.hours import due
from monitor.jobs.collect import as_judged
from monitor.jobs.sampling import counted_only
from monitor.jobs.telling import STORY_LASTS, Storyline
from monitor.minimal import COUNTED_ONLY
from monitor.names import MASK, STAND_IN
from monitor.records import Severity, Window
from monitor.store import cases, mentions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import sqlalchemy as sa

    from analysis.pipeline import Judges
    from monitor.jobs.workplace import Workplace
    from monitor.records import Case, Judgement, Reason, StoredMention

BATCH: Final = 256

CASE_SEVERITIES: Final = frozenset({Severity.P0, Severity.P1, Severity.P2, Severity.P3})
"""P4 asks for no reply (escalation matrix): it is counted, not opened."""


def judge_pending(place: Workplace, judges: Judges | None = None) -> tuple[Case, ...]:
    """Judge every mention without a judgement, batch by batch; return the cases that were opened.

    Each batch is one transaction: its judgements, stories and cases stand together or not at all.
    """
    opened: list[Case] = []
    storyline: Storyline | None = None
    while True:
        with place.store.read() as connection:
            waiting = mentions.pending(connection, BATCH)
        if not waiting:
            return tuple(opened)
        judged = judge_mentions(place, waiting, judges or place.judges)
        now = place.clock()
        with place.store.write() as connection:
            # meanwhile another process may have judged some, erased them, or taken an edit of theirs in
            still = mentions.still_pending(connection, waiting)
            judged = [judgement for item, judgement in zip(waiting, judged, strict=True) if item.id in still]
            waiting = tuple(item for item in waiting if item.id in still)
            wordless = _wordless(place, connection, list(zip(waiting, judged, strict=True)), now)
            kept = [
                _silent(judgement, wordless[stored.id]) if stored.id in wordless else judgement
                for stored, judgement in zip(waiting, judged, strict=True)
            ]
            mentions.record(connection, zip((stored.id for stored in waiting), kept, strict=True), now=now)
            storyline = storyline or Storyline(connection, now)
            stories = storyline.join(connection, waiting)
            mentions.blank(connection, sorted(wordless))
            covered = _Covered(connection, stories, now)
            for stored, judgement in zip(waiting, judged, strict=True):
                if judgement.severity in CASE_SEVERITIES and not covered.by_a_case(stored, judgement):
                    case = open_for(place, connection, stored, judgement)
                    covered.add(case)
                    opened.append(case)


class _Covered:
    """Which of a batch's posts only repeat what an earlier case of the last week is about already.

    A storm of four hundred reposts is one case. A copy that reads more urgent than the case opens its own.
    """

    def __init__(self, connection: sa.Connection, stories: Mapping[int, int], now: datetime) -> None:
        recent = cases.opened_in(connection, Window(start=now - STORY_LASTS, end=now + timedelta(seconds=1)))
        before = mentions.by_number(connection, [case.mention_id for case in recent])
        self._stories = {number: stored.story for number, stored in before.items()} | dict(stories)
        self._cases: dict[int, list[Case]] = {}
        for case in recent:
            self.add(case)

    def add(self, case: Case) -> None:
        """Take a case into account."""
        story = self._stories.get(case.mention_id)
        if story is not None:
            self._cases.setdefault(story, []).append(case)

    def by_a_case(self, stored: StoredMention, judgement: Judgement) -> bool:
        """Whether a case at least as urgent, of the same schools, stands for this post's story.

        The same threat with the other school's name in it is that school's own case.
        """
        severity = judgement.severity or Severity.P4
        # "P0" sorts before "P4": the smaller the more urgent
        return any(
            case.severity <= severity and set(judgement.schools) <= set(case.schools)
            for case in self._cases.get(self._stories[stored.id], ())
        )


def _wordless(
    place: Workplace, connection: sa.Connection, judged: Sequence[tuple[StoredMention, Judgement]], now: datetime
) -> dict[int, tuple[Reason, ...]]:
    """Return the posts whose words do not stay, by number, each with the reasons that tell it."""
    sampled = counted_only(place, connection, judged, now)
    closed = {stored.id for stored, _ in judged if not place.policy.sources[stored.mention.source].keep_text}
    return dict.fromkeys(sampled, (COUNTED_ONLY,)) | dict.fromkeys(closed, ())


def _silent(judgement: Judgement, further: tuple[Reason, ...]) -> Judgement:
    """Return a judgement as it may be kept where the words may not stay: its reasons quote nothing."""
    silent = tuple(replace(reason, start=0, end=0, text="") for reason in judgement.reasons)
    return replace(judgement, reasons=(*silent, *further))


def judge_mentions(place: Workplace, stored: Sequence[StoredMention], judges: Judges) -> list[Judgement]:
    """Return the judgement of each stored mention; no score where the source's terms forbid one.

    Where a name was masked a common one is read, and the reasons quote the mask again.
    """
    frame = pipeline.frame_of(
        [as_judged(item.mention) for item in stored],
        [place.policy.sources[item.mention.source].may_be_scored for item in stored],
        [place.policy.sources[item.mention.source].kind == "manual" for item in stored],
    )
    return [_without_names(judgement) for judgement in pipeline.judge(frame, judges)]


def _without_names(judgement: Judgement) -> Judgement:
    """Return a judgement whose reasons quote the post as it is stored."""
    reasons = tuple(replace(reason, text=reason.text.replace(STAND_IN, MASK)) for reason in judgement.reasons)
    return replace(judgement, reasons=reasons)


def open_for(place: Workplace, connection: sa.Connection, stored: StoredMention, judgement: Judgement) -> Case:
    """Open the case that a judgement asks for: owner, readers and due time by the matrix."""
    severity = judgement.severity or Severity.P3
    readers, restricted = readers_of(place, judgement)
    return cases.open_case(
        connection,
        mention_id=stored.id,
        category=judgement.category,
        severity=severity,
        owner=judgement.owner,
        schools=judgement.schools,
        opened=stored.first_seen,
        due=due(
            stored.first_seen,
            place.policy.escalation.severities[severity],
            place.settings.calendar,
            place.settings.federation.zone,
        ),
        readers=readers,
        restricted=restricted,
        why="; ".join(dict.fromkeys(r.rule for r in judgement.reasons if r.about == "category")),
    )


def readers_of(place: Workplace, judgement: Judgement) -> tuple[tuple[str, ...], bool]:
    """Return the roles that may read a post's words, and whether it is kept from everyone else.

    A restricted category keeps its readers even where it is only a secondary one (PR18).
    """
    escalation = place.policy.escalation
    rows = [escalation.category(name) for name in (judgement.category, *judgement.also)]
    closed = [role for row in rows for role in row.restricted_to]
    return (tuple(dict.fromkeys(closed)), True) if closed else (rows[0].readers, False)
