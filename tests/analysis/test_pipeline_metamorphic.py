"""What a post wears, shouts or misspaces changes neither whether it is ours nor that somebody is in danger."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from analysis import pipeline
from analysis.encoder import Encoder
from benchmarks.accuracy import judge
from benchmarks.labelled import seen
from benchmarks.variants import SAME_MEANING
from monitor.policy import folder
from monitor.records import Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.accuracy import Judged

EVERY = 10
"""One labelled emergency in ten: a minute's reading would be ten."""


@pytest.fixture(scope="module")
def judges() -> pipeline.Judges:
    """The judges that ship."""
    return pipeline.judges_of(folder.load(), Encoder.load())


@pytest.fixture(scope="module")
def emergencies(judges: pipeline.Judges) -> list[Judged]:
    """Labelled emergencies that are read as such."""
    posts = [post for post in seen() if post.severity == "P0"][::EVERY]
    return [judged for judged in judge(posts, judges) if judged.judgement.severity is Severity.P0]


@pytest.fixture(scope="module")
def harmless(judges: pipeline.Judges) -> list[Judged]:
    """Some posts of every kind."""
    return judge(seen()[::150], judges)


@pytest.mark.parametrize("variant", SAME_MEANING, ids=lambda variant: str(variant.__name__))
def test_a_variant_that_means_the_same_never_lowers_an_emergency(
    variant: Callable[[str], str], emergencies: list[Judged], judges: pipeline.Judges
) -> None:
    """The reading without emoji and links stands beside the other, and each text is read for itself."""
    assert len(emergencies) > 50
    varied = judge([replace(each.post, text=variant(each.post.text)) for each in emergencies], judges)
    assert [v.post.text for v in varied if v.judgement.severity is not Severity.P0] == []


@pytest.mark.parametrize("variant", SAME_MEANING, ids=lambda variant: str(variant.__name__))
def test_a_variant_that_means_the_same_never_changes_relevance(
    variant: Callable[[str], str], harmless: list[Judged], judges: pipeline.Judges
) -> None:
    """Case, apostrophes, emoji, spacing, links and styled letters say nothing about the school."""
    varied = judge([replace(each.post, text=variant(each.post.text)) for each in harmless], judges)
    assert [
        after.post.text
        for before, after in zip(harmless, varied, strict=True)
        if after.judgement.relevant is not before.judgement.relevant
    ] == []


def test_a_judgement_does_not_depend_on_its_company(harmless: list[Judged], judges: pipeline.Judges) -> None:
    """The same post gets the same judgement alone, and in any crowd."""
    alone = [judge([each.post], judges)[0].judgement for each in harmless[:10]]
    assert alone == [each.judgement for each in harmless[:10]]
