"""The matrix is whole, names only roles that exist, and says what is wrong where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.errors import ConfigError
from monitor.policy.escalation import Escalation
from monitor.policy.folder import FOLDER
from monitor.records import Severity

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = FOLDER / "escalation.toml"


@pytest.fixture(scope="module")
def matrix() -> Escalation:
    return Escalation.read(SHIPPED)


def edited(tmp_path: Path, old: str, new: str) -> Path:
    """Return the shipped matrix with one edit, as a network manager would make it."""
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "escalation.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return file


def test_every_category_names_an_owner_a_clause_and_steps_or_asks_for_nothing(matrix: Escalation) -> None:
    for name in matrix.ids:
        category = matrix.category(name)
        assert category.clauses, name
        assert matrix.owner_name(name) or category.severity in {None, Severity.P4}, name


def test_only_posts_that_are_not_ours_have_no_severity(matrix: Escalation) -> None:
    assert [name for name in matrix.ids if matrix.category(name).severity is None] == ["NOT_RELEVANT"]


def test_a_restricted_category_is_read_by_its_readers_alone(matrix: Escalation) -> None:
    restricted = [matrix.category(name) for name in matrix.ids if matrix.category(name).restricted]
    assert restricted
    assert all(category.readers == category.restricted_to for category in restricted)
    assert matrix.category("CHILD_PROTECTION").restricted


def test_an_open_category_is_read_by_its_owner_and_those_who_are_told(matrix: Escalation) -> None:
    category = matrix.category("COMPLAINT_SERVICE")
    assert not category.restricted
    assert category.readers == (category.owner, *category.told)


def test_no_reader_is_a_role_without_a_name(matrix: Escalation) -> None:
    assert all("" not in matrix.category(name).readers for name in matrix.ids)
    assert {role for name in matrix.ids for role in matrix.category(name).readers} <= matrix.roles.keys()


def test_an_owner_is_given_in_words(matrix: Escalation) -> None:
    assert matrix.owner_name("CHILD_PROTECTION") == "Designated Safeguarding Lead"
    assert matrix.owner_name("NOT_RELEVANT") == ""


def test_an_unknown_category_is_an_error(matrix: Escalation) -> None:
    with pytest.raises(KeyError, match="NO_SUCH"):
        matrix.category("NO_SUCH")


def test_the_most_urgent_step_runs_day_and_night_and_urgency_only_falls(matrix: Escalation) -> None:
    assert matrix.severities[Severity.P0].clock == "always"
    minutes = [matrix.severities[severity].acknowledge_minutes for severity in Severity]
    due = [m for m in minutes if m]
    assert due == sorted(due)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('owner = "dsl"', 'owner = "dls"', "names unknown roles: dls"),
        ("[severities.P4]", "[severities.P5]", "'P0', 'P1'"),
        ("[roles.dsl]", "[roles.dslx]", "unknown roles: dsl"),
        ('roles = ["owner"]', 'roles = ["ownr"]', "a ladder names unknown roles: ownr"),
        ('clock = "always"', 'clock = "sometimes"', "'always' or 'staffed'"),
        ("acknowledge_minutes = 15", "acknowledge_minutes = -1", "greater than or equal to 0"),
        ("acknowledge_minutes = 15", "acknowledge_minuets = 15", "'acknowledge_minutes' is missing"),
    ],
)
def test_an_edit_that_breaks_the_matrix_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    file = edited(tmp_path, old, new)
    with pytest.raises(ConfigError, match="escalation") as caught:
        Escalation.read(file)
    assert says in caught.value.problem
    assert caught.value.file == file


def test_a_conflict_of_interest_names_roles_that_exist(matrix: Escalation, tmp_path: Path) -> None:
    assert {*matrix.conflicts, *matrix.conflicts.values()} <= matrix.roles.keys()
    file = edited(tmp_path, "[conflicts]", '[conflicts]\nnobody = "dsl"')
    with pytest.raises(ConfigError, match=r"\[conflicts\] names unknown roles: nobody"):
        Escalation.read(file)


def test_a_step_of_the_scale_that_is_missing_is_named(matrix: Escalation) -> None:
    content = matrix.model_dump()
    del content["severities"][Severity.P4]
    with pytest.raises(ValueError, match=r"\[severities\] lacks P4"):
        Escalation.model_validate(content)
