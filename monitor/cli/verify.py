"""`federation-monitor verify`: check that an evidence bundle is as it was written."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from monitor.cli.options import json_option, print_json, safe


@click.command(epilog="Example: federation-monitor verify evidence-03.zip")
@click.argument("bundle", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
def command(bundle: Path, *, as_json: bool) -> None:
    """Recompute every hash of BUNDLE and name what was changed, is missing or was added.

    The exit code is 1 if anything differs. A bundle that agrees with itself may still have been made anew as a
    whole: compare the sixteen digits with those on page one of the report as it was printed or sent.
    """
    from monitor.jobs.evidence import PROVES, verify
    from monitor.records import as_plain

    found = verify(bundle)
    if as_json:
        print_json(as_plain(found))
    else:
        for difference in found.differences:
            click.echo(safe(difference))
        state = f"{len(found.differences)} DIFFER" if found.differences else "all agree"
        click.echo(f"{bundle.name}: {found.items} items, {state} with the manifest {found.digits}")
        click.echo("Compare these digits with page one of the report as it was printed or sent.")
        click.echo(PROVES)
    if found.differences:
        sys.exit(1)
