"""What every room's tests stand on: a clock that stands still, and a store on each database."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from monitor.records import Mention
from monitor.store.engine import open_store
from monitor.store.mentions import Arrival
from tests import author_watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from monitor.store.engine import Store

POSTGRES = "MONITOR_TEST_POSTGRES"
"""Environment variable: SQLAlchemy URL of a PostgreSQL database whose user may create databases."""


@pytest.fixture(autouse=True, scope="session")
def nobody_asks_by_author() -> Iterator[None]:
    """Let no test of any room send a statement that finds posts by who wrote them (PR04, PR05)."""
    event.listen(sa.Engine, "before_cursor_execute", author_watch.watch)
    yield
    event.remove(sa.Engine, "before_cursor_execute", author_watch.watch)


@pytest.fixture
def now() -> datetime:
    """A Monday morning in term: 23 November 2026, 09:00 UTC."""
    return datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of an SQLite store that is not there yet."""
    return f"sqlite:///{tmp_path / 'data' / 'monitor.sqlite'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, sqlite_url: str) -> Iterator[str]:
    """URL of an empty store, once for each database."""
    if request.param == "sqlite":
        yield sqlite_url
        return
    if not os.environ.get(POSTGRES):
        pytest.skip(f"{POSTGRES} names no PostgreSQL database")
    server = sa.make_url(os.environ[POSTGRES])
    name = f"monitor_test_{uuid4().hex[:12]}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An open and empty store, once for each database."""
    opened = open_store(store_url)
    yield opened
    opened.close()


@pytest.fixture
def arrival(now: datetime) -> Callable[..., Arrival]:
    """Makes an arrival from a mention's fields; every field has a value of its own to begin with."""

    def make(native_id: str = "1", *, author_key: str = "", **changes: object) -> Arrival:
        fields: dict[str, object] = {
            "source": "mastodon",
            "native_id": native_id,
            "url": f"https://social.example/@post/{native_id}",
            "text": f"King James's School opened its doors, part {native_id}",
            "published": now,
            "channel": "tag",
        }
        mention = Mention(**(fields | changes))  # type: ignore[arg-type]
        return Arrival(mention=mention, author_key=author_key, sha256=mention.sha256)

    return make
