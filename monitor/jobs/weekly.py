"""The weekly report: counted from the store, rendered, written down, queued for the senior leader.

Words of posts stay in the store. Of a case's history the report gets moments, never who acted or why.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from analysis.stories import LIKENESS
from monitor.errors import ConfigError
from monitor.jobs import canary
from monitor.jobs import coverage as seen
from monitor.jobs.casetimes import times_of, working_day
from monitor.jobs.weeklong import counted_weeks, grid, week_windows, write_down
from monitor.jobs.workplace import write_private
from monitor.mail import Attachment, compose
from monitor.records import Window
from monitor.store import audit, figures, holds, journal, mentions, outbox
from reports import printing
from reports.week import ThemeCount, WeeklyMaterial
from reports.weekly import build, letter, render

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    import sqlalchemy as sa

    from monitor.jobs.workplace import Workplace
    from monitor.records import Case, Rendered, StoredMention
    from monitor.store.figures import Tally
    from reports.week import CaseTimes

WEEKS: Final = 12
MOST_MENTIONS: Final = 20_000
"""Mentions of one week that are sorted into stories; beyond them a post counts as a story of its own."""


def weekly(place: Workplace, window: Window) -> tuple[Rendered, tuple[Path, ...]]:
    """Build the report of `window`, write it to the reports folder, and queue it for the senior leader.

    Returns:
        The report, and the files written: the page, its PDF where WeasyPrint is installed, and the week's
        counts, which outlive the posts they were counted from. Queueing the same week again changes nothing.
    """
    with place.store.read() as connection:
        material = gather(place, connection, window)
    view = build(material)
    rendered = render(view)
    page = write_private(place.reports_folder / f"{rendered.name}.html", rendered.html)
    counts = write_down(place, material.week)
    printed = _printed(place, rendered)
    recipient = place.settings.roles.senior_leader
    if recipient:
        message = compose(
            letter(view),
            kind="weekly",
            recipient=recipient,
            mail=place.settings.mail,
            federation=place.settings.federation,
            now=place.clock(),
            attachments=(_attached(printed or page),),
        )
        with place.store.write() as connection:
            outbox.queue(connection, message)
    return rendered, (page, *((printed,) if printed else ()), counts)


def window_for(place: Workplace, planned: datetime) -> Window:
    """Return the seven days up to `planned` (zone-aware), by the wall clock of the Federation's zone."""
    return week_windows(place, planned, 1)[0]


def gather(place: Workplace, connection: sa.Connection, window: Window) -> WeeklyMaterial:
    """Return everything the report of `window` is built from, seen at one moment."""
    windows = (*week_windows(place, window.start, WEEKS - 1), window)
    readings = figures.readings(connection, Window(start=windows[0].start, end=window.end))
    touched = figures.cases_touched(connection, Window(start=windows[0].start, end=window.end))
    cases = tuple(times_of(place, case, window.end) for case in touched)
    tallies = figures.tallies(connection, window)
    coverage = seen.coverage(place, connection, window)
    dpia = place.settings.privacy.dpia
    return WeeklyMaterial(
        federation=place.settings.federation.name,
        short_name=place.settings.federation.short_name,
        zone=place.settings.federation.zone,
        window=window,
        made_at=window.end,
        weeks=counted_weeks(place, connection, windows, readings),
        themes=_themes(connection, window, windows[-2], tallies, cases),
        likeness=LIKENESS,
        unjudged=sum(tally.count for tally in tallies if not tally.category),
        cases=cases,
        working_day=working_day(place.settings.calendar),
        coverage=coverage,
        grid=grid(place, connection, window, readings),
        canaries=canary.watched(place, connection, window.end),
        retagged=_said(touched, window, "wrong tag"),
        not_ours=_said(touched, window, "not about us"),
        erased=audit.erased(connection, window),
        troubles=_troubles(connection, window),
        review_due=dpia.review_due if dpia else None,
        escalation=place.policy.escalation,
        school_names={school.code: school.name for school in place.policy.schools.schools},
        contact=place.settings.mail.reply_to or place.settings.federation.contact,
        holds=len(holds.standing(connection, window.end)),
        audit=str(audit.head(connection) or ""),
    )


def _themes(
    connection: sa.Connection,
    window: Window,
    before: Window,
    tallies: tuple[Tally, ...],
    cases: tuple[CaseTimes, ...],
) -> tuple[ThemeCount, ...]:
    """Return each category of the week: how much, in how many stories, in what tone, and what was done."""
    earlier = _by_category(figures.tallies(connection, before))
    stories = _stories(connection, window)
    out = []
    for category, count in _by_category(tallies).items():
        tones: Counter[str] = Counter()
        for tally in tallies:
            if tally.category == category and tally.sentiment:
                tones[tally.sentiment] += tally.count
        told = stories.get(category, {})
        sizes = [len(members) for members in told.values()]
        opened = [case for case in cases if case.category == category and window.start <= case.started < window.end]
        out.append(
            ThemeCount(
                category=category,
                count=count,
                before=earlier[category],
                stories=len(sizes) + max(0, count - sum(sizes)),
                largest=max(sizes, default=1),
                tones=dict(tones),
                cases=len(opened),
                decided=sum(not case.open_at(window.end) for case in opened),
                earlier=sum(_told_before(members, window) for members in told.values()),
            )
        )
    return tuple(out)


def _by_category(tallies: Iterable[Tally]) -> Counter[str]:
    """Return category -> mentions; what is not judged yet has no category."""
    counts: Counter[str] = Counter()
    for tally in tallies:
        if tally.category:
            counts[tally.category] += tally.count
    return counts


def _stories(connection: sa.Connection, window: Window) -> dict[str, dict[int, list[StoredMention]]]:
    """Return category -> number of a story -> the mentions of that category that told it in `window`."""
    stories: dict[str, dict[int, list[StoredMention]]] = {}
    for stored in mentions.between(connection, window, limit=MOST_MENTIONS):
        if stored.judgement:
            stories.setdefault(stored.judgement.category, {}).setdefault(stored.story, []).append(stored)
    return stories


def _told_before(members: Iterable[StoredMention], window: Window) -> bool:
    """Whether a story had been told before `window`."""
    return any(stored.story_began and stored.story_began < window.start for stored in members)


def _said(cases: Iterable[Case], window: Window, what: str) -> int:
    """Return how many cases a person put right in `window`, in this way."""
    return sum(
        any(event.what.startswith(what) and window.start <= event.at < window.end for event in case.history)
        for case in cases
    )


def _troubles(connection: sa.Connection, window: Window) -> int:
    """Return how many jobs and messages failed in `window`."""
    jobs = sum(run.outcome != journal.RUNNING for run in journal.troubles(connection, window))
    return jobs + len(outbox.troubled(connection, window))


def _printed(place: Workplace, rendered: Rendered) -> Path | None:
    """Write the PDF; None where WeasyPrint or Pango is missing, because the page says the same."""
    if not printing.can_print():
        return None
    try:
        content = printing.pdf(rendered.html)
    except ConfigError:
        return None
    return write_private(place.reports_folder / f"{rendered.name}.pdf", content)


def _attached(file: Path) -> Attachment:
    """Return a written report as an attachment."""
    kind = "application/pdf" if file.suffix == ".pdf" else "text/html"
    return Attachment(name=file.name, kind=kind, content=file.read_bytes())
