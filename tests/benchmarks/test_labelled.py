"""The labelled posts keep their promises: enough of each, and nothing on both sides of the split."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from rapidfuzz import fuzz, process

from analysis import pipeline
from analysis.encoder import Encoder
from benchmarks.accuracy import figures, judge
from benchmarks.bias import GROUPS, URGENT, pairs
from benchmarks.labelled import POSTS, held_out, labelled_by_people, ordinary, seen, unread
from benchmarks.readers import readings
from monitor.policy import folder

if TYPE_CHECKING:
    from pathlib import Path

ENOUGH = 30
COPY = 88


@pytest.mark.parametrize("kind", ["positive", "hard_negative"])
def test_every_category_has_thirty_positives_and_thirty_hard_negatives(kind: str) -> None:
    counted = Counter(post.tests for post in (*seen(), *held_out()) if post.kind == kind)

    assert {name: counted[name] for name in folder.load().escalation.ids if counted[name] < ENOUGH} == {}


def test_there_are_at_least_two_and_a_half_thousand_and_no_id_twice() -> None:
    ids = [post.id for post in (*seen(), *held_out(), *unread(), *ordinary())]

    assert len(ids) >= 2500
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("part", ["held out", "ordinary"])
def test_no_post_stands_in_a_like_wording_on_both_sides(part: str) -> None:
    """No post that is only measured is a paraphrase, by token similarity, of one that is or will be learned from.

    The ordinary posts were written in one go with the batches of like names, by the same hands; others are further off.
    """
    learned = (*seen(), *unread())
    ours, theirs = (
        (held_out(), learned)
        if part == "held out"
        else (ordinary(), [post for post in learned if post.id.startswith(("ordinary", "pupils", "plain"))])
    )
    likeness = process.cdist(
        [p.text for p in ours], [p.text for p in theirs], scorer=fuzz.token_sort_ratio, score_cutoff=COPY
    )

    assert [ours[row].id for row, best in enumerate(likeness.max(axis=1)) if best] == []


def test_blind_readers_read_every_held_out_post_and_agree_with_its_label() -> None:
    """The floors can be asked for: whoever reads with care finds what is urgent, and nothing else."""
    for said in readings(held_out(), POSTS / "held_out_readings.csv").values():
        reached = figures(said)
        assert reached["posts"] == len(held_out())
        assert reached["urgent recall (P0+P1)"] >= 0.98
        assert reached["false urgent (of harmless relevant)"] <= 0.03


@pytest.mark.parametrize("part", ["seen", "unread"])
def test_a_second_reader_agrees_with_what_the_network_learns_from(part: str) -> None:
    """Nine severities and nearly nine categories in ten are the same, and next to nothing harmless is called urgent."""
    posts = seen() if part == "seen" else unread()
    (said,) = readings(posts, POSTS / f"{part}_readings.csv").values()
    reached = figures(said)

    assert part == "seen" or reached["posts"] == len(posts)
    assert reached["severity right"] >= 0.9
    assert reached["category right"] >= 0.85
    assert reached["false urgent (of harmless relevant)"] <= 0.01


def test_every_label_is_one_the_policy_knows() -> None:
    policy = folder.load()
    for post in (*seen(), *held_out(), *unread(), *ordinary()):
        assert post.category in policy.escalation.categories, post.id
        assert set(post.schools or ()) <= set(policy.schools.codes), post.id
        assert (post.severity is None) == (post.category == "NOT_RELEVANT"), post.id
        assert (post.relevant == "no") == (post.category == "NOT_RELEVANT"), post.id


def test_the_posts_of_the_bias_check_are_nowhere_else() -> None:
    bias = {post[key] for group in GROUPS for post in pairs(group) for key in ("text", "plain")}
    others = {post.text for post in (*seen(), *held_out(), *unread(), *ordinary())}

    assert bias
    assert not bias & others


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_of_the_bias_check_is_half_urgent_and_each_post_has_its_own_words_and_plain_ones(group: str) -> None:
    posts = pairs(group)

    assert Counter(post["severity"] in URGENT for post in posts) == {True: 30, False: 30}
    assert "P2" not in {post["severity"] for post in posts}
    assert all(post["text"] != post["plain"] for post in posts)


def test_what_people_corrected_in_their_cases_is_read_as_further_examples(tmp_path: Path) -> None:
    """`case wrong-tag` says what a post is, not how it sounds nor at which school: those figures leave it out."""
    file = tmp_path / "labels.jsonl"
    row = {
        "id": "KJS-0001",
        "text": "Smoke over the KJS Knaresborough site",
        "source": "feeds",
        "community": "",
        "relevant": "yes",
        "category": "SITE_SAFETY",
        "severity": "P1",
    }
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")

    (label,) = labelled_by_people(file)
    found = figures(judge([label], pipeline.judges_of(folder.load(), Encoder.load())))

    assert label.urgent
    assert found["posts"] == 1
    assert math.isnan(found["schools right"])
    assert math.isnan(found["sentiment macro-recall"])
