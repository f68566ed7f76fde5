"""The memo: a small file beside an SQLite store of what must outlive the loss of a few hours.

A database that is restored from last night's backup has forgotten what came since. Posts are read again; but what
was erased must stay erased, a message that was sent must not be sent again, and what people decided, objected to
and looked at is written nowhere else. So each transaction that touches such rows is written down here as well, one
line of JSON, before it is committed: numbers, hashes, message ids, and rows without a word of any post.

Lines are numbered; the database holds the number of its last one (`PRAGMA user_version`, which a backup keeps).
Lines beyond it are what it has forgotten. The nightly backup brings the older backups up to date and drops the
lines that every backup knows, so that the memo covers a day or two.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from monitor.errors import StoreError
from monitor.store.schema import (
    bookmarks,
    job_runs,
    judgements,
    leases,
    mentions,
    messages,
    metadata,
    outlets,
    runs,
    sent,
    sightings,
    spending,
    tombstones,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import sqlalchemy as sa

MADE_AGAIN: Final = frozenset(
    {bookmarks, job_runs, judgements, leases, mentions, messages, outlets, runs, sightings, spending}
)
"""Tables that fill again by themselves: posts are read and judged again, reports made up for."""

KEPT: Final = tuple(table for table in metadata.sorted_tables if table not in MADE_AGAIN)
"""Tables of which every new row, and every change, is written down; of tombstones only that they are there."""

ERASED: Final = mentions.name
"""Stands for a mention that was erased; nothing of it is written down but its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one transaction left: its number, and (table, row as the database holds it) in order."""

    number: int
    rows: tuple[tuple[str, dict[str, Any]], ...]


class Memo:
    """The memo of one SQLite store; `file` need not be there yet."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def listen(self, connection: sa.Connection) -> None:
        """Have a connection note, in a table of its own in memory, what its transactions do."""
        for statement in _LISTENING:
            connection.exec_driver_sql(statement)

    def keep(self, connection: sa.Connection) -> None:
        """Write down what the open transaction did: the last thing before its commit.

        Raises:
            StoreError: the file cannot be written; the transaction is to be rolled back.
        """
        noted = connection.exec_driver_sql("SELECT what, row FROM temp.noted ORDER BY rowid").all()
        if not noted:
            return
        number = (connection.exec_driver_sql("PRAGMA user_version").scalar() or 0) + 1
        rows = ",".join(f'["{what}",{row}]' for what, row in noted)
        self._append(f'{{"number":{number},"rows":[{rows}]}}\n')
        connection.exec_driver_sql(f"PRAGMA user_version = {number}")
        connection.exec_driver_sql("DELETE FROM temp.noted")

    def after(self, number: int) -> tuple[Line, ...]:
        """Return the lines beyond a number, in the order in which they were written.

        A line that was torn off by a crash belongs to a transaction that was not committed; it is left out.

        Raises:
            StoreError: the file cannot be read.
        """
        return tuple(line for line in self._lines() if line.number > number)

    def drop(self, *, until: int) -> None:
        """Drop the lines up to a number, in one step. Only while the store's write lock is held."""
        left = "".join(
            json.dumps({"number": line.number, "rows": line.rows}, ensure_ascii=False, separators=(",", ":")) + "\n"
            for line in self.after(until)
        )
        fresh = self._file.with_name(f".{self._file.name}.new")
        try:
            fresh.unlink(missing_ok=True)
            _write(fresh, left)
            fresh.replace(self._file)
        except OSError as error:
            raise _unwritable(self._file, error) from error

    def _append(self, line: str) -> None:
        """Add a line and see it onto the disk."""
        try:
            _write(self._file, line if self._ends_well() else f"\n{line}")
        except OSError as error:
            raise _unwritable(self._file, error) from error

    def _ends_well(self) -> bool:
        """Whether the last line is whole, or there is none."""
        try:
            with self._file.open("rb") as file:
                if not file.seek(0, os.SEEK_END):
                    return True
                file.seek(-1, os.SEEK_END)
                return file.read(1) == b"\n"
        except FileNotFoundError:
            return True

    def _lines(self) -> Iterator[Line]:
        """Give the whole lines."""
        try:
            text = self._file.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"the memo {self._file} cannot be read: {error.strerror}") from error
        for raw in text.split("\n"):
            try:
                content = json.loads(raw)
                yield Line(number=int(content["number"]), rows=tuple((what, row) for what, row in content["rows"]))
            except (ValueError, TypeError, KeyError):
                continue


def replay(database: sqlite3.Connection, lines: Iterable[Line]) -> int:
    """Do again in a database what the lines say; return how many mentions were erased.

    A case whose post is not there any more loses its number, which another post may get: it keeps its reference,
    its state and its history.

    Args:
        database: inside a transaction; it may be of an older version, with fewer tables and columns.
        lines: those beyond the database's own number.
    """
    columns = {table: _columns(database, table) for table in (*(table.name for table in KEPT), ERASED)}
    erased = 0
    for line in lines:
        for what, row in line.rows:
            if what == ERASED:
                erased += database.execute("DELETE FROM mentions WHERE id = ?", (row["id"],)).rowcount
            elif known := {name: row[name] for name in columns.get(what, ()) if name in row}:
                _put(database, what, known)
        database.execute(f"PRAGMA user_version = {line.number}")
    return erased


def _columns(database: sqlite3.Connection, table: str) -> tuple[str, ...]:
    """Return the columns of a table, none if it is not there."""
    return tuple(row[1] for row in database.execute(f"PRAGMA table_info({table})"))


def _put(database: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    """Put one row in, or in the place of the one with its key."""
    if {"id", "mention_id"} <= row.keys() and not _is_there(database, row["mention_id"]):
        row = {**row, "mention_id": -int(row["id"])}
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" for _ in row)
    database.execute(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))  # noqa: S608
    if table == sent.name:
        database.execute(
            "UPDATE messages SET state = 'sent', content = x'', error = '' WHERE message_id = ?", (row["message_id"],)
        )


def _is_there(database: sqlite3.Connection, mention: int) -> bool:
    """Whether a mention is stored."""
    return database.execute("SELECT 1 FROM mentions WHERE id = ?", (mention,)).fetchone() is not None


def _listening() -> Iterator[str]:
    """Give the statements that make a connection note what it does."""
    yield "CREATE TEMP TABLE IF NOT EXISTS noted (what TEXT, row TEXT)"
    yield (
        "CREATE TEMP TRIGGER IF NOT EXISTS noted_erased AFTER DELETE ON main.mentions "
        "BEGIN INSERT INTO noted VALUES ('mentions', json_object('id', OLD.id)); END"
    )
    for table in KEPT:
        row = ", ".join(f"""'{column.name}', NEW."{column.name}\"""" for column in table.columns)
        for what in ("INSERT",) if table is tombstones else ("INSERT", "UPDATE"):
            yield (
                f"CREATE TEMP TRIGGER IF NOT EXISTS noted_{what}_{table.name} AFTER {what} ON main.{table.name} "  # noqa: S608 - our own tables
                f"BEGIN INSERT INTO noted VALUES ('{table.name}', json_object({row})); END"
            )


_LISTENING: Final = tuple(_listening())


def _write(file: Path, text: str) -> None:
    """Add text to a file that its owner alone can read, and see it onto the disk."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


def _unwritable(file: Path, error: OSError) -> StoreError:
    """Return the error of a memo that cannot be written."""
    return StoreError(f"{file} cannot be written: {error.strerror}; nothing was changed, it is tried again")
