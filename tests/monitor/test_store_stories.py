"""Stories, written-down days and late mail, on both databases."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from monitor.records import Window
from monitor.store import figures, mentions, outbox, stories

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitor.store.engine import Store
    from monitor.store.mentions import Arrival

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def take(store: Store, now: datetime, *arrivals: Arrival) -> list[int]:
    """Store mentions first seen at one moment; return their ids."""
    with store.write() as connection:
        mentions.take(connection, arrivals, now=now, articles=frozenset())
        keys = [(one.mention.source, one.mention.native_id) for one in arrivals]
        return sorted(mentions.numbers_of(connection, keys))


def test_a_story_is_known_by_one_mention_told_since_then(
    store: Store, arrival: Callable[..., Arrival], now: datetime
) -> None:
    (first,) = take(store, now - 9 * DAY, arrival("a"))
    second, third = take(store, now - DAY, arrival("b"), arrival("c"))
    take(store, now, arrival("untold"))
    with store.write() as connection:
        stories.assign(connection, dict.fromkeys((first, second, third), (first, now - 9 * DAY)))

    with store.read() as connection:
        (known,) = stories.told_since(connection, now - 7 * DAY)
        (original,) = stories.originals(connection, [("mastodon", "a"), ("mastodon", "untold"), ("x", "a")])
        members = stories.members(connection, [first], before=now)
        before = stories.members(connection, [first], before=now - DAY)

    assert (known.id, known.story, known.began) == (second, first, now - 9 * DAY)
    assert (original.id, original.native_id) == (first, "a")
    assert [one.id for one in members] == [first, second, third]
    assert {(one.story, one.story_began) for one in members} == {(first, now - 9 * DAY)}
    assert [one.id for one in before] == [first]


def test_the_words_of_a_restricted_mention_are_not_compared(
    store: Store, arrival: Callable[..., Arrival], now: datetime
) -> None:
    (number,) = take(store, now, arrival("a"))
    with store.write() as connection:
        stories.assign(connection, {number: (number, now)})
        mentions.restrict(connection, [number], at=now)

    with store.read() as connection:
        assert stories.told_since(connection, now - DAY) == ()
        assert stories.originals(connection, [("mastodon", "a")]) == ()


def test_written_days_are_given_back_and_others_are_missing(store: Store) -> None:
    days = {date(2026, 11, 20): 4, date(2026, 11, 21): 0, date(2026, 11, 25): 9}
    with store.write() as connection:
        figures.write_days(connection, days)
        figures.write_days(connection, {})

    with store.read() as connection:
        found = figures.written_days(connection, date(2026, 11, 20), date(2026, 11, 24))

    assert found == {date(2026, 11, 20): 4, date(2026, 11, 21): 0}


def test_mail_that_left_late_is_found_by_when_it_was_queued(store: Store, now: datetime) -> None:
    message = outbox.OutMessage(
        message_id="<daily.1@x>",
        kind="daily",
        recipient="owner@school.example",
        subject="s",
        content=b"c",
        queued=now,
        next_try=now,
    )
    window = Window(start=now, end=now + DAY)
    with store.write() as connection:
        outbox.queue(connection, message)
        outbox.mark_sent(connection, message, at=now + 6 * HOUR, how="smtp")

    with store.read() as connection:
        (late,) = figures.late_messages(connection, window, HOUR)
        in_time = figures.late_messages(connection, window, 7 * HOUR)

    assert (late.kind, late.queued, late.left) == ("daily", now, now + 6 * HOUR)
    assert in_time == ()
