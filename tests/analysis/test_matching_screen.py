from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.matching import Gate, Post
from analysis.matching.screen import AT_ONCE, Screen
from monitor.policy.schools import Schools
from monitor.records import Relevance

GATE = Gate(Schools.read(Path(__file__).parents[2] / "policy" / "schools.toml"))

HOSTILE = (
    "\0", "\ud800", "\udfff", "\u202e", "\u200b", "\u0336", "\ufeff", "\x1f", "\x85", "\u2028", "'", "\u2019",
    "_", " ", "#", "@", "-", ".", "\U0001f451", "\u0130", "\u00df", "\ufb01", "http://x.example/",
)  # fmt: skip
NAMES = (
    "King James's School", "Kings James", "KJS", "K J S", "k.j.s", "BHS", "BBHS", "Boroughbridge High",
    "Boroughbrige High", "#KJSKnaresborough", "\U0001d40a\U0001d409\U0001d412", "\uff22\uff28\uff33",
    "\u041aJS",
    "king-james.co.uk", "HG5 8EB", "Knaresborough", "Knarsborough", "Boroughbridge", "the high school",
    "both schools", "that school", "the federation", "toilets", "year 9", "knife", "Almondbury", "harrogate",
)  # fmt: skip


def test_only_posts_that_name_a_school_or_a_town_pass() -> None:
    texts = ["nothing here", "KJS", "", "old friends in Knaresborough", "so tired", "k\u200bj s"]

    assert GATE.screen(texts) == [1, 3, 5]


def test_no_posts_are_no_work() -> None:
    assert GATE.screen([]) == []


def test_places_are_right_over_many_texts() -> None:
    texts = ["plain text"] * (2 * AT_ONCE + 7)
    for place in (0, AT_ONCE - 1, AT_ONCE, 2 * AT_ONCE + 6):
        texts[place] = "at BHS" if place % 2 else "caf\u00e9 K\u0336J\u0336S"

    assert GATE.screen(texts) == [0, AT_ONCE - 1, AT_ONCE, 2 * AT_ONCE + 6]


def test_what_separates_texts_may_stand_in_them() -> None:
    assert GATE.screen(["a\0b", "K\0J\0S", "\0"]) == [1]


def test_a_name_does_not_reach_from_one_text_into_the_next() -> None:
    assert Screen(["kjs"]).passing(["k", "js", "kj", "s"]) == []


@settings(max_examples=300)
@given(st.lists(st.sampled_from(NAMES + HOSTILE) | st.text(max_size=4), max_size=8).map("".join))
def test_nothing_is_screened_out_that_would_be_kept(text: str) -> None:
    kept = GATE.decide(Post(text=text)).relevant is not Relevance.NO

    assert not kept or GATE.screen(["before", text, "after"]) == [1]


@settings(max_examples=200)
@given(
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
    st.lists(st.sampled_from(HOSTILE), min_size=3, max_size=3),
)
def test_what_stands_around_a_post_is_screened_with_it(text: str, title: str, community: str, signs: list[str]) -> None:
    post = Post(text=text + signs[0], title=title + signs[1], community=community + signs[2])
    kept = GATE.decide(post).relevant is not Relevance.NO

    assert not kept or GATE.screen([f"{post.text}\n{post.title}\n{post.community}"]) == [0]


@pytest.mark.parametrize(
    "text",
    [
        "kjs " * 250_000,
        "#" + "kjs" * 333_333,
        "\0" * 1_000_000,
        "\ud800" * 1_000_000,
        "\u202ekjs" * 250_000,
        "K\u0336" * 500_000,
        "k j s " * 166_666,
        "king james " * 90_000,
        "boroughbridgehig " * 58_000,
        "http://" * 142_857,
    ],
    ids=[
        "name",
        "tag",
        "nul",
        "surrogate",
        "override",
        "zalgo",
        "letters",
        "two words",
        "misspelt",
        "address",
    ],
)
def test_a_megabyte_of_malice_is_decided_like_any_post(text: str) -> None:
    decision = GATE.decide(Post(text=text))

    assert decision.schools in {(), ("BHS",), ("KJS",)}
    assert decision.relevant is not Relevance.NO or decision.drop_reason
