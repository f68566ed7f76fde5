"""`python -m training.examples`: the vectors by which a tag names its nearest labelled example.

In: the posts of benchmarks/posts/seen and the shipped encoder. Out: analysis/model/examples.npz with ids,
categories and vectors (int8, each scaled by its own largest number); no words. Of a category with many posts some
stand for all: looking among thousands of plain mentions costs time and explains nothing. Needs no torch; run it
after every change of the model or posts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analysis.encoder import Encoder
from analysis.examples import FILE
from benchmarks.labelled import Labelled, seen

if TYPE_CHECKING:
    from collections.abc import Sequence


A_CATEGORY: Final = 250
"""The most examples of one category."""


def spread(posts: Sequence[Labelled]) -> list[Labelled]:
    """At most ``A_CATEGORY`` posts of each category, from all over its files."""
    by_category: dict[str, list[Labelled]] = {}
    for post in posts:
        by_category.setdefault(post.category, []).append(post)
    return [
        some[place * len(some) // kept]
        for some in by_category.values()
        for kept in [min(len(some), A_CATEGORY)]
        for place in range(kept)
    ]


def main() -> None:
    """Write the file and say how many examples it holds."""
    posts = spread(seen())
    found = Encoder.load().encode([post.text for post in posts]).embedding
    vectors = np.round(found * (127 / np.abs(found).max(axis=1, keepdims=True))).astype(np.int8)
    np.savez_compressed(
        FILE,
        ids=np.array([post.id for post in posts]),
        categories=np.array([post.category for post in posts]),
        vectors=vectors,
    )
    print(f"{len(posts)} examples, {FILE.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
