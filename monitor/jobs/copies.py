"""Where else a post's words stand: reports, evidence, waiting mail, labels. They go when the post goes (PR07, PR08).

What was delivered by e-mail is out of reach; a digest carries short quotations with personal details masked, and
none of an urgent or restricted post or of one about a person (see `reports.quoting`).
"""

from __future__ import annotations

import email
from datetime import UTC, datetime, timedelta
from email import policy
from typing import TYPE_CHECKING, Final

from monitor.errors import StoreError
from monitor.jobs import audit, evidence, incident_file
from monitor.jobs.workplace import write_private
from monitor.store import cases, mentions, outbox
from monitor.store.audit import Deed
from reports.redaction import Redaction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import sqlalchemy as sa

    from monitor.jobs.incident_file import Incident
    from monitor.jobs.workplace import Workplace

LABELS: Final = "labels.jsonl"
COUNTS: Final = "weekly-counts-*.json"
"""Counts without a word; later reports read them."""
COUNTS_KEPT: Final = timedelta(days=365)


def redact(place: Workplace, connection: sa.Connection, numbers: Sequence[int], *, why: str) -> None:
    """Take the words of posts, which are about to be erased or restricted, out of everything else that has them.

    It comes before the posts themselves go: if it is interrupted, they are still there and it is done again.

    Raises:
        StoreError: a file cannot be read or written.
    """
    posts = mentions.by_number(connection, numbers, restricted_too=True)
    if not posts:
        return
    without = Redaction(posts.values())
    for message in outbox.with_content(connection):
        mail = message.carrier == outbox.MAIL
        content = _message(message.content, without) if mail else without(message.content.decode()).encode()
        if content != message.content:
            outbox.replace_content(connection, message, content)
    for file in (*_files(place, "*.html"), *_files(place, "*.txt")):
        _rewrite(file, without)
    for file in place.outbox_folder.glob("*.eml"):
        _write_if_new(file, _read(file), _message(_read(file), without))
    for incident in incident_file.everything(place):
        _evidence(place, connection, incident, frozenset(posts), without, why)
    _labels(place, connection, frozenset(posts))


def forget_old(place: Workplace) -> int:
    """Remove reports and filed messages that are older than the words of any post may be; return how many files.

    The weeks' counts, which hold no words, stay a year.
    """
    now, most = place.clock(), timedelta(days=place.settings.retention.P0)
    reports = {file for kind in ("html", "txt", "pdf") for file in place.reports_folder.glob(f"*.{kind}")}
    old = [file for file in (*reports, *place.outbox_folder.glob("*.eml")) if _age(file, now) > most]
    old += [file for file in place.reports_folder.glob(COUNTS) if _age(file, now) > COUNTS_KEPT]
    for file in old:
        _remove(file)
    return len(old)


def _files(place: Workplace, pattern: str) -> Iterator[Path]:
    """Give the reports of a kind, those of incidents as well."""
    yield from place.reports_folder.rglob(pattern)


def _rewrite(file: Path, without: Redaction) -> None:
    """Rewrite a report without the words; a PDF of it goes, because it cannot be rewritten."""
    before = _read(file)
    if _write_if_new(file, before, without(before.decode("utf-8", "replace")).encode()):
        _remove(file.with_suffix(".pdf"))


def _evidence(
    place: Workplace,
    connection: sa.Connection,
    incident: Incident,
    gone: frozenset[int],
    without: Redaction,
    why: str,
) -> None:
    """Make an incident's bundles anew without the words; times and hashes of what was captured stay."""
    items = frozenset(number for number, mention in enumerate(incident.numbers, 1) if mention in gone)
    if not items:
        return
    folder = incident_file.folder(place, incident)
    said = f"erased on {place.clock():%d %B %Y}: {why}"
    for file in sorted(folder.glob("evidence-*.zip")):
        made = evidence.without(file, items, said, without)
        if made is None:
            continue
        bundle, before = made
        page = folder / file.name.replace("evidence-", "update-").replace(".zip", ".html")
        latest = folder / "latest.html"
        if latest.exists() and before in _read(latest).decode("utf-8", "replace"):
            write_private(latest, bundle.report)
        write_private(page, bundle.report)
        _remove(page.with_suffix(".pdf"))
        write_private(file, bundle.content)
        about = f"{incident.name} {file.name}: {before} is now {bundle.digits}"
        audit.note(place, connection, Deed.REDACTED, about)


def _labels(place: Workplace, connection: sa.Connection, gone: frozenset[int]) -> None:
    """Take the labelled examples out whose posts go."""
    file = place.settings.folder / LABELS
    if not file.exists():
        return
    names = {f'"id": "{case.reference}"' for case in cases.of_mentions(connection, sorted(gone)).values()}
    before = _read(file)
    kept = [line for line in before.splitlines(keepends=True) if not any(name.encode() in line for name in names)]
    _write_if_new(file, before, b"".join(kept))


def _message(content: bytes, without: Redaction) -> bytes:
    """Return a message without the words, otherwise as it was: same id, same recipient, same attachments."""
    message = email.message_from_bytes(content, policy=policy.SMTP)
    changed = False
    for part in message.walk():
        if part.get_content_maintype() != "text" or part.is_attachment():
            continue
        before = part.get_content()
        after = without(before)
        if after != before:
            part.set_content(after, subtype=part.get_content_subtype(), cte="quoted-printable")
            changed = True
    return message.as_bytes() if changed else content


def _age(file: Path, now: datetime) -> timedelta:
    """Return how long ago a file was written."""
    return now - datetime.fromtimestamp(file.stat().st_mtime, UTC)


def _read(file: Path) -> bytes:
    """Return a file's content."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise StoreError(f"{file} cannot be read: {error.strerror}") from error


def _write_if_new(file: Path, before: bytes, after: bytes) -> bool:
    """Write a file if its content changed; return whether it did."""
    if after != before:
        write_private(file, after)
    return after != before


def _remove(file: Path) -> None:
    """Remove a file if it is there."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{file} cannot be removed: {error.strerror}") from error
