"""The check-up says what is well and what a person must do, and prints no secret."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.jobs.checkup import Finding, State, check
from monitor.records import Outcome
from monitor.rehearsal.server import Reply, Server, status
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


def test_each_source_that_is_on_is_asked_whether_it_lets_us_in(opened: Callable[..., Workplace]) -> None:
    """One feed that answers is well; one that refuses is wrong, with the cure; nothing is stored."""
    feed = b'<rss version="2.0"><channel><title>P</title></channel></rss>'
    with Server({"/rss": lambda _: Reply(body=feed, headers={"Content-Type": "application/rss+xml"})}) as server:
        feeds = {"feeds": {"feeds": [{"name": "Paper", "url": f"{server.url}/rss"}]}}
        place = opened(sources=feeds, reading={"private_hosts": [server.host]})
        good = next(f for f in check(place, LATELY, ask=True).findings if f.subject == "reaching feeds")
        server.play(status(403), at="/rss")
        bad = next(f for f in check(place, LATELY, ask=True).findings if f.subject == "reaching feeds")

    assert good.state is State.WELL
    assert (bad.state, "credentials" in bad.cure) == (State.WRONG, True)


def test_a_source_whose_calls_cost_money_is_not_asked(opened: Callable[..., Workplace]) -> None:
    x = {"enabled": True, "approval": "Agreement 7"}
    place = opened(sources={"x": x}, secrets={"MONITOR_X_BEARER_TOKEN": "t"})

    found = next(f for f in check(place, LATELY, ask=True).findings if f.subject == "reaching x")
    assert (found.state, "money" in found.seen) == (State.NOTE, True)
