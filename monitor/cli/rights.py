"""`federation-monitor rights`: what a person may ask about themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from monitor.cli.options import config_option, open_place, print_json, table
from monitor.store.holds import HOLDERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from monitor.jobs.erasing import Erased


def _asked(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say what is asked about."""
    for option in (
        click.option("--handle", default="", help="The requester's own handle; hashed at once, never kept."),
        click.option("--source", default="", help="Where that handle is used: bluesky, reddit, ..."),
        click.option("--url", default="", help="The address of the post."),
        config_option,
    ):
        function = option(function)
    return function


def _request(options: dict[str, Any]) -> Any:  # noqa: ANN401 - monitor.jobs.rights.Request, imported when needed
    """Return the request that the options make."""
    from monitor.jobs.rights import Request

    return Request(url=options["url"], source=options["source"], handle=options["handle"])


@click.group(epilog="Example: federation-monitor rights find --url https://bsky.app/profile/a.example/post/3k")
def command() -> None:
    """Find, export or erase what is stored about a post or about the requester; record an objection.

    Check first that the person who asks is who they say they are. Nobody else's handle is ever looked up.
    """


@command.command("find", epilog="Example: federation-monitor rights find --source bluesky --handle me.example")
@_asked
def find(config: Path | None, **options: str) -> None:
    """Say what is stored."""
    from monitor.jobs.rights import find as found

    with open_place(config) as place:
        stored = found(place, _request(options))
    table(
        f"{len(stored)} stored",
        ("Number", "Source", "Published", "First seen", "Address"),
        [
            (
                str(item.id),
                item.mention.source,
                f"{item.mention.published:%d %b %Y %H:%M} UTC",
                f"{item.first_seen:%d %b %Y %H:%M} UTC",
                item.mention.url or "-",
            )
            for item in stored
        ],
    )


@command.command("export", epilog="Example: federation-monitor rights export --url https://... > answer.json")
@_asked
def export(config: Path | None, **options: str) -> None:
    """Print everything that is stored, with what was made of it, as JSON."""
    from monitor.jobs.rights import find as found
    from monitor.records import as_plain
    from monitor.store.audit import Deed

    with open_place(config) as place:
        print_json(as_plain(found(place, _request(options), deed=Deed.EXPORTED)))


@command.command("erase", epilog="Example: federation-monitor rights erase --url https://...")
@_asked
def erase(config: Path | None, **options: str) -> None:
    """Erase it; it does not come back. What is under a hold goes when the hold ends, and is named."""
    from monitor.jobs.rights import erase as wipe

    with open_place(config) as place:
        _said(wipe(place, _request(options)))


@command.command("object", epilog="Example: federation-monitor rights object --source reddit --handle me")
@_asked
def object_to(config: Path | None, **options: str) -> None:
    """Erase what is stored and never take a post of this handle again."""
    from monitor.jobs.rights import object_to as remember

    with open_place(config) as place:
        done = remember(place, _request(options))
    click.echo("the objection is recorded" if done.fresh else "the objection was recorded already")
    _said(done.erased)


@command.command("restrict", epilog="Example: federation-monitor rights restrict --url https://...")
@_asked
def restrict(config: Path | None, **options: str) -> None:
    """Keep it, but let nobody use its words: in no report, while a question about it is open."""
    from monitor.jobs.rights import restrict as close

    with open_place(config) as place:
        click.echo(f"{close(place, _request(options))} mentions restricted")


@command.command("lift", epilog="Example: federation-monitor rights lift --url https://...")
@_asked
def lift(config: Path | None, **options: str) -> None:
    """Let what was restricted be used again."""
    from monitor.jobs.rights import lift as reopen

    with open_place(config) as place:
        click.echo(f"{reopen(place, _request(options))} restrictions lifted")


@command.command("complaint", epilog="Example: federation-monitor rights complaint --received 2026-11-23")
@config_option
@click.option("--received", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day on which it came.")
def complaint(config: Path | None, received: datetime) -> None:
    """Record that somebody complained, without who or why; print by when its receipt must be confirmed."""
    from monitor.jobs.rights import complaint as record

    with open_place(config) as place:
        click.echo(f"confirm the receipt by {record(place, received=received.date()):%d %B %Y}")


def _said(erased: Erased) -> None:
    """Print what went, and what is kept by whose hold until when: the words of the answer to the requester."""
    click.echo(f"{erased.count} mentions erased")
    for hold in erased.held:
        click.echo(
            f"kept until {hold.until:%d %B %Y} under a hold of the {HOLDERS[hold.role]} ({hold.reference}), "
            "then erased without being asked again (UK GDPR Art 17(3)); the requester may complain to the ICO"
        )
