"""The day in one line: as a subject, and as the sentence that stands first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reports import wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reports.items import Item, Kind
    from reports.looking import Looking

BOTH: Final = 2
VERBS: Final[tuple[tuple[Kind, str, str], ...]] = (
    ("urgent", "is urgent", "are urgent"),
    ("reply", "needs a reply", "need a reply"),
    ("look", "needs a look", "need a look"),
)
"""What is said of one item of a kind, and of several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What matters most: what is due, else what was not seen, else what does not work, else quiet.

    Attributes:
        subject: counts alone, fit for a lock screen: "2 need a reply, 1 overdue; X not read".
        headline: "Two posts need a reply; one is overdue".
    """

    subject: str
    headline: str

    @classmethod
    def of(cls, items: Sequence[Item], looking: Looking, *, new: int, troubles: int) -> State:
        """Return the state of a day.

        Args:
            items: what needs a response.
            looking: what was seen.
            new: how many mentions are new.
            troubles: how many things did not work.
        """
        kinds = Counter(item.kind for item in items)
        late = sum(1 for item in items if item.urgency == "late")
        due = _counts(kinds, late)
        fresh = wording.figure(new) if new else "nothing"
        if looking.blind and items:
            return cls(
                subject=f"COVERAGE GAP: nothing was read; {due}",
                headline=f"{_sentence(kinds, late)}; no source was read",
            )
        if looking.blind:
            return cls(subject="COVERAGE GAP: nothing was read", headline="We could not look: no source was read")
        if items:
            unread = f"; {_unread(looking)}" if looking.unread else ""
            return cls(subject=f"{due}{unread}", headline=_sentence(kinds, late))
        if looking.unread:
            return cls(
                subject=f"COVERAGE GAP: {_unread(looking)}",
                headline=f"Nothing needs a reply in what we read; {_unread_in_words(looking)}",
            )
        if troubles:
            return cls(
                subject=f"MONITOR TROUBLE: {wording.counted(troubles, 'thing')} did not work, {fresh} new",
                headline="Nothing needs a reply, but something did not work",
            )
        return cls(subject=f"All quiet, {fresh} new", headline="Nothing needs a reply")


def _counts(kinds: Mapping[Kind, int], late: int) -> str:
    """Return what is due in figures: "1 urgent, 2 need a reply, 1 overdue"."""
    parts = []
    for kind, one, many in VERBS:
        if count := kinds[kind]:
            words = one if count == 1 else many
            parts.append(f"{wording.figure(count)} {words.removeprefix('is ').removeprefix('are ')}")
    return ", ".join([*parts, *([f"{wording.figure(late)} overdue"] if late else [])])


def _sentence(kinds: Mapping[Kind, int], late: int) -> str:
    """Return what is due as a sentence: "Two posts need a reply; one is overdue"."""
    parts: list[str] = []
    for kind, one, many in VERBS:
        if count := kinds[kind]:
            noun = "" if parts else f" {wording.plural(count, 'post')}"
            parts.append(f"{wording.number(count)}{noun} {one if count == 1 else many}")
    total = sum(kinds.values())
    said = wording.sentence(wording.listed(parts))
    if not late:
        return said
    if late == total:
        they = "it is" if total == 1 else "both are" if total == BOTH else "all are"
        return f"{said}; {they} overdue"
    return f"{said}; {wording.number(late)} {'is' if late == 1 else 'are'} overdue"


def _unread(looking: Looking) -> str:
    """Return which sources were not read, in a few words: "X not read", "3 sources not read"."""
    names = looking.unread
    return f"{names[0] if len(names) == 1 else f'{wording.figure(len(names))} sources'} not read"


def _unread_in_words(looking: Looking) -> str:
    """Return the same as part of a sentence: "X was not read", "three sources were not read"."""
    names = looking.unread
    return f"{names[0]} was not read" if len(names) == 1 else f"{wording.number(len(names))} sources were not read"
