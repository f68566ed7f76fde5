"""Shorthand for tests that fill a store and look into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.records import Severity
from monitor.store import cases, mentions, outbox

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.store.engine import Store
    from monitor.store.mentions import Arrival


def take(store: Store, now: datetime, *arrivals: Arrival) -> list[int]:
    """Store posts; return their numbers."""
    with store.write() as connection:
        mentions.take(connection, arrivals, now=now, articles=frozenset())
        return [
            number
            for a in arrivals
            for number in mentions.numbers_of(connection, [(a.mention.source, a.mention.native_id)])
        ]


def erase(store: Store, numbers: list[int], now: datetime, forget: frozenset[str] = frozenset()) -> None:
    with store.write() as connection:
        mentions.erase(connection, numbers, now=now, why="gone at the source", forget=forget)


def texts(store: Store) -> set[str]:
    with store.read() as connection:
        return {stored.mention.text for stored in mentions.pending(connection, 10_000)}


def opened_case(store: Store, number: int, now: datetime) -> str:
    with store.write() as connection:
        return cases.open_case(
            connection,
            mention_id=number,
            category="THREAT_VIOLENCE",
            severity=Severity.P1,
            owner="headteacher",
            schools=("KJS",),
            opened=now,
            due=now,
            readers=("headteacher",),
            restricted=True,
            why="a rule",
        ).reference


def letter(now: datetime, name: str = "daily-2026-11-23") -> outbox.OutMessage:
    return outbox.OutMessage(
        message_id=f"<{name}@school.example>",
        kind="daily",
        recipient="owner@school.example",
        subject="Digest",
        content=b"words",
        queued=now,
        next_try=now,
    )
