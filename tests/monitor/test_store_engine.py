"""The store opens, upgrades, locks and breaks as it says."""

from __future__ import annotations

import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event

from monitor.errors import StoreError
from monitor.store import engine, mentions
from monitor.store.engine import open_store
from monitor.store.schema import metadata

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitor.store.engine import Store
    from monitor.store.mentions import Arrival

ROOT = Path(__file__).parents[2]
MIGRATIONS = Path(engine.__file__).parent / "migrations"


def file_of(url: str) -> Path:
    return Path(sa.make_url(url).database or "")


def tables_in(store: Store) -> set[str]:
    with store.read() as connection:
        return set(sa.inspect(connection).get_table_names())


def texts(store: Store) -> set[str]:
    with store.read() as connection:
        return {stored.mention.text for stored in mentions.pending(connection, 10_000)}


def test_the_migrations_build_exactly_the_tables_that_are_drawn(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == engine.HEAD


def test_a_second_opening_finds_what_the_first_one_stored(
    store_url: str, arrival: Callable[..., Arrival], now: datetime
) -> None:
    first = open_store(store_url)
    with first.write() as connection:
        mentions.take(connection, [arrival(text="kept")], now=now, articles=frozenset())
    first.close()
    second = open_store(store_url)
    assert texts(second) == {"kept"}
    second.close()


def test_two_processes_that_open_a_new_store_at_once_both_succeed(store_url: str) -> None:
    barrier = threading.Barrier(3)
    opened: list[Store] = []

    def begin() -> None:
        barrier.wait()
        opened.append(open_store(store_url))

    threads = [threading.Thread(target=begin) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 3
    assert {"mentions", "alembic_version"} <= tables_in(opened[0])
    for store in opened:
        store.close()


def test_a_store_opens_once_another_process_has_made_up_its_mind_about_the_same_new_file(sqlite_url: str) -> None:
    """Another one that opens it first holds the file for a moment before it keeps a write-ahead log."""
    file = file_of(sqlite_url)
    file.parent.mkdir(parents=True, exist_ok=True)
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, other.execute, ("COMMIT",))
    release.start()

    store = open_store(sqlite_url)

    release.join()
    assert {"mentions", "alembic_version"} <= tables_in(store)
    store.close()
    other.close()


def test_files_are_their_owners_alone_and_the_journal_is_ahead_of_the_file(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    file = file_of(sqlite_url)
    with store.write() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert modes["monitor.sqlite"] == 0o600
    assert set(modes.values()) == {0o600}
    store.close()


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(f"sqlite:///{tmp_path / 'file' / 'monitor.sqlite'}")


def test_an_upgrade_that_dies_in_the_middle_leaves_the_old_state(sqlite_url: str) -> None:
    """A process killed while its migration runs leaves an empty database, and the next one builds it."""
    script = f"""
import os, signal, sqlalchemy as sa
from sqlalchemy import event
from monitor.store.engine import open_store

@event.listens_for(sa.Engine, "before_cursor_execute")
def die(connection, cursor, statement, *rest):
    if "CREATE TABLE mentions" in statement:
        os.kill(os.getpid(), signal.SIGKILL)

open_store({sqlite_url!r})
"""
    killed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)  # noqa: S603
    assert killed.returncode == -signal.SIGKILL
    bare = sa.create_engine(sqlite_url)
    with bare.connect() as connection:
        assert sa.inspect(connection).get_table_names() == []
    bare.dispose()
    store = open_store(sqlite_url)
    assert "mentions" in tables_in(store)
    store.close()


def test_an_upgrade_that_raises_in_the_middle_leaves_the_old_state(store_url: str) -> None:
    """Both databases roll back the tables of a migration that fails."""

    def fail(*arguments: object) -> None:
        if "CREATE TABLE mentions" in str(arguments[2]):
            raise KeyboardInterrupt

    event.listen(sa.Engine, "before_cursor_execute", fail)
    try:
        with pytest.raises(KeyboardInterrupt):
            open_store(store_url)
    finally:
        event.remove(sa.Engine, "before_cursor_execute", fail)
    bare = sa.create_engine(store_url)
    with bare.connect() as connection:
        assert sa.inspect(connection).get_table_names() == []
    bare.dispose()


def test_a_database_of_a_newer_version_is_refused_with_the_cure(store_url: str) -> None:
    store = open_store(store_url)
    with store.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(StoreError, match=r"newer version of the monitor.*update the program"):
        open_store(store_url)


def test_a_locked_database_waits_and_then_says_so(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    store.close()

    @event.listens_for(store.engine, "connect")
    def impatient(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 50")
        cursor.close()

    other = open_store(sqlite_url)
    with (
        other.write(),
        pytest.raises(StoreError, match="cannot be used now: database is locked"),
        store.write(),
    ):
        pass
    with store.write() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 50
    with other.read() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == engine.BUSY_SECONDS * 1000
    store.close()
    other.close()


def test_a_reader_is_not_kept_waiting_by_a_writer_and_sees_one_moment(
    store: Store, arrival: Callable[..., Arrival], now: datetime
) -> None:
    with store.read() as reading:
        assert mentions.pending(reading, 9) == ()
        with store.write() as writing:
            mentions.take(writing, [arrival()], now=now, articles=frozenset())
        assert mentions.pending(reading, 9) == ()
    assert len(texts(store)) == 1


def test_writers_at_once_lose_nothing_and_double_nothing(
    store: Store, arrival: Callable[..., Arrival], now: datetime
) -> None:
    """Four collectors bring the same posts, each in steps of one transaction."""
    barrier = threading.Barrier(4)
    taken: list[int] = []

    def collect() -> None:
        barrier.wait()
        for step in range(5):
            with store.write() as connection:
                posts = [arrival(str(step * 10 + n)) for n in range(10)]
                taken.append(mentions.take(connection, posts, now=now, articles=frozenset()).new)

    threads = [threading.Thread(target=collect) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 50
    assert len(texts(store)) == 50


def test_a_damaged_file_is_called_damaged(sqlite_url: str, arrival: Callable[..., Arrival], now: datetime) -> None:
    store = open_store(sqlite_url)
    with store.write() as connection:
        posts = [arrival(str(n)) for n in range(300)]
        mentions.take(connection, posts, now=now, articles=frozenset())
    store.close()
    file = file_of(sqlite_url)
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        texts(open_store(sqlite_url))


def test_a_file_that_is_no_database_is_called_damaged(sqlite_url: str) -> None:
    file = file_of(sqlite_url)
    file.parent.mkdir()
    file.write_bytes(b"no database at all " * 500)
    with pytest.raises(StoreError, match="damaged: file is not a database"):
        open_store(sqlite_url)


def test_a_server_that_is_not_there_is_a_store_error() -> None:
    with pytest.raises(StoreError, match="cannot be used now"):
        open_store("postgresql+psycopg://nobody@127.0.0.1:1/none")


def test_a_full_database_is_a_store_error_and_what_was_there_stays(
    sqlite_url: str, arrival: Callable[..., Arrival], now: datetime
) -> None:
    store = open_store(sqlite_url)
    with store.write() as connection:
        mentions.take(connection, [arrival(text="before")], now=now, articles=frozenset())
    store.close()

    @event.listens_for(store.engine, "connect")
    def small(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA max_page_count = 1")  # SQLite takes the present size where that is larger
        cursor.close()

    posts = [arrival(f"n{n}", text="x" * 5000) for n in range(100)]
    with pytest.raises(StoreError, match="full"), store.write() as connection:
        mentions.take(connection, posts, now=now, articles=frozenset())
    assert texts(store) == {"before"}
    store.close()


def test_a_disk_that_is_full_is_a_store_error_and_what_was_there_stays(
    sqlite_url: str, arrival: Callable[..., Arrival], now: datetime
) -> None:
    """The operating system refuses the write (here by a limit of 512 kB for a file)."""
    store = open_store(sqlite_url)
    with store.write() as connection:
        mentions.take(connection, [arrival(text="before")], now=now, articles=frozenset())
    store.close()
    script = f"""
from monitor.errors import StoreError
from monitor.records import Bookmark
from monitor.store import runs
from monitor.store.engine import open_store

store = open_store({sqlite_url!r})
try:
    with store.write() as connection:
        runs.keep_bookmarks(connection, "s", [Bookmark(channel=str(n), value="x" * 4000) for n in range(2000)])
except StoreError as error:
    print(error)
"""

    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (512 * 1024, 512 * 1024))

    child = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        preexec_fn=no_room,
    )
    assert "the database cannot be used now" in child.stdout
    reopened = open_store(sqlite_url)
    assert texts(reopened) == {"before"}
    with reopened.read() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM bookmarks")).scalar() == 0
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    reopened.close()


def test_an_error_of_the_database_does_not_repeat_the_words_of_a_post(
    store: Store, arrival: Callable[..., Arrival], now: datetime
) -> None:
    with store.write() as connection:
        mentions.take(connection, [arrival()], now=now, articles=frozenset())
    with pytest.raises(sa.exc.IntegrityError) as caught, store.write() as connection:
        connection.execute(
            sa.text("INSERT INTO bookmarks VALUES (:a, :b, NULL)"), {"a": "s", "b": "a pupil's own words"}
        )
    assert "a pupil's own words" not in str(caught.value).split("DETAIL")[0]


def test_no_table_index_or_name_is_about_authors(store: Store) -> None:
    """PR04 and PR05: there is nothing by which posts could be gathered by who wrote them."""
    with store.read() as connection:
        inspector = sa.inspect(connection)
        for table in inspector.get_table_names():
            assert "author" not in table
            columns = {
                name for index in inspector.get_indexes(table) for name in (*index["column_names"], index["name"])
            } | set(inspector.get_pk_constraint(table)["constrained_columns"])
            assert not any("author" in (name or "") for name in columns)


def test_no_query_of_the_house_selects_groups_or_orders_by_author() -> None:
    """PR05: `author_key` is written and given back with its post, and compared for a person's own request alone."""
    allowed = {
        "monitor/store/rights.py",
        "monitor/store/schema.py",
        "monitor/store/mentions.py",
        "monitor/store/rows.py",
        "monitor/store/migrations/versions/v0001_the_first_tables.py",
        "monitor/store/migrations/versions/v0002_trust.py",
        "monitor/records.py",
    }
    queries = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in sorted((ROOT / "monitor").rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if ("c.author_key" in line and path.name != "rights.py")
        or ("author_key" in line and path.relative_to(ROOT).as_posix() not in allowed and "jobs" not in path.parts)
    ]
    assert queries == []
