from __future__ import annotations

import pytest

from analysis.matching import Post
from analysis.matching.evidence import Evidence
from analysis.matching.phrases import ENOUGH, SHARED, Hit, Kind, Phrase, Phrasebook
from analysis.text import Folded, fold

STRONG = "Boroughbridge High School"


def book(*names: str, kind: Kind = Kind.STRONG) -> Phrasebook:
    return Phrasebook(Phrase(text=name, kind=kind, owners=frozenset({number})) for number, name in enumerate(names))


def found(names: Phrasebook, text: str) -> list[str]:
    """Return the words of the text that were found."""
    folded = fold(text)
    return [folded.text[hit.start : hit.end] for hit in names.find(folded)]


def one_edit_away(name: str) -> list[str]:
    """Return `name` with one inner letter missing, doubled, replaced, or swapped with the next."""
    inner = [place for place in range(1, len(name) - 1) if name[place - 1 : place + 2].isalpha()]
    return [
        *(name[:place] + name[place + 1 :] for place in inner),
        *(name[:place] + name[place] + name[place:] for place in inner),
        *(name[:place] + "z" + name[place + 1 :] for place in inner),
        *(
            name[:place] + name[place + 1] + name[place] + name[place + 2 :]
            for place in inner
            if name[place + 1].isalpha()
        ),
    ]


@pytest.mark.parametrize("misspelt", one_edit_away(STRONG))
def test_a_long_name_is_found_with_one_letter_wrong(misspelt: str) -> None:
    assert found(book(STRONG), f"is {misspelt} shut?")


def test_a_long_name_is_not_found_with_three_letters_wrong() -> None:
    assert not found(book(STRONG), "is Burrowbrigde High Skool shut?")


def test_a_short_name_has_to_be_right() -> None:
    assert not found(book("KJS"), "is KJB or KIS shut?")


def test_a_short_word_in_a_long_name_has_to_be_right() -> None:
    assert not found(book("Boroughbridge HS"), "Boroughbridge is lovely")


def test_a_phrase_begins_and_ends_with_words() -> None:
    assert found(book("KJS"), "kjs KJS's, (kjs) kjss #kjsprom #savekjs") == ["kjs"] * 6
    assert not found(book("KJS"), "akjs kjsx xkjsx #xkjsx")


def test_a_phrase_does_not_reach_over_a_sentence_mark() -> None:
    assert not found(book("Boroughbridge High"), "In Boroughbridge, high standards. Boroughbridge. High time.")


def test_signs_between_the_words_of_a_phrase_do_not_matter() -> None:
    assert len(found(book("King James"), "King-James KING \U0001f451 JAMES king_james #King #James")) == 4


def test_words_after_which_a_phrase_means_something_else_are_heeded() -> None:
    town = Phrase(text="Boroughbridge", kind=Kind.TOWN, not_before=frozenset({"road"}))

    assert found(Phrasebook([town]), "Boroughbridge Road or Boroughbridge?") == ["boroughbridge"]


def test_the_same_words_are_one_hit_with_all_their_owners() -> None:
    hits = book("Park School", "park-school").find(fold("the Park School"))

    assert [hit.phrase.owners for hit in hits] == [frozenset({0, 1})]


def test_a_half_that_many_phrases_share_leads_to_none_of_them() -> None:
    """Work stays small on lists with thousands of primary schools: they are found as they are written."""
    towns = [f"{chr(97 + number)}{chr(98 + number)}xton" for number in range(SHARED + 1)]
    names = book(*(f"{town} Community Primary" for town in towns))

    assert found(names, f"at {towns[0]} Community Primary")
    assert not found(names, f"at {towns[0]} Comunity Primary")


class Counting(Phrasebook):
    """A phrasebook that counts how often it reads."""

    reads = 0

    def find(self, folded: Folded) -> list[Hit]:
        """Count, and read."""
        self.reads += 1
        return super().find(folded)


@pytest.mark.parametrize("how_many", [1, 1000])
def test_each_field_of_a_post_is_read_once_whatever_the_number_of_names(how_many: int) -> None:
    names = Counting(Phrase(text=f"Number{number} School", kind=Kind.STRONG) for number in range(how_many))

    Evidence(Post(text="Number0 School " * 100, title="a title", community="a group"), names)

    assert names.reads == 3


@pytest.mark.parametrize("length", [1_000, 20_000])
def test_what_has_to_be_weighed_does_not_grow_with_the_text(length: int) -> None:
    names = book("kjs", "king james", "Boroughbridge High School")
    text = "king james kjs Boroughbridge Hgh School Boroughbridge High School " * (length // 60)

    assert len(names.find(fold(text))) <= 3 * ENOUGH
    assert len(Evidence(Post(text=text), names).clues) <= ENOUGH


def test_words_far_apart_are_no_name() -> None:
    assert not found(book("King James"), "king" + "~" * 1_000_000 + "james")
