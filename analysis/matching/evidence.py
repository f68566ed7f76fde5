"""Everything in and around one post that speaks for or against its being about one of our schools."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from analysis.matching.phrases import ENOUGH, NAMES, Kind
from analysis.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analysis.matching.phrases import Hit, Phrasebook
    from analysis.matching.post import Post
    from analysis.text import Folded

AROUND = ("title", "community", "channel", "url")
"""The fields around the text, in the order in which they are read."""
COMMON = frozenset({"community", "channel"})
"""Fields that many posts share: what is found in them is remembered. The words of a post itself are not kept."""

_SWALLOWED_BY = {
    Kind.NO_SCHOOL: frozenset(Kind),
    Kind.NAMESAKE: NAMES | {Kind.VAGUE},
    Kind.SECONDARY: NAMES | {Kind.VAGUE, Kind.SIGNAL, Kind.PRIMARY_SCHOOL},
    Kind.PRIMARY_SCHOOL: NAMES | {Kind.VAGUE},
    Kind.STREET: NAMES,
    Kind.STRONG: NAMES | {Kind.VAGUE, Kind.SIGNAL, Kind.SECONDARY},
    Kind.WEAK: NAMES | {Kind.VAGUE},
}
"""A longer phrase of the first kind takes the meaning from a shorter one inside it: "King James Road"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clue:
    """A hit and the field of the post in which it stands."""

    hit: Hit
    field: str

    @property
    def kind(self) -> Kind:
        """What it is evidence of."""
        return self.hit.phrase.kind

    @property
    def owners(self) -> frozenset[int]:
        """Numbers of the schools or namesakes it belongs to."""
        return self.hit.phrase.owners

    @property
    def in_text(self) -> bool:
        """Whether it stands in the text itself."""
        return self.field == "text"


class Evidence:
    """The clues of one post.

    Args:
        post: the post.
        phrases: what to look for. Each field of the post is read once.
    """

    def __init__(self, post: Post, phrases: Phrasebook) -> None:
        self.text: Folded = fold(post.text)
        self._post = post
        self.clues = list(_clues("text", phrases.find(self.text)))
        for field in AROUND:
            words: str = getattr(post, field)
            if words:
                hits = phrases.find_in(words) if field in COMMON else phrases.find(fold(words))
                self.clues += _clues(field, hits)

    def of(self, *kinds: Kind) -> list[Clue]:
        """Return the clues of these kinds, those in the text first."""
        return [clue for clue in self.clues if clue.kind in kinds]

    def said(self, *kinds: Kind, beside: Clue | None = None) -> Clue | None:
        """Return the first clue of these kinds in the text or the title: in the words of a person.

        Args:
            kinds: which.
            beside: a clue whose field is read as well: "KJS Year 8 Parents".
        """
        fields = {"text", "title", beside.field if beside else "text"}
        return next((clue for clue in self.of(*kinds) if clue.field in fields), None)

    def anchor(self, school: int, *kinds: Kind) -> Clue | None:
        """Return the first place of these kinds that belongs to `school`, those in the text first."""
        return next((clue for clue in self.of(*kinds) if school in clue.owners), None)

    def words(self, clue: Clue) -> tuple[int, int, str]:
        """Return where a clue stands in its field, and the words there as they were written."""
        field = self.text if clue.in_text else fold(getattr(self._post, clue.field))
        start, end = field.span(clue.hit.start, clue.hit.end)
        return start, end, field.original[start:end]

    def near(self, clue: Clue, others: Iterable[Clue]) -> int:
        """Return how many characters lie between a clue in the text and the nearest of `others` there.

        Without any, more than any text has.
        """
        gaps = (
            max(other.hit.start - clue.hit.end, clue.hit.start - other.hit.end, 0)
            for other in others
            if other.field == clue.field
        )
        return min(gaps, default=1 << 62)

    @cached_property
    def towns(self) -> frozenset[int]:
        """The schools whose own town the post is about: by its text, else by what stands around it."""
        inside = frozenset().union(*(clue.owners for clue in self.of(Kind.TOWN) if clue.in_text))
        return inside or frozenset().union(*(clue.owners for clue in self.of(Kind.TOWN)))


def _clues(field: str, hits: list[Hit]) -> Iterator[Clue]:
    """Yield the first clues of each kind in a field."""
    so_far: Counter[Kind] = Counter()
    for hit in _standing(hits):
        so_far[hit.phrase.kind] += 1
        if so_far[hit.phrase.kind] <= ENOUGH:
            yield Clue(hit=hit, field=field)


def _standing(hits: list[Hit]) -> Iterator[Hit]:
    """Yield the hits that no longer phrase takes the meaning from; they come by start, longest first."""
    reach: dict[Kind, tuple[int, int]] = {}
    for hit in hits:
        taken = any(
            hit.phrase.kind in _SWALLOWED_BY[kind] and hit.end <= end and hit.end - hit.start < end - start
            for kind, (start, end) in reach.items()
        )
        if taken:
            continue
        yield hit
        kind = hit.phrase.kind
        if kind in _SWALLOWED_BY and hit.end > reach.get(kind, (0, 0))[1]:
            reach[kind] = (hit.start, hit.end)
