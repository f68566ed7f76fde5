"""`federation-monitor replay`: what would other rules change?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.options import config_option, json_option, moment, open_place, print_json, table

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.jobs.replay import Change


@click.command(epilog="Example: federation-monitor replay --since 7d --policy edited-policy")
@config_option
@click.option("--since", callback=moment("--since 7d"), default="7d", help="From when [default: 7d].")
@click.option("--until", callback=moment("--until 2026-11-20T12:00"), help="Up to when [default: now].")
@click.option(
    "--policy",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of rules to try [default: the ones in force].",
)
@json_option
def command(
    config: Path | None, since: datetime, until: datetime | None, policy: Path | None, *, as_json: bool
) -> None:
    """Judge a past window again and print what would change. Nothing is stored, nobody is told."""
    from monitor.jobs.replay import replay
    from monitor.policy import folder
    from monitor.policy.accounts import with_accounts
    from monitor.records import Window, as_plain

    with open_place(config) as place:
        settings = place.settings
        rules = with_accounts(folder.load(policy), settings.accounts, file=settings.file) if policy else place.policy
        found = replay(place, Window(start=since, end=until or place.clock()), rules)
    if as_json:
        print_json(
            {
                "judged": found.judged,
                "whole": found.whole,
                "policy_version": found.version,
                "changes": [
                    {"mention": c.mention.id, "before": as_plain(c.before), "after": as_plain(c.after)}
                    for c in found.changes
                ],
            }
        )
        return
    lowered = sum(change.lowered for change in found.changes)
    raised = sum(change.raised for change in found.changes)
    click.echo(
        f"{found.judged} mentions judged again under version {found.version}: "
        f"{lowered} less urgent, {raised} more urgent, "
        f"{len(found.changes) - lowered - raised} otherwise changed"
    )
    if not found.whole:
        click.echo("The window holds more posts than are judged at once: choose a shorter one for the rest.")
    if found.changes:
        table("What would change", ("Mention", "Where", "Before", "After", "Because"), [
            _row(change) for change in found.changes
        ])  # fmt: skip


def _row(change: Change) -> tuple[str, ...]:
    """Return one change for the table; no words of the post beyond what the rule matched."""
    reasons = [r for r in change.after.reasons if r.about == "category"]
    return (
        str(change.mention.id),
        change.mention.mention.source,
        _short(change.before.category, change.before.severity),
        _short(change.after.category, change.after.severity),
        reasons[0].rule if reasons else "-",
    )


def _short(category: str, severity: object) -> str:
    """Return category and severity in one cell."""
    return f"{severity or '-'} {category}"
