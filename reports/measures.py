"""Measures that do not mislead: a usual range from enough values, a share of enough cases, a length of work."""

from __future__ import annotations

from datetime import timedelta
from math import ceil, floor
from statistics import quantiles
from typing import TYPE_CHECKING, Final

from reports import wording

if TYPE_CHECKING:
    from collections.abc import Sequence

ENOUGH_WEEKS: Final = 4
"""Values below which nothing is called usual."""
TWO_DAYS: Final = timedelta(days=2)
"""From when a length by the clock is told in days."""
ENOUGH_FOR_SHARES: Final = 20
"""Items below which a percentage would say more than is known."""


def middle_half(values: Sequence[int]) -> tuple[int, int] | None:
    """Return the range in which the middle half of `values` lies, rounded outwards; None for fewer than four."""
    if len(values) < ENOUGH_WEEKS:
        return None
    low, _, high = quantiles(values, n=4, method="inclusive")
    return floor(low), ceil(high)


def share(part: int, whole: int) -> str:
    """Return a share: "9 of 11", and with at least twenty "27 of 30 (90%)"."""
    words = f"{wording.figure(part)} of {wording.figure(whole)}"
    return f"{words} ({100 * part // whole}%)" if whole >= ENOUGH_FOR_SHARES else words


def duration(length: timedelta, working_day: timedelta) -> str:
    """Return a length of staffed time: "35 min", "3 h 20 min", "1.4 working days"."""
    return _days(length, working_day, "working day") if length >= working_day else _hours(length)


def elapsed(length: timedelta) -> str:
    """Return a length of time by the clock: "11 min", "3 h 20 min", "2.1 days"."""
    return _days(length, TWO_DAYS / 2, "day") if length >= TWO_DAYS else _hours(length)


def _days(length: timedelta, day: timedelta, name: str) -> str:
    """Return a length in days of that length: "1.4 working days"."""
    days = f"{length / day:.1f}".removesuffix(".0")
    return f"{days} {wording.plural(1 if days == '1' else 2, name)}"


def _hours(length: timedelta) -> str:
    """Return a length in hours and minutes."""
    hours, rest = divmod(int(length / timedelta(minutes=1)), 60)
    parts = [f"{hours} h"] if hours else []
    parts += [f"{rest} min"] if rest or not hours else []
    return " ".join(parts)
