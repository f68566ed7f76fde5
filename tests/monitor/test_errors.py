"""The error tree is as it is drawn, and errors carry data."""

from __future__ import annotations

import inspect
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor import errors
from monitor.errors import ConfigError, MonitorError, QuotaSpent, RateLimited, SourceError

LATER = datetime(2026, 11, 24, tzinfo=UTC)


def drawn() -> list[tuple[int, str]]:
    """(depth, name) of each line of the tree in the module's docstring."""
    lines = (errors.__doc__ or "").splitlines()
    named = (re.match(r" {4}([│ ]*)(?:[├└]── )?([A-Z]\w+)\b", line) for line in lines)
    return [(found.start(2) // 4 - 1, found.group(2)) for found in named if found and hasattr(errors, found.group(2))]


def built(kind: type, depth: int = 0) -> list[tuple[int, str]]:
    """(depth, name) of each public class under `kind`, in the order they are written."""
    public = not kind.__name__.startswith("_")
    lines = [(depth, kind.__name__)] if public else []
    every: list[type] = kind.__subclasses__()
    below = [one for one in every if one.__module__ == "monitor.errors"]
    for one in below:
        lines += built(one, depth + public)
    return lines


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    assert sorted(drawn()) == sorted(built(MonitorError))
    assert len(drawn()) == 14


def test_every_source_error_has_a_kind_of_its_own() -> None:
    kinds = [
        kind.kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, SourceError) and not kind.__name__.startswith("_")
    ]
    assert len(set(kinds)) == len(kinds) == 6


@pytest.mark.parametrize("kind", [RateLimited, QuotaSpent])
def test_an_error_that_ends_by_itself_says_when(kind: type[RateLimited | QuotaSpent]) -> None:
    error = kind("x", "slow down", retry_at=LATER)
    assert (error.source, error.problem, error.retry_at) == ("x", "slow down", LATER)
    assert str(error) == "x: slow down"


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ({}, "bad"),
        ({"file": Path("m.toml")}, "m.toml: bad"),
        ({"file": "m.toml", "line": 3}, "m.toml:3: bad"),
        ({"file": "m.toml", "line": 3, "key": "a.b"}, "m.toml:3: a.b: bad"),
        ({"key": "MONITOR_X"}, "MONITOR_X: bad"),
        ({"line": 3}, "bad"),
        ({"file": "m.toml", "cure": "write good"}, "m.toml: bad\n  cure: write good"),
    ],
)
def test_a_configuration_error_names_what_is_known_of_its_place(place: dict[str, object], shown: str) -> None:
    error = ConfigError("bad", **place)  # type: ignore[arg-type]
    assert str(error) == shown
    assert error.problem == "bad"
