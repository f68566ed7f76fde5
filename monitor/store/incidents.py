"""What an incident report asks the store beyond mentions and cases: how far back each source was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from monitor.records import Outcome
from monitor.store.schema import runs

if TYPE_CHECKING:
    from datetime import datetime


def read_back_to(connection: sa.Connection) -> dict[str, datetime]:
    """Return each source that was ever read completely -> the earliest moment that one of those runs asked for."""
    rows = connection.execute(
        sa.select(runs.c.source, sa.func.min(runs.c.window_start, type_=runs.c.window_start.type).label("start"))
        .where(runs.c.outcome == Outcome.COMPLETE.value)
        .group_by(runs.c.source)
    )
    return {row.source: row.start for row in rows}
