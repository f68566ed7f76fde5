"""What jobs and commands write into the audit, and where its end is written down outside the database.

`audit-heads.txt` beside the store, readable by its owner alone, gets a line (number, hash, time) after each act
that is recorded here; each daily digest and weekly report carries the newest one away by e-mail. Against those a
check finds that the end of the chain was cut off, or that the whole of it was counted anew.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from monitor.errors import StoreError
from monitor.jobs.workplace import write_private
from monitor.store import audit, cases
from monitor.store.audit import Checked, Deed, Head

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import sqlalchemy as sa

    from monitor.jobs.workplace import Workplace

HEADS: Final = "audit-heads.txt"
_HEAD: Final = re.compile(r"(\d{1,18})[ :]([0-9a-f]{16,64})\b.*")
_OF_A_CASE: Final = re.compile(rf"([A-Z0-9-]+): .*; {audit.LINE} ([0-9a-f]{{64}})")


@contextmanager
def audited(place: Workplace) -> Iterator[sa.Connection]:
    """Give a connection for a write that is recorded with `note`; afterwards write the chain's end down."""
    with place.store.write() as connection:
        yield connection
    write_head_down(place)


def note(place: Workplace, connection: sa.Connection, what: Deed, about: str) -> None:
    """Record an act in the transaction in which it happens. `about` holds no word of a post."""
    audit.append(connection, at=place.clock(), who=place.who, what=what, about=about)


def write_head_down(place: Workplace) -> None:
    """Append the chain's end to the file beside the store.

    Raises:
        StoreError: the file cannot be written.
    """
    with place.store.read() as connection:
        head = audit.head(connection)
    if head is None:
        return
    file = place.settings.folder / HEADS
    line = f"{head.number} {head.hash} {place.clock():%Y-%m-%dT%H:%M:%SZ}\n"
    try:
        # one short append is whole, whoever else writes: the file needs no lock
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "w") as out:
            out.write(line)
    except OSError as error:
        raise StoreError(f"{file} cannot be written: {error.strerror}") from error


def forget_heads(place: Workplace, first: int) -> None:
    """Drop what was written down of lines before number `first`, which were pruned."""
    file = place.settings.folder / HEADS
    if file.exists():
        heads, _ = _written_down(file)
        kept = {head.number: head for head in heads if head.number >= first}
        write_private(file, "".join(f"{head.number} {head.hash}\n" for head in kept.values()))


def head_of(text: str) -> Head:
    """Return the head in "1234:9f3a..." as a digest prints it.

    Raises:
        ValueError: it is none.
    """
    found = _HEAD.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no line of the audit; write it as the digest does, like 1234:0123456789abcdef")
    return Head(number=int(found.group(1)), hash=found.group(2))


def verify(place: Workplace, heads: Sequence[Head] = ()) -> Checked:
    """Return what in the audit, and in the histories of cases that it covers, is not as it was written.

    Args:
        place: the workplace.
        heads: further ends of the chain, from digests and reports.
    """
    file = place.settings.folder / HEADS
    ours, unreadable = _written_down(file) if file.exists() else ((), ())
    known: dict[str, set[str]] = {}

    def watched(lines: Iterator[audit.Entry]) -> Iterator[audit.Entry]:
        for line in lines:
            if line.what in {Deed.OPENED, Deed.CHANGED} and (found := _OF_A_CASE.fullmatch(line.about)):
                known.setdefault(found.group(1), set()).add(found.group(2))
            yield line

    with place.store.read() as connection:
        checked = audit.check(watched(audit.entries(connection)), (*ours, *heads))
        histories = {
            case.reference: {audit.fingerprint(event) for event in case.history}
            for case in cases.named(connection, tuple(known))
        }
    differences = list(checked.differences)
    if not file.exists() and checked.lines:
        differences.append(f"{HEADS} is missing: without it a cut-off end does not show")
    differences += [f"{HEADS}, line {number}, cannot be read" for number in unreadable]
    differences += _of_histories(histories, known, whole=checked.first <= 1)
    return Checked(
        lines=checked.lines,
        first=checked.first,
        head=checked.head,
        heads=checked.heads,
        differences=tuple(differences),
    )


def _of_histories(histories: dict[str, set[str]], known: dict[str, set[str]], *, whole: bool) -> Iterator[str]:
    """Say which cases' histories differ from what the audit has of them.

    Where the audit begins later than the cases do, it cannot know their first lines.
    """
    for reference, lines in histories.items():
        if known[reference] - lines:
            yield f"the history of {reference} was changed, or lines of it are missing"
        elif whole and lines - known[reference]:
            yield f"the history of {reference} has lines that the audit does not know"


def _written_down(file: Path) -> tuple[tuple[Head, ...], tuple[int, ...]]:
    """Return the heads in the file, and the numbers of the lines that cannot be read."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise StoreError(f"{file} cannot be read: {error.strerror}") from error
    found = {number: _HEAD.fullmatch(line) for number, line in enumerate(lines, 1)}
    heads = tuple(Head(number=int(one.group(1)), hash=one.group(2)) for one in found.values() if one)
    return heads, tuple(number for number, one in found.items() if one is None)
