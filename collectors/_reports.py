"""Reports that people wrote: the documented row, and the files it comes in, read without trust.

A row has these columns; those in brackets may be missing or empty:

``seen_at``        2026-11-20 15:30, 20/11/2026 15:30, or ISO 8601 with a zone; without one it is British time
``platform``       Minecraft, Snapchat, WhatsApp, ...
``where``          [the server, group or channel]
``text``           what was seen, in the reporter's own words
``school``         [the school it is about, with its town: "King James's School, Knaresborough"; a report that names
                   no school, here or in its text, is kept as uncertain: a person looks]
``reporter_role``  [staff, parent, pupil, governor or other]
``url``            [an address, where it is public]
``private``        [yes, where only members can see it: then neither ``where`` nor ``url`` is kept]
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from collectors._text import clean
from monitor.addresses import is_web
from monitor.records import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

NEEDED: Final = frozenset({"seen_at", "platform", "text"})
LONGEST: Final = 20_000
ZONE: Final = ZoneInfo("Europe/London")
FORMS: Final = ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y")
"""How a British spreadsheet writes a moment when it saves a file."""
ROLES: Final = ("staff", "parent", "pupil", "governor", "other")
SUFFIXES: Final = frozenset({".csv", ".jsonl"})


class Unreadable(ValueError):
    """A whole file cannot be read; the message is one sentence for a report, without the file's name."""


def _moment(value: object) -> datetime:
    """Read a moment; a time without a zone is a British one."""
    found = value if isinstance(value, datetime) else _typed(str(value).strip())
    try:
        return (found if found.tzinfo else found.replace(tzinfo=ZONE)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("before or after all calendars") from error


def _typed(text: str) -> datetime:
    """Read a moment as people and spreadsheets write it."""
    for form in FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=ZONE)
        except ValueError:
            continue
    return datetime.fromisoformat(text)


def _words(value: object) -> object:
    """Clean text; a spreadsheet must not take it for a formula when somebody opens an export of it."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    text = clean(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text


def _role(value: object) -> object:
    """Accept a known role; whatever else stands there, a name perhaps, is not kept."""
    word = value.strip().lower() if isinstance(value, str) else ""
    return word if word in ROLES else "other"


def _web(value: object) -> object:
    """Accept an http(s) address or nothing."""
    text = clean(value) if isinstance(value, str) else value or ""
    if text and not (isinstance(text, str) and is_web(text)):
        raise ValueError("not a web address")
    return text


def _yes(value: object) -> object:
    """Read a yes."""
    return value.strip().lower() in {"yes", "y", "true", "1", "x"} if isinstance(value, str) else bool(value)


Words = Annotated[str, BeforeValidator(_words)]


class Report(BaseModel):
    """One row: what somebody saw; see the module's docstring."""

    model_config = ConfigDict(frozen=True)

    seen_at: Annotated[datetime, BeforeValidator(_moment)]
    platform: Annotated[Words, Field(min_length=1, max_length=60)]
    text: Annotated[Words, Field(min_length=1, max_length=LONGEST)]
    where: Annotated[Words, Field(max_length=200)] = ""
    school: Annotated[Words, Field(max_length=100)] = ""
    reporter_role: Annotated[Literal["staff", "parent", "pupil", "governor", "other"], BeforeValidator(_role)] = "other"
    url: Annotated[str, BeforeValidator(_web), Field(max_length=2_000)] = ""
    private: Annotated[bool, BeforeValidator(_yes)] = False

    @property
    def line(self) -> str:
        """The row as one line of JSON, the same for the same content."""
        content = self.model_dump() | {"seen_at": self.seen_at.isoformat()}
        return json.dumps(content, ensure_ascii=False, sort_keys=True)

    @property
    def key(self) -> str:
        """A hash of the content: a row that is handed in twice is one."""
        return hashlib.sha256(self.line.encode()).hexdigest()[:32]


def read(content: bytes, suffix: str) -> list[Report | Malformed]:
    """Return the rows of a file, and a `Malformed` for each that cannot be read.

    Args:
        content: the file's bytes, UTF-8, UTF-16 with a mark, or Windows-1252 as spreadsheets save it.
        suffix: ".csv" or ".jsonl".

    Raises:
        Unreadable: nothing in it can be read.
    """
    text = _decoded(content)
    cells = _from_csv(text) if suffix == ".csv" else _from_lines(text)
    return [row if isinstance(row, Malformed) else _report(row) for row in cells]


def _decoded(content: bytes) -> str:
    """Return a file's text."""
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("a file in an unknown encoding")


def _from_csv(text: str) -> Iterator[dict[str, Any] | Malformed]:
    """Give the rows of a CSV file by column; cells may be separated by comma, semicolon or tab."""
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [_column(cell) for cell in next(rows, [])]
    except csv.Error:
        header = []
    if not set(header) >= NEEDED:
        raise Unreadable("a file without the documented header")
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield Malformed(reason="a row with a cell that is too large or broken")
            continue
        if len(row) > len(header):
            yield Malformed(reason="a row with more cells than the header")
        elif any(cell.strip() for cell in row):
            yield dict(zip(header, row, strict=False))


def _from_lines(text: str) -> Iterator[dict[str, Any] | Malformed]:
    """Give the objects of a JSON Lines file."""
    for line in text.split("\n"):
        if not line.strip():
            continue
        try:
            content = json.loads(line)
        except (ValueError, RecursionError):
            yield Malformed(reason="a line that is not JSON")
            continue
        if isinstance(content, dict):
            yield {_column(name): value for name, value in content.items()}
        else:
            yield Malformed(reason="a line that is not a JSON object")


def _column(name: str) -> str:
    """Return a column's name as documented, however it was typed."""
    return clean(name).lower().replace(" ", "_")


def _report(row: dict[str, Any]) -> Report | Malformed:
    """Return one row, or what is wrong with it: column and kind, never its content."""
    try:
        return Report.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return Malformed(reason=f"{'.'.join(map(str, first['loc']))}: {first['type']}")
