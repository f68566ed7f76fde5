"""Find what the vocabulary's patterns describe, in time linear in the post.

In: a `Wording`. Out: the rules that fired, each with the words it stands on. One Aho-Corasick automaton finds
every phrase of every group at once; chains and neighbourhoods are then checked by binary search over the
places found. There is no regular expression that a rule or a post could make slow.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from ahocorasick_rs import AhoCorasick, MatchKind

from analysis.slang import Slang, Wording, shape
from monitor.errors import ConfigError
from monitor.policy.vocabulary import SHAPES, Pattern, Vocabulary, parsed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.policy.vocabulary import Rule, Step

REACH: Final = 30
"""How near one another, in words, the parts of a pattern joined by "&" must stand."""

_ENDINGS: Final = ("s", "ed", "ing", "er", "d")


class Place(NamedTuple):
    """Where something was found, in words: `start <= word < end`; a mark lies between words."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A rule that fired.

    Attributes:
        rule: which.
        pattern: the pattern of it that occurred, as written.
        places: where its parts stand.
    """

    rule: Rule
    pattern: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """A step, compiled: number of the term, and how many words may stand before it."""

    term: int
    gap: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiled:
    """A pattern, compiled. `needs` has the bit of every term in it."""

    text: str
    chains: tuple[tuple[_Link, ...], ...]
    needs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _CompiledRule:
    rule: Rule
    say: tuple[_Compiled, ...]
    unless: tuple[_Compiled, ...]


Hits = dict[int, list[Place]]
"""Term -> where it stands, sorted by start."""


class Rulebook:
    """The vocabulary, made ready.

    Raises:
        ConfigError: a phrase says nothing once fillers are passed over.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._terms: dict[tuple[str, str], int] = {}
        plain = Slang(slang=vocabulary.slang, fillers=vocabulary.fillers)
        patterns = [(rule, tuple(map(parsed, rule.say)), tuple(map(parsed, rule.unless))) for rule in vocabulary.rules]
        self._phrases: dict[str, set[int]] = {}
        self._marks: dict[str, set[int]] = {}
        self._rules = tuple(
            _CompiledRule(
                rule=rule,
                say=tuple(map(self._compiled, say)),
                unless=tuple(map(self._compiled, unless)),
            )
            for rule, say, unless in patterns
        )
        self._safety = frozenset(self._term("", group) for group in vocabulary.safety)
        for (phrase, group), term in self._terms.items():
            for one in vocabulary.phrases(group) if group else (phrase,):
                self._enter(one, term, plain)
        written = sorted(self._phrases)
        self._lengths = tuple(phrase.strip().count(" ") + 1 for phrase in written)
        self._of = tuple(tuple(self._phrases[phrase]) for phrase in written)
        self._automaton = AhoCorasick(written, matchkind=MatchKind.Standard)
        self._anchored = self._anchors()
        self._shapes = {name: self._terms["", name] for name in SHAPES if ("", name) in self._terms}
        words = {word for phrase in written for word in phrase.split()}
        disguised = {
            word
            for group in vocabulary.disguised
            for phrase in vocabulary.phrases(group)
            for word in _inflected(phrase)
        }
        self.slang = Slang(
            slang=vocabulary.slang, fillers=vocabulary.fillers, known=words | disguised, disguised=disguised
        )
        self._hashed = lru_cache(maxsize=8192)(self._is_slur)

    def _term(self, phrase: str, group: str) -> int:
        """Return the number of a phrase or group."""
        return self._terms.setdefault((phrase, group), len(self._terms))

    def _compiled(self, pattern: Pattern) -> _Compiled:
        """Return a pattern with its terms numbered."""

        def link(step: Step) -> _Link:
            return _Link(term=self._term(step.phrase, step.group), gap=step.gap)

        chains = tuple(tuple(map(link, chain)) for chain in pattern.chains)
        needs = 0
        for chain in chains:
            for one in chain:
                needs |= 1 << one.term
        return _Compiled(text=pattern.text, chains=chains, needs=needs)

    def _anchors(self) -> dict[int, list[tuple[int, _Compiled]]]:
        """Return the patterns by their rarest term, so that a post wakes only those it could match."""
        sizes = [0] * len(self._terms)
        for entered in (*self._phrases.values(), *self._marks.values()):
            for term in entered:
                sizes[term] += 1
        anchored: dict[int, list[tuple[int, _Compiled]]] = {}
        for number, compiled in enumerate(self._rules):
            for pattern in compiled.say:
                terms = [link.term for chain in pattern.chains for link in chain]
                anchored.setdefault(min(terms, key=sizes.__getitem__), []).append((number, pattern))
        return anchored

    def _enter(self, phrase: str, term: int, plain: Slang) -> None:
        """Enter one phrase as the reader will see it."""
        reading = plain.read(phrase.casefold().removesuffix("*"))
        if reading.words and any(not mark.isascii() for mark, _, _ in reading.marks):
            problem = f"the phrase {phrase!r} mixes words and signs"
            raise ConfigError(problem, key="groups", cure="write the two as a pattern: word .. sign")
        if reading.words:
            written = f" {' '.join(reading.words)}" + ("" if phrase.endswith("*") else " ")
            self._phrases.setdefault(written, set()).add(term)
        elif reading.marks:
            self._marks.setdefault(reading.marks[0][0], set()).add(term)
        else:
            problem = f"the phrase {phrase!r} says nothing: all its words are fillers"
            raise ConfigError(problem, key="groups", cure="take it out, or take its word off the fillers")

    def hits(self, wording: Wording) -> Hits:
        """Return where every term of the vocabulary stands in a post."""
        hits: Hits = {}
        words = wording.words
        joined = f" {' '.join(words)} "
        number_of: dict[int, int] = {}
        at = 0
        for number, word in enumerate(words):
            number_of[at] = number
            at += len(word) + 1
            if word[0].isdigit() or word[0] in "£$€y":
                kind = self._shapes.get(shape(word))
                if kind is not None:
                    hits.setdefault(kind, []).append(Place(number, number + 1))
        for phrase, start, _ in self._automaton.find_matches_as_indexes(joined, overlapping=True):
            first = number_of[start]
            place = Place(first, first + self._lengths[phrase])
            for term in self._of[phrase]:
                hits.setdefault(term, []).append(place)
        for mark, number, _ in wording.marks:
            for term in self._marks.get(mark, ()):
                hits.setdefault(term, []).append(Place(number, number))
        self._find_slurs(words, hits)
        for places in hits.values():
            places.sort()
        return hits

    def _find_slurs(self, words: tuple[str, ...], hits: Hits) -> None:
        """Enter where a word of the hashed list stands."""
        if "slur" in self._shapes:
            places = [Place(number, number + 1) for number, word in enumerate(words) if self._hashed(word)]
            if places:
                hits[self._shapes["slur"]] = places

    def fired(self, hits: Hits) -> tuple[Found, ...]:
        """Return the rules that fire on what was found, in the vocabulary's order."""
        present = 0
        for term in hits:
            present |= 1 << term
        out: dict[int, Found] = {}
        for term in hits:
            for number, pattern in self._anchored.get(term, ()):
                if number in out or pattern.needs & present != pattern.needs:
                    continue
                compiled = self._rules[number]
                places = self._uncalmed(compiled, pattern, hits, present)
                if places:
                    out[number] = Found(rule=compiled.rule, pattern=pattern.text, places=places)
        return tuple(found for _, found in sorted(out.items()))

    def safety(self, hits: Hits) -> tuple[Place, ...]:
        """Return where safety words stand, whatever they may mean."""
        return tuple(sorted(place for term in self._safety if term in hits for place in hits[term]))

    def _uncalmed(self, compiled: _CompiledRule, pattern: _Compiled, hits: Hits, present: int) -> tuple[Place, ...]:
        """Return the places of the first occurrence that nothing near it calms."""
        calming = [
            place
            for calm in compiled.unless
            if calm.needs & present == calm.needs
            for places in occurrences(calm, hits)
            for place in places[:1]
        ]
        calming.sort()
        for places in occurrences(pattern, hits):
            first, last = min(places).start, max(place.end for place in places)
            if not _any_between(calming, first - compiled.rule.near, last + compiled.rule.near):
                return places
        return ()

    def _is_slur(self, word: str) -> bool:
        """Whether a word stands on the hashed list."""
        salt = self._vocabulary.slurs.salt
        digest = hashlib.sha256(f"{salt}{word}".encode("utf-8", "surrogatepass")).hexdigest()[:24]
        return digest in self._vocabulary.slurs.hashes


def occurrences(pattern: _Compiled, hits: Hits) -> list[tuple[Place, ...]]:
    """Return each occurrence of a pattern: where its first chain stands, and the nearest of the others."""
    first, *others = (_chained(chain, hits) for chain in pattern.chains)
    if not others:
        return [(place,) for place in first]
    out = []
    for place in first:
        nearest = [_nearest(place, other) for other in others]
        if all(nearest):
            out.append((place, *(one for one in nearest if one)))
    return out


def _chained(chain: tuple[_Link, ...], hits: Hits) -> list[Place]:
    """Return where a run of steps stands, in order; binary search keeps it linear in the post."""
    current = hits.get(chain[0].term, [])
    for link in chain[1:]:
        by_end = sorted((place.end, place.start) for place in current)
        ends = [end for end, _ in by_end]
        following: list[Place] = []
        for place in hits.get(link.term, ()):
            at = bisect_right(ends, place.start) - 1
            if at >= 0 and ends[at] >= place.start - link.gap:
                following.append(Place(by_end[at][1], max(place.end, ends[at])))
        current = sorted(following)
    return current


def _nearest(place: Place, others: list[Place]) -> Place | None:
    """Return the place of `others` (sorted) nearest to `place`, None if none is within reach."""
    at = bisect_left(others, place)
    near = others[max(0, at - 1) : at + 1]
    return min(
        (one for one in near if one.start - place.end <= REACH and place.start - one.end <= REACH),
        key=lambda one: abs(one.start - place.start),
        default=None,
    )


def _any_between(places: list[Place], first: int, last: int) -> bool:
    """Whether one of `places` (sorted) begins between two words."""
    at = bisect_left(places, Place(first, -1))
    return at < len(places) and places[at].start <= last


def _inflected(phrase: str) -> Iterable[str]:
    """Return the forms in which the words of a phrase may stand, where it ends in "*"; else the words."""
    words = phrase.casefold().replace("'", "").removesuffix("*").split()
    if phrase.endswith("*") and len(words) == 1:
        stem = words[0]
        return [stem, *(f"{stem}{end}" for end in _ENDINGS), *(f"{stem}{stem[-1]}{end}" for end in _ENDINGS)]
    return words
