"""`federation-monitor daily`: build the daily digest now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from monitor.cli.options import config_option, open_place

if TYPE_CHECKING:
    from pathlib import Path


@click.command(epilog="Example: federation-monitor daily --no-send")
@config_option
@click.option("--send/--no-send", default=True, help="Deliver it to the response owner [default: send].")
def command(config: Path | None, *, send: bool) -> None:
    """Build the digest of everything since the last digest time, write it down and deliver it.

    Without a mail relay in monitor.toml the message is laid into the outbox folder as an .eml file.
    """
    from monitor.jobs.daily import daily, window_for
    from monitor.jobs.judge import judge_pending

    with open_place(config) as place:
        judge_pending(place)
        rendered, files = daily(place, window_for(place, place.clock()))
        click.echo(rendered.subject)
        for file in files:
            click.echo(f"  {file}")
        if not place.settings.roles.response_owner:
            click.echo("  not sent: monitor.toml names no [roles] response_owner")
        elif send:
            done = place.postman.deliver()
            click.echo(
                f"  {done.sent} sent, {done.filed} laid into {place.outbox_folder}, "
                f"{done.delayed} will be tried again, {done.refused} refused"
            )
