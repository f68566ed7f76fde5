"""`federation-monitor verify`: check that the audit, or an evidence bundle, is as it was written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.options import config_option, json_option, open_place, print_json, safe

if TYPE_CHECKING:
    from monitor.store.audit import Head


@click.command(
    epilog="Examples:\n\n  federation-monitor verify\n\n  federation-monitor verify --head 1234:0123456789abcdef\n\n"
    "  federation-monitor verify evidence-03.zip"
)
@click.argument("bundle", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@config_option
@click.option("--head", "heads", multiple=True, help="A line of the audit, from the foot of a digest.")
@json_option
def command(bundle: Path | None, config: Path | None, heads: tuple[str, ...], *, as_json: bool) -> None:
    """Recompute every hash of the audit, or of an evidence BUNDLE, and name what was changed, is missing or was added.

    The audit's chain shows any line that was changed, put in or taken out. That its end was cut off, or that the
    whole of it was made anew, shows only against a line that was written down elsewhere: the file audit-heads.txt
    beside the store is always asked, and --head compares with a digest or weekly report that was sent.

    A bundle that agrees with itself may still have been made anew as a whole: compare the sixteen digits with those
    on page one of the report as it was printed or sent.

    The exit code is 1 if anything differs.
    """
    agrees = _bundle(bundle, as_json=as_json) if bundle else _audit(config, heads, as_json=as_json)
    if not agrees:
        sys.exit(1)


def _audit(config: Path | None, heads: tuple[str, ...], *, as_json: bool) -> bool:
    """Check the audit; return whether all agrees."""
    from monitor.jobs.audit import verify
    from monitor.records import as_plain

    compared = tuple(_head(text) for text in heads)
    with open_place(config) as place:
        found = verify(place, compared)
    if as_json:
        print_json(as_plain(found))
        return not found.differences
    for difference in found.differences:
        click.echo(safe(difference))
    state = f"{len(found.differences)} DIFFER" if found.differences else "all agree"
    end = f", the last is {found.head}" if found.head else ""
    click.echo(f"audit: {found.lines} lines{end}, compared with {found.heads} heads kept outside: {state}")
    return not found.differences


def _head(text: str) -> Head:
    """Read a head as a digest prints it."""
    from monitor.jobs.audit import head_of

    try:
        return head_of(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--head") from error


def _bundle(bundle: Path, *, as_json: bool) -> bool:
    """Check a bundle; return whether all agrees."""
    from monitor.jobs.evidence import PROVES, verify
    from monitor.records import as_plain

    found = verify(bundle)
    if as_json:
        print_json(as_plain(found))
        return not found.differences
    for difference in found.differences:
        click.echo(safe(difference))
    state = f"{len(found.differences)} DIFFER" if found.differences else "all agree"
    click.echo(f"{bundle.name}: {found.items} items, {state} with the manifest {found.digits}")
    click.echo("Compare these digits with page one of the report as it was printed or sent.")
    click.echo(PROVES)
    return not found.differences
