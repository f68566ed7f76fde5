"""Near-copies, reposts and one article at several outlets are one story: "1 original, 8 copies".

Two posts tell the same story if one reposts the other, if their words are the same, or if at least `LIKENESS`
of their three-word sequences agree. MinHash (Broder 1997) finds the candidates in time linear in the number
of posts; the exact likeness decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from datasketch import MinHash, MinHashLSH

from analysis.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

LIKENESS: Final = 0.6
"""Share of three-word sequences in common from which two posts are copies; reports that count them name it."""

RUN: Final = 3
SHORTEST: Final = 6
"""Words below which only the very same words make a copy: short posts resemble one another by chance."""

_PERMUTATIONS: Final = 64
_SEED: Final = 2026
_NOT_WORDS: Final = re.compile(r"https?://\S+|www\.\S+|@\S+|[^\w\s']")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One post, as stories are made of it.

    Attributes:
        id: any number; the smallest of a story need not be its first.
        text: headline and words.
        key: (source, native id), by which reposts name it.
        repost_of: native id of the original at the same source, if it is a repost.
    """

    id: int
    text: str
    key: tuple[str, str]
    repost_of: str | None = None


def stories(posts: Iterable[Told]) -> dict[int, tuple[int, ...]]:
    """Return the id of each story's first post -> the ids of its copies, in the order of `posts`.

    Args:
        posts: oldest first. Every post stands in exactly one story; one without copies has ().
    """
    seen = _Seen()
    out: dict[int, list[int]] = {}
    for post in posts:
        first = seen.first_of(post)
        if first == post.id:
            out[first] = []
        else:
            out[first].append(post.id)
    return {first: tuple(copies) for first, copies in out.items()}


class _Seen:
    """The stories that were told so far."""

    def __init__(self) -> None:
        self._by_words: dict[str, int] = {}
        self._by_key: dict[tuple[str, str], int] = {}
        self._runs: dict[int, frozenset[str]] = {}
        self._near = MinHashLSH(threshold=LIKENESS, num_perm=_PERMUTATIONS)

    def first_of(self, post: Told) -> int:
        """Return the first post of the story that `post` tells: its own id if nobody told it before."""
        words = _NOT_WORDS.sub(" ", fold(post.text).text).split()
        said = " ".join(words)
        first = self._known(post, said)
        if first is None and len(words) >= SHORTEST:
            first = self._resembled(post.id, words)
        first = post.id if first is None else first
        self._by_key[post.key] = first
        if said:
            self._by_words.setdefault(said, first)
        return first

    def _known(self, post: Told, said: str) -> int | None:
        """Return the story that `post` reposts or repeats word for word."""
        original = self._by_key.get((post.key[0], post.repost_of)) if post.repost_of else None
        return self._by_words.get(said) if original is None and said else original

    def _resembled(self, number: int, words: list[str]) -> int | None:
        """Return the story that shares enough three-word sequences; remember `words` if there is none."""
        runs = frozenset(" ".join(words[at : at + RUN]) for at in range(len(words) - RUN + 1))
        sketch = MinHash(num_perm=_PERMUTATIONS, seed=_SEED)
        sketch.update_batch([run.encode("utf-8", "replace") for run in sorted(runs)])
        for candidate in sorted(self._near.query(sketch)):
            other = self._runs[candidate]
            if len(runs & other) >= LIKENESS * len(runs | other):
                return int(candidate)
        self._near.insert(number, sketch)
        self._runs[number] = runs
        return None
