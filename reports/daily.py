"""The daily digest: what needs a response, by when and by whom, and what was not seen.

It is for the response owner, who opens it at 07:30 and has two minutes. It is sent on quiet days too: a
digest that does not come must never be mistaken for a day on which nothing was said.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from monitor.records import CaseState, Rendered, Sight, aware
from reports import rendering, wording
from reports.items import Item, item, place, spread_counts, tone
from reports.looking import UNKNOWN, Looking, looked, short_name
from reports.quoting import (
    URGENT,
    Link,
    clean,
    is_restricted,
    link,
    mailbox,
    may_be_quoted,
    quoted,
    shortened,
    unnamed,
)
from reports.state import State
from reports.stories import Stories
from reports.wordbook import Wordbook

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from monitor.policy.escalation import Escalation
    from monitor.records import Case, Coverage, DayCount, StoredMention, Window

DETAILED: Final = 7
"""Items shown in full; the others are listed by reference."""
IN_TABLE: Final = 4
"""Lines of the first table: more would push what was not seen off the first screen."""
STILL_OPEN: Final = 12
INFORMATION: Final = 8
REFERENCES: Final = 120
"""References listed beyond what is shown, before they are only counted: the digest stays under 80 kB."""
TROUBLES: Final = 5
UNUSUAL: Final = 6
NEXT_DIGEST: Final = timedelta(days=1)
NOTABLE_STORY: Final = 3
SHORTENED: Final = ("stories", "continuing", "decided", "open")
"""Sections that are cut where the digest is too large, what matters least first."""
SAFETY_WORD: Final = "safety-word"
"""The rule under which a post with a word of danger, but no sign of risk, is shown to a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyMaterial:
    """Everything that one digest says, from the store.

    Attributes:
        federation, short_name: full and short name.
        zone: the reader's.
        window: what the digest covers.
        made_at: when it is made, zone-aware; "late" and "today" are reckoned from here.
        mentions: first seen in the window, judged.
        earlier: of the same stories and of those of the cases, but first seen before the window.
        likeness: share of three-word sequences from which two posts count as copies.
        cases: still open, whenever opened.
        settled: no longer open, but decided in the window, or of a story that goes on in it.
        case_mentions: mention id of a case -> the mention, where its words still exist.
        coverage: one for each source.
        days: the last seven, oldest first; each from digest to digest.
        usual: usual range of a day's count, None while there is too little history.
        troubles: jobs that failed, messages that could not be sent, in sentences.
        unusual: what was unusual in small numbers, and what did not alert anybody a second time, in sentences.
        escalation: the matrix.
        school_names: code -> name.
        contact: an e-mail address that is read, "" if there is none.
        audit: the audit's last line, "1234:0123456789abcdef"; "" before the first.
    """

    federation: str
    short_name: str
    zone: ZoneInfo
    window: Window
    made_at: datetime
    mentions: tuple[StoredMention, ...]
    earlier: tuple[StoredMention, ...]
    likeness: float
    cases: tuple[Case, ...]
    settled: tuple[Case, ...]
    case_mentions: dict[int, StoredMention]
    coverage: tuple[Coverage, ...]
    days: tuple[DayCount, ...]
    usual: tuple[int, int] | None
    troubles: tuple[str, ...]
    unusual: tuple[str, ...] = ()
    escalation: Escalation
    school_names: dict[str, str]
    contact: str
    audit: str = ""

    def __post_init__(self) -> None:
        """Refuse a time without a zone: "late" and "today" would be guesses."""
        aware("made_at", self.made_at)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyView:
    """The digest in words, ready to print; section by section.

    Attributes:
        name, subject, preheader: of the message; all three are safe for a lock screen.
        short_name, federation, covers: whose digest, and from when to when.
        headline: the sentence that matters.
        due: the items of the first table; due_more: what else is due, in a sentence, "" if nothing.
        volume: one sentence, or two, of how much is new against the usual.
        looking: where we looked and what was not seen. off: what is switched off, in a sentence; "" if nothing is.
        all_read: said where every source was read, "" otherwise.
        troubles: what does not work.
        unusual: what was unusual in small numbers.
        danger: said where somebody may be in danger, "" otherwise.
        items: in detail, most urgent first; items_rest: the references of the others.
        open: from earlier; open_rest: the references of the others.
        decided: answered, referred or closed in the window; decided_rest: the references of the others.
        stories: new, for information; stories_rest: the categories of the others.
        continuing: told before, and going on; continuing_rest: the categories of the others.
        likeness: from when two posts count as one story.
        days, days_caption: the last seven days.
        contact: an e-mail address, "" if there is none.
        policy: whose clauses are meant.
        records, fingerprint: how many records were counted, and the SHA-256 of their manifest.
        audit: the last line of the audit, to be held against it later.
    """

    name: str
    subject: str
    preheader: str
    short_name: str
    federation: str
    covers: str
    headline: str
    due: tuple[Item, ...]
    due_more: str
    volume: str
    looking: Looking
    off: str
    all_read: str
    troubles: tuple[str, ...]
    unusual: tuple[str, ...]
    danger: str
    items: tuple[Item, ...]
    items_rest: tuple[str, ...]
    open: tuple[OpenCase, ...]
    open_rest: tuple[str, ...]
    decided: tuple[Decided, ...]
    decided_rest: tuple[str, ...]
    stories: tuple[Story, ...]
    stories_rest: tuple[str, ...]
    continuing: tuple[Story, ...]
    continuing_rest: tuple[str, ...]
    likeness: str
    days: tuple[Day, ...]
    days_caption: str
    contact: str
    policy: str
    records: int
    fingerprint: str
    audit: str

    @property
    def items_more(self) -> str:
        """What else needs a response: "and 4 more: KJS-0041, ..."; "" if all is shown."""
        return _more(self.items_rest)

    @property
    def open_more(self) -> str:
        """What else is still open; "" if all is shown."""
        return _more(self.open_rest)

    @property
    def decided_more(self) -> str:
        """What else was decided; "" if all is shown."""
        return _more(self.decided_rest)

    @property
    def stories_more(self) -> str:
        """What else is new: "and 42 more: 30 Neutral mention, 12 Praise or thanks"; "" if nothing."""
        return _more_kinds(self.stories_rest)

    @property
    def continuing_more(self) -> str:
        """What else goes on; "" if all is shown."""
        return _more_kinds(self.continuing_rest)

    def smaller(self) -> DailyView | None:
        """Return the digest with less detail, what matters least going first; None if nothing can go.

        What goes is still counted, and a case keeps its reference.
        """
        for section in SHORTENED:
            if shown := getattr(self, section):
                keep = len(shown) // 2
                rest = tuple(one.label for one in shown[keep:]) + getattr(self, f"{section}_rest")
                return replace(self, **{section: shown[:keep], f"{section}_rest": rest})
        if any(row.notes for row in self.looking.rows):
            return replace(self, looking=self.looking.without_notes())
        if len(self.items) > 1:
            return replace(self, items=self.items[:-1], items_rest=(self.items[-1].reference, *self.items_rest))
        return None


def build(material: DailyMaterial) -> DailyView:
    """Return the digest of one day's material, in words."""
    book = Wordbook(
        escalation=material.escalation,
        schools=material.school_names,
        coverage=material.coverage,
        now=material.made_at,
        zone=material.zone,
    )
    stories = Stories.told((*material.case_mentions.values(), *material.earlier, *material.mentions))
    looking = looked(material.coverage, material.made_at, material.zone)
    cases = sorted((case for case in material.cases if case.state.is_open), key=_most_urgent)
    due = [case for case in cases if _is_due(case, material)]
    due_references = {case.reference for case in due}
    earlier = sorted(
        (case for case in cases if case.reference not in due_references),
        key=lambda case: (case.opened, case.reference),
    )
    items = tuple(_item(case, material, stories, book) for case in due)
    of_cases = {stories.first(case.mention_id): case for case in cases}
    decided = sorted((case for case in material.settled if _decided(case) in material.window), key=_decided)
    shown = of_cases.keys() | {stories.first(case.mention_id) for case in decided}
    fresh = _of_no_case(material, stories, shown)
    news = [first for first in fresh if not stories.goes_on(first, material.window)]
    going_on = [first for first in fresh if stories.goes_on(first, material.window)]
    state = State.of(items, looking, new=len(material.mentions), troubles=len(material.troubles))
    today = wording.day(material.made_at, material.zone)
    of_any_case = {stories.first(case.mention_id): case for case in material.settled} | of_cases
    volume = _volume(material, stories, of_any_case, looking, book)
    return DailyView(
        name=f"daily-{material.made_at.astimezone(material.zone).date().isoformat()}",
        subject=f"{state.subject} ({today})",
        preheader=_preheader(items, volume, looking),
        short_name=clean(material.short_name),
        federation=clean(material.federation),
        covers=wording.span(material.window.start, material.window.end, material.zone),
        headline=state.headline,
        due=items[:IN_TABLE],
        due_more=f"and {wording.number(len(items) - IN_TABLE)} more, below" if len(items) > IN_TABLE else "",
        volume=volume,
        looking=looking,
        off=_off(material.coverage),
        all_read=_all_read(looking),
        troubles=_troubles(material.troubles),
        unusual=_unusual(material.unusual),
        danger=_danger(due),
        items=items[:DETAILED],
        items_rest=tuple(one.reference for one in items[DETAILED:]),
        open=tuple(_open(case, material, stories, book) for case in earlier[:STILL_OPEN]),
        open_rest=tuple(case.reference for case in earlier[STILL_OPEN:]),
        decided=tuple(_decided_case(case, material, stories, book) for case in decided[:STILL_OPEN]),
        decided_rest=tuple(case.reference for case in decided[STILL_OPEN:]),
        stories=tuple(_story(first, material, stories, book) for first in news[:INFORMATION]),
        stories_rest=tuple(_category(stories.face(first), book) for first in news[INFORMATION:]),
        continuing=tuple(_story(first, material, stories, book) for first in going_on[:INFORMATION]),
        continuing_rest=tuple(_category(stories.face(first), book) for first in going_on[INFORMATION:]),
        likeness=wording.one_story(material.likeness),
        days=_days(material),
        days_caption=_days_caption(material),
        contact=mailbox(material.contact),
        policy=material.escalation.policy_title,
        records=len(material.mentions),
        fingerprint=rendering.fingerprint(material.mentions),
        audit=material.audit,
    )


def render(view: DailyView) -> Rendered:
    """Return the digest as an e-mail: HTML of less than 80 kB, and its own text.

    Where the HTML would be larger, it says less of what matters least, and so does the text.
    """
    html = rendering.email("daily.html.j2", view)
    while len(html.encode()) >= rendering.LARGEST_EMAIL and (smaller := view.smaller()):
        view = smaller
        html = rendering.email("daily.html.j2", view)
    return Rendered(name=view.name, subject=view.subject, html=html, text=rendering.text("daily.txt.j2", view))


def _most_urgent(case: Case) -> tuple[bool, bool, float, str]:
    """Return the order of cases: P0 first, then by when they are due."""
    due = case.due.timestamp() if case.due else 0.0
    return case.severity.value != "P0", case.due is None, due, case.reference


def _is_due(case: Case, material: DailyMaterial) -> bool:
    """Whether a case needs a response now: it is new, late, or due before the next digest.

    A case that waits for somebody else stands under "Still open from earlier".
    """
    if case.due is None or case.state is CaseState.WAITING:
        return False
    return case.opened >= material.window.start or case.due < material.made_at + NEXT_DIGEST


def _item(case: Case, material: DailyMaterial, stories: Stories, book: Wordbook) -> Item:
    """Return a case with its mention and its story."""
    first = stories.first(case.mention_id)
    return item(
        case,
        material.case_mentions.get(case.mention_id),
        stories.members(first),
        stories.size(first),
        book,
        progress=stories.progress(first, material.window, material.zone),
    )


def _preheader(items: Sequence[Item], volume: str, looking: Looking) -> str:
    """Return what shows beside the subject in a list of messages; no category, no name, no word of a post."""
    parts = [f"First: {items[0].by}, {items[0].who}."] if items else []
    parts.append(volume.partition(". ")[0].rstrip(".") + ".")
    parts += [f"Not seen: {wording.listed(looking.unread)}."] if looking.unread else []
    return shortened(" ".join(parts), 250)


def _volume(
    material: DailyMaterial, stories: Stories, of_cases: Mapping[int, Case], looking: Looking, book: Wordbook
) -> str:
    """Return how much is new against the usual, with its coverage."""
    count = len(material.mentions)
    since = f"since {book.when(material.window.start)}"
    if count:
        least = "at least " if looking.gaps else ""
        words = f"{least}{wording.figure(count)} new public {wording.plural(count, 'mention')} {since}"
    elif looking.blind:
        words = f"nothing is known of what was said {since}"
    elif looking.gaps:
        seen = looking.on - len(looking.gaps)
        of = f"{wording.number(seen)} of {wording.number(looking.on)} sources"
        words = f"no new public mention {since} in the {of} that were read"
    else:
        words = f"no new public mention {since}"
    if material.usual:
        words += f"; a usual day has {wording.range_of(*material.usual)}"
    said = [wording.sentence(words) + "."]
    unjudged = sum(1 for stored in material.mentions if stored.judgement is None)
    if unjudged:
        said.append(f"{wording.sentence(wording.number(unjudged))} of them not judged yet.")
    sizes = Counter(stories.first(stored.id) for stored in material.mentions)
    first, size = min(sizes.items(), key=lambda pair: (-pair[1], pair[0]), default=(0, 0))
    if size >= NOTABLE_STORY and not is_restricted(stories.face(first), None, book.escalation):
        case = of_cases.get(first)
        named = [case.reference] if case else []
        named += [stories.progress(first, material.window, material.zone).partition(",")[0]]
        brackets = f" ({listed})" if (listed := ", ".join(filter(None, named))) else ""
        share = "All" if size == count else wording.sentence(wording.number(size))
        said.append(f"{share} of them are one story{brackets}.")
    return " ".join(said)


def _all_read(looking: Looking) -> str:
    """Return that everything was read, "" if it was not."""
    if looking.gaps or not looking.on:
        return ""
    if looking.on == 1:
        return "The one source that is switched on was read."
    return f"All {wording.number(looking.on)} sources that are switched on were read."


def _off(coverage: Sequence[Coverage]) -> str:
    """Return the sources that are switched off; why, `doctor` tells those who can change it."""
    names = [shortened(short_name(source), 40) for source in coverage if source.sight is Sight.OFF]
    return f"Switched off, so nothing of them is in any count: {wording.listed(names)}." if names else ""


def _unusual(unusual: Sequence[str]) -> tuple[str, ...]:
    """Return what was unusual, the first of it in full."""
    rest = len(unusual) - UNUSUAL
    return (*unusual[:UNUSUAL], *((f"And {wording.number(rest)} more.",) if rest > 0 else ()))


def _troubles(troubles: Sequence[str]) -> tuple[str, ...]:
    """Return what does not work, in sentences; personal details masked."""
    shown = [shortened(unnamed(trouble), 200) for trouble in troubles[:TROUBLES]]
    if len(troubles) > TROUBLES:
        shown.append(f"And {wording.number(len(troubles) - TROUBLES)} more.")
    return tuple(shown)


def _danger(due: Sequence[Case]) -> str:
    """Return what stands above everything where somebody may be in danger."""
    if any(case.severity.value == "P0" for case in due):
        return "Danger now? Ring 999; do not wait for e-mail."
    return ""


def _more(references: Sequence[str]) -> str:
    """Return what is not shown: "and 4 more: KJS-0041, ..."; "" if all is shown."""
    if not references:
        return ""
    listed = ", ".join(references[:REFERENCES])
    tail = f" and {wording.figure(len(references) - REFERENCES)} others" if len(references) > REFERENCES else ""
    return f"and {wording.figure(len(references))} more: {listed}{tail}"


def _more_kinds(categories: Sequence[str]) -> str:
    """Return what is not shown, by category; "" if all is shown."""
    if not categories:
        return ""
    counts = sorted(Counter(categories).items(), key=lambda pair: (-pair[1], pair[0]))
    kinds = ", ".join(f"{wording.figure(count)} {name}" for name, count in counts)
    return f"and {wording.figure(len(categories))} more: {kinds}"


def _open(case: Case, material: DailyMaterial, stories: Stories, book: Wordbook) -> OpenCase:
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


def _decided(case: Case) -> datetime:
    """Return when a settled case was decided."""
    return case.history[-1].at if case.history else case.opened


def _decided_case(case: Case, material: DailyMaterial, stories: Stories, book: Wordbook) -> Decided:
    """Return a case that was decided since the last digest: what it was, and what became of it when."""
    how = f"{wording.sentence(case.state.value)} {book.when(_decided(case))}"
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


def _of_no_case(material: DailyMaterial, stories: Stories, of_cases: AbstractSet[int]) -> list[int]:
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


def _story(first: int, material: DailyMaterial, stories: Stories, book: Wordbook) -> Story:
    """Return one story for information."""
    stored = stories.face(first)
    judgement = stored.judgement
    category = _category(stored, book)
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
    parts = [progress] if progress else []
    settled = [case for case in material.settled if stories.first(case.mention_id) == first]
    parts += [f"{case.reference}, {case.state.value} {book.when(_decided(case))}" for case in settled]
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


def _category(stored: StoredMention, book: Wordbook) -> str:
    """Return the name of a post's category."""
    return book.category(stored.judgement.category) if stored.judgement else "Not judged yet"


def _days(material: DailyMaterial) -> tuple[Day, ...]:
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


def _days_caption(material: DailyMaterial) -> str:
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
