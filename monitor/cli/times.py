"""Moments as people type them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from monitor.records import utc_now

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parsed(text: str, zone: str = "Europe/London") -> datetime:
    """Return the moment that `text` means: "48h" and "3d" are spans before now, the rest is ISO 8601.

    A time without a zone is a wall-clock time in `zone`.

    Raises:
        ValueError: it is neither.
    """
    span = re.fullmatch(r"(\d{1,5})\s*([mhdw])", text.strip().lower())
    if span:
        return utc_now() - timedelta(**{_UNITS[span.group(2)]: int(span.group(1))})
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(f"{text!r} is neither a time nor a span") from error
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))
