"""Holds: why a post's words stay although they should go, by whose word, and until when (PR08)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from monitor.store.batches import batched
from monitor.store.schema import holds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

HOLDERS: Final = {
    "dsl": "Designated Safeguarding Lead",
    "data_protection_officer": "Data Protection Officer",
    "police": "police",
}
"""Who may place a hold (PR08), as people call them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One hold.

    Attributes:
        mention_id, reference: the post, and the case that it opened.
        role: "dsl", "data_protection_officer" or "police". by: who signed.
        reason: in their words. placed, until: zone-aware.
        owed: why the post should have been erased meanwhile; it goes when the hold ends. "" if it should not.
    """

    mention_id: int
    reference: str
    role: str
    by: str
    reason: str
    placed: datetime
    until: datetime
    owed: str = ""


_FIELDS: Final = tuple(holds.c[name] for name in Hold.__slots__)


def place(connection: sa.Connection, hold: Hold) -> None:
    """Keep a post."""
    values = {name: getattr(hold, name) for name in Hold.__slots__}
    connection.execute(sa.insert(holds).values(**values, released=None))


def release(connection: sa.Connection, mention_id: int, *, at: datetime) -> int:
    """End every hold on a post; return how many stood."""
    return connection.execute(
        sa.update(holds).where(holds.c.mention_id == mention_id, _stands(at)).values(released=at)
    ).rowcount


def standing(connection: sa.Connection, now: datetime) -> tuple[Hold, ...]:
    """Return the holds that stand, the soonest to end first."""
    rows = connection.execute(sa.select(*_FIELDS).where(_stands(now)).order_by(holds.c.until, holds.c.id))
    return tuple(Hold(**row) for row in rows.mappings())


def held(connection: sa.Connection, numbers: Iterable[int], now: datetime) -> dict[int, Hold]:
    """Return those of the posts that are held, each with the hold that lasts longest."""
    out: dict[int, Hold] = {}
    for chunk in batched(numbers):
        rows = connection.execute(
            sa.select(*_FIELDS).where(holds.c.mention_id.in_(chunk), _stands(now)).order_by(holds.c.until)
        )
        out |= {row["mention_id"]: Hold(**row) for row in rows.mappings()}
    return out


def owe(connection: sa.Connection, numbers: Sequence[int], *, why: str, now: datetime) -> None:
    """Remember that held posts should be erased; the first reason stays."""
    connection.execute(
        sa.update(holds).where(holds.c.mention_id.in_(numbers), _stands(now), holds.c.owed == "").values(owed=why)
    )


def owed(connection: sa.Connection, now: datetime) -> dict[int, str]:
    """Return the posts that no hold keeps any more and that should have been erased: number -> why."""
    rows = connection.execute(sa.select(holds.c.mention_id, holds.c.owed).where(holds.c.owed != "", ~_stands(now)))
    ended = {row.mention_id: row.owed for row in rows}
    return {number: why for number, why in ended.items() if number not in held(connection, ended, now)}


def forget(connection: sa.Connection, *, before: datetime) -> int:
    """Drop the holds that ended before a moment; return how many."""
    ended = sa.func.coalesce(holds.c.released, holds.c.until)
    return connection.execute(sa.delete(holds).where(ended < before)).rowcount


def _stands(now: datetime) -> sa.ColumnElement[bool]:
    """Whether a hold stands at a moment."""
    return sa.and_(holds.c.released.is_(None), holds.c.until > now)
