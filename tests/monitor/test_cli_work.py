"""The commands of a working day, over a real store: what people type and what they read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from monitor import settings
from monitor.cli import group
from monitor.jobs.judge import judge_pending
from monitor.jobs.workplace import open_workplace
from monitor.records import Mention
from monitor.settings import Secrets
from monitor.store import mentions

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
[privacy.dpia]
reference = "R"
owner = "DPO"
signed = 2026-01-01
review_due = 2099-01-01
[roles]
response_owner = "owner@school.example"
senior_leader = "leader@school.example"
[sources.feeds]
enabled = false
"""
POSTS = (
    "I'm bringing a knife to King James's School in Knaresborough tomorrow, wait and see",
    "Half the toilets at King James's in Knaresborough are locked AGAIN, what a joke",
)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a configuration whose store holds two judged posts and their cases, KJS-0001 and KJS-0002."""
    file = tmp_path_factory.mktemp("work") / "monitor.toml"
    file.write_text(CONFIG, "utf-8")
    with open_workplace(settings.load(file), secrets=Secrets({})) as place:
        now = datetime.now(UTC) - timedelta(minutes=5)
        found = [
            Mention(source="feeds", native_id=f"n{n}", url=f"https://paper.example/{n}", text=text, published=now)
            for n, text in enumerate(POSTS)
        ]
        with place.store.write() as connection:
            arrivals = [mentions.Arrival(mention=m, author_key="", sha256=m.sha256) for m in found]
            mentions.take(connection, arrivals, now=now, articles=frozenset())
        judge_pending(place)
    return file


def run(config: Path, *words: str) -> str:
    """Run a command with the configuration behind its own words; return what it printed."""
    result = CliRunner().invoke(group, [*words, "--config", str(config)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_cases_are_listed_by_due_time_and_shown_with_steps_and_history(config: Path) -> None:
    listed = run(config, "case", "list")
    shown = run(config, "case", "show", "kjs-0001")

    assert listed.index("KJS-0001") < listed.index("KJS-0002")
    assert "Headteacher" in listed
    assert "do next" in shown
    assert "never" in shown
    assert "opened" in shown


def test_every_list_has_a_form_for_programs(config: Path) -> None:
    cases = json.loads(run(config, "case", "list", "--all", "--json"))
    one = json.loads(run(config, "case", "show", "KJS-0001", "--json"))

    assert {case["reference"] for case in cases} == {"KJS-0001", "KJS-0002"}
    assert one["category"] == "THREAT_VIOLENCE"


def test_a_case_is_acknowledged_assigned_lowered_and_closed(config: Path) -> None:
    assert "now acknowledged" in run(config, "case", "ack", "KJS-0001", "--by", "A. Colleague")
    assert "owner dsl" in run(config, "case", "assign", "KJS-0001", "--to", "dsl", "--why", "x", "--by", "A")
    assert ", P1" in run(config, "case", "severity", "KJS-0001", "P1", "--role", "dsl", "--why", "x", "--by", "A")
    for act in ("note", "answer", "wait", "refer", "no-reply", "close", "reopen"):
        assert "KJS-0001" in run(config, "case", act, "KJS-0001", "--why", "for the record", "--by", "A")


def test_wrong_tags_become_labels(config: Path) -> None:
    said = run(config, "case", "wrong-tag", "KJS-0002", "--category", "QUESTION", "--why", "asked", "--by", "A")
    dropped = run(config, "case", "not-about-us", "KJS-0002", "--why", "no", "--by", "A")

    assert "labels.jsonl" in said
    assert "not about us" in dropped


def test_what_is_stored_about_a_post_is_found_and_exported(config: Path) -> None:
    assert "1 stored" in run(config, "rights", "find", "--url", "https://paper.example/0")
    (stored,) = json.loads(run(config, "rights", "export", "--url", "https://paper.example/0"))
    assert stored["mention"]["text"] == POSTS[0]
    assert "0 mentions erased" in run(config, "rights", "erase", "--url", "https://paper.example/99")
    first = run(config, "rights", "object", "--source", "bluesky", "--handle", "me.example")
    again = run(config, "rights", "object", "--source", "bluesky", "--handle", "me.example")
    assert "is recorded" in first
    assert "already" in again


def test_replay_under_the_rules_in_force_changes_nothing(config: Path) -> None:
    assert "2 mentions judged again" in run(config, "replay", "--since", "1d")
    assert json.loads(run(config, "replay", "--since", "1d", "--json"))["changes"] == []


def test_the_digest_and_the_weekly_report_are_written_and_laid_into_the_outbox(config: Path) -> None:
    digest = run(config, "daily")
    weekly = run(config, "weekly", "--no-send")

    assert ".html" in digest
    assert "laid into" in digest
    assert "weekly-" in weekly


def test_collect_tells_people_and_programs_what_came_of_it(config: Path) -> None:
    assert "0 cases opened" in run(config, "collect")
    assert json.loads(run(config, "collect", "--json")) == {"runs": [], "cases": []}


def test_doctor_prints_a_table_for_people(config: Path) -> None:
    printed = run(config, "doctor")

    assert "impact assessment" in printed
    assert "Never sees" in printed
