"""An inbox with invented reports, as a school office saves them from a spreadsheet and as the command line writes them.

::

    lay(folder, now)                           # [sources.reported] inbox = folder
    lay(folder, now, hostile=True)             # and a file that tries everything
"""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

HEADER: Final = ("Seen at", "Platform", "Where", "Text", "Reporter role", "URL", "Private")
GOOD: Final = 3
"""Reports that `lay` leaves in the inbox and that can be read."""
HOSTILE: Final = 5
"""Rows of the hostile file that cannot be read; two more can."""


def lay(folder: Path, now: datetime, *, hostile: bool = False) -> None:
    """Write the files.

    Args:
        folder: the inbox; made if it is not there.
        now: zone-aware; the reports are some hours older.
        hostile: whether to add a file with formulas, broken times, surplus cells and a huge one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    seen = f"{now - timedelta(hours=5):%d/%m/%Y %H:%M}"
    office = [
        (seen, "Minecraft", "a public server", "A copy of Boroughbridge High with rude signs", "Pupil", "", "no"),
        (seen, "WhatsApp", "a café's group", "They say King James's School closes early on Friday", "", "", "yes"),
    ]
    (folder / "office.csv").write_bytes(sheet(office, encoding="cp1252"))
    typed = {
        "seen_at": (now - timedelta(hours=2)).isoformat(),
        "platform": "Snapchat",
        "text": "A fight outside Boroughbridge High was planned for Friday",
        "reporter_role": "parent",
        "private": True,
    }
    (folder / "report-1.jsonl").write_text(f"{json.dumps(typed)}\n", encoding="utf-8")
    if hostile:
        (folder / "hostile.csv").write_bytes(sheet(_hostile(seen), encoding="utf-8-sig"))


def sheet(rows: Sequence[Sequence[str]], *, encoding: str = "utf-8", header: Sequence[str] = HEADER) -> bytes:
    """Return a CSV file."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def _hostile(seen: str) -> list[tuple[Any, ...]]:
    """Return rows that no honest office writes."""
    return [
        (seen, "Snapchat", "=cmd|' /C calc'!A0", '=HYPERLINK("http://evil.example";"Boroughbridge High")', "", "", ""),
        (seen, "Snap\x01chat", "", "Boroughbridge High\x07\x1b[31m in red", "Mr Invented", "", ""),
        ("soon", "Snapchat", "", "Boroughbridge High", "", "", ""),
        (seen, "Snapchat", "", "Boroughbridge High", "", "javascript:alert(1)", ""),
        (seen, "Snapchat", "", "x" * 25_000, "", "", ""),
        (seen, "Snapchat", "", "y" * 200_000, "", "", ""),
        (seen, "Snapchat", "", "Boroughbridge High", "", "", "", "one cell", "too many"),
    ]
