"""Planted posts are two moments each: the first sight stays, the newest is told, old ones go; on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.store import canaries
from monitor.store.canaries import Sighting

if TYPE_CHECKING:
    from monitor.store.engine import Store

HOUR = timedelta(hours=1)


def test_the_first_sight_of_each_stays_and_the_newest_before_a_moment_is_told(store: Store, now: datetime) -> None:
    with store.write() as connection:
        canaries.note(connection, "bluesky", [now - HOUR, now - HOUR], now=now)
        canaries.note(connection, "mastodon", [now], now=now)
    with store.write() as connection:
        canaries.note(connection, "bluesky", [now - HOUR, now + HOUR], now=now + 2 * HOUR)
    with store.read() as connection:
        first = canaries.last(connection, "bluesky", before=now + HOUR)
        newest = canaries.last(connection, "bluesky", before=now + 3 * HOUR)
        nothing = canaries.last(connection, "feeds", before=now + 3 * HOUR)

    assert first == Sighting(published=now - HOUR, seen=now)
    assert newest == Sighting(published=now + HOUR, seen=now + 2 * HOUR)
    assert nothing is None


def test_old_ones_are_forgotten(store: Store, now: datetime) -> None:
    with store.write() as connection:
        canaries.note(connection, "bluesky", [now], now=now)
        canaries.note(connection, "bluesky", [now + HOUR], now=now + HOUR)
        canaries.forget(connection, before=now + HOUR)
    with store.read() as connection:
        assert canaries.last(connection, "bluesky", before=now + HOUR) is None
        assert canaries.last(connection, "bluesky", before=now + 2 * HOUR) is not None
