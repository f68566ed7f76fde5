"""The daily digest: gathered from the store, rendered, written down, queued for the response owner."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from monitor.jobs import coverage as seen
from monitor.jobs.telling import told
from monitor.jobs.workplace import write_private
from monitor.mail import compose
from monitor.records import Window
from monitor.store import cases, journal, mentions, outbox
from reports.daily import DailyMaterial, build, render

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

    from monitor.jobs.workplace import Workplace
    from monitor.records import Rendered

DAYS_SHOWN: Final = 7
MOST_MENTIONS: Final = 20_000


def daily(place: Workplace, window: Window) -> tuple[Rendered, tuple[Path, ...]]:
    """Build the digest of `window`, write it to the reports folder, and queue it for the response owner.

    Returns:
        The digest and the files written. Queueing the same day again changes nothing: one digest a day.
    """
    with place.store.read() as connection:
        material = gather(place, connection, window)
    rendered = render(build(material))
    local = window.end.astimezone(place.settings.federation.zone)
    if local.time() != place.settings.schedule.digest_time:
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
            outbox.queue(connection, message)
    return rendered, files


def gather(place: Workplace, connection: sa.Connection, window: Window) -> DailyMaterial:
    """Return everything the digest of `window` is built from, seen at one moment."""
    open_cases = cases.still_open(connection)
    found = mentions.between(connection, window, limit=MOST_MENTIONS)
    of_cases = mentions.by_number(connection, [case.mention_id for case in open_cases])
    history = seen.days(place, connection, window.end, seen.HISTORY_DAYS)
    return DailyMaterial(
        federation=place.settings.federation.name,
        short_name=place.settings.federation.short_name,
        zone=place.settings.federation.zone,
        window=window,
        made_at=window.end,
        mentions=found,
        stories=told((*of_cases.values(), *found)),
        cases=open_cases,
        case_mentions=of_cases,
        coverage=seen.coverage(place, connection, window),
        days=history[-DAYS_SHOWN:],
        usual=seen.usual(history[:-1]),
        troubles=_troubles(connection, window),
        escalation=place.policy.escalation,
        school_names={school.code: school.name for school in place.policy.schools.schools},
        contact=place.settings.mail.reply_to or place.settings.federation.contact,
    )


def _troubles(connection: sa.Connection, window: Window) -> tuple[str, ...]:
    """Return what went wrong in the house itself, in sentences."""
    jobs = [
        f"The job {run.job!r} planned for {run.planned:%d %B %H:%M} UTC "
        + {journal.FAILED: "failed", journal.MISSED: "was missed", journal.RUNNING: "never ended"}[run.outcome]
        + (f": {run.error}" if run.error else "")
        for run in journal.troubles(connection, window)
        if run.outcome != journal.RUNNING
    ]
    mail = [
        f"A message ({message.kind}) could not be sent after {message.attempts} tries: {message.error}"
        for message in outbox.troubled(connection, Window(start=window.start, end=window.end))
    ]
    return tuple(jobs + mail)


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
