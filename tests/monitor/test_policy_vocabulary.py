"""The vocabulary: what an editor may write, and what the error says when it cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.errors import ConfigError
from monitor.policy.escalation import Escalation
from monitor.policy.vocabulary import Step, Vocabulary, parsed

POLICY = Path(__file__).parents[2] / "policy"
IDS = ("THREAT_VIOLENCE", "NEUTRAL")

SMALL = """
questions = [["THREAT_VIOLENCE"], ["NEUTRAL"]]
fillers = ["the"]
safety = ["weapon"]

[slang]
tmrw = "tomorrow"

[groups]
weapon = ["knife", "baseball bat"]
arms = ["{weapon}", "axe"]

[slurs]
salt = "s"
hashes = []

[[rules]]
id = "threat.weapon"
category = "THREAT_VIOLENCE"
say = ["bring* .. {arms}"]
unless = ["butter knife"]
why = "somebody brings a weapon"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "vocabulary.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_pattern_is_read_as_chains_of_steps() -> None:
    pattern = parsed("{bring} ..6 big {weapon} & now")

    assert pattern.chains == (
        (Step(group="bring"), Step(phrase="big", gap=6), Step(group="weapon")),
        (Step(phrase="now"),),
    )


def test_two_dots_alone_stand_for_four_words() -> None:
    assert parsed("a .. b").chains[0][1].gap == 4


def test_a_star_ends_a_word_and_the_next_begins_a_step() -> None:
    assert parsed("threat* to kill").chains[0] == (Step(phrase="threat*"), Step(phrase="to kill"))


@pytest.mark.parametrize("bad", ["", "a ..", ".. a", "a & ", "a & & b", "a .. .. b", "{weapon", "st*b", "*"])
def test_a_pattern_that_cannot_be_read_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parsed(bad)


def test_a_group_gives_the_phrases_of_the_groups_inside_it(tmp_path: Path) -> None:
    vocabulary = Vocabulary.read(write(tmp_path, SMALL), IDS)

    assert vocabulary.phrases("arms") == {"knife", "baseball bat", "axe"}


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('category = "THREAT_VIOLENCE"', 'category = "TREAT"', 19, "unknown category 'TREAT'"),
        ("{arms}", "{alms}", 20, "unknown group 'alms'"),
        ('"butter knife"', '"butter {knive}"', 21, "unknown group 'knive'"),
        ('"bring* .. {arms}"', '"bring .."', 20, "an empty part"),
        ('"butter knife"', '" "', 21, "at least 1 character"),
        ('"baseball bat"', '"bat .. ball"', 10, "is not a phrase"),
        ('"{weapon}", "axe"', '"{arms}", "axe"', 11, "contains itself"),
        ('safety = ["weapon"]', 'safety = ["weapons"]', 4, "unknown group 'weapons'"),
        ('["NEUTRAL"]]', '["NEUTRALL"]]', 2, "unknown category 'NEUTRALL'"),
        ("why =", "reach = 3\nwhy =", 22, "unknown key 'reach'"),
    ],
)
def test_an_error_names_the_file_the_line_and_the_cure(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    path = write(tmp_path, SMALL.replace(old, new, 1))

    with pytest.raises(ConfigError) as caught:
        Vocabulary.read(path, IDS)

    assert str(path) in str(caught.value)
    assert words in str(caught.value)
    assert caught.value.cure
    assert caught.value.line == line


def test_two_rules_with_one_id_are_refused(tmp_path: Path) -> None:
    rule = SMALL[SMALL.index("[[rules]]") :]

    with pytest.raises(ConfigError, match=r"two rules have the id 'threat\.weapon'"):
        Vocabulary.read(write(tmp_path, SMALL + rule), IDS)


def test_the_vocabulary_that_ships_has_a_place_in_the_order_for_every_category_of_its_rules() -> None:
    vocabulary = Vocabulary.read(POLICY / "vocabulary.toml", Escalation.read(POLICY / "escalation.toml").ids)
    ordered = {category for question in vocabulary.questions for category in question}

    assert {rule.category for rule in vocabulary.rules} == ordered


def test_no_slur_is_printed_only_hashes() -> None:
    vocabulary = Vocabulary.read(POLICY / "vocabulary.toml", Escalation.read(POLICY / "escalation.toml").ids)

    assert len(vocabulary.slurs.hashes) > 50
