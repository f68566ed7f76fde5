"""Coverage is printed from runs: what was read, when, how far, at what cost, and why not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.records import Bookmark, Outcome, Run, Spent, Window
from monitor.store import runs

if TYPE_CHECKING:
    from monitor.store.engine import Store

HOUR = timedelta(hours=1)


def run(started: datetime, outcome: Outcome = Outcome.COMPLETE, **changes: object) -> Run:
    fields: dict[str, object] = {
        "source": "feeds",
        "started": started,
        "ended": started + timedelta(minutes=1),
        "window": Window(start=started - HOUR, end=started),
        "outcome": outcome,
    }
    return Run(**(fields | changes))  # type: ignore[arg-type]


def keep(store: Store, *made: Run) -> None:
    with store.write() as connection:
        for one in made:
            runs.add(connection, one)


def test_a_run_comes_back_as_it_was(store: Store, now: datetime) -> None:
    made = run(
        now,
        Outcome.PARTIAL,
        seen=9,
        new=2,
        changed=1,
        gone=3,
        dropped={"King James's School, Almondbury": 4},
        malformed={"no date": 1},
        spent=Spent(calls=3, units=100, pence=1.25),
        error_kind="rate_limited",
        error="asked to wait",
        retry_at=now + HOUR,
    )
    keep(store, made)
    with store.read() as connection:
        assert runs.latest(connection, "feeds") == made
        assert runs.between(connection, Window(start=now, end=now + HOUR)) == (made,)


def test_the_latest_run_and_the_latest_complete_one_are_told_apart(store: Store, now: datetime) -> None:
    good, bad = run(now), run(now + HOUR, Outcome.FAILED)
    keep(store, bad, good, run(now + 2 * HOUR, source="pages"))
    with store.read() as connection:
        assert runs.latest(connection, "feeds") == bad
        assert runs.latest_complete(connection, "feeds") == good
        assert runs.latest(connection, "feeds", before=now + HOUR) == good
        assert runs.latest_complete(connection, "feeds", before=now) is None
        assert runs.latest(connection, "x") is None


def test_a_window_of_runs_is_half_open_and_oldest_first(store: Store, now: datetime) -> None:
    made = [run(now + HOUR * step) for step in (2, 0, 1)]
    failed = run(now, Outcome.FAILED, source="pages")
    keep(store, *made, failed)
    window = Window(start=now, end=now + 2 * HOUR)
    with store.read() as connection:
        assert [r.started for r in runs.between(connection, window)] == [now, now, now + HOUR]
        assert runs.complete_starts(connection, window) == (("feeds", now), ("feeds", now + HOUR))


def test_the_ledger_adds_up_since_a_moment(store: Store, now: datetime) -> None:
    cost = Spent(calls=1, units=10, pence=0.5)
    keep(store, run(now, spent=cost), run(now + HOUR, spent=cost), run(now, source="x", spent=cost))
    with store.read() as connection:
        assert runs.spent(connection, "feeds", now) == cost + cost
        assert runs.spent(connection, "feeds", now + HOUR) == cost
        assert runs.spent(connection, "youtube", now) == Spent()


def test_bookmarks_move_and_stay_apart_by_source_and_channel(store: Store) -> None:
    with store.write() as connection:
        runs.keep_bookmarks(connection, "feeds", [Bookmark(channel="a", value="1"), Bookmark(channel="b", value="2")])
        runs.keep_bookmarks(connection, "feeds", [Bookmark(channel="a", value="3")])
        runs.keep_bookmarks(connection, "x", [Bookmark(channel="a", value="9")])
    with store.read() as connection:
        assert runs.bookmarks_of(connection, "feeds") == {"a": "3", "b": "2"}
        assert runs.bookmarks_of(connection, "x") == {"a": "9"}
        assert runs.bookmarks_of(connection, "mastodon") == {}
