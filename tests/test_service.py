"""The service files run the clock as nobody in particular, and their promises are those of the code."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

SERVICE = Path(__file__).parents[1] / "docs" / "service"
UNIT = SERVICE / "federation-monitor.service"
CONTAINER = (SERVICE / "Containerfile").read_text(encoding="utf-8")


def settings_of(unit: str) -> dict[str, str]:
    """Return the last value of every key of a unit file."""
    return dict(re.findall(r"^([A-Z]\w+)=(.*)$", unit, flags=re.MULTILINE))


def test_the_unit_runs_as_an_unprivileged_user_that_writes_only_its_own_data() -> None:
    unit = settings_of(UNIT.read_text(encoding="utf-8"))

    assert unit["DynamicUser"] == "yes"
    assert unit["ProtectSystem"] == "strict"
    assert unit["NoNewPrivileges"] == "yes"
    assert unit["CapabilityBoundingSet"] == ""
    assert unit["UMask"] == "0077"
    assert unit["RestartPreventExitStatus"] == "2", "a wrong configuration exits with 2 and is not tried again"


def test_systemd_finds_no_fault_in_the_unit_and_little_that_it_could_harm() -> None:
    """`systemd-analyze verify` knows every key; `security` says how much is left open, from 0 to 10."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not here")

    def run(*arguments: str) -> str:
        done = subprocess.run([analyze, *arguments, str(UNIT)], capture_output=True, text=True, check=False)  # noqa: S603
        return done.stdout + done.stderr

    faults = [line for line in run("verify").splitlines() if "is not executable" not in line]
    exposure = re.search(r"Overall exposure level.*: ([0-9.]+)", run("security", "--offline=yes"))

    assert faults == []
    assert exposure
    assert float(exposure.group(1)) < 2


def test_the_container_runs_as_an_unprivileged_user_with_pinned_packages_and_a_health_check() -> None:
    assert CONTAINER.rindex("\nUSER monitor") < CONTAINER.rindex("\nCMD ")
    assert "--require-hashes" in CONTAINER
    assert 'CMD ["federation-monitor", "status"]' in CONTAINER
    assert "SECRET" not in re.sub(r"^#.*$", "", CONTAINER, flags=re.MULTILINE).upper()


def test_the_container_is_built_in_the_format_that_keeps_its_health_check() -> None:
    assert "podman build --format docker " in CONTAINER, "in OCI's format podman leaves HEALTHCHECK out"


def test_nothing_but_the_product_comes_near_the_image() -> None:
    """`COPY . .` would lay a store or a monitor.toml that lies in the checkout into a layer, where nothing erases."""
    root = SERVICE.parents[1]
    first, *rest = [line for line in (root / ".dockerignore").read_text("utf-8").splitlines() if line[:1] != "#"]
    wheel = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert first == "*"
    assert {line[1:] for line in rest if line.startswith("!")} == {
        *wheel["only-include"],
        "README.md",
        "pyproject.toml",
        "requirements.lock",
    }
