"""A clock under which the store breaks stops, and its next start restores it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from monitor import settings
from monitor.jobs.workplace import open_workplace
from monitor.settings import Secrets
from monitor.store import backup
from tests.monitor.conftest import stored

ROOT = Path(__file__).parents[1]
PATIENCE = 180
PAGE = 4096


def test_a_store_that_breaks_under_a_running_clock_stops_it_and_the_next_start_restores_it(tmp_path: Path) -> None:
    """The lease is renewed every half minute: the first write after the damage finds it."""
    file = tmp_path / "monitor.toml"
    file.write_text("[sources.feeds]\nenabled = false\n", "utf-8")
    with open_workplace(settings.load(file), secrets=Secrets({})) as place:
        for number in range(50):
            stored(place, number)
        database = place.store.file
        assert database is not None
    made = backup.make(database, now=datetime.now(UTC))
    command = [sys.executable, "scheduler.py", "--config", str(file)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as clock:  # noqa: S603
        assert clock.stderr is not None
        while "scheduler started" not in clock.stderr.readline():
            assert clock.poll() is None
        with sqlite3.connect(database, isolation_level=None, timeout=PATIENCE) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            with database.open("r+b") as noise:
                noise.seek(PAGE)
                noise.write(b"\xa5" * (database.stat().st_size - PAGE))
            # whoever reads from now on has nothing in memory that still holds
            other.execute("PRAGMA application_id = 7")
        other.close()
        said = clock.stderr.read()
        assert clock.wait(PATIENCE) == 1
    assert "the clock has stopped, and its next start restores the newest backup" in said
    with (
        open_workplace(settings.load(file), secrets=Secrets({}), thorough=True) as place,
        place.store.read() as reading,
    ):
        assert reading.exec_driver_sql("SELECT count(*) FROM mentions").scalar() == made.rows["mentions"] == 50
    assert len(backup.set_aside(database)) >= 1
