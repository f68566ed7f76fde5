"""Looking after the store: backed up each night, looked at when it is opened, restored when it is damaged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from monitor import logs
from monitor.errors import ConfigError, StoreDamaged
from monitor.store import audit, backup, copying, journal
from monitor.store.audit import CLOCK, Deed
from monitor.store.engine import open_store, sqlite_file
from monitor.store.schema import leases

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monitor.records import Clock, Window
    from monitor.settings import Settings
    from monitor.store.backup import Backup, Broken, CaughtUp, Restored
    from monitor.store.copying import Copied
    from monitor.store.engine import Store

RESTORED: Final = "restore"
"""The job under which a restoration stands in the journal; its error is a sentence for the digest."""

PG_DUMP: Final = (
    "the store is PostgreSQL: its backups are made with pg_dump (docs/operations.md says how), not by the monitor"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """A nightly backup, and what was tidied after it."""

    backup: Backup
    tidied: CaughtUp


def back_up(settings: Settings, *, now: datetime) -> Night:
    """Make a backup, then bring the older ones up to date and drop those past their time.

    Raises:
        ConfigError: the store is PostgreSQL.
        StoreError: no backup could be made; the older ones are left as they are.
    """
    file = own_file(settings)
    made = backup.make(file, now=now)
    tidied = backup.catch_up(file, now=now, keep=timedelta(days=settings.storage.backup_days))
    for broken in tidied.broken:
        logs.log().error("an older backup is damaged", file=broken.file.name, error=broken.why)
    return Night(backup=made, tidied=tidied)


def own_file(settings: Settings) -> Path:
    """Return the file of the configured store.

    Raises:
        ConfigError: the store is PostgreSQL.
    """
    file = sqlite_file(settings.database_url)
    if file is None:
        raise ConfigError(PG_DUMP, file=settings.file, key="storage.database", cure="pg_dump --format=custom")
    return file


def open_sound(settings: Settings, *, clock: Clock, thorough: bool = False) -> Store:
    """Open the store; one that is damaged or gone is set aside and restored from its newest sound backup.

    Args:
        settings: name the store.
        clock: tells the time.
        thorough: compare indexes with their tables as well.

    Raises:
        StoreError: it cannot be opened, or it is damaged and no backup is sound, or another process has it open.
    """
    file = sqlite_file(settings.database_url)
    try:
        return _looked_at(settings, file, clock, thorough=thorough)
    except StoreDamaged as damage:
        if file is None:
            raise
        return _mended(settings, file, damage, clock())


def restore(settings: Settings, *, now: datetime, chosen: Path | None = None, who: str = CLOCK) -> tuple[Restored, str]:
    """Put a backup in the store's place on demand; return it, and what people should know.

    `who` asked for it, for the audit of the restored store.

    Raises:
        ConfigError, StoreError: see `monitor.store.backup.restore`.
    """
    file = own_file(settings)
    restored = backup.restore(file, now=now, chosen=chosen)
    said = sentence(restored, settings, now)
    store = open_store(settings.database_url, clock=lambda: now)
    try:
        _note(store, restored, said, who=who, now=now)
    finally:
        store.close()
    return restored, said


def sentence(restored: Restored, settings: Settings, now: datetime) -> str:
    """Return what a digest says of a restoration, in lines that it has room for.

    What happened and what is kept; what may be missing since when; what a person must do.
    """
    zone = settings.federation.zone
    since, until = (f"{moment.astimezone(zone):%d %B %H:%M}" for moment in (restored.backup.made, now))
    return (
        f"The store was damaged and was restored from the backup of {since}. What was erased stays erased; what was "
        "decided on cases, and what was sent, is kept. Look at this machine's disk.\n"
        f"Posts found between {since} and {until} are read again. What a source no longer shows is missing: fewer "
        "posts then does not mean that less was said."
    )


def restorations(connection: sa.Connection, window: Window) -> tuple[str, ...]:
    """Return what the digest of a window says of restorations in it."""
    found = (run.error for run in journal.troubles(connection, window) if run.job == RESTORED)
    return tuple(line for said in found for line in said.splitlines())


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a look at the store and its backups found.

    Attributes:
        damage: what is wrong with the store itself, "" if it is sound.
        backups: each read from end to end, the newest first.
        aside: files that were set aside.
    """

    damage: str
    backups: tuple[Backup | Broken, ...]
    aside: tuple[Path, ...]

    @property
    def sound(self) -> bool:
        """Whether the store and every backup are whole, and there is one."""
        return not self.damage and bool(self.backups) and all(isinstance(b, backup.Backup) for b in self.backups)


def look(settings: Settings) -> Found:
    """Read the store and every backup from end to end; nothing is changed or mended.

    Raises:
        ConfigError: the store is PostgreSQL.
    """
    file = own_file(settings)
    damage = ""
    try:
        backup.examine(file, made=datetime.min.replace(tzinfo=settings.federation.zone))
    except StoreDamaged as error:
        damage = str(error)
    return Found(damage=damage, backups=backup.examined(file), aside=backup.set_aside(file))


def copy_to(
    settings: Settings,
    url: str,
    *,
    now: datetime,
    progress: Callable[[str, int, int], None] = lambda _table, _done, _all: None,
) -> tuple[Copied, ...]:
    """Copy the configured store into the empty one at an SQLAlchemy URL; see `monitor.store.copying.copy`.

    Raises:
        ConfigError: the URL cannot be used, or names the store itself.
        StoreError: a scheduler is running, the target is not empty, or the copy differs. Nothing is kept there.
    """
    try:
        backend = sa.make_url(url).get_backend_name()
    except sa.exc.ArgumentError:
        backend = ""
    if backend not in {"sqlite", "postgresql"}:
        cure = "postgresql+psycopg://user@host/database, or sqlite:////folder/monitor.sqlite"
        raise ConfigError("--to is no address of a database that the monitor knows", cure=cure)
    if sa.make_url(url) == sa.make_url(settings.database_url):
        raise ConfigError("--to names the store itself", cure="name an empty database")
    source = open_store(settings.database_url)
    try:
        target = open_store(url)
        try:
            return copying.copy(source, target, now=now, progress=progress)
        finally:
            target.close()
    finally:
        source.close()


def _looked_at(settings: Settings, file: Path | None, clock: Clock, *, thorough: bool) -> Store:
    """Open the store and read it to its end.

    Raises:
        StoreDamaged: it is damaged or gone.
    """
    if file and backup.is_lost(file):
        raise StoreDamaged(f"the database {file} is missing or empty, although it has backups")
    store = open_store(settings.database_url, clock=clock)
    try:
        store.check(thorough=thorough)
    except BaseException:
        store.close()
        raise
    return store


def _mended(settings: Settings, file: Path, damage: StoreDamaged, now: datetime) -> Store:
    """Restore a damaged store and open it."""
    restored = backup.restore(file, now=now)
    store = open_store(settings.database_url, clock=lambda: now)
    try:
        store.check()
        said = sentence(restored, settings, now)
        _note(store, restored, said, who=CLOCK, now=now)
    except BaseException:
        store.close()
        raise
    logs.log().error(
        "the store was restored",
        damage=str(damage),
        backup=restored.backup.file.name,
        set_aside=restored.aside.name if restored.aside else "",
        meaning=said,
    )
    return store


def _note(store: Store, restored: Restored, said: str, *, who: str, now: datetime) -> None:
    """Write a restoration into the journal, from where the next digest takes it, and into the audit (PR20).

    A scheduler that held the clock when the backup was made does not hold it any more: the store was ours alone.
    """
    with store.write() as connection:
        connection.execute(sa.delete(leases))
        number = journal.start(connection, RESTORED, planned=now, now=now)
        journal.finish(connection, number, now=now, error=said)
        aside = f"; what was there is {restored.aside.name}" if restored.aside else ""
        about = f"from {restored.backup.file.name}, made {restored.backup.made:%Y-%m-%dT%H:%M:%SZ}{aside}"
        audit.append(connection, at=now, who=who, what=Deed.RESTORED_STORE, about=about)
