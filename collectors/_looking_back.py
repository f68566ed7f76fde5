"""How far back a source is taken that shows its items late, as feeds, alerts and council papers do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from monitor.records import Ask

LONGEST: Final = timedelta(days=30)
"""Nothing older is ever taken (PR21)."""


def first_visit(ask: Ask, kept: str) -> str:
    """Return when our first visit's window began: as kept in a bookmark, else when this one begins."""
    return kept or ask.window.start.isoformat()


def oldest(ask: Ask, since: str) -> datetime:
    """Return from when on items are taken.

    That is the window, and what is shown late back to our first visit; never what lay before it.

    Args:
        ask: with its window.
        since: as `first_visit` gave it.
    """
    return min(ask.window.start, max(datetime.fromisoformat(since), ask.window.end - LONGEST))
