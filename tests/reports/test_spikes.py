"""Each unusual number is told with its sentence of cause, in its own message and in the digest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import daily
from reports.spikes import (
    build,
    held,
    kind_of_day,
    odds,
    of_accounts,
    of_outlet,
    of_pace,
    of_too_little,
    render,
    topic_of,
)
from tests.reports.material import ZONE, mixed_day

TOPIC = topic_of("General complaint", "King James’s School")  # noqa: RUF001
MADE_AT = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("chance", "says"),
    [
        (1 / 4321, "about 1 in 4,300"),
        (1 / 4000, "about 1 in 4,000"),
        (1 / 1000, "about 1 in 1,000"),
        (1 / 37, "about 1 in 37"),
        (1e-9, "less than 1 in 1,000,000"),
        (0.0, "less than 1 in 1,000,000"),
    ],
)
def test_a_chance_is_said_in_round_numbers(chance: float, says: str) -> None:
    assert odds(chance) == says


@given(chance=st.floats(1e-12, 0.1))
def test_a_chance_is_never_made_smaller_than_it_is(chance: float) -> None:
    said = odds(chance)
    number = int(said.rpartition(" ")[2].replace(",", ""))
    assert 1 / number >= chance * (1 - 1e-9)


def test_a_cause_names_the_count_what_it_is_compared_with_and_the_chance() -> None:
    in_term = kind_of_day(date(2026, 11, 23), in_term=True)
    assert of_accounts(count=11, topic=TOPIC, most=3, days=12, kind=in_term, chance=1 / 4000) == (
        f"11 accounts and outlets in 24 hours on {TOPIC}; the most on any of the last 12 Mondays in term was 3; "
        "a chance of about 1 in 4,000."
    )
    none = of_accounts(count=5, topic=TOPIC, most=0, days=6, kind=in_term, chance=1 / 9000)
    assert "; none on any of the last 6 Mondays in term; " in none
    assert kind_of_day(date(2026, 12, 26), in_term=False) == "Saturdays outside term"


@pytest.mark.parametrize(
    ("days", "known"), [(0, "none are known"), (1, "only one is known"), (3, "only three are known")]
)
def test_too_little_history_is_admitted_in_the_sentence(days: int, known: str) -> None:
    said = of_too_little(count=9, topic=TOPIC, days=days, needed=6, kind="Mondays in term")
    assert known in said
    assert "six are needed" in said
    assert "chance" not in said


def test_pace_is_told_with_its_case_and_what_was_before() -> None:
    said = of_pace(count=14, before=3, hours=2, accounts=1, topic=TOPIC, reference="KJS-0042")
    assert said == (
        f"One story on {TOPIC} (case KJS-0042) was told 14 times within two hours, by 1 account or outlet; "
        "three in the two hours before."
    )
    assert "(case" not in of_pace(count=8, before=0, hours=2, accounts=8, topic=TOPIC, reference="")


def test_an_outlets_name_is_masked_where_it_is_an_account() -> None:
    assert "u/somebody-invented" not in of_outlet(outlet="u/somebody-invented (reddit)", topic=TOPIC, days=40)
    assert "national.example" in of_outlet(outlet="national.example", topic=TOPIC, days=40)


def test_one_thing_is_named_in_the_subject_and_several_are_counted() -> None:
    def subject(*causes: str) -> str:
        about = "General complaint, KJS"
        view = build(causes, name="spike-1", short_name="Federation", about=about, made_at=MADE_AT, zone=ZONE)
        message = render(view)
        assert all(cause in " ".join(message.text.split()) for cause in causes)
        return message.subject

    assert subject("One cause.") == "Unusual: General complaint, KJS"
    assert subject("One cause.", "Another cause.") == "Two unusual things"


def test_the_digest_has_a_section_for_them_and_none_without() -> None:
    causes = (*(f"Cause number {number}." for number in range(8)), held("KJS-0042", 12))
    shown = daily.render(daily.build(replace(mixed_day(), unusual=causes)))
    assert "Cause number 5." in shown.html
    assert "Cause number 5." in shown.text
    assert "Cause number 6." not in shown.text
    assert "And three more." in shown.text
    assert "Unusual" not in daily.render(daily.build(mixed_day())).html
    assert held("KJS-0042", 12) == "KJS-0042: 12 more like it, not alerted one by one."
