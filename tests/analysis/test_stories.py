from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analysis.stories import Seen, Told, stories

LONG = "Half the toilets at King James's in Knaresborough are locked again and nobody answers my emails about it"


def told(number: int, text: str, repost_of: str | None = None) -> Told:
    return Told(id=number, text=text, key=("x", f"n{number}"), repost_of=repost_of)


def test_the_same_words_with_other_case_links_and_handles_are_one_story() -> None:
    posts = [
        told(1, LONG),
        told(2, f"RT @somebody {LONG.upper()} https://example.org/x?y=1"),
        told(3, LONG + "!!"),
    ]

    assert stories(posts) == {1: (2, 3)}


def test_a_repost_belongs_to_its_original_whatever_it_says() -> None:
    assert stories([told(1, LONG), told(2, "", repost_of="n1")]) == {1: (2,)}


def test_a_lightly_edited_article_is_a_copy_and_another_article_is_not() -> None:
    other = "The choir of Boroughbridge High School sang at the hospice and raised three hundred pounds"

    assert stories([told(1, LONG), told(2, f"Update: {LONG} today"), told(3, other)]) == {1: (2,), 3: ()}


def test_short_posts_are_copies_only_word_for_word() -> None:
    posts = [told(1, "KJS toilets locked"), told(2, "KJS gates locked"), told(3, "kjs toilets LOCKED")]

    assert stories(posts) == {1: (3,), 2: ()}


def test_a_repost_of_something_unknown_is_a_story_of_its_own() -> None:
    assert stories([told(1, LONG, repost_of="n99")]) == {1: ()}


def test_posts_without_words_are_not_copies_of_one_another() -> None:
    assert stories([told(1, ""), told(2, "!!!")]) == {1: (), 2: ()}


def test_what_resembles_a_known_story_joins_it_under_its_number() -> None:
    seen = Seen()
    seen.story_of(Told(id=70, text=LONG, key=("x", "n70"), story=12))

    assert seen.story_of(told(81, f"Update: {LONG} today")) == 12
    assert seen.story_of(told(82, "", repost_of="n70")) == 12
    assert seen.story_of(told(83, LONG.upper())) == 12
    assert seen.story_of(told(84, "The choir of Boroughbridge High School sang at the hospice on Friday")) == 84


def test_a_copy_is_found_wherever_three_in_five_of_its_sequences_agree() -> None:
    words = LONG.split()
    found = 0
    for place in range(len(words)):
        changed = [*words[:place], "indeed", *words[place + 1 :]]
        found += len(stories([told(1, LONG), told(2, " ".join(changed))])) == 1

    assert found == len(words)


@given(st.lists(st.text(max_size=80), max_size=25))
def test_every_post_stands_in_exactly_one_story(texts: list[str]) -> None:
    found = stories([told(number, text) for number, text in enumerate(texts)])

    members = [number for first, copies in found.items() for number in (first, *copies)]
    assert sorted(members) == list(range(len(texts)))
    assert all(copy > first for first, copies in found.items() for copy in copies)
