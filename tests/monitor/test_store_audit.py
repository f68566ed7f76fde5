"""The audit's chain shows whatever is done to it, and the database itself refuses to do it."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import StoreError
from monitor.records import CaseEvent
from monitor.store import audit
from monitor.store.audit import GENESIS, Deed, Entry, Head, check
from monitor.store.schema import audit as table

if TYPE_CHECKING:
    from monitor.store.engine import Store

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
words = st.text(st.characters(codec="utf-8"), max_size=12)


def written(store: Store, number: int, *, start: datetime = NOW) -> None:
    for turn in range(number):
        with store.write() as connection:
            at = start + timedelta(hours=turn)
            audit.append(connection, at=at, who="alice", what=Deed.SAW, about=f"KJS-{turn:04}")


def lines_of(store: Store) -> list[Entry]:
    with store.read() as connection:
        return list(audit.entries(connection))


@st.composite
def chains(draw: st.DrawFn) -> list[Entry]:
    """Build any chain, as `append` does, of one to eight lines."""
    out: list[Entry] = []
    for number in range(1, draw(st.integers(1, 8)) + 1):
        line = Entry(
            number=number,
            at=draw(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))),  # noqa: DTZ001 - Hypothesis adds the zone
            who=draw(words),
            what=draw(st.sampled_from(list(Deed))).value,
            about=draw(words),
            previous=out[-1].hash if out else GENESIS,
            hash="",
        )
        out.append(replace(line, hash=line.counted))
    return out


def head_of(chain: list[Entry]) -> Head:
    return Head(number=chain[-1].number, hash=chain[-1].hash)


def test_lines_follow_one_another_and_agree(store: Store) -> None:
    written(store, 5)
    found = check(lines_of(store))
    assert (found.lines, found.first, found.differences) == (5, 1, ())
    with store.read() as connection:
        assert audit.head(connection) == found.head
    assert [line.previous for line in lines_of(store)] == [GENESIS, *(line.hash for line in lines_of(store)[:-1])]


def test_a_store_without_a_line_has_no_end(store: Store) -> None:
    assert check(lines_of(store)).head is None
    with store.read() as connection:
        assert audit.head(connection) is None


def note_and_fail(store: Store) -> None:
    with store.write() as connection:
        audit.append(connection, at=NOW, who="alice", what=Deed.SAW, about="KJS-0001")
        undone = "what it records did not happen"
        raise StoreError(undone)


def test_a_line_belongs_to_the_transaction_of_what_it_records(store: Store) -> None:
    with pytest.raises(StoreError):
        note_and_fail(store)
    assert lines_of(store) == []


@given(chain=chains(), data=st.data())
def test_any_change_of_any_field_of_any_line_is_found(chain: list[Entry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(chain) - 1))
    line = chain[place]
    other: dict[str, st.SearchStrategy[Any]] = {
        "number": st.integers(1, 20),
        "at": st.just(line.at + timedelta(microseconds=1)),
        "who": words,
        "what": st.sampled_from([deed.value for deed in Deed]),
        "about": words,
        "previous": st.sampled_from([GENESIS, "f" * 64]),
        "hash": st.sampled_from([GENESIS, "f" * 64]),
        "pruned_to": st.integers(1, 20),
    }
    name = data.draw(st.sampled_from(sorted(other)))
    change: dict[str, Any] = {name: data.draw(other[name].filter(lambda value: value != getattr(line, name)))}
    changed = replace(line, **change)
    assert check([*chain[:place], changed, *chain[place + 1 :]], [head_of(chain)]).differences


@given(chain=chains(), data=st.data())
def test_a_changed_line_with_a_new_hash_of_its_own_is_found(chain: list[Entry], data: st.DataObject) -> None:
    """Who changes a line and counts its hash again breaks the next line, or the end that was written down."""
    place = data.draw(st.integers(0, len(chain) - 1))
    changed = replace(chain[place], who=chain[place].who + "x")
    changed = replace(changed, hash=changed.counted)
    assert check([*chain[:place], changed, *chain[place + 1 :]], [head_of(chain)]).differences


@given(chain=chains(), data=st.data())
def test_any_line_that_is_taken_out_is_found_the_last_one_too(chain: list[Entry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(chain) - 1))
    assert check([*chain[:place], *chain[place + 1 :]], [head_of(chain)]).differences


@given(chain=chains(), data=st.data())
def test_any_line_that_is_put_in_is_found(chain: list[Entry], data: st.DataObject) -> None:
    """Wherever it stands, whatever its number, and with a hash of its own that is right."""
    place = data.draw(st.integers(0, len(chain) - 1))
    previous = chain[place - 1].hash if place else GENESIS
    forged = replace(chain[place], who="mallory", number=data.draw(st.integers(1, 10)), previous=previous)
    forged = replace(forged, hash=forged.counted)
    if forged not in chain:
        assert check([*chain[:place], forged, *chain[place:]], [head_of(chain)]).differences


@given(chain=chains(), data=st.data())
def test_a_cut_off_end_and_a_chain_made_anew_show_against_any_end_that_was_written_down(
    chain: list[Entry], data: st.DataObject
) -> None:
    known = data.draw(st.integers(0, len(chain) - 1))
    heads = [Head(number=chain[known].number, hash=chain[known].hash[:16])]
    assert check(chain, heads).differences == ()
    assert check(chain[:known], heads).differences
    anew: list[Entry] = []
    for line in chain:
        other = replace(line, about=line.about + "x", previous=anew[-1].hash if anew else GENESIS)
        anew.append(replace(other, hash=other.counted))
    assert check(anew).differences == ()
    assert check(anew, heads).differences


def test_without_an_end_that_was_written_down_a_cut_off_end_does_not_show() -> None:
    """The documentation says so: this is what the heads are for."""
    first = Entry(number=1, at=NOW, who="a", what="sent", about="", previous=GENESIS, hash="")
    first = replace(first, hash=first.counted)
    assert check([first]).differences == ()


def test_an_end_of_a_few_digits_proves_nothing() -> None:
    first = Entry(number=1, at=NOW, who="a", what="sent", about="", previous=GENESIS, hash="")
    first = replace(first, hash=first.counted)
    assert check([first], [Head(number=1, hash=first.hash[:4])]).differences


@pytest.mark.parametrize(
    "act",
    [
        "UPDATE audit SET who = 'mallory' WHERE number = 2",
        "UPDATE audit SET hash = hash",
        "DELETE FROM audit WHERE number = 3",
    ],
)
def test_the_database_refuses_to_change_or_cut_the_audit(store: Store, act: str) -> None:
    written(store, 3)
    with pytest.raises(sa.exc.DatabaseError, match="append-only"), store.write() as connection:
        connection.exec_driver_sql(act)
    assert check(lines_of(store)).lines == 3


def test_the_database_refuses_to_empty_the_audit_at_once(store: Store) -> None:
    written(store, 3)
    act = "TRUNCATE audit" if store.engine.dialect.name == "postgresql" else "DELETE FROM audit"
    with pytest.raises(sa.exc.DatabaseError, match="append-only"), store.write() as connection:
        connection.exec_driver_sql(act)
    assert check(lines_of(store)).lines == 3


def test_old_lines_go_from_the_beginning_and_what_is_left_still_agrees(store: Store) -> None:
    written(store, 10)
    old = lines_of(store)
    with store.write() as connection:
        before = NOW + timedelta(hours=4)
        assert audit.prune(connection, before=before, at=NOW + timedelta(days=365), who=audit.CLOCK) == 4
        assert audit.first(connection) == 5
    left = lines_of(store)
    assert [line.number for line in left] == [5, 6, 7, 8, 9, 10, 11]
    assert left[-1].what == Deed.PRUNED
    assert check(left, [Head(number=old[-1].number, hash=old[-1].hash)]).differences == ()
    assert check(left[1:]).differences == ("missing: line 5",)
    assert check([*old[3:4], *left]).differences == ("line 4 came back after they were pruned",)


def test_pruning_again_goes_on_where_it_stopped_and_pruning_nothing_writes_nothing(store: Store) -> None:
    written(store, 6)
    for hours in (2, 4):
        with store.write() as connection:
            audit.prune(connection, before=NOW + timedelta(hours=hours), at=NOW + timedelta(days=9), who=audit.CLOCK)
    with store.write() as connection:
        assert audit.prune(connection, before=NOW, at=NOW, who=audit.CLOCK) == 0
    assert [line.number for line in lines_of(store)] == [5, 6, 7, 8]
    assert check(lines_of(store)).differences == ()
    with store.write() as connection:
        assert audit.prune(connection, before=NOW + timedelta(days=99), at=NOW, who=audit.CLOCK) == 4
    assert [line.what for line in lines_of(store)] == [Deed.PRUNED]
    assert check(lines_of(store)).differences == ()


def test_a_line_that_says_more_was_pruned_than_was_is_found(store: Store) -> None:
    written(store, 4)
    with store.write() as connection:
        audit.append(connection, at=NOW, who="m", what=Deed.PRUNED, about=f"to line 2, hash {'0' * 64}", pruned_to=2)
        connection.execute(sa.delete(table).where(table.c.number <= 2))
    assert check(lines_of(store)).differences == ("line 3 does not follow the lines that were before it",)


def test_writers_at_once_make_one_chain(store: Store) -> None:
    barrier = threading.Barrier(4)

    def work(name: str) -> None:
        barrier.wait()
        for turn in range(10):
            with store.write() as connection:
                audit.append(connection, at=NOW, who=name, what=Deed.SAW, about=str(turn))

    threads = [threading.Thread(target=work, args=(f"writer {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = check(lines_of(store))
    assert (found.lines, found.differences) == (40, ())


def test_a_line_is_one_line_and_not_long(store: Store) -> None:
    with store.write() as connection:
        audit.append(connection, at=NOW, who="al\nice\x1b[2J", what=Deed.SAW, about="x\r\n" * 1000)
    (line,) = lines_of(store)
    assert line.who == "al ice [2J"
    assert len(line.about) == audit.LONGEST
    assert line.about.isprintable()


def test_a_line_of_a_history_is_known_by_its_hash_alone() -> None:
    event = CaseEvent(at=NOW, by="A. Colleague", what="ack", why="words that a person wrote")
    assert audit.fingerprint(event) == audit.fingerprint(replace(event))
    assert audit.fingerprint(event) != audit.fingerprint(replace(event, why="other words"))
    assert len(audit.fingerprint(event)) == 64
