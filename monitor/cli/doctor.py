"""`federation-monitor doctor`: what is well, and what a person must do."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from monitor.cli.options import config_option, json_option, open_place, print_json, table

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.jobs.platforms import Platform


@click.command(epilog="Example: federation-monitor doctor --config monitor.toml")
@config_option
@click.option("--offline", is_flag=True, help="Do not ask the sources whether they let us in.")
@click.option("--test-channels", is_flag=True, help="Send a test message over every channel.")
@json_option
def command(config: Path | None, *, offline: bool, test_channels: bool, as_json: bool) -> None:
    """Check configuration, rules, store, roles, mail, channels and every source.

    Nothing is stored, and nothing sent but by `--test-channels`.

    Each source that is on is asked for one item, to see whether it answers and lets us in, unless its calls
    cost money.

    The exit code is 1 if something does not work until somebody acts. No secret is ever printed.
    """
    from monitor.jobs.checkup import check
    from monitor.records import as_plain

    with open_place(config) as place:
        found = check(place, timedelta(days=2), ask=not offline, test_channels=test_channels)
    if as_json:
        print_json({"fit": found.fit, **as_plain(found)})
    else:
        table(
            "Check-up",
            ("", "What", "Seen", "To do"),
            [(f.state.value, f.subject, f.seen, f.cure or "-") for f in found.findings],
        )
        table(
            "Platforms",
            ("Platform", "State", "Last read", "Why", "To do", "Never sees"),
            [
                (p.name, p.state.value, _last(p), p.why or "-", p.todo or "-", "; ".join(p.never_sees) or "-")
                for p in found.platforms
            ],
        )
    sys.exit(0 if found.fit else 1)


def _last(platform: Platform) -> str:
    """Return when a platform was last read, for people."""
    return f"{platform.last_read:%d %b %H:%M} UTC" if platform.last_read else "never"
