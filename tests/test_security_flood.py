"""Whoever floods us with posts does not bury the one that matters."""

from __future__ import annotations

from dataclasses import replace

from reports.daily import build, render
from tests.reports.material import mixed_day

FLOOD = 10_000
LARGEST_EMAIL = 102_000
"""Bytes from which on Gmail cuts a message off."""


def test_ten_thousand_copies_leave_the_digest_small_and_the_one_that_matters_in_it() -> None:
    """Posts of no case, all different by number and all of one source, beside a usual day with its urgent cases."""
    day = mixed_day()
    pattern = next(one for one in day.mentions if one.id not in {case.mention_id for case in day.cases})
    flood = tuple(
        replace(
            pattern,
            id=1_000_000 + number,
            mention=replace(pattern.mention, native_id=f"flood{number}", url=f"https://flood.example/{number}"),
        )
        for number in range(FLOOD)
    )

    usual = render(build(day))
    flooded = render(build(replace(day, mentions=(*flood, *day.mentions))))

    assert len(flooded.html.encode()) < LARGEST_EMAIL
    assert len(flooded.text) < 3 * len(usual.text)
    for case in day.cases:
        assert (case.reference in flooded.html) == (case.reference in usual.html)
    assert any(case.reference in flooded.html for case in day.cases)
