"""`federation-monitor case`: what people do with a case."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import click

from monitor.cli.options import config_option, json_option, open_place, print_json, safe, table

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from monitor.jobs.casework import Act
    from monitor.records import Case

_BY = click.option("--by", default=getpass.getuser, show_default="you", help="Who acts, as you sign.")
_WHY = click.option("--why", default="", help="Why, for the record.")


@click.group(epilog="Example: federation-monitor case ack KJS-0042 --by 'A. Colleague'")
def command() -> None:
    """List cases and record what was done: every act says who, when and why."""


@command.command("list", epilog="Example: federation-monitor case list --all")
@config_option
@click.option("--all", "closed_too", is_flag=True, help="Also those of the last 90 days that are closed.")
@json_option
def list_cases(config: Path | None, *, closed_too: bool, as_json: bool) -> None:
    """List the open cases, the soonest due first."""
    from monitor.jobs.casework import listed
    from monitor.records import as_plain

    with open_place(config) as place:
        now = place.clock()
        found = listed(place, closed_too=closed_too)
        zone = place.settings.federation.zone
        roles = place.policy.escalation.roles
    if as_json:
        print_json(as_plain(found))
        return
    table(
        f"{len(found)} cases",
        ("Case", "Severity", "Category", "Owner", "State", "Due"),
        [
            (
                case.reference,
                case.severity.value,
                case.category,
                roles[case.owner].name if case.owner else "-",
                case.state.value,
                f"{case.due.astimezone(zone):%a %d %b %H:%M}" + (" (late)" if case.due < now else "")
                if case.due
                else "-",
            )
            for case in found
        ],
    )


@command.command("show", epilog="Example: federation-monitor case show KJS-0042")
@config_option
@click.argument("reference")
@json_option
def show(config: Path | None, reference: str, *, as_json: bool) -> None:
    """Show a case: what it needs, by whom, and its whole history. Restricted words are not shown."""
    from monitor.jobs.casework import show as seen
    from monitor.records import as_plain

    with open_place(config) as place:
        case = seen(place, reference)
        row = place.policy.escalation.category(case.category)
    if as_json:
        print_json(as_plain(case))
        return
    click.echo(f"{case.reference}  {case.severity}  {row.name}  [{case.state}]")
    click.echo(f"  clauses   {', '.join(row.clauses)}; {row.law}")
    for number, step in enumerate(row.steps, start=1):
        click.echo(f"  {'do next' if number == 1 else '':<9} {number}. {step}")
    for number, rule in enumerate(row.never, start=1):
        click.echo(f"  {'never' if number == 1 else '':<9} {rule}")
    for event in case.history:
        why = f": {safe(event.why)}" if event.why else ""
        click.echo(f"  {event.at:%d %b %Y %H:%M} UTC  {safe(event.by)}  {safe(event.what)}{why}")


def _acts() -> None:
    """Add one command for each plain act."""
    from monitor.jobs.casework import Act

    summaries = {
        Act.ACK: "Acknowledge: somebody has it.",
        Act.NOTE: "Add a note to the history.",
        Act.ANSWER: "Record that it was answered, with the words used.",
        Act.WAIT: "Record what it waits for.",
        Act.NO_REPLY: "Record that no reply is needed: lawful criticism.",
        Act.REFER: "Record that it was referred, and to whom.",
        Act.CLOSE: "Close it.",
        Act.REOPEN: "Open it again.",
    }
    for act, summary in summaries.items():
        command.add_command(_plain(act, summary))


def _plain(act: Act, summary: str) -> click.Command:
    """Return the command of one plain act."""

    @click.command(act.value, help=summary, epilog=f"Example: federation-monitor case {act} KJS-0042 --why ...")
    @config_option
    @click.argument("reference")
    @_BY
    @_WHY
    def run(config: Path | None, reference: str, by: str, why: str) -> None:
        from monitor.jobs.casework import Doing
        from monitor.jobs.casework import act as do

        with open_place(config) as place:
            _said(do(place, reference, Doing(act=act, by=by, why=why)))

    return run


@command.command("assign", epilog="Example: federation-monitor case assign KJS-0042 --to dsl --why 'child named'")
@config_option
@click.argument("reference")
@click.option("--to", required=True, help="The new owner's role.")
@click.option("--about", default="", help="The role the post is about, if any: it never goes to that person.")
@_BY
@_WHY
def assign(config: Path | None, reference: str, to: str, about: str, by: str, why: str) -> None:
    """Give a case to another role."""
    from monitor.jobs.casework import Act, Doing, act

    with open_place(config) as place:
        _said(act(place, reference, Doing(act=Act.ASSIGN, by=by, why=why, to=to, about_role=about)))


@command.command("severity", epilog="Example: federation-monitor case severity KJS-0042 P1 --why 'spreading'")
@config_option
@click.argument("reference")
@click.argument("level", type=click.Choice(["P0", "P1", "P2", "P3", "P4"]))
@click.option("--role", default="", help="The role in which you act; needed to lower a P0.")
@_BY
@_WHY
def severity(config: Path | None, reference: str, level: str, role: str, by: str, why: str) -> None:
    """Raise a case, or lower it: a P0 only by DSL or Headteacher."""
    from monitor.jobs.casework import Act, Doing, act
    from monitor.records import Severity

    doing = Doing(act=Act.RAISE, by=by, why=why, role=role, severity=Severity(level))
    with open_place(config) as place:
        _said(act(place, reference, doing))


@command.command(
    "hold",
    epilog="Example: federation-monitor case hold KJS-0042 --role dsl --until 2027-01-31 --reason 'police asked'",
)
@config_option
@click.argument("reference")
@click.option("--role", required=True, help="By whose word: dsl, data_protection_officer or police.")
@click.option("--reason", required=True, help="Why the words must stay.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The last day, at most a year ahead.")
@_BY
def hold(config: Path | None, reference: str, role: str, reason: str, until: datetime, by: str) -> None:
    """Keep the words of a case's post although they should go: deleted by its poster, asked for, or old.

    Nothing that the poster changes is taken over meanwhile. After the last day the post goes without a further word.
    """
    from monitor.jobs.casework import hold as keep

    with open_place(config) as place:
        placed = keep(place, reference, role=role, by=by, reason=reason, until=until.date())
    click.echo(f"{placed.reference}: held to the end of {until:%d %B %Y}")


@command.command("release", epilog="Example: federation-monitor case release KJS-0042 --why 'handed to the police'")
@config_option
@click.argument("reference")
@_BY
@_WHY
def release(config: Path | None, reference: str, by: str, why: str) -> None:
    """End a hold. What should have gone meanwhile is erased in the following night."""
    from monitor.jobs.casework import release as let_go

    with open_place(config) as place:
        let_go(place, reference, by=by, why=why)
    click.echo(f"{reference.upper()}: no hold stands any more")


@command.command("not-about-us", epilog="Example: federation-monitor case not-about-us KJS-0042 --why namesake")
@config_option
@click.argument("reference")
@_BY
@_WHY
def not_about_us(config: Path | None, reference: str, by: str, why: str) -> None:
    """Close a case whose post is about another school, and keep it as a labelled example."""
    from monitor.jobs.casework import relabel

    with open_place(config) as place:
        file = relabel(place, reference, by=by, why=why, category=None, severity=None)
    click.echo(f"{reference.upper()}: not about us; the label was added to {file}")


@command.command("wrong-tag", epilog="Example: federation-monitor case wrong-tag KJS-0042 --category QUESTION")
@config_option
@click.argument("reference")
@click.option("--category", required=True, help="What it really was.")
@click.option("--severity", "level", type=click.Choice(["P0", "P1", "P2", "P3", "P4"]), help="How urgent it was.")
@_BY
@_WHY
def wrong_tag(config: Path | None, reference: str, category: str, level: str | None, by: str, why: str) -> None:
    """Say what a post really was, and keep it as a labelled example."""
    from monitor.jobs.casework import relabel
    from monitor.records import Severity

    with open_place(config) as place:
        file = relabel(place, reference, by=by, why=why, category=category, severity=Severity(level) if level else None)
    click.echo(f"{reference.upper()}: the label was added to {file}")


def _said(case: Case) -> None:
    """Print where a case stands now."""
    last = case.history[-1]
    click.echo(f"{case.reference}: {safe(last.what)}; now {case.state}, owner {case.owner}, {case.severity}")


_acts()
