"""`federation-monitor incident`: read everything now and report on one matter."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.options import config_option, console, moment, open_place, safe

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from pathlib import Path

    from monitor.jobs.incident import Page
    from monitor.jobs.workplace import Workplace

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def _length(ctx: click.Context, param: click.Parameter, value: str | None) -> Any:  # noqa: ANN401 - a timedelta
    """Read a length of time: "60m", "3h"."""
    del ctx
    from datetime import timedelta

    if value is None:
        return timedelta(0)
    units = {"m": "minutes", "h": "hours"}
    if not (value[:-1].isdecimal() and value[-1:] in units and len(value) < 6):  # noqa: PLR2004 - "9999m" is a week
        raise click.BadParameter("write for example 60m or 3h", param=param)
    return timedelta(**{units[value[-1]]: int(value[:-1])})


@click.command(epilog='Example: federation-monitor incident "toilet protest" --since 48h --watch 60m')
@config_option
@click.argument("terms", nargs=-1)
@click.option("--since", default="48h", callback=moment("48h"), help="What to look back to [default: 48h].")
@click.option("--watch", "lasts", callback=_length, help="Look again each quarter of an hour, for so long: 60m, 3h.")
@click.option("--send/--no-send", default=True, help="E-mail each update to those who decide [default: send].")
@click.option("--stand-down", "over", is_flag=True, help="End the incident and send the closing message.")
@click.option("--why", default="", help="With --stand-down: why it is over, in one sentence.")
def command(
    config: Path | None, terms: tuple[str, ...], since: datetime, lasts: timedelta, *, send: bool, over: bool, why: str
) -> None:
    """Read every source now and write a report and an evidence bundle on TERMS.

    A post is found if it has every word of one of the TERMS, or a longer form of it; give each term in quotation
    marks. Sources are asked for the schools' names only: the school is the topic, never a person. The first page is
    there within a minute, even if a source is slow, and says which have not answered yet. Updates of one incident
    come under one e-mail subject, and its evidence keeps its numbers.
    """
    from monitor.jobs.incident import stand_down, watch
    from monitor.jobs.incident_terms import Terms
    from monitor.jobs.judge import judge_pending

    asked = Terms.of(terms) if terms or not over else None
    with ExitStack() as stack:
        place = stack.enter_context(open_place(config))
        if over:
            page = stand_down(place, asked, why=why or "No reason was given.", tell=send)
            _show(place, page, send=send)
            return
        assert asked is not None  # noqa: S101 - without --stand-down terms are checked above
        try:
            with console(err=True).status("starting") as status:
                for page in watch(
                    place, asked, since=since, judge=judge_pending, lasts=lasts, tell=send, progress=status.update
                ):
                    _show(place, page, send=send)
        except KeyboardInterrupt:
            # left open: a source that is still being read would take a closed store for a fault of its own
            stack.pop_all()
            click.echo("Stopped. What was written stays; the same command goes on, and --stand-down ends it.")
            sys.exit(INTERRUPTED)
        if page.still:
            stack.pop_all()


def _show(place: Workplace, page: Page, *, send: bool) -> None:
    """Print one update and deliver it."""
    click.echo(f"{page.view.as_at}, {page.view.next_review}: {safe(page.view.headline)}")
    if page.view.still:
        click.echo(f"  STILL ANSWERING: {safe(page.view.still)}")
    for gap in page.view.gaps:
        click.echo(f"  not seen: {safe(gap)}")
    for file in (page.html, page.pdf, page.evidence):
        if file:
            click.echo(f"  {file}")
    if not send:
        return
    if not page.told:
        click.echo("  nobody is told: monitor.toml names no response_owner, senior_leader or headteacher")
    else:
        done = place.postman.deliver()
        click.echo(f"  {done.sent} sent, {done.filed} laid into the outbox folder, {done.delayed} delayed")
