from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.text import fold


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("KJS toilets", "kjs toilets"),
        ("\U0001d40a\U0001d409\U0001d412", "kjs"),  # mathematical bold
        ("\uff2b\uff2a\uff33", "kjs"),  # full width
        ("\u24c0\u24d9\u24e2", "kjs"),  # circled
        ("\U0001f17a\U0001f179\U0001f182", "kjs"),  # white on black squares
        ("\u1d0b\u1d0a\ua731", "kjs"),  # small capitals
        ("\u041a\u0408\u0405", "kjs"),  # Cyrillic look-alikes
        ("\u039aing J\u03b1mes", "king james"),  # Greek look-alikes
        ("K\u200bJ\u00adS\ufeff", "kjs"),  # nothing to see between them
        ("\u202eKJS\u202c", "kjs"),  # right-to-left override
        ("K\u0336J\u0336S\u0336", "kjs"),  # struck through
        ("Knaresboro\u0301\u0302\u0303ugh", "knaresborough"),  # stacked marks
        ("kjs_exposed", "kjs exposed"),
        ("two  words\n\n and\ttabs", "two words and tabs"),
        ("non\u00a0breaking\u2003spaces", "non breaking spaces"),
        ("a\0b", "ab"),
        ("a\ud800b", "a\ufffdb"),
        ("\u201cquoted\u201d \u2013 dashed\u2026", '"quoted" - dashed...'),
        ("KJS\u2122", "kjs"),
        ("", ""),
    ],
)
def test_every_style_of_writing_becomes_plain(written: str, plain: str) -> None:
    assert fold(written).text == plain


@pytest.mark.parametrize("apostrophe", list("'`\u00b4\u2018\u2019\u201b\u02bc\u02b9\u2032\uff07\ua78c"))
def test_all_apostrophes_are_one(apostrophe: str) -> None:
    assert fold(f"King James{apostrophe}s").text == "king james's"


@pytest.mark.parametrize(
    ("tag", "plain"),
    [
        ("#BoroughbridgeHigh", "#boroughbridge high"),
        ("#KJSKnaresborough", "#kjs knaresborough"),
        ("#BHSYear11Prom", "#bhs year 11 prom"),
        ("@KJS_Knaresborough", "@kjs knaresborough"),
        ("#KJSs", "#kjss"),
        ("#Year11b", "#year 11b"),
        ("#kjsknaresborough", "#kjsknaresborough"),
        ("someone@Example", "someone@example"),
    ],
)
def test_hashtags_and_handles_are_split_where_case_or_digits_change(tag: str, plain: str) -> None:
    assert fold(tag).text == plain


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("K J S is shut", "kjs is shut"),
        ("k.j.s. is shut", "kjs. is shut"),
        ("K. J. S. is shut", "kjs. is shut"),
        ("K-J-S", "kjs"),
        ("k*i*l*l", "kill"),
        ("k i l l  h i m", "kill him"),
        ("u r a legend", "u r a legend"),
        ("y r u so x", "y r u so x"),
        ("plan B or C", "plan b or c"),
        ("A, B, C", "a, b, c"),
    ],
)
def test_letters_one_by_one_are_joined_unless_they_are_words_of_a_chat(written: str, plain: str) -> None:
    assert fold(written).text == plain


def test_a_span_leads_back_to_the_words_as_they_were_given() -> None:
    written = "at \U0001d40a\u200b\U0001d409 \U0001d412  in #KnaresboroughTown"
    folded = fold(written)
    start = folded.text.index("knaresborough")

    first, last = folded.span(start, start + len("knaresborough"))

    assert written[first:last] == "Knaresborough"


def test_plain_text_needs_no_way_back() -> None:
    assert fold("Plain old text, isn't it?").origins is None


@given(st.text(alphabet=st.characters()))
def test_any_text_folds_and_every_offset_leads_into_it(text: str) -> None:
    """Lone surrogates and control characters included."""
    folded = fold(text)

    folded.text.encode()
    for place in range(len(folded.text)):
        start, end = folded.span(place, place + 1)

        assert 0 <= start < end <= len(text)


@given(st.text(alphabet=st.characters()))
def test_folded_text_holds_nothing_invisible(text: str) -> None:
    assert not {unicodedata.category(char) for char in fold(text).text} & {"Mn", "Me", "Cf", "Cc", "Cs"}


@given(st.text(alphabet=st.characters(codec="ascii")), st.text(alphabet=st.characters(codec="ascii")))
def test_the_quick_way_and_the_thorough_one_agree(before: str, after: str) -> None:
    """A character that shows nothing forces the thorough way, and changes nothing else."""
    assert fold(f"{before}word{after}").text == fold(f"{before}wo\u2060rd{after}").text


@given(st.text(alphabet=st.characters()), st.text(alphabet=st.characters()))
def test_offsets_never_run_backwards(one: str, other: str) -> None:
    folded = fold(one + other)
    starts = [folded.span(place, place + 1)[0] for place in range(len(folded.text))]

    assert starts == sorted(starts)


@pytest.mark.parametrize("piece", ["\u00e9", "K J S ", "#aB", "\u200b", "a-", "\0", "\ud800", "\U0001f451"])
def test_a_million_characters_fold(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))

    assert len(fold(text).text) <= 2 * len(text)
