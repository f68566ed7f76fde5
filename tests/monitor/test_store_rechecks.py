"""Which posts wait to be asked for again, and what an answer changes; a re-check is not a reading."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.records import Judgement, Outcome, Purpose, Relevance, Run, Spent, StoredMention, Window
from monitor.store import figures, mentions, rechecks, runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.store.engine import Store
    from monitor.store.mentions import Arrival
    from monitor.store.rechecks import Waiting

    Arriving = Callable[..., Arrival]

HOUR = timedelta(hours=1)


def take(store: Store, now: datetime, *arrivals: Arrival) -> None:
    with store.write() as connection:
        mentions.take(connection, arrivals, now=now, articles=frozenset())


def waiting(store: Store, before: datetime, *, after: Waiting | None = None, limit: int = 10) -> list[str]:
    with store.read() as connection:
        found = rechecks.waiting(connection, "mastodon", seen_before=before, after=after, limit=limit)
    return [one.native_id for one in found]


def confirm(store: Store, now: datetime, *arrivals: Arrival) -> int:
    with store.write() as connection:
        return rechecks.confirm(connection, arrivals, now=now)


def only(store: Store, now: datetime) -> StoredMention:
    with store.read() as connection:
        (found,) = mentions.between(connection, Window(start=now - HOUR, end=now + 100 * HOUR))
    return found


def test_posts_wait_oldest_first_and_each_source_for_itself(store: Store, arrival: Arriving, now: datetime) -> None:
    take(store, now + HOUR, arrival("later"))
    take(store, now, arrival("first"), arrival("second"), arrival("elsewhere", source="bluesky"))
    take(store, now + 2 * HOUR, arrival("fresh"))

    assert waiting(store, now + 2 * HOUR) == ["first", "second", "later"]
    assert waiting(store, now) == []


def test_batches_follow_one_another_without_gap_or_repetition(store: Store, arrival: Arriving, now: datetime) -> None:
    for hour in range(3):
        take(store, now + hour * HOUR, arrival(f"{hour}a"), arrival(f"{hour}b"), arrival(f"{hour}c"))
    found: list[str] = []
    last: Waiting | None = None
    while True:
        with store.read() as connection:
            batch = rechecks.waiting(connection, "mastodon", seen_before=now + 9 * HOUR, after=last, limit=2)
        if not batch:
            break
        found += [one.native_id for one in batch]
        last = batch[-1]

    assert found == [f"{hour}{letter}" for hour in range(3) for letter in "abc"]


def test_a_post_that_stands_moves_its_last_seen_and_nothing_else(
    store: Store, arrival: Arriving, now: datetime
) -> None:
    take(store, now, arrival())
    before = only(store, now)

    assert confirm(store, now + HOUR, arrival(channel="another")) == 0
    after = only(store, now)
    assert after.last_seen == now + HOUR
    assert (after.mention, after.first_seen, after.also_in) == (before.mention, before.first_seen, ())


def test_an_edited_post_takes_its_words_over_and_loses_its_judgement(
    store: Store, arrival: Arriving, now: datetime
) -> None:
    take(store, now, arrival(text="King James's School, one"))
    judged = Judgement(
        relevant=Relevance.YES,
        schools=("KJS",),
        sentiment=None,
        sentiment_score=None,
        category="NEUTRAL",
        also=(),
        severity=None,
        owner="response_owner",
        clauses=(),
        reasons=(),
        policy_version="v1",
    )
    with store.write() as connection:
        mentions.record(connection, [(only(store, now).id, judged)], now=now)

    assert confirm(store, now + HOUR, arrival(text="King James's School, two", edited=now)) == 1
    found = only(store, now)
    assert (found.mention.text, found.mention.edited) == ("King James's School, two", now)
    assert found.judgement is None
    with store.read() as connection:
        assert [one.id for one in mentions.pending(connection, 10)] == [found.id]


def test_a_recheck_adds_nothing_that_is_not_here(store: Store, arrival: Arriving, now: datetime) -> None:
    take(store, now, arrival())
    confirm(store, now, arrival("never seen"), arrival("1", source="bluesky"))

    assert only(store, now).mention.native_id == "1"
    assert confirm(store, now) == 0


def test_a_recheck_is_in_the_ledger_and_in_the_list_of_runs_and_is_no_reading(store: Store, now: datetime) -> None:
    span = Window(start=now, end=now + HOUR)
    made = Run(
        source="mastodon",
        started=now,
        ended=now,
        window=Window(start=now, end=now),
        purpose=Purpose.RECHECK,
        outcome=Outcome.COMPLETE,
        seen=3,
        gone=1,
        spent=Spent(calls=3),
    )
    with store.write() as connection:
        runs.add(connection, made)

    with store.read() as connection:
        assert runs.between(connection, span) == (made,)
        assert runs.spent(connection, "mastodon", now) == Spent(calls=3)
        assert runs.latest(connection, "mastodon", purpose=Purpose.RECHECK) == made
        assert runs.latest(connection, "mastodon") is None
        assert runs.latest_complete(connection, "mastodon") is None
        assert runs.complete_starts(connection, span) == ()
        assert figures.readings(connection, span) == ()
