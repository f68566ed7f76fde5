"""`federation-monitor store`: back the store up, check it, restore it, copy it to another database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.options import account, config_option, json_option, print_json, table

if TYPE_CHECKING:
    from monitor.store.backup import Backup, Broken


@click.group(epilog="Example: federation-monitor store check")
def command() -> None:
    """Look after the store: back it up, check it, restore it, copy it to another database.

    The scheduler makes a backup each night. A PostgreSQL store is backed up with pg_dump instead.
    """


@command.command("backup", epilog="Example: federation-monitor store backup")
@config_option
@json_option
def back_up(config: Path | None, *, as_json: bool) -> None:
    """Make a backup now, beside the store in the folder "backups", and check it.

    Older backups lose what the store has erased since; those past their days go.
    """
    from monitor import settings
    from monitor.jobs.storekeeping import back_up as make
    from monitor.records import utc_now

    night = make(settings.load(config), now=utc_now())
    if as_json:
        tidied = {"erased": night.tidied.erased, "dropped": night.tidied.dropped}
        print_json({**_line(night.backup), **tidied, "damaged": [_line(broken) for broken in night.tidied.broken]})
        return
    rows = sum(night.backup.rows.values())
    click.echo(f"{night.backup.file}: {rows} rows in {len(night.backup.rows)} tables, checked")
    click.echo(f"{night.tidied.erased} posts erased from older backups, {night.tidied.dropped} old files dropped")
    for broken in night.tidied.broken:
        click.echo(f"damaged: {broken.file.name}: {broken.why}", err=True)


@command.command("check", epilog="Example: federation-monitor store check --json")
@config_option
@json_option
def check(config: Path | None, *, as_json: bool) -> None:
    """Read the store and every backup from end to end. Nothing is changed.

    The exit code is 1 if one of them is damaged, or there is no backup.
    """
    from monitor import settings
    from monitor.jobs.storekeeping import look

    found = look(settings.load(config))
    if as_json:
        print_json(
            {
                "sound": found.sound,
                "damage": found.damage,
                "backups": [_line(backup) for backup in found.backups],
                "set_aside": [str(path) for path in found.aside],
            }
        )
    else:
        click.echo(f"store: {found.damage or 'sound'}")
        table(
            f"{len(found.backups)} backups",
            ("Made", "File", "Mentions", "State"),
            [
                (
                    f"{backup.made:%d %b %Y %H:%M} UTC",
                    backup.file.name,
                    str(getattr(backup, "rows", {}).get("mentions", "-")),
                    getattr(backup, "why", "") or "sound",
                )
                for backup in found.backups
            ],
        )
        for path in found.aside:
            click.echo(f"set aside by a restoration: {path}")
    sys.exit(0 if found.sound else 1)


@command.command("restore", epilog="Example: federation-monitor store restore --yes")
@config_option
@click.option(
    "--backup",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The backup to take [default: the newest that is sound].",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def restore(config: Path | None, backup: Path | None, *, yes: bool, as_json: bool) -> None:
    """Put a backup in the store's place; what is there now is set aside under another name.

    Stop the monitor first. A damaged store needs no command: the next start restores it by itself.
    """
    from monitor import settings
    from monitor.jobs.storekeeping import restore as put_back
    from monitor.records import utc_now

    loaded = settings.load(config)
    if not yes:
        click.confirm("The store goes back to the moment of the backup. Go on?", abort=True, err=True)
    restored, said = put_back(loaded, now=utc_now(), chosen=backup, who=account())
    aside = str(restored.aside or "")
    if as_json:
        print_json({"restored_from": _line(restored.backup), "set_aside": aside, "meaning": said})
        return
    click.echo(f"restored from {restored.backup.file}")
    if aside:
        click.echo(f"what was there is now {aside}")
    click.echo(said)


@command.command(
    "copy", epilog="Example: federation-monitor store copy --to postgresql+psycopg://monitor@localhost/monitor"
)
@config_option
@click.option("--to", "target", required=True, metavar="URL", help="Where to: an SQLAlchemy URL of an empty database.")
@json_option
def copy(config: Path | None, target: str, *, as_json: bool) -> None:
    """Copy everything from the configured store into an empty one, and compare each table.

    Stop the monitor first. Either everything is there afterwards, or nothing. Then set [storage] database to the
    new address; files beside the store (keys of handles, reports) stay where they are. A password stands in the
    file that PGPASSFILE names, not in the address.
    """
    from monitor import settings
    from monitor.jobs.storekeeping import copy_to
    from monitor.records import as_plain, utc_now

    def shown(name: str, done: int, total: int) -> None:
        if total and sys.stderr.isatty():
            click.echo(f"\r{name}: {done} of {total}", nl=done == total, err=True)

    copied = copy_to(settings.load(config), target, now=utc_now(), progress=shown)
    if as_json:
        print_json(as_plain(copied))
        return
    table(
        f"{sum(one.rows for one in copied)} rows copied, all as they were",
        ("Table", "Rows", "SHA-256 on both sides"),
        [(one.table, str(one.rows), f"{one.sha256[:16]}...") for one in copied],
    )


def _line(backup: Backup | Broken) -> dict[str, object]:
    """Return a backup for a program."""
    from monitor.records import as_plain

    return {**as_plain(backup), "file": str(backup.file)}
