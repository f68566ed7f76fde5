"""What stands behind the weekly report: trends, response times, the grid of what was read, the record."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from statistics import median_low
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from monitor.records import Severity, Sight
from reports import charts, wording
from reports.charts import Bar, Chart
from reports.looking import UNKNOWN, short_name
from reports.measures import duration, elapsed, middle_half, share
from reports.quoting import clean, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from monitor.records import Coverage
    from reports.week import Canary, CaseTimes, ReadDay, ThemeCount, WeekCount, WeeklyMaterial
    from reports.wordbook import Wordbook

ERASED_WHY: Final = {
    "kept long enough": "kept as long as the retention rule allows",
    "gone at the source": "taken down where they stood",
}
"""Reasons of erasure that may be printed; any other may hold words of a person."""
NOT_SET_UP: Final = "not configured"
"""How the reason of a source begins that nobody has set up."""
TONES: Final = ("negative", "neutral", "positive")
CLEAR: Final = 0.6
"""Share of one tone from which a theme is said to have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """One school's chart: heading, the finding in a sentence, the drawing."""

    name: str
    finding: str
    svg: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekRow:
    """One week behind the charts: when it began, counts by school, all, and what was not seen."""

    label: str
    counts: tuple[str, ...]
    total: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """One theme in our own words: no words of a post."""

    name: str
    count: str
    before: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Response times of one school: opened and decided this week, how long it took, in time, late now.

    `counts` says whether there is anything to show.
    """

    name: str
    opened: str
    decided: str
    pace: str
    in_time: str
    late: str
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GridCell:
    """Hours of one day: as figures, as words for those who hear them, and "whole", "part" or "none"."""

    figure: str
    words: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRow:
    """One source, day by day."""

    name: str
    cells: tuple[GridCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One labelled sentence for the record."""

    name: str
    value: str


def trends(material: WeeklyMaterial) -> tuple[Trend, ...]:
    """Return one chart for each school, all on one scale."""
    drawn = {code: tuple(_bar(week, code, material.zone) for week in material.weeks) for code in material.school_names}
    usual = {code: middle_half([week.schools.get(code, 0) for week in material.history]) for code in drawn}
    most = charts.most_of(list(drawn.values()), list(usual.values()))
    out = []
    for code, bars in drawn.items():
        name = clean(material.school_names[code])
        finding = _finding(bars, usual[code])
        chart = Chart(
            name=f"trend-{''.join(char for char in code.lower() if char.isalnum())}",
            title=f"{name}, public mentions a week: {finding}",
            description=" ".join(f"Week from {bar.label}: {bar.words}." for bar in bars),
            bars=bars,
            usual=usual[code],
            most=most,
        )
        out.append(Trend(name=name, finding=wording.sentence(finding), svg=Markup(charts.svg(chart))))  # noqa: S704
    return tuple(out)


def _bar(week: WeekCount, code: str, zone: ZoneInfo) -> Bar:
    """Return the week of one school as a bar."""
    count = week.known_of(code)
    return Bar(
        label=_date(week.window.start, zone),
        count=count,
        blind=count is not None and not week.seen,
        absent=week.total is None,
    )


def _finding(bars: Sequence[Bar], usual: tuple[int, int] | None) -> str:
    """Return what a chart shows, in a sentence."""
    last = bars[-1]
    if last.count is None:
        return "nothing is known of this week"
    said = f"{last.words} this week"
    if usual is None:
        return said
    place = "above" if last.count > usual[1] else "below" if last.count < usual[0] else "within"
    if last.blind and place != "above":
        return f"{said}; a usual week has {wording.range_of(*usual)}, and not all was seen"
    return f"{said}, {place} the usual {wording.range_of(*usual)}"


def trend_gaps(material: WeeklyMaterial) -> str:
    """Return which weeks were not wholly seen, and why; "" if all were."""
    gaps = [week for week in material.weeks if not week.seen]
    if not gaps:
        return ""
    before = [week for week in gaps if week.total is None]
    parts = [
        f"week from {_date(week.window.start, material.zone)}: {_gap(week)}" for week in gaps if week.total is not None
    ]
    said = [f"Hatched: not wholly seen, so “+” means “or more”: {'; '.join(parts)}."] if parts else []
    if before:
        said.append(f"Before {_date(before[-1].window.end, material.zone)} the monitor was not at work.")
    return " ".join(said)


def _gap(week: WeekCount) -> str:
    """Return why a week's count is not whole."""
    parts = [
        f"{shortened(clean(name), 40)} not read for {wording.counted(days, 'day')}"
        for name, days in week.unread.items()
    ]
    parts += ["some posts were erased before they were counted"] if week.faded else []
    return wording.listed(parts)


def week_rows(material: WeeklyMaterial) -> tuple[WeekRow, ...]:
    """Return the weeks in which the monitor was at work, in figures."""
    return tuple(_week_row(week, material) for week in material.weeks if week.total is not None)


def _week_row(week: WeekCount, material: WeeklyMaterial) -> WeekRow:
    """Return one week in figures."""
    bars = [_bar(week, code, material.zone) for code in material.school_names]
    total = Bar(label="", count=week.known, blind=week.known is not None and not week.seen)
    return WeekRow(
        label=_date(week.window.start, material.zone),
        counts=tuple(bar.mark for bar in bars),
        total=total.mark,
        note="" if week.seen else wording.sentence(_gap(week)),
    )


def _date(moment: datetime, zone: ZoneInfo) -> str:
    """Return a date without its weekday: "16 Nov"."""
    return wording.day(moment, zone).partition(" ")[2]


# ---------------------------------------------------------------- themes


def theme(counted: ThemeCount, book: Wordbook, *, compared: bool) -> Theme:
    """Return one category in words: how far its stories went, its tone, what was done.

    `compared`: whether the week before is known at all.
    """
    parts = [_spread(counted)]
    if tone := _tone(counted):
        parts.append(tone)
    if counted.cases > 1:
        decided = wording.number(counted.decided) if counted.decided else "none"
        parts.append(f"{wording.counted(counted.cases, 'case')} opened, {decided} of them decided")
    elif counted.cases:
        parts.append(f"1 case opened, {'and decided' if counted.decided else 'not decided yet'}")
    return Theme(
        name=book.category(counted.category),
        count=wording.figure(counted.count),
        before=wording.figure(counted.before) if compared else UNKNOWN,
        about=wording.sentence("; ".join(parts)) + ".",
    )


def _spread(counted: ThemeCount) -> str:
    """Return in how many stories a category's mentions fall."""
    if counted.count == 1:
        return "one post, of a story told before" if counted.earlier else "one post"
    if counted.stories == 1:
        since = " that goes on from before" if counted.earlier else ""
        return f"one story{since}, told {wording.figure(counted.largest)} times"
    since = f", {wording.number(counted.earlier)} of them told before this week" if counted.earlier else ""
    if counted.largest < 2:  # noqa: PLR2004 - told once
        return f"{wording.figure(counted.stories)} separate posts{since}"
    return f"{wording.figure(counted.stories)} stories, one of them told {wording.figure(counted.largest)} times{since}"


def _tone(counted: ThemeCount) -> str:
    """Return the tone of a category in words; nothing of one or two posts."""
    scored = sum(counted.tones.values())
    if scored < 3:  # noqa: PLR2004 - one post's tone is not a theme's
        return ""
    for tone in TONES:
        if counted.tones.get(tone, 0) >= CLEAR * scored:
            return f"tone mostly {tone}"
    return "tone mixed"


def themes_more(rest: Sequence[ThemeCount], restricted: int, unjudged: int, book: Wordbook) -> str:
    """Return the themes that are not shown, in a sentence; restricted ones as a number."""
    parts = [f"{wording.figure(one.count)} {book.category(one.category)}" for one in rest]
    parts += [f"{wording.figure(restricted)} restricted, counted only"] if restricted else []
    parts += [f"{wording.figure(unjudged)} not judged yet"] if unjudged else []
    return f"Also: {'; '.join(parts)}." if parts else ""


# ---------------------------------------------------------------- response times


def times(material: WeeklyMaterial) -> tuple[Times, ...]:
    """Return the response times of each school, then of what is about both or neither."""
    calm = [case for case in material.cases if case.severity is not Severity.P0]
    groups = [
        (clean(name), [case for case in calm if case.schools == (code,)])
        for code, name in material.school_names.items()
    ]
    others = [case for case in calm if len(case.schools) != 1 or case.schools[0] not in material.school_names]
    groups += [("Both schools, or not clear", others)] if others else []
    immediate = [case for case in material.cases if case.severity is Severity.P0]
    staffed = partial(duration, working_day=material.working_day)
    rows = [_times(name, cases, material, staffed) for name, cases in groups]
    rows += [_times("Immediate (P0), by the clock", immediate, material, elapsed)] if immediate else []
    return tuple(row for row in rows if row.counts)


def _times(
    name: str, cases: Sequence[CaseTimes], material: WeeklyMaterial, in_words: Callable[[timedelta], str]
) -> Times:
    """Return one line of response times; `in_words` says how long something took."""
    window = material.window
    decided = [case for case in cases if case.decided and window.start <= case.decided < window.end]
    late = sum(case.late_at(window.end) for case in cases)
    opened = sum(window.start <= case.started < window.end for case in cases)
    took = [case.took for case in decided if case.took is not None]
    due = len(decided) + late
    return Times(
        name=name,
        opened=wording.figure(opened),
        decided=wording.figure(len(decided)),
        pace=_pace(took, in_words),
        in_time=share(sum(case.in_time for case in decided), due) if due else "none due",
        late=wording.figure(late),
        counts=bool(opened or due),
    )


def _pace(took: Sequence[timedelta], in_words: Callable[[timedelta], str]) -> str:
    """Return how long decisions took: "median 3 h 20 min, slowest 2.4 working days"; "" for none."""
    if not took:
        return ""
    slowest = in_words(max(took))
    return f"median {in_words(median_low(took))}, slowest {slowest}" if len(took) > 1 else slowest


# ---------------------------------------------------------------- what was read


def grid(material: WeeklyMaterial) -> tuple[GridRow, ...]:
    """Return the hours read of each source and day."""
    return tuple(
        GridRow(name=shortened(clean(row.name), 40), cells=tuple(_cell(day) for day in row.days))
        for row in material.grid
    )


def _cell(day: ReadDay | None) -> GridCell:
    """Return one day of one source."""
    if day is None:
        return GridCell(figure="–", words="not watched yet", kind="off")  # noqa: RUF001 - a dash
    if day.whole:
        return GridCell(figure=str(day.hours), words=f"{day.hours} hours read", kind="whole")
    kind = "part" if day.hours else "none"
    return GridCell(figure=str(day.hours), words=f"only {day.hours} hours read" if day.hours else "not read", kind=kind)


def never(coverage: Sequence[Coverage]) -> tuple[str, ...]:
    """Return what each source that is on can never show."""
    return tuple(
        f"{name_of(source)}: {wording.listed([shortened(clean(thing), 60) for thing in source.never_sees])}."
        for source in coverage
        if source.never_sees and not _is_off(source)
    )


def off(coverage: Sequence[Coverage]) -> tuple[str, ...]:
    """Return the sources that are switched off, and why; those that nobody has set up in one line."""
    unset = [name_of(source) for source in coverage if _is_off(source) and source.why.startswith(NOT_SET_UP)]
    others = [source for source in coverage if _is_off(source) and not source.why.startswith(NOT_SET_UP)]
    lines = [f"{name_of(one)}: {shortened(clean(one.why), 160).rstrip('.') or 'switched off'}." for one in others]
    return (*lines, f"Not set up: {wording.listed(unset)}.") if unset else tuple(lines)


def _is_off(source: Coverage) -> bool:
    """Whether a source is switched off."""
    return source.sight is Sight.OFF


def name_of(source: Coverage) -> str:
    """Return a source's short name."""
    return shortened(short_name(source), 40)


# ---------------------------------------------------------------- for the record


def record(material: WeeklyMaterial) -> tuple[Fact, ...]:
    """Return corrections, referrals, erasures, money, and what failed in the house."""
    referred = sum(case.restricted for case in material.opened(material.window))
    facts = [
        Fact(name="Referrals to safeguarding", value=f"{wording.figure(referred)}. Only their number is shown here."),
        Fact(name="Corrections", value=_corrections(material)),
        Fact(name="Erased", value=_erased(material)),
        Fact(name="Held", value=_held(material)),
        Fact(name="Spent", value=_spent(material)),
    ]
    if material.canaries:
        facts.append(Fact(name="Our test posts", value=" ".join(_planted(one, material) for one in material.canaries)))
    if material.audit:
        facts.append(Fact(name="Audit", value=f"Its last line is {material.audit}; keep it to verify the audit later."))
    if material.troubles:
        things = wording.counted(material.troubles, "job or message", "jobs or messages")
        facts.append(Fact(name="Not working", value=f"{things} failed this week; the daily digests name them."))
    return tuple(facts)


def _planted(canary: Canary, material: WeeklyMaterial) -> str:
    """Return when the last post of our own was seen in one source, and how long it took."""
    name = shortened(clean(canary.name), 40)
    if canary.seen is None or canary.took is None:
        return f"{name}: none of ours was ever seen, so this source may be blind."
    if canary.missed:
        return f"{name}: not seen since {wording.full(canary.seen, material.zone)}, so this source may be blind."
    took = wording.age(canary.took)
    return f"{name}: last seen {wording.full(canary.seen, material.zone)}, {took} after it was published."


def _corrections(material: WeeklyMaterial) -> str:
    """Return how often a person put the software right."""
    parts = []
    if material.retagged:
        parts.append(f"{wording.counted(material.retagged, 'tag')} changed by a person")
    if material.not_ours:
        parts.append(f"{wording.counted(material.not_ours, 'post')} found not to be about our schools")
    if not parts:
        return "None. Nobody reported a wrong tag this week."
    return f"{wording.sentence(wording.listed(parts))}; counts above are as first tagged."


def _erased(material: WeeklyMaterial) -> str:
    """Return how many posts were erased, by reason."""
    reasons: dict[str, int] = {}
    for why, count in material.erased.items():
        words = ERASED_WHY.get(why, "on request, or under another rule")
        reasons[words] = reasons.get(words, 0) + count
    if not reasons:
        return "Nothing was due for erasure this week."
    parts = [f"{wording.figure(count)} {words}" for words, count in reasons.items()]
    return f"{wording.counted(sum(reasons.values()), 'post')}, with their words: {wording.listed(parts)}."


def _held(material: WeeklyMaterial) -> str:
    """Return how many holds stand."""
    if not material.holds:
        return "No hold stands."
    counted = wording.sentence(wording.counted(material.holds, "hold"))
    return f"{counted}, by DSL, Data Protection Officer or police; each has a reason and a last day."


def _spent(material: WeeklyMaterial) -> str:
    """Return what the sources cost."""
    paid = [source for source in material.coverage if source.spent.pence > 0]
    calls = sum(source.spent.calls for source in material.coverage)
    asked = f"{wording.counted(calls, 'request')} to all sources"
    if not paid:
        return f"No money; {asked}."
    each = wording.listed([f"{name_of(source)} {wording.money(source.spent.pence)}" for source in paid])
    return f"{wording.money(sum(source.spent.pence for source in paid))} ({each}); {asked}."
