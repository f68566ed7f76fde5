"""What was due, what ran, what failed, and who holds the clock."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.records import Window
from monitor.store import journal

if TYPE_CHECKING:
    from monitor.store.engine import Store

HOUR = timedelta(hours=1)


def ran(store: Store, job: str, planned: datetime, error: str = "") -> None:
    with store.write() as connection:
        number = journal.start(connection, job, planned=planned, now=planned)
        journal.finish(connection, number, now=planned + timedelta(minutes=1), error=error)


def test_a_job_that_never_ran_has_no_last_run(store: Store) -> None:
    with store.read() as connection:
        assert journal.last_done(connection, "daily") is None
        assert journal.first_start(connection) is None


def test_only_a_run_that_came_to_a_good_end_counts_as_done(store: Store, now: datetime) -> None:
    ran(store, "daily", now)
    ran(store, "daily", now + HOUR, "failed")
    ran(store, "weekly", now + 2 * HOUR)
    with store.write() as connection:
        journal.start(connection, "daily", planned=now + 3 * HOUR, now=now + 3 * HOUR)
        journal.missed(connection, "daily", planned=now + 4 * HOUR, now=now + 9 * HOUR)
        assert journal.last_done(connection, "daily") == now
        assert journal.first_start(connection) == now


def test_the_newest_planned_moment_counts_not_the_last_written(store: Store, now: datetime) -> None:
    ran(store, "daily", now + HOUR)
    ran(store, "daily", now)
    with store.read() as connection:
        assert journal.last_done(connection, "daily") == now + HOUR


def test_troubles_are_what_failed_was_missed_or_never_ended(store: Store, now: datetime) -> None:
    ran(store, "fine", now)
    ran(store, "broken", now, "the disk is full")
    with store.write() as connection:
        journal.missed(connection, "late", planned=now - HOUR, now=now)
        journal.start(connection, "hanging", planned=now, now=now)
    ran(store, "too late", now + HOUR, "outside the window")
    with store.read() as connection:
        found = journal.troubles(connection, Window(start=now, end=now + HOUR))
    assert [(run.job, run.outcome, run.error) for run in found] == [
        ("broken", "failed", "the disk is full"),
        ("late", "missed", "not run in time"),
        ("hanging", "running", ""),
    ]
    assert found[0].ended == now + timedelta(minutes=1)
    assert found[1].planned == now - HOUR
    assert found[2].ended is None


def test_a_lease_keeps_others_out_until_it_is_released_or_its_holder_is_dead(store: Store, now: datetime) -> None:
    with store.write() as connection:
        assert journal.claim(connection, "clock", holder="a", now=now)
        assert not journal.claim(connection, "clock", holder="b", now=now)
        assert journal.claim(connection, "other", holder="b", now=now)
        assert journal.claim(connection, "clock", holder="a", now=now + timedelta(minutes=1))
        assert not journal.claim(connection, "clock", holder="b", now=now + journal.LEASE)
        assert journal.claim(connection, "clock", holder="b", now=now + timedelta(minutes=1) + journal.LEASE)
        assert not journal.claim(connection, "clock", holder="a", now=now + timedelta(minutes=3))
        journal.release(connection, "clock", holder="a")
        assert not journal.claim(connection, "clock", holder="a", now=now + timedelta(minutes=3))
        journal.release(connection, "clock", holder="b")
        assert journal.claim(connection, "clock", holder="a", now=now + timedelta(minutes=3))


def test_of_many_who_claim_at_once_one_wins(store: Store, now: datetime) -> None:
    barrier = threading.Barrier(6)
    won: list[bool] = []

    def claim(name: str) -> None:
        barrier.wait()
        with store.write() as connection:
            won.append(journal.claim(connection, "clock", holder=name, now=now))

    threads = [threading.Thread(target=claim, args=(str(number),)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 5 + [True]
