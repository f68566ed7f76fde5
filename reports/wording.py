"""Times, numbers and lists in plain English, the same on every machine.

Nothing here asks the locale or the clock: the reader's zone and "now" are given.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NEAR: Final = 6
"""Days within which a weekday alone says which day is meant."""
PENCE_IN_A_POUND: Final = 100


def hour(moment: datetime, zone: ZoneInfo) -> str:
    """Return the time of day: "07:30"."""
    local = moment.astimezone(zone)
    return f"{local.hour:02}:{local.minute:02}"


def day(moment: datetime, zone: ZoneInfo) -> str:
    """Return the day: "Mon 23 Nov"."""
    local = moment.astimezone(zone)
    return f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]}"


def full(moment: datetime, zone: ZoneInfo) -> str:
    """Return day and time: "Mon 23 Nov 07:30"."""
    return f"{day(moment, zone)} {hour(moment, zone)}"


def dated(moment: datetime, zone: ZoneInfo) -> str:
    """Return day, year and time, for what may be read in another year: "Mon 23 Nov 2026 07:30"."""
    return f"{day(moment, zone)} {moment.astimezone(zone).year} {hour(moment, zone)}"


def near(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return a moment as people say it at `now`.

    "today 16:00", "yesterday 21:40", "tomorrow 09:00", "Fri 16:00" within six days, then "Fri 13 Nov 16:00"
    and, in another year, "Fri 13 Nov 2025 16:00". All moments are zone-aware; days are those of `zone`.
    """
    local, today = moment.astimezone(zone), now.astimezone(zone)
    days = (local.date() - today.date()).days
    named = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(days)
    if named:
        return f"{named} {hour(moment, zone)}"
    if abs(days) <= NEAR:
        return f"{DAYS[local.weekday()]} {hour(moment, zone)}"
    return full(moment, zone) if local.year == today.year else dated(moment, zone)


def span(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """Return from when to when: "Fri 20 Nov 07:00 to Mon 23 Nov 07:00"."""
    return f"{full(start, zone)} to {full(end, zone)}"


def age(length: timedelta) -> str:
    """Return how long something has lasted, in whole units, rounded down: "9 days", "3 hours"."""
    minutes = max(0, int(length / timedelta(minutes=1)))
    if minutes >= 2 * 24 * 60:
        return counted(minutes // (24 * 60), "day")
    if minutes >= 2 * 60:
        return counted(minutes // 60, "hour")
    return counted(minutes, "minute")


def figure(number: int) -> str:
    """Return a number in figures: "1,234"."""
    return f"{number:,}"


def number(value: int) -> str:
    """Return a number as it stands in a sentence: "two", "eleven" being "11"."""
    return NUMBERS[value] if 0 <= value < len(NUMBERS) else figure(value)


def plural(value: int, one: str, many: str = "") -> str:
    """Return the noun that goes with a number: `one`, or `many` ("s" is added where it is not given)."""
    return one if value == 1 else many or f"{one}s"


def all_of(value: int, noun: str) -> str:
    """Return "the one source", "both sources", "all three sources"; `noun` is in the singular."""
    if value == 1:
        return f"the one {noun}"
    return f"both {noun}s" if value == 2 else f"all {number(value)} {noun}s"  # noqa: PLR2004 - two are both


def counted(value: int, one: str, many: str = "") -> str:
    """Return a count with its noun: "1 post", "2 posts", "1,234 posts"."""
    return f"{figure(value)} {plural(value, one, many)}"


def listed(parts: Sequence[str], last: str = "and") -> str:
    """Return parts as a list in a sentence: "a, b and c"."""
    if len(parts) < 2:  # noqa: PLR2004 - one part needs no "and"
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def range_of(low: int, high: int) -> str:
    """Return a range: "1 to 5", or "3" where it is a single number."""
    return figure(low) if low == high else f"{figure(low)} to {figure(high)}"


def money(pence: float) -> str:
    """Return an amount of `pence` in pounds, rounded up to a whole penny: "£0.42"."""
    whole = -int(-pence // 1)
    return f"£{whole // PENCE_IN_A_POUND:,}.{whole % PENCE_IN_A_POUND:02}"


def sentence(text: str) -> str:
    """Return `text` with a capital at its start."""
    return text[:1].upper() + text[1:]


def uncapped(text: str) -> str:
    """Return `text` as it goes on after a label: with a small letter, unless it starts with capitals."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def one_story(likeness: float) -> str:
    """Return which posts count as one story, in a sentence; `likeness` is a share of three-word sequences."""
    return (
        "One story: a post, its reposts, and what has the same words "
        f"or shares at least {round(10 * likeness)} in 10 of its three-word sequences with it."
    )
