"""Which stored mentions tell the same story."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from analysis.stories import Seen, Told, stories
from monitor.store import stories as kept

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    import sqlalchemy as sa

    from monitor.records import StoredMention
    from monitor.store.stories import Telling

STORY_LASTS: Final = timedelta(days=7)
"""How long after its last telling a story is over; told again later, it is a new one, unless it is a repost."""


def told(found: Iterable[StoredMention]) -> dict[int, tuple[int, ...]]:
    """Return the stories of these mentions: number of the first telling -> numbers of its copies.

    A mention may be given twice; the order is by when it was first seen.
    """
    everything = {stored.id: stored for stored in found}
    ordered = sorted(everything.values(), key=lambda stored: (stored.first_seen, stored.id))
    return stories(_told(stored) for stored in ordered)


class Storyline:
    """The stories of the last week, which mentions join as they are judged.

    Args:
        connection: to the store.
        now: zone-aware.
    """

    def __init__(self, connection: sa.Connection, now: datetime) -> None:
        self._seen = Seen()
        self._began: dict[int, datetime] = {}
        self._heard: set[int] = set()
        for telling in kept.told_since(connection, now - STORY_LASTS):
            self._know(telling)

    def join(self, connection: sa.Connection, fresh: Sequence[StoredMention]) -> dict[int, int]:
        """Give each of `fresh` (oldest first) its story and note it in the store; return id -> number of the story.

        A mention that was edited stays in the story it was in.
        """
        reposts = [(one.mention.source, one.mention.repost_of) for one in fresh if one.mention.repost_of]
        for telling in kept.originals(connection, [(source, of) for source, of in reposts if of]):
            self._know(telling)
        numbers = {}
        for stored in fresh:
            number = stored.story if stored.story_began else self._seen.story_of(_told(stored))
            self._heard.add(stored.id)
            self._began.setdefault(number, stored.story_began or stored.first_seen)
            numbers[stored.id] = number
        kept.assign(connection, {mention: (number, self._began[number]) for mention, number in numbers.items()})
        return numbers

    def _know(self, telling: Telling) -> None:
        """Remember a mention of a known story."""
        if telling.id in self._heard:
            return
        self._heard.add(telling.id)
        self._began[telling.story] = telling.began
        self._seen.story_of(
            Told(
                id=telling.id,
                text=f"{telling.title} {telling.text}",
                key=(telling.source, telling.native_id),
                story=telling.story,
            )
        )


def _told(stored: StoredMention) -> Told:
    """Return a mention as stories are made of it."""
    return Told(
        id=stored.id,
        text=f"{stored.mention.title} {stored.mention.text}",
        key=(stored.mention.source, stored.mention.native_id),
        repost_of=stored.mention.repost_of,
    )
