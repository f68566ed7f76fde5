"""What an incident report is made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from monitor.records import aware
from reports import wording
from reports.stories import Stories
from reports.wordbook import Wordbook

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from monitor.policy.escalation import Escalation
    from monitor.records import Case, Coverage, StoredMention, Window


NEAR: Final = timedelta(days=wording.NEAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentMaterial:
    """Everything that one update of an incident report says.

    Attributes:
        federation, short_name: full and short name.
        zone: the reader's.
        name: of the incident, "incident-toilet-protest-2026-11-23"; update: number of this page, from 1.
        terms: what was asked for, in the words of the person on duty.
        window: what the report covers; it ends when the page is made.
        opened: when the incident run began. next_review: None once it is stood down.
        stood_down: why it was stood down, in the words of who did it; "" while it goes on.
        mentions: the posts that have a term, and their copies; judged or not.
        numbers: mention id -> its number in the evidence, the same in every update.
        gone: numbers of evidence that is no longer stored: taken down, or kept long enough.
        stories: id of the first mention of a story -> ids of its copies.
        likeness: share of three-word sequences from which two posts count as copies.
        cases: of these mentions.
        coverage: one for each source, as things stand at the window's end.
        still: names (`Coverage.source`) of the sources that are being read and have not answered yet.
        read_back_to: `Coverage.source` -> the earliest moment that was ever asked of it.
        nearby: word of a term -> posts that have that word, but not the whole term.
        escalation, school_names, contact: for the words.
    """

    federation: str
    short_name: str
    zone: ZoneInfo
    name: str
    update: int
    terms: tuple[str, ...]
    window: Window
    opened: datetime
    made_at: datetime
    next_review: datetime | None
    stood_down: str
    mentions: tuple[StoredMention, ...]
    numbers: dict[int, int]
    gone: tuple[int, ...]
    stories: dict[int, tuple[int, ...]]
    likeness: float
    cases: tuple[Case, ...]
    coverage: tuple[Coverage, ...]
    still: frozenset[str]
    read_back_to: dict[str, datetime]
    nearby: dict[str, int]
    escalation: Escalation
    school_names: dict[str, str]
    contact: str

    def __post_init__(self) -> None:
        """Refuse times without a zone."""
        for name in ("opened", "made_at", "next_review"):
            if (moment := getattr(self, name)) is not None:
                aware(name, moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The material as each part of the report looks at it.

    Attributes:
        material: all of it.
        book: names and times.
        stories: which post repeats which.
        faces: id of the first mention of a story -> the post of it that was published first, as far as we found.
        accounts: author key -> "account 7", numbered in the order of the evidence.
        cases: id of the first mention of a story -> its cases, the most urgent first.
    """

    material: IncidentMaterial
    book: Wordbook
    stories: Stories
    faces: dict[int, StoredMention]
    accounts: dict[str, str]
    cases: dict[int, tuple[Case, ...]]

    @classmethod
    def of(cls, material: IncidentMaterial) -> Known:
        """Look at the material."""
        book = Wordbook(
            escalation=material.escalation,
            schools=material.school_names,
            coverage=material.coverage,
            now=material.made_at,
            zone=material.zone,
        )
        stories = Stories.of(material.stories, material.mentions)
        by_number = sorted(material.mentions, key=lambda stored: material.numbers[stored.id])
        keys = dict.fromkeys(stored.author_key for stored in by_number if stored.author_key)
        cases: dict[int, list[Case]] = {}
        for case in sorted(material.cases, key=lambda case: (case.severity, case.reference)):
            cases.setdefault(stories.first(case.mention_id), []).append(case)
        return cls(
            material=material,
            book=book,
            stories=stories,
            faces={first: min(members, key=_age) for first, members in stories.known.items()},
            accounts={key: f"account {number}" for number, key in enumerate(keys, 1)},
            cases={first: tuple(of_story) for first, of_story in cases.items()},
        )

    @property
    def firsts(self) -> tuple[int, ...]:
        """The first mention of each story, the most told one first, then by evidence number."""
        return tuple(
            sorted(self.stories.known, key=lambda first: (-len(self.stories.members(first)), self.number(first)))
        )

    def number(self, first: int) -> int:
        """Return the evidence number of a story's face."""
        return self.material.numbers[self.faces[first].id]

    def at(self, moment: datetime) -> str:
        """Return a moment in short: "Sun 21:00", with its date where the report goes back further than six days."""
        zone = self.material.zone
        if self.material.made_at - moment > NEAR:
            return wording.full(moment, zone)
        return f"{wording.DAYS[moment.astimezone(zone).weekday()]} {wording.hour(moment, zone)}"


def _age(stored: StoredMention) -> tuple[bool, datetime, int]:
    """Return the order in which the posts of a story were published, reposts last."""
    return stored.mention.repost_of is not None, stored.mention.published, stored.id
