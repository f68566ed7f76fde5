"""`federation-monitor weekly`: build the weekly report now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from monitor.cli.options import config_option, open_place

if TYPE_CHECKING:
    from pathlib import Path


@click.command(epilog="Example: federation-monitor weekly --no-send")
@config_option
@click.option("--send/--no-send", default=True, help="Deliver it to the senior leader [default: send].")
def command(config: Path | None, *, send: bool) -> None:
    """Build the report of the last seven days, write it down and deliver it.

    It is an HTML page for a browser, and a PDF where WeasyPrint is installed (federation-monitor[pdf]). Without
    a mail relay in monitor.toml the message is laid into the outbox folder as an .eml file.
    """
    from monitor.jobs.judge import judge_pending
    from monitor.jobs.weekly import weekly, window_for
    from reports.printing import CURE, can_print

    with open_place(config) as place:
        judge_pending(place)
        rendered, files = weekly(place, window_for(place, place.clock()))
        click.echo(rendered.subject)
        for file in files:
            click.echo(f"  {file}")
        if not can_print():
            click.echo(f"  no PDF: {CURE}")
        if not place.settings.roles.senior_leader:
            click.echo("  not sent: monitor.toml names no [roles] senior_leader")
        elif send:
            done = place.postman.deliver()
            click.echo(
                f"  {done.sent} sent, {done.filed} laid into {place.outbox_folder}, "
                f"{done.delayed} will be tried again, {done.refused} refused"
            )
