"""Times, numbers and lists are plain English, whatever the machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import wording

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (datetime(2026, 11, 23, 16, 0, tzinfo=UTC), "today 16:00"),
        (datetime(2026, 11, 22, 21, 40, tzinfo=UTC), "yesterday 21:40"),
        (datetime(2026, 11, 24, 9, 5, tzinfo=UTC), "tomorrow 09:05"),
        (datetime(2026, 11, 20, 16, 0, tzinfo=UTC), "Fri 16:00"),
        (datetime(2026, 11, 16, 16, 0, tzinfo=UTC), "Mon 16 Nov 16:00"),
        (datetime(2025, 11, 20, 16, 0, tzinfo=UTC), "Thu 20 Nov 2025 16:00"),
    ],
)
def test_a_moment_is_said_as_people_say_it(moment: datetime, said: str) -> None:
    assert wording.near(moment, NOW, LONDON) == said


def test_times_are_those_of_the_reader_and_not_of_the_machine() -> None:
    summer = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)

    assert wording.full(summer, LONDON) == "Thu 2 Jul 00:30"
    assert wording.dated(summer, LONDON) == "Thu 2 Jul 2026 00:30"
    assert wording.near(summer, datetime(2026, 7, 1, 12, tzinfo=UTC), LONDON) == "tomorrow 00:30"


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_any_moment_can_be_said_and_names_its_minute(moment: datetime) -> None:
    assert wording.near(moment, NOW, LONDON).endswith(f":{moment.astimezone(LONDON).minute:02}")


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(days=9, hours=5), "9 days"),
        (timedelta(hours=30), "30 hours"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=-3), "0 minutes"),
    ],
)
def test_an_age_is_in_whole_units(length: timedelta, said: str) -> None:
    assert wording.age(length) == said


def test_counts_carry_their_noun() -> None:
    assert wording.counted(1, "post") == "1 post"
    assert wording.counted(1234, "reply", "replies") == "1,234 replies"
    assert wording.number(0) == "no"
    assert wording.number(2) == "two"
    assert wording.number(11) == "11"


@pytest.mark.parametrize(
    ("parts", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_a_list_reads_as_a_sentence(parts: list[str], said: str) -> None:
    assert wording.listed(parts) == said


@pytest.mark.parametrize(("pence", "said"), [(0, "£0.00"), (0.2, "£0.01"), (41.5, "£0.42"), (123456, "£1,234.56")])
def test_money_is_rounded_up_so_that_a_little_never_looks_like_nothing(pence: float, said: str) -> None:
    assert wording.money(pence) == said


def test_a_range_of_one_number_is_that_number() -> None:
    assert wording.range_of(1, 5) == "1 to 5"
    assert wording.range_of(3, 3) == "3"


def test_a_label_goes_on_in_small_letters_but_for_acronyms() -> None:
    assert wording.uncapped("Argue.") == "argue."
    assert wording.uncapped("DSL reads once.") == "DSL reads once."
    assert wording.uncapped("") == ""
