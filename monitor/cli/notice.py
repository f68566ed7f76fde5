"""`federation-monitor notice`: write the public privacy notice."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from monitor.cli.options import config_option, open_place


@click.command(
    epilog="Examples:\n\n  federation-monitor notice --format html --output privacy.html\n\n"
    "  federation-monitor notice --for children\n\n  federation-monitor notice --check published.md"
)
@config_option
@click.option(
    "--for",
    "reader",
    type=click.Choice(["everyone", "children", "bio"]),
    default="everyone",
    help="For whom: everyone, children, or the line for an account's profile [default: everyone].",
)
@click.option(
    "--format", "form", type=click.Choice(["markdown", "html"]), default="markdown", help="[default: markdown]"
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Where to write it [default: print].")
@click.option(
    "--check",
    "published",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Write nothing; say whether this published notice is still true.",
)
def command(config: Path | None, reader: str, form: str, output: Path | None, published: Path | None) -> None:
    """Write the public privacy notice from the live configuration: what is searched, why, who reads it, how long.

    Put it on both schools' web sites. After every change of the configuration or the rules write it again: --check
    exits with 1 if a published one is not true any more.
    """
    from monitor.jobs.notice import Form, Reader, written

    with open_place(config) as place:
        text = written(place, Reader(reader), Form(form))
    if published:
        if published.read_text(encoding="utf-8") != text:
            click.echo(f"{published} differs from what the configuration says: write and publish it again", err=True)
            sys.exit(1)
        click.echo(f"{published} is what the configuration says")
    elif output:
        output.write_text(text, encoding="utf-8")
        click.echo(f"wrote {output}")
    else:
        click.echo(text, nl=False)
