"""Near-copies, reposts and one article at several outlets are one story: "1 original, 8 copies".

Two posts tell the same story if one reposts the other, if their words are the same, or if at least `LIKENESS`
of their three-word sequences agree. MinHash (Broder 1997) finds the candidates in time linear in the number
of posts; the exact likeness decides. A story goes on for days: what is known to belong to one keeps its number,
and what resembles it joins.
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

_PERMUTATIONS: Final = 128
_MISSED_WEIGH_MORE: Final = (0.05, 0.95)
"""Weights of false and of missed candidates: of pairs just at `LIKENESS` 96% are found; a false one costs a glance."""
_EMPTY: Final = MinHash(num_perm=_PERMUTATIONS, seed=2026)
_NOT_WORDS: Final = re.compile(r"https?://\S+|www\.\S+|@\S+|[^\w\s']")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One post, as stories are made of it.

    Attributes:
        id: any number; the smallest of a story need not be its first.
        text: headline and words.
        key: (source, native id), by which reposts name it.
        repost_of: native id of the original at the same source, if it is a repost.
        story: number of the story it is known to belong to, None if that is not known yet.
    """

    id: int
    text: str
    key: tuple[str, str]
    repost_of: str | None = None
    story: int | None = None


def stories(posts: Iterable[Told]) -> dict[int, tuple[int, ...]]:
    """Return the id of each story's first post -> the ids of its copies, in the order of `posts`.

    Args:
        posts: oldest first. Every post stands in exactly one story; one without copies has ().
    """
    seen = Seen()
    members: dict[int, list[int]] = {}
    for post in posts:
        members.setdefault(seen.story_of(post), []).append(post.id)
    return {first: tuple(copies) for first, *copies in members.values()}


class Seen:
    """The stories that were told so far; posts are told to it one by one, the oldest first."""

    def __init__(self) -> None:
        self._by_words: dict[str, int] = {}
        self._by_key: dict[tuple[str, str], int] = {}
        self._runs: dict[int, frozenset[str]] = {}
        self._stories: dict[int, int] = {}
        self._near = MinHashLSH(threshold=LIKENESS, num_perm=_PERMUTATIONS, weights=_MISSED_WEIGH_MORE)

    def story_of(self, post: Told) -> int:
        """Return the number of the story that `post` tells: the known one, or the id of the first that told it."""
        words = _NOT_WORDS.sub(" ", fold(post.text).text).split()
        said = " ".join(words)
        story = self._known(post, said)
        if len(words) >= SHORTEST and story == post.story:
            story = self._resembled(post, words)
        story = post.id if story is None else story
        self._by_key[post.key] = story
        if said:
            self._by_words.setdefault(said, story)
        return story

    def _known(self, post: Told, said: str) -> int | None:
        """Return the story that `post` is known to tell, reposts, or repeats word for word."""
        if post.story is not None:
            return post.story
        original = self._by_key.get((post.key[0], post.repost_of)) if post.repost_of else None
        return self._by_words.get(said) if original is None and said else original

    def _resembled(self, post: Told, words: list[str]) -> int:
        """Return the story that shares enough three-word sequences; remember `words` if there is none."""
        runs = frozenset(" ".join(words[at : at + RUN]) for at in range(len(words) - RUN + 1))
        sketch = _EMPTY.copy()
        sketch.update_batch([run.encode("utf-8", "replace") for run in sorted(runs)])
        if post.story is None:
            for candidate in sorted(self._near.query(sketch)):
                other = self._runs[candidate]
                if len(runs & other) >= LIKENESS * len(runs | other):
                    return self._stories[candidate]
        story = post.id if post.story is None else post.story
        self._near.insert(post.id, sketch)
        self._runs[post.id] = runs
        self._stories[post.id] = story
        return story
