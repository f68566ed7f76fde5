"""The audit: who saw, decided, sent, exported and erased what, and when; never a word of a post (PR20).

Each line carries the hash of the line before and its own, over everything in it. A line that is changed, put in
or taken out breaks the chain at that place. Taking lines off the end breaks nothing in what is left: that shows
only against a head (number and hash of the last line) that was written down elsewhere (see `monitor.jobs.audit`).
Whoever can write to the database could count the whole chain anew; that, too, shows against such a head alone.

Writers hold one lock (see `monitor.store.engine`), so the chain has one end on either database.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from monitor.records import as_plain
from monitor.store.schema import audit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from monitor.records import CaseEvent, Window

CLOCK: Final = "the clock"
"""Who acts when nobody does: the scheduler."""
GENESIS: Final = "0" * 64
"""Stands for the line before the first."""
LONGEST: Final = 300
LINE: Final = "line"
"""Stands in what an entry is about before the hash of a line of a case's history."""
SHORTEST_HEAD: Final = 16
"""Digits of a hash that are enough to name a line."""
_PAGE: Final = 5_000
_LAST_PRUNED: Final = re.compile(r"hash ([0-9a-f]{64})$")
_ERASURE: Final = re.compile(r"(\d+) of \d+: (.*)")


class Deed(StrEnum):
    """What can be done that is written down."""

    OPENED = "opened a case"
    CHANGED = "changed a case"
    LISTED = "listed cases"
    SAW = "saw a case"
    HELD = "placed a hold"
    RELEASED = "released a hold"
    KEPT = "kept under a hold"
    FOUND = "looked up for a requester"
    EXPORTED = "exported for a requester"
    OBJECTED = "recorded an objection"
    RESTRICTED = "restricted for a requester"
    LIFTED = "lifted a restriction"
    COMPLAINT = "recorded a complaint"
    ERASED = "erased posts"
    REDACTED = "made evidence anew"
    BUNDLED = "wrote evidence"
    SENT = "sent"
    REPLAYED = "replayed"
    NOTICE = "wrote the privacy notice"
    PRUNED = "pruned the audit"
    RESTORED_STORE = "restored the store"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of the chain at some moment: number and hash (or at least its first 16 digits) of the last line."""

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash[:SHORTEST_HEAD]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line.

    Attributes:
        number: from 1, without a gap.
        at: zone-aware. who: a user, a signature, or the clock.
        what: a `Deed`. about: case reference, hash of an address, counts; one line, never words of a post.
        previous: hash of the line before. hash: of this one.
        pruned_to: in a line of the deed `PRUNED`, up to which number older lines went; None in any other.
    """

    number: int
    at: datetime
    who: str
    what: str
    about: str
    previous: str
    hash: str
    pruned_to: int | None = None

    @property
    def counted(self) -> str:
        """The hash that the line should have: hex SHA-256 over its fields as canonical JSON."""
        return _sha256({name: value for name, value in as_plain(self).items() if name != "hash"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check of the chain found.

    Attributes:
        lines: how many there are. first: number of the oldest. head: the end; None if there is no line.
        heads: how many heads, written down elsewhere, it was compared with.
        differences: what is not as it was written, in sentences; empty if all agrees.
    """

    lines: int
    first: int
    head: Head | None
    heads: int
    differences: tuple[str, ...]


def append(
    connection: sa.Connection, *, at: datetime, who: str, what: Deed, about: str, pruned_to: int | None = None
) -> Entry:
    """Write one line at the end of the chain, inside the transaction of what it records; return it."""
    last = head(connection)
    line = Entry(
        number=last.number + 1 if last else 1,
        at=at,
        who=_one_line(who),
        what=what.value,
        about=_one_line(about),
        previous=last.hash if last else GENESIS,
        hash="",
        pruned_to=pruned_to,
    )
    values = {name: getattr(line, name) for name in Entry.__slots__} | {"hash": line.counted}
    connection.execute(sa.insert(audit).values(**values))
    return Entry(**values)


def head(connection: sa.Connection) -> Head | None:
    """Return the end of the chain, None before its first line."""
    row = connection.execute(sa.select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)).first()
    return Head(number=row.number, hash=row.hash) if row else None


def first(connection: sa.Connection) -> int:
    """Return the number of the oldest line that is left, 0 if there is none."""
    return connection.scalar(sa.select(sa.func.min(audit.c.number))) or 0


def entries(connection: sa.Connection) -> Iterator[Entry]:
    """Give every line, oldest first, without holding them all."""
    after = -1
    while True:
        further = sa.select(audit).where(audit.c.number > after).order_by(audit.c.number).limit(_PAGE)
        rows = connection.execute(further).mappings().all()
        yield from (Entry(**row) for row in rows)
        if len(rows) < _PAGE:
            return
        after = rows[-1]["number"]


def of_erasure(count: int, asked: int, why: str) -> str:
    """Return what a line of the deed `ERASED` is about: how many posts went, of how many that should, and why."""
    return f"{count} of {asked}: {why}"


def erased(connection: sa.Connection, window: Window) -> dict[str, int]:
    """Return reason -> how many posts were erased in `window`.

    The audit alone knows them all: some sources allow nothing of a post to stay, not even a tombstone.
    """
    lines = connection.scalars(
        sa.select(audit.c.about)
        .where(audit.c.what == Deed.ERASED.value, audit.c.at >= window.start, audit.c.at < window.end)
        .order_by(audit.c.number)
    )
    counts: Counter[str] = Counter()
    for about in lines:
        if found := _ERASURE.fullmatch(about):
            counts[found[2]] += int(found[1])
    return dict(counts)


def prune(connection: sa.Connection, *, before: datetime, at: datetime, who: str) -> int:
    """Take off the oldest lines, all of them from before a moment; return how many.

    First a line is written that says so and names the hash of the last of them, so that what is left still begins
    where the chain says that it does. The database refuses to let any other line go.
    """
    young = connection.scalar(sa.select(sa.func.min(audit.c.number)).where(audit.c.at >= before))
    older = audit.c.number < young if young is not None else sa.true()
    last = connection.scalar(sa.select(sa.func.max(audit.c.number)).where(older))
    if last is None:
        return 0
    digits = connection.scalar(sa.select(audit.c.hash).where(audit.c.number == last))
    append(connection, at=at, who=who, what=Deed.PRUNED, about=f"to line {last}, hash {digits}", pruned_to=last)
    return connection.execute(sa.delete(audit).where(audit.c.number <= last)).rowcount


def check(lines: Iterable[Entry], heads: Sequence[Head] = ()) -> Checked:
    """Return what in a chain is not as it was written.

    Args:
        lines: every line, by number.
        heads: ends of the chain that were written down elsewhere. Without one, a cut-off end does not show.
    """
    walk = _Walk(wanted={one.number for one in heads})
    for line in lines:
        walk.step(line)
    return Checked(
        lines=walk.lines,
        first=walk.first.number if walk.first else 0,
        head=Head(number=walk.last.number, hash=walk.last.hash) if walk.last else None,
        heads=len(heads),
        differences=(*walk.differences, *walk.beginning(), *walk.against(heads)),
    )


@dataclass(slots=True)
class _Walk:
    """A walk along the chain."""

    wanted: set[int]
    lines: int = 0
    first: Entry | None = None
    last: Entry | None = None
    pruned: Entry | None = None
    known: dict[int, str] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    def step(self, line: Entry) -> None:
        """Look at one line, and at how it follows the one before."""
        if line.hash != line.counted:
            self.differences.append(f"line {line.number} was changed")
        if self.last is None:
            self.first = line
        elif line.number <= self.last.number:
            self.differences.append(f"there is a second line {line.number}")
        elif line.number > self.last.number + 1:
            self.differences.append(f"missing: {_lines(self.last.number + 1, line.number - 1)}")
        elif line.previous != self.last.hash:
            self.differences.append(f"line {line.number} does not follow the line before it")
        if line.pruned_to is not None:
            self.pruned = line
        if line.number in self.wanted:
            self.known[line.number] = line.hash
        self.lines += 1
        self.last = line

    def beginning(self) -> Iterator[str]:
        """Say whether the chain begins where it should."""
        if self.first is None:
            return
        if self.pruned is None:
            start, before = 1, GENESIS
        else:
            said = _LAST_PRUNED.search(self.pruned.about)
            start, before = (self.pruned.pruned_to or 0) + 1, said.group(1) if said else ""
        if self.first.number > start:
            yield f"missing: {_lines(start, self.first.number - 1)}"
        elif self.first.number < start:
            yield f"{_lines(self.first.number, start - 1)} came back after they were pruned"
        elif self.first.previous != before:
            yield f"line {self.first.number} does not follow the lines that were before it"

    def against(self, heads: Sequence[Head]) -> Iterator[str]:
        """Say which heads, written down elsewhere, the chain does not have."""
        last = self.last.number if self.last else 0
        beyond = max((one.number for one in heads), default=0)
        if beyond > last:
            yield f"missing at the end: {_lines(last + 1, beyond)}"
        for one in heads:
            found = self.known.get(one.number)
            if found is not None and (len(one.hash) < SHORTEST_HEAD or not found.startswith(one.hash)):
                yield f"line {one.number} is not the one that was written down elsewhere as {one}"


def fingerprint(event: CaseEvent) -> str:
    """Return the hex SHA-256 of one line of a case's history: the audit has it, without its words."""
    return _sha256(as_plain(event))


def _lines(first: int, last: int) -> str:
    """Return numbers of lines in words."""
    return f"line {first}" if first == last else f"lines {first} to {last}"


def _one_line(text: str) -> str:
    """Return `text` on one line, not too long."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:LONGEST]


def _sha256(plain: dict[str, Any]) -> str:
    """Return the hex SHA-256 of canonical JSON: keys in order, no blanks, ASCII."""
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
