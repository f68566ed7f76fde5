"""The daily digest: what needs a response, by when and by whom, and what was not seen.

It is for the response owner, who opens it at 07:30 and has two minutes. It is sent on quiet days too: a
digest that does not come must never be mistaken for a day on which nothing was said.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from monitor.minimal import COUNTED_ONLY
from monitor.records import CaseState, Rendered, Severity, Sight
from reports import daily_evidence as evidence
from reports import rendering, wording
from reports.items import Item, item
from reports.looking import Looking, looked, short_name
from reports.quoting import URGENT, clean, is_restricted, mailbox, shortened, unnamed
from reports.state import State
from reports.stories import Stories
from reports.wordbook import Wordbook

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.records import Case, Coverage
    from reports.daily_evidence import Day, Decided, OpenCase, Story
    from reports.day import DailyMaterial

DETAILED: Final = 7
"""Items shown in full; the others are listed by reference."""
IN_TABLE: Final = 4
"""Lines of the first table: more would push what was not seen off the first screen."""
MOST_IN_TABLE: Final = 8
"""Lines of it where so many are P0: no danger to life is one of "and three more, below"."""
STILL_OPEN: Final = 12
INFORMATION: Final = 8
REFERENCES: Final = 120
"""References listed beyond what is shown, before they are only counted: the digest stays under 80 kB."""
TROUBLES: Final = 5
UNUSUAL: Final = 6
UNSAID: Final = 3
NEXT_DIGEST: Final = timedelta(days=1)
NOTABLE_STORY: Final = 3
BOTH: Final = 2
SHORTENED: Final = ("stories", "continuing", "decided", "open")
"""Sections that are cut where the digest is too large, what matters least first."""


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
        unusual: what was unusual in small numbers. unsaid: the counts of which nobody can say that yet, for the foot.
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
    unsaid: tuple[str, ...]
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
    lines = max(IN_TABLE, min(MOST_IN_TABLE, sum(case.severity is Severity.P0 for case in due)))
    of_cases = {stories.first(case.mention_id): case for case in cases}
    decided = sorted(
        (case for case in material.settled if evidence.decided_at(case) in material.window), key=evidence.decided_at
    )
    shown = of_cases.keys() | {stories.first(case.mention_id) for case in decided}
    fresh = evidence.of_no_case(material, stories, shown)
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
        due=items[:lines],
        due_more=f"and {wording.number(len(items) - lines)} more, below" if len(items) > lines else "",
        volume=volume,
        looking=looking,
        off=_off(material.coverage),
        all_read=_all_read(looking, off=sum(source.sight is Sight.OFF for source in material.coverage)),
        troubles=_troubles(material.troubles),
        unusual=_first_few(material.unusual, UNUSUAL),
        unsaid=_first_few(material.unsaid, UNSAID),
        danger=_danger(due),
        items=items[:DETAILED],
        items_rest=tuple(one.reference for one in items[DETAILED:]),
        open=tuple(evidence.open_case(case, material, stories, book) for case in earlier[:STILL_OPEN]),
        open_rest=tuple(case.reference for case in earlier[STILL_OPEN:]),
        decided=tuple(evidence.decided_case(case, material, stories, book) for case in decided[:STILL_OPEN]),
        decided_rest=tuple(case.reference for case in decided[STILL_OPEN:]),
        stories=tuple(evidence.story_of(first, material, stories, book) for first in news[:INFORMATION]),
        stories_rest=tuple(evidence.category_of(stories.face(first), book) for first in news[INFORMATION:]),
        continuing=tuple(evidence.story_of(first, material, stories, book) for first in going_on[:INFORMATION]),
        continuing_rest=tuple(evidence.category_of(stories.face(first), book) for first in going_on[INFORMATION:]),
        likeness=wording.one_story(material.likeness),
        days=evidence.days(material),
        days_caption=evidence.days_caption(material),
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


def _most_urgent(case: Case) -> tuple[str, bool, float, str]:
    """Return the order of cases: P0, P1, then all others, each by when they are due."""
    due = case.due.timestamp() if case.due else 0.0
    rank = case.severity.value if case.severity in URGENT else "P2"
    return rank, case.due is None, due, case.reference


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
        words = f"no new public mention {since} in the {of} that {wording.plural(seen, 'was', 'were')} read"
    else:
        words = f"no new public mention {since}"
    if material.usual:
        words += f"; a usual day has {wording.range_of(*material.usual)}"
    said = [wording.sentence(words) + "."]
    unjudged = sum(1 for stored in material.mentions if stored.judgement is None)
    if unjudged:
        said.append(f"{wording.sentence(wording.number(unjudged))} of them not judged yet.")
    if counted := sum(1 for one in material.mentions if one.judgement and COUNTED_ONLY in one.judgement.reasons):
        said.append(f"{wording.sentence(wording.number(counted))} of them counted without their words.")
    sizes = Counter(stories.first(stored.id) for stored in material.mentions)
    first, size = min(sizes.items(), key=lambda pair: (-pair[1], pair[0]), default=(0, 0))
    if size >= NOTABLE_STORY and not is_restricted(stories.face(first), None, book.escalation):
        case = of_cases.get(first)
        named = [case.reference] if case else []
        named += [stories.progress(first, material.window, material.zone).partition(",")[0]]
        brackets = f" ({listed})" if (listed := ", ".join(filter(None, named))) else ""
        share = "All" if size == count else wording.sentence(wording.number(size))
        said.append(f"{share} of them are one story{brackets}.")
    else:
        said += _carried(material, stories, count, book)
    return " ".join(said)


def _carried(material: DailyMaterial, stories: Stories, count: int, book: Wordbook) -> list[str]:
    """Return how many mentions only carry on what was told before; of restricted stories that is not told."""
    firsts = [stories.first(stored.id) for stored in material.mentions]
    known = {first for first in firsts if stories.goes_on(first, material.window)}
    known = {first for first in known if not is_restricted(stories.face(first), None, book.escalation)}
    carried = sum(first in known for first in firsts)
    if not carried:
        return []
    if carried == count:
        they = "It carries" if count == 1 else "Both carry" if count == BOTH else "All of them carry"
        return [f"{they} on what was told before."]
    verb = "carries" if carried == 1 else "carry"
    return [f"{wording.sentence(wording.number(carried))} of them {verb} on what was told before."]


def _all_read(looking: Looking, *, off: int) -> str:
    """Return that everything was read, but for what is switched off; "" if not everything was."""
    if looking.gaps or not looking.on:
        return ""
    is_on, was = ("is", "was") if looking.on == 1 else ("are", "were")
    said = f"{wording.sentence(wording.all_of(looking.on, 'source'))} that {is_on} switched on {was} read."
    if not off:
        return said
    others = wording.plural(off, "other is", "others are")
    return f"{said} {wording.sentence(wording.number(off))} {others} switched off."


def _off(coverage: Sequence[Coverage]) -> str:
    """Return the sources that are switched off; why, `doctor` tells those who can change it."""
    names = [shortened(short_name(source), 40) for source in coverage if source.sight is Sight.OFF]
    return f"Switched off, so nothing of them is in any count: {wording.listed(names)}." if names else ""


def _first_few(sentences: Sequence[str], number: int) -> tuple[str, ...]:
    """Return the first `number` of some sentences, and how many more there are."""
    rest = len(sentences) - number
    return (*sentences[:number], *((f"And {wording.number(rest)} more.",) if rest > 0 else ()))


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
