"""The jobs of the clock, each a function of the workplace and the moment it was planned for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor.jobs.alerts import raise_alerts
from monitor.jobs.collect import collect
from monitor.jobs.daily import daily, window_for
from monitor.jobs.judge import judge_pending
from monitor.jobs.recheck import recheck
from monitor.jobs.retention import retain
from monitor.jobs.weekly import weekly
from monitor.jobs.weekly import window_for as week_before
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
    """Read the sources that are due, judge what came, and deliver what waits."""
    del planned
    runs = collect(place, due_only=True)
    opened = judge_pending(place)
    alerts = raise_alerts(place)
    place.postman.deliver()
    return Done(
        figures={
            "sources": len(runs),
            "incomplete": sum(run.outcome is not Outcome.COMPLETE for run in runs),
            "new": sum(run.new for run in runs),
            "cases": len(opened),
            "alerts": alerts,
        }
    )


def daily_job(place: Workplace, planned: datetime) -> Done:
    """Judge what is left, build the digest of everything since the last one, and send it."""
    judge_pending(place)
    with place.store.read() as connection:
        before = journal.last_done(connection, "daily")
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
    """Erase what was kept long enough."""
    del planned
    return Done(figures={"erased": retain(place)})


def deliver_job(place: Workplace, planned: datetime) -> Done:
    """Alert whoever is next on the ladder of an unacknowledged case; try again what could not be sent."""
    del planned
    raise_alerts(place)
    delivered = place.postman.deliver()
    return Done(figures={"sent": delivered.sent, "delayed": delivered.delayed, "refused": delivered.refused})
