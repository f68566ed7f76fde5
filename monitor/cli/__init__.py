"""The command line: `federation-monitor COMMAND`. Each command is a module, imported when it runs.

Exit codes: 0 all is well, 1 something could not be done, 2 wrong usage or configuration.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

import click

from monitor.errors import ConfigError, MonitorError

COMMANDS: Final = {
    "demo": "Run the whole job offline on invented posts: collect, judge, digest, deliver.",
    "init": "Write a commented monitor.toml to start from.",
    "doctor": "Check configuration, credentials, sources, mail and store; say what a person must do.",
    "status": "Say whether the clock runs and what needs a person; for service managers too.",
    "collect": "Read the sources now, judge what is new.",
    "tag": "Judge posts from a file or a pipe: JSON Lines in, JSON Lines out.",
    "daily": "Build the daily digest and deliver it.",
    "weekly": "Build the weekly report and deliver it.",
    "incident": "Read everything now and report on one matter, with evidence.",
    "verify": "Check that the audit, or an evidence bundle, is as it was written.",
    "case": "List cases; acknowledge, answer, assign, refer, close them.",
    "rights": "Find, export or erase what is stored about a post or the requester; record an objection.",
    "report": "Write down what somebody saw where the monitor must not look.",
    "store": "Back the store up, check it, restore it, copy it to another database.",
    "notice": "Write the public privacy notice from the live configuration.",
    "replay": "Judge a past window under other rules and show what would change.",
}
"""Name and summary of every command, so that --help imports none of them."""


class _Lazy(click.Group):
    """A group that imports a command's module when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of a working day."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if name not in COMMANDS:
            return None
        found = import_module(f"{__name__}.{name.replace('-', '_')}").command
        assert isinstance(found, click.Command)  # noqa: S101 - a module without a command is a fault
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands from the summaries."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: federation-monitor demo",
)
@click.version_option(package_name="federation-monitor")
def group() -> None:
    """Federation Monitor watches public posts about the schools and says what each needs."""


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        group(standalone_mode=True)
    except ConfigError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    except MonitorError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
