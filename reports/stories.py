"""Which mention belongs to which story: a post and its copies are told once, with their number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.records import StoredMention


@dataclass(frozen=True, slots=True, kw_only=True)
class Stories:
    """Which mention belongs to which story.

    Attributes:
        first_of: id of a copy -> id of the first mention of its story.
        sizes: id of a first mention -> how many mentions its story has.
        known: id of a first mention -> its mentions that are at hand, oldest first.
    """

    first_of: Mapping[int, int]
    sizes: Mapping[int, int]
    known: Mapping[int, tuple[StoredMention, ...]]

    @classmethod
    def of(cls, copies_of: Mapping[int, tuple[int, ...]], mentions: Iterable[StoredMention]) -> Stories:
        """Return the stories of `mentions`; `copies_of` maps a first mention's id to its copies'."""
        first_of = {copy: first for first, copies in copies_of.items() for copy in copies}
        known: dict[int, dict[int, StoredMention]] = {}
        for stored in mentions:
            known.setdefault(first_of.get(stored.id, stored.id), {})[stored.id] = stored
        return cls(
            first_of=first_of,
            sizes={first: 1 + len(copies) for first, copies in copies_of.items()},
            known={
                first: tuple(sorted(members.values(), key=lambda stored: (stored.first_seen, stored.id)))
                for first, members in known.items()
            },
        )

    def first(self, mention_id: int) -> int:
        """Return the first mention of the story that a mention belongs to."""
        return self.first_of.get(mention_id, mention_id)

    def members(self, first: int) -> tuple[StoredMention, ...]:
        """Return the mentions of a story that are at hand."""
        return self.known.get(first, ())

    def face(self, first: int) -> StoredMention:
        """Return the oldest mention of a story that is at hand."""
        return self.members(first)[0]

    def size(self, first: int) -> int:
        """Return how many mentions a story has in all."""
        return max(self.sizes.get(first, 1), len(self.members(first)))
