"""docs/threats.md names guards and tests that exist, and covers what a reviewer would ask about."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from tests.naming import ROOT, what_is_missing

TABLE = ROOT / "docs" / "threats.md"
COVERED = (
    "HTML",
    "subjects and headers",
    "formulas",
    "file names",
    "terminal escapes",
    "log lines",
    "SSRF by configuration",
    "SSRF by redirect",
    "SSRF by DNS",
    "XML entities",
    "decompression bombs",
    "drips",
    "regular expressions",
    "secrets",
    "other users of the machine",
    "poses as another",
    "library that changes",
    "prompts in a post",
    "poisoned labels",
    "poisoned policy folder",
    "evidence changed",
    "audit changed",
    "stolen laptop or backup",
    "watches one author",
    "two schedulers",
    "clock set wrong",
    "10,000 copies",
    "forged mail",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: a threat, what stands against it, what proves it, and what remains."""

    threat: str
    guards: tuple[str, ...]
    tests: tuple[str, ...]
    remains: str


def rows(text: str) -> list[Row]:
    """Return the rows of the table in a Markdown text."""
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| threat |")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert all(len(row) == 4 for row in cells), [row[0] for row in cells if len(row) != 4]
    return [Row(threat=row[0], guards=parts(row[1]), tests=parts(row[2]), remains=row[3]) for row in cells]


def parts(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(";") if part.strip())


def what_is_wrong(text: str) -> list[str]:
    """Return what the table lacks, or names that is not there."""
    found = rows(text)
    wrong = [f"nothing is said of {one}" for one in COVERED if not any(one in row.threat for row in found)]
    for row in found:
        wrong += [f"{row.threat}: no guard"] if not row.guards else []
        wrong += [f"{row.threat}: no test"] if not row.tests else []
        wrong += [f"{row.threat}: nothing is said of what remains"] if not row.remains else []
        code = tuple(guard for guard in row.guards if ":" in guard)
        wrong += [f"{row.threat}: {missing}" for missing in what_is_missing(code, row.tests)]
        files = (guard for guard in row.guards if ":" not in guard)
        wrong += [f"{row.threat}: there is no file {file}" for file in files if not (ROOT / file).is_file()]
    return wrong


def test_every_threat_has_a_guard_and_a_test_that_exist() -> None:
    assert what_is_wrong(TABLE.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("monitor/mail.py:one_line", "monitor/mail.py:two_lines", "monitor/mail.py has no two_lines"),
        ("test_a_formula_is_disarmed", "test_gone", "tests/collectors/test_reported.py has no test_gone"),
        ("| requirements.lock |", "| no.lock |", "there is no file no.lock"),
        ("two schedulers", "two kettles", "nothing is said of two schedulers"),
    ],
)
def test_a_table_that_is_wrong_is_found_out(old: str, new: str, said: str) -> None:
    text = TABLE.read_text(encoding="utf-8")
    assert old in text
    assert any(said in one for one in what_is_wrong(text.replace(old, new)))


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_package_has_a_hash(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    packages = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]

    assert len(packages) > 40
    assert [
        line.split()[0] for line in packages if not re.match(r"[\w.\[\]-]+==\S+.* --hash=sha256:[0-9a-f]{64}", line)
    ] == []


def test_the_document_stays_short_enough_to_be_read() -> None:
    assert len(TABLE.read_text(encoding="utf-8").splitlines()) < 200
