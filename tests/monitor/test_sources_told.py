"""What goes wrong at a source is said in plain words, and `doctor` has something to do for each kind of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor import errors
from monitor.jobs.checkup import State, check
from monitor.jobs.coverage import TOLD, coverage
from monitor.records import Outcome, Spent, Window
from reports.looking import looked
from tests.monitor.conftest import OFF, Hands, ran

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.jobs.checkup import Finding
    from monitor.jobs.workplace import Workplace
    from monitor.records import Coverage

KINDS = sorted(
    {kind.kind for kind in errors.SourceError.__subclasses__()} - {"error"} | {"rate_limited", "quota_spent"}
)
BLUESKY = {"bluesky": {"handle": "monitor.test"}, "feeds": OFF, "pages": OFF}
PASSWORD = {"MONITOR_BLUESKY_APP_PASSWORD": "planted-password"}


@pytest.fixture
def place(opened: Callable[..., Workplace]) -> Workplace:
    """Give a workplace that reads Bluesky alone."""
    return opened(sources=BLUESKY, secrets=PASSWORD)


def seen(place: Workplace) -> Coverage:
    now = place.clock()
    with place.store.read() as connection:
        day = Window(start=now - timedelta(days=1), end=now)
        (found,) = [one for one in coverage(place, connection, day) if one.source == "bluesky"]
    return found


def told(place: Workplace) -> Finding:
    (found,) = [one for one in check(place, timedelta(days=2)).findings if one.subject == "source bluesky"]
    return found


def test_every_kind_of_failure_has_plain_words() -> None:
    assert set(KINDS) | {"fault"} == set(TOLD)


@pytest.mark.parametrize("kind", [*KINDS, "fault"])
def test_every_kind_of_failure_has_a_cure(place: Workplace, hands: Hands, kind: str) -> None:
    ran(place, "bluesky")
    hands.forward(minutes=30)
    ran(place, "bluesky", Outcome.FAILED, error_kind=kind, error="bsky.social says no (499)")
    hands.forward(minutes=1)

    found = told(place)
    assert seen(place).why == f"{TOLD[kind]} (bsky.social says no (499))"
    assert found.cure
    assert (found.state is State.NOTE) == (kind in {"rate_limited", "quota_spent"})
    assert "planted-password" not in f"{found}"


def test_a_source_that_was_refused_at_its_very_first_reading_is_wrong_and_not_only_unread(
    place: Workplace, hands: Hands
) -> None:
    ran(place, "bluesky", Outcome.FAILED, error_kind="access_refused", error="bsky.social refuses us (401)")
    hands.forward(minutes=1)

    found = told(place)
    assert found.state is State.WRONG
    assert "MONITOR_BLUESKY_APP_PASSWORD" in found.cure


def test_a_source_that_may_not_be_read_without_credentials_names_robots_too(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    place = opened(sources={"feeds": {"feeds": [{"name": "Paper", "url": "https://paper.example/rss"}]}})
    ran(place, "feeds", Outcome.FAILED, error_kind="access_refused", error="robots.txt of paper.example closes it")
    hands.forward(minutes=1)

    (found,) = [one for one in check(place, timedelta(days=2)).findings if one.subject == "source feeds"]
    assert "robots.txt" in found.cure


def test_a_report_says_what_was_spent_and_what_was_edited(place: Workplace, hands: Hands) -> None:
    ran(place, "bluesky", changed=2, gone=1, spent=Spent(calls=12, units=3, pence=4.2))
    hands.forward(minutes=1)

    row = looked([seen(place)], hands.now, place.settings.federation.zone).rows[0]
    assert "2 posts edited at the source: judged again" in row.notes
    assert "1 post wiped: gone at the source" in row.notes
    assert "12 calls, 3 units and £0.05 spent" in row.notes
