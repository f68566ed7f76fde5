"""docs/privacy.md maps every privacy requirement to code and tests that exist, and the papers have their parts."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass

import pytest

from tests.naming import ROOT, what_is_missing

TABLE = ROOT / "docs" / "privacy.md"
REQUIREMENTS = ROOT.parent / "shared" / "policy" / "privacy.json"
IDS = [f"PR{number:02}" for number in range(1, 33)]
COLUMNS = ("id", "level", "what", "source", "code", "tests")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table."""

    id: str
    level: str
    source: str
    code: tuple[str, ...]
    tests: tuple[str, ...]


def rows(text: str) -> list[Row]:
    """Return the rows of the table in a Markdown text."""
    lines = [line for line in text.splitlines() if re.match(r"\| PR\d\d ", line)]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert all(len(row) == len(COLUMNS) for row in cells), [row[0] for row in cells if len(row) != len(COLUMNS)]
    return [Row(id=row[0], level=row[1], source=row[3], code=parts(row[4]), tests=parts(row[5])) for row in cells]


def parts(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(";") if part.strip())


def what_is_wrong(table: str) -> list[str]:
    """Return what the table lacks, or names that is not there."""
    found = rows(table)
    wrong = [f"{one} has no row" for one in IDS if one not in {row.id for row in found}]
    wrong += [f"{one} has a second row" for one, times in Counter(row.id for row in found).items() if times > 1]
    for row in found:
        wrong += [f"{row.id} names no code"] if not row.code else []
        wrong += [f"{row.id} names no test"] if not row.tests else []
        wrong += [f"{row.id}: {missing}" for missing in what_is_missing(row.code, row.tests)]
    return wrong


def test_every_requirement_has_a_row_whose_code_and_tests_exist() -> None:
    assert what_is_wrong(TABLE.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("| PR07 |", "| PR7 |", "PR07 has no row"),
        ("| PR08 |", "| PR07 |", "PR07 has a second row"),
        ("monitor/settings.py:Dpia", "monitor/settings.py:Dpiaa", "PR10: monitor/settings.py has no Dpiaa"),
        (
            "test_x_is_never_scored",
            "test_x_is_scored",
            "PR13: tests/monitor/test_policy_sources.py has no test_x_is_scored",
        ),
        ("analysis/triage.py:Triage", "analysis/gone.py:Triage", "PR24: there is no file analysis/gone.py"),
    ],
)
def test_a_table_that_is_wrong_is_found_out(old: str, new: str, said: str) -> None:
    table = TABLE.read_text(encoding="utf-8")
    assert old in table
    assert said in what_is_wrong(table.replace(old, new))


def test_a_row_that_loses_its_last_test_is_found_out() -> None:
    table = TABLE.read_text(encoding="utf-8")
    for row in rows(table):
        line = next(line for line in table.splitlines() if line.startswith(f"| {row.id} |"))
        cells = line.strip("|").split("|")
        without = table.replace(line, "|" + "|".join([*cells[:5], " "]) + "|")
        assert f"{row.id} names no test" in what_is_wrong(without)


def test_the_rows_have_the_levels_and_sources_of_the_requirements() -> None:
    if not REQUIREMENTS.is_file():
        pytest.skip("the policy draft is not beside this checkout")
    wanted = {one["id"]: one for one in json.loads(REQUIREMENTS.read_text(encoding="utf-8"))}
    found = {row.id: row for row in rows(TABLE.read_text(encoding="utf-8"))}
    assert found.keys() == wanted.keys()
    for one in wanted.values():
        assert (found[one["id"]].level, found[one["id"]].source) == (one["level"], one["source"])


def test_the_papers_for_the_officer_have_their_parts() -> None:
    """PR12, PR31, PR32: templates that ship; children's interests in the assessment; a note on the under-16 ban."""
    papers = " ".join((ROOT / "docs" / "data-protection.md").read_text(encoding="utf-8").split())
    for part in (
        "## Record of processing (UK GDPR Art 30)",
        "## Appropriate policy document",
        "Sch 1 para 18",
        "never for what others say about them",
        "## Impact assessment: what must be in it",
        "Children's best interests first",
        "When it turns to one person, stop.",
        "## Review note, each term",
        "They are not followed there.",
    ):
        assert part in papers, part


def test_the_bias_check_is_published() -> None:
    """PR27: rates by dialect, reclaimed words and parents of children with special needs stand in the documentation."""
    published = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8").casefold()
    for group in ("yorkshire", "multicultural london", "reclaimed words", "special needs"):
        assert re.search(rf"^\| .*{group}.*\|\s*\d+ \(\d+\) of \d+\s*\|", published, re.MULTILINE), group
