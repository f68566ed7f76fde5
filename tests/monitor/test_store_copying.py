"""A copy holds everything as it was and is verified, or nothing is there."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from monitor.errors import StoreError
from monitor.rehearsal.server import Reply, Server
from monitor.store import cases, copying, journal, mentions, numbers
from monitor.store.engine import open_store
from monitor.store.schema import audit as audit_table
from monitor.store.schema import mentions as mention_table
from monitor.store.schema import metadata
from monitor.store.schema import runs as run_table
from tests.monitor.storing import opened_case, take, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from monitor.rehearsal.server import Request
    from monitor.store.engine import Store
    from monitor.store.mentions import Arrival

POSTS = 30


@pytest.fixture
def source(sqlite_url: str, arrival: Callable[..., Arrival], now: datetime) -> Iterator[Store]:
    """An SQLite store with a row in every table."""
    opened = open_store(sqlite_url)
    take(opened, now, *(arrival(f"n{n}", text=f"ein Käse \N{GRINNING FACE} {n}") for n in range(POSTS)))
    opened_case(opened, 1, now)
    with opened.write() as connection:
        mentions.erase(connection, [POSTS], now=now, why="w", forget=frozenset())
        for table in metadata.sorted_tables:
            if connection.execute(sa.select(table).limit(1)).first() is None and table.name != "leases":
                connection.execute(sa.insert(table).values(**{c.name: value_for(c, now) for c in table.columns}))
    yield opened
    opened.close()


def value_for(column: sa.Column[Any], now: datetime) -> Any:  # noqa: ANN401 - of the column's type
    """Return something that fits a column, exact to the last digit."""
    if column.name.endswith("_id") and column.type.python_type is int:
        return 1
    kinds: dict[type, Any] = {
        bool: True,
        int: 7,
        float: 0.1 + 0.2,
        str: f"{column.name} \N{SNOWMAN}",
        bytes: b"\x00\xff",
        date: date(2026, 3, 29),
    }
    if isinstance(column.type, sa.JSON):
        return {"b": [1, 0.1, None], "a": "\N{SNOWMAN}"}
    if "Moment" in type(column.type).__name__:
        return now + timedelta(microseconds=1)
    return kinds[column.type.python_type]


@pytest.fixture
def target(store_url: str, tmp_path: Path) -> Iterator[Store]:
    """An empty store, on each database."""
    url = store_url if store_url.startswith("postgresql") else f"sqlite:///{tmp_path / 'other' / 'monitor.sqlite'}"
    opened = open_store(url)
    yield opened
    opened.close()


def test_everything_is_copied_as_it_was_and_back_again(
    source: Store, target: Store, now: datetime, tmp_path: Path
) -> None:
    steps: list[tuple[str, int, int]] = []
    copied = copying.copy(source, target, now=now, progress=lambda *step: steps.append(step))
    rows = {one.table: one.rows for one in copied}
    assert set(rows) == set(metadata.tables) - {"leases"}
    assert all(rows.values()), rows
    assert rows["mentions"] == POSTS - 1
    assert ("mentions", POSTS - 1, POSTS - 1) in steps
    back = open_store(f"sqlite:///{tmp_path / 'back' / 'monitor.sqlite'}")
    assert copying.copy(target, back, now=now) == copied
    for table in copying.TABLES:
        with source.read() as first, back.read() as second:
            assert sorted(map(repr, first.execute(sa.select(table)))) == sorted(
                map(repr, second.execute(sa.select(table)))
            )
    back.close()


def test_the_audit_keeps_its_hashes(source: Store, target: Store, now: datetime) -> None:
    with source.read() as connection:
        before = connection.execute(sa.select(audit_table).order_by(audit_table.c.number)).all()
    copying.copy(source, target, now=now)
    with target.read() as connection:
        assert connection.execute(sa.select(audit_table).order_by(audit_table.c.number)).all() == before
    assert before


def test_new_rows_are_numbered_after_the_copied_ones(
    source: Store, target: Store, arrival: Callable[..., Arrival], now: datetime
) -> None:
    with source.read() as connection:
        highest = connection.scalar(sa.select(sa.func.max(mention_table.c.id)))
    copying.copy(source, target, now=now)
    (number,) = take(target, now, arrival("new", text="new"))
    assert number == highest + 1
    reference = opened_case(target, number, now)
    with target.write() as connection:
        journal.finish(connection, journal.start(connection, "daily", planned=now, now=now), now=now)
        assert cases.get(connection, reference) is not None
    # and what was erased stays out
    take(target, now, arrival(f"n{POSTS - 1}", text="erased before the move"))
    assert "erased before the move" not in texts(target)


@pytest.mark.parametrize("known_to", ["a case", "the digest", "nobody"])
def test_no_number_is_given_twice_though_its_post_was_erased_before_the_move(
    store_url: str, target: Store, arrival: Callable[..., Arrival], now: datetime, tmp_path: Path, known_to: str
) -> None:
    source = open_store(f"sqlite:///{tmp_path / 'source' / 'monitor.sqlite'}")
    given = take(source, now, *(arrival(f"n{number}") for number in range(5)))
    if known_to == "a case":
        opened_case(source, given[-1], now)
    with source.write() as connection:
        if known_to == "the digest":
            numbers.keep_told(connection, numbers.newest(connection))
        mentions.erase(connection, given[2:], now=now, why="w", forget=frozenset())
        still_known = numbers.highest(connection)

    copying.copy(source, target, now=now)

    assert still_known == (given[1] if known_to == "nobody" else given[-1])
    assert take(target, now, arrival("new")) == [still_known + 1]
    if store_url.startswith("postgresql"):  # which counts for itself from here on
        with target.write() as connection:
            mentions.erase(connection, [still_known + 1], now=now, why="w", forget=frozenset())
            assert numbers.highest(connection) == still_known + 1
    source.close()


def test_a_target_that_holds_anything_is_refused_and_left_alone(
    source: Store, target: Store, arrival: Callable[..., Arrival], now: datetime
) -> None:
    take(target, now, arrival("own", text="its own"))
    with pytest.raises(StoreError, match="the target is not empty: it has rows in mentions, sightings"):
        copying.copy(source, target, now=now)
    assert texts(target) == {"its own"}


def test_a_store_under_a_running_scheduler_is_not_copied(source: Store, target: Store, now: datetime) -> None:
    with source.write() as connection:
        journal.claim(connection, "scheduler", holder="h", now=now)
    with pytest.raises(StoreError, match="a scheduler is running"):
        copying.copy(source, target, now=now)
    copying.copy(source, target, now=now + 2 * journal.LEASE)


def test_a_copy_that_differs_is_not_kept(source: Store, target: Store, now: datetime) -> None:
    """A target that stores other words than it was given is found out before anything is committed."""

    def change(*arguments: Any) -> None:  # noqa: ANN401 - SQLAlchemy's own
        if str(arguments[2]).startswith("INSERT INTO runs"):
            arguments[1].execute("UPDATE runs SET error = 'other words'")

    event.listen(target.engine, "after_cursor_execute", change)
    with pytest.raises(StoreError, match=r"runs was not copied as it is \(1 rows were read, 1 stand in the target"):
        copying.copy(source, target, now=now)
    with target.read() as connection:
        assert all(connection.execute(sa.select(table).limit(1)).first() is None for table in metadata.sorted_tables)


@pytest.mark.parametrize("driver", ["pg8000", "nonsense"])
def test_a_driver_that_is_not_installed_is_named_with_its_cure(driver: str) -> None:
    with pytest.raises(StoreError, match=rf"{driver} is not installed: pip install .*postgres"):
        open_store(f"postgresql+{driver}://monitor@localhost/monitor")


# ------------------------------------------------------------------ two at once


def feed(_request: Request) -> Reply:
    items = "".join(
        f"<item><title>Fête {n}</title><link>https://paper.example/{n}</link>"
        "<pubDate>Mon, 23 Nov 2026 06:00:00 GMT</pubDate>"
        f"<description>King James's School in Knaresborough opened, day {n}.</description></item>"
        for n in range(200)
    )
    body = f'<rss version="2.0"><channel><title>P</title>{items}</channel></rss>'.encode()
    return Reply(body=body, headers={"Content-Type": "application/rss+xml"})


def test_two_monitors_that_collect_at_once_lose_nothing_and_double_nothing(store_url: str, tmp_path: Path) -> None:
    """Two processes, each with its own settings, read the same feed into one store."""
    with Server({"/rss": feed}) as server:
        files = []
        for name in ("one", "two"):
            file = tmp_path / name / "monitor.toml"
            file.parent.mkdir()
            file.write_text(
                f'[storage]\nfolder = "{tmp_path / "data"}"\n'
                '[privacy.dpia]\nreference = "R"\nowner = "O"\nsigned = 2026-01-01\nreview_due = 2099-01-01\n'
                f'[reading]\nprivate_hosts = ["{server.host}"]\nbackfill_days = 30\n'
                f'[sources.feeds]\nfeeds = [{{ name = "P", url = "{server.url}/rss" }}]\n'
            )
            files.append(file)
        script = f"""
import sys
from datetime import UTC, datetime
from pathlib import Path
from monitor import settings
from monitor.jobs.collect import collect
from monitor.jobs.workplace import open_workplace
from monitor.settings import Secrets

own = settings.load(Path(sys.argv[1]))
own = own.model_copy(update={{"storage": own.storage.model_copy(update={{"database": {store_url!r}}})}})
with open_workplace(own, secrets=Secrets({{}}), clock=lambda: datetime(2026, 11, 23, 9, 0, tzinfo=UTC)) as place:
    print(sum(run.new for run in collect(place)))
"""
        children = [
            subprocess.Popen([sys.executable, "-c", script, str(file)], stdout=subprocess.PIPE, text=True)  # noqa: S603
            for file in files
        ]
        found = [int(child.communicate(timeout=120)[0]) for child in children]
    assert sum(found) == 200
    store = open_store(store_url)
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(mention_table)) == 200
        assert sorted(connection.scalars(sa.select(run_table.c.seen))) == [200, 200]
        assert sum(connection.scalars(sa.select(run_table.c.new))) == 200
    store.close()
