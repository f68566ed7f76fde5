"""Every check of the repository, in one command: format, lint, types, imports, tests with coverage.

Run it with the environment's own Python: `python .ci/check.py`. Stops at the first check that fails.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[1]
TOOLS = Path(sys.executable).parent
COVERAGE_FLOOR = "95"
CHECKS = (
    ("format", [TOOLS / "ruff", "format", "--check", "."]),
    ("lint", [TOOLS / "ruff", "check", "."]),
    ("types", [TOOLS / "mypy"]),
    ("imports", [TOOLS / "lint-imports"]),
    (
        "tests",
        [
            sys.executable,
            "-m",
            "pytest",
            "--cov",
            "--cov-report=term-missing:skip-covered",
            f"--cov-fail-under={COVERAGE_FLOOR}",
            *sys.argv[1:],
        ],
    ),
)


def main() -> int:
    """Run the checks in order; return the exit code of the first that fails."""
    for name, command in CHECKS:
        started = time.monotonic()
        print(f"== {name}", flush=True)
        code = subprocess.run([str(part) for part in command], cwd=HOUSE, check=False).returncode  # noqa: S603
        print(f"== {name}: {'failed' if code else 'passed'} in {time.monotonic() - started:.0f} s", flush=True)
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
