"""What staff and parents saw where no lawful reader exists: Minecraft, Snapchat, WhatsApp, private groups.

Reports come as CSV or JSON Lines files in an inbox folder (the columns stand in `collectors._reports`), or are typed in
with `federation-monitor report`, which lays a file there. The text is the reporter's own words; nothing is fetched, and
nobody is named. What was read is remembered in a bookmark, which is kept only when a whole run was: so the run after
the one that stored a file moves it to `done/`, where it is erased when it is 30 days old.
"""

from __future__ import annotations

import hashlib
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator

from collectors import SourceOptions
from collectors._reports import SUFFIXES, Report, Unreadable, read
from monitor.errors import AccessRefused, Unreachable
from monitor.records import Bookmark, Malformed, Mention

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collectors import Collector, Tools
    from monitor.records import Ask, Yielded

NAME: Final = "reported"
SECRETS: tuple[str, ...] = ()
CHANNEL: Final = "inbox"
DONE: Final = "done"
KEPT: Final = timedelta(days=30)
"""How old a file in done/ may grow: no older than the words of an everyday post (PR07)."""
MOST_BYTES: Final = 5_000_000
CLOCKS_DIFFER: Final = timedelta(days=1)
"""How far in the future a report's time may lie before it is taken for a slip of the pen."""


def _absolute(value: Path) -> Path:
    """Accept a whole path: a relative one would depend on where the monitor was started."""
    if not value.is_absolute():
        raise ValueError("write the whole path, from the root on")
    return value


class Options(SourceOptions):
    """`[sources.reported]`.

    Attributes:
        inbox: the folder into which reports are laid; a whole path.
    """

    inbox: Annotated[Path, AfterValidator(_absolute)] | None = None

    def missing(self) -> str:
        """Return what must still be configured."""
        return "" if self.inbox else "no inbox: set inbox to a folder into which reports are laid"


def collector(options: Options, tools: Tools) -> Collector:
    """Make the reader."""
    return Reported(options, tools)


class Reported:
    """Reads the inbox. Every row is taken, however long ago it was seen: people report late."""

    name = NAME

    def __init__(self, options: Options, tools: Tools) -> None:
        self._inbox = options.inbox or Path()
        self._clock = tools.clock

    def collect(self, ask: Ask) -> Iterator[Yielded]:
        """Yield the rows of every file that was not stored before; see `collectors.Collector`.

        A file that cannot be read at all stays where it is and is counted at every run, until somebody mends it.

        Raises:
            Unreachable: the inbox cannot be opened.
            AccessRefused: a file that was stored cannot be moved to done/, or erased there in time.
        """
        stored: dict[str, str] = json.loads(ask.bookmarks.get(CHANNEL, "{}"))
        present: dict[str, str] = {}
        stuck = 0
        for file in self._files():
            try:
                content = _content(file)
                digest = hashlib.sha256(content).hexdigest()
                if stored.get(file.name) == digest:
                    stuck += not self._moved(file, digest)
                    continue
                rows = read(content, file.suffix.lower())
            except Unreadable as error:
                yield Malformed(reason=str(error))
                continue
            for row in rows:
                yield row if isinstance(row, Malformed) else self._mention(row)
            present[file.name] = digest
        stuck += self._forget()
        yield Bookmark(channel=CHANNEL, value=json.dumps(present))
        if stuck:
            raise AccessRefused(NAME, f"{stuck} files were stored and cannot be moved to {DONE}/, or erased there")

    def _files(self) -> list[Path]:
        """Return what lies in the inbox, in the order of names; half-written files are hidden ones."""
        try:
            return sorted(
                file for file in self._inbox.iterdir() if file.name != DONE and not file.name.startswith((".", "~"))
            )
        except OSError as error:
            raise Unreachable(NAME, f"the inbox cannot be opened ({type(error).__name__})") from error

    def _moved(self, file: Path, digest: str) -> bool:
        """Move a stored file to done/; return whether that was possible."""
        try:
            (self._inbox / DONE).mkdir(mode=0o700, exist_ok=True)
            file.rename(self._inbox / DONE / f"{digest[:12]}-{file.name}")
        except OSError:
            return False
        return True

    def _forget(self) -> int:
        """Erase what has been in done/ for long enough; return how many files could not be erased."""
        oldest, stuck = self._clock() - KEPT, 0
        for file in (self._inbox / DONE).glob("*"):
            try:
                about = file.lstat()
                if stat.S_ISREG(about.st_mode) and datetime.fromtimestamp(about.st_mtime, tz=UTC) < oldest:
                    file.unlink()
            except OSError:
                stuck += 1
        return stuck

    def _mention(self, report: Report) -> Mention | Malformed:
        """Return a report as a mention; of a private place neither name nor address is kept."""
        if report.seen_at > self._clock() + CLOCKS_DIFFER:
            return Malformed(reason="seen_at: in the future")
        where = "private" if report.private else report.where
        return Mention(
            source=NAME,
            native_id=report.key,
            url="" if report.private else report.url,
            text=report.text,
            published=report.seen_at,
            title=report.school,
            community=f"{report.platform}, {where}" if where else report.platform,
            channel=f"reported by {report.reporter_role}",
        )


def _content(file: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        Unreadable: it is no plain file of a known kind, too large, or closed to us.
    """
    try:
        about = file.lstat()
        if not stat.S_ISREG(about.st_mode):
            raise Unreadable("something in the inbox that is not a plain file")
        if file.suffix.lower() not in SUFFIXES:
            raise Unreadable("a file that is neither .csv nor .jsonl")
        if about.st_size > MOST_BYTES:
            raise Unreadable(f"a file of more than {MOST_BYTES // 1_000_000} MB")
        return file.read_bytes()
    except OSError as error:
        raise Unreadable(f"a file that cannot be opened ({type(error).__name__})") from error
