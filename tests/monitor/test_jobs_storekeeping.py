"""A damaged store is mended at the next start and the digest says so; a full disk loses nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from monitor import settings
from monitor.cli import group
from monitor.errors import ConfigError, StoreError
from monitor.jobs import routine, storekeeping
from monitor.jobs.checkup import State, check
from monitor.jobs.daily import daily, window_for
from monitor.jobs.workplace import Workplace, open_workplace
from monitor.records import Outcome
from monitor.rehearsal.server import Reply, Server
from monitor.settings import Secrets, Settings
from monitor.store import backup, journal, mentions
from monitor.store.schema import mentions as mention_table
from monitor.store.schema import runs as run_table
from scheduler import Clockwork
from tests.monitor.conftest import stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from monitor.rehearsal.server import Request
    from tests.monitor.conftest import Hands

PAGE = 4096


def overwritten(file: Path) -> None:
    """A disk wrote noise over everything but the first page."""
    content = file.read_bytes()
    file.write_bytes(content[:PAGE] + b"\xa5" * (len(content) - PAGE))


def cut(file: Path) -> None:
    """A file system gave back the first half."""
    os.truncate(file, file.stat().st_size // 2 // PAGE * PAGE)


def headless(file: Path) -> None:
    """The first page is zeros."""
    with file.open("r+b") as out:
        out.write(bytes(PAGE))


def emptied(file: Path) -> None:
    """Nothing is left, which SQLite would take for a new database."""
    os.truncate(file, 0)


def gone(file: Path) -> None:
    """The file is not there any more."""
    file.unlink()


def counted(place: Workplace) -> int:
    with place.store.read() as connection:
        return len(mentions.pending(connection, 10_000))


def file_of(place: Workplace) -> Path:
    assert place.store.file is not None
    return place.store.file


@pytest.mark.parametrize("damage", [overwritten, cut, headless, emptied, gone])
def test_a_damaged_store_is_restored_at_the_next_start_and_the_digest_says_so(
    opened: Callable[..., Workplace], hands: Hands, damage: Callable[[Path], None]
) -> None:
    place = opened()
    file = file_of(place)
    for number in range(60):
        stored(place, number)
    hands.forward(hours=-5, minutes=-15)  # 03:45
    routine.backup_job(place, hands.now)
    hands.forward(hours=8, minutes=25)
    stored(place, 60)
    place.store.close()
    damage(file)
    broken = file.read_bytes() if file.exists() else b""

    again = opened()
    assert counted(again) == 60
    aside = file.with_name("monitor.sqlite.damaged-20261123T121000Z")
    assert (aside.read_bytes() if aside.exists() else b"") == broken
    window = replace(window_for(again, hands.now), end=hands.now + timedelta(minutes=1))
    rendered, _files = daily(again, window)
    said = " ".join(rendered.text.split())
    assert "The store was damaged and was restored from the backup of 23 November 03:45." in said
    assert "Posts found between 23 November 03:45 and 23 November 12:10 are read again." in said
    assert "fewer posts then does not mean that less was said." in said
    hands.forward(minutes=1)
    findings = {finding.subject: finding for finding in check(again, timedelta(days=1)).findings}
    assert findings["backups"].state is State.WELL
    assert findings["job restore"].state is State.NOTE
    # the next one opens it as it is
    again.store.close()
    with open_workplace(again.settings, secrets=Secrets({}), clock=hands, thorough=True) as third:
        assert counted(third) == 60
    assert len(backup.set_aside(file)) == aside.exists()


def test_without_a_backup_a_damaged_store_is_refused_and_left_as_it_is(opened: Callable[..., Workplace]) -> None:
    place = opened()
    file = file_of(place)
    stored(place, 1)
    place.store.close()
    overwritten(file)
    before = file.read_bytes()
    with pytest.raises(StoreError, match=r"no sound backup.*start again"):
        opened()
    assert file.read_bytes() == before


def test_damage_under_a_running_monitor_is_not_mended_by_a_second_process(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    place = opened()
    for number in range(60):
        stored(place, number)
    routine.backup_job(place, hands.now)
    with place.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    overwritten(file_of(place))
    with pytest.raises(StoreError, match="another process has the store"):
        opened()
    place.store.close()
    assert counted(opened()) == 60


def test_the_file_that_was_set_aside_goes_with_the_backups_of_its_day(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    """It holds posts, and is not caught up with what is erased."""
    place = opened()
    routine.backup_job(place, hands.now)
    place.store.close()
    headless(file_of(place))
    place = opened()
    hands.forward(days=6)
    routine.backup_job(place, hands.now)
    assert len(backup.set_aside(file_of(place))) == 1
    assert any("set monitor.sqlite.damaged" in f.seen for f in check(place, timedelta(days=1)).findings)
    hands.forward(days=2)
    done = routine.backup_job(place, hands.now)
    assert backup.set_aside(file_of(place)) == ()
    assert done.figures["dropped"] == 2


def test_a_digest_that_was_sent_before_the_damage_is_not_sent_again(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    """The clock, which has forgotten this morning's run, makes up for it; the relay is not troubled twice."""
    place = opened()
    hands.forward(hours=-4)
    Clockwork(place).run(Clockwork(place).planned("retention"), hands.now)  # the monitor's first job
    routine.backup_job(place, hands.now)
    hands.forward(hours=4)
    clockwork = Clockwork(place)
    clockwork.run(clockwork.planned("daily"))
    assert len(list(place.outbox_folder.iterdir())) == 1
    (laid,) = place.outbox_folder.iterdir()
    laid.unlink()
    place.store.close()
    overwritten(file_of(place))
    again = opened()
    clockwork = Clockwork(again)
    assert make_up_for(clockwork, "daily")
    assert [path.name for path in again.outbox_folder.iterdir() if "daily" in path.name] == []
    # the next morning's says what happened
    hands.forward(days=1)
    assert make_up_for(clockwork, "daily")
    (fresh,) = (path for path in again.outbox_folder.iterdir() if "daily" in path.name)
    assert b"restored" in fresh.read_bytes()


def make_up_for(clockwork: Clockwork, job: str) -> bool:
    """Run a job if the clock thinks that it was missed; return whether it did."""
    return any(clockwork.run(line, moment) for line, moment in clockwork.missing() if line.name == job)


# ------------------------------------------------------------------ a disk with too little room


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(  # noqa: S603
        ["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", str(disk)],  # noqa: S607
        check=False,
        capture_output=True,
    )
    if made.returncode:
        pytest.skip("mounting a small file system needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)  # noqa: S603, S607


CALM = "The choir sang and cakes were sold. "


def feed(posts: int) -> Callable[[Request], Reply]:
    """Serve long posts about a school."""
    items = "".join(
        f"<item><title>Fête {n}</title><link>https://paper.example/{n}</link>"
        "<pubDate>Mon, 23 Nov 2026 06:00:00 GMT</pubDate>"
        f"<description>King James's School in Knaresborough, day {n}. {CALM * 140}</description></item>"
        for n in range(posts)
    )
    body = f'<rss version="2.0"><channel><title>P</title>{items}</channel></rss>'.encode()
    return lambda _request: Reply(body=body, headers={"Content-Type": "application/rss+xml"})


def test_a_full_disk_loses_nothing_and_the_work_goes_on_when_there_is_room(
    small_disk: Path, opened: Callable[..., Workplace]
) -> None:
    """Every job fails cleanly and says what to do; what was there stays; then everything is made up for."""
    with Server({"/rss": feed(100)}) as server:
        place = opened(
            storage={"folder": small_disk / "data"},
            sources={"feeds": {"feeds": [{"name": "Paper", "url": f"{server.url}/rss"}]}},
            reading={"private_hosts": [server.host]},
        )
        number = stored(place, 1, "before")
        filler = small_disk / "filler"
        with filler.open("wb") as out:
            free = shutil.disk_usage(small_disk).free
            out.write(bytes(free - 100_000))
        clockwork = Clockwork(place)
        with pytest.raises(StoreError, match=r"disk is full; make room .* nothing was lost"):
            clockwork.run(clockwork.planned("collect"))
        out_of_room(small_disk)
        with pytest.raises(StoreError, match=r"no backup of .* was made: database or disk is full"):
            backup.make(file_of(place), now=place.clock())
        with place.store.read() as connection:
            assert list(mentions.by_number(connection, [number])) == [number]
            assert connection.execute(sa.select(run_table)).all() == []  # no run that says it was read
        filler.unlink()
        (small_disk / "last").unlink()
        assert clockwork.run(clockwork.planned("collect"))
        assert clockwork.run(clockwork.planned("backup"))
    with place.store.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert connection.scalar(sa.select(sa.func.count()).select_from(mention_table)) == 101
        (run,) = connection.execute(sa.select(run_table)).all()
        assert (run.outcome, run.new) == (Outcome.COMPLETE.value, 100)
        assert journal.last_done(connection, "collect") is not None


def out_of_room(disk: Path) -> None:
    """Leave 8 kB."""
    with (disk / "last").open("wb") as out:
        out.write(bytes(max(0, shutil.disk_usage(disk).free - 8192)))


def test_a_file_system_that_turned_read_only_is_named_and_nothing_is_lost(
    small_disk: Path, opened: Callable[..., Workplace]
) -> None:
    place = opened(storage={"folder": small_disk / "data"})
    stored(place, 1)
    place.store.close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)  # noqa: S603, S607
    with pytest.raises(StoreError, match=r"cannot be written.*mounted read-only; nothing was lost"):
        opened(storage={"folder": small_disk / "data"})
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)  # noqa: S603, S607
    assert counted(opened(storage={"folder": small_disk / "data"})) == 1


# ------------------------------------------------------------------ commands


CONFIG = "[sources.feeds]\nenabled = false\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Give a configuration whose store holds one post."""
    file = tmp_path / "monitor.toml"
    file.write_text(CONFIG, "utf-8")
    with open_workplace(settings.load(file), secrets=Secrets({})) as place:
        stored(place, 1)
    return file


def typed(config: Path, *words: str, code: int = 0) -> Any:  # noqa: ANN401 - JSON
    result = CliRunner().invoke(group, ["store", *words, "--config", str(config), "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.output)


def test_the_commands_back_up_check_restore_and_copy(config: Path, tmp_path: Path) -> None:
    assert typed(config, "check", code=1) == {"sound": False, "damage": "", "backups": [], "set_aside": []}
    made = typed(config, "backup")
    assert made["rows"]["mentions"] == 1
    assert Path(made["file"]).is_file()
    assert typed(config, "check")["sound"] is True
    restored = typed(config, "restore", "--yes")
    assert restored["restored_from"]["file"] == made["file"]
    assert Path(restored["set_aside"]).is_file()
    assert "was restored from the backup of" in restored["meaning"]
    copied = typed(config, "copy", "--to", f"sqlite:///{tmp_path / 'other' / 'monitor.sqlite'}")
    assert {one["table"]: one["rows"] for one in copied}["mentions"] == 1
    Path(made["file"]).write_bytes(b"noise")
    assert typed(config, "check", code=1)["backups"][0]["why"].endswith("file is not a database")


@pytest.mark.parametrize("words", [["backup"], ["check"], ["restore", "--yes"], ["copy", "--to", "sqlite:///x/y"]])
def test_the_commands_print_for_people_and_have_an_example(config: Path, words: list[str], tmp_path: Path) -> None:
    words = [word.replace("sqlite:///x", f"sqlite:///{tmp_path}") for word in words]
    CliRunner().invoke(group, ["store", "backup", "--config", str(config)])
    shown = CliRunner().invoke(group, ["store", *words, "--config", str(config)])
    assert shown.exit_code == 0, shown.output
    assert shown.output.strip()
    assert "Example:" in CliRunner().invoke(group, ["store", words[0], "--help"]).output


def test_a_restoration_asks_first(config: Path) -> None:
    shown = CliRunner().invoke(group, ["store", "restore", "--config", str(config)], input="n\n")
    assert shown.exit_code == 1
    assert "goes back to the moment of the backup" in shown.output


def test_postgresql_is_backed_up_by_pg_dump_and_the_commands_say_so(tmp_path: Path, now: datetime) -> None:
    own = Settings.model_validate(
        {"file": tmp_path / "monitor.toml", "storage": {"database": "postgresql+psycopg://monitor@localhost/monitor"}}
    )
    for ask in (storekeeping.look, storekeeping.own_file, lambda s: storekeeping.back_up(s, now=now)):
        with pytest.raises(ConfigError, match="pg_dump"):
            ask(own)


def test_the_nightly_job_leaves_postgresql_alone(store_url: str, tmp_path: Path, hands: Hands) -> None:
    own = Settings.model_validate({"file": tmp_path / "monitor.toml", "storage": {"database": store_url}})
    with open_workplace(own, secrets=Secrets({}), clock=hands) as place:
        done = routine.backup_job(place, hands.now)
        assert done.figures["backups"] == (place.store.file is not None)
        subjects = {finding.subject for finding in check(place, timedelta(days=1)).findings}
    assert "backups" in subjects


@pytest.mark.parametrize("url", ["mysql://x/y", "no address", "sqlite:///{own}"], ids=["other", "none", "itself"])
def test_a_copy_to_nowhere_is_refused(config: Path, url: str, now: datetime) -> None:
    own = settings.load(config)
    with pytest.raises(ConfigError, match="--to"):
        storekeeping.copy_to(own, url.format(own=own.folder / "monitor.sqlite"), now=now)
