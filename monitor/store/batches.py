"""Long lists go to the database in batches: flat memory, and well under its limit of bound values."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BATCH: Final = 400

Item = TypeVar("Item")


def batched(items: Iterable[Item], size: int = BATCH) -> Iterator[tuple[Item, ...]]:
    """Give `items` in tuples of at most `size`, without reading further ahead."""
    remaining = iter(items)
    while batch := tuple(islice(remaining, size)):
        yield batch
