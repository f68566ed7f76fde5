"""The largest day that two schools could have fits an e-mail."""

from __future__ import annotations

from benchmarks.house import busy_day
from reports.rendering import LARGEST_EMAIL


def test_the_digest_of_five_thousand_mentions_stays_under_80_kb() -> None:
    """From a real store: a storm, articles, two hundred cases, and stories that go on from the day before."""
    _, size = busy_day(5_000)

    assert 40_000 < size < LARGEST_EMAIL
