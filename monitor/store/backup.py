"""Backups of an SQLite store: made whole, checked, kept for some days, restored.

A backup is made by `VACUUM INTO` under the write lock, so that the rows it holds can be counted against the store's
own; it gets its name only when it is whole, checked and on the disk. What is erased in the store leaves its backups
in the following night (`catch_up`): a backup is for what is lost, not for what must be forgotten (PR07, PR16).

PostgreSQL has `pg_dump` and its own archive; nothing here is for it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from monitor.errors import StoreDamaged, StoreError
from monitor.store.engine import BUSY_SECONDS, HEAD, alone, memo_of
from monitor.store.memo import Memo, replay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER: Final = "backups"
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_DAMAGED: Final = ".damaged-"
_BESIDE: Final = ("-wal", "-shm")
_AHEAD: Final = timedelta(days=1)
"""A backup that is dated later than this was made by a clock that went wrong; it goes with the old ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup that was read from end to end, and is sound.

    Attributes:
        file: where it lies.
        made: when, by its name; zone-aware.
        revision: of its tables.
        memo: number of the last line of the memo that it knows.
        rows: table -> how many.
        size: in bytes.
    """

    file: Path
    made: datetime
    revision: str
    memo: int
    rows: dict[str, int]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A backup that cannot be used, and why."""

    file: Path
    made: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaughtUp:
    """What a night's tidying of the older backups did.

    Attributes:
        erased: mentions that left older backups because they had left the store.
        dropped: backups, and files that were set aside, that were past their time.
        broken: older backups that could not be brought up to date; they go with their age.
    """

    erased: int = 0
    dropped: int = 0
    broken: tuple[Broken, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A restored store.

    Attributes:
        backup: where it came from.
        aside: where what was there before was put, None if nothing was.
        passed_over: newer backups that could not be used.
    """

    backup: Backup
    aside: Path | None
    passed_over: tuple[Broken, ...]


def folder_of(file: Path) -> Path:
    """Return where the backups of a store lie."""
    return file.parent / FOLDER


def files(file: Path) -> tuple[tuple[datetime, Path], ...]:
    """Return the backups of a store with the moment at which each was made, the newest first."""
    found = []
    for path in folder_of(file).glob(f"{file.stem}-*{file.suffix}"):
        try:
            made = datetime.strptime(path.stem.removeprefix(f"{file.stem}-"), _STAMP).replace(tzinfo=UTC)
        except ValueError:
            continue
        found.append((made, path))
    return tuple(sorted(found, reverse=True))


def make(file: Path, *, now: datetime) -> Backup:
    """Make a backup of a store, whole and checked, or none at all.

    Args:
        file: the store's.
        now: names the backup; zone-aware. A second one in the same second takes the first one's place.

    Raises:
        StoreDamaged: the store cannot be read to its end, or its copy is not sound.
        StoreError: there is no room, or no right to write.
    """
    folder = folder_of(file)
    made = now.astimezone(UTC).replace(microsecond=0)
    target = folder / f"{file.stem}-{made.strftime(_STAMP)}{file.suffix}"
    fresh = folder / f".{target.name}.new"
    with _spoken(f"no backup of {file} was made"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in folder.glob(f".{file.stem}-*.new*"):  # by a process that was killed
            left.unlink()
        os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            rows = _copied(file, fresh)
            _synced(fresh)
            found = examine(fresh, made=made)
            if found.rows != rows:
                raise StoreDamaged(f"the backup of {file} holds other rows than the store; it was dropped")
            fresh.replace(target)
            _synced(folder)
        finally:
            fresh.unlink(missing_ok=True)
    return Backup(
        file=target, made=made, revision=found.revision, memo=found.memo, rows=found.rows, size=target.stat().st_size
    )


def examine(file: Path, *, made: datetime) -> Backup:
    """Read a backup from end to end: structure, indexes, references, number of rows.

    Raises:
        StoreDamaged: it is not sound; says what was found first.
        StoreError: it cannot be read.
    """
    if not file.is_file():
        raise StoreError(f"there is no file {file}")
    with _spoken(f"{file} cannot be read"), closing(_connected(file)) as database:
        (sound,) = database.execute("PRAGMA integrity_check(1)").fetchone()
        if sound != "ok":
            raise StoreDamaged(f"{file} is damaged: {' '.join(str(sound).split())}")
        if database.execute("PRAGMA foreign_key_check").fetchone():
            raise StoreDamaged(f"{file} is damaged: rows without the row they belong to")
        rows = _counts(database)
        if "alembic_version" not in rows:
            raise StoreDamaged(f"{file} holds no store")
        ((revision,),) = database.execute("SELECT version_num FROM alembic_version").fetchall()
        (memo,) = database.execute("PRAGMA user_version").fetchone()
    return Backup(file=file, made=made, revision=revision, memo=memo, rows=rows, size=file.stat().st_size)


def examined(file: Path) -> tuple[Backup | Broken, ...]:
    """Return every backup of a store, each read from end to end, the newest first."""
    found: list[Backup | Broken] = []
    for made, path in files(file):
        try:
            found.append(examine(path, made=made))
        except StoreError as error:
            found.append(Broken(file=path, made=made, why=str(error)))
    return tuple(found)


def catch_up(file: Path, *, now: datetime, keep: timedelta) -> CaughtUp:
    """Drop the backups past their time, and erase from the others what the store erased since.

    Files that a restoration set aside are dropped with the same age: they hold posts as well. The lines of the memo
    that every backup knows by now are dropped with them.
    """
    kept, dropped = [], 0
    with _spoken("old backups could not be dropped"):
        for made, path in files(file):
            if now - keep <= made <= now + _AHEAD:
                kept.append((made, path))
            else:
                path.unlink()
                path.with_name(f"{path.name}-journal").unlink(missing_ok=True)  # of a process that was killed
                dropped += 1
        for path in set_aside(file):
            stamp = path.name.partition(_DAMAGED)[2][: len("20261123T030000Z")]
            if datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC) < now - keep:
                path.unlink()
                dropped += 1
    memo = Memo(memo_of(file))
    erased, known, broken = 0, [], []
    for made, path in kept:
        try:
            gone, number = _caught_up(path, memo)
        except StoreError as error:
            broken.append(Broken(file=path, made=made, why=str(error)))
        else:
            erased += gone
            known.append(number)
    if known:
        with _spoken("the memo could not be shortened"), _locked(file):
            memo.drop(until=min(known))
    return CaughtUp(erased=erased, dropped=dropped, broken=tuple(broken))


def set_aside(file: Path) -> tuple[Path, ...]:
    """Return the files that restorations put aside, each with what lies beside it."""
    return tuple(sorted(file.parent.glob(f"{file.name}{_DAMAGED}*")))


def is_lost(file: Path) -> bool:
    """Whether a store's file is missing or empty while it has backups: SQLite would silently begin anew."""
    return bool(files(file)) and (not file.exists() or file.stat().st_size == 0)


def restore(file: Path, *, now: datetime, chosen: Path | None = None) -> Restored:
    """Put a backup in the place of a store; what was there is set aside under another name, never deleted here.

    Args:
        file: the store's.
        now: names what is set aside; zone-aware.
        chosen: the backup to take; the newest sound one if None.

    Raises:
        StoreError: no backup is sound, somebody has the store open, or there is no room.
    """
    with _spoken(f"{file} could not be restored"):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with alone(file):
            backup, passed_over = _newest_sound(file) if chosen is None else (examine(chosen, made=_made(chosen)), ())
            if backup.revision > HEAD:
                raise StoreError(f"{backup.file} was written by a newer version of the monitor; update the program")
            fresh = file.with_name(f".{file.name}.new")
            fresh.unlink(missing_ok=True)
            os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            try:
                shutil.copyfile(backup.file, fresh)
                _synced(fresh)
                aside = _put_aside(file, now)
                fresh.replace(file)
                _synced(file.parent)
            finally:
                fresh.unlink(missing_ok=True)
    return Restored(backup=backup, aside=aside, passed_over=passed_over)


def _newest_sound(file: Path) -> tuple[Backup, tuple[Broken, ...]]:
    """Return the newest backup that is sound and of no newer version, and those that were passed over."""
    passed_over = []
    for made, path in files(file):
        try:
            found = examine(path, made=made)
        except StoreError as error:
            passed_over.append(Broken(file=path, made=made, why=str(error)))
            continue
        if found.revision <= HEAD:
            return found, tuple(passed_over)
        passed_over.append(Broken(file=path, made=made, why="written by a newer version of the monitor"))
    raise StoreError(
        f"the store {file} is damaged or gone, and no sound backup lies in {folder_of(file)}"
        + "".join(f"; {broken.why}" for broken in passed_over)
        + ". Put a backup from elsewhere into that folder and start again; to begin with an empty store instead, "
        "move the damaged file and its backups away"
    )


def _made(file: Path) -> datetime:
    """Return when a backup was made: by its name, or by its file where somebody renamed it."""
    try:
        return datetime.strptime(file.stem.rpartition("-")[2], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        if not file.is_file():
            raise StoreError(f"there is no file {file}") from None
        return datetime.fromtimestamp(file.stat().st_mtime, tz=UTC)


def _put_aside(file: Path, now: datetime) -> Path | None:
    """Rename a store's files; return the new name, None if there was nothing."""
    aside = file.with_name(f"{file.name}{_DAMAGED}{now.astimezone(UTC).strftime(_STAMP)}")
    there = file.exists()
    for ending in _BESIDE:
        beside = file.with_name(file.name + ending)
        if beside.exists():
            beside.replace(aside.with_name(aside.name + ending))
    if there:
        file.replace(aside)
    return aside if there else None


def _copied(file: Path, fresh: Path) -> dict[str, int]:
    """Copy a store into an empty file; return table -> rows, as they stood while nobody could write."""
    with _locked(file) as database:
        rows = _counts(database)
        with closing(_connected(file)) as reader:
            reader.execute("VACUUM INTO ?", (str(fresh),))
    return rows


def _caught_up(path: Path, memo: Memo) -> tuple[int, int]:
    """Do again in a backup what the memo knows beyond it; return how many mentions went, and what it knows now."""
    with _spoken(f"{path} cannot be brought up to date"), _locked(path) as database:
        (known,) = database.execute("PRAGMA user_version").fetchone()
        lines = memo.after(known)
        erased = replay(database, lines)
    return erased, max([known, *(line.number for line in lines)])


@contextmanager
def _locked(file: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection that holds the write lock of a database; what it changes stands at the end, or not at all."""
    with closing(_connected(file)) as database:
        database.execute("BEGIN IMMEDIATE")
        try:
            yield database
        except BaseException:
            database.rollback()
            raise
        database.commit()


def _connected(file: Path) -> sqlite3.Connection:
    """Return a connection to a database file that is there."""
    database = sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    database.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    database.execute("PRAGMA foreign_keys = ON")
    database.execute("PRAGMA secure_delete = ON")
    return database


def _counts(database: sqlite3.Connection) -> dict[str, int]:
    """Return table -> how many rows it has."""
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return {
        name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - our own tables
        for (name,) in sorted(tables.fetchall())
    }


def _synced(path: Path) -> None:
    """See a file, or the names in a folder, onto the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows opens no folders
    # Windows syncs only what may be written
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _spoken(problem: str) -> Iterator[None]:
    """Turn what the system and SQLite raise into one sentence."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        damaged = error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
        raise (StoreDamaged if damaged else StoreError)(f"{problem}: {error}") from error
    except OSError as error:
        raise StoreError(f"{problem}: {error.strerror}") from error
