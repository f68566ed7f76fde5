"""Long lists go in batches, without reading ahead."""

from __future__ import annotations

from itertools import chain, count, islice

from hypothesis import given
from hypothesis import strategies as st

from monitor.store.batches import batched


@given(st.lists(st.integers()), st.integers(1, 10))
def test_the_batches_are_the_list(items: list[int], size: int) -> None:
    batches = list(batched(items, size))
    assert list(chain.from_iterable(batches)) == items
    assert all(len(batch) == size for batch in batches[:-1])
    assert all(batches)


def test_nothing_is_read_before_it_is_wanted() -> None:
    source = count()
    assert list(islice(batched(source, 3), 2)) == [(0, 1, 2), (3, 4, 5)]
    assert next(source) == 6
