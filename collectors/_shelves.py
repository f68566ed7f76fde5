"""A source of several parts, each read on its own: one that is closed to us does not keep us from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collectors._failures import Failure, worst
from monitor.errors import AccessRefused, UnexpectedShape
from monitor.records import Mention

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitor.records import Ask, Clock, Yielded


def read_all(
    source: str, shelves: Mapping[str, Iterator[Yielded]], ask: Ask, *, things: str, clock: Clock
) -> Iterator[Yielded]:
    """Yield what each part holds of the window, each post once.

    Args:
        source: the collector's name.
        shelves: name of each part -> what stands there; read in this order.
        ask: with its window.
        things: what the parts are, "Pages".
        clock: tells the time.

    Raises:
        AccessRefused, UnexpectedShape: the most telling of the parts' errors, raised when all were tried; names them.
        SourceError: any other error stops the run at once.
    """
    known: set[str] = set()
    failures: list[Failure] = []
    for what, shelf in shelves.items():
        try:
            for item in shelf:
                if isinstance(item, Mention):
                    if item.native_id in known or item.published not in ask.window:
                        continue
                    known.add(item.native_id)
                yield item
        except (AccessRefused, UnexpectedShape) as error:
            failures.append(Failure(what=what, error=error))
    if failures:
        raise worst(source, failures, of=len(shelves), things=things, now=clock())
