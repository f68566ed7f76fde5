"""Slang, leetspeak, stretched and broken words are read in their usual form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.slang import Slang, shape

SLANG = Slang(
    slang={"noods": "nudes", "tmrw": "tomorrow", "gonna": "going to", "im": "i am", "dont": "do not"},
    fillers=["the", "a", "bloody"],
    known=["knife", "suicide", "bring", "please", "shank", "nudes", "stab"],
    disguised=["knife", "suicide", "shank", "nudes"],
)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("im gonna bring a knife tmrw", ("i", "am", "going", "to", "bring", "knife", "tomorrow")),
        ("don't bring the bloody knife", ("do", "not", "bring", "knife")),
        ("kn1fe su1c1d3 n00ds nud3s", ("knife", "suicide", "nudes", "nudes")),
        ("kn*fe sh@nk", ("knife", "shank")),
        ("pleeeease knifeeee", ("please", "knife")),
        ("k n i f e", ("knife",)),
        ("k.n.i.f.e and k-n-1-f-e", ("knife", "and", "knife")),
        ("kn ife su-icide", ("knife", "suicide")),
        ("sir's book", ("sir", "book")),
        ("kjs_exposed", ("kjs", "exposed")),
        ("https://example.org/knife ok", ("ok",)),
    ],
)
def test_words_are_read_in_their_usual_form(written: str, read: tuple[str, ...]) -> None:
    assert SLANG.read(written).words == read


@pytest.mark.parametrize(
    "noise",
    [
        "0x5u1c1d3",
        "0x5u1c1d30x5u1c1d3",
        "3f2b8c1a-574b-4d1e-9c3f-0123456789ab",
        "sha256:57ab.9f86d081884c7d65.57ab",
        "kn1fe+qz7wkxv3bnd81t/n00ds==",
        "eyj0exaioijkv1.57ab.bgrz9kvtpq3xw",
        "9f86d081884c7d65 57abc0ffee",
    ],
)
def test_what_a_machine_wrote_is_no_leetspeak(noise: str) -> None:
    slang = Slang(slang={"noods": "nudes"}, known=["knife", "suicide", "stab", "nudes"], disguised=["suicide", "stab"])

    assert set(slang.read(noise).words).isdisjoint({"knife", "suicide", "stab", "nudes"})


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("su1c1d3 5u1c1de su1c1d3-su1c1d3-su1c1d3", ["suicide"] * 5),
        ("kn1fe/n00ds/su1c1d3.kn1fe", ["knife", "nudes", "suicide", "knife"]),
        ("br1ng-4-kn1fe-t0-sch00l-2026", ["bring", "knife"]),
        ("br1ng4kn1fet0sch00lt0m0rr0w/kn1fe", ["knife"]),
        ("9f86d081884c7d65 su1c1d3", ["suicide"]),
        ("kn1fe, 3f2b8c1a-574b-4d1e-9c3f-0123456789ab", ["knife"]),
        ("3f2b8c1a-574b-4d1e-9c3f-knife", ["knife"]),
    ],
)
def test_people_who_disguise_a_word_are_read_however_they_join_it(written: str, read: list[str]) -> None:
    words = SLANG.read(written).words

    assert [word for word in words if word in {"bring", "knife", "nudes", "suicide"}] == read


def test_two_known_words_are_never_joined() -> None:
    assert Slang(slang={}, known=["the", "rapist", "her"], disguised=["therapist"]).read("the rapist").words == (
        "the",
        "rapist",
    )


def test_emoji_and_question_marks_stand_between_words() -> None:
    wording = SLANG.read("knife? 🔪 now")

    assert wording.marks == (("?", 1, 5), ("🔪", 1, 7))


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("6-0", "score"),
        ("3.15", "clock"),
        ("7pm", "clock"),
        ("£20", "money"),
        ("yr8", "year group"),
        ("y11", "year group"),
        ("47", "number"),
        ("knife", ""),
    ],
)
def test_words_with_digits_are_known_by_their_form(word: str, name: str) -> None:
    assert shape(word) == name


@given(st.text())
def test_every_word_stems_from_its_place_in_the_text(text: str) -> None:
    wording = SLANG.read(text)

    assert len(wording.words) == len(wording.spans)
    assert all(0 <= start < end <= len(text) for start, end in wording.spans)
    assert all(text[start] == mark for mark, _, start in wording.marks)


def test_long_runs_of_disguises_are_read_once_each() -> None:
    wording = SLANG.read("k " * 5000 + "1" * 5000 + "a" + "*" * 5000)

    assert len(wording.words) <= 5002


def test_a_post_full_of_hashes_gives_each_piece_once() -> None:
    wording = SLANG.read("3f2b8c1a-574b-4d1e " * 5000 + "0a-" * 20000)

    assert len(wording.words) == 3 * 5000 + 20000
    assert "stab" not in wording.words
