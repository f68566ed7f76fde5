"""The weekly report: five minutes for a leader, whole in both bodies, and not one name in it."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.records import CaseState, Coverage, Severity, Sight
from reports.measures import duration, middle_half, share
from reports.rendering import LARGEST_EMAIL
from reports.week import ReadDay, WeeklyMaterial
from reports.weekly import WeeklyView, build, letter, render
from tests.reports.material import MATRIX
from tests.reports.test_daily import Page, one_line
from tests.reports.weekly_material import (
    DAY,
    END,
    dark_week,
    eventful_week,
    first_week,
    history,
    quiet_week,
    timed,
)

WEEKS = (eventful_week, quiet_week, first_week, dark_week)
RESTRICTED = [category for category in MATRIX.ids if MATRIX.category(category).restricted]
HOUR = timedelta(hours=1)


def everything(material: WeeklyMaterial) -> str:
    """Return all that leaves the house of a report: page, text, e-mail, subject, preheader."""
    view = build(material)
    report, mail = render(view), letter(view)
    return html.unescape(f"{report.html}\n{report.text}\n{mail.html}\n{mail.text}\n{report.subject}\n{view.preheader}")


def asked(view: WeeklyView) -> str:
    return " | ".join(f"{ask.by}: {ask.what} ({ask.who})" for ask in view.asks)


def figures(view: WeeklyView) -> dict[str, tuple[str, str, str]]:
    return {figure.name: (figure.value, figure.note, figure.usual) for figure in view.figures}


def facts(view: WeeklyView) -> dict[str, str]:
    return {fact.name: fact.value for fact in view.record}


# ---------------------------------------------------------------- the whole


@pytest.mark.parametrize("week", WEEKS)
def test_the_same_week_gives_the_same_bytes(week: object) -> None:
    one, other = (render(build(week())) for _ in range(2))  # type: ignore[operator]
    assert one == other


@pytest.mark.parametrize("week", WEEKS)
def test_a_page_is_complete_in_itself(week: object) -> None:
    page = Page(render(build(week())).html)  # type: ignore[operator]
    names = {tag for tag, _ in page.elements}
    assert not names & {"script", "link", "img", "iframe", "form", "object"}
    assert all(link.startswith("mailto:") for link in page.links)
    assert page.all("html") == [{"lang": "en-GB", "dir": "ltr"}]
    assert len(page.all("main")) == len(page.all("h1")) == 1
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("week", WEEKS)
def test_headings_step_down_and_tables_have_heads_and_captions(week: object) -> None:
    page = Page(render(build(week())).html)  # type: ignore[operator]
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(attributes.get("scope") in {"col", "row"} for attributes in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table")) - len(
        [attributes for attributes in page.all("table") if attributes.get("class") == "todo"]
    )


def test_every_chart_says_aloud_what_it_shows_and_its_figures_stand_in_a_table() -> None:
    view = build(eventful_week())
    page = Page(render(view).html)
    drawings = page.all("svg")
    assert len(drawings) == 2
    assert all(drawing["role"] == "img" and drawing["aria-labelledby"] for drawing in drawings)
    assert "King James’s School, public mentions a week: 31 or more this week, above the usual" in page.shown  # noqa: RUF001
    assert [week.counts for week in view.weeks][-1] == ("12+", "31+")


@pytest.mark.parametrize("week", WEEKS)
def test_the_text_says_what_the_page_says(week: object) -> None:
    view = build(week())  # type: ignore[operator]
    text = one_line(render(view).text)
    for said in (
        view.headline,
        view.covered,
        *(ask.what for ask in view.asks),
        *(part for figure in view.figures for part in (figure.value, figure.usual)),
        *(trend.finding for trend in view.trends),
        *(part for theme in view.themes for part in (theme.name, theme.about)),
        *(case.reference for case in view.waiting),
        *(fact.value for fact in view.record),
    ):
        assert one_line(said) in text


@pytest.mark.parametrize("week", WEEKS)
def test_the_letter_is_short_and_carries_what_is_asked(week: object) -> None:
    view = build(week())  # type: ignore[operator]
    mail = letter(view)
    assert len(mail.html.encode()) < LARGEST_EMAIL / 2
    shown = Page(mail.html).shown
    assert view.headline in shown
    assert all(ask.what in shown for ask in view.asks)
    assert mail.name == render(view).name == "weekly-2026-11-23"


# ---------------------------------------------------------------- what it says


def test_the_headline_says_how_much_how_much_to_answer_what_is_late_and_what_was_not_seen() -> None:
    view = build(eventful_week())
    assert view.headline == (
        "A busier week than usual: at least 37 public mentions, 16 needing a response, three late now; "
        "YouTube not fully read"
    )
    assert view.subject == "Weekly report: at least 37 mentions, 3 late, YouTube not fully read (Mon 23 Nov)"


def test_a_week_in_which_nothing_was_read_is_never_called_quiet() -> None:
    view = build(dark_week())
    assert view.headline.startswith("We could not look")
    assert "quiet" not in everything(dark_week()).replace('class="quiet"', "").lower().split("</style>")[-1]
    assert "nothing read" in view.subject
    assert figures(view)["Public mentions"][:2] == ("?", "not known")
    assert view.weeks[-1].total == "?"
    assert "Have five sources mended" in asked(view)


def test_a_quiet_week_asks_nothing_and_says_that_all_was_read() -> None:
    view = build(quiet_week())
    assert view.asks == ()
    assert view.covered == "All four sources that are switched on were read every day."
    assert "Nothing this week." in Page(render(view).html).shown


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        (1, "The one source that is switched on was read every day."),
        (2, "Both sources that are switched on were read every day."),
    ],
)
def test_one_source_and_two_are_counted_as_people_count_them(sources: int, said: str) -> None:
    week = quiet_week()

    assert build(replace(week, grid=week.grid[:sources])).covered == said


@pytest.mark.parametrize(
    ("cases", "decided", "said"),
    [
        (3, 0, "3 cases opened, none of them decided."),
        (3, 2, "3 cases opened, two of them decided."),
        (1, 0, "1 case opened, not decided yet."),
    ],
)
def test_what_was_done_about_a_theme_is_said_in_words(cases: int, decided: int, said: str) -> None:
    week = eventful_week()
    themes = tuple(replace(theme, cases=cases, decided=decided) for theme in week.themes)

    assert all(theme.about.endswith(said) for theme in build(replace(week, themes=themes)).themes)


def test_what_is_late_is_asked_of_its_owner_the_longest_late_first() -> None:
    said = asked(build(eventful_week()))
    assert "Have KJS-0398 and KJS-0412 answered or decided; the first is late since" in said
    assert said.index("KJS-0398") < said.index("FED-0415")
    assert "BHS-0417" not in said


def test_a_restricted_case_that_nobody_acknowledged_is_asked_after_as_a_number() -> None:
    said = asked(build(eventful_week()))
    assert "Ask whether one restricted case is in hand" in said
    assert "KJS-0418" not in everything(eventful_week())


def test_a_dead_source_and_a_review_that_comes_near_are_asked_for() -> None:
    said = asked(build(eventful_week()))
    assert "Have YouTube mended" in said
    assert "11 Dec: Review the impact assessment" in said
    overdue = replace(quiet_week(), review_due=date(2026, 11, 20))
    assert "20 Nov (late)" in asked(build(overdue))


def test_each_figure_stands_beside_what_is_usual() -> None:
    shown = figures(build(eventful_week()))
    assert shown["Public mentions"] == ("37+", "at least; not all was seen", "usually 18 to 23 a week")
    assert shown["Needing a response"] == ("16", "cases opened in this week", "usually 5 a week")
    assert shown["Open over five working days"] == ("1", "of all that is open now", "usually none")
    assert shown["Time to a decision"][1] == "median of staffed time; 11 of 15 within target"


def test_with_too_little_history_nothing_is_called_usual() -> None:
    view = build(first_week())
    assert view.headline.startswith("This week: ")
    assert all("usually" not in figure.usual for figure in view.figures[:1])
    assert "too little history" in view.history
    assert len(view.weeks) == 1


def test_weeks_before_the_monitor_worked_are_empty_not_hatched_and_not_compared_with() -> None:
    view = build(first_week())

    assert all("chart-blind" not in trend.svg for trend in view.trends)
    assert view.trend_gaps == "Before 16 Nov the monitor was not at work."
    assert {theme.before for theme in view.themes} == {"?"}
    assert "not known" not in view.history


def test_a_story_from_before_the_week_is_told_as_such() -> None:
    material = eventful_week()
    rumour = replace(material.themes[0], earlier=1)
    alone = replace(rumour, stories=1, largest=13)
    shown = [build(replace(material, themes=(one,))).themes[0].about for one in (rumour, alone)]

    assert shown[0].startswith("2 stories, one of them told 12 times, one of them told before this week;")
    assert shown[1].startswith("One story that goes on from before, told 13 times;")


def test_a_blind_week_says_nothing_of_what_is_usual_and_is_footnoted() -> None:
    material = eventful_week()
    seen = [week for week in material.weeks if week.unread]
    assert seen[0] not in material.history
    assert len(material.history) == 7
    assert "week from 28 Sep: Mastodon not read for 3 days" in build(material).trend_gaps


def test_a_week_whose_posts_were_erased_before_they_were_counted_says_so() -> None:
    material = eventful_week()
    faded = replace(material.weeks[0], faded=True)
    view = build(replace(material, weeks=(faded, *material.weeks[1:])))
    assert view.weeks[0].total == "20+"
    assert "erased before they were counted" in view.weeks[0].note


def test_no_percentage_is_given_of_fewer_than_twenty() -> None:
    shown = Page(render(build(eventful_week())).html).shown
    assert "%" not in shown


def test_from_twenty_on_a_share_is_given_in_percent() -> None:
    many = tuple(
        timed(f"KJS-{place:04d}", "QUESTION", started=END - 60 * HOUR, decided=END - 50 * HOUR, took=HOUR)
        for place in range(20)
    )
    view = build(replace(quiet_week(), cases=many))
    assert "20 of 20 (100%) within target" in figures(view)["Time to a decision"][1]


def test_immediate_cases_run_on_their_own_clock_and_their_own_line() -> None:
    rows = {row.name: row for row in build(eventful_week()).times}
    assert rows["Immediate (P0), by the clock"].pace == "11 min"
    assert rows["King James’s School"].in_time == "5 of 8"  # noqa: RUF001
    assert rows["Both schools, or not clear"].late == "1"


def test_restricted_themes_and_cases_are_numbers_only() -> None:
    view = build(eventful_week())
    assert "3 restricted, counted only" in view.themes_more
    assert view.waiting_more == "Also open: 1 restricted case, counted only."
    assert facts(view)["Referrals to safeguarding"].startswith("3.")


def test_hours_that_were_not_read_are_said_in_words_as_well() -> None:
    cells = build(eventful_week()).grid[-1].cells
    assert [cell.kind for cell in cells[-4:]] == ["whole", "part", "none", "none"]
    assert cells[-1].words == "not read"
    assert "only 19 hours read" in Page(render(build(eventful_week())).html).shown


def test_the_record_tells_corrections_erasures_and_money() -> None:
    said = facts(build(eventful_week()))
    assert "2 tags changed by a person and 1 post found not to be about our schools" in said["Corrections"]
    assert said["Erased"].startswith("22 posts, with their words: 19 kept as long")
    assert said["Spent"].startswith("£0.42 (YouTube £0.42)")
    assert said["Not working"].startswith("1 job or message")
    assert "Not working" not in facts(build(quiet_week()))


def test_a_long_list_is_cut_and_what_is_cut_is_counted() -> None:
    many = tuple(timed(f"KJS-{place:04d}", "QUESTION", started=END - place * HOUR) for place in range(1, 40))
    view = build(replace(quiet_week(), cases=many))
    assert len(view.waiting) == 12
    assert view.waiting_more == "Also open: 27 more cases, newer than these."


# ---------------------------------------------------------------- what it never says

NAMES = st.text("abcdefghijklmnopqrstuvwxyz", min_size=6, max_size=12).map(lambda name: f"Zq{name} {name.title()}zq")


@settings(max_examples=20, deadline=None)
@given(name=NAMES, handle=NAMES)
def test_no_name_that_reaches_a_report_gets_out_of_it(name: str, handle: str) -> None:
    """Whatever free text stands in a source's errors, an owner, an erasure's reason or a category."""
    material = eventful_week()
    planted = replace(
        material,
        cases=(
            *history(),
            timed("KJS-0900", "COMPLAINT_SERVICE", started=END - timedelta(days=6), owner=name),
            timed("KJS-0901", name, started=END - timedelta(days=6), owner=handle, schools=(name,)),
        ),
        themes=(*material.themes, replace(material.themes[0], category=name)),
        erased={name: 2, f"asked by @{handle}": 1},
        coverage=tuple(
            replace(source, why=f"{name} (@{handle}) refused", dropped={name: 1})
            if source.sight is not Sight.OFF
            else source
            for source in material.coverage
        ),
    )
    said = everything(planted)
    assert name not in said
    assert handle not in said
    assert name.split(maxsplit=1)[0] not in said


@pytest.mark.parametrize("category", RESTRICTED)
@pytest.mark.parametrize("severity", [Severity.P0, Severity.P1])
@pytest.mark.parametrize("decided", [False, True])
def test_a_restricted_category_is_never_named(category: str, severity: Severity, *, decided: bool) -> None:
    started = END - timedelta(days=3)
    case = timed(
        "KJS-0999",
        category,
        started=started,
        severity=severity,
        decided=started + HOUR if decided else None,
        took=HOUR if decided else None,
        state=CaseState.NEW,
    )
    material = eventful_week()
    theme = replace(material.themes[0], category=category, count=900, cases=1)
    said = everything(replace(material, cases=(*history(), case), themes=(theme, *material.themes)))
    for words in (MATRIX.category(category).name, category, "KJS-0999"):
        assert words not in said


def test_hostile_names_of_schools_and_sources_stay_text() -> None:
    material = eventful_week()
    nasty = '</style><script>alert("x")</script>\u202e'
    grid = (replace(material.grid[0], name=nasty, days=(ReadDay(hours=1, whole=False),) * 7), *material.grid[1:])
    view = build(
        replace(
            material,
            short_name=nasty,
            federation=nasty,
            school_names={"BHS": nasty, "KJS": "King James's School"},
            grid=grid,
            coverage=(Coverage(source="feeds", name=nasty, sight=Sight.BEHIND), *material.coverage[1:]),
        )
    )
    for made in (render(view), letter(view)):
        assert "<script" not in made.html
        assert "\u202e" not in made.html + made.text


# ---------------------------------------------------------------- measures


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(0), "0 min"),
        (timedelta(minutes=35), "35 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(hours=3, minutes=20), "3 h 20 min"),
        (timedelta(hours=9), "1 working day"),
        (timedelta(hours=21, minutes=30), "2.4 working days"),
    ],
)
def test_a_length_of_work_is_said_in_hours_and_working_days(length: timedelta, words: str) -> None:
    assert duration(length, DAY) == words


@given(values=st.lists(st.integers(0, 1000), max_size=12))
def test_the_usual_range_lies_within_what_was_seen_and_needs_four_values(values: list[int]) -> None:
    usual = middle_half(values)
    if len(values) < 4:
        assert usual is None
    else:
        assert usual is not None
        assert min(values) <= usual[0] <= usual[1] <= max(values)


@given(part=st.integers(0, 400), rest=st.integers(0, 400))
def test_a_share_never_rounds_up_to_all(part: int, rest: int) -> None:
    words = share(part, part + rest)
    assert words.startswith(f"{part} of {part + rest}")
    assert ("%" in words) == (part + rest >= 20)
    assert "100%" not in words or rest == 0
