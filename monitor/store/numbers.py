"""The numbers of mentions: none is given twice, and the digest remembers how far it has told.

Dates can lie where a clock went astray; numbers only grow.
"""

from __future__ import annotations

from itertools import count, repeat
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import REGCLASS

from monitor.records import Bookmark
from monitor.store.runs import bookmarks_of, keep_bookmarks
from monitor.store.schema import bookmarks, cases, holds, mentions

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIGEST: Final = "the digest"
"""Stands where a source's name stands in the table of bookmarks."""
_TOLD: Final = "told"


def fresh(connection: sa.Connection) -> Iterator[int | None]:
    """Give new mentions' numbers for as long as this write lasts; None where the database counts for itself.

    SQLite counts on from the newest row that is left, and so gives the number of an erased one out again. A case,
    a hold, a story and the digest's bookmark know a mention by its number and outlive it: another post under the
    same number would be taken for it, and have no case of its own.
    """
    return count(1 + highest(connection)) if connection.dialect.name == "sqlite" else repeat(None)


def highest(connection: sa.Connection) -> int:
    """Return the highest number of a mention that anything here knows, be the mention erased; 0 if none does.

    PostgreSQL counts for itself and forgets none.
    """
    known = sa.select(
        sa.select(sa.func.max(mentions.c.id)).scalar_subquery(),
        sa.select(sa.func.max(mentions.c.story)).scalar_subquery(),
        sa.select(sa.func.max(cases.c.mention_id)).scalar_subquery(),
        sa.select(sa.func.max(holds.c.mention_id)).scalar_subquery(),
        sa.select(sa.func.max(sa.cast(bookmarks.c.value, sa.Integer)))
        .where(bookmarks.c.source == _DIGEST)
        .scalar_subquery(),
    )
    found = max(number or 0 for number in connection.execute(known).one())
    if connection.dialect.name == "postgresql":
        counter = sa.func.pg_get_serial_sequence(mentions.name, mentions.c.id.name)
        found = max(
            found, connection.scalar(sa.select(sa.func.pg_sequence_last_value(sa.cast(counter, REGCLASS)))) or 0
        )
    return found


def newest(connection: sa.Connection) -> int:
    """Return the number of the newest mention, 0 if there is none."""
    return connection.scalar(sa.select(sa.func.max(mentions.c.id))) or 0


def told(connection: sa.Connection) -> int | None:
    """Return the number of the newest mention when the last digest was gathered, None before the first one."""
    kept = bookmarks_of(connection, _DIGEST).get(_TOLD)
    return int(kept) if kept else None


def keep_told(connection: sa.Connection, number: int) -> None:
    """Remember how far the digest that is being queued in this transaction has told."""
    keep_bookmarks(connection, _DIGEST, [Bookmark(channel=_TOLD, value=str(number))])
