"""The weekly report: one sentence, what we ask of the reader, four figures, and what was not seen.

It is for a senior leader who has five minutes. It is made of counts: it is handed no word of a post and no
name, so that it can print none. Restricted matters are a number only (escalation process 1.3, PR18). Every
count stands beside what was not read, and no share is given of fewer than twenty.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from monitor.records import Rendered, Severity, Sight, aware
from reports import rendering, wording
from reports.charts import Bar
from reports.measures import duration, middle_half, share
from reports.quoting import clean, mailbox, shortened
from reports.wordbook import Wordbook

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from monitor.policy.escalation import Escalation
    from monitor.records import CaseState, Coverage, Window

USUAL_WEEKS: Final = 8
"""Weeks before this one that say what is usual."""
THEMES: Final = 5
OUTSTANDING: Final = 12
ASKED: Final = 8
REVIEW_SOON: Final = timedelta(days=30)
OLD_DAYS: Final = 5
"""Working days after which an open case is counted as old."""
ERASED_WHY: Final = {
    "kept long enough": "kept as long as the retention rule allows",
    "gone at the source": "taken down where they stood",
}
"""Reasons of erasure that may be printed; any other may hold words of a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One thing that is asked of the reader: by when, what, and who does it."""

    by: str
    what: str
    who: str
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One of the four figures: its name, its value, what it counts, and what is usual."""

    name: str
    value: str
    note: str
    usual: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyView:
    """The report in words, ready to print; in the order of the page.

    Attributes:
        name, subject, preheader: of file and message; safe for a lock screen.
        short_name, federation, covers: whose week, and which.
        headline: the week in one sentence.
        asks: what is asked of the reader; asks_more: what else.
        figures: four. blind: what was not seen, in sentences, "" if all was read.
        trends: a chart for each school. trend_note: how to read them, and which weeks were not wholly seen.
        themes, themes_more: the largest five, and the others in a sentence.
        times, times_note: response times; what is counted.
        waiting, waiting_more: still open.
        grid_days, grid: hours read of each source and day. never: what no source ever shows.
        record: corrections, referrals, erasures, money.
        schools, weeks: the figures behind the charts.
        contact, policy, made: for the foot.
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
    blind: str
    trends: tuple[Trend, ...]
    trend_note: str
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
    figures = _figures(material)
    late = sum(case.late_at(material.window.end) for case in material.cases)
    unread = _unread(material)
    waiting = [case for case in _open(material) if not case.restricted]
    themes = [theme for theme in material.themes if not _counted_only(theme.category, material)]
    themes.sort(key=lambda theme: (-theme.count, theme.category))
    end = material.window.end.astimezone(material.zone)
    return WeeklyView(
        name=f"weekly-{end.date().isoformat()}",
        subject=_subject(material, late, unread),
        preheader=shortened(f"{_asked(asks)} {_covered(unread)}".strip(), 250),
        short_name=clean(material.short_name),
        federation=clean(material.federation),
        covers=wording.span(material.window.start, material.window.end, material.zone),
        headline=_headline(material, late, unread),
        asks=asks[:ASKED],
        asks_more=f"and {wording.number(len(asks) - ASKED)} more; see “Still open”" if len(asks) > ASKED else "",
        figures=figures,
        blind=_blind(material, book),
        trends=_trends(material),
        trend_note=_trend_note(material),
        themes=tuple(_theme(theme, book) for theme in themes[:THEMES]),
        themes_more=_themes_more(themes[THEMES:], material, book),
        times=_times(material),
        times_note=_times_note(material),
        waiting=tuple(_waiting(case, material, book) for case in waiting[:OUTSTANDING]),
        waiting_more=_waiting_more(waiting[OUTSTANDING:], _open(material)),
        grid_days=tuple(_weekday(material, place) for place in range(7)),
        grid=tuple(GridRow(name=_source(row.name), cells=tuple(map(_cell, row.days))) for row in material.grid),
        never=_never(material),
        off=tuple(
            f"{shortened(clean(source.name), 60)}: {shortened(clean(source.why), 160).rstrip('.')}."
            for source in material.coverage
            if source.sight is Sight.OFF
        ),
        record=_record(material),
        schools=tuple(clean(name) for name in material.school_names.values()),
        weeks=tuple(_week_row(week, material) for week in material.weeks),
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
    return Rendered(
        name=view.name,
        subject=view.subject,
        html=rendering.email("weekly.mail.html.j2", view),
        text=rendering.text("weekly.txt.j2", view),
    )


# ---------------------------------------------------------------- the sentence


def _headline(material: WeeklyMaterial, late: int, unread: Sequence[str]) -> str:
    """Return the week in one sentence: how much, how much to answer, what is late, what was not seen."""
    week = material.week
    if week.total is None or (material.grid and len(unread) == len(material.grid) and not week.total):
        return "We could not look: no source was read all week"
    opened = len(_opened(material))
    least = "" if week.seen else "at least "
    parts = [
        f"{least}{wording.counted(week.total, 'public mention')}",
        f"{wording.number(opened)} needing a response" if opened else "none needing a response",
    ]
    if late:
        parts.append(f"{wording.number(late)} late now")
    elif opened:
        parts.append("nothing late")
    said = f"{_size(material)}: {wording.listed(parts)}"
    if not unread:
        return said
    names = wording.listed(unread) if len(unread) <= 2 else f"{wording.number(len(unread))} sources"  # noqa: PLR2004
    return f"{said}; {names} {wording.plural(len(unread), 'was', 'were')} not read all week"


def _size(material: WeeklyMaterial) -> str:
    """Return how the week compares with the usual one, in two words."""
    usual = _usual_count(material)
    total = material.week.total or 0
    if usual is None:
        return "This week"
    if total > usual[1]:
        return "A busier week than usual"
    if total < usual[0]:
        return "A quieter week than usual" if material.week.seen else "Not all was seen this week"
    return "A usual week"


def _subject(material: WeeklyMaterial, late: int, unread: Sequence[str]) -> str:
    """Return the week in figures, fit for a lock screen."""
    day = wording.day(material.window.end, material.zone)
    total = material.week.total
    parts = [
        "nothing read" if total is None else wording.counted(total, "mention"),
        f"{wording.figure(late)} late" if late else "nothing late",
    ]
    parts += [f"{_names(unread)} not fully read"] if unread else []
    return f"Weekly report: {', '.join(parts)} ({day})"


def _names(unread: Sequence[str]) -> str:
    """Return one source's name, or how many there are."""
    return unread[0] if len(unread) == 1 else f"{wording.figure(len(unread))} sources"


def _unread(material: WeeklyMaterial) -> tuple[str, ...]:
    """Return the sources of which part of this week was not read."""
    return tuple(_source(row.name) for row in material.grid if not all(day is None or day.whole for day in row.days))


def _covered(unread: Sequence[str]) -> str:
    """Return in a sentence whether all was read."""
    return f"Not fully read: {wording.listed(unread)}." if unread else "Every source was read."


def _asked(asks: Sequence[Ask]) -> str:
    """Return in a sentence how much is asked."""
    if not asks:
        return "Nothing is asked of you."
    return f"{wording.sentence(wording.number(len(asks)))} {wording.plural(len(asks), 'thing')} asked of you."


# ---------------------------------------------------------------- what we ask


def _asks(material: WeeklyMaterial, book: Wordbook) -> tuple[Ask, ...]:
    """Return what only a leader can move: what is late, what nobody reads, what must be renewed."""
    end = material.window.end
    asks = [_ask_restricted(material, book), *_ask_late(material, book)]
    for source in material.coverage:
        if source.sight in {Sight.BEHIND, Sight.NEVER}:
            since = f" since {book.when(source.last_read)}" if source.last_read else "; it never was"
            asks.append(
                Ask(
                    by="This week",
                    what=f"Have {_source(source.name)} mended: it is not read{since}",
                    who=book.role("network_manager"),
                    late=False,
                )
            )
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


def _ask_restricted(material: WeeklyMaterial, book: Wordbook) -> Ask | None:
    """Return the question after restricted cases that nobody acknowledged in time: a number only."""
    end = material.window.end
    waiting = [
        case
        for case in material.cases
        if case.restricted and case.open_at(end) and case.acknowledged is None and case.acknowledge_by < end
    ]
    if not waiting:
        return None
    since = book.when(min(case.acknowledge_by for case in waiting))
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
    late: dict[str, list[CaseTimes]] = {}
    for case in sorted(_open(material), key=lambda case: (case.act_by, case.reference)):
        if not case.restricted and case.late_at(material.window.end):
            late.setdefault(_owner(case, book), []).append(case)
    return [
        Ask(
            by="Now (late)",
            what=f"Have {_references(cases)} answered or decided; the first has been late since "
            f"{book.when(cases[0].act_by)}"
            if len(cases) > 1
            else f"Have {cases[0].reference} ({book.category(cases[0].category)}) answered or decided; "
            f"late since {book.when(cases[0].act_by)}",
            who=owner,
            late=True,
        )
        for owner, cases in late.items()
    ]


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
    opened = _opened(material)
    decided = _decided(material)
    took = [case.took for case in decided if case.took is not None and case.severity is not Severity.P0]
    due = len(decided) + sum(case.late_at(end) for case in material.cases)
    in_time = sum(case.in_time for case in decided)
    old = [case for case in material.cases if case.old_at(end)]
    median = sorted(took)[(len(took) - 1) // 2] if took else None
    return (
        Figure(
            name="Public mentions",
            value="?" if week.total is None else f"{wording.figure(week.total)}{'' if week.seen else '+'}",
            note="new in this week" if week.seen else "at least; not all was seen",
            usual=_usual_words(_usual_count(material), "a week"),
        ),
        Figure(
            name="Needing a response",
            value=wording.figure(len(opened)),
            note="cases opened in this week",
            usual=_usual_words(_usual_of(material, lambda window: len(_opened(material, window))), "a week"),
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


def _usual_words(usual: tuple[float, float] | None, per: str) -> str:
    """Return the usual range in words."""
    if usual is None:
        return "too little history to say what is usual"
    return f"usually {wording.range_of(int(usual[0]), int(usual[1]))} {per}".rstrip()


def _usual_count(material: WeeklyMaterial) -> tuple[int, int] | None:
    """Return the middle half of the totals of the weeks that were wholly seen."""
    return middle_half([week.total for week in material.history if week.total is not None])


def _usual_of(material: WeeklyMaterial, count: _Counting) -> tuple[int, int] | None:
    """Return the middle half of what `count` gives for each earlier week in which the monitor worked."""
    return middle_half([count(week.window) for week in material.weeks[-1 - USUAL_WEEKS : -1] if week.total is not None])


def _usual_time(material: WeeklyMaterial) -> str:
    """Return the usual range of the weekly median time to a decision."""
    medians = []
    for week in material.weeks[-1 - USUAL_WEEKS : -1]:
        took = sorted(
            case.took
            for case in _decided(material, week.window)
            if case.took is not None and case.severity is not Severity.P0
        )
        if took:
            medians.append(int(took[(len(took) - 1) // 2] / timedelta(minutes=1)))
    usual = middle_half(medians)
    if usual is None:
        return "too little history to say what is usual"
    low, high = (duration(timedelta(minutes=minutes), material.working_day) for minutes in usual)
    return f"usually {low}" if low == high else f"usually {low} to {high}"
