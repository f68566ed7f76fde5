"""The check-up says what is well and what a person must do, and prints no secret."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.jobs.checkup import Finding, State, check
from monitor.records import Outcome
from monitor.store import journal
from tests.monitor.conftest import Hands, ran

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.jobs.workplace import Workplace

LATELY = timedelta(days=2)
FEEDS = {"feeds": {"feeds": [{"name": "Paper", "url": "https://paper.example/rss"}]}}


def finding(place: Workplace, subject: str) -> Finding:
    return next(f for f in check(place, LATELY).findings if f.subject == subject)


def test_a_missing_impact_assessment_is_wrong_and_names_the_cure(opened: Callable[..., Workplace]) -> None:
    place = opened(privacy={})

    found = finding(place, "impact assessment")
    assert (found.state, "privacy.dpia" in found.cure) == (State.WRONG, True)
    assert not check(place, LATELY).fit


def test_a_configured_monitor_without_a_relay_is_fit_and_says_where_messages_go(place: Workplace) -> None:
    assert check(place, LATELY).fit
    assert "outbox" in finding(place, "mail").seen


def test_a_relay_that_does_not_answer_is_wrong(opened: Callable[..., Workplace]) -> None:
    place = opened(mail={"host": "127.0.0.1", "port": 9, "security": "none", "sender": "m@school.example"})

    assert finding(place, "mail").state is State.WRONG


def test_nobody_to_send_the_digest_to_is_wrong(opened: Callable[..., Workplace]) -> None:
    place = opened(roles={})

    assert finding(place, "response owner").state is State.WRONG
    assert "Designated Safeguarding Lead (KJS)" in finding(place, "roles").seen


def test_a_source_that_was_never_read_is_noted_and_one_that_fails_is_wrong(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    place = opened(sources=FEEDS)
    assert finding(place, "source feeds").state is State.NOTE

    ran(place, "feeds")
    hands.forward(minutes=15)
    ran(place, "feeds", Outcome.FAILED, error="paper.example refuses us (403)")
    hands.forward(minutes=1)
    found = finding(place, "source feeds")
    assert (found.state, "403" in found.seen) == (State.WRONG, True)


def test_a_job_that_failed_lately_is_noted(place: Workplace, hands: Hands) -> None:
    with place.store.write() as connection:
        number = journal.start(connection, "daily", planned=hands(), now=hands())
        journal.finish(connection, number, now=hands(), error="the database is locked")
    hands.forward(hours=1)

    assert "the database is locked" in finding(place, "job daily").seen
