"""Where a name was masked, rules and encoder read the post as people write them, and nothing is quoted but the mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analysis.matching import Post
from analysis.pipeline import frame_of, judge
from monitor.jobs.judge import judge_mentions, judge_pending
from monitor.masking import masked
from monitor.names import MASK, STAND_IN
from monitor.store import mentions
from tests.monitor.conftest import stored

if TYPE_CHECKING:
    from monitor.jobs.workplace import Workplace

PLAIN = "they say {} has threatened to stab {} at King James's School Knaresborough tomorrow, {} knows"
TOLD = ("Mr Penrose", "my son Tobias", "the head teacher Ottilie Penrose", "a girl called Wrenfield")


def test_the_stand_in_is_as_long_as_the_mask_so_that_offsets_stay() -> None:
    assert len(STAND_IN) == len(MASK)


@pytest.mark.parametrize("told", TOLD)
def test_what_tag_says_of_the_names_the_pipeline_says_of_the_masks(place: Workplace, told: str) -> None:
    said = PLAIN.format(told, told, told)
    kept = masked(said, place.left_alone)
    number = stored(place, 1, kept)
    with place.store.read() as connection:
        (found,) = mentions.by_number(connection, [number]).values()

    (ours,) = judge_mentions(place, [found], place.judges)
    (tag,) = judge(frame_of([Post(text=said)], [True]), place.judges)

    assert kept.count(MASK) == 3
    assert (ours.relevant, ours.schools, ours.severity) == (tag.relevant, tag.schools, tag.severity)
    assert {r.rule for r in ours.reasons if r.about == "category"} == {
        r.rule for r in tag.reasons if r.about == "category"
    }
    for reason in ours.reasons:
        assert STAND_IN not in reason.text
        assert not reason.end or kept[reason.start : reason.end] == reason.text


def test_the_word_in_the_mask_is_none_that_a_rule_looks_for(place: Workplace) -> None:
    """They published "my name and address" is about somebody's data; a masked name is not."""
    stored(place, 1, f"my son {MASK} loved the open evening at King James's School Knaresborough, Mr {MASK} was lovely")
    judge_pending(place)
    with place.store.read() as connection:
        (found,) = mentions.by_number(connection, [1]).values()
    assert found.judgement is not None
    assert not [reason for reason in found.judgement.reasons if "name" in reason.text and reason.about == "category"]
