"""Which names a Python file defines: for documents that name code and tests."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]


def names(file: Path) -> set[str]:
    """Return every function, class, constant and method ("Class.method") that a file defines."""
    found: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def what_is_missing(code: tuple[str, ...], tests: tuple[str, ...]) -> list[str]:
    """Return what of `code` ("path:name") and `tests` ("path::test_name") is not there, a sentence each."""
    missing = []
    for named, mark in [*((one, ":") for one in code), *((one, "::") for one in tests)]:
        path, _, name = named.partition(mark)
        file = ROOT / path
        if not file.is_file():
            missing.append(f"there is no file {path}")
        elif name not in names(file) or (mark == "::" and not name.startswith("test_")):
            missing.append(f"{path} has no {name or 'name'}")
    return missing
