"""The evidence bundle of an incident: what was captured, when, and the hashes that show whether it changed since.

A bundle is a zip of `manifest.txt`, `items.jsonl`, `coverage.json` and `report.html`. The manifest has one line,
"sha256, two blanks, name", for each other file and for the captured bytes of each item. Its own hash, or the
first sixteen digits of it, stands on page one of the report; in the manifest the report is therefore hashed with
those digits as zeros. The same incident gives the same bytes.

A hash shows that our copy has not changed since it was captured. It does not show that the post was true.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from monitor.errors import BundleError
from monitor.records import as_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from monitor.records import Coverage

MANIFEST, ITEMS, COVERAGE, REPORT = "manifest.txt", "items.jsonl", "coverage.json", "report.html"
REPORT_LINE: Final = "report.html (the manifest's own digits as zeros)"
DIGITS: Final = 16
"""Digits of the manifest's hash that stand on page one."""
ZEROS: Final = "0" * DIGITS
PROVES: Final = (
    "A hash shows that our copy has not changed since it was captured. It does not show that the post was true, "
    "nor who wrote it."
)
LARGEST: Final = 200_000_000
"""Bytes of one file that are read back; ours are far smaller, and a stranger's may be a trap."""

_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)
_LINE: Final = re.compile(r"([0-9a-f]{64})  (.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One captured post.

    Attributes:
        number: of the evidence; it stays the same in every update of one incident.
        source, native_id, url: where it stood; empty but for the source if it is withheld.
        published: by the platform's clock. captured, last_seen: by ours. edited: None if it was not.
        sha256: of the captured bytes.
        title, text: masked; empty if it is withheld.
        copy_of: number of the post that it repeats, None for an original.
        withheld: why its words and address are kept from this bundle, and for whom; "" if they are not.
    """

    number: int
    source: str
    native_id: str
    url: str
    published: datetime
    captured: datetime
    last_seen: datetime
    edited: datetime | None
    sha256: str
    title: str
    text: str
    copy_of: int | None
    withheld: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle, ready to be written: `content` is the zip, `report` the page in it, `digits` stand on its page one."""

    content: bytes
    report: str
    digits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a check of a bundle found.

    Attributes:
        items: how many items its list has.
        digits: the first digits of the manifest's hash, to compare with a printed page one.
        differences: what is not as the manifest says, in sentences; empty if all agrees.
    """

    items: int
    digits: str
    differences: tuple[str, ...]


def bundle(exhibits: Sequence[Exhibit], coverage: Sequence[Coverage], report: Callable[[str], str]) -> Bundle:
    """Return a bundle.

    Args:
        exhibits: in the order of their numbers.
        coverage: how each source was seen.
        report: gives the report's page for the digits that stand on it.
    """
    files = {
        ITEMS: "".join(f"{_json(exhibit)}\n" for exhibit in exhibits).encode(),
        COVERAGE: (json.dumps(as_plain(coverage), ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode(),
    }
    return _bundled(files, [f"{exhibit.sha256}  {_name(exhibit.number)}" for exhibit in exhibits], report)


def without(
    path: Path, numbers: frozenset[int], said: str, redacted: Callable[[str], str]
) -> tuple[Bundle, str] | None:
    """Return a bundle made anew without words and addresses of some items, and the digits that it had before.

    Numbers, times and hashes of what was captured stay, so that an earlier copy can still be checked against it.
    None if the bundle has none of those words.

    Args:
        path: the bundle.
        numbers: of the items.
        said: stands as the reason why they are withheld.
        redacted: takes the words out of the report's page.

    Raises:
        BundleError: it is not a bundle, or cannot be read.
    """
    files, _ = _unzipped(path)
    if not {MANIFEST, ITEMS, COVERAGE, REPORT} <= files.keys():
        raise BundleError(f"{path.name} lacks a part: it is not an evidence bundle")
    before = _sha256(files[MANIFEST])[:DIGITS]
    items = [json.loads(line) for line in files[ITEMS].decode().splitlines()]
    spoken = [item for item in items if item["number"] in numbers and (item["title"] or item["text"] or item["url"])]
    if not spoken:
        return None
    for item in spoken:
        item |= {"native_id": "", "url": "", "title": "", "text": "", "withheld": said}
    lines = "".join(f"{json.dumps(item, ensure_ascii=True, sort_keys=True)}\n" for item in items)
    page = redacted(files[REPORT].decode("utf-8", "replace"))
    made = _bundled(
        {ITEMS: lines.encode(), COVERAGE: files[COVERAGE]},
        [f"{item['sha256']}  {_name(item['number'])}" for item in items],
        lambda digits: page.replace(before, digits),
    )
    return made, before


def _bundled(files: Mapping[str, bytes], items: Sequence[str], report: Callable[[str], str]) -> Bundle:
    """Return a bundle of these files, lines of the manifest for these items, and a page that names its digits."""
    lines = [f"{_sha256(content)}  {name}" for name, content in files.items()]
    lines.append(f"{_sha256(_bytes(report(ZEROS)))}  {REPORT_LINE}")
    lines += items
    manifest = "".join(f"{line}\n" for line in sorted(lines, key=lambda line: line[66:])).encode()
    digits = _sha256(manifest)[:DIGITS]
    page = report(digits)
    return Bundle(content=_zipped({MANIFEST: manifest, **files, REPORT: _bytes(page)}), report=page, digits=digits)


def verify(path: Path) -> Verified:
    """Return what differs between a bundle's content and its manifest: changed, missing, added.

    Raises:
        BundleError: it is not a bundle, or cannot be read.
    """
    files, doubles = _unzipped(path)
    if MANIFEST not in files:
        raise BundleError(f"{path.name} has no {MANIFEST}: it is not an evidence bundle")
    digits = _sha256(files[MANIFEST])[:DIGITS]
    said, unreadable = _said(files[MANIFEST])
    found = {name: _sha256(content) for name, content in files.items() if name not in {MANIFEST, REPORT}}
    differences = [*(f"added: a second {name}" for name in doubles), *unreadable]
    if REPORT in files:
        page = files[REPORT]
        if digits.encode() not in page:
            differences.append(f"changed: {REPORT} does not name this manifest ({digits})")
        found[REPORT_LINE] = _sha256(page.replace(digits.encode(), ZEROS.encode()))
    items = _items(files.get(ITEMS, b""))
    for number, sha256 in items:
        name = _name(number) if number is not None else "an item that cannot be read"
        if name in found:
            differences.append(f"added: a second {name}")
        found[name] = sha256
    for name in sorted(said.keys() | found.keys()):
        plain = REPORT if name == REPORT_LINE else name
        if name not in found:
            differences.append(f"missing: {plain}")
        elif name not in said:
            differences.append(f"added: {plain}")
        elif said[name] != found[name]:
            differences.append(f"changed: {plain}")
    return Verified(items=len(items), digits=digits, differences=tuple(differences))


def _name(number: int) -> str:
    """Return an item's name in the manifest."""
    return f"item {number:04d}"


def _json(exhibit: Exhibit) -> str:
    """Return an item as one line."""
    # a lone surrogate in a post is written as an escape, and so survives
    return json.dumps(as_plain(exhibit), ensure_ascii=True, sort_keys=True)


def _bytes(page: str) -> bytes:
    """Return a page as it is written to disk."""
    return page.encode("utf-8", "replace")


def _sha256(content: bytes) -> str:
    """Return the hex SHA-256."""
    return hashlib.sha256(content).hexdigest()


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """Return a zip whose bytes depend on nothing but its files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date_time=_EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whatever this machine is
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, content)
    return out.getvalue()


def _unzipped(path: Path) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Return a zip's files, and the names that stand in it twice."""
    files: dict[str, bytes] = {}
    doubles = []
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.filename in files:
                    doubles.append(entry.filename)
                with archive.open(entry) as file:
                    files[entry.filename] = file.read(LARGEST + 1)
                if len(files[entry.filename]) > LARGEST:
                    raise BundleError(f"{path.name} holds a file that is too large for an evidence bundle")
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror or error}") from error
    # zlib and zipfile say that a file is damaged in several ways
    except (zipfile.BadZipFile, zipfile.LargeZipFile, ValueError, RuntimeError, EOFError, zlib.error) as error:
        raise BundleError(f"{path.name} is damaged or is no evidence bundle ({error})") from error
    return files, tuple(doubles)


def _said(manifest: bytes) -> tuple[dict[str, str], list[str]]:
    """Return name -> hash as the manifest has them, and what of it cannot be read."""
    said: dict[str, str] = {}
    unreadable = []
    for number, line in enumerate(manifest.decode("utf-8", "replace").splitlines(), 1):
        found = _LINE.fullmatch(line)
        if found and found.group(2) not in said:
            said[found.group(2)] = found.group(1)
        else:
            unreadable.append(f"changed: line {number} of {MANIFEST} cannot be read")
    return said, unreadable


def _items(content: bytes) -> list[tuple[int | None, str]]:
    """Return the (number, hash) of each line of the items; None for a line that cannot be read."""
    out: list[tuple[int | None, str]] = []
    for line in content.decode("utf-8", "replace").splitlines():
        try:
            item: dict[str, Any] = json.loads(line)
            out.append((int(item["number"]), str(item["sha256"])))
        except (ValueError, TypeError, KeyError, RecursionError):
            out.append((None, ""))
    return out
