"""A post and its copies are one story."""

from __future__ import annotations

from reports.stories import Stories
from tests.reports.material import at, judged, stored


def test_copies_belong_to_the_first_and_the_oldest_at_hand_is_the_face() -> None:
    first, copy, other = (
        stored(number, "same words", judged("PRAISE"), seen=at(22, hour)) for number, hour in ((1, 9), (2, 8), (3, 10))
    )

    stories = Stories.of({1: (2, 50)}, (first, other, copy))

    assert stories.first(2) == 1
    assert stories.first(3) == 3
    assert stories.size(1) == 3  # one copy is not at hand, but it is counted
    assert stories.size(3) == 1
    assert stories.members(1) == (copy, first)
    assert stories.face(1) == copy


def test_a_mention_that_is_handed_in_twice_is_counted_once() -> None:
    first = stored(1, "words", judged("PRAISE"), seen=at(22, 9))

    assert Stories.of({}, (first, first)).size(1) == 1
