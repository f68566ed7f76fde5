"""A backup is whole, sound and private, or there is none; what must be forgotten leaves it."""

from __future__ import annotations

import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import StoreDamaged, StoreError
from monitor.store import backup, engine, mentions
from monitor.store.engine import open_store
from tests.monitor.storing import erase, opened_case, take, texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.store.mentions import Arrival


ROOT = Path(__file__).parents[2]
WEEK = timedelta(days=7)


@pytest.fixture
def file(sqlite_url: str) -> Path:
    """Where the store lies."""
    return Path(sa.make_url(sqlite_url).database or "")


def test_a_backup_holds_every_row_and_is_its_owners_alone(
    sqlite_url: str, file: Path, arrival: Callable[..., Arrival], now: datetime
) -> None:
    store = open_store(sqlite_url)
    take(store, now, *(arrival(str(n)) for n in range(40)))
    made = backup.make(file, now=now)
    store.close()
    assert made.file == file.parent / "backups" / "monitor-20261123T090000Z.sqlite"
    assert made.rows["mentions"] == made.rows["sightings"] == 40
    assert made.revision == engine.HEAD
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.file.parent.stat().st_mode) == 0o700
    assert [path.name for path in made.file.parent.iterdir()] == [made.file.name]
    assert backup.examined(file) == (made,)


def test_a_backup_is_made_while_others_write_and_holds_one_moment(sqlite_url: str, file: Path, now: datetime) -> None:
    """A child writes ten posts a transaction, without a pause; each backup holds whole transactions."""
    open_store(sqlite_url).close()
    script = f"""
from datetime import UTC, datetime
from monitor.records import Mention
from monitor.store import mentions
from monitor.store.engine import open_store

now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
store = open_store({sqlite_url!r})
for step in range(10_000):
    posts = [Mention(source="s", native_id=f"{{step}}-{{n}}", url="", text="x", published=now) for n in range(10)]
    with store.write() as connection:
        mentions.take(connection, [mentions.Arrival(mention=p, author_key="", sha256="") for p in posts], now=now,
                      articles=frozenset())
    if not step:
        print("begun", flush=True)
"""
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        counts = [backup.make(file, now=now + timedelta(seconds=n)).rows["mentions"] for n in range(3)]
        child.kill()
    assert all(count % 10 == 0 for count in counts)
    assert counts == sorted(counts)
    assert counts[0] >= 10


def test_a_backup_that_finds_no_room_leaves_nothing_half_written(
    sqlite_url: str, file: Path, arrival: Callable[..., Arrival], now: datetime
) -> None:
    """The system refuses to write beyond 200 kB; the older backup stays, and the next try succeeds."""
    store = open_store(sqlite_url)
    take(store, now, *(arrival(str(n), text="x" * 5000) for n in range(100)))
    store.close()
    script = f"""
from datetime import UTC, datetime
from pathlib import Path
from monitor.errors import StoreError
from monitor.store import backup
try:
    backup.make(Path({str(file)!r}), now=datetime(2026, 11, 23, tzinfo=UTC))
except StoreError as error:
    print(error)
"""

    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    child = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True, preexec_fn=no_room
    )
    assert "no backup of" in child.stdout
    assert list((file.parent / "backups").iterdir()) == []
    assert backup.make(file, now=now).rows["mentions"] == 100


def test_what_a_killed_process_left_half_written_is_no_backup_and_is_swept(
    sqlite_url: str, file: Path, now: datetime
) -> None:
    open_store(sqlite_url).close()
    folder = file.parent / "backups"
    folder.mkdir(mode=0o700)
    (folder / ".monitor-20261101T000000Z.sqlite.new").write_bytes(b"half")
    assert backup.files(file) == ()
    made = backup.make(file, now=now)
    assert [path.name for path in folder.iterdir()] == [made.file.name]


def test_backups_go_with_their_age_and_wrong_dates_with_them(sqlite_url: str, file: Path, now: datetime) -> None:
    open_store(sqlite_url).close()
    for days in (0, 1, 6, 8, 30, -400):
        backup.make(file, now=now - timedelta(days=days))
    tidied = backup.catch_up(file, now=now, keep=WEEK)
    assert [(now - made).days for made, _path in backup.files(file)] == [0, 1, 6]
    assert tidied.dropped == 3


def test_what_is_erased_leaves_the_older_backups_in_the_following_night(
    sqlite_url: str, file: Path, arrival: Callable[..., Arrival], now: datetime
) -> None:
    """Not only the row: no byte of the words is left in any backup, nor in the memo."""
    store = open_store(sqlite_url)
    (number, _kept) = take(store, now, arrival("1", text="a pupil's own words"), arrival("2", text="a fête"))
    backup.make(file, now=now)
    backup.make(file, now=now + timedelta(days=1))
    erase(store, [number], now)
    backup.make(file, now=now + timedelta(days=2))
    tidied = backup.catch_up(file, now=now + timedelta(days=2), keep=WEEK)
    store.close()
    assert tidied.erased == 2
    found = backup.examined(file)
    assert [b.rows["mentions"] for b in found if isinstance(b, backup.Backup)] == [1, 1, 1]
    for path in file.parent.rglob("*"):
        assert path.is_dir() or b"own words" not in path.read_bytes(), path
    assert any("fête".encode() in path.read_bytes() for _made, path in backup.files(file))
    # every backup knows it by now
    assert engine.memo_of(file).read_bytes() == b""


def test_a_damaged_backup_is_named_and_passed_over(
    sqlite_url: str, file: Path, arrival: Callable[..., Arrival], now: datetime
) -> None:
    store = open_store(sqlite_url)
    take(store, now, arrival("1", text="in the older one"))
    backup.make(file, now=now)
    take(store, now, arrival("2"))
    newer = backup.make(file, now=now + timedelta(days=1))
    store.close()
    content = newer.file.read_bytes()
    newer.file.write_bytes(content[:8192] + b"\xa5" * (len(content) - 8192))
    (bad, good) = backup.examined(file)
    assert isinstance(bad, backup.Broken)
    assert isinstance(good, backup.Backup)
    restored = backup.restore(file, now=now)
    assert restored.backup.file == good.file
    assert [broken.file for broken in restored.passed_over] == [newer.file]
    reopened = open_store(sqlite_url)
    assert texts(reopened) == {"in the older one"}
    reopened.close()
    tidied = backup.catch_up(file, now=now + timedelta(days=1), keep=WEEK)
    assert [broken.file for broken in tidied.broken] == [newer.file]


def test_a_store_that_somebody_has_open_is_not_replaced(sqlite_url: str, file: Path, now: datetime) -> None:
    store = open_store(sqlite_url)
    backup.make(file, now=now)
    with pytest.raises(StoreError, match=r"another process has the store in .* open: stop the monitor first"):
        backup.restore(file, now=now)
    store.close()
    assert backup.restore(file, now=now).aside == file.with_name("monitor.sqlite.damaged-20261123T090000Z")


def test_without_a_sound_backup_nothing_is_touched_and_the_cure_is_named(
    sqlite_url: str, file: Path, now: datetime
) -> None:
    open_store(sqlite_url).close()
    file.write_bytes(b"no database at all " * 500)
    with pytest.raises(StoreError, match=r"no sound backup lies in .*backups.*begin with an empty store"):
        backup.restore(file, now=now)
    assert file.read_bytes().startswith(b"no database")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of two hundred posts, closed."""
    file = tmp_path_factory.mktemp("model") / "monitor.sqlite"
    store = open_store(f"sqlite:///{file}")
    from monitor.records import Mention  # noqa: PLC0415 - for this fixture alone

    when = datetime(2026, 11, 23, tzinfo=UTC)
    posts = [Mention(source="s", native_id=str(n), url="", text=f"post {n} " * 40, published=when) for n in range(200)]
    with store.write() as connection:
        arrivals = [mentions.Arrival(mention=post, author_key="", sha256="") for post in posts]
        mentions.take(connection, arrivals, now=when, articles=frozenset())
    store.close()
    return file


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_store_with_pages_overwritten_opens_whole_or_is_called_damaged(model: Path, data: st.DataObject) -> None:
    """Random pages of random bytes, or the end cut off: never another error, never rows that are not there."""
    content = bytearray(model.read_bytes())
    pages = len(content) // 4096
    if data.draw(st.booleans(), label="cut"):
        del content[data.draw(st.integers(1, pages - 1)) * 4096 :]
    else:
        for page in data.draw(st.sets(st.integers(0, pages - 1), min_size=1, max_size=5), label="pages"):
            noise = data.draw(st.sampled_from([b"\x00", b"\xff", b"\xa5"]))
            content[page * 4096 : (page + 1) * 4096] = noise * 4096
    victim = model.parent / "victim" / "monitor.sqlite"
    shutil.rmtree(victim.parent, ignore_errors=True)
    victim.parent.mkdir()
    victim.write_bytes(content)
    try:
        store = open_store(f"sqlite:///{victim}")
    except StoreDamaged:
        return
    try:
        store.check(thorough=True)
        assert len(texts(store)) == 200
    except StoreDamaged:
        pass
    finally:
        store.close()


def test_a_case_without_its_line_of_history_would_show(sqlite_url: str, file: Path, now: datetime) -> None:
    """A copy whose references dangle is no sound backup."""
    store = open_store(sqlite_url)
    opened_case(store, 1, now)
    made = backup.make(file, now=now)
    store.close()
    with sqlite3.connect(made.file) as broken:
        broken.execute("DELETE FROM cases")
        assert broken.execute("SELECT count(*) FROM case_events").fetchone() == (1,)
    broken.close()
    with pytest.raises(StoreDamaged, match="rows without the row they belong to"):
        backup.examine(made.file, made=now)
