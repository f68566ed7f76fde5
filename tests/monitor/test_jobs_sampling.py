"""Of everyday posts enough are kept with their words; of the others only that they came."""

from __future__ import annotations

import html
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.jobs.casework import hold
from monitor.jobs.daily import daily, window_for
from monitor.jobs.judge import judge_pending, open_for
from monitor.jobs.replay import replay
from monitor.minimal import COUNTED_ONLY
from monitor.records import Severity, Window
from monitor.settings import Reading
from monitor.store import cases, mentions
from tests.monitor.conftest import Hands, judgement, record, stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.jobs.workplace import Workplace
    from monitor.records import StoredMention

KNIFE = "I'm bringing a knife to King James's School in Knaresborough tomorrow, just wait and see what happens"


@pytest.fixture
def few(opened: Callable[..., Workplace]) -> Workplace:
    """A workplace that keeps the words of three everyday posts a source and day."""
    return opened(reading={"p4_posts_a_day": 3})


def everyday(number: int) -> str:
    return (
        f"Lovely concert at King James's School Knaresborough, well done to choir {number}, thanks to all the teachers"
    )


def all_of(place: Workplace, hands: Hands) -> tuple[StoredMention, ...]:
    with place.store.read() as connection:
        return mentions.between(
            connection, Window(start=hands.now - timedelta(days=9), end=hands.now + timedelta(minutes=1))
        )


def test_beyond_the_number_posts_are_counted_and_their_words_go_with_the_judgement(
    few: Workplace, hands: Hands
) -> None:
    for number in range(5):
        stored(few, number, everyday(number))
    judge_pending(few)

    found = all_of(few, hands)
    assert [one.judgement.severity for one in found if one.judgement] == [Severity.P4] * 5
    assert [bool(one.mention.text) for one in found] == [True, True, True, False, False]
    for one in found:
        assert one.judgement is not None
        assert (COUNTED_ONLY in one.judgement.reasons) is not bool(one.mention.text)
        assert one.mention.text or not any(reason.text or reason.end for reason in one.judgement.reasons)


def test_what_was_kept_earlier_that_day_counts_and_the_next_day_begins_anew(few: Workplace, hands: Hands) -> None:
    for number in range(3):
        stored(few, number, everyday(number))
        judge_pending(few)
        hands.forward(minutes=5)
    stored(few, 3, everyday(3))
    judge_pending(few)
    hands.forward(days=1)
    stored(few, 4, everyday(4))
    judge_pending(few)

    assert [bool(one.mention.text) for one in all_of(few, hands)] == [True, True, True, False, True]


def test_the_digest_counts_them_all_and_says_how_many_have_no_words(few: Workplace, hands: Hands) -> None:
    hands.forward(minutes=-30)
    for number in range(8):
        stored(few, number, everyday(number))
    judge_pending(few)
    hands.forward(minutes=30)

    rendered, _ = daily(few, window_for(few, few.clock()))

    for shown in (html.unescape(rendered.html), rendered.text):
        said = " ".join(shown.split())
        assert "8 new public mentions" in said
        assert "Five of them counted without their words." in said
    assert "choir 7" not in rendered.text


def test_what_needs_anybody_keeps_its_words_however_many_came(few: Workplace) -> None:
    for number in range(6):
        stored(few, number, everyday(number))
    stored(few, 6, KNIFE)
    (case,) = judge_pending(few)

    with few.store.read() as connection:
        assert mentions.by_number(connection, [case.mention_id])[case.mention_id].mention.text == KNIFE


def test_a_post_with_a_case_or_a_hold_keeps_its_words_when_it_is_judged_again(few: Workplace, hands: Hands) -> None:
    of_case = stored(few, 9, everyday(9))
    record(few, of_case, judgement(category="NEUTRAL", severity=Severity.P4, owner=""))
    with few.store.write() as connection:
        found = mentions.by_number(connection, [of_case])[of_case]
        assert found.judgement is not None
        case = open_for(few, connection, found, found.judgement)
    hold(few, case.reference, role="dsl", by="A", reason="asked for", until=(hands.now + timedelta(days=9)).date())
    with few.store.write() as connection:
        connection.exec_driver_sql("UPDATE mentions SET judged_under = NULL")
        connection.exec_driver_sql("UPDATE mentions SET published = '2027-01-01 00:00:00'")
    for number in range(5):
        stored(few, number, everyday(number))
    judge_pending(few)

    with few.store.read() as connection:
        assert cases.of_mentions(connection, [of_case])
        assert mentions.by_number(connection, [of_case])[of_case].mention.text == everyday(9)
    assert sum(bool(one.mention.text) for one in all_of(few, hands)) == 1 + 3


def test_other_rules_are_not_tried_on_posts_without_words(few: Workplace, hands: Hands) -> None:
    for number in range(5):
        stored(few, number, everyday(number))
    judge_pending(few)

    tried = replay(few, Window(start=hands.now - timedelta(days=1), end=hands.now + timedelta(days=1)), few.policy)

    assert (tried.judged, tried.changes) == (3, ())


def test_the_number_cannot_be_configured_away() -> None:
    assert Reading().p4_posts_a_day == 200
    for wrong in (1001, -1, float("inf")):
        with pytest.raises(ValueError, match="p4_posts_a_day"):
            Reading.model_validate({"p4_posts_a_day": wrong})
