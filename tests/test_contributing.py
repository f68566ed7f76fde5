"""CONTRIBUTING's way to add a source is followed to the letter, in a copy of the repository."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
CHANGED: Final = ("collectors", "monitor", "policy")
"""Folders of which the copy gets its own; the others are only read."""
READ: Final = ("analysis", "reports", "templates")


def section() -> str:
    """Return the part of CONTRIBUTING that tells how to add a source."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return text.partition("## How to add a source\n")[2].partition("\n## ")[0]


def steps() -> dict[str, str]:
    """Return path -> what the page says stands there; a step begins in bold print and names its file first."""
    found = {}
    for step in section().split("\n**")[1:]:
        path = re.search(r"`([\w/.-]+\.(?:toml|py))`", step)
        block = re.search(r"^```(?:toml|python)\n(.*?)^```$", step, re.MULTILINE | re.DOTALL)
        assert path, f"no file is named: {step[:60]}"
        assert block, f"nothing to write: {step[:60]}"
        found[path[1]] = block[1]
    return found


def commands() -> list[list[str]]:
    """Return what the page says to run."""
    (block,) = re.findall(r"^```console\n(.*?)^```$", section(), re.MULTILINE | re.DOTALL)
    return [shlex.split(line.removeprefix("$ ")) for line in block.splitlines()]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository into which every step was written."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in CHANGED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests" / "collectors", folder / "tests" / "collectors")
    for shared in (ROOT / "tests").glob("*.py"):
        shutil.copy(shared, folder / "tests")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name in READ:
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(sys.prefix)
    for path, block in steps().items():
        file = folder / path
        with file.open("a" if path == "policy/sources.toml" else "x", encoding="utf-8") as out:
            out.write(f"\n{block}" if path == "policy/sources.toml" else block)
    return folder


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one of the page's commands in the copy; what it covers is the copy's, so nobody measures it."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "COV_", "MONITOR_"))}
    return subprocess.run(  # noqa: S603 - what our own page says
        command, cwd=folder, env={**own, "COLUMNS": "300"}, capture_output=True, text=True, check=False
    )


def test_the_page_names_a_row_three_files_and_a_configuration() -> None:
    assert [Path(path).name for path in steps()] == [
        "sources.toml",
        "noticeboard.py",
        "noticeboard.py",
        "noticeboard.py",
        "monitor.toml",
    ]
    assert all((ROOT / path).parent.is_dir() for path in steps())


def test_every_helper_that_the_page_names_is_there() -> None:
    for path in re.findall(r"`((?:collectors|monitor|tests)/[\w/]+\.(?:py|toml))`", section()):
        assert "noticeboard" in path or (ROOT / path).exists(), path


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_works_as_the_page_says(copy: Path, command: list[str]) -> None:
    done = run(command, copy)
    told = f"{done.stdout}{done.stderr}"

    if "doctor" in command:
        # something is still to be done, such as the impact assessment: the doctor says so, and the exit code too
        assert done.returncode == 1, told
        (line,) = (line for line in done.stdout.splitlines() if "Parish notice boards" in line)
        assert "never read" in line
    else:
        assert done.returncode == 0, told
    if "pytest" in command:
        assert re.search(r"^[1-9][0-9]* passed", told.splitlines()[-1]), told
        assert "skipped" not in told


def test_a_step_that_is_left_out_is_missed(copy: Path, tmp_path: Path) -> None:
    """The contract's tests ask for the row and for the rehearsal; without them a source cannot come in."""
    for missing, complaint in (
        ("tests/collectors/rehearsals/noticeboard.py", "write noticeboard.py in tests/collectors/rehearsals"),
        ("policy/sources.toml", "'noticeboard' in"),
    ):
        kept = (copy / missing).read_bytes()
        try:
            (copy / missing).unlink()
            if missing.startswith("policy"):
                shutil.copy(ROOT / missing, copy / missing)
            command = next(command for command in commands() if "pytest" in command)
            done = run([*command, "-x", f"--basetemp={tmp_path}"], copy)
        finally:
            (copy / missing).write_bytes(kept)
        assert done.returncode == 1, done.stdout
        assert complaint in done.stdout
