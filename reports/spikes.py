"""Small numbers that are unusual, each with its sentence of cause: what was counted, and against what.

Accounts are counted, never named or listed. Nothing here holds a word of a post.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reports import rendering, wording
from reports.quoting import clean, shortened, unnamed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from monitor.records import Rendered

WEEKDAYS: Final = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
RAREST: Final = 1_000_000
"""Chances smaller than one in so many are not told apart: no model of ours is as good as that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikesView:
    """Something unusual in words: one sentence of cause for each."""

    name: str
    subject: str
    headline: str
    preheader: str
    short_name: str
    covers: str
    causes: tuple[str, ...]


def kind_of_day(day: date, *, in_term: bool) -> str:
    """Return the days that one is compared with: "Mondays in term"."""
    return f"{WEEKDAYS[day.weekday()]} {'in term' if in_term else 'outside term'}"


def odds(chance: float) -> str:
    """Return a chance as people say it, rounded towards the more likely: "about 1 in 4,000"."""
    if chance * RAREST < 1:
        return f"less than 1 in {wording.figure(RAREST)}"
    whole = math.floor(1 / chance)
    unit = 10 ** max(0, len(str(whole)) - 2)
    return f"about 1 in {wording.figure(whole // unit * unit)}"


def of_accounts(*, count: int, topic: str, most: int, days: int, kind: str, chance: float) -> str:
    """Return why so many accounts are unusual: what was counted, the most on comparable days, and the chance."""
    before = (
        f"the most on any of the last {days} {kind} was {most}" if most else f"none on any of the last {days} {kind}"
    )
    return f"{_accounts(count, topic)}; {before}; a chance of {odds(chance)}."


def of_too_little(*, count: int, topic: str, days: int, needed: int, kind: str) -> str:
    """Return that nobody can say yet whether so many accounts are unusual."""
    known = f"only {wording.number(days)}" if days else "none"
    return (
        f"{_accounts(count, topic)}. Whether that is unusual, nobody can say yet: of {kind} with the same sources read "
        f"{known} {wording.plural(days, 'is', 'are')} known, and {wording.number(needed)} are needed."
    )


def of_pace(*, count: int, before: int, hours: int, accounts: int, topic: str, reference: str) -> str:
    """Return how fast a story is told; `reference` is of its case, "" if it has none."""
    case = f" (case {reference})" if reference else ""
    earlier = f"{wording.number(before)} in the {wording.number(hours)} hours before" if before else "none before that"
    return (
        f"One story on {topic}{case} was told {wording.figure(count)} times within {wording.number(hours)} hours, "
        f"by {wording.counted(accounts, 'account or outlet', 'accounts and outlets')}; {earlier}."
    )


def of_outlet(*, outlet: str, topic: str, days: int) -> str:
    """Return that a web domain or community mentioned us for the first time."""
    where = shortened(unnamed(outlet), 60)
    return f"First mention ever at {where}, on {topic}. Its source has been read for {wording.counted(days, 'day')}."


def topic_of(category: str, school: str) -> str:
    """Return a topic in words."""
    return f"“{clean(category)}” ({clean(school)})"


def held(reference: str, more: int) -> str:
    """Return what did not alert anybody a second time."""
    return f"{reference}: {wording.figure(more)} more like it, not alerted one by one."


def build(
    causes: Sequence[str], *, name: str, short_name: str, about: str, made_at: datetime, zone: ZoneInfo
) -> SpikesView:
    """Return unusual things as one message.

    Args:
        causes: their sentences, at least one.
        name: of the message.
        short_name: of the Federation.
        about: topic and school of the one thing, for a lock screen; used where there is only one.
        made_at: zone-aware.
        zone: the reader's.
    """
    number = len(causes)
    headline = (
        f"Unusual: {clean(about)}" if number == 1 else f"{wording.sentence(wording.number(number))} unusual things"
    )
    return SpikesView(
        name=name,
        subject=headline,
        headline=headline,
        preheader=shortened(causes[0], 200),
        short_name=short_name,
        covers=wording.full(made_at, zone),
        causes=tuple(causes),
    )


def render(view: SpikesView) -> Rendered:
    """Return unusual things as e-mail."""
    return rendering.letter("spikes.html.j2", "spikes.txt.j2", view)


def _accounts(count: int, topic: str) -> str:
    """Return how many accounts spoke of a topic."""
    return f"{wording.figure(count)} accounts and outlets in 24 hours on {topic}"
