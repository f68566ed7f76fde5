"""The weekly report's figures are counts, and they are right on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from monitor.records import CaseState, Judgement, Outcome, Relevance, Run, Sentiment, Severity, Window
from monitor.store import cases, figures, mentions, runs
from monitor.store.figures import Reading, Tally

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import sqlalchemy as sa

    from monitor.store.engine import Store
    from monitor.store.mentions import Arrival

    Arriving = Callable[..., Arrival]

DAY = timedelta(days=1)


def judgement(**changes: Any) -> Judgement:  # noqa: ANN401
    fields: dict[str, Any] = {
        "relevant": Relevance.YES,
        "schools": ("KJS",),
        "sentiment": Sentiment.POSITIVE,
        "sentiment_score": 0.5,
        "category": "PRAISE",
        "also": (),
        "severity": Severity.P4,
        "owner": "response_owner",
        "clauses": ("2.10",),
        "reasons": (),
        "policy_version": "v1",
    }
    return Judgement(**(fields | changes))


def take(connection: sa.Connection, now: datetime, *arrivals: Arrival) -> None:
    mentions.take(connection, arrivals, now=now, articles=frozenset({"feeds"}))


def judge(connection: sa.Connection, now: datetime, native_id: str, made: Judgement) -> None:
    (number,) = mentions.numbers_of(connection, [("mastodon", native_id)])
    mentions.record(connection, [(number, made)], now=now)


def test_mentions_are_counted_by_school_category_and_tone(store: Store, arrival: Arriving, now: datetime) -> None:
    with store.write() as connection:
        take(connection, now, *(arrival(str(number)) for number in range(6)))
        for number in "01":
            judge(connection, now, number, judgement())
        judge(connection, now, "2", judgement(schools=("BHS", "KJS")))
        judge(connection, now, "3", judgement(sentiment=None, sentiment_score=None))
        judge(connection, now, "4", judgement(relevant=Relevance.NO, severity=None, category="NOT_RELEVANT"))
        take(connection, now + DAY, arrival("later"))
        found = figures.tallies(connection, Window(start=now, end=now + DAY))
    assert set(found) == {
        Tally(schools=("KJS",), category="PRAISE", sentiment="positive", count=2),
        Tally(schools=("BHS", "KJS"), category="PRAISE", sentiment="positive", count=1),
        Tally(schools=("KJS",), category="PRAISE", sentiment="", count=1),
        Tally(schools=(), category="", sentiment="", count=1),
    }
    assert len(found) == 4


def test_only_the_judgement_of_today_is_counted(store: Store, arrival: Arriving, now: datetime) -> None:
    with store.write() as connection:
        take(connection, now, arrival())
        judge(connection, now, "1", judgement())
        judge(connection, now, "1", judgement(category="NEUTRAL", policy_version="v2"))
        found = figures.tallies(connection, Window(start=now, end=now + DAY))
    assert [(tally.category, tally.count) for tally in found] == [("NEUTRAL", 1)]


def case(connection: sa.Connection, opened: datetime, mention_id: int) -> str:
    made = cases.open_case(
        connection,
        mention_id=mention_id,
        category="BULLYING",
        severity=Severity.P2,
        owner="dsl",
        schools=("KJS",),
        opened=opened,
        due=None,
        readers=(),
        restricted=True,
        why="",
    )
    return made.reference


def test_the_cases_of_a_week_are_those_that_were_open_in_it(store: Store, now: datetime) -> None:
    week = Window(start=now, end=now + 7 * DAY)
    with store.write() as connection:
        long_closed, closed, waiting, new, next_week = (
            case(connection, now + DAY * day, number) for number, day in enumerate((-9, -8, -7, 2, 7))
        )
        for reference, day in ((long_closed, -1), (closed, 3)):
            at = now + DAY * day
            cases.add_event(connection, reference, at=at, by="dsl", what="c", why="", state=CaseState.CLOSED)
        found = [case.reference for case in figures.cases_touched(connection, week)]
    assert found == [closed, waiting, new]
    assert next_week not in found


def test_readings_are_complete_runs_with_what_they_read(store: Store, now: datetime) -> None:
    def run(started: datetime, outcome: Outcome) -> Run:
        read = Window(start=started - DAY, end=started)
        return Run(source="feeds", started=started, ended=started, window=read, outcome=outcome)

    with store.write() as connection:
        for made in (run(now, Outcome.COMPLETE), run(now, Outcome.FAILED), run(now - DAY, Outcome.PARTIAL)):
            runs.add(connection, made)
        found = figures.readings(connection, Window(start=now, end=now + DAY))
        assert found == (Reading(source="feeds", started=now, window=Window(start=now - DAY, end=now)),)
        assert figures.first_run(connection, "feeds") == now - DAY
        assert figures.first_run(connection, "pages") is None
