"""Cases keep what people decided, and their history only grows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitor.records import Case, CaseEvent, CaseState, Severity, Window
from monitor.store import cases

if TYPE_CHECKING:
    import sqlalchemy as sa

    from monitor.store.engine import Store

HOUR = timedelta(hours=1)


def opened(connection: sa.Connection, now: datetime, mention_id: int = 1, **changes: Any) -> Case:  # noqa: ANN401
    fields: dict[str, Any] = {
        "category": "BULLYING",
        "severity": Severity.P2,
        "owner": "dsl",
        "schools": ("KJS",),
        "opened": now,
        "due": now + HOUR,
        "readers": ("dsl", "headteacher"),
        "restricted": True,
        "why": "bullying.named",
    }
    return cases.open_case(connection, mention_id=mention_id, **(fields | changes))


def test_a_case_comes_back_with_the_line_that_says_why(store: Store, now: datetime) -> None:
    with store.write() as connection:
        made = opened(connection, now)
    assert made == Case(
        reference="KJS-0001",
        mention_id=1,
        category="BULLYING",
        severity=Severity.P2,
        owner="dsl",
        schools=("KJS",),
        opened=now,
        due=now + HOUR,
        state=CaseState.NEW,
        restricted=True,
        readers=("dsl", "headteacher"),
        history=(CaseEvent(at=now, by="monitor", what="opened", why="bullying.named"),),
    )
    with store.read() as connection:
        assert cases.get(connection, "KJS-0001") == made
        assert cases.get(connection, "KJS-9999") is None


def test_a_mention_has_one_case_however_often_it_is_judged(store: Store, now: datetime) -> None:
    with store.write() as connection:
        first = opened(connection, now)
        assert opened(connection, now + HOUR, category="PRAISE") == first


def test_references_count_up_and_name_the_school_or_the_federation(store: Store, now: datetime) -> None:
    with store.write() as connection:
        made = [
            opened(connection, now, number, schools=schools).reference
            for number, schools in enumerate([("KJS",), ("BHS", "KJS"), (), ("BHS",)])
        ]
    assert made == ["KJS-0001", "FED-0002", "FED-0003", "BHS-0004"]


def test_an_event_changes_what_it_says_and_the_history_keeps_it_all(store: Store, now: datetime) -> None:
    with store.write() as connection:
        before = opened(connection, now)
        cases.add_event(connection, before.reference, at=now + HOUR, by="duty", what="noted", why="a call")
        after = cases.add_event(
            connection,
            before.reference,
            at=now + 2 * HOUR,
            by="dsl",
            what="raised",
            why="more is known",
            state=CaseState.ACKNOWLEDGED,
            severity=Severity.P1,
            owner="headteacher",
            due=now + 3 * HOUR,
        )
    assert (after.state, after.severity, after.owner) == (CaseState.ACKNOWLEDGED, Severity.P1, "headteacher")
    assert after.due == now + 3 * HOUR
    assert [line.what for line in after.history] == ["opened", "noted", "raised"]
    assert after.history[: len(before.history)] == before.history


def test_an_event_of_an_unknown_case_is_an_error(store: Store, now: datetime) -> None:
    with pytest.raises(KeyError, match="KJS-0001"), store.write() as connection:
        cases.add_event(connection, "KJS-0001", at=now, by="x", what="y", why="z")


def test_open_cases_come_soonest_due_first_and_those_without_a_time_last(store: Store, now: datetime) -> None:
    with store.write() as connection:
        opened(connection, now, 1, due=None)
        opened(connection, now, 2, due=now + 2 * HOUR)
        opened(connection, now + HOUR, 3, due=now + HOUR)
        closed = opened(connection, now, 4)
        cases.add_event(connection, closed.reference, at=now, by="x", what="c", why="", state=CaseState.CLOSED)
    with store.read() as connection:
        assert [case.mention_id for case in cases.still_open(connection)] == [3, 2, 1]
        before = cases.still_open(connection, opened_before=now + HOUR)
        assert [case.mention_id for case in before] == [2, 1]
        window = Window(start=now + HOUR, end=now + 2 * HOUR)
        assert [case.mention_id for case in cases.opened_in(connection, window)] == [3]


def test_each_mention_is_shown_with_its_case(store: Store, now: datetime) -> None:
    with store.write() as connection:
        made = opened(connection, now, 7)
    with store.read() as connection:
        assert cases.of_mentions(connection, [7, 8]) == {7: made}
