"""Open the store: SQLite in WAL mode by default, PostgreSQL by the same code.

A write takes the lock at once (`BEGIN IMMEDIATE`, or one advisory lock on PostgreSQL) and waits for another
writer up to a minute, so two processes never deadlock half-way, nor both find that a post is new. A read sees
one state from its first to its last question. A file is readable by its owner alone.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError, OperationalError

from monitor.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD: Final = "0002"
"""The newest migration; a test proves that it is."""

BUSY_SECONDS: Final = 60
_WRITES: Final = "monitor_writes"
_WRITERS_LOCK: Final = 0x6D6F6E69746F72
"""Number of the advisory lock of PostgreSQL that one writer holds: "monitor" in ASCII."""


class Store:
    """An open store. Use `read()` and `write()` for connections; `close()` at the end."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Give a connection that sees one consistent state and never blocks a writer."""
        with _readable(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Give a connection whose changes happen all together or not at all."""
        with _readable(), self.engine.connect() as plain:
            connection = plain.execution_options(**{_WRITES: True})
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def open_store(url: str) -> Store:
    """Open the store at an SQLAlchemy URL, building or upgrading its tables.

    Raises:
        StoreError: it cannot be opened, is damaged, or was written by a newer version.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        _own_file(Path(parsed.database))
    # hide_parameters: an error's sentence may be logged, and the parameters are posts
    engine = sa.create_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite", hide_parameters=True)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    else:
        _prepare_postgresql(engine)
    store = Store(engine)
    try:
        if _version(store) != HEAD:
            _upgrade(store)
    except BaseException:
        store.close()
        raise
    return store


def _own_file(path: Path) -> None:
    """Make the database's folder and file readable by their owner alone."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(f"the database {path} cannot be opened: {error.strerror}") from error


def _prepare_sqlite(engine: sa.Engine) -> None:
    """Set each new connection up, and let SQLAlchemy, not the driver, begin transactions."""

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


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
    except OperationalError as error:
        raise StoreError(f"the database cannot be used now: {error.orig}") from error
    except DatabaseError as error:
        if "malformed" in str(error.orig) or "not a database" in str(error.orig):
            raise StoreError(f"the database is damaged: {error.orig}") from error
        raise


def _version(store: Store) -> str | None:
    """Return the last migration that was applied, None for an empty database."""
    with store.read() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return found


def _upgrade(store: Store) -> None:
    """Apply the missing migrations, all in one transaction with their record."""
    from alembic import command  # noqa: PLC0415 - needed at the first start and after an update alone
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util.exc import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with store.write() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(
                f"the database was written by a newer version of the monitor ({error}); update the program"
            ) from error
