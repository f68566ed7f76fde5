"""When small numbers are unusual: an exact bound where a week has a dozen posts and standard deviations say nothing.

A number is weighed against the numbers of comparable days. Their unknown rate has a Gamma distribution (Jeffreys'
prior, then what the days showed), so that a new day's count is Gamma-Poisson (negative binomial), and the chance of
so many or more is an incomplete beta function: exact for every count, and wide while few days are known. Where posts
come in clumps, so that the days differ by more than chance, every count weighs less by as much. A day that was not
looked at is none of the days; it is never a zero.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from statistics import variance
from typing import TYPE_CHECKING

from scipy.special import betainc

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from monitor.policy.escalation import SpikeRule


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDay:
    """A local day that is over: which sources were read on it, and how many accounts and outlets spoke."""

    day: date
    sources: frozenset[str]
    voices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusual:
    """A number that is too great for chance.

    Attributes:
        count: the number.
        most: the greatest on any comparable day. days: how many of them are known.
        chance: of `count` or more on such a day.
    """

    count: int
    most: int
    days: int
    chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLittleKnown:
    """A number that nobody can weigh yet: `days` comparable days are known, `needed` would be enough."""

    count: int
    days: int
    needed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fast:
    """A story that gathers pace: told `count` times within `hours`, and `before` times in as many hours before."""

    count: int
    before: int
    hours: int


def chance_of(count: int, days: Sequence[int], clumping: float = 1.0) -> float:
    """Return the chance of `count` or more on a day like `days`, whose counts are given (at least one day).

    With `clumping` 1 it is exact; greater, it is the quasi-likelihood's (every count divided by it).
    """
    if count <= 0:
        return 1.0
    # P(X >= k) of a negative binomial with r = 1/2 + sum and p = n / (n + 1) is I(1 - p; k, r)
    return float(betainc(count / clumping, sum(days) / clumping + 0.5, 1 / (len(days) + 1)))


def clumping_of(days: Sequence[int]) -> float:
    """Return by how much days differ more than chance alone would have it: variance by mean, at least 1."""
    mean = sum(days) / len(days)
    return max(1.0, variance(days) / mean) if mean and len(days) > 1 else 1.0


def comparable(known: Iterable[KnownDay], sources: frozenset[str], most: int) -> tuple[int, ...]:
    """Return the counts of the last `most` days on which each of `sources` was read; the newest first."""
    days = sorted((day for day in known if sources <= day.sources), key=lambda day: day.day, reverse=True)
    return tuple(day.voices for day in days[:most])


def weigh(count: int, days: Sequence[int], rule: SpikeRule) -> Unusual | TooLittleKnown | None:
    """Return whether a number is unusual against comparable days; None if it is not, or is too small to matter."""
    if count < rule.least_accounts:
        return None
    if len(days) < rule.least_days:
        return TooLittleKnown(count=count, days=len(days), needed=rule.least_days)
    chance = chance_of(count, days, clumping_of(days))
    if count <= max(days) or chance * rule.one_in > 1:
        return None
    return Unusual(count=count, most=max(days), days=len(days), chance=chance)


def pace(published: Iterable[datetime], now: datetime, rule: SpikeRule) -> Fast | None:
    """Return whether a story gathers pace, by when its tellings were published (zone-aware); None if it does not.

    By when they were published, not found: what arrives at once after an outage is no sudden storm.
    """
    span = timedelta(hours=rule.pace_hours)
    spans = Counter((now - moment) // span for moment in published)
    count, before = spans[0], spans[1]
    if count < rule.pace_posts or count < rule.pace_times * before:
        return None
    return Fast(count=count, before=before, hours=rule.pace_hours)
