"""Holds stand, end and are remembered alike on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from monitor.records import Severity
from monitor.store import cases, forgetting, holds
from monitor.store.holds import Hold
from monitor.store.schema import case_events, messages

if TYPE_CHECKING:
    from monitor.store.engine import Store

DAY = timedelta(days=1)


@pytest.fixture
def hold(now: datetime) -> Hold:
    return Hold(mention_id=1, reference="KJS-0001", role="dsl", by="A", reason="r", placed=now, until=now + 2 * DAY)


def test_a_hold_comes_back_as_it_was_and_stands_until_its_end(store: Store, hold: Hold, now: datetime) -> None:
    with store.write() as connection:
        holds.place(connection, hold)
        assert holds.standing(connection, now) == (hold,)
        assert holds.held(connection, [1, 2], now) == {1: hold}
        assert holds.standing(connection, hold.until) == ()
        assert holds.held(connection, [], now) == {}


def test_what_is_owed_is_due_when_the_last_hold_ends_and_the_first_reason_counts(
    store: Store, hold: Hold, now: datetime
) -> None:
    with store.write() as connection:
        holds.place(connection, hold)
        holds.owe(connection, [], why="nothing", now=now)
        holds.owe(connection, [1], why="gone at the source", now=now)
        holds.owe(connection, [1], why="kept long enough", now=now)
        assert holds.owed(connection, now) == {}
        assert holds.owed(connection, now + 3 * DAY) == {1: "gone at the source"}
        assert holds.release(connection, 1, at=now) == 1
        assert holds.release(connection, 1, at=now) == 0
        assert holds.owed(connection, now) == {1: "gone at the source"}
        assert holds.forget(connection, before=now) == 0
        assert holds.forget(connection, before=now + DAY) == 1


def test_old_cases_and_mail_go_alike_on_both_databases(store: Store, now: datetime) -> None:
    with store.write() as connection:
        for number in (1, 2):
            case = cases.open_case(
                connection,
                mention_id=number,
                category="QUESTION",
                severity=Severity.P3,
                owner="lead_staff",
                schools=("KJS",),
                opened=now,
                due=None,
                readers=(),
                restricted=False,
                why="",
            )
            connection.execute(sa.text("UPDATE cases SET state = 'closed'"))
        values = {"kind": "daily", "recipient": "r", "subject": "s", "content": b"words", "state": "queued"}
        more = {"message_id": "m", "queued": now, "attempts": 0, "next_try": now, "error": ""}
        connection.execute(sa.insert(messages).values(**values, **more))
        assert forgetting.content(connection, before=now + DAY) == 1
        assert forgetting.content(connection, before=now + DAY) == 0
        forgetting.metadata(connection, before=now + 366 * DAY)
        assert cases.get(connection, "KJS-0001") is None
        assert cases.get(connection, "KJS-0002") == cases.get(connection, case.reference)
        assert connection.scalar(sa.select(sa.func.count()).select_from(case_events)) == 1
        assert connection.scalar(sa.select(sa.func.count()).select_from(messages)) == 0
