"""Lengths of time in words: by staffed hours and by the clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reports.measures import duration, elapsed


@pytest.mark.parametrize(
    ("length", "staffed", "by_clock"),
    [
        (timedelta(0), "0 min", "0 min"),
        (timedelta(minutes=11), "11 min", "11 min"),
        (timedelta(hours=3, minutes=20), "3 h 20 min", "3 h 20 min"),
        (timedelta(hours=9), "1 working day", "9 h"),
        (timedelta(hours=47), "5.2 working days", "47 h"),
        (timedelta(hours=51), "5.7 working days", "2.1 days"),
    ],
)
def test_a_length_is_told_in_the_days_of_its_clock(length: timedelta, staffed: str, by_clock: str) -> None:
    assert duration(length, timedelta(hours=9)) == staffed
    assert elapsed(length) == by_clock
