"""The demonstration is the real job: what a newcomer sees on the first day."""

from __future__ import annotations

import email
from email import policy
from typing import TYPE_CHECKING

import pytest

from monitor.cli.demo import MARKER
from tests.monitor.test_cli import shell

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Run the demo once, in a process of its own."""
    folder = tmp_path_factory.mktemp("demo")
    return folder / "out", shell("demo", "--folder", str(folder / "out"), cwd=folder)


def test_the_demo_delivers_a_digest_and_alerts(shown: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = shown

    assert done.returncode == 0, done.stderr
    digests = list((folder / "outbox").glob("daily-*.eml"))
    assert len(digests) == 1
    message = email.message_from_bytes(digests[0].read_bytes(), policy=policy.default)
    assert message["To"] == "response.owner@school.example"
    assert list((folder / "outbox").glob("alert-*.eml"))


def test_the_demo_says_where_things_are_and_what_a_real_run_needs(
    shown: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, done = shown

    for file in (folder / "reports").iterdir():
        assert file.name in done.stdout.replace("\n", "")
    assert "Every post above is invented" in done.stdout
    assert "federation-monitor init" in done.stdout
    assert "complete" in done.stdout


def test_the_demo_replaces_only_what_a_demo_wrote(tmp_path: Path) -> None:
    theirs = tmp_path / "mine"
    theirs.mkdir()
    (theirs / "thesis.txt").write_text("do not touch", "utf-8")

    refused = shell("demo", "--folder", str(theirs), cwd=tmp_path)

    assert refused.returncode == 2
    assert "no demo wrote" in refused.stderr
    assert (theirs / "thesis.txt").read_text("utf-8") == "do not touch"
    assert not (theirs / MARKER).exists()
