"""`federation-monitor status`: is the clock running, and does anything need a person?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from monitor.cli.options import config_option, json_option, print_json, table

if TYPE_CHECKING:
    from pathlib import Path


@click.command(epilog="Example: federation-monitor status || systemctl restart federation-monitor")
@config_option
@json_option
def command(config: Path | None, *, as_json: bool) -> None:
    """Say whether the clock runs and what needs a person, from the file that the clock writes twice a minute.

    The exit code is 0 if all is well and 1 if not: fit for a service manager or a container's health check.
    Nothing is opened but that file, so it answers at once, whatever the monitor is doing.
    """
    from monitor import settings
    from monitor.jobs.status import read
    from monitor.records import as_plain, utc_now

    found = read(settings.load(config).folder, utc_now())
    if as_json:
        print_json({"well": found.well, **as_plain(found)})
    else:
        click.echo("all is well" if found.well else "\n".join(f"needs a person: {one}" for one in found.troubles))
        table(
            f"As at {found.at:%d %b %H:%M:%S} UTC; {found.waiting} messages wait",
            ("Job", "Last begun (UTC)", "Outcome"),
            [(job.name, f"{job.started:%d %b %H:%M}", job.outcome) for job in found.jobs],
        )
    sys.exit(0 if found.well else 1)
