"""The labelled examples that ship with the encoder, as vectors: what a post resembles most.

Their texts are invented and stand in benchmarks/posts/seen; here are only ids, categories and unit vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE: Final = Path(__file__).parent / "model" / "examples.npz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """The nearest example: its id and category, and how near it is (cosine, -1..1)."""

    id: str
    category: str
    similarity: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Examples:
    """Labelled examples; `vectors` is float32 of shape (n, d), each of unit length."""

    ids: tuple[str, ...]
    categories: tuple[str, ...]
    vectors: NDArray[np.float32]

    def nearest(self, vectors: NDArray[np.float32]) -> list[Near]:
        """Return the nearest example of each row of `vectors` (float32, shape (m, d), unit length)."""
        if not len(vectors):
            return []
        likeness = vectors @ self.vectors.T
        best = likeness.argmax(axis=1)
        return [
            Near(id=self.ids[place], category=self.categories[place], similarity=float(likeness[row, place]))
            for row, place in enumerate(best.tolist())
        ]


@lru_cache(maxsize=2)
def load(file: Path = FILE) -> Examples:
    """Return the examples in `file`, made by `python -m training.examples`; read once."""
    with np.load(file, allow_pickle=False) as stored:
        vectors = stored["vectors"].astype(np.float32)
        return Examples(
            ids=tuple(stored["ids"].tolist()),
            categories=tuple(stored["categories"].tolist()),
            vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        )
