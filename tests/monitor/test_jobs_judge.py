"""Judging opens cases, one a story, and gives restricted ones to their readers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.jobs.alerts import raise_alerts
from monitor.jobs.casework import Act, Doing, act
from monitor.jobs.judge import judge_pending, readers_of
from monitor.jobs.replay import replay
from monitor.jobs.retention import retain
from monitor.records import CaseState, Severity, Window
from monitor.store import cases, mentions, outbox
from tests.monitor.conftest import Hands, judgement, record, stored

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from monitor.jobs.workplace import Workplace
    from monitor.records import Case

KNIFE = "I'm bringing a knife to King James's School in Knaresborough tomorrow, just wait and see what happens"
TOILETS = "Half the toilets at King James's in Knaresborough are locked AGAIN and nobody answers my emails, what a joke"


def open_cases(place: Workplace) -> tuple[Case, ...]:
    with place.store.read() as connection:
        return cases.still_open(connection)


def queued(place: Workplace, hands: Hands) -> dict[str, str]:
    """Return recipient -> message id of the newest messages in the outbox."""
    with place.store.read() as connection:
        return {m.recipient: m.message_id for m in outbox.due(connection, hands.now)}


def test_a_threat_opens_a_case_for_the_headteacher_that_is_due_in_a_quarter_of_an_hour(
    place: Workplace, hands: Hands
) -> None:
    stored(place, 1, KNIFE)

    (case,) = judge_pending(place)

    assert (case.category, case.severity, case.owner) == ("THREAT_VIOLENCE", Severity.P0, "headteacher")
    assert case.due is not None
    assert (case.due - hands.now).total_seconds() == 15 * 60
    assert case.reference == "KJS-0001"


def test_judging_again_opens_nothing_twice(place: Workplace) -> None:
    stored(place, 1, KNIFE)

    assert len(judge_pending(place)) == 1
    assert judge_pending(place) == ()


def test_a_storm_of_copies_is_one_case(place: Workplace) -> None:
    for number in range(40):
        stored(place, number, f"RT @account{number} {TOILETS} https://t.example/{number}")

    assert len(judge_pending(place)) == 1


def test_a_copy_that_arrives_days_later_joins_the_case(place: Workplace, hands: Hands) -> None:
    stored(place, 1, TOILETS)
    judge_pending(place)
    hands.forward(days=2)
    stored(place, 2, TOILETS)

    assert judge_pending(place) == ()
    hands.forward(days=7)
    stored(place, 3, TOILETS)
    assert len(judge_pending(place)) == 1


def test_the_same_threat_to_the_other_school_is_that_schools_own_case(place: Workplace) -> None:
    """One story, two headteachers: each is told."""
    stored(place, 1, "I'm bringing a knife to King James's School in Knaresborough tomorrow, you'll see")
    stored(place, 2, "I'm bringing a knife to Boroughbridge High School in Boroughbridge tomorrow, you'll see")
    stored(place, 3, "RT I'm bringing a knife to Boroughbridge High School in Boroughbridge tomorrow, you'll see")

    assert [case.schools for case in judge_pending(place)] == [("KJS",), ("BHS",)]


def test_a_restricted_category_keeps_its_readers_even_where_it_comes_second(place: Workplace) -> None:
    readers, restricted = readers_of(place, judgement(category="BULLYING", also=("SELF_HARM",)))

    assert (readers, restricted) == (("dsl",), True)
    assert readers_of(place, judgement(category="BULLYING"))[1] is False


def test_no_score_is_stored_for_a_source_whose_terms_forbid_it(place: Workplace) -> None:
    number = stored(place, 1, TOILETS, source="x", native_id="1")
    judge_pending(place)

    with place.store.read() as connection:
        judged = mentions.by_number(connection, [number])[number].judgement
    assert judged is not None
    assert (judged.sentiment, judged.sentiment_score) == (None, None)
    assert not any(reason.about == "sentiment" for reason in judged.reasons)


def test_an_alert_goes_to_each_role_once_and_climbs_until_it_is_acknowledged(place: Workplace, hands: Hands) -> None:
    stored(place, 1, KNIFE)
    (case,) = judge_pending(place)

    assert raise_alerts(place) == 2
    assert queued(place, hands).keys() == {"head@school.example", "dsl@school.example"}
    assert raise_alerts(place) == 0

    hands.forward(minutes=15)
    raise_alerts(place)
    assert {"deputy@school.example", "leader@school.example"} <= queued(place, hands).keys()

    act(place, case.reference, Doing(act=Act.ACK, by="A. Colleague"))
    hands.forward(minutes=30)
    assert raise_alerts(place) == 0
    assert "chair@school.example" not in queued(place, hands)


def test_nobody_is_alerted_for_what_can_wait(place: Workplace) -> None:
    stored(place, 1, TOILETS)

    assert len(judge_pending(place)) == 1
    assert raise_alerts(place) == 0


def test_words_are_erased_when_their_severitys_time_is_over_and_the_case_stays(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    place = opened(retention={"P3": 10, "P0": 90})
    short, long = stored(place, 1, TOILETS), stored(place, 2, KNIFE)
    record(place, short, judgement(severity=Severity.P3))
    record(place, long, judgement(severity=Severity.P0))
    hands.forward(days=11)

    assert retain(place) == 1
    with place.store.read() as connection:
        assert mentions.by_number(connection, [short, long]).keys() == {long}


def test_a_sources_own_limit_wins_over_a_longer_one(place: Workplace, hands: Hands) -> None:
    number = stored(place, 1, TOILETS, source="reddit", native_id="t3_1")
    record(place, number, judgement(severity=Severity.P0))
    hands.forward(hours=49)

    assert retain(place) == 1


def test_replay_shows_what_other_rules_would_change_and_stores_nothing(place: Workplace, hands: Hands) -> None:
    number = stored(place, 1, KNIFE)
    record(place, number, judgement(category="NEUTRAL", severity=Severity.P4))
    window = Window(start=hands.now, end=hands.now.replace(hour=10))

    found = replay(place, window, place.policy)

    (change,) = found.changes
    assert (found.judged, change.raised, change.after.severity) == (1, True, Severity.P0)
    with place.store.read() as connection:
        kept = mentions.by_number(connection, [number])[number].judgement
    assert kept is not None
    assert kept.category == "NEUTRAL"
    assert open_cases(place) == ()


def test_a_replay_of_more_than_it_takes_at_once_says_so(
    place: Workplace, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.jobs.replay.MOST", 2)
    window = Window(start=hands.now, end=hands.now.replace(hour=10))
    for number in (1, 2):
        record(place, stored(place, number, f"{TOILETS} {number}"), judgement(category="NEUTRAL", severity=Severity.P4))

    assert replay(place, window, place.policy).whole
    stored(place, 3, KNIFE)
    cut = replay(place, window, place.policy)
    assert (cut.judged, cut.whole) == (2, False)


def test_a_case_is_new_until_somebody_acts(place: Workplace) -> None:
    stored(place, 1, KNIFE)
    judge_pending(place)

    assert [case.state for case in open_cases(place)] == [CaseState.NEW]


def test_a_threat_is_judged_where_words_may_not_be_kept_and_its_words_go_at_once(place: Workplace) -> None:
    """LinkedIn lets us keep id and link only: the case is opened, and not a word stays."""
    number = stored(place, 1, KNIFE, source="linkedin", native_id="urn:li:share:1")

    (case,) = judge_pending(place)

    with place.store.read() as connection:
        kept = mentions.by_number(connection, [number])[number]
    assert case.severity is Severity.P0
    assert (kept.mention.text, kept.mention.title) == ("", "")
    assert kept.judgement is not None
    assert all(reason.text == "" for reason in kept.judgement.reasons)
