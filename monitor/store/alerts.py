"""What an alert has to know of its story: the other cases about it, and how many posts came since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from monitor.store import cases
from monitor.store.schema import mentions

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.records import Case, Window


def cases_of(connection: sa.Connection, story: int) -> tuple[Case, ...]:
    """Return the newest case of each mention of a story, in any state, oldest first."""
    numbers = connection.scalars(sa.select(mentions.c.id).where(_tells(story))).all()
    return tuple(
        sorted(cases.of_mentions(connection, numbers).values(), key=lambda case: (case.opened, case.reference))
    )


def told_after(connection: sa.Connection, story: int, moment: datetime) -> int:
    """Return how many mentions of a story were first seen after a moment (zone-aware)."""
    return (
        connection.scalar(
            sa.select(sa.func.count()).select_from(mentions).where(_tells(story), mentions.c.first_seen > moment)
        )
        or 0
    )


def told_in(connection: sa.Connection, story: int, window: Window, *, but: int) -> int:
    """Return how many mentions of a story were first seen in `window`, but for one of them."""
    return (
        connection.scalar(
            sa.select(sa.func.count())
            .select_from(mentions)
            .where(
                _tells(story),
                mentions.c.id != but,
                mentions.c.first_seen >= window.start,
                mentions.c.first_seen < window.end,
            )
        )
        or 0
    )


def told_beside(connection: sa.Connection, story: int, mention_id: int) -> int:
    """Return how many mentions of a story there are beside one of them."""
    return (
        connection.scalar(
            sa.select(sa.func.count()).select_from(mentions).where(_tells(story), mentions.c.id != mention_id)
        )
        or 0
    )


def _tells(story: int) -> sa.ColumnElement[bool]:
    """Return the condition that a mention belongs to a story."""
    return sa.or_(mentions.c.story == story, sa.and_(mentions.c.story.is_(None), mentions.c.id == story))
