"""The clock: a table of (name, trigger, job). `python scheduler.py` runs it in the foreground.

Times are wall-clock times of the Federation's zone, across both clock changes. A run that was missed while
the monitor was down is caught up once at the next start; a run is never done twice for the same moment.
A second scheduler on the same store refuses to start.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from monitor import logs, settings
from monitor.errors import ConfigError, MonitorError, StoreDamaged, StoreError
from monitor.jobs import routine, status
from monitor.jobs.workplace import Workplace, open_workplace
from monitor.records import utc_now
from monitor.store import journal
from monitor.store.clock import set_right

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import time as time_of_day

    from apscheduler.triggers.base import BaseTrigger

    from monitor.records import Clock
    from monitor.settings import Schedule

GRACE: Final = timedelta(hours=3)
"""How late a run may start; APScheduler's own default of one second would drop a digest silently."""

LOOK_BACK: Final = timedelta(days=8)
"""How far back a missed run is caught up: a week and the clock change in it."""

MAKE_UP_MINUTES: Final = 15
STOP_SECONDS: Final = 8
CHECK_SECONDS: Final = 20
LEAP_SECONDS: Final = 60
"""By how much the wall clock may move against the machine's steady one between two looks before it has leapt."""
LEASE_NAME: Final = "scheduler"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One line of the clock's table. `catch_up`: whether a missed run is made up for."""

    name: str
    trigger: BaseTrigger
    job: Callable[[Workplace, datetime], routine.Done]
    catch_up: bool


def table(schedule: Schedule, zone: str) -> tuple[Planned, ...]:
    """Return the clock's table for a configured schedule in an IANA zone."""

    def at(days: str, when: time_of_day) -> CronTrigger:
        return CronTrigger(day_of_week=days, hour=when.hour, minute=when.minute, timezone=zone)

    return (
        Planned(
            name="collect",
            trigger=IntervalTrigger(minutes=schedule.collect_every_minutes, timezone="UTC"),
            job=routine.collect_job,
            catch_up=False,
        ),
        Planned(
            name="daily",
            trigger=at(",".join(schedule.digest_days), schedule.digest_time),
            job=routine.daily_job,
            catch_up=True,
        ),
        Planned(
            name="weekly",
            trigger=at(schedule.weekly_day, schedule.weekly_time),
            job=routine.weekly_job,
            catch_up=True,
        ),
        Planned(
            name="retention",
            trigger=at("*", schedule.retention_time),
            job=routine.retention_job,
            catch_up=True,
        ),
        Planned(
            name="backup",
            trigger=at("*", schedule.backup_time),
            job=routine.backup_job,
            catch_up=True,
        ),
        Planned(
            name="recheck",
            trigger=IntervalTrigger(hours=1, timezone="UTC"),
            job=routine.recheck_job,
            catch_up=False,
        ),
        Planned(
            name="deliver",
            trigger=IntervalTrigger(minutes=1, timezone="UTC"),
            job=routine.deliver_job,
            catch_up=False,
        ),
    )


def latest_before(trigger: BaseTrigger, now: datetime) -> datetime | None:
    """Return the trigger's last moment at or before `now` (zone-aware), None if it lies too far back."""
    moment: datetime | None = None
    following = trigger.get_next_fire_time(None, now - LOOK_BACK)
    while following is not None and following <= now:
        moment = following
        following = trigger.get_next_fire_time(following, following + timedelta(microseconds=1))
    return moment


class Clockwork:
    """Runs the table's jobs over one workplace and writes each run into the journal."""

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self.table = table(place.settings.schedule, place.settings.federation.time_zone)
        self._locks = {line.name: threading.Lock() for line in self.table}

    def planned(self, name: str) -> Planned:
        """Return one line of the table.

        Raises:
            ConfigError: there is no such job.
        """
        for line in self.table:
            if line.name == name:
                return line
        raise ConfigError(f"there is no job {name!r}", cure=f"jobs: {', '.join(line.name for line in self.table)}")

    def missing(self) -> tuple[tuple[Planned, datetime], ...]:
        """Return the runs that should have happened by now and did not, at most one a job.

        Nothing is made up for from before the monitor's very first job.
        """
        now = self._place.clock()
        out = []
        for line in self.table:
            moment = latest_before(line.trigger, now) if line.catch_up else None
            if moment is None:
                continue
            with self._place.store.read() as connection:
                done = journal.last_done(connection, line.name, until=now) or journal.first_start(connection)
            if done is not None and done < moment:
                out.append((line, moment))
        return tuple(out)

    def run(self, line: Planned, moment: datetime | None = None) -> bool:
        """Run a job for its latest moment, once; return False if that was done already.

        Raises:
            Exception: whatever the job raised, after it was written into the journal.
        """
        with self._locks[line.name]:
            now = self._place.clock()
            moment = moment or (latest_before(line.trigger, now) if line.catch_up else None) or now
            with self._place.store.write() as connection:
                set_right(connection, now)
                done = journal.last_done(connection, line.name, until=now)
                if line.catch_up and done is not None and done >= moment:
                    return False
                number = journal.start(connection, line.name, planned=moment, now=now)
            error = "stopped before its end"
            try:
                result = line.job(self._place, moment)
                error = ""
                logs.log().info("job done", job=line.name, **result.figures)
            except MonitorError as fault:
                error = str(fault)
                raise
            except Exception as fault:
                error = f"a fault in the program ({type(fault).__name__})"
                raise
            finally:
                with self._place.store.write() as connection:
                    journal.finish(connection, number, now=self._place.clock(), error=error)
                self.tell()
        return True

    def tell(self) -> None:
        """Write how the clock is doing for whoever watches it from outside."""
        names = [line.name for line in self.table]
        try:
            status.write(status.status_of(self._place, names), self._place.settings.folder)
        except OSError as error:  # a full disk stops no job here; who watches sees that the status grows old
            logs.log().error("status not written", error=type(error).__name__)

    def make_up(self) -> None:
        """Run what is missing: a digest that failed at 07:30 is tried again the same morning."""
        for line, moment in self.missing():
            self.run(line, moment)

    def note_trouble(self, event: JobExecutionEvent) -> None:
        """Write a run that APScheduler missed into the journal; failed ones are there already."""
        if event.code == EVENT_JOB_MISSED:
            with self._place.store.write() as connection:
                journal.missed(
                    connection,
                    event.job_id,
                    planned=event.scheduled_run_time.astimezone(UTC),
                    now=self._place.clock(),
                )
        logs.log().error(
            "job missed" if event.code == EVENT_JOB_MISSED else "job failed",
            job=event.job_id,
            error=type(event.exception).__name__ if event.exception else "",
        )


class Lease:
    """Keeps a second scheduler off the same store."""

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self._holder = secrets.token_hex(8)

    def take(self) -> None:
        """Take the lease.

        Raises:
            StoreError: another scheduler holds it.
        """
        if not self._claim():
            raise StoreError(
                "another scheduler is running on this store; stop it first "
                f"(one that died lets go after {journal.LEASE.seconds // 60} minutes)"
            )

    def keep(self, stop: threading.Event) -> None:
        """Renew the lease; if another scheduler took it while this machine slept, stop."""
        if not self._claim():
            logs.log().error("another scheduler took over")
            stop.set()

    def _claim(self) -> bool:
        """Take or renew the lease; return whether it is ours."""
        with self._place.store.write() as connection:
            return journal.claim(connection, LEASE_NAME, holder=self._holder, now=self._place.clock())

    def release(self) -> None:
        """Let the next scheduler start at once."""
        with self._place.store.write() as connection:
            journal.release(connection, LEASE_NAME, holder=self._holder)


def keep_time(
    scheduler: BackgroundScheduler,
    stop: threading.Event,
    *,
    wall: Clock = utc_now,
    steady: Callable[[], float] = time.monotonic,
    every: float = CHECK_SECONDS,
) -> None:
    """Wait until `stop`; where the wall clock leaps against the steady one, reckon every job's next time anew.

    Else a clock that goes back by a day would have the next collection a day away.
    """
    offset = wall().timestamp() - steady()
    while not stop.wait(every):
        now = wall().timestamp() - steady()
        if abs(now - offset) > LEAP_SECONDS:
            logs.log().warning("the clock leapt", seconds=round(now - offset))
            begin_anew(scheduler, wall())
        offset = now


def begin_anew(scheduler: BackgroundScheduler, now: datetime) -> None:
    """Run what runs every so often at `now`, and reckon from now when the others come next."""
    for job in scheduler.get_jobs():
        if isinstance(job.trigger, IntervalTrigger):
            scheduler.modify_job(job.id, next_run_time=now)
        else:
            scheduler.modify_job(job.id, next_run_time=job.trigger.get_next_fire_time(None, now))


def run_forever(place: Workplace) -> None:
    """Run the clock until SIGTERM or SIGINT; then stop within ten seconds.

    Raises:
        StoreError: another scheduler is running on this store.
        StoreDamaged: a job found the store damaged; whoever starts the clock again has it restored.
    """
    lease = Lease(place)
    lease.take()
    clockwork = Clockwork(place)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    scheduler = BackgroundScheduler(
        timezone=place.settings.federation.time_zone,
        job_defaults={
            "coalesce": True,
            "max_instances": 1,
            "misfire_grace_time": int(GRACE.total_seconds()),
        },
    )
    scheduler.add_listener(clockwork.note_trouble, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
    damage: list[StoreDamaged] = []

    def stop_if_damaged(event: JobExecutionEvent) -> None:
        if isinstance(event.exception, StoreDamaged):
            damage.append(event.exception)
            stop.set()

    scheduler.add_listener(stop_if_damaged, EVENT_JOB_ERROR)
    now = datetime.now(UTC)
    for line in clockwork.table:
        scheduler.add_job(
            clockwork.run,
            line.trigger,
            args=(line,),
            id=line.name,
            **({} if line.catch_up else {"next_run_time": now}),
        )
    often = IntervalTrigger(minutes=MAKE_UP_MINUTES)
    scheduler.add_job(clockwork.make_up, often, id="make up", next_run_time=now)
    scheduler.add_job(clockwork.tell, IntervalTrigger(seconds=30), id="status", next_run_time=now)
    scheduler.add_job(lease.keep, IntervalTrigger(seconds=30), args=(stop,), id="lease")
    scheduler.start()
    logs.log().info("scheduler started", jobs=len(clockwork.table))
    keep_time(scheduler, stop)
    logs.log().info("scheduler stopping")
    waiter = threading.Thread(target=scheduler.shutdown, daemon=True)
    waiter.start()
    waiter.join(STOP_SECONDS)
    if damage:
        raise StoreDamaged(f"{damage[0]}; the clock has stopped, and its next start restores the newest backup")
    lease.release()
    logs.log().info("scheduler stopped", in_time=not waiter.is_alive())
    if waiter.is_alive():
        # a source that does not answer must not hold the service up; every write is a transaction
        sys.stderr.flush()
        os._exit(0)


@click.command(epilog="Example: python scheduler.py --config monitor.toml, or python scheduler.py --once daily")
@click.option("--config", type=click.Path(path_type=Path), help="monitor.toml to use")
@click.option("--once", metavar="JOB", help="run one job now and stop")
def main(config: Path | None, once: str | None) -> None:
    """Run the monitor's clock in the foreground; stop it with SIGTERM or Ctrl-C."""
    logs.configure()
    try:
        with open_workplace(settings.load(config), thorough=True) as place:
            if once:
                clockwork = Clockwork(place)
                line = clockwork.planned(once)
                clockwork.run(line, place.clock())
            else:
                run_forever(place)
    except ConfigError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    except MonitorError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
