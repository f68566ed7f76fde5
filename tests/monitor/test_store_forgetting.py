"""What is old goes, and what must not come back does not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from monitor.jobs.casework import Act, Doing, act
from monitor.jobs.judge import open_for
from monitor.jobs.retention import retain
from monitor.records import Outcome
from monitor.store import cases, mentions
from monitor.store.mentions import Arrival, Taken
from monitor.store.schema import case_events, job_runs, runs, tombstones
from tests.monitor.conftest import Hands, judgement, ran, record, stored

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitor.jobs.workplace import Workplace
    from monitor.store.engine import Store


def opened_case(place: Workplace, number: int) -> str:
    mention = stored(place, number)
    record(place, mention, judgement())
    with place.store.write() as connection:
        found = mentions.by_number(connection, [mention])[mention]
        assert found.judgement is not None
        return open_for(place, connection, found, found.judgement).reference


def test_after_a_year_what_is_closed_sent_or_over_goes_and_no_reference_comes_twice(
    place: Workplace, hands: Hands
) -> None:
    """PR07: metadata is kept twelve months."""
    for number in (1, 2, 3):
        reference = opened_case(place, number)
        if number != 2:
            act(place, reference, Doing(act=Act.CLOSE, by="A", why="done"))
    ran(place, "feeds", Outcome.COMPLETE)
    hands.forward(days=366)
    retain(place)
    with place.store.read() as connection:
        assert cases.get(connection, "KJS-0001") is None
        assert cases.get(connection, "KJS-0002") is not None, "it is still open"
        assert cases.get(connection, "KJS-0003") is not None, "references count on from the newest"
        assert connection.scalar(sa.select(sa.func.count()).select_from(runs)) == 0
        assert connection.scalar(sa.select(sa.func.count()).select_from(job_runs)) == 0
        kept = set(connection.scalars(sa.select(case_events.c.case_id)))
    assert kept == {2, 3}
    assert opened_case(place, 4) == "KJS-0004"


def test_a_case_that_somebody_touched_within_the_year_stays(place: Workplace, hands: Hands) -> None:
    reference = opened_case(place, 1)
    opened_case(place, 2)
    hands.forward(days=200)
    act(place, reference, Doing(act=Act.CLOSE, by="A", why="done"))
    hands.forward(days=200)
    retain(place)
    with place.store.read() as connection:
        assert cases.get(connection, reference) is not None


def test_a_tombstone_stays_as_long_as_its_post_comes_again(
    store: Store, arrival: Callable[..., Arrival], now: datetime
) -> None:
    """A feed may list an article for years: it must not come back on the ninety-first day after it was erased."""
    day = timedelta(days=1)

    def come(moment: datetime, *posts: Arrival) -> Taken:
        with store.write() as connection:
            taken = mentions.take(connection, posts, now=moment, articles=frozenset({"feeds"}))
            mentions.forget_tombstones(connection, before=moment - 90 * day)
        return taken

    listed = arrival("a", source="feeds", url="https://paper.example/a")
    rare = arrival("b", source="feeds", url="https://paper.example/b")
    come(now, listed, rare)
    with store.write() as connection:
        numbers = mentions.numbers_of(connection, [("feeds", "a"), ("feeds", "b")])
        mentions.erase(connection, numbers, now=now, why="test", forget=frozenset())
    for week in range(1, 40):
        assert come(now + 7 * week * day, listed) == Taken()
    assert come(now + 300 * day, rare) == Taken(new=1)
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tombstones)) == 2
