"""Move everything from one store into another: SQLite to PostgreSQL, back, or to another file.

The source is read as of one moment. The target, which must be empty, gets all of it in one transaction, in batches;
before that is committed every table is read back and compared by its number of rows and by a hash of their content.
So a copy is there whole and verified, or not at all. Rows go over as they are: numbers, times, hashes of the audit.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from monitor.errors import StoreError
from monitor.records import as_plain
from monitor.store import numbers
from monitor.store.batches import batched
from monitor.store.schema import leases, mentions, metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from monitor.store.engine import Store

BATCH: Final = 1_000
TABLES: Final = tuple(table for table in metadata.sorted_tables if table is not leases)
"""Everything, each table after those it refers to; who holds the clock over the source is no matter of the target."""

_MODULUS: Final = 2**256


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """One table that was copied: how many rows, and the hash of their content on both sides (64 hex digits)."""

    table: str
    rows: int
    sha256: str


def copy(
    source: Store,
    target: Store,
    *,
    now: datetime,
    progress: Callable[[str, int, int], None] = lambda _table, _done, _all: None,
) -> tuple[Copied, ...]:
    """Copy every table; return what was copied, in the order in which it was.

    Args:
        source: is only read.
        target: open, so that its tables are there; empty.
        now: to know whether a scheduler runs on the source; zone-aware.
        progress: is called with a table's name, the rows copied so far, and all that it has.

    Raises:
        StoreError: a scheduler is running on the source, the target is not empty, or what was written is not what
            was read. The target is as empty as it was.
    """
    with source.read() as reading, target.write(noted=False) as writing:
        _require_rest(reading, now)
        _require_empty(writing)
        copied = []
        for table in TABLES:
            expected = _copy_table(table, reading, writing, progress)
            found = _fingerprint(table, writing)
            if found != expected:
                raise StoreError(
                    f"the table {table.name} was not copied as it is ({expected.rows} rows were read, {found.rows} "
                    "stand in the target): nothing was kept there"
                )
            copied.append(found)
        _number_on(writing, numbers.highest(reading))
    return tuple(copied)


def _require_rest(reading: sa.Connection, now: datetime) -> None:
    """Refuse to copy under a running scheduler: what it writes afterwards would stay behind."""
    if reading.scalar(sa.select(sa.func.count()).select_from(leases).where(leases.c.until > now)):
        raise StoreError("a scheduler is running on the store; stop it first (one that died lets go after 2 minutes)")


def _require_empty(writing: sa.Connection) -> None:
    """Refuse to mix two stores."""
    full = [
        table.name for table in metadata.sorted_tables if writing.execute(sa.select(table).limit(1)).first() is not None
    ]
    if full:
        raise StoreError(f"the target is not empty: it has rows in {', '.join(full)}; name an empty database")


def _copy_table(
    table: sa.Table, reading: sa.Connection, writing: sa.Connection, progress: Callable[[str, int, int], None]
) -> Copied:
    """Copy one table; return what was read of it."""
    total = reading.scalar(sa.select(sa.func.count()).select_from(table)) or 0
    done, content = 0, 0
    progress(table.name, done, total)
    for batch in batched(_rows(table, reading), BATCH):
        writing.execute(sa.insert(table), list(batch))
        content += sum(_hashed(row) for row in batch)
        done += len(batch)
        progress(table.name, done, total)
    return Copied(table=table.name, rows=done, sha256=f"{content % _MODULUS:064x}")


def _fingerprint(table: sa.Table, connection: sa.Connection) -> Copied:
    """Return how many rows a table has, and the hash of their content."""
    rows, content = 0, 0
    for row in _rows(table, connection):
        rows += 1
        content += _hashed(row)
    return Copied(table=table.name, rows=rows, sha256=f"{content % _MODULUS:064x}")


def _rows(table: sa.Table, connection: sa.Connection) -> Iterator[dict[str, Any]]:
    """Give a table's rows, a batch at a time in memory."""
    keys = table.primary_key.columns
    found = connection.execute(sa.select(table).order_by(*keys).execution_options(yield_per=BATCH))
    yield from (dict(row) for row in found.mappings())


def _hashed(row: dict[str, Any]) -> int:
    """Return the SHA-256 of a row as a number.

    A table's hash is the sum of its rows': databases sort text differently, and a sum has no order.
    """
    plain = json.dumps(as_plain(row), sort_keys=True, ensure_ascii=True, default=str)
    return int.from_bytes(hashlib.sha256(plain.encode()).digest())


def _number_on(writing: sa.Connection, highest: int) -> None:
    """Let PostgreSQL number new rows after those that were copied, and mentions after `highest`; SQLite does by itself.

    The newest posts may be erased while a case, a hold or the digest still knows their numbers.
    """
    if writing.dialect.name != "postgresql":
        return
    for table in TABLES:
        for column in table.primary_key.columns:
            # only a column that numbers itself has a sequence
            sequence = writing.scalar(sa.select(sa.func.pg_get_serial_sequence(table.name, column.name)))
            if sequence:
                last = writing.scalar(sa.select(sa.func.max(column))) or 0
                following = 1 + (max(last, highest) if table is mentions else last)
                writing.execute(sa.select(sa.func.setval(sequence, following, sa.false())))
