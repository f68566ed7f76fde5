"""`federation-monitor collect`: read the sources now."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from monitor.cli.options import config_option, console, json_option, open_place, print_json, table

if TYPE_CHECKING:
    from pathlib import Path


@click.command(epilog="Example: federation-monitor collect --source feeds --source bluesky")
@config_option
@click.option("--source", "sources", multiple=True, help="Read this source only; may be repeated.")
@json_option
def command(config: Path | None, sources: tuple[str, ...], *, as_json: bool) -> None:
    """Read every source that is on, store what is about the schools, judge it, deliver what waits.

    A source that cannot be read is shown with its reason, and the exit code is 1.
    """
    from monitor.jobs.alerts import raise_alerts
    from monitor.jobs.collect import collect
    from monitor.jobs.judge import judge_pending
    from monitor.records import Outcome, as_plain

    with open_place(config) as place:
        if as_json:
            runs = collect(place, only=frozenset(sources))
            opened = judge_pending(place)
        else:
            with console(err=True).status("reading") as status:
                runs = collect(
                    place,
                    only=frozenset(sources),
                    progress=lambda source, run: status.update(f"reading {source}") if run is None else None,
                )
                status.update("judging")
                opened = judge_pending(place)
        raise_alerts(place)
        place.postman.deliver()
    if as_json:
        print_json({"runs": as_plain(runs), "cases": [case.reference for case in opened]})
    else:
        table(
            "Sources read",
            ("Source", "Outcome", "Seen", "New", "Not about us", "Unreadable", "What happened"),
            [
                (
                    run.source,
                    run.outcome.value,
                    str(run.seen),
                    str(run.new),
                    str(sum(run.dropped.values())),
                    str(sum(run.malformed.values())),
                    run.error or "-",
                )
                for run in runs
            ],
        )
        click.echo(f"{len(opened)} cases opened")
    if any(run.outcome is not Outcome.COMPLETE for run in runs):
        sys.exit(1)
