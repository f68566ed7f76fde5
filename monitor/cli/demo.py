"""`federation-monitor demo`: the whole job, offline, on invented posts."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.options import console, table
from monitor.errors import ConfigError

if TYPE_CHECKING:
    from monitor.jobs.workplace import Workplace
    from monitor.records import Case, Rendered, Run

MARKER = ".federation-monitor-demo"


@click.command(epilog="Example: federation-monitor demo --folder /tmp/demo")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("federation-monitor-demo"),
    show_default=True,
    help="Where the results go; a demo that stands there is replaced.",
)
def command(folder: Path) -> None:
    """Run the real job on invented posts: collect over HTTP, judge, digest, deliver into a folder.

    A small server on this machine plays the sources. Nothing is read from or sent to the internet.
    """
    _fresh(folder)
    runs, opened, reports, place = _run(folder)
    _print(place, runs, opened, reports, folder)


def _fresh(folder: Path) -> None:
    """Make an empty folder; only one that an earlier demo made is cleared.

    Raises:
        ConfigError: the folder holds something else.
    """
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).exists():
            raise ConfigError("holds files that no demo wrote", file=folder, cure="name another one with --folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / MARKER).touch()


def _run(folder: Path) -> tuple[tuple[Run, ...], tuple[Case, ...], list[Rendered], Workplace]:
    """Do the job with a progress bar on a terminal."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console(err=True), transient=False) as progress:
        task = progress.add_task("starting the rehearsal town")
        from monitor.jobs.alerts import raise_alerts
        from monitor.jobs.collect import collect
        from monitor.jobs.daily import daily, window_for
        from monitor.jobs.demo import demo_workplace
        from monitor.jobs.judge import judge_pending
        from monitor.jobs.weekly import weekly
        from monitor.jobs.weekly import window_for as week_before

        with demo_workplace(folder.resolve()) as place:
            runs = collect(
                place,
                progress=lambda source, run: progress.update(
                    task, description=f"reading {source}" + (f": {run.seen} seen" if run else "")
                ),
            )
            progress.update(task, description="judging what is about the schools")
            opened = judge_pending(place)
            progress.update(task, description="building and delivering the reports")
            digest, _ = daily(place, window_for(place, place.clock()))
            report, _ = weekly(place, week_before(place, place.clock()))
            raise_alerts(place)
            place.postman.deliver()
            progress.update(task, description="done")
    return runs, opened, [digest, report], place


def _print(
    place: Workplace, runs: tuple[Run, ...], opened: tuple[Case, ...], reports: list[Rendered], folder: Path
) -> None:
    """Print what happened, where things are, and what a real run needs."""
    table(
        "Sources read",
        ("Source", "Outcome", "Seen", "About the schools", "Not about us", "Unreadable"),
        [
            (
                run.source,
                run.outcome.value,
                str(run.seen),
                str(run.new),
                str(sum(run.dropped.values())),
                str(sum(run.malformed.values())),
            )
            for run in runs
        ],
    )
    severities = Counter(case.severity.value for case in opened)
    table(
        f"{len(opened)} cases opened",
        ("Severity", "Cases", "Who has to act, by when"),
        [
            (name, str(severities[name]), place.policy.escalation.severities[severity].target)
            for severity, rule in place.policy.escalation.severities.items()
            if severities[name := severity.value]
        ],
    )
    for rendered in reports:
        click.echo(f"{rendered.name}: {rendered.subject}")
    for report in sorted((folder / "reports").iterdir()):
        click.echo(f"  {report}")
    for message in sorted((folder / "outbox").glob("*.eml")):
        click.echo(f"  {message}")
    click.echo(
        "\nEvery post above is invented. For a real run:\n"
        "  1. federation-monitor init          writes monitor.toml\n"
        "  2. fill in who is told, the mail relay, the feeds, and the signed impact assessment\n"
        "  3. federation-monitor doctor        says what is still missing\n"
        "  4. python scheduler.py              reads every 15 minutes and mails the digest at 07:30"
    )
