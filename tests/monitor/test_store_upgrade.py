"""A store of any earlier version is backed up and upgraded, one of a later version is left alone."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from monitor.errors import StoreError
from monitor.store import backup, engine
from monitor.store.engine import open_store

ROOT = Path(__file__).parents[2]
WEEK = timedelta(days=7)


@pytest.fixture
def file(sqlite_url: str) -> Path:
    """Where the store lies."""
    return Path(sa.make_url(sqlite_url).database or "")


def at_first_revision(url: str, now: datetime) -> None:
    """Build a store as the first version did, with a row in each of its tables."""
    bare = sa.create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(Path(engine.__file__).parent / "migrations"))
    with bare.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        old = sa.MetaData()
        old.reflect(connection)
        for table in old.sorted_tables:
            if table.name != "alembic_version":
                connection.execute(sa.insert(table).values(**{c.name: _value(c, now) for c in table.columns}))
    bare.dispose()


def _value(column: sa.Column[object], now: datetime) -> object:
    """Return something that fits a column."""
    name = str(column.type).split("(")[0]
    return {
        "DATETIME": now.replace(tzinfo=None),
        "TIMESTAMP": now,
        "INTEGER": 1,
        "BIGINT": 1,
        "FLOAT": 0.5,
        "DOUBLE PRECISION": 0.5,
        "BOOLEAN": True,
        "JSON": ["x"],
        "BLOB": b"bytes",
        "BYTEA": b"bytes",
    }.get(name, f"the {column.table.name}'s {column.name}")


def _rows_of(url: str, names: dict[str, list[str]]) -> dict[str, list[tuple[object, ...]]]:
    """Return what stands in some columns of each table."""
    quoted = '"{}"'.format
    bare = sa.create_engine(url)
    with bare.connect() as connection:
        found = {
            table: [
                tuple(row)
                for row in connection.exec_driver_sql(f"SELECT {', '.join(map(quoted, columns))} FROM {table}")  # noqa: S608 - our own tables
            ]
            for table, columns in names.items()
        }
    bare.dispose()
    return found


def test_a_store_of_the_first_version_is_upgraded_with_everything_in_it(store_url: str, now: datetime) -> None:
    file = engine.sqlite_file(store_url)
    if file:
        file.parent.mkdir()
    at_first_revision(store_url, now)
    bare = sa.create_engine(store_url)
    names = {
        table: [column["name"] for column in sa.inspect(bare).get_columns(table)]
        for table in sa.inspect(bare).get_table_names()
        if table != "alembic_version"
    }
    bare.dispose()
    before = _rows_of(store_url, names)
    assert all(len(rows) == 1 for rows in before.values())
    assert len(before) == 13
    open_store(store_url, clock=lambda: now).close()
    assert _rows_of(store_url, names) == before
    if file is None:
        return  # PostgreSQL is backed up by its own means
    (made,) = backup.examined(file)
    assert isinstance(made, backup.Backup)
    assert made.revision == "0001"
    # the backup restores what was, and that upgrades once more
    restored = backup.restore(file, now=now)
    assert restored.backup.file == made.file
    open_store(store_url, clock=lambda: now + timedelta(hours=1)).close()
    assert _rows_of(store_url, names) == before


def test_a_backup_of_a_newer_version_is_not_restored(sqlite_url: str, file: Path, now: datetime) -> None:
    store = open_store(sqlite_url)
    made = backup.make(file, now=now)
    store.close()
    with sqlite3.connect(made.file) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.close()
    with pytest.raises(StoreError, match="newer version"):
        backup.restore(file, now=now, chosen=made.file)
    with pytest.raises(StoreError, match=r"no sound backup.*newer version"):
        backup.restore(file, now=now)
    open_store(sqlite_url).close()
