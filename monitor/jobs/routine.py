"""The jobs of the clock, each a function of the workplace and the moment it was planned for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor import logs
from monitor.jobs.alerts import raise_alerts
from monitor.jobs.collect import collect
from monitor.jobs.daily import daily, window_for
from monitor.jobs.judge import judge_pending
from monitor.jobs.recheck import recheck
from monitor.jobs.retention import retain
from monitor.jobs.spikes import look_for_spikes
from monitor.jobs.storekeeping import back_up
from monitor.jobs.weekly import weekly
from monitor.jobs.weekly import window_for as week_before
from monitor.mail import Delivered
from monitor.records import Outcome
from monitor.store import journal

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.jobs.workplace import Workplace


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a job did, in figures for the log: never words of a post."""

    figures: dict[str, int]


def collect_job(place: Workplace, planned: datetime) -> Done:
    """Read the sources that are due, judge what came, and deliver what waits.

    A collector with a fault of its own is reported last: what the others brought is judged and alerted first. What
    is unusual is looked for last, because nothing of it is urgent.
    """
    del planned
    try:
        runs = collect(place, due_only=True)
    finally:
        opened = judge_pending(place)
        alerts = raise_alerts(place)
        deliver(place)
    spikes = look_for_spikes(place)
    place.postman.deliver()
    return Done(
        figures={
            "sources": len(runs),
            "incomplete": sum(run.outcome is not Outcome.COMPLETE for run in runs),
            "new": sum(run.new for run in runs),
            "cases": len(opened),
            "alerts": alerts,
            "spikes": spikes,
        }
    )


def daily_job(place: Workplace, planned: datetime) -> Done:
    """Judge what is left, build the digest of everything since the last one, and send it."""
    judge_pending(place)
    with place.store.read() as connection:
        before = journal.last_done(connection, "daily", until=planned)
    window = window_for(place, planned)
    # after days of silence the digest covers them all: nothing falls between two digests
    daily(place, replace(window, start=min(window.start, before or window.start)))
    delivered = place.postman.deliver()
    return Done(figures={"sent": delivered.sent, "filed": delivered.filed, "delayed": delivered.delayed})


def recheck_job(place: Workplace, planned: datetime) -> Done:
    """Ask the sources for what we hold; the next `collect` judges what was edited."""
    del planned
    done = recheck(place)
    return Done(
        figures={
            "asked": done.asked,
            "wiped": done.wiped,
            "changed": done.changed,
            "incomplete": done.incomplete,
        }
    )


def weekly_job(place: Workplace, planned: datetime) -> Done:
    """Build the report of the seven days before, and send it."""
    judge_pending(place)
    weekly(place, week_before(place, planned))
    delivered = place.postman.deliver()
    return Done(figures={"sent": delivered.sent, "filed": delivered.filed, "delayed": delivered.delayed})


def retention_job(place: Workplace, planned: datetime) -> Done:
    """Erase what was kept long enough, unless the clock cannot be trusted today: what is erased does not come back."""
    del planned
    with place.store.read() as connection:
        if not journal.steady(connection, place.clock()):
            logs.log().warning("nothing is erased before the clock has run for half a day without a leap")
            return Done(figures={"erased": 0, "put_off": 1})
    return Done(figures={"erased": retain(place)})


def backup_job(place: Workplace, planned: datetime) -> Done:
    """Back the store up and bring older backups up to date; PostgreSQL is backed up by pg_dump."""
    del planned
    if place.store.file is None:
        return Done(figures={"backups": 0})
    night = back_up(place.settings, now=place.clock())
    return Done(
        figures={
            "backups": 1,
            "megabytes": round(night.backup.size / 1_000_000),
            "erased_in_older": night.tidied.erased,
            "dropped": night.tidied.dropped,
            "damaged": len(night.tidied.broken),
        }
    )


def deliver_job(place: Workplace, planned: datetime) -> Done:
    """Alert whoever is next on the ladder of an unacknowledged case; try again what could not be sent.

    What was stored while a slow source still holds up the collection is judged here: a P0 is alerted within a
    minute of being collected.
    """
    del planned
    judge_pending(place)
    raise_alerts(place)
    delivered = deliver(place)
    return Done(figures={"sent": delivered.sent, "delayed": delivered.delayed, "refused": delivered.refused})


def deliver(place: Workplace) -> Delivered:
    """Send what waits: e-mail first, so that no channel holds it up; return what became of both together."""
    mail, channels = place.postman.deliver(), place.courier.deliver()
    return Delivered(
        sent=mail.sent + channels.sent,
        filed=mail.filed,
        delayed=mail.delayed + channels.delayed,
        refused=mail.refused,
    )
