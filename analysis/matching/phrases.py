"""Find thousands of phrases in a text in one pass, however they are spaced, hyphenated or hashtagged.

Phrases and text are *squeezed*: folded (`analysis.text`), then bared of everything but letters and digits.
One Aho-Corasick automaton looks for all of them at once, so the cost is that of reading the text, whatever
the number of phrases. A hit counts if it begins and ends where words do and no sentence mark lies inside.

Long phrases are found with one letter wrong, missing, added or swapped with the next: one error leaves one
half whole, or swaps the two letters at the seam, so halves and seams are in the automaton as well, and only
around those is the distance measured.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from ahocorasick_rs import AhoCorasick, MatchKind
from rapidfuzz.distance import OSA

from analysis.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analysis.text import Folded

LONG = 12
"""Squeezed letters from which on a phrase may be misspelt: below that, one letter makes another word."""

SHORT = 3
"""Letters up to which a word of a long phrase has to be right: "Boroughbridge is" is not its "HS"."""

SHARED = 8
"""A half that more phrases share than this leads to none of them: it says too little ("primaryschool")."""

ENOUGH = 30
"""Times that one phrase is noted in one text: more of them say no more."""

IN_A_TAG = 9
"""Squeezed letters from which on a phrase may stand anywhere inside a run-together hashtag or handle."""

_BREAK = re.compile(r"[,.;:!?()\[\]{}/|\"]|(?<=\s)-(?=\s)")
_WEB = re.compile(r"(?:https?://|www\.)[^\s<>\"]+", re.IGNORECASE)
_TAG = re.compile(r"(?<![^\W_])[#@][^\W_]+")
_WORD = re.compile(r"[^\W_]+")
_CONTRACTED = re.compile(r"(?:t|s|d|m|ll|re|ve)\b")
_NEXT_WORD = re.compile(r"(?:'?s)?[\s'\"-]{1,3}([^\W_]+)")


class Kind(StrEnum):
    """What a phrase is evidence of; see the attributes of the same names in monitor/policy/schools.py."""

    STRONG = "strong name"
    WEAK = "weak name"
    COMMON = "common initials"
    GENERIC = "generic name"
    VAGUE = "vague school"
    STREET = "street"
    DOMAIN = "domain"
    POSTCODE = "postcode"
    TOWN = "town"
    PLACE = "place"
    FEDERATION = "federation"
    NAMESAKE = "namesake's name"
    SIGNAL = "namesake's signal"
    OTHER_DOMAIN = "namesake's domain"
    SECONDARY = "neighbouring school"
    PRIMARY_SCHOOL = "primary school"
    SCHOOL = "school word"
    SURE = "sure school word"
    OLDER = "secondary-school word"
    YOUNGER = "primary-school word"
    STREET_WORD = "word beside a street"
    SAFETY = "safety word"
    NO_SCHOOL = "turn of phrase"


NAMES = frozenset({Kind.STRONG, Kind.WEAK, Kind.COMMON, Kind.GENERIC})
MISSPELT = frozenset({Kind.STRONG, Kind.WEAK, Kind.TOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """One thing to find.

    Attributes:
        text: as a person would write it.
        kind: what it is evidence of.
        owners: numbers of the schools or namesakes it belongs to.
        not_before: words that make it something else: "Boroughbridge" before "Road".
    """

    text: str
    kind: Kind
    owners: frozenset[int] = frozenset()
    not_before: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A phrase that was found.

    Attributes:
        phrase: which.
        start, end: offsets into the folded text, half-open.
        exact: whether it was spelt as on the list.
    """

    phrase: Phrase
    start: int
    end: int
    exact: bool = True


def squeeze(folded: str) -> str:
    """Return folded text without anything but letters and digits."""
    return "".join(filter(str.isalnum, folded))


def halves(squeezed: str) -> tuple[str, str, str]:
    """Return both halves of a squeezed phrase, and the phrase with the letters at their seam swapped."""
    middle = len(squeezed) // 2
    seam = squeezed[: middle - 1] + squeezed[middle] + squeezed[middle - 1] + squeezed[middle + 1 :]
    return squeezed[:middle], squeezed[middle:], seam


class Phrasebook:
    """All phrases, ready to be found.

    Args:
        phrases: in any number and order; the same words may be of several kinds and owners.
    """

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        phrases = list(phrases)
        squeezed_of = {text: squeeze(fold(text).text) for text in {phrase.text for phrase in phrases}}
        alike: dict[tuple[str, Kind], list[Phrase]] = defaultdict(list)
        for phrase in phrases:
            alike[squeezed_of[phrase.text], phrase.kind].append(phrase)
        self._whole: dict[str, list[Phrase]] = defaultdict(list)
        for (squeezed, _), same in alike.items():
            self._whole[squeezed].append(replace(same[0], owners=frozenset().union(*(p.owners for p in same))))
        pieces: dict[str, list[str]] = defaultdict(list)
        for squeezed, same in self._whole.items():
            if len(squeezed) >= LONG and any(phrase.kind in MISSPELT for phrase in same):
                for piece in halves(squeezed):
                    pieces[piece].append(squeezed)
        self._names = {squeezed for squeezed, same in self._whole.items() if any(p.kind in NAMES for p in same)}
        self._short_words = {
            squeezed: frozenset(
                word for word in _WORD.findall(fold(self._whole[squeezed][0].text).text) if len(word) <= SHORT
            )
            for whole in pieces.values()
            for squeezed in whole
        }
        self._pieces = {piece: whole for piece, whole in pieces.items() if len(whole) <= SHARED}
        self._patterns = list(dict.fromkeys([*self._whole, *self._pieces]))
        self._automaton = AhoCorasick(self._patterns, matchkind=MatchKind.Standard)
        self.find_in = lru_cache(maxsize=1024)(self._find_in)
        """What `find` finds in a text as it was written, remembered."""

    def triggers(self, kinds: frozenset[Kind]) -> list[str]:
        """Return the squeezed phrases of these kinds and the pieces that lead to them, each once."""
        wanted = {squeezed for squeezed, same in self._whole.items() if any(phrase.kind in kinds for phrase in same)}
        pieces = (piece for piece, whole in self._pieces.items() if not wanted.isdisjoint(whole))
        return list(dict.fromkeys([*wanted, *pieces]))

    def find(self, folded: Folded) -> list[Hit]:
        """Return every phrase in a folded text, by place; phrases inside longer phrases too.

        The text is read once. What is squeezed together over a sentence mark, begins or ends inside a word,
        or stands in the path of a web address is no hit.
        """
        reading = _Reading(folded)
        found: dict[tuple[str, int, int], bool] = {}
        seen: dict[str, int] = defaultdict(int)
        for number, start, end in self._automaton.find_matches_as_indexes(reading.squeezed, overlapping=True):
            pattern = self._patterns[number]
            named = pattern in self._names
            if pattern in self._whole and seen[pattern] < ENOUGH and reading.fits(start, end, named=named):
                seen[pattern] += 1
                found[pattern, start, end] = True
            for whole in self._pieces.get(pattern, ()):
                close = reading.close(whole, pattern, start, end) if seen[whole] < ENOUGH else None
                if close and reading.words(*close) >= self._short_words[whole]:
                    seen[whole] += 1
                    found.setdefault((whole, *close), False)
        hits = [
            hit
            for (pattern, start, end), exact in found.items()
            for hit in self._hits(reading, pattern, start, end, exact=exact)
        ]
        return sorted(hits, key=lambda hit: (hit.start, -hit.end))

    def _find_in(self, text: str) -> list[Hit]:
        return self.find(fold(text))

    def _hits(self, reading: _Reading, pattern: str, start: int, end: int, *, exact: bool) -> Iterator[Hit]:
        """Yield one hit for each kind of the words at squeezed offsets."""
        first, last = reading.places[start], reading.places[end - 1] + 1
        following = _NEXT_WORD.match(reading.folded.text, last)
        for phrase in self._whole[pattern]:
            if not exact and phrase.kind not in MISSPELT:
                continue
            if following and following.group(1) in phrase.not_before:
                continue
            web = phrase.kind in {Kind.DOMAIN, Kind.OTHER_DOMAIN}
            if reading.in_web_address(first) and not web:
                continue
            if web and not reading.is_host(first, last, phrase.text.lower()):
                continue
            yield Hit(phrase=phrase, start=first, end=last, exact=exact)


class _Reading:
    """One text, folded and squeezed, with the way from squeezed offsets back to folded ones."""

    def __init__(self, folded: Folded) -> None:
        self.folded = folded
        self.places = [place for place, char in enumerate(folded.text) if char.isalnum()]
        self.squeezed = "".join([folded.text[place] for place in self.places])
        self._tags = [tag.span() for tag in _TAG.finditer(folded.text)]
        self._web = [address.span() for address in _WEB.finditer(folded.original)]

    def fits(self, start: int, end: int, *, named: bool = False) -> bool:
        """Whether squeezed offsets are whole words (a name may follow Yorkshire's article: "tKJS") in one sentence."""
        first, last = self.places[start], self.places[end - 1] + 1
        if last - first > 2 * (end - start) + 8:
            return False
        begins = self._begins(first) or (named and self._after_article(first))
        ends = self._ends(last)
        if not (begins and ends):
            tag = _around(self._tags, first)
            if tag is None or last > tag[1] or not (begins or ends or end - start >= IN_A_TAG):
                return False
        return not _BREAK.search(self._without_dotted_domain(first, last))

    def close(self, whole: str, piece: str, start: int, end: int) -> tuple[int, int] | None:
        """Return the squeezed offsets around a piece at which `whole` stands with one error, if it does."""
        before = whole.startswith(piece)
        first, last = (start, start + len(whole)) if before else (max(end - len(whole), 0), end)
        if OSA.distance(self.squeezed[first:last], whole, score_cutoff=2) > 2:  # noqa: PLR2004 - one letter more or less
            return None  # nor can it be one error away with a letter more or a letter less: this spares most the rest
        if len(piece) == len(whole):
            spans = [(start, end)]
        elif before:
            spans = [(start, start + len(whole) + more) for more in (0, 1, -1)]
        else:
            spans = [(end - len(whole) + more, end) for more in (0, 1, -1)]
        for first, last in spans:
            if (
                0 <= first < last <= len(self.squeezed)
                and OSA.distance(self.squeezed[first:last], whole, score_cutoff=1) == 1
                and self.fits(first, last)
            ):
                return first, last
        return None

    def words(self, start: int, end: int) -> set[str]:
        """Return the words at squeezed offsets."""
        return set(_WORD.findall(self.folded.text, self.places[start], self.places[end - 1] + 1))

    def is_host(self, first: int, last: int, name: str) -> bool:
        """Whether folded offsets are a host's name, or its end behind a dot: "the-king-james.co.uk" is another."""
        text = self.folded.text
        return text[first:last] == name and "-" not in {text[first - 1 : first], text[last : last + 1]}

    def in_web_address(self, place: int) -> bool:
        """Whether a folded offset lies in a web address of the original text."""
        return bool(self._web) and _around(self._web, self.folded.span(place, place)[0]) is not None

    def _without_dotted_domain(self, first: int, last: int) -> str:
        """Return the folded words; a dot inside a word ends no sentence."""
        return re.sub(r"(?<=\w)[./](?=\w)|(?<=\d),(?=\d)", "", self.folded.text[first:last])

    def _begins(self, first: int) -> bool:
        """Whether a word begins here, in the folded text or in the original one."""
        text = self.folded.text
        if first > 1 and text[first - 1] == "'" and text[first - 2].isalnum() and _CONTRACTED.match(text, first):
            return False  # "wasn't a" holds no "TA"
        if first == 0 or self._apart(first - 1, first):
            return True
        origin = self.folded.span(first, first)[0]
        return origin > 0 and self.folded.original[origin - 1].isspace()

    def _after_article(self, first: int) -> bool:
        """Whether nothing but a lone "t" stands before a word: "t'KJS", written without its apostrophe."""
        return self.folded.text[first - 1] == "t" and self._begins(first - 1)

    def _ends(self, last: int) -> bool:
        """Whether a word ends here; a plural or possessive s may follow."""
        text = self.folded.text
        if last >= len(text) or self._apart(last - 1, last):
            return True
        if not text[max(last - 2, 0) : last].isalnum() or last == 1:
            return False
        return text[last] == "s" and (last + 1 >= len(text) or not text[last + 1].isalnum())

    def _apart(self, left: int, right: int) -> bool:
        """Whether two neighbouring characters belong to different words: letters and digits do."""
        one, other = self.folded.text[left], self.folded.text[right]
        return not one.isalnum() or not other.isalnum() or one.isdigit() != other.isdigit()


def _around(spans: list[tuple[int, int]], place: int) -> tuple[int, int] | None:
    """Return the span, of sorted ones that do not overlap, in which `place` lies."""
    at = bisect_right(spans, (place, 1 << 62)) - 1
    return spans[at] if at >= 0 and place < spans[at][1] else None
