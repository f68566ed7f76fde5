"""Invented weeks to make reports from: an eventful one with a blind source, a quiet one, the very first, a dark one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from monitor.records import CaseState, Severity, Sight, Spent, Window
from reports.week import CaseTimes, ReadDay, SourceDays, ThemeCount, WeekCount, WeeklyMaterial
from tests.reports.material import MATRIX, SCHOOLS, SOURCES, ZONE, mixed_day, off, read

END = datetime(2026, 11, 23, 7, 45, tzinfo=ZONE)
WEEK = Window(start=END - timedelta(days=7), end=END)
DAY = timedelta(hours=9)

BHS = (8, 10, 6, 11, 9, 7, 3, 2, 9, 10, 8, 12)
KJS = (14, 17, 12, 15, 6, 18, 13, 4, 16, 13, 15, 31)
BOTH = (2, 3, 1, 2, 1, 2, 1, 0, 3, 2, 1, 6)


def week_window(back: int) -> Window:
    """Return the week that ended `back` weeks before the report's, by the wall clock."""
    return Window(start=END - timedelta(weeks=back + 1), end=END - timedelta(weeks=back))


def weeks() -> tuple[WeekCount, ...]:
    """Return twelve weeks: Mastodon was blind in the fifth, YouTube is in the last."""
    unread = {4: {"Mastodon": 3}, 11: {"YouTube": 2}}
    return tuple(
        WeekCount(
            window=week_window(11 - place),
            total=BHS[place] + KJS[place] - BOTH[place],
            schools={"BHS": BHS[place], "KJS": KJS[place]},
            unread=unread.get(place, {}),
        )
        for place in range(12)
    )


def timed(  # noqa: PLR0913 - a case has this many sides
    reference: str,
    category: str,
    *,
    started: datetime,
    took: timedelta | None = None,
    decided: datetime | None = None,
    severity: Severity | None = None,
    owner: str | None = None,
    schools: tuple[str, ...] = ("KJS",),
    act: timedelta = timedelta(days=2),
    state: CaseState = CaseState.NEW,
    acknowledged: datetime | None = None,
) -> CaseTimes:
    """Return a case as a clock sees it."""
    row = MATRIX.categories.get(category)
    return CaseTimes(
        reference=reference,
        category=category,
        severity=severity or (row.severity if row and row.severity else Severity.P3),
        owner=owner if owner is not None else row.owner if row else "lead_staff",
        schools=schools,
        state=CaseState.ANSWERED if decided else state,
        started=started,
        acknowledged=acknowledged or decided,
        decided=decided,
        acknowledge_by=started + timedelta(hours=4),
        act_by=started + act,
        old_from=started + timedelta(days=7),
        took=took,
        restricted=row is None or row.restricted,
    )


def history() -> tuple[CaseTimes, ...]:
    """Return five answered cases in each of the eight weeks before."""
    return tuple(
        timed(
            f"KJS-{100 + 5 * back + place:04d}",
            "COMPLAINT_SERVICE",
            started=END - timedelta(weeks=back, days=5, hours=place),
            decided=END - timedelta(weeks=back, days=4, hours=place),
            took=timedelta(hours=3 + place + back % 3, minutes=20),
            schools=("KJS",) if place % 2 else ("BHS",),
        )
        for back in range(1, 9)
        for place in range(5)
    )


def this_week() -> tuple[CaseTimes, ...]:
    """Return the week's cases: nine decided, one of them late, two late, one old, three restricted."""
    kinds = ("COMPLAINT_SERVICE", "QUESTION", "MISINFORMATION", "SEND_INCLUSION", "PRESS_MEDIA")
    decided = tuple(
        timed(
            f"{'BHS' if place % 3 == 0 else 'KJS'}-{405 + place:04d}",
            kinds[place % 5],
            started=END - timedelta(days=6, hours=-3 * place),
            decided=END - timedelta(days=5 - (3 if place == 8 else 0), hours=-3 * place),
            took=timedelta(hours=4 + place, minutes=10) if place < 8 else timedelta(hours=29),
            schools=("BHS",) if place % 3 == 0 else ("KJS",),
        )
        for place in range(9)
    )
    threat = END - timedelta(days=4)
    return (
        *decided,
        timed(
            "KJS-0414",
            "THREAT_VIOLENCE",
            started=threat,
            decided=threat + timedelta(minutes=11),
            took=timedelta(minutes=11),
            act=timedelta(minutes=15),
        ),
        timed(
            "KJS-0398",
            "COMPLAINT_SERVICE",
            started=END - timedelta(days=12),
            act=timedelta(days=4),
            state=CaseState.WAITING,
        ),
        timed("KJS-0412", "COMPLAINT_SERVICE", started=END - timedelta(days=4), state=CaseState.ACKNOWLEDGED),
        timed("FED-0415", "CAMPAIGN", started=END - timedelta(days=3, hours=2), schools=("BHS", "KJS")),
        timed("BHS-0417", "QUESTION", started=END - timedelta(hours=20), schools=("BHS",)),
        timed(
            "BHS-0416",
            "CHILD_PROTECTION",
            started=END - timedelta(days=2),
            schools=("BHS",),
            decided=END - timedelta(days=1),
            took=timedelta(hours=2),
        ),
        timed("KJS-0418", "STAFF_ALLEGATION", started=END - timedelta(days=1), owner="headteacher"),
        timed("KJS-0419", "SELF_HARM", started=END - timedelta(hours=9), decided=END - timedelta(hours=8)),
    )


def themes() -> tuple[ThemeCount, ...]:
    """Return what the week was about, restricted matters among it."""

    def theme(
        category: str, count: int, before: int, stories: int, largest: int, tones: str, cases: int = 0, decided: int = 0
    ) -> ThemeCount:
        return ThemeCount(
            category=category,
            count=count,
            before=before,
            stories=stories,
            largest=largest,
            tones={
                name: tones.count(letter)
                for name, letter in (("negative", "n"), ("neutral", "o"), ("positive", "p"))
                if letter in tones
            },
            cases=cases,
            decided=decided,
        )

    return (
        theme("MISINFORMATION", 13, 1, 2, 12, "n" * 9 + "o" * 4, 2, 2),
        theme("COMPLAINT_SERVICE", 8, 6, 5, 3, "n" * 7, 5, 3),
        theme("PRAISE", 6, 7, 6, 1, "p" * 6),
        theme("CAMPAIGN", 3, 0, 1, 3, "nnn", 1, 0),
        theme("QUESTION", 2, 3, 2, 1, "oo", 3, 2),
        theme("NEUTRAL", 2, 4, 2, 1, "o"),
        theme("CHILD_PROTECTION", 1, 0, 1, 1, "n", 1, 1),
        theme("STAFF_ALLEGATION", 1, 0, 1, 1, "n", 1, 0),
        theme("SELF_HARM", 1, 0, 1, 1, "n", 1, 1),
    )


def row(source: str, *hours: int) -> SourceDays:
    """Return a line of the grid; fewer than 22 hours are not the whole day."""
    return SourceDays(
        source=source,
        name=SOURCES[source].name.split(" (")[0],
        days=tuple(ReadDay(hours=hour, whole=hour > 21) for hour in hours),
    )


def eventful_week() -> WeeklyMaterial:
    """Return a busy week: a rumour, a campaign, two late answers, YouTube dead for two days."""
    daily = mixed_day()
    return WeeklyMaterial(
        federation=daily.federation,
        short_name=daily.short_name,
        zone=ZONE,
        window=WEEK,
        made_at=END + timedelta(minutes=1),
        weeks=weeks(),
        themes=themes(),
        unjudged=0,
        likeness=0.6,
        cases=(*history(), *this_week()),
        working_day=DAY,
        coverage=(
            read("feeds", 11, last=END - timedelta(minutes=12), spent=Spent(calls=2016)),
            read("pages", 4, last=END - timedelta(minutes=40), spent=Spent(calls=336)),
            read("bluesky", 14, last=END - timedelta(minutes=12), spent=Spent(calls=672)),
            read("mastodon", 6, last=END - timedelta(minutes=12), spent=Spent(calls=672)),
            replace(
                next(source for source in daily.coverage if source.source == "youtube"),
                last_read=END - timedelta(days=2, hours=5),
                sight=Sight.BEHIND,
                spent=Spent(calls=63, units=6300, pence=41.5),
            ),
            off("reddit"),
            off("x"),
        ),
        grid=(
            row("feeds", 24, 24, 24, 24, 24, 24, 24),
            row("pages", 24, 24, 24, 24, 24, 24, 24),
            row("bluesky", 24, 24, 24, 24, 24, 24, 24),
            row("mastodon", 24, 24, 24, 24, 24, 24, 24),
            row("youtube", 24, 24, 24, 24, 19, 0, 0),
        ),
        retagged=2,
        not_ours=1,
        erased={"kept long enough": 19, "gone at the source": 3},
        troubles=1,
        review_due=date(2026, 12, 11),
        escalation=MATRIX,
        school_names=SCHOOLS,
        contact=daily.contact,
    )


def quiet_week() -> WeeklyMaterial:
    """Return a week in which little was said, all was read and all was answered."""
    eventful = eventful_week()
    last = replace(eventful.weeks[-1], total=17, schools={"BHS": 8, "KJS": 10}, unread={})
    return replace(
        eventful,
        weeks=(*eventful.weeks[:-1], last),
        themes=(eventful.themes[2], eventful.themes[4], eventful.themes[5]),
        cases=(*history(), *[case for case in this_week()[:3] if case.decided]),
        coverage=tuple(source for source in eventful.coverage if source.source != "youtube"),
        grid=eventful.grid[:-1],
        retagged=0,
        not_ours=0,
        erased={},
        troubles=0,
        review_due=date(2027, 7, 1),
    )


def first_week() -> WeeklyMaterial:
    """Return the very first report: nothing is known of the weeks before."""
    quiet = quiet_week()
    empty = tuple(WeekCount(window=week.window, total=None, schools={}, unread={}) for week in quiet.weeks[:-1])
    return replace(quiet, weeks=(*empty, quiet.weeks[-1]), cases=this_week()[:3], review_due=None)


def dark_week() -> WeeklyMaterial:
    """Return a week in which no source was read."""
    eventful = eventful_week()
    dead = tuple(replace(line, days=(ReadDay(hours=0, whole=False),) * 7) for line in eventful.grid)
    last = replace(eventful.weeks[-1], total=0, schools={}, unread={line.name: 7 for line in dead})
    return replace(
        eventful,
        weeks=(*eventful.weeks[:-1], last),
        themes=(),
        cases=(),
        grid=dead,
        coverage=tuple(
            replace(source, sight=Sight.BEHIND, last_read=WEEK.start) if source.sight is not Sight.OFF else source
            for source in eventful.coverage
        ),
    )
