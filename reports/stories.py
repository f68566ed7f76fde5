"""Which mention belongs to which story: a post and its copies are told once, with their number."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from math import ceil
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reports import wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from monitor.records import StoredMention, Window

SEVERAL: Final = 2
"""Places below which nothing is said of them: every article stands in one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stories:
    """Which mention belongs to which story.

    Attributes:
        first_of: id of a mention -> number of its story: the id of the mention that began it.
        sizes: number of a story -> how many mentions it has.
        known: number of a story -> its mentions that are at hand, oldest first.
        began: number of a story -> when it was first seen; missing where that is not known.
    """

    first_of: Mapping[int, int]
    sizes: Mapping[int, int]
    known: Mapping[int, tuple[StoredMention, ...]]
    began: Mapping[int, datetime]

    @classmethod
    def of(cls, copies_of: Mapping[int, tuple[int, ...]], mentions: Iterable[StoredMention]) -> Stories:
        """Return the stories of `mentions`; `copies_of` maps a first mention's id to its copies'."""
        first_of = {copy: first for first, copies in copies_of.items() for copy in copies}
        sizes = {first: 1 + len(copies) for first, copies in copies_of.items()}
        return cls(first_of=first_of, sizes=sizes, known=_gathered(first_of, mentions), began={})

    @classmethod
    def told(cls, mentions: Iterable[StoredMention]) -> Stories:
        """Return the stories that `mentions` belong to, as the store knows them."""
        everything = tuple(mentions)
        first_of = {stored.id: stored.story or stored.id for stored in everything}
        known = _gathered(first_of, everything)
        began = {first_of[stored.id]: stored.story_began for stored in everything if stored.story_began}
        return cls(first_of=first_of, sizes={}, known=known, began=began)

    def first(self, mention_id: int) -> int:
        """Return the number of the story that a mention belongs to."""
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

    def goes_on(self, first: int, window: Window) -> bool:
        """Whether a story was seen before `window` already, so that nothing of it is new in there."""
        return first in self.began and self.began[first] < window.start

    def fresh(self, first: int, window: Window) -> int:
        """Return how many mentions of a story were first seen in `window`."""
        return sum(stored.first_seen in window for stored in self.members(first))

    def progress(self, first: int, window: Window, zone: ZoneInfo) -> str:
        """Return how a story went on: "day 3, +2"; "" if it began in `window`, or nothing of it is new there."""
        count = self.fresh(first, window)
        if not count or not self.goes_on(first, window):
            return ""
        return f"day {days_since(self.began[first], window.end, zone)}, +{wording.figure(count)}"


def days_since(began: datetime, end: datetime, zone: ZoneInfo) -> int:
    """Return on which day of a story `end` falls, the first being 1; days end at the wall-clock time of `end`."""
    # the wall clock: a day has the hour more or less of a clock change
    length = end.astimezone(zone).replace(tzinfo=None) - began.astimezone(zone).replace(tzinfo=None)
    return max(1, ceil(length.total_seconds() / 86_400))


def outlets(story: Iterable[StoredMention]) -> int:
    """Return at how many web sites the articles of a story stand; posts have no outlet, they have accounts."""
    hosts = {
        (urlsplit(url).hostname or "").removeprefix("www.")
        for stored in story
        if stored.mention.title
        for url in chain((stored.mention.url,), (place[2] for place in stored.also_in))
    }
    return len(hosts - {""})


def _age(stored: StoredMention) -> tuple[datetime, datetime, int]:
    """Return the order of a story's mentions: as we saw them, and those of one reading as they were published."""
    return stored.first_seen, stored.mention.published, stored.id


def _gathered(first_of: Mapping[int, int], mentions: Iterable[StoredMention]) -> dict[int, tuple[StoredMention, ...]]:
    """Return number of a story -> its mentions, oldest first, each once."""
    known: dict[int, dict[int, StoredMention]] = {}
    for stored in mentions:
        known.setdefault(first_of.get(stored.id, stored.id), {})[stored.id] = stored
    return {first: tuple(sorted(members.values(), key=_age)) for first, members in known.items()}
