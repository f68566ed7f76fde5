"""Which stored mentions tell the same story."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.stories import Told, stories

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.records import StoredMention


def told(found: Iterable[StoredMention]) -> dict[int, tuple[int, ...]]:
    """Return the stories of these mentions: number of the first telling -> numbers of its copies.

    A mention may be given twice; the order is by when it was first seen.
    """
    everything = {stored.id: stored for stored in found}
    return stories(
        Told(
            id=stored.id,
            text=f"{stored.mention.title} {stored.mention.text}",
            key=(stored.mention.source, stored.mention.native_id),
            repost_of=stored.mention.repost_of,
        )
        for stored in sorted(everything.values(), key=lambda stored: (stored.first_seen, stored.id))
    )
