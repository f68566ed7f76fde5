"""`verify` without a bundle checks the audit, and every command signs with the account that ran it."""

from __future__ import annotations

import getpass
import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from monitor import settings
from monitor.cli import group
from monitor.jobs.workplace import open_workplace
from monitor.settings import Secrets
from monitor.store import audit

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Give a configuration whose audit has two lines."""
    file = tmp_path / "monitor.toml"
    file.write_text("")
    for _ in range(2):
        assert run(file, "case", "list").exit_code == 0
    return file


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(group, [*words, "--config", str(config)])


def head(config: Path) -> str:
    with open_workplace(settings.load(config), secrets=Secrets({})) as place, place.store.read() as connection:
        lines = list(audit.entries(connection))
        assert {line.who for line in lines} == {getpass.getuser()}
        return str(audit.head(connection))


def test_a_sound_audit_is_said_to_be_sound(config: Path) -> None:
    last = head(config)
    done = run(config, "verify", "--head", last)
    assert done.exit_code == 0
    assert done.output == f"audit: 2 lines, the last is {last}, compared with 3 heads kept outside: all agree\n"


def test_programs_get_json(config: Path) -> None:
    found = json.loads(run(config, "verify", "--json").output)
    assert (found["lines"], found["differences"]) == (2, [])


def test_a_line_of_a_digest_that_the_audit_does_not_have_is_a_difference(config: Path) -> None:
    done = run(config, "verify", "--head", f"2:{'0' * 16}")
    assert done.exit_code == 1
    assert "line 2 is not the one that was written down elsewhere" in done.output
    assert "1 DIFFER" in done.output
    assert run(config, "verify", "--json", "--head", f"9:{'0' * 16}").exit_code == 1


def test_a_cut_off_end_is_a_difference(config: Path) -> None:
    with open_workplace(settings.load(config), secrets=Secrets({})) as place, place.store.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_is_not_cut")
        connection.exec_driver_sql("DELETE FROM audit WHERE number = 2")
    done = run(config, "verify")
    assert done.exit_code == 1
    assert "missing at the end: line 2" in done.output


def test_what_is_no_head_is_wrong_usage(config: Path) -> None:
    done = run(config, "verify", "--head", "nonsense")
    assert done.exit_code == 2
    assert "write it as the digest does" in done.output


def test_an_empty_audit_agrees(tmp_path: Path) -> None:
    file = tmp_path / "monitor.toml"
    file.write_text("")
    assert run(file, "verify").output == "audit: 0 lines, compared with 0 heads kept outside: all agree\n"
