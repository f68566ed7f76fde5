"""What stands below the digest's first screen: cases that are open or decided, stories, and the last days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reports import wording
from reports.items import place, spread_counts, tone
from reports.looking import UNKNOWN
from reports.quoting import URGENT, Link, is_restricted, link, may_be_quoted, quoted, shortened, unnamed

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from monitor.records import Case, DayCount, StoredMention
    from reports.day import DailyMaterial
    from reports.stories import Stories
    from reports.wordbook import Wordbook

SAFETY_WORD: Final = "safety-word"
"""The rule under which a post with a word of danger, but no sign of risk, is shown to a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """One case from earlier that is not due yet or waits for somebody else."""

    reference: str
    what: str
    state: str
    age: str

    @property
    def label(self) -> str:
        """What is said of it where it is only listed."""
        return self.reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One case that somebody decided since the last digest: what it was, and what became of it when."""

    reference: str
    what: str
    how: str

    @property
    def label(self) -> str:
        """What is said of it where it is only listed."""
        return self.reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Something new that needs no response: category, title, quotation, one line about it, link."""

    category: str
    title: str
    quote: str
    about: str
    link: Link | None

    @property
    def label(self) -> str:
        """What is said of it where it is only counted."""
        return self.category


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One bar: the day, its count, the bar's width in percent, and whether not all was read."""

    label: str
    count: str
    width: int
    note: str


def open_case(case: Case, material: DailyMaterial, stories: Stories, book: Wordbook) -> OpenCase:
    """Return a case from earlier: what it is, where it stands since when, how its story goes on, and how old it is."""
    stored = material.case_mentions.get(case.mention_id)
    last = case.history[-1] if case.history else None
    state = case.state.value
    if last and last.by != "monitor":
        state += f" since {wording.day(last.at, material.zone)}"
        if last.why and not is_restricted(stored, case, book.escalation) and case.severity not in URGENT:
            state += f": {shortened(unnamed(last.why), 100)}"
    if case.due:
        state += f"; due {book.when(case.due)}" if case.due >= material.made_at else f"; was due {book.when(case.due)}"
    progress = stories.progress(stories.first(case.mention_id), material.window, material.zone)
    if progress and not is_restricted(stored, case, book.escalation):
        state += f"; {progress}"
    return OpenCase(
        reference=case.reference,
        what=f"{book.category(case.category)} ({'/'.join(case.schools) or '?'}), {book.role(case.owner)}",
        state=wording.sentence(state),
        age=wording.age(material.made_at - case.opened),
    )


def decided_at(case: Case) -> datetime:
    """Return when a settled case was decided."""
    return case.history[-1].at if case.history else case.opened


def decided_case(case: Case, material: DailyMaterial, stories: Stories, book: Wordbook) -> Decided:
    """Return a case that was decided since the last digest: what it was, and what became of it when."""
    how = f"{wording.sentence(case.state.value)} {book.when(decided_at(case))}"
    first = stories.first(case.mention_id)
    progress = stories.progress(first, material.window, material.zone)
    told = progress or spread_counts(stories.members(first), stories.size(first))
    if told and not is_restricted(material.case_mentions.get(case.mention_id), case, book.escalation):
        how += f"; {told}"
    return Decided(
        reference=case.reference,
        what=f"{book.category(case.category)} ({'/'.join(case.schools) or '?'}), {book.role(case.owner)}",
        how=how,
    )


def of_no_case(material: DailyMaterial, stories: Stories, of_cases: AbstractSet[int]) -> list[int]:
    """Return the stories of the window's mentions but those of cases that are shown, most worth reading first."""
    firsts = {stories.first(stored.id) for stored in material.mentions if stored.judgement}
    return sorted(firsts - of_cases, key=lambda first: _worth_reading(first, stories))


def _worth_reading(first: int, stories: Stories) -> tuple[str, bool, bool, bool, int, float, int]:
    """Return the order of stories: urgent, calmed safety words, not merely neutral, articles, most told, newest."""
    stored = stories.face(first)
    judgement = stored.judgement
    return (
        judgement.severity.value if judgement and judgement.severity else "P9",
        not _has_safety_word(stored),
        judgement is not None and judgement.category == "NEUTRAL",
        not stored.mention.title,
        -stories.size(first),
        -stored.first_seen.timestamp(),
        first,
    )


def _has_safety_word(stored: StoredMention) -> bool:
    """Whether a word of danger was found where nothing else speaks of danger: a person should see it."""
    reasons = stored.judgement.reasons if stored.judgement else ()
    return any(reason.rule == SAFETY_WORD for reason in reasons)


def story_of(first: int, material: DailyMaterial, stories: Stories, book: Wordbook) -> Story:
    """Return one story for information."""
    stored = stories.face(first)
    judgement = stored.judgement
    category = category_of(stored, book)
    school = book.school(judgement.schools if judgement else ())
    seen = f"seen {book.when(stored.first_seen)}"
    restricted = is_restricted(stored, None, book.escalation)
    if restricted or (judgement and judgement.severity in URGENT):
        owner = book.owner(judgement.owner, judgement.schools) if judgement else "nobody"
        return Story(
            category=category,
            title=category,
            quote="",
            about=f"{school} · {seen} · {owner} · words withheld",
            link=None,
        )
    quotable = may_be_quoted(stored, None, book.escalation)
    headline = quoted(stored.mention.title, 110) if quotable and stored.mention.title else ""
    told = spread_counts(stories.members(first), stories.size(first))
    progress = stories.progress(first, material.window, material.zone)
    parts = [wording.sentence(progress)] if progress else []
    settled = [case for case in material.settled if stories.first(case.mention_id) == first]
    parts += [f"{case.reference}, {case.state.value} {book.when(decided_at(case))}" for case in settled]
    parts += [category] if headline else []
    parts += [school, place(stored, book), seen]
    parts += [told] if told else []
    parts += ["a safety word, but no sign of risk: please read it once"] if _has_safety_word(stored) else []
    parts += [f"tone {words}"] if judgement and (words := tone(judgement)) else []
    return Story(
        category=category,
        title=headline or category,
        quote=quoted(stored.mention.text, 140) if quotable else "",
        about=" · ".join(parts),
        link=link(stored.mention.url, "Read the article" if stored.mention.title else "Open the post"),
    )


def category_of(stored: StoredMention, book: Wordbook) -> str:
    """Return the name of a post's category."""
    return book.category(stored.judgement.category) if stored.judgement else "Not judged yet"


def days(material: DailyMaterial) -> tuple[Day, ...]:
    """Return the last days as bars from zero."""
    most = max((one.count for one in material.days), default=0)
    return tuple(
        Day(
            label=_short_day(one, material.zone),
            count=wording.figure(one.count) if one.count or not one.blind else UNKNOWN,
            width=max(1, round(100 * one.count / most)) if one.count else 0,
            note="not all read" if one.blind else "",
        )
        for one in material.days
    )


def _short_day(one: DayCount, zone: ZoneInfo) -> str:
    """Return a day's name and number: "Sun 22"."""
    return wording.day(one.start, zone).rpartition(" ")[0]


def days_caption(material: DailyMaterial) -> str:
    """Return what the bars count, and how the last one compares with the usual."""
    said = "New public mentions a day, from digest to digest."
    if material.usual is None:
        return f"{said} There is too little history yet to say what is usual."
    low, high = material.usual
    said += f" The usual range is {wording.range_of(low, high)}"
    if not material.days:
        return f"{said}."
    last = material.days[-1]
    compared = "above it" if last.count > high else "below it" if last.count < low else "within it"
    if last.blind and last.count <= high:
        compared = "not comparable, because not all was read"
    return f"{said}; the last day’s {wording.figure(last.count)} is {compared}."  # noqa: RUF001
