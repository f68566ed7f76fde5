"""The gate: is a post about one of our schools? All names, towns and words are data in policy/schools.toml.

`Gate.screen` drops in bulk what names no school and no town of ours; `Gate.decide` weighs the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.matching.evidence import Evidence
from analysis.matching.phrases import NAMES, Kind, Phrase, Phrasebook
from analysis.matching.post import Decision, Post
from analysis.matching.screen import Screen
from analysis.matching.verdict import Judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.policy.schools import School, Schools, Words

__all__ = ["Decision", "Gate", "Post"]

_TELLING = frozenset(
    {
        Kind.STRONG, Kind.WEAK, Kind.COMMON, Kind.TOWN, Kind.POSTCODE, Kind.DOMAIN, Kind.NAMESAKE,
        Kind.FEDERATION,
    }
)  # fmt: skip
"""Without one of these, in the text or around it, no other clue makes a post ours or doubtful."""


class Gate:
    """Decides which posts are about the schools of a policy.

    Args:
        schools: who is watched. The cost of a decision grows with the post, not with the number of schools.
    """

    def __init__(self, schools: Schools) -> None:
        self._phrases = Phrasebook(_phrases(schools))
        self._judge = Judge(schools)
        self._screen = Screen(self._phrases.triggers(_TELLING))

    def decide(self, post: Post) -> Decision:
        """Return whether a post is about our schools, about which, and why or why not."""
        return self._judge.decide(Evidence(post, self._phrases))

    def screen(self, texts: Sequence[str]) -> list[int]:
        """Return the places, rising, of the texts that may be about our schools; the others name none.

        A text is what `decide` would read: where a post has a title, a community or an address, join them to
        it with line breaks. Never leaves out what `decide` would keep.
        """
        return self._screen.passing(texts)


def _phrases(schools: Schools) -> Iterator[Phrase]:
    """Yield everything that the policy wants found."""
    words = schools.words
    for number, school in enumerate(schools.schools):
        yield from _phrases_of(school, frozenset({number}), words)
    for number, namesake in enumerate(schools.namesakes):
        owner = frozenset({number})
        not_before = frozenset(namesake.not_before)
        for name in namesake.names:
            yield Phrase(text=name, kind=Kind.NAMESAKE, owners=owner, not_before=not_before)
        for signal in namesake.signals:
            yield Phrase(text=signal, kind=Kind.SIGNAL, owners=owner)
        for domain in namesake.domains:
            yield Phrase(text=domain, kind=Kind.OTHER_DOMAIN, owners=owner)
    lists = {
        Kind.FEDERATION: (schools.federation.name, *schools.federation.names),
        Kind.SECONDARY: schools.neighbours.secondary,
        Kind.PRIMARY_SCHOOL: schools.neighbours.primary,
        Kind.SCHOOL: words.school,
        Kind.SURE: words.sure,
        Kind.OLDER: words.older,
        Kind.YOUNGER: words.primary,
        Kind.VAGUE: tuple(phrase for phrase in words.vague if "{town}" not in phrase),
        Kind.STREET_WORD: words.street,
        Kind.SAFETY: words.safety,
        Kind.NO_SCHOOL: words.no_school,
    }
    for kind, texts in lists.items():
        for text in filter(None, texts):
            yield Phrase(text=text, kind=kind)


def _phrases_of(school: School, owner: frozenset[int], words: Words) -> Iterator[Phrase]:
    """Yield what one school has to be found by."""
    no_name, no_town = frozenset(words.no_name_before), frozenset(words.no_town_before)
    no_high = no_name | frozenset(words.no_high_before)
    kinds = {
        Kind.STRONG: (*school.own_names, *school.handles),
        Kind.WEAK: school.weak,
        Kind.COMMON: school.common,
        Kind.GENERIC: school.generic,
        Kind.TOWN: (*school.towns, school.postcode),
        Kind.PLACE: (*school.places, *school.communities, *school.streets, school.postcode.partition(" ")[0]),
        Kind.STREET: school.streets,
        Kind.POSTCODE: (school.postcode,),
        Kind.DOMAIN: school.domains,
        Kind.VAGUE: tuple(phrase for phrase in words.vague if "{town}" in phrase),
    }
    for kind, texts in kinds.items():
        for text in filter(None, school.written_out(texts)):
            if kind in NAMES:
                not_before = no_high if text.lower().endswith("high") else no_name
            else:
                not_before = no_town if kind in {Kind.TOWN, Kind.PLACE} else frozenset()
            yield Phrase(text=text, kind=kind, owners=owner, not_before=not_before)
