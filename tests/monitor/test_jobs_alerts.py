"""Who is alerted when, by what, and what waits: a story alerts the same person once within the pause."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

import pytest

from monitor.jobs.alerts import raise_alerts
from monitor.jobs.casework import Act, Doing, act
from monitor.jobs.judge import open_for
from monitor.records import Severity
from monitor.store import mentions, outbox, stories
from tests.monitor.conftest import judgement, stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.jobs.workplace import Workplace
    from monitor.records import Case
    from tests.monitor.conftest import Hands

FIGHT = "Invented words about a fight behind the hall of an invented school, told again and again by many"


@pytest.fixture
def place(opened: Callable[..., Workplace]) -> Workplace:
    """A workplace whose DSL has a channel as well."""
    return opened(channels={"schools": {code: {"dsl": ["CHANNEL_DSL"]} for code in ("KJS", "BHS")}})


def told(place: Workplace, number: int, *, story: int | None = None) -> int:
    """Store a post that tells a story, its own by default; return its number."""
    found = stored(place, number, FIGHT)
    with place.store.write() as connection:
        stories.assign(connection, {found: (story or found, place.clock())})
    return found


def case_of(place: Workplace, mention: int, severity: Severity = Severity.P1, school: str = "KJS") -> Case:
    """Open the case of a post, owned by the headteacher."""
    judged = judgement(category="FIGHT_DISORDER", severity=severity, schools=(school,), owner="headteacher")
    with place.store.write() as connection:
        return open_for(place, connection, mentions.by_number(connection, [mention])[mention], judged)


def alerts(place: Workplace) -> list[tuple[str, str]]:
    """(recipient, subject) of everything in the outbox, by mail and by channel."""
    with place.store.read() as connection:
        found = [
            message
            for carrier in (outbox.MAIL, outbox.CHANNEL)
            for message in outbox.due(connection, place.clock(), carrier=carrier)
        ]
    return [(message.recipient, message.subject) for message in found]


def words_for(place: Workplace, reference: str) -> str:
    """The text of the e-mail about a case, on one line."""
    with place.store.read() as connection:
        (message,) = [m for m in outbox.due(connection, place.clock()) if reference in m.subject]
    body = message_from_bytes(message.content, policy=policy.default).get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


def test_mail_and_channel_of_an_alert_are_written_down_together_and_once(place: Workplace) -> None:
    case_of(place, told(place, 1), Severity.P0)

    assert raise_alerts(place) == 3
    assert raise_alerts(place) == 0
    assert {recipient for recipient, _ in alerts(place)} == {"head@school.example", "dsl@school.example", "CHANNEL_DSL"}


def test_a_copy_waits_for_the_pause_and_the_next_alert_says_how_many_came(place: Workplace, hands: Hands) -> None:
    first = told(place, 1)
    case_of(place, first)
    assert raise_alerts(place) == 1

    hands.forward(minutes=20)
    for number in range(2, 14):
        told(place, number, story=first)
    copy = case_of(place, told(place, 14, story=first))
    assert raise_alerts(place) == 0

    hands.forward(minutes=39)
    assert raise_alerts(place) == 0
    hands.forward(minutes=1)
    assert raise_alerts(place) == 1
    assert "13 more like it since your alert today 09:00." in words_for(place, copy.reference)
    hands.forward(days=1)
    assert raise_alerts(place) == 0


def test_a_copy_that_reads_more_urgent_never_waits(place: Workplace, hands: Hands) -> None:
    first = told(place, 1)
    case_of(place, first)
    raise_alerts(place)
    hands.forward(minutes=1)
    worse = case_of(place, told(place, 2, story=first), Severity.P0)

    assert raise_alerts(place) == 3
    assert {recipient for recipient, subject in alerts(place) if worse.reference in subject} == {
        "head@school.example",
        "dsl@school.example",
        "CHANNEL_DSL",
    }


def test_a_case_that_is_raised_alerts_again_and_one_that_is_opened_again_too(place: Workplace, hands: Hands) -> None:
    case = case_of(place, told(place, 1))
    raise_alerts(place)
    act(place, case.reference, Doing(act=Act.RAISE, by="A", why="a weapon", severity=Severity.P0))
    assert raise_alerts(place) == 3

    act(place, case.reference, Doing(act=Act.ACK, by="A"))
    act(place, case.reference, Doing(act=Act.CLOSE, by="A", why="over"))
    hands.forward(hours=3)
    assert raise_alerts(place) == 0
    act(place, case.reference, Doing(act=Act.REOPEN, by="A", why="not over"))
    assert raise_alerts(place) == 3
    hands.forward(minutes=15)
    assert raise_alerts(place) == 2, "the ladder climbs from when it was opened again"


@pytest.mark.parametrize("severity", [Severity.P0, Severity.P1])
def test_another_story_and_another_schools_copy_never_wait(place: Workplace, severity: Severity) -> None:
    first = told(place, 1)
    case_of(place, first, severity)
    before = raise_alerts(place)
    case_of(place, told(place, 2), severity)
    case_of(place, told(place, 3, story=first), severity, school="BHS")

    assert raise_alerts(place) == 2 * before


def test_a_pause_holds_nobody_back_who_was_not_alerted_yet(place: Workplace, hands: Hands) -> None:
    """The ladder of the copy climbs to those whom the first case never reached."""
    first = told(place, 1)
    act(place, case_of(place, first, Severity.P0).reference, Doing(act=Act.NOTE, by="A", why="seen"))
    raise_alerts(place)
    copy = case_of(place, told(place, 2, story=first), Severity.P0)
    assert raise_alerts(place) == 0
    act(place, "KJS-0001", Doing(act=Act.ACK, by="A"))
    hands.forward(minutes=15)

    assert raise_alerts(place) == 2
    assert {recipient for recipient, subject in alerts(place) if copy.reference in subject} == {
        "deputy@school.example",
        "leader@school.example",
    }


def test_without_a_pause_every_case_alerts_at_once(place: Workplace) -> None:
    escalation = place.policy.escalation
    rules = escalation.model_copy(update={"alerts": escalation.alerts.model_copy(update={"pause_minutes": 0})})
    place = replace(place, policy=replace(place.policy, escalation=rules))
    first = told(place, 1)
    case_of(place, first)
    case_of(place, told(place, 2, story=first))

    assert raise_alerts(place) == 2


def test_a_case_whose_words_are_gone_is_alerted_all_the_same(place: Workplace) -> None:
    mention = told(place, 1)
    case = case_of(place, mention)
    with place.store.write() as connection:
        mentions.erase(connection, [mention], now=place.clock(), why="test", forget=frozenset())

    assert raise_alerts(place) == 1
    assert FIGHT[:20] not in words_for(place, case.reference)
