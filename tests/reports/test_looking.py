"""A quiet source and an unread one never look the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.records import Coverage, Sight, Spent
from reports.looking import UNKNOWN, looked
from tests.reports.material import MONDAY, ZONE, at, off, read

NOW = MONDAY


def behind(**changes: object) -> Coverage:
    """Return a source that was not read since Sunday."""
    source = Coverage(
        source="x",
        name="X (Twitter)",
        sight=Sight.BEHIND,
        last_read=at(22, 14, 10),
        next_try=NOW + timedelta(minutes=30),
        why="the source asked us to wait.",
    )
    return replace(source, **changes)  # type: ignore[arg-type]


def test_a_source_that_was_not_read_says_since_when_and_why_and_never_nought() -> None:
    looking = looked([read("feeds", 0), behind(new=0)], NOW, ZONE)

    assert [row.new for row in looking.rows] == ["0", UNKNOWN]
    assert looking.rows[1].read == ("Not read since yesterday 14:10: the source asked us to wait; next try today 07:30")
    assert looking.gaps == ("X since yesterday 14:10 (the source asked us to wait; next try today 07:30)",)
    assert looking.unread == ("X",)
    assert not looking.blind


def test_a_source_that_was_never_read_says_so() -> None:
    looking = looked([behind(sight=Sight.NEVER, last_read=None, next_try=None)], NOW, ZONE)

    assert looking.gaps == ("X (never read yet; the source asked us to wait)",)
    assert looking.rows[0].read == "Never read yet: the source asked us to wait"
    assert looking.blind


def test_a_source_that_is_off_is_no_gap_but_is_named_with_its_reason() -> None:
    looking = looked([read("feeds", 3), off("x")], NOW, ZONE)

    assert not looking.gaps
    assert looking.on == 1
    assert len(looking.off) == 1
    assert looking.off[0].startswith("X (Twitter): X requires")


def test_nothing_switched_on_is_blindness_and_not_peace() -> None:
    looking = looked([off("x")], NOW, ZONE)

    assert looking.blind
    assert looking.gaps == ("anything, because no source is switched on",)


def test_what_was_dropped_is_counted_by_reason_the_most_first_and_the_rest_together() -> None:
    dropped = {f"namesake {number}": number for number in range(1, 7)}
    source = replace(read("feeds", 1), dropped=dropped, malformed=2, gone=1, spent=Spent(pence=3.2))

    notes = looked([source], NOW, ZONE).rows[0].notes

    assert notes[0] == (
        "6 dropped: namesake 6; 5 dropped: namesake 5; 4 dropped: namesake 4; 3 dropped: namesake 3;"
        " 3 for 2 other reasons"
    )
    assert notes[1:4] == ("2 items could not be read", "1 post wiped: gone at the source", "£0.04 spent")
    assert notes[4].startswith("Never sees readers' comments")


def test_what_a_source_cost_is_told_where_our_own_limit_is_near_or_money_went() -> None:
    calls = Spent(calls=24, units=2)

    def cost(**changes: object) -> list[str]:
        source = replace(read("feeds", 1), never_sees=(), **changes)  # type: ignore[arg-type]
        return list(looked([source], NOW, ZONE).rows[0].notes)

    assert cost(spent=calls, used=0.79) == []
    assert cost(spent=calls, used=0.8) == ["24 calls and 2 units spent; 80% of our own limit is used up"]
    assert cost(spent=Spent(), used=1.04) == ["100% of our own limit is used up"]
    assert cost(spent=Spent(calls=24, pence=3)) == ["24 calls and £0.03 spent"]


def test_a_try_that_should_have_been_made_before_now_is_not_announced() -> None:
    looking = looked([behind(next_try=NOW - timedelta(minutes=1))], NOW, ZONE)

    assert "next try" not in looking.gaps[0] + looking.rows[0].read


def test_money_is_added_up_and_is_not_said_where_none_was_spent() -> None:
    costly = replace(read("feeds", 1), spent=Spent(pence=30.0))

    assert looked([costly, behind(spent=Spent(pence=12.5))], NOW, ZONE).spent == "£0.43"
    assert looked([read("feeds", 1)], NOW, ZONE).spent == ""


@given(st.text(), st.text(), st.dictionaries(st.text(), st.integers(min_value=1), max_size=9))
def test_hostile_answers_of_a_source_stay_short_single_lines(why: str, name: str, dropped: dict[str, int]) -> None:
    looking = looked([behind(why=why * 50, name=name * 50, dropped=dropped)], NOW, ZONE)

    for said in (
        *looking.gaps,
        *looking.unread,
        looking.rows[0].read,
        looking.rows[0].name,
        *looking.rows[0].notes,
    ):
        assert len(said) < 900
        assert "\n" not in said
        assert "\u202e" not in said
