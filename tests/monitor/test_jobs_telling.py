"""A story goes on for days: its number and its beginning stay with each mention, whatever else is erased."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.jobs.daily import gather, window_for
from monitor.jobs.judge import judge_pending
from monitor.jobs.telling import Storyline
from monitor.records import Window
from monitor.store import mentions
from reports.daily import build
from tests.monitor.conftest import Hands, judgement, record, stored

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.jobs.workplace import Workplace
    from monitor.records import StoredMention
    from reports.daily import DailyView

TOILETS = "Half the toilets at King James's in Knaresborough are locked AGAIN and nobody answers my emails, what a joke"
CHOIR = "The choir of King James's School in Knaresborough sang at the hospice on Friday and everybody cried"


def tell(place: Workplace, number: int, text: str, **more: object) -> int:
    """Store one post of today, judge it and give it its story; return its id."""
    key = stored(place, number, text, **more)
    record(place, key, judgement())
    with place.store.write() as connection:
        Storyline(connection, place.clock()).join(connection, list(mentions.by_number(connection, [key]).values()))
    return key


def known(place: Workplace, number: int) -> StoredMention:
    with place.store.read() as connection:
        return mentions.by_number(connection, [number])[number]


def story(place: Workplace, number: int) -> tuple[int, datetime | None]:
    one = known(place, number)
    return one.story, one.story_began


def digest(place: Workplace, hands: Hands) -> DailyView:
    with place.store.read() as connection:
        return build(gather(place, connection, window_for(place, hands.now)))


def test_a_copy_of_another_day_joins_the_story_and_knows_when_it_began(place: Workplace, hands: Hands) -> None:
    began = hands.now
    first = tell(place, 1, TOILETS)
    hands.forward(days=2)
    copy, other = tell(place, 2, f"Update: {TOILETS}"), tell(place, 3, CHOIR)

    assert story(place, copy) == (first, began)
    assert story(place, other) == (other, hands.now)


def test_a_story_outlives_the_post_that_began_it(place: Workplace, hands: Hands) -> None:
    began = hands.now
    first = tell(place, 1, TOILETS)
    hands.forward(days=1)
    second = tell(place, 2, TOILETS)
    with place.store.write() as connection:
        mentions.erase(connection, [first], now=hands.now, why="gone at the source", forget=frozenset({"feeds"}))
    hands.forward(days=1)

    assert story(place, tell(place, 3, TOILETS)) == (first, began)
    assert story(place, second) == (first, began)


def test_after_a_week_of_silence_the_same_words_are_a_new_story_but_a_repost_is_not(
    place: Workplace, hands: Hands
) -> None:
    first = tell(place, 1, TOILETS)
    hands.forward(days=8)
    again, repost = tell(place, 2, TOILETS), tell(place, 3, "", repost_of="n1")

    assert story(place, again)[0] == again
    assert story(place, repost)[0] == first


def test_an_edited_post_stays_in_its_story(place: Workplace) -> None:
    first = tell(place, 1, TOILETS)
    with place.store.write() as connection:
        Storyline(connection, place.clock()).join(connection, list(mentions.by_number(connection, [first]).values()))

    assert story(place, first)[0] == first


def test_no_story_is_new_in_two_digests(place: Workplace, hands: Hands) -> None:
    """Monday it is new, Tuesday it is "day 2, +1", and on a day without a copy it is not there at all."""
    hands.now = hands.now.replace(hour=8)
    tell(place, 1, TOILETS)
    hands.forward(days=1, hours=-0.5)
    first = digest(place, hands)
    hands.forward(hours=2)
    tell(place, 2, TOILETS)
    tell(place, 3, CHOIR)
    hands.forward(days=1, hours=-2)
    second = digest(place, hands)
    hands.forward(days=1)
    third = digest(place, hands)

    assert ([one.quote[:16] for one in first.stories], first.continuing) == (["“Half the toilet"], ())
    assert [one.quote[:16] for one in second.stories] == ["“The choir of Ki"]
    assert [one.quote[:16] for one in second.continuing] == ["“Half the toilet"]
    assert second.continuing[0].about.startswith("Day 2, +1 · ")
    assert (third.stories, third.continuing) == ((), ())


def test_many_mentions_of_a_day_keep_their_own_stories(place: Workplace) -> None:
    """A batch after a batch in one round: the second knows the stories of the first."""
    keys = [stored(place, number, f"{TOILETS} {'x' * number}") for number in range(3)]
    with place.store.write() as connection:
        line = Storyline(connection, place.clock())
        found = mentions.by_number(connection, keys)
        told = line.join(connection, [found[keys[0]]]) | line.join(connection, [found[keys[1]], found[keys[2]]])

    assert set(told.values()) == {keys[0]}
    with place.store.read() as connection:
        window = Window(start=place.clock(), end=place.clock().replace(hour=23))
        assert {one.story for one in mentions.between(connection, window)} == {keys[0]}


def test_a_search_that_gives_the_newest_first_still_begins_a_story_with_its_original(
    place: Workplace, hands: Hands
) -> None:
    copy = stored(place, 1, f"{TOILETS} https://pics.example/1", published=hands.now)
    original = stored(place, 2, TOILETS, published=hands.now - timedelta(hours=2))

    (case,) = judge_pending(place)

    assert case.mention_id == original
    assert story(place, copy)[0] == original
