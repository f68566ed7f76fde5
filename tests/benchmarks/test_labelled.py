"""The labelled posts keep their promises: enough of each, and nothing on both sides of the split."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from rapidfuzz import fuzz, process

from benchmarks.labelled import POSTS, held_out, seen
from monitor.policy import folder

ENOUGH = 30
COPY = 88


@pytest.mark.parametrize("kind", ["positive", "hard_negative"])
def test_every_category_has_thirty_positives_and_thirty_hard_negatives(kind: str) -> None:
    counted = Counter(post.tests for post in (*seen(), *held_out()) if post.kind == kind)

    assert {name: counted[name] for name in folder.load().escalation.ids if counted[name] < ENOUGH} == {}


def test_there_are_at_least_two_and_a_half_thousand_and_no_id_twice() -> None:
    ids = [post.id for post in (*seen(), *held_out())]

    assert len(ids) >= 2500
    assert len(set(ids)) == len(ids)


def test_no_post_stands_in_a_like_wording_on_both_sides() -> None:
    """No held-out post is a paraphrase of a seen one by token similarity."""
    ours, theirs = held_out(), seen()
    likeness = process.cdist(
        [p.text for p in ours], [p.text for p in theirs], scorer=fuzz.token_sort_ratio, score_cutoff=COPY
    )

    assert [ours[row].id for row, best in enumerate(likeness.max(axis=1)) if best] == []


def test_every_label_is_one_the_policy_knows() -> None:
    policy = folder.load()
    for post in (*seen(), *held_out()):
        assert post.category in policy.escalation.categories, post.id
        assert set(post.schools) <= set(policy.schools.codes), post.id
        assert (post.severity is None) == (post.category == "NOT_RELEVANT"), post.id
        assert (post.relevant == "no") == (post.category == "NOT_RELEVANT"), post.id


def test_the_posts_of_the_bias_check_are_nowhere_else() -> None:
    bias = [json.loads(line)["text"] for line in (POSTS / "bias" / "posts.jsonl").read_text("utf-8").splitlines()]
    others = {post.text for post in (*seen(), *held_out())}

    assert bias
    assert not set(bias) & others
