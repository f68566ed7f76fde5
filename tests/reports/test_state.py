"""The day in one line says what matters most, and no word of any post."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from monitor.records import Sight
from reports.daily import build
from reports.looking import looked
from reports.state import State
from tests.reports.material import MONDAY, ZONE, mixed_day, off, read

if TYPE_CHECKING:
    from reports.items import Item, Kind, Urgency

SEEN = looked([read("feeds", 1), read("bluesky", 1)], MONDAY, ZONE)
PARTLY = looked([read("feeds", 1), replace(read("bluesky", 1), sight=Sight.BEHIND)], MONDAY, ZONE)
HARDLY = looked(
    [
        read("feeds", 1),
        replace(read("bluesky", 1), sight=Sight.BEHIND),
        replace(read("mastodon", 1), sight=Sight.BEHIND),
    ],
    MONDAY,
    ZONE,
)
BLIND = looked([off("x")], MONDAY, ZONE)
PATTERN = build(mixed_day()).items[0]


def items(*kinds: tuple[Kind, Urgency]) -> tuple[Item, ...]:
    """Return items of these kinds."""
    return tuple(replace(PATTERN, kind=kind, urgency=urgency) for kind, urgency in kinds)


@pytest.mark.parametrize(
    ("due", "looking", "subject", "headline"),
    [
        (
            items(("reply", "late"), ("reply", "today")),
            SEEN,
            "2 need a reply, 1 overdue",
            "Two posts need a reply; one is overdue",
        ),
        (
            items(("reply", "late")),
            SEEN,
            "1 needs a reply, 1 overdue",
            "One post needs a reply; it is overdue",
        ),
        (
            items(("look", "late"), ("look", "late")),
            SEEN,
            "2 need a look, 2 overdue",
            "Two posts need a look; both are overdue",
        ),
        (
            items(("look", "later"), ("urgent", "today"), ("reply", "today")),
            PARTLY,
            "1 urgent, 1 needs a reply, 1 needs a look; Bluesky not read",
            "One post is urgent, one needs a reply and one needs a look",
        ),
        (
            items(("reply", "late"), ("reply", "late"), ("reply", "late")),
            SEEN,
            "3 need a reply, 3 overdue",
            "Three posts need a reply; all are overdue",
        ),
        (
            items(("reply", "today")),
            BLIND,
            "COVERAGE GAP: nothing was read; 1 needs a reply",
            "One post needs a reply; no source was read",
        ),
        ((), SEEN, "All quiet, nothing new", "Nothing needs a reply"),
        (
            (),
            PARTLY,
            "COVERAGE GAP: Bluesky not read",
            "Nothing needs a reply in what we read; Bluesky was not read",
        ),
        (
            (),
            HARDLY,
            "COVERAGE GAP: 2 sources not read",
            "Nothing needs a reply in what we read; two sources were not read",
        ),
        ((), BLIND, "COVERAGE GAP: nothing was read", "We could not look: no source was read"),
    ],
)
def test_subject_and_headline(due: tuple[Item, ...], looking: object, subject: str, headline: str) -> None:
    state = State.of(due, looking, new=0, troubles=0)  # type: ignore[arg-type]

    assert (state.subject, state.headline) == (subject, headline)


def test_a_quiet_day_says_how_much_is_new() -> None:
    assert State.of((), SEEN, new=3, troubles=0).subject == "All quiet, 3 new"


def test_a_quiet_day_on_which_something_failed_is_not_quiet() -> None:
    state = State.of((), SEEN, new=0, troubles=1)

    assert state.subject == "MONITOR TROUBLE: 1 thing did not work, nothing new"
    assert "something did not work" in state.headline
