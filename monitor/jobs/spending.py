"""What reading a source costs is written down call by call: a run that dies has spent it all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from monitor.records import Spent
from monitor.store import runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitor.jobs.workplace import Workplace
    from monitor.records import Run

Yielded = TypeVar("Yielded")


def booked(place: Workplace, run: Run, yielded: Iterable[Yielded], *, before: Spent | None = None) -> Iterator[Yielded]:
    """Give what a collector yields; each cost is in the store before the next call is made.

    The first booking is made before the first call. Each is a transaction of its own, and the record of the run
    settles them; where there is none, because the process died, they count as spent.

    Args:
        place: whose store.
        run: which is going on, of a source with a cap.
        yielded: by its collector.
        before: what the run has cost already.

    Raises:
        StoreError: a cost cannot be written down; no further call is made.
    """
    cost = before or Spent()
    _book(place, run, cost)
    for item in yielded:
        if isinstance(item, Spent):
            cost += item
            _book(place, run, cost)
        yield item


def _book(place: Workplace, run: Run, cost: Spent) -> None:
    """Write down what a run has cost so far."""
    with place.store.write() as connection:
        runs.book(connection, run.source, run.purpose, run.started, cost, now=place.clock())
