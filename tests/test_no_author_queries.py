"""No code path lists, ranks or queries posts by author (PR04, PR05): not in SQL, not in Python, not in the schema."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from monitor.store import rights
from monitor.store.schema import metadata
from tests.author_watch import COLUMN, FoundByAuthorError, is_harmless

if TYPE_CHECKING:
    from monitor.store.engine import Store

ROOT = Path(__file__).parents[1]
ROOMS = ("monitor", "collectors", "analysis", "reports")
PRODUCT = sorted([ROOT / "scheduler.py", *(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))])
USES = {
    "monitor/store/schema.py: ",  # the column
    "monitor/store/migrations/versions/v0001_the_first_tables.py: upgrade",
    "monitor/records.py: StoredMention",  # handed out with its post
    "monitor/store/mentions.py: Arrival",  # stored with its post
    "monitor/store/mentions.py: _insert",
    "monitor/store/rows.py: _whole",
    "monitor/jobs/collect.py: arrival_of",  # where a handle becomes a hash
    "monitor/store/rights.py: by_own_keys",  # a person's own request
    # how many accounts told one story or wrote on one platform: a number, with no post behind it
    "reports/items.py: spread_counts",
    "reports/incident_spread.py: _platforms",
    "reports/incident_telling.py: _claim",
    "monitor/jobs/spikes.py: _posts",  # how many voices a topic has: a number as well
    # an incident's page says "account 7" beside a post instead of a name
    "reports/incident_material.py: Known",
    "reports/incident_telling.py: _account",
}
"""Every place in the product that touches an author's hash. A new one needs a reason that PR04 and PR05 allow."""


def uses(file: Path) -> set[str]:
    """Return the functions and classes of a file in which the hash is named, in whatever way."""
    found = set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for outer in tree.body:
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(outer)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        is_words = isinstance(outer, ast.Expr)
        for node in ast.walk(outer):
            named = (
                (isinstance(node, ast.Attribute) and node.attr == COLUMN)
                or (isinstance(node, ast.Name) and node.id == COLUMN)
                or (isinstance(node, ast.keyword | ast.arg) and node.arg == COLUMN)
                or (
                    isinstance(node, ast.Constant)
                    and isinstance(node.value, str)
                    and COLUMN in node.value
                    and id(node) not in docstrings
                    and not is_words
                )
            )
            if named:
                found.add(f"{file.relative_to(ROOT).as_posix()}: {getattr(outer, 'name', '')}")
    return found


def test_every_use_of_an_authors_hash_in_the_product_is_known_and_has_its_reason() -> None:
    assert set().union(*(uses(file) for file in PRODUCT)) == USES


def test_no_code_reaches_for_a_column_by_a_name_that_is_put_together() -> None:
    """`getattr(mentions.c, "author" + "_key")` would hide from the test above."""
    hidden = [
        f"{file.relative_to(ROOT).as_posix()}:{node.lineno}"
        for file in sorted((ROOT / "monitor" / "store").rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr"
        if isinstance(node.args[0], ast.Attribute) and node.args[0].attr == "c"
    ]
    assert hidden == []


EVIL = (
    "SELECT author_key, count(*) FROM mentions GROUP BY author_key",
    "SELECT mentions.author_key FROM mentions",
    "SELECT DISTINCT mentions.id, mentions.author_key FROM mentions",
    "SELECT count(DISTINCT author_key) FROM mentions",
    "SELECT id FROM mentions ORDER BY author_key",
    "SELECT id FROM mentions WHERE author_key = '1'",
    "select ID from MENTIONS where AUTHOR_KEY in (select AUTHOR_KEY from mentions)",
    "SELECT m.id FROM mentions m JOIN mentions n ON m.author_key = n.author_key",
    "SELECT mentions.id, upper(mentions.author_key) FROM mentions",
    "UPDATE mentions SET text = '' WHERE author_key = '1'",
    "DELETE FROM mentions WHERE author_key = '1'",
    "CREATE INDEX by_author ON mentions (author_key)",
    "INSERT INTO judgements SELECT id, author_key FROM mentions",
    "SELECT mentions.id FROM mentions WHERE mentions.author_key IN ('1')",
)


@pytest.mark.parametrize("statement", EVIL)
def test_the_watch_over_all_tests_refuses_every_way_to_find_posts_by_author(store: Store, statement: str) -> None:
    with pytest.raises(FoundByAuthorError), store.write() as connection:
        connection.exec_driver_sql(statement)


def test_the_watch_lets_a_post_come_and_go_with_its_hash() -> None:
    mentions = metadata.tables["mentions"]
    assert is_harmless(str(sa.select(mentions).where(mentions.c.id == 1)))
    assert is_harmless(str(sa.insert(mentions)))
    assert not is_harmless(str(sa.select(mentions.c.id).where(mentions.c.author_key == "")))


def test_a_persons_own_request_passes_and_only_from_its_own_module(store: Store) -> None:
    with store.read() as connection:
        assert rights.by_own_keys(connection, ["0" * 32]) == ()


def test_no_table_is_about_people_and_no_column_but_one_says_who_wrote() -> None:
    """PR04, PR12, PR13, PR23: labels stand on posts; nothing is inferred of an author, and nothing kept of one."""
    of_people = ("author", "person", "people", "profile", "gender", "age", "race", "ethnic", "religion", "faith",
                 "health", "disab", "sexual", "politic", "family", "pupil", "parent", "watch", "follow", "friend",
                 "handle", "offence", "offender")  # fmt: skip
    named = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        for word in of_people
        if any(part.startswith(word) for part in f"{table.name}_{column.name}".split("_"))
    }
    assert named == {f"mentions.{COLUMN}"}


def test_labels_hang_on_a_post_and_on_nothing_else() -> None:
    """PR13 and PR23: category, severity and school stand on a post's number or on a case, never on an account."""
    labelled = {
        table.name
        for table in metadata.sorted_tables
        if {"category", "severity", "schools", "sentiment"} & {column.name for column in table.columns}
    }
    assert labelled.isdisjoint({"mentions", "sightings", "objections"})
    assert "mention_id" in metadata.tables["judgements"].primary_key.columns
    assert "mention_id" in metadata.tables["cases"].columns
