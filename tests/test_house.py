"""The house keeps its own rules."""

from __future__ import annotations

import ast
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from monitor.policy import folder

ROOT = Path(__file__).parents[1]
ROOMS = ("monitor", "collectors", "analysis", "reports", "benchmarks", "tests")
OURS = sorted([ROOT / "scheduler.py", *(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))])
PRODUCT = [file for file in OURS if not file.is_relative_to(ROOT / "tests")]
"""A test's file name says which module it tests, and a test's name is its sentence."""

LONGEST = 500


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("name", ["monitor", "collectors", "analysis", "reports", "scheduler", "policy", "templates"])
def test_no_other_package_owns_a_name_of_ours(name: str) -> None:
    assert set(packages_distributions().get(name, ())) <= {"federation-monitor"}


def test_every_module_says_what_it_is() -> None:
    silent = [name_of(file) for file in PRODUCT if not ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))]
    assert silent == []


def test_every_public_name_says_what_it_is() -> None:
    silent = [
        f"{name_of(file)}: {node.name}"
        for file in PRODUCT
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    long = [
        f"{name_of(file)}: {lines}"
        for file in PRODUCT
        if (lines := len(file.read_text(encoding="utf-8").splitlines())) > LONGEST
    ]
    assert long == []


def test_the_shipped_rules_are_whole() -> None:
    assert folder.load(ROOT / "policy").version == folder.load().version
    assert {file.name for file in (ROOT / "policy").glob("*.toml")} == set(folder.FILES)
