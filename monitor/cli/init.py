"""`federation-monitor init`: write a commented monitor.toml."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.errors import ConfigError

EXAMPLE = Path(__file__).parent / "monitor.toml"


@click.command(epilog="Example: federation-monitor init && federation-monitor doctor")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default=Path("monitor.toml"), required=False)
def command(file: Path) -> None:
    """Write a commented configuration to FILE [default: monitor.toml]. An existing file is never touched."""
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(EXAMPLE.read_text(encoding="utf-8"))
    except FileExistsError as error:
        raise ConfigError("exists already and was left alone", file=file, cure="name another file") from error
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", file=file) from error
    click.echo(f"wrote {file}")
    click.echo("next: fill in [federation] contact, [roles], [mail] and [privacy.dpia], then run")
    click.echo(f"  federation-monitor doctor --config {file}")
