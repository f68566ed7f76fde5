"""What must outlive a restored backup does: erasures, decisions, objections, what was sent."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from monitor.errors import StoreError
from monitor.records import CaseState
from monitor.store import backup, cases, engine, memo, mentions, outbox, rights
from monitor.store.engine import open_store
from monitor.store.schema import metadata
from tests.monitor.storing import erase, letter, opened_case, take, texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.store.engine import Store
    from monitor.store.mentions import Arrival


ROOT = Path(__file__).parents[2]
WEEK = timedelta(days=7)


@pytest.fixture
def file(sqlite_url: str) -> Path:
    """Where the store lies."""
    return Path(sa.make_url(sqlite_url).database or "")


def test_what_was_erased_since_the_backup_stays_erased_and_does_not_come_back(
    sqlite_url: str, file: Path, arrival: Callable[..., Arrival], now: datetime
) -> None:
    store = open_store(sqlite_url)
    numbers = take(store, now, *(arrival(str(n), text=f"post {n}") for n in range(4)))
    backup.make(file, now=now)
    erase(store, numbers[:1], now)
    later = take(store, now, arrival("late", text="read and erased after the backup"))
    erase(store, later, now)
    store.close()
    backup.restore(file, now=now)
    restored = open_store(sqlite_url)
    assert texts(restored) == {"post 1", "post 2", "post 3"}
    # the sources show everything once more
    take(restored, now, *(arrival(str(n), text=f"post {n}") for n in range(4)), arrival("late"))
    assert texts(restored) == {"post 1", "post 2", "post 3"}
    restored.close()


def test_where_not_even_a_hash_may_stay_the_number_alone_erases_it_again(
    sqlite_url: str, file: Path, arrival: Callable[..., Arrival], now: datetime
) -> None:
    store = open_store(sqlite_url)
    (number,) = take(store, now, arrival("1", source="youtube", text="to be forgotten"))
    backup.make(file, now=now)
    erase(store, [number], now, forget=frozenset({"youtube"}))
    store.close()
    lines = [json.loads(line) for line in engine.memo_of(file).read_text().splitlines()]
    assert [line["rows"] for line in lines] == [[["mentions", {"id": number}]]]
    backup.restore(file, now=now)
    restored = open_store(sqlite_url)
    assert texts(restored) == set()
    restored.close()


def test_a_number_that_was_given_out_again_erases_only_what_it_meant(
    sqlite_url: str, file: Path, arrival: Callable[..., Arrival], now: datetime
) -> None:
    """SQLite reuses the highest number: the second post with it stands in the backup and must stay."""
    store = open_store(sqlite_url)
    (first,) = take(store, now, arrival("1", text="erased before the backup"))
    erase(store, [first], now)
    (second,) = take(store, now, arrival("2", text="stands"))
    assert first == second
    backup.make(file, now=now)
    take(store, now, arrival("3"))
    store.close()
    backup.restore(file, now=now)
    restored = open_store(sqlite_url)
    assert texts(restored) == {"stands"}
    restored.close()


def test_a_message_that_was_sent_is_not_sent_again_after_a_restoration(
    sqlite_url: str, file: Path, now: datetime
) -> None:
    """One waited in the backup and was sent since; one was made and sent since."""
    store = open_store(sqlite_url)
    waiting, fresh = letter(now, "waiting"), letter(now, "fresh")
    with store.write() as connection:
        outbox.queue(connection, waiting)
    backup.make(file, now=now)
    with store.write() as connection:
        outbox.mark_sent(connection, waiting, at=now, how="smtp")
    with store.write() as connection:
        outbox.queue(connection, fresh)
        outbox.mark_sent(connection, fresh, at=now, how="smtp")
    store.close()
    backup.restore(file, now=now)
    restored = open_store(sqlite_url)
    with restored.write() as connection:
        assert outbox.due(connection, now + WEEK) == ()
        assert not outbox.queue(connection, waiting)
        assert not outbox.queue(connection, fresh)
        assert outbox.queue(connection, letter(now, "another"))
    restored.close()


def test_cases_keep_their_reference_and_history_and_never_get_another_posts_words(
    sqlite_url: str, file: Path, arrival: Callable[..., Arrival], now: datetime
) -> None:
    """Two cases from before the backup, one decided since; one opened since, whose post is not in the backup."""
    store = open_store(sqlite_url)
    old, _other = take(store, now, arrival("1"), arrival("2"))
    known = opened_case(store, old, now)
    backup.make(file, now=now)
    with store.write() as connection:
        cases.add_event(
            connection, known, at=now, by="head", what="acknowledged", why="rung", state=CaseState.ACKNOWLEDGED
        )
    (late,) = take(store, now, arrival("late", text="a threat"))
    lost = opened_case(store, late, now)
    store.close()
    backup.restore(file, now=now)
    restored = open_store(sqlite_url)
    (again,) = take(restored, now, arrival("another", text="a quiet post"))
    assert again == late
    with restored.read() as connection:
        first, second = cases.get(connection, known), cases.get(connection, lost)
        assert first is not None
        assert first.state is CaseState.ACKNOWLEDGED
        assert [event.what for event in first.history] == ["opened", "acknowledged"]
        assert first.mention_id == old
        assert second is not None
        assert second.mention_id < 0
        assert mentions.by_number(connection, [second.mention_id]) == {}
    assert opened_case(restored, again, now) not in {known, lost}
    restored.close()


def test_an_objection_still_holds_after_a_restoration(sqlite_url: str, file: Path, now: datetime) -> None:
    store = open_store(sqlite_url)
    backup.make(file, now=now)
    with store.write() as connection:
        rights.object_to(connection, "hash", at=now)
    store.close()
    backup.restore(file, now=now)
    restored = open_store(sqlite_url)
    with restored.read() as connection:
        assert rights.is_objected(connection, frozenset({"hash", "none"})) == {"hash"}
    restored.close()


def test_every_table_either_fills_again_by_itself_or_is_in_the_memo(store: Store) -> None:
    """A new table is kept unless somebody says that it needs not be; none of those kept holds a post's words."""
    assert {*memo.MADE_AGAIN, *memo.KEPT} == set(metadata.tables.values())
    assert memo.MADE_AGAIN.isdisjoint(memo.KEPT)
    kept = {column.name for table in memo.KEPT for column in table.columns}
    assert kept.isdisjoint({"text", "title", "url", "author_key", "content"})
    assert store.engine.dialect.name in {"sqlite", "postgresql"}


def test_a_transaction_that_fails_leaves_nothing_in_the_memo_and_a_line_torn_off_is_passed_over(
    sqlite_url: str, file: Path, arrival: Callable[..., Arrival], now: datetime
) -> None:
    store = open_store(sqlite_url)
    numbers = take(store, now, arrival("1"), arrival("2"))

    def interrupted() -> None:
        with store.write() as connection:
            mentions.erase(connection, numbers[:1], now=now, why="w", forget=frozenset())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not engine.memo_of(file).exists()
    erase(store, numbers[:1], now)
    store.close()
    with engine.memo_of(file).open("a", encoding="utf-8") as torn:
        torn.write('{"number":2,"rows":[["mentions",{"id":')
    reopened = open_store(sqlite_url)
    assert len(texts(reopened)) == 1
    erase(reopened, numbers[1:], now)
    reopened.close()
    assert [line.number for line in memo.Memo(engine.memo_of(file)).after(0)] == [1, 2]


def test_a_memo_that_cannot_be_written_stops_the_transaction(
    sqlite_url: str, file: Path, arrival: Callable[..., Arrival], now: datetime
) -> None:
    store = open_store(sqlite_url)
    numbers = take(store, now, arrival("1", text="stays"))
    engine.memo_of(file).mkdir()
    with pytest.raises(StoreError, match=r"memo.*cannot be written: Is a directory; nothing was changed"):
        erase(store, numbers, now)
    assert texts(store) == {"stays"}
    engine.memo_of(file).rmdir()
    erase(store, numbers, now)
    assert texts(store) == set()
    store.close()


def test_a_process_killed_between_memo_and_commit_is_finished_by_the_next_one(sqlite_url: str, now: datetime) -> None:
    """A relay took a message, and the process died before its database knew: the memo did."""
    store = open_store(sqlite_url)
    with store.write() as connection:
        outbox.queue(connection, letter(now))
    store.close()
    script = f"""
import os, signal
from datetime import UTC, datetime
from monitor.store import outbox
from monitor.store.engine import open_store
from monitor.store.memo import Memo

class Dies(Memo):
    def keep(self, connection):
        super().keep(connection)
        os.kill(os.getpid(), signal.SIGKILL)

now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
store = open_store({sqlite_url!r})
store.memo = Dies(store.memo._file)
with store.write() as connection:
    (message,) = outbox.due(connection, now)
    outbox.mark_sent(connection, message, at=now, how="smtp")
"""
    killed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)  # noqa: S603
    assert killed.returncode == -signal.SIGKILL
    reopened = open_store(sqlite_url)
    with reopened.read() as connection:
        assert outbox.due(connection, now + WEEK) == ()
        assert outbox.was_sent(connection, letter(now).message_id)
    reopened.close()


def test_a_lost_write_ahead_log_loses_no_erasure(
    sqlite_url: str, file: Path, arrival: Callable[..., Arrival], now: datetime
) -> None:
    """What SQLite had not yet written into the file is gone with its log; the memo still knows what must go."""
    store = open_store(sqlite_url)
    numbers = take(store, now, arrival("1", text="gone"), arrival("2", text="stays"))
    store.close()  # the log is in the file now
    store = open_store(sqlite_url)
    erase(store, numbers[:1], now)
    kept = file.parent.parent / "kept.sqlite"
    shutil.copyfile(file, kept)  # without its log
    store.close()
    shutil.copyfile(kept, file)
    reopened = open_store(sqlite_url)
    assert texts(reopened) == {"stays"}
    reopened.close()
