"""The quick look at many texts at once: which of them name a school or a town of ours at all?

All texts become one squeezed line of bytes, which one automaton reads once. Squeezing is that of
`analysis.matching.phrases`, done in bulk, so nothing is missed that the full look would find.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

from analysis.text import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

AT_ONCE = 500
"""Texts that are read as one line: many enough for the cost of a call, few enough for the cache."""

FEW = 5_000
"""Words up to which the automaton may take much memory for speed: about 256 bytes a letter."""

_BETWEEN = "\0"
_ALPHABET = bytes(range(128)).lower() + bytes(range(128, 256))
_DROPPED = bytes(code for code in range(1, 128) if not chr(code).isalnum())


class _Squeezing(dict[int, str]):
    """A table for `str.translate`: what is left of a character when a text is squeezed."""

    def __missing__(self, code: int) -> str:
        """Return the lower-case letters and digits of the plain spelling."""
        self[code] = "".join(filter(str.isalnum, PLAIN[code])).lower()
        return self[code]


_SQUEEZED = _Squeezing()


class Screen:
    """Finds the texts that hold one of many squeezed words.

    Args:
        words: squeezed, in any number.
    """

    def __init__(self, words: Iterable[str]) -> None:
        patterns = sorted({word.encode() for word in words})
        form = Implementation.DFA if len(patterns) <= FEW else Implementation.ContiguousNFA
        self._automaton = BytesAhoCorasick(patterns, matchkind=MatchKind.Standard, implementation=form)

    def passing(self, texts: Sequence[str]) -> list[int]:
        """Return the places, rising, of the texts that hold one of the words. Each text is read once."""
        return [
            first + place
            for first in range(0, len(texts), AT_ONCE)
            for place in self._some(texts[first : first + AT_ONCE])
        ]

    def _some(self, texts: Sequence[str]) -> list[int]:
        """Return the places of the passing texts among a few."""
        texts = [text if text.isascii() else text.translate(_SQUEEZED) for text in texts]
        joined = _BETWEEN.join(texts)
        if joined.count(_BETWEEN) != len(texts) - 1:
            joined = _BETWEEN.join([text.replace(_BETWEEN, "") for text in texts])
        line = joined.encode().translate(_ALPHABET, _DROPPED)
        found = self._automaton.find_matches_as_indexes(line)
        if not found:
            return []
        ends = np.flatnonzero(np.frombuffer(line, dtype=np.uint8) == 0)
        starts = np.array([start for _, start, _ in found])
        return [int(place) for place in np.unique(np.searchsorted(ends, starts))]
