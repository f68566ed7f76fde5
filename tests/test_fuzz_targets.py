"""The promises of `python -m benchmarks.fuzz`, shorter; and a promise that is broken is found and told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import strategies as st

from benchmarks.fuzz import TARGETS, Target, run

DOCUMENT = Path(__file__).parents[1] / "docs" / "fuzzing.md"
FEW = 40


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_no_input_breaks_a_promise(target: Target) -> None:
    had, broken = run(target, inputs=FEW, start=20261123)

    assert broken is None
    assert had >= 1


def test_a_broken_promise_is_found_made_small_and_told() -> None:
    def short(said: str) -> None:
        assert len(said) < 3, "too long"

    had, broken = run(Target(name="t", promise="p", inputs=st.text("ab"), check=short), inputs=200, start=1)

    assert had > 1
    assert broken is not None
    assert broken.raised.startswith("AssertionError: too long")
    assert broken.given_to == "'aaa'"


def test_the_document_tells_of_every_target() -> None:
    told = set(re.findall(r"^\| (\w+) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))

    assert {target.name for target in TARGETS} <= told
