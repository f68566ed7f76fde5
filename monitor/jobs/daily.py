"""The daily digest: gathered from the store, rendered, written down, queued for the response owner."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from analysis.stories import LIKENESS
from monitor.jobs import coverage as seen
from monitor.jobs.collect import why_stopped
from monitor.jobs.spikes import unsaid, unusual
from monitor.jobs.storekeeping import RESTORED, restorations
from monitor.jobs.workplace import write_private
from monitor.mail import compose
from monitor.records import Window
from monitor.store import audit, cases, figures, journal, mentions, numbers, outbox, stories
from monitor.store.clock import AHEAD
from reports.daily import build, render
from reports.day import DailyMaterial

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import sqlalchemy as sa

    from monitor.jobs.workplace import Workplace
    from monitor.records import Case, Rendered, StoredMention

DAYS_SHOWN: Final = 7
MOST_MENTIONS: Final = 20_000
NAMES: Final = {"daily": "daily digest", "weekly": "weekly report", "incident": "incident report"}
"""What people call the kinds of messages; an alert is an alert."""
LATE: Final = timedelta(hours=1)
"""How late a message may leave before the next digest admits it."""


def daily(place: Workplace, window: Window) -> tuple[Rendered, tuple[Path, ...]]:
    """Build the digest of `window`, write it to the reports folder, and queue it for the response owner.

    Returns:
        The digest and the files written. Queueing the same day again changes nothing: one digest a day.
    """
    with place.store.read() as connection:
        newest = numbers.newest(connection)
        material = gather(place, connection, window)
    rendered = render(build(material))
    local = window.end.astimezone(place.settings.federation.zone)
    scheduled = local.time() == place.settings.schedule.digest_time
    if not scheduled:
        # one asked for in between must not stand in for the scheduled one, which would then not be sent
        rendered = replace(rendered, name=f"{rendered.name}-{local:%H%M}")
    files = (
        write_private(place.reports_folder / f"{rendered.name}.html", rendered.html),
        write_private(place.reports_folder / f"{rendered.name}.txt", rendered.text),
    )
    recipient = place.settings.roles.response_owner
    if recipient:
        message = compose(
            rendered,
            kind="daily",
            recipient=recipient,
            mail=place.settings.mail,
            federation=place.settings.federation,
            now=place.clock(),
        )
        with place.store.write() as connection:
            if outbox.queue(connection, message) and scheduled:
                numbers.keep_told(connection, newest)
    return rendered, files


def gather(place: Workplace, connection: sa.Connection, window: Window) -> DailyMaterial:
    """Return everything the digest of `window` is built from, seen at one moment."""
    open_cases = cases.still_open(connection)
    found = mentions.between(connection, window, limit=MOST_MENTIONS)
    told = numbers.told(connection)
    if told is not None:
        found += mentions.strays(connection, after=told, window=window, now=place.clock() + AHEAD)
    of_cases = mentions.by_number(connection, [case.mention_id for case in open_cases])
    told_before = {one.story for one in found if one.story_began and one.story_began < window.start}
    told_before |= {one.story for one in of_cases.values()}
    earlier = stories.members(connection, told_before, before=window.start)
    settled = _settled(connection, window, (*found, *earlier))
    of_cases |= mentions.by_number(connection, [case.mention_id for case in settled])
    history = seen.days(place, connection, window.end, seen.HISTORY_DAYS)
    return DailyMaterial(
        federation=place.settings.federation.name,
        short_name=place.settings.federation.short_name,
        zone=place.settings.federation.zone,
        window=window,
        made_at=window.end,
        mentions=found,
        earlier=earlier,
        likeness=LIKENESS,
        cases=open_cases,
        settled=settled,
        case_mentions=of_cases,
        coverage=seen.coverage(place, connection, window),
        days=history[-DAYS_SHOWN:],
        usual=seen.usual(history[:-1]),
        troubles=(*_stopped(place), *_troubles(connection, window), *_late(place, connection, window)),
        unusual=unusual(place, connection, window, open_cases),
        unsaid=unsaid(connection, window),
        escalation=place.policy.escalation,
        school_names={school.code: school.name for school in place.policy.schools.schools},
        contact=place.settings.mail.reply_to or place.settings.federation.contact,
        audit=str(audit.head(connection) or ""),
    )


def _settled(connection: sa.Connection, window: Window, told: Iterable[StoredMention]) -> tuple[Case, ...]:
    """Return the cases that are no longer open, but decided in `window` or opened by one of the mentions `told`."""
    touched = {case.reference: case for case in figures.cases_touched(connection, window)}
    of_stories = cases.of_mentions(connection, [stored.id for stored in told]).values()
    touched |= {case.reference: case for case in of_stories}
    return tuple(case for _, case in sorted(touched.items()) if not case.state.is_open)


def _stopped(place: Workplace) -> tuple[str, ...]:
    """Return that live reading has stopped, if it has: it comes before all else that does not work."""
    why = why_stopped(place)
    return (f"Nothing is read any more: {why}",) if why else ()


def _troubles(connection: sa.Connection, window: Window) -> tuple[str, ...]:
    """Return what went wrong in the house itself, in sentences."""
    jobs = [
        f"The job {run.job!r} planned for {run.planned:%d %B %H:%M} UTC "
        + {journal.FAILED: "failed", journal.MISSED: "was missed", journal.RUNNING: "never ended"}[run.outcome]
        + (f": {run.error}" if run.error else "")
        for run in journal.troubles(connection, window)
        if run.outcome != journal.RUNNING and run.job != RESTORED
    ]
    mail = [
        f"A message ({message.kind}) could not be sent after {message.attempts} tries: {message.error}"
        for message in outbox.troubled(connection, Window(start=window.start, end=window.end))
    ]
    return (*restorations(connection, window), *jobs, *mail)


def _late(place: Workplace, connection: sa.Connection, window: Window) -> tuple[str, ...]:
    """Return which messages of the window left late, in sentences: a digest that came at noon is admitted."""
    zone = place.settings.federation.zone
    return tuple(
        f"The {NAMES.get(late.kind, late.kind)} of {late.queued.astimezone(zone):%d %B, %H:%M} left only on "
        f"{late.left.astimezone(zone):%d %B at %H:%M}: the mail server had not taken it."
        for late in figures.late_messages(connection, window, LATE)
    )


def window_for(place: Workplace, planned: datetime) -> Window:
    """Return what the digest planned for `planned` covers: everything since the digest before it.

    On a Monday that is the weekend as well. `planned` is zone-aware.
    """
    schedule, zone = place.settings.schedule, place.settings.federation.zone
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    local = planned.astimezone(zone)
    before = local.date() - timedelta(days=1)
    while names[before.weekday()] not in schedule.digest_days:
        before -= timedelta(days=1)
    return Window(start=datetime.combine(before, schedule.digest_time, zone), end=planned)
