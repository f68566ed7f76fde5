"""`federation-monitor report`: write down what somebody saw where the monitor must not look."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import click

from monitor.cli.options import config_option, safe

if TYPE_CHECKING:
    from pathlib import Path

    from collectors._reports import Report


@click.command(
    epilog="Example: federation-monitor report --platform Snapchat --private "
    "--school 'Boroughbridge High School' --text 'A fight outside school was planned for Friday'"
)
@config_option
@click.option("--platform", prompt="Where was it (Minecraft, Snapchat, WhatsApp ...)", help="Minecraft, Snapchat ...")
@click.option("--where", default="", help="The server, group or channel, if it is public.")
@click.option(
    "--school",
    prompt="Which school, with its town",
    help="The school it is about, with its town; a report that names none is kept as uncertain.",
)
@click.option("--text", prompt="What was seen, in your own words", help="What was seen, in your own words.")
@click.option(
    "--role",
    "reporter_role",
    type=click.Choice(["staff", "parent", "pupil", "governor", "other"]),
    default="other",
    help="Who saw it. Never a name.",
)
@click.option("--url", default="", help="The address, if it is public.")
@click.option("--seen", default="0m", help='When it was seen: "2h" ago, or 2026-11-20T15:30 [default: now].')
@click.option("--private", is_flag=True, help="Only members can see it: neither place nor address is kept.")
def command(config: Path | None, *, seen: str, **row: str | bool) -> None:
    """Lay a report into the inbox; the next run takes it. Use your own words, name no child, paste no picture."""
    from collectors.reported import Options
    from monitor import settings
    from monitor.cli.times import parsed
    from monitor.errors import ConfigError
    from monitor.jobs.workplace import write_private
    from monitor.records import utc_now
    from monitor.tables import validated

    loaded = settings.load(config)
    options = validated(
        Options,
        loaded.sources.get("reported", {}),
        file=loaded.file,
        text=loaded.text,
        under=("sources", "reported"),
    )
    if options.inbox is None:
        raise ConfigError(
            options.missing(),
            file=loaded.file,
            key="sources.reported.inbox",
            cure='add [sources.reported] with inbox = "/the/whole/path"',
        )
    try:
        moment = parsed(seen, loaded.federation.time_zone)
    except ValueError as error:
        raise click.BadParameter(f"{error}; write for example 2h", param_hint="--seen") from error
    report = _report({"seen_at": moment, **row})
    name = f"report-{utc_now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}.jsonl"
    file = write_private(options.inbox / name, f"{report.line}\n")
    click.echo(f"{safe(file.name)} lies in the inbox; the next run takes it")


def _report(row: dict[str, object]) -> Report:
    """Return the row, or say which option is wrong."""
    from pydantic import ValidationError

    from collectors._reports import Report

    try:
        return Report.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        column = str(first["loc"][0])
        hint = {"seen_at": "--seen", "reporter_role": "--role"}.get(column, f"--{column}")
        raise click.BadParameter(first["msg"].removeprefix("Value error, "), param_hint=hint) from error
