"""Options and output that several commands share."""

from __future__ import annotations

import getpass
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from monitor.jobs.workplace import Workplace

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration file [default: $MONITOR_CONFIG or ./monitor.toml].",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for a program.")


def open_place(config: Path | None) -> Workplace:
    """Open the workplace of a configuration file.

    Raises:
        ConfigError, StoreError: it cannot be opened.
    """
    from monitor import settings
    from monitor.jobs.workplace import open_workplace

    return open_workplace(settings.load(config), who=account())


def account() -> str:
    """Return the account of this machine in which somebody acts: for the audit."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return f"user {os.getuid()}"


def console(*, err: bool = False) -> Console:
    """Return a console: colours on a terminal, plain text into a pipe."""
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() else 120
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; cells are plain text, whatever they hold."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    out = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        out.add_column(name, overflow="fold")
    for row in rows:
        out.add_row(*(Text(safe(cell)) for cell in row))
    console().print(out)


def safe(text: str) -> str:
    """Return `text` without control characters: a post must not drive a terminal."""
    return "".join(
        char if char.isprintable() or char in " \n" else "\N{REPLACEMENT CHARACTER}" for char in text.replace("\t", " ")
    )


def print_json(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Print one JSON document; what could drive a terminal stands in it as an escape."""
    written = json.dumps(value, ensure_ascii=False, indent=2)
    click.echo("".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in written))


def _escaped(char: str) -> str:
    """Return a character as JSON escapes it: a backslash, "u" and four hex digits."""
    halves = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{halves[at : at + 2].hex()}" for at in range(0, len(halves), 2))


def moment(option: str) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """Return a callback that reads a moment: ISO 8601, or "48h", "3d" before now."""

    def read(ctx: click.Context, param: click.Parameter, value: str | None) -> Any:  # noqa: ANN401
        del ctx, param
        if value is None:
            return None
        from monitor.cli.times import parsed

        try:
            return parsed(value)
        except ValueError as error:
            raise click.BadParameter(f"{error}; write for example {option}", param_hint=option) from error

    return read
