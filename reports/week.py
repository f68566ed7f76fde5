"""What a weekly report is made from: counts and clock times, and not one word of a post or name of a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from monitor.records import aware

if TYPE_CHECKING:
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from monitor.policy.escalation import Escalation
    from monitor.records import CaseState, Coverage, Severity, Window

USUAL_WEEKS: Final = 8
"""Weeks before this one that say what is usual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekCount:
    """The mentions of one week.

    Attributes:
        window: the week.
        total: all of them, None where the monitor was not at work.
        schools: school code -> mentions that are about it; one about both counts in each.
        unread: name of a source -> whole days of the week that were not read of it.
        faded: whether some of the week's mentions were erased before they were counted.
    """

    window: Window
    total: int | None
    schools: dict[str, int]
    unread: dict[str, int]
    faded: bool = False

    @property
    def seen(self) -> bool:
        """Whether the count is the whole count."""
        return self.total is not None and not self.unread and not self.faded

    @property
    def known(self) -> int | None:
        """The count as far as it is known: none found where not all was seen is not zero, it is None."""
        return self.total if self.total or self.seen else None

    def known_of(self, code: str) -> int | None:
        """The same for one school."""
        return None if self.known is None else self.schools.get(code, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeCount:
    """One category in figures.

    Attributes:
        category: its id. count, before: mentions of this week and of the week before.
        stories: how many stories they tell; largest: how often the most told one was told this week.
        earlier: how many of the stories were told before this week already.
        tones: "negative", "neutral", "positive" -> mentions; what may not be scored is in none.
        cases, decided: cases of this category that this week opened, and how many of those are decided.
    """

    category: str
    count: int
    before: int
    stories: int
    largest: int
    tones: dict[str, int]
    cases: int
    decided: int
    earlier: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTimes:
    """One case as a clock sees it: no word of it, and nobody who acted.

    Attributes:
        reference, category, severity, owner, schools, state: of the case; `owner` is a role's id.
        started: when its clock began: opened, or opened again.
        acknowledged, decided: when somebody acknowledged it, and answered or decided; None if nobody has.
        acknowledge_by, act_by: the targets of its severity, None where nothing is due.
        old_from: when it had been open five working days.
        took: from the start to the decision: staffed time, or by the clock for P0.
        restricted: whether it may be counted only.
    """

    reference: str
    category: str
    severity: Severity
    owner: str
    schools: tuple[str, ...]
    state: CaseState
    started: datetime
    acknowledged: datetime | None
    decided: datetime | None
    acknowledge_by: datetime | None
    act_by: datetime | None
    old_from: datetime
    took: timedelta | None
    restricted: bool

    def open_at(self, moment: datetime) -> bool:
        """Whether it was undecided at `moment`."""
        return self.started < moment and (self.decided is None or self.decided >= moment)

    def late_at(self, moment: datetime) -> bool:
        """Whether it was undecided and over its target at `moment`."""
        return self.open_at(moment) and self.act_by is not None and self.act_by < moment

    def unacknowledged_at(self, moment: datetime) -> bool:
        """Whether nobody had acknowledged it in time at `moment`."""
        due = self.acknowledge_by
        return self.open_at(moment) and self.acknowledged is None and due is not None and due < moment

    def old_at(self, moment: datetime) -> bool:
        """Whether it was undecided after five working days at `moment`."""
        return self.open_at(moment) and self.old_from < moment

    @property
    def in_time(self) -> bool:
        """Whether it was decided within its target."""
        return self.decided is not None and (self.act_by is None or self.decided <= self.act_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDay:
    """How much of a day was read: hours, and whether that is all that the source's rhythm allows."""

    hours: int
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDays:
    """One line of the grid of what was read: a source, and each day; None before it was watched."""

    source: str
    name: str
    days: tuple[ReadDay | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """The public posts of our own that are planted in one source to show that it is read.

    Attributes:
        source, name: the collector's name, and what people call the source.
        published, seen: of the last one that was seen; None if none ever was.
        missed: whether a newer one should have been seen by now.
    """

    source: str
    name: str
    published: datetime | None
    seen: datetime | None
    missed: bool

    @property
    def took(self) -> timedelta | None:
        """How long the last one took from its publication until it was seen here; never less than nothing."""
        if self.seen is None or self.published is None:
            return None
        return max(self.seen - self.published, timedelta())


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyMaterial:
    """Everything that one weekly report says.

    Attributes:
        federation, short_name: full and short name. zone: the reader's.
        window: the week. made_at: zone-aware; "late" is reckoned from the window's end.
        weeks: twelve, oldest first, the last one being this week.
        themes: every category that was met this week. unjudged: mentions that nobody judged yet.
        likeness: share of three-word sequences from which two posts count as one story.
        cases: every case that was open at some moment since eight weeks before the window.
        working_day: how long the schools are staffed on a school day.
        coverage: one for each source, as things stand at the window's end.
        grid: one for each source that is on, seven days each.
        canaries: one for each source in which posts of our own are planted.
        retagged, not_ours: tags of this week's corrections that were wrong, and posts that were not about us.
        erased: reason -> how many posts were erased in the window.
        troubles: how many jobs and messages failed in the window.
        review_due: when the impact assessment is to be reviewed, None if none is recorded.
        escalation, school_names, contact: the matrix; code -> name; an address that is read, or "".
        holds: how many holds keep posts that would go. audit: the audit's last line, "" before the first.
    """

    federation: str
    short_name: str
    zone: ZoneInfo
    window: Window
    made_at: datetime
    weeks: tuple[WeekCount, ...]
    themes: tuple[ThemeCount, ...]
    unjudged: int
    likeness: float
    cases: tuple[CaseTimes, ...]
    working_day: timedelta
    coverage: tuple[Coverage, ...]
    grid: tuple[SourceDays, ...]
    retagged: int
    not_ours: int
    erased: dict[str, int]
    troubles: int
    review_due: date | None
    escalation: Escalation
    school_names: dict[str, str]
    contact: str
    holds: int = 0
    audit: str = ""
    canaries: tuple[Canary, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a time without a zone, and a report without its week."""
        aware("made_at", self.made_at)
        if not self.weeks:
            problem = "a weekly report needs at least its own week"
            raise ValueError(problem)

    @property
    def week(self) -> WeekCount:
        """This week."""
        return self.weeks[-1]

    @property
    def compared(self) -> bool:
        """Whether the week before is known at all."""
        return any(week.total is not None for week in self.weeks[-2:-1])

    @property
    def history(self) -> tuple[WeekCount, ...]:
        """The weeks that say what is usual; those that were not wholly seen say nothing."""
        return tuple(week for week in self.weeks[-1 - USUAL_WEEKS : -1] if week.seen)

    @property
    def before(self) -> tuple[WeekCount, ...]:
        """The weeks that say what is usual, whether or not they were wholly seen."""
        return self.weeks[-1 - USUAL_WEEKS : -1]

    @property
    def still_open(self) -> tuple[CaseTimes, ...]:
        """The cases that are undecided at the window's end, the oldest first."""
        found = [case for case in self.cases if case.open_at(self.window.end)]
        return tuple(sorted(found, key=lambda case: (case.started, case.reference)))

    def opened(self, window: Window) -> tuple[CaseTimes, ...]:
        """Return the cases whose clock began in `window`."""
        return tuple(case for case in self.cases if window.start <= case.started < window.end)

    def decided(self, window: Window) -> tuple[CaseTimes, ...]:
        """Return the cases that were decided in `window`."""
        return tuple(case for case in self.cases if case.decided and window.start <= case.decided < window.end)

    def counted_only(self, category: str) -> bool:
        """Whether a category may be counted only; one that the matrix does not know may."""
        row = self.escalation.categories.get(category)
        return row is None or row.restricted

    @property
    def unread(self) -> tuple[SourceDays, ...]:
        """The sources of which part of this week was not read."""
        return tuple(row for row in self.grid if not all(day is None or day.whole for day in row.days))
