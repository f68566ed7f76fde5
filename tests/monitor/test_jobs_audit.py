"""Who saw, decided, sent, exported and erased stands in the audit, without a word of a post."""

from __future__ import annotations

import stat
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from monitor.errors import StoreError
from monitor.jobs import audit
from monitor.jobs.casework import Act, Doing, act, hold, listed, relabel, release, show
from monitor.jobs.daily import daily, window_for
from monitor.jobs.judge import open_for
from monitor.jobs.replay import replay
from monitor.jobs.retention import retain
from monitor.jobs.rights import Request, erase, find, object_to
from monitor.records import Window
from monitor.store import audit as chain
from monitor.store import mentions
from monitor.store.audit import Deed, Head
from monitor.store.schema import case_events
from tests.monitor.conftest import Hands, judgement, record, stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.jobs.workplace import Workplace

WORDS = "Boroughbridge High School: these words are somebody's own"


def opened_case(place: Workplace, number: int = 1, **more: Any) -> str:  # noqa: ANN401 - any field of a mention
    mention = stored(place, number, WORDS, **more)
    record(place, mention, judgement())
    with place.store.write() as connection:
        found = mentions.by_number(connection, [mention])[mention]
        assert found.judgement is not None
        return open_for(place, connection, found, found.judgement).reference


def lines(place: Workplace) -> list[chain.Entry]:
    with place.store.read() as connection:
        return list(chain.entries(connection))


def deeds(place: Workplace) -> list[str]:
    return [line.what for line in lines(place)]


def test_what_the_tool_suggested_and_what_people_decided_stand_in_it_without_their_words(place: Workplace) -> None:
    reference = opened_case(place)
    act(place, reference, Doing(act=Act.ACK, by="A. Colleague"))
    act(place, reference, Doing(act=Act.ANSWER, by="A. Colleague", why="rang the parent about the bus"))
    opened, acknowledged, answered = lines(place)
    assert opened.about.startswith("KJS-0001: COMPLAINT_SERVICE P3, for lead_staff; line ")
    assert (acknowledged.who, acknowledged.what) == ("A. Colleague (the clock)", Deed.CHANGED)
    assert answered.about.startswith("KJS-0001: answer; line ")
    assert "parent" not in " ".join(line.about for line in lines(place))
    assert audit.verify(place).differences == ()


def test_reading_is_recorded_too(place: Workplace) -> None:
    reference = opened_case(place)
    listed(place)
    show(place, reference)
    replay(place, Window(start=place.clock() - timedelta(days=1), end=place.clock()), place.policy)
    assert deeds(place) == [Deed.OPENED, Deed.LISTED, Deed.SAW, Deed.REPLAYED]
    assert lines(place)[2].about == reference


def test_a_request_is_recorded_with_the_hash_of_an_address_and_without_the_handle(place: Workplace) -> None:
    stored(place, 1, WORDS, source="bluesky", url="https://bsky.example/profile/somebody/1")
    url = Request(url="https://bsky.example/profile/somebody/1")
    find(place, url)
    find(place, url, deed=Deed.EXPORTED)
    erase(place, url)
    object_to(place, Request(source="bluesky", handle="somebody"))
    assert deeds(place) == [Deed.FOUND, Deed.EXPORTED, Deed.ERASED, Deed.OBJECTED]
    said = " ".join(line.about for line in lines(place))
    assert "somebody" not in said
    assert "words" not in said
    assert lines(place)[0].about == f"{url.about}: 1 found"


def test_a_correction_a_hold_and_its_end_are_recorded(place: Workplace) -> None:
    reference = opened_case(place)
    hold(place, reference, role="dsl", by="D", reason="the police asked", until=date(2026, 12, 1))
    release(place, reference, by="D", why="handed over")
    relabel(place, reference, by="D", why="a namesake", category=None, severity=None)
    assert deeds(place) == [Deed.OPENED, Deed.CHANGED, Deed.HELD, Deed.CHANGED, Deed.RELEASED, Deed.CHANGED]
    assert lines(place)[2].about == f"{reference} until 2026-12-01 for dsl"
    assert "namesake" not in " ".join(line.about for line in lines(place))


def test_a_delivered_digest_is_recorded_with_the_role_that_got_it(place: Workplace) -> None:
    daily(place, window_for(place, place.clock()))
    place.postman.deliver()
    (line,) = lines(place)
    assert line.what == Deed.SENT
    assert line.about.startswith("daily daily-2026-11-23")
    assert line.about.endswith("to response_owner")
    assert "@" not in line.about


def test_retention_is_recorded_by_the_clock_with_counts_alone(place: Workplace, hands: Hands) -> None:
    """PR07: an audit row with counts, no text."""
    record(place, stored(place, 1, WORDS), judgement())
    hands.forward(days=61)
    assert retain(place) == 1
    (line,) = lines(place)
    assert (line.who, line.what, line.about) == ("the clock", Deed.ERASED, "1 of 1: kept long enough")


def test_each_digest_carries_the_end_of_the_audit_away(place: Workplace) -> None:
    opened_case(place)
    rendered, _ = daily(place, window_for(place, place.clock()))
    with place.store.read() as connection:
        head = chain.head(connection)
    assert f"last line {head}" in rendered.html
    assert f"last line {head}" in " ".join(rendered.text.split())
    assert audit.head_of(str(head)).number == 1
    assert audit.verify(place, [audit.head_of(str(head))]).heads == 1


def test_the_end_is_written_down_beside_the_store_for_its_owner_alone(place: Workplace) -> None:
    listed(place)
    listed(place)
    file = place.settings.folder / audit.HEADS
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [line.split()[0] for line in file.read_text().splitlines()] == ["1", "2"]
    assert audit.verify(place).heads == 2


def unguarded(place: Workplace, *acts: str) -> None:
    """Do to the audit what a stranger with the database file could."""
    with place.store.write() as connection:
        for trigger in ("audit_is_not_changed", "audit_is_not_cut"):
            connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        for statement in acts:
            connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit SET who = 'mallory' WHERE number = 2", "line 2 was changed"),
        ("DELETE FROM audit WHERE number = 2", "missing: line 2"),
        ("DELETE FROM audit WHERE number >= 3", "missing at the end: lines 3 to 4"),
        ("DELETE FROM audit", "missing at the end: lines 1 to 4"),
        ("UPDATE audit SET number = 99 WHERE number = 4", "missing: lines 4 to 98"),
    ],
)
def test_what_a_stranger_did_to_the_database_is_found(place: Workplace, statement: str, said: str) -> None:
    for _ in range(4):
        listed(place)
    unguarded(place, statement)
    assert said in audit.verify(place).differences


def test_a_changed_history_of_a_case_is_found(place: Workplace) -> None:
    reference = opened_case(place)
    act(place, reference, Doing(act=Act.NO_REPLY, by="A", why="lawful criticism"))
    with place.store.write() as connection:
        connection.execute(sa.update(case_events).where(case_events.c.by == "A").values(why="something else"))
    assert audit.verify(place).differences == (f"the history of {reference} was changed, or lines of it are missing",)
    with place.store.write() as connection:
        connection.execute(sa.update(case_events).where(case_events.c.by == "A").values(why="lawful criticism"))
        line = {"case_id": 1, "at": place.clock(), "by": "A", "what": "ack", "why": ""}
        connection.execute(sa.insert(case_events).values(**line))
    assert audit.verify(place).differences == (f"the history of {reference} has lines that the audit does not know",)


def test_a_missing_or_spoilt_file_of_heads_is_said(place: Workplace) -> None:
    listed(place)
    file = place.settings.folder / audit.HEADS
    with file.open("a") as out:
        out.write("nonsense\n")
    assert audit.verify(place).differences == (f"{audit.HEADS}, line 2, cannot be read",)
    file.unlink()
    (said,) = audit.verify(place).differences
    assert said.startswith(f"{audit.HEADS} is missing")


def test_an_empty_audit_agrees(place: Workplace) -> None:
    audit.write_head_down(place)
    found = audit.verify(place)
    assert (found.lines, found.differences) == (0, ())


def test_a_file_of_heads_that_cannot_be_written_or_read_is_a_clear_error(place: Workplace) -> None:
    (place.settings.folder / audit.HEADS).mkdir()
    with pytest.raises(StoreError, match=f"{audit.HEADS} cannot be written"):
        listed(place)
    with pytest.raises(StoreError, match=f"{audit.HEADS} cannot be read"):
        audit.verify(place)


def test_after_a_year_old_lines_go_and_the_rest_agrees(place: Workplace, hands: Hands) -> None:
    """PR07: the metadata-only audit is kept twelve months."""
    for _ in range(3):
        listed(place)
        hands.forward(days=180)
    retain(place)
    assert [line.number for line in lines(place)] == [2, 3, 4]
    assert deeds(place)[-1] == Deed.PRUNED
    assert audit.verify(place).differences == ()
    file = place.settings.folder / audit.HEADS
    assert [line.split()[0] for line in file.read_text().splitlines()] == ["2", "3", "4"]


@pytest.mark.parametrize("text", ["", "12", "12:abc", "x:0123456789abcdef", "12:0123456789ABCDEF"])
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no line of the audit"):
        audit.head_of(text)


def test_a_head_is_read_as_it_is_printed() -> None:
    head = Head(number=12, hash="0123456789abcdef" * 4)
    assert audit.head_of(str(head)) == Head(number=12, hash="0123456789abcdef")


def test_whoever_opens_the_workplace_signs(opened: Callable[..., Workplace]) -> None:
    place = opened()
    assert place.who == chain.CLOCK
