"""Which mention belongs to which story: a number that stays with it for as long as it is stored.

A story's number is the id of the mention that began it. That mention may be erased before its copies; its number
is never given out again (`monitor.store.numbers`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from monitor.store.batches import batched
from monitor.store.mentions import by_number
from monitor.store.schema import mentions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from monitor.records import StoredMention

_TELLING = (
    mentions.c.id,
    mentions.c.source,
    mentions.c.native_id,
    mentions.c.title,
    mentions.c.text,
    mentions.c.story,
    mentions.c.story_began,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One mention that tells a known story.

    Attributes:
        id, source, native_id, title, text: of the mention.
        story: number of its story. began: when that story was first seen, zone-aware.
    """

    id: int
    source: str
    native_id: str
    title: str
    text: str
    story: int
    began: datetime


def told_since(connection: sa.Connection, moment: datetime) -> tuple[Telling, ...]:
    """Return one mention of each story that was told at or after `moment`, no older than that itself.

    The words of restricted mentions are not used.
    """
    oldest = (
        sa.select(sa.func.min(mentions.c.id))
        .where(mentions.c.first_seen >= moment, mentions.c.story.is_not(None), mentions.c.restricted_at.is_(None))
        .group_by(mentions.c.story)
    )
    rows = connection.execute(sa.select(*_TELLING).where(mentions.c.id.in_(oldest)).order_by(mentions.c.id))
    return _tellings(rows)


def originals(connection: sa.Connection, keys: Sequence[tuple[str, str]]) -> tuple[Telling, ...]:
    """Return the mentions with these (source, native id) keys that belong to a story, however old."""
    out: list[Telling] = []
    for chunk in batched(keys):
        rows = connection.execute(
            sa.select(*_TELLING).where(
                sa.tuple_(mentions.c.source, mentions.c.native_id).in_(chunk),
                mentions.c.story.is_not(None),
                mentions.c.restricted_at.is_(None),
            )
        )
        out += _tellings(rows)
    return tuple(sorted(out, key=lambda telling: telling.id))


def members(connection: sa.Connection, numbers: Iterable[int], *, before: datetime) -> tuple[StoredMention, ...]:
    """Return the mentions of these stories that were first seen before a moment, oldest first."""
    found: dict[int, StoredMention] = {}
    for chunk in batched(sorted(numbers)):
        ids = connection.scalars(
            sa.select(mentions.c.id).where(mentions.c.story.in_(chunk), mentions.c.first_seen < before)
        ).all()
        found |= by_number(connection, ids)
    return tuple(sorted(found.values(), key=lambda stored: (stored.first_seen, stored.id)))


def assign(connection: sa.Connection, told: Mapping[int, tuple[int, datetime]]) -> None:
    """Note the story of mentions: id -> (number of the story, when that story was first seen)."""
    if told:
        connection.execute(
            sa.update(mentions)
            .where(mentions.c.id == sa.bindparam("mention"))
            .values(story=sa.bindparam("number"), story_began=sa.bindparam("began")),
            [{"mention": mention, "number": number, "began": began} for mention, (number, began) in told.items()],
        )


def _tellings(rows: Iterable[Any]) -> tuple[Telling, ...]:
    """Turn rows into records."""
    return tuple(
        Telling(
            id=row.id,
            source=row.source,
            native_id=row.native_id,
            title=row.title,
            text=row.text,
            story=row.story,
            began=row.story_began,
        )
        for row in rows
    )
