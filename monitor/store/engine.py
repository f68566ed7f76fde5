"""Open the store: SQLite in WAL mode by default, PostgreSQL by the same code.

A write takes the lock at once (`BEGIN IMMEDIATE`, or one advisory lock on PostgreSQL) and waits for another
writer up to a minute, so two processes never deadlock half-way, nor both find that a post is new. A read sees
one state from its first to its last question. A file is readable by its owner alone.

While an SQLite store is open, its folder is held (`flock`): nobody puts another file in its place meanwhile. Before
an upgrade it is backed up, and what its memo knows beyond it is done again.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError, NoSuchModuleError, OperationalError

from monitor.errors import StoreDamaged, StoreError
from monitor.records import utc_now
from monitor.store.memo import Memo, replay

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.records import Clock

HEAD: Final = "0002"
"""The newest migration; a test proves that it is."""

BUSY_SECONDS: Final = 60
PAUSE_SECONDS: Final = 0.05
_WRITES: Final = "monitor_writes"
_LISTENS: Final = "monitor_listens"
_WRITERS_LOCK: Final = 0x6D6F6E69746F72
"""Number of the advisory lock of PostgreSQL that one writer holds: "monitor" in ASCII."""

_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_CURES: Final = {
    sqlite3.SQLITE_FULL: "make room on its file system; nothing was lost, and the work goes on by itself",
    sqlite3.SQLITE_READONLY: "make it writable for the user who runs the monitor: a file system turns read-only "
    "when its disk fails or fills; nothing was lost, and the work goes on by itself",
    sqlite3.SQLITE_IOERR: "make room on its file system, and look at the disk if there is room; nothing was lost",
    sqlite3.SQLITE_CANTOPEN: "look who owns its folder, and whether its disk is there; nothing was lost",
    sqlite3.SQLITE_BUSY: "another process has kept it for a minute: find it, or wait; nothing was lost",
}
"""What a person can do about SQLite's primary result codes (sqlite.org/rescode.html)."""


class Store:
    """An open store. Use `read()` and `write()` for connections; `close()` at the end.

    Args:
        engine: of SQLAlchemy.
        file: the file of an SQLite store, None for PostgreSQL.
    """

    def __init__(self, engine: sa.Engine, file: Path | None = None) -> None:
        self.engine = engine
        self.file = file
        self.memo = Memo(memo_of(file)) if file else None
        self._hold = _hold(file.parent, alone=False) if file else None

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Give a connection that sees one consistent state and never blocks a writer."""
        with _readable(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, noted: bool = True) -> Iterator[sa.Connection]:
        """Give a connection whose changes happen all together or not at all.

        Args:
            noted: whether the memo is to know of them; False where rows are only moved or done again.
        """
        with _readable(), self.engine.connect() as plain:
            connection = plain.execution_options(**{_WRITES: True})
            memo = self.memo if noted else None
            with connection.begin():
                if memo and _LISTENS not in connection.info:
                    memo.listen(connection)
                yield connection
                if memo:
                    memo.keep(connection)
            if memo:
                connection.info[_LISTENS] = True  # only now: a transaction that failed took the triggers along

    def check(self, *, thorough: bool = False) -> None:
        """Read an SQLite store's file from end to end; PostgreSQL looks after itself.

        Args:
            thorough: compare every index with its table as well, which takes four times as long.

        Raises:
            StoreDamaged: says what was found first.
        """
        if self.file is None:
            return
        question = "PRAGMA integrity_check(1)" if thorough else "PRAGMA quick_check(1)"
        with self.read() as connection:
            found = connection.exec_driver_sql(question).scalar()
        if found != "ok":
            raise StoreDamaged(f"the database is damaged: {' '.join(str(found).split())}")

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
        if self._hold is not None:
            os.close(self._hold)
            self._hold = None


def sqlite_file(url: str) -> Path | None:
    """Return the file of an SQLite URL, None for another database or one in memory."""
    parsed = sa.make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def memo_of(file: Path) -> Path:
    """Return where the memo of an SQLite store lies."""
    return file.with_name(f"{file.stem}.memo.jsonl")


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Keep everybody else off an SQLite store that nobody has open, to put another file in its place.

    Raises:
        StoreError: somebody has it open.
    """
    hold = _hold(file.parent, alone=True)
    try:
        yield
    finally:
        if hold is not None:
            os.close(hold)


def _hold(folder: Path, *, alone: bool) -> int | None:
    """Hold a folder together with others, or alone; return the descriptor that holds it.

    Windows has no such lock; there the system itself refuses to rename a file that is open.
    """
    if sys.platform == "win32":
        return None
    try:
        hold = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise StoreError(f"the folder {folder} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
    except OSError as error:
        os.close(hold)
        if isinstance(error, BlockingIOError):
            problem = f"another process has the store in {folder} open: stop the monitor first, then start it again"
            raise StoreError(problem) from error
        if alone:
            raise StoreError(f"the folder {folder} cannot be locked: {error.strerror}") from error
        return None  # a file system without locks: nothing else needs this one
    return hold


def open_store(url: str, *, clock: Clock = utc_now) -> Store:
    """Open the store at an SQLAlchemy URL, building or upgrading its tables.

    Args:
        url: SQLAlchemy's.
        clock: names the backup that is made before an upgrade.

    Raises:
        StoreDamaged: its file is damaged.
        StoreError: it cannot be opened, or was written by a newer version.
    """
    parsed = sa.make_url(url)
    file = sqlite_file(url)
    if file:
        _own_file(file)
    # hide_parameters: an error's sentence may be logged, and the parameters are posts
    try:
        engine = sa.create_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite", hide_parameters=True)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise StoreError(
            f"the driver of {parsed.drivername} is not installed: pip install 'federation-monitor[postgres]', and "
            "write postgresql+psycopg://"
        ) from error
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    else:
        _prepare_postgresql(engine)
    store = Store(engine, file)
    try:
        version = _version(store)
        if version != HEAD:
            if file and version is not None:
                from monitor.store.backup import make  # noqa: PLC0415 - needed after an update of the program alone

                make(file, now=clock())
            _upgrade(store)
        _remember(store)
    except BaseException:
        store.close()
        raise
    return store


def _own_file(path: Path) -> None:
    """Make the database's folder and file readable by their owner alone.

    A file that is there is not opened: closing it would let go of the locks that SQLite holds on it in this process
    (sqlite.org/howtocorrupt.html, 2.2).
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise StoreError(f"the database {path} cannot be opened: {error.strerror}") from error


def _prepare_sqlite(engine: sa.Engine) -> None:
    """Set each new connection up, and let SQLAlchemy, not the driver, begin transactions."""

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        _write_ahead(cursor)
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten
        cursor.execute("PRAGMA temp_store = MEMORY")  # and leaves nothing in files that nobody looks after
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Turn write-ahead logging on; where somebody else is about to write or does the same, SQLite does not wait itself.

    Its busy timeout is not asked where waiting could be for ever (sqlite.org/c3ref/busy_handler.html).
    """
    last = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > last:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _prepare_postgresql(engine: sa.Engine) -> None:
    """Give PostgreSQL what SQLite has by nature: one writer at a time, and reads of one moment."""

    @event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        if connection.get_execution_options().get(_WRITES):
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")
        else:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


@contextmanager
def _readable() -> Iterator[None]:
    """Turn what a database can suffer from into one sentence."""
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError) as error:
        cause = error.orig if isinstance(error, DatabaseError) else error
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the primary code; further bits say more
        if code in _DAMAGE:
            raise StoreDamaged(f"the database is damaged: {cause}") from error
        if isinstance(error, OperationalError | sqlite3.OperationalError):
            cure = f"; {_CURES[code]}" if code in _CURES else ""
            raise StoreError(f"the database cannot be used now: {cause}{cure}") from error
        raise


def _version(store: Store) -> str | None:
    """Return the last migration that was applied, None for an empty database."""
    with store.read() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return found


def _remember(store: Store) -> None:
    """Do again what an SQLite store's memo knows beyond it: it was restored, or lost what it had not yet written."""
    if store.memo is None:
        return
    with store.read() as connection:
        known = connection.exec_driver_sql("PRAGMA user_version").scalar() or 0
    if not store.memo.after(known):
        return
    with store.write(noted=False) as connection:
        # asked again: another process may have been about to commit
        known = connection.exec_driver_sql("PRAGMA user_version").scalar() or 0
        replay(driver_of(connection), store.memo.after(known))


def driver_of(connection: sa.Connection) -> sqlite3.Connection:
    """Return the driver's own connection to SQLite, for what SQLAlchemy has no words for."""
    own = connection.connection.driver_connection
    assert isinstance(own, sqlite3.Connection)  # noqa: S101 - the caller asks of an SQLite store
    return own


def _upgrade(store: Store) -> None:
    """Apply the missing migrations, all in one transaction with their record."""
    from alembic import command  # noqa: PLC0415 - needed at the first start and after an update alone
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util.exc import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with store.write(noted=False) as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(
                f"the database was written by a newer version of the monitor ({error}); update the program"
            ) from error
