"""The weekly report: one sentence, what we ask of the reader, four figures, and what was not seen.

It is for a senior leader who has five minutes. It is made of counts: it is handed no word of a post and no
name, so that it can print none. Restricted matters are a number only (escalation process 1.3, PR18). Every
count stands beside what was not read, and no percentage is given of fewer than twenty.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median_low
from typing import TYPE_CHECKING, Final

from monitor.records import Rendered, Severity, Sight
from reports import rendering, wording
from reports import weekly_evidence as evidence
from reports.measures import duration, middle_half, share
from reports.quoting import clean, mailbox, shortened
from reports.wordbook import Wordbook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from monitor.records import Window
    from reports.week import CaseTimes, WeeklyMaterial
    from reports.weekly_evidence import Fact, GridRow, Theme, Times, Trend, WeekRow

THEMES: Final = 5
OUTSTANDING: Final = 12
ASKED: Final = 8
REVIEW_SOON: Final = timedelta(days=30)
DAYS: Final = 7
DEAD_ONE_BY_ONE: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One thing that is asked of the reader: by when, what, and who does it."""

    by: str
    what: str
    who: str
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One of the four figures: its name, its value, what it counts, and what is usual ("" if that is not known)."""

    name: str
    value: str
    note: str
    usual: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One case that is still open: what it is, whose, where it stands, by when."""

    reference: str
    what: str
    owner: str
    state: str
    date: str
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyView:
    """The report in words, ready to print; in the order of the page.

    Attributes:
        name, subject, preheader: of file and message; safe for a lock screen.
        short_name, federation, covers: whose week, and which.
        headline: the week in one sentence.
        asks: what is asked of the reader; asks_more: what else.
        figures: four. history: said where too little is known to call anything usual, "" otherwise.
        covered: what was not seen, in a sentence; all_read: whether that is nothing.
        trends: a chart for each school. trend_gaps: which weeks were not wholly seen, "" if all were.
        themes, themes_more: the largest five, and the others in a sentence.
        times, times_note: response times; what is counted.
        waiting, waiting_more: still open.
        grid_days, grid: hours read of each source and day. never: what a source can never show.
        off: sources that are switched off, and why.
        record: corrections, referrals, erasures, money.
        schools, weeks: the figures behind the charts.
        likeness: from when two posts count as one story. contact, policy, made: for the foot.
    """

    name: str
    subject: str
    preheader: str
    short_name: str
    federation: str
    covers: str
    headline: str
    asks: tuple[Ask, ...]
    asks_more: str
    figures: tuple[Figure, ...]
    history: str
    covered: str
    all_read: bool
    trends: tuple[Trend, ...]
    trend_gaps: str
    themes: tuple[Theme, ...]
    themes_more: str
    times: tuple[Times, ...]
    times_note: str
    waiting: tuple[Waiting, ...]
    waiting_more: str
    grid_days: tuple[str, ...]
    grid: tuple[GridRow, ...]
    never: tuple[str, ...]
    off: tuple[str, ...]
    record: tuple[Fact, ...]
    schools: tuple[str, ...]
    weeks: tuple[WeekRow, ...]
    likeness: str
    contact: str
    policy: str
    made: str


def build(material: WeeklyMaterial) -> WeeklyView:
    """Return the report of one week's material, in words."""
    book = Wordbook(
        escalation=material.escalation,
        schools=material.school_names,
        coverage=material.coverage,
        now=material.window.end,
        zone=material.zone,
    )
    asks = _asks(material, book)
    late = sum(case.late_at(material.window.end) for case in material.cases)
    unread = tuple(shortened(clean(row.name), 40) for row in material.unread)
    waiting = [case for case in material.still_open if not case.restricted]
    themes = sorted(
        (theme for theme in material.themes if not material.counted_only(theme.category)),
        key=lambda theme: (-theme.count, theme.category),
    )
    restricted = sum(theme.count for theme in material.themes if material.counted_only(theme.category))
    return WeeklyView(
        name=f"weekly-{material.window.end.astimezone(material.zone).date().isoformat()}",
        subject=_subject(material, late, unread),
        preheader=shortened(f"{_asked(asks)} {_covered(material, unread)}", 250),
        short_name=clean(material.short_name),
        federation=clean(material.federation),
        covers=wording.span(material.window.start, material.window.end, material.zone),
        headline=_headline(material, late, unread),
        asks=asks[:ASKED],
        asks_more=f"and {wording.number(len(asks) - ASKED)} more; see “Still open”" if len(asks) > ASKED else "",
        figures=_figures(material),
        history="" if _usual_count(material) else "There is too little history yet to say what is usual.",
        covered=_covered(material, unread),
        all_read=bool(material.grid) and not unread,
        trends=evidence.trends(material),
        trend_gaps=evidence.trend_gaps(material),
        themes=tuple(evidence.theme(theme, book, compared=material.compared) for theme in themes[:THEMES]),
        themes_more=evidence.themes_more(themes[THEMES:], restricted, material.unjudged, book),
        times=evidence.times(material),
        times_note=_times_note(material),
        waiting=tuple(_waiting(case, material, book) for case in waiting[:OUTSTANDING]),
        waiting_more=_waiting_more(material, len(waiting) - OUTSTANDING),
        grid_days=tuple(
            wording.day(material.window.start + timedelta(days=place), material.zone).rpartition(" ")[0]
            for place in range(DAYS)
        ),
        grid=evidence.grid(material),
        never=evidence.never(material.coverage),
        off=evidence.off(material.coverage),
        record=evidence.record(material),
        schools=tuple(clean(name) for name in material.school_names.values()),
        weeks=evidence.week_rows(material),
        likeness=wording.one_story(material.likeness),
        contact=mailbox(material.contact),
        policy=material.escalation.policy_title,
        made=wording.dated(material.made_at, material.zone),
    )


def render(view: WeeklyView) -> Rendered:
    """Return the report as a complete page for browser and print, and its text."""
    return Rendered(
        name=view.name,
        subject=view.subject,
        html=rendering.page("weekly.html.j2", view),
        text=rendering.text("weekly.txt.j2", view),
    )


def letter(view: WeeklyView) -> Rendered:
    """Return the e-mail that the report is attached to: its first page in a form that Outlook can lay out."""
    return rendering.letter("weekly.mail.html.j2", "weekly.txt.j2", view)


# ---------------------------------------------------------------- the sentence


def _headline(material: WeeklyMaterial, late: int, unread: Sequence[str]) -> str:
    """Return the week in one sentence: how much, how much to answer, what is late, what was not seen."""
    week = material.week
    if not week.total and len(unread) == len(material.grid):
        return "We could not look: no source was fully read, and nothing is known of this week"
    opened = len(material.opened(material.window))
    least = "" if week.seen else "at least "
    parts = [
        f"{least}{wording.counted(week.total or 0, 'public mention')}",
        f"{wording.number(opened) if opened else 'none'} needing a response",
        f"{wording.number(late)} late now" if late else "nothing late",
    ]
    said = f"{_size(material)}: {', '.join(parts)}"
    return f"{said}; {_names(unread)} not fully read" if unread else said


def _size(material: WeeklyMaterial) -> str:
    """Return how the week compares with the usual one, in a few words."""
    usual = _usual_count(material)
    total = material.week.total or 0
    if usual is None:
        return "This week"
    if total > usual[1]:
        return "A busier week than usual"
    if not material.week.seen:
        return "A week not wholly seen"
    return "A quieter week than usual" if total < usual[0] else "A usual week"


def _subject(material: WeeklyMaterial, late: int, unread: Sequence[str]) -> str:
    """Return the week in figures, fit for a lock screen."""
    total = material.week.total
    least = "" if material.week.seen else "at least "
    read = total or len(unread) < len(material.grid)
    parts = [
        f"{least}{wording.counted(total or 0, 'mention')}" if read else "nothing read",
        f"{wording.figure(late)} late" if late else "nothing late",
    ]
    parts += [f"{_names(unread)} not fully read"] if unread else []
    return f"Weekly report: {', '.join(parts)} ({wording.day(material.window.end, material.zone)})"


def _names(unread: Sequence[str]) -> str:
    """Return one source's name, or how many there are."""
    return unread[0] if len(unread) == 1 else f"{wording.number(len(unread))} sources"


def _covered(material: WeeklyMaterial, unread: Sequence[str]) -> str:
    """Return in a sentence whether all was read."""
    if not material.grid:
        return "Not seen: anything, because no source is switched on."
    if unread:
        return f"Not fully read: {wording.listed(unread)}."
    is_on, was, it = ("is", "was", "it was") if len(material.grid) == 1 else ("are", "were", "they were")
    every = wording.sentence(wording.all_of(len(material.grid), "source"))
    sources = f"{every} that {is_on} switched on {was} read"
    if any(day is None for row in material.grid for day in row.days):
        return f"{sources} every day since {it} first watched; nothing was watched on the days before."
    return f"{sources} every day."


def _asked(asks: Sequence[Ask]) -> str:
    """Return in a sentence how much is asked."""
    if not asks:
        return "Nothing is asked of you."
    number = wording.sentence(wording.number(len(asks)))
    return f"{number} {wording.plural(len(asks), 'thing is', 'things are')} asked of you."


# ---------------------------------------------------------------- what we ask


def _asks(material: WeeklyMaterial, book: Wordbook) -> tuple[Ask, ...]:
    """Return what only a leader can move: what is late, what nobody reads, what must be renewed."""
    end = material.window.end
    asks = [_ask_restricted(material), *_ask_late(material, book)]
    asks += _ask_mended(material, book)
    asks += _ask_blind(material, book)
    today = end.astimezone(material.zone).date()
    if material.review_due and material.review_due - today <= REVIEW_SOON:
        over = material.review_due < today
        asks.append(
            Ask(
                by=f"{material.review_due.day} {wording.MONTHS[material.review_due.month - 1]}"
                + (" (late)" if over else ""),
                what="Review the impact assessment with the governors; reading stops without it",
                who=book.role("data_protection_officer"),
                late=over,
            )
        )
    return tuple(ask for ask in asks if ask)


def _ask_mended(material: WeeklyMaterial, book: Wordbook) -> list[Ask]:
    """Return the sources that are not read now, one by one if they are few."""
    dead = [source for source in material.coverage if source.sight in {Sight.BEHIND, Sight.NEVER}]
    if len(dead) > DEAD_ONE_BY_ONE:
        names = wording.listed([evidence.name_of(source) for source in dead])
        said = [f"Have {wording.number(len(dead))} sources mended, which are not read now: {names}"]
    else:
        said = [
            f"Have {evidence.name_of(source)} mended: "
            + (f"not read since {_when(material, source.last_read)}" if source.last_read else "never read yet")
            for source in dead
        ]
    return [Ask(by="This week", what=what, who=book.role("network_manager"), late=False) for what in said]


def _ask_blind(material: WeeklyMaterial, book: Wordbook) -> list[Ask]:
    """Return the sources that were read, and in which our own planted post was not found all the same."""
    dead = {source.source for source in material.coverage if source.sight in {Sight.BEHIND, Sight.NEVER}}
    return [
        Ask(
            by="This week",
            what=f"Have {shortened(clean(canary.name), 40)} looked at: our test post was "
            + (f"not seen since {_when(material, canary.seen)}" if canary.seen else "never seen")
            + ", so it may be blind",
            who=book.role("network_manager"),
            late=False,
        )
        for canary in material.canaries
        if canary.missed and canary.source not in dead
    ]


def _ask_restricted(material: WeeklyMaterial) -> Ask | None:
    """Return the question after restricted cases that nobody acknowledged in time: a number only."""
    end = material.window.end
    waiting = [case for case in material.cases if case.restricted and case.unacknowledged_at(end)]
    if not waiting:
        return None
    since = _when(material, min(case.acknowledge_by for case in waiting if case.acknowledge_by))
    many = len(waiting) > 1
    return Ask(
        by="Now (late)",
        what=f"Ask whether {wording.number(len(waiting))} restricted {'cases are' if many else 'case is'} in hand: "
        f"not acknowledged, due since {since}",
        who="Safeguarding leads and Headteachers",
        late=True,
    )


def _ask_late(material: WeeklyMaterial, book: Wordbook) -> list[Ask]:
    """Return the late cases, one line for each owner, the longest late first."""
    late: dict[str, list[tuple[datetime, CaseTimes]]] = {}
    for case in material.still_open:
        if case.act_by and not case.restricted and case.late_at(material.window.end):
            late.setdefault(_owner(case, book), []).append((case.act_by, case))
    asks = []
    for owner, cases in sorted(late.items(), key=lambda item: min(item[1], key=_act_by)[0]):
        cases.sort(key=_act_by)
        since = f"late since {_when(material, cases[0][0])}"
        first = cases[0][1]
        what = (
            f"Have {_references([case for _, case in cases])} answered or decided; the first is {since}"
            if len(cases) > 1
            else f"Have {first.reference} ({book.category(first.category)}) answered or decided; {since}"
        )
        asks.append(Ask(by="Now (late)", what=what, who=owner, late=True))
    return asks


def _act_by(late: tuple[datetime, CaseTimes]) -> tuple[datetime, str]:
    """Return the order of late cases: the longest late first."""
    return late[0], late[1].reference


def _references(cases: Sequence[CaseTimes]) -> str:
    """Return up to four references, and how many more."""
    shown = [case.reference for case in cases[:4]]
    rest = len(cases) - len(shown)
    return wording.listed([*shown, *([f"{wording.number(rest)} more"] if rest else [])])


def _owner(case: CaseTimes, book: Wordbook) -> str:
    """Return whose case it is; a role that the matrix does not know is not printed."""
    return book.owner(case.owner, case.schools) if case.owner in book.escalation.roles else "Owner not known"


# ---------------------------------------------------------------- the four figures


def _figures(material: WeeklyMaterial) -> tuple[Figure, ...]:
    """Return the four figures, each with what is usual."""
    week, end = material.week, material.window.end
    opened = material.opened(material.window)
    decided = material.decided(material.window)
    took = _took(decided)
    due = len(decided) + sum(case.late_at(end) for case in material.cases)
    in_time = sum(case.in_time for case in decided)
    old = [case for case in material.cases if case.old_at(end)]
    median = median_low(took) if took else None
    return (
        Figure(
            name="Public mentions",
            value="?" if week.known is None else f"{wording.figure(week.known)}{'' if week.seen else '+'}",
            note="new in this week"
            if week.seen
            else "not known"
            if week.known is None
            else "at least; not all was seen",
            usual=_usual_words(_usual_count(material), "a week"),
        ),
        Figure(
            name="Needing a response",
            value=wording.figure(len(opened)),
            note="cases opened in this week",
            usual=_usual_words(_usual_of(material, lambda window: len(material.opened(window))), "a week"),
        ),
        Figure(
            name="Time to a decision",
            value=duration(median, material.working_day) if median is not None else "–",  # noqa: RUF001 - a dash
            note=f"median of staffed time; {share(in_time, due)} within target" if due else "nothing was due",
            usual=_usual_time(material),
        ),
        Figure(
            name="Open over five working days",
            value=wording.figure(len(old)),
            note="of all that is open now" if old else "nothing has waited so long",
            usual=_usual_words(
                _usual_of(material, lambda window: sum(case.old_at(window.end) for case in material.cases)), ""
            ),
        ),
    )


def _usual_words(usual: tuple[int, int] | None, per: str) -> str:
    """Return the usual range in words, "" where it is not known."""
    if usual is None:
        return ""
    return f"usually {wording.range_of(*usual)} {per}".rstrip() if any(usual) else "usually none"


def _usual_count(material: WeeklyMaterial) -> tuple[int, int] | None:
    """Return the middle half of the totals of the weeks that were wholly seen."""
    return middle_half([week.total for week in material.history if week.total is not None])


def _usual_of(material: WeeklyMaterial, count: Callable[[Window], int]) -> tuple[int, int] | None:
    """Return the middle half of what `count` gives for each earlier week in which the monitor worked."""
    return middle_half([count(week.window) for week in material.before if week.total is not None])


def _usual_time(material: WeeklyMaterial) -> str:
    """Return the usual range of the weekly median time to a decision, "" where it is not known."""
    weekly = [_took(material.decided(week.window)) for week in material.before]
    medians = [int(median_low(took) / timedelta(minutes=1)) for took in weekly if took]
    usual = middle_half(medians)
    if usual is None:
        return ""
    low, high = (duration(timedelta(minutes=minutes), material.working_day) for minutes in usual)
    return f"usually {low}" if low == high else f"usually {low} to {high}"


def _when(material: WeeklyMaterial, moment: datetime) -> str:
    """Return a day and time that stay right when the report is read later: "Fri 20 Nov 16:00"."""
    return wording.full(moment, material.zone)


def _took(cases: Sequence[CaseTimes]) -> list[timedelta]:
    """Return how long decisions took in staffed time; P0 runs on another clock and has its own line."""
    return [case.took for case in cases if case.took is not None and case.severity is not Severity.P0]


# ---------------------------------------------------------------- response times and what is open


def _times_note(material: WeeklyMaterial) -> str:
    """Return what the response times count."""
    return (
        "From when we first saw a post to the answer, or to the recorded decision to refer it or not to reply, "
        f"in staffed hours; a working day has {material.working_day / timedelta(hours=1):g}. "
        "“In time” is out of what was decided or is late; there are no percentages of fewer than twenty."
    )


def _waiting(case: CaseTimes, material: WeeklyMaterial, book: Wordbook) -> Waiting:
    """Return one case that is still open."""
    late = case.late_at(material.window.end)
    codes = "/".join(code for code in case.schools if code in material.school_names) or "?"
    return Waiting(
        reference=case.reference,
        what=f"{book.category(case.category)} ({codes})",
        owner=_owner(case, book),
        state=f"{wording.sentence(case.state.value)}, {wording.age(material.window.end - case.started)} old",
        date=f"{'Late since' if late else 'By'} {_when(material, case.act_by)}" if case.act_by else "No date set",
        late=late,
    )


def _waiting_more(material: WeeklyMaterial, hidden: int) -> str:
    """Return what else is open: cases that are not listed, and restricted ones as a number."""
    restricted = sum(case.restricted for case in material.still_open)
    parts = [f"{wording.counted(hidden, 'more case')}, newer than these"] if hidden > 0 else []
    if restricted:
        parts.append(f"{wording.counted(restricted, 'restricted case')}, counted only")
    return f"Also open: {'; '.join(parts)}." if parts else ""
