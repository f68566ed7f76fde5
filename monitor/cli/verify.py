"""`federation-monitor verify`: check that the audit, or an evidence bundle, is as it was written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.options import config_option, json_option, open_place, print_json, safe

if TYPE_CHECKING:
    from monitor.jobs.evidence import Verified
    from monitor.store.audit import Checked, Head


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
    from monitor.records import as_plain

    found, said = _bundle(bundle) if bundle else _audit(config, heads)
    if as_json:
        print_json(as_plain(found))
    else:
        for line in (*map(safe, found.differences), *said):
            click.echo(line)
    if found.differences:
        sys.exit(1)


def _audit(config: Path | None, heads: tuple[str, ...]) -> tuple[Checked, tuple[str, ...]]:
    """Check the audit; return what was found, and the lines that sum it up."""
    from monitor.jobs.audit import verify

    compared = tuple(_head(text) for text in heads)
    with open_place(config) as place:
        found = verify(place, compared)
    end = f", the last is {found.head}" if found.head else ""
    compared_with = f"compared with {found.heads} heads kept outside"
    return found, (f"audit: {found.lines} lines{end}, {compared_with}: {_state(found.differences)}",)


def _head(text: str) -> Head:
    """Read a head as a digest prints it."""
    from monitor.jobs.audit import head_of

    try:
        return head_of(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--head") from error


def _bundle(bundle: Path) -> tuple[Verified, tuple[str, ...]]:
    """Check a bundle; return what was found, and the lines that sum it up."""
    from monitor.jobs.evidence import PROVES, verify

    found = verify(bundle)
    return found, (
        f"{bundle.name}: {found.items} items, {_state(found.differences)} with the manifest {found.digits}",
        "Compare these digits with page one of the report as it was printed or sent.",
        PROVES,
    )


def _state(differences: tuple[str, ...]) -> str:
    """Return whether all agrees, in two words."""
    return f"{len(differences)} DIFFER" if differences else "all agree"
