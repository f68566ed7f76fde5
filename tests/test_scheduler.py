"""The clock runs each job once for each moment, by the wall clock, and one clock runs on one store."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.triggers.date import DateTrigger
from click.testing import CliRunner

import scheduler
from monitor import settings
from monitor.errors import ConfigError, StoreError
from monitor.jobs import routine
from monitor.jobs.daily import window_for
from monitor.jobs.workplace import Workplace, open_workplace
from monitor.records import Judgement, Mention, Relevance, Sentiment, Severity, Window
from monitor.settings import Secrets
from monitor.store import journal, mentions
from monitor.store.engine import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitor.store.engine import Store

LONDON = ZoneInfo("Europe/London")
ROOT = Path(__file__).parents[1]
PATIENCE = 60
"""Seconds until a child process that hangs fails its test."""


@dataclass(slots=True)
class SetClock:
    """A clock that stands still until it is moved."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass(slots=True)
class Recorder:
    """A job that only notes for which moments it ran."""

    moments: list[datetime] = field(default_factory=list)
    fault: Exception | None = None

    def __call__(self, _place: Workplace, planned: datetime) -> routine.Done:
        self.moments.append(planned.astimezone(LONDON))
        if self.fault is not None:
            raise self.fault
        return routine.Done(figures={})


@pytest.fixture(autouse=True)
def own_settings() -> Iterator[None]:
    """Leave signals and logging as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    structlog.reset_defaults()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A monitor.toml with a response owner and nothing else."""
    found = tmp_path / "monitor.toml"
    found.write_text(
        '[federation]\ncontact = "office@school.example"\n[roles]\nresponse_owner = "owner@school.example"\n'
    )
    return found


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 11, 23, 6, 0, tzinfo=UTC))


@pytest.fixture
def place(file: Path, clock: SetClock) -> Iterator[Workplace]:
    with open_workplace(settings.load(file), secrets=Secrets({}), clock=clock) as opened:
        yield opened


def local(day: date, at: time) -> datetime:
    return datetime.combine(day, at, LONDON)


def recorded(place: Workplace, name: str, fault: Exception | None = None) -> tuple[scheduler.Clockwork, Recorder]:
    """Return a clockwork of one job of the table, which only notes its moments."""
    clockwork = scheduler.Clockwork(place)
    job = Recorder(fault=fault)
    clockwork.table = (replace(clockwork.planned(name), job=job),)
    return clockwork, job


def begin(place: Workplace) -> None:
    """Note that the monitor began: nothing is made up for from before."""
    with place.store.write() as connection:
        number = journal.start(connection, "deliver", planned=place.clock(), now=place.clock())
        journal.finish(connection, number, now=place.clock())


def step(clock: SetClock, clockwork: scheduler.Clockwork, until: datetime) -> None:
    """Move the clock in half hours; run what is due, twice, as two triggers at once would."""
    while clock.now < until:
        clock.now += timedelta(minutes=30)
        for line, moment in clockwork.missing():
            assert clockwork.run(line, moment)
            assert not clockwork.run(line, moment)
            assert not clockwork.run(line)


@pytest.mark.parametrize("first", [date(2026, 10, 19), date(2027, 3, 22), date(2027, 10, 25)])
def test_the_digest_is_due_once_each_school_morning_at_half_past_seven_across_clock_changes(
    place: Workplace, clock: SetClock, first: date
) -> None:
    clock.now = local(first, time(0, 0)).astimezone(UTC)
    begin(place)
    clockwork, job = recorded(place, "daily")
    days = [first + timedelta(days=number) for number in range(14)]
    step(clock, clockwork, local(days[-1], time(23, 0)))
    assert job.moments == [local(day, time(7, 30)) for day in days if day.weekday() < 5]
    assert {moment.time() for moment in job.moments} == {time(7, 30)}


@pytest.mark.parametrize("first", [date(2026, 10, 24), date(2027, 3, 27)])
def test_retention_runs_once_a_night_across_clock_changes(place: Workplace, clock: SetClock, first: date) -> None:
    clock.now = local(first, time(0, 0)).astimezone(UTC)
    begin(place)
    clockwork, job = recorded(place, "retention")
    step(clock, clockwork, local(first + timedelta(days=3), time(0, 0)))
    assert job.moments == [local(first + timedelta(days=number), time(3, 15)) for number in range(3)]


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2026, 11, 24), 24),
        (date(2026, 11, 23), 72),
        (date(2026, 10, 26), 73),
        (date(2027, 3, 29), 71),
    ],
)
def test_a_digest_covers_everything_since_the_one_before_and_mondays_the_weekend(
    place: Workplace, day: date, hours: int
) -> None:
    planned = local(day, time(7, 30))
    window = window_for(place, planned)
    assert window.end == planned
    assert window.start.astimezone(LONDON).time() == time(7, 30)
    assert window.length == timedelta(hours=hours)


def test_after_days_of_downtime_there_is_exactly_one_digest_to_make_up_for(place: Workplace, clock: SetClock) -> None:
    begin(place)
    clockwork, job = recorded(place, "daily")
    clock.now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    step(clock, clockwork, clock.now + timedelta(minutes=30))
    clock.now = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
    assert [(line.name, moment) for line, moment in clockwork.missing()] == [
        ("daily", local(date(2026, 11, 27), time(7, 30)))
    ]
    step(clock, clockwork, clock.now + timedelta(hours=2))
    assert [moment.date().day for moment in job.moments] == [23, 27]


def test_nothing_is_made_up_for_from_before_the_first_start(place: Workplace, clock: SetClock) -> None:
    clock.now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    clockwork, _ = recorded(place, "daily")
    assert clockwork.missing() == ()
    begin(place)
    assert clockwork.missing() == ()


def test_what_is_read_often_is_never_made_up_for(place: Workplace, clock: SetClock) -> None:
    begin(place)
    clock.now += timedelta(days=3)
    clockwork = scheduler.Clockwork(place)
    assert {line.name for line, _ in clockwork.missing()} == {line.name for line in clockwork.table if line.catch_up}
    assert "collect" not in {line.name for line, _ in clockwork.missing()}


def test_a_failed_digest_is_made_up_for_at_the_next_start(place: Workplace, clock: SetClock) -> None:
    begin(place)
    clock.now = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
    clockwork, job = recorded(place, "daily", StoreError("the disk is full"))
    with pytest.raises(StoreError):
        clockwork.run(clockwork.planned("daily"))
    clock.now += timedelta(hours=1)
    job.fault = None
    step(clock, clockwork, clock.now + timedelta(hours=1))
    assert job.moments == [local(date(2026, 11, 23), time(7, 30))] * 2


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (StoreError("the disk is full"), "the disk is full"),
        (ZeroDivisionError("words of a post"), "a fault in the program (ZeroDivisionError)"),
    ],
)
def test_a_job_that_fails_is_in_the_journal(place: Workplace, clock: SetClock, fault: Exception, says: str) -> None:
    clockwork, _ = recorded(place, "retention", fault)
    with pytest.raises(type(fault)):
        clockwork.run(clockwork.planned("retention"))
    hour = Window(start=clock.now, end=clock.now + timedelta(hours=1))
    with place.store.read() as connection:
        assert [(run.job, run.outcome, run.error) for run in journal.troubles(connection, hour)] == [
            ("retention", "failed", says)
        ]


def test_a_run_that_came_too_late_is_in_the_journal(place: Workplace, clock: SetClock) -> None:
    clockwork = scheduler.Clockwork(place)
    planned = clock.now - timedelta(hours=4)
    clockwork.note_trouble(JobExecutionEvent(EVENT_JOB_MISSED, "daily", "default", planned))
    clockwork.note_trouble(JobExecutionEvent(EVENT_JOB_ERROR, "collect", "default", planned, exception=StoreError("x")))
    hour = Window(start=clock.now, end=clock.now + timedelta(hours=1))
    with place.store.read() as connection:
        assert [(run.job, run.outcome, run.planned) for run in journal.troubles(connection, hour)] == [
            ("daily", "missed", planned)
        ]


def test_a_trigger_that_has_not_fired_yet_has_no_latest_moment(clock: SetClock) -> None:
    assert scheduler.latest_before(DateTrigger(clock.now + timedelta(days=1)), clock.now) is None
    assert scheduler.latest_before(DateTrigger(clock.now), clock.now) == clock.now


def test_an_unknown_job_is_an_error_that_names_the_known_ones(place: Workplace) -> None:
    with pytest.raises(ConfigError, match="there is no job 'dialy'") as caught:
        scheduler.Clockwork(place).planned("dialy")
    assert "daily" in (caught.value.cure or "")


def outbox_of(place: Workplace) -> list[str]:
    """Subjects of the messages that were laid into the outbox folder."""
    files = sorted(place.outbox_folder.glob("*.eml")) if place.outbox_folder.exists() else []
    return [str(message_from_bytes(f.read_bytes(), policy=policy.default)["Subject"]) for f in files]


def praise(place: Workplace, moment: datetime, native_id: str) -> None:
    """Store one judged post, first seen at `moment`."""
    post = Mention(
        source="mastodon",
        native_id=native_id,
        url=f"https://social.example/{native_id}",
        text=f"Well done King James's School, number {native_id}",
        published=moment,
    )
    judged = Judgement(
        relevant=Relevance.YES,
        schools=("KJS",),
        sentiment=Sentiment.POSITIVE,
        sentiment_score=0.9,
        category="PRAISE",
        also=(),
        severity=Severity.P4,
        owner="response_owner",
        clauses=("2.10",),
        reasons=(),
        policy_version=place.policy.version,
    )
    arrived = mentions.Arrival(mention=post, author_key="", sha256=post.sha256)
    with place.store.write() as connection:
        mentions.take(connection, [arrived], now=moment, articles=frozenset())
        (number,) = mentions.numbers_of(connection, [("mastodon", native_id)])
        mentions.record(connection, [(number, judged)], now=moment)


def test_the_digest_is_written_queued_and_laid_down_once(place: Workplace, clock: SetClock) -> None:
    """The job itself, on a real store: Saturday's post stands in Monday's digest."""
    begin(place)
    praise(place, datetime(2026, 11, 21, 12, 0, tzinfo=UTC), "saturday")
    clock.now = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
    clockwork = scheduler.Clockwork(place)
    assert clockwork.run(clockwork.planned("daily"))
    assert not clockwork.run(clockwork.planned("daily"))
    (subject,) = outbox_of(place)
    assert subject.startswith("[Federation] ")
    text = (place.reports_folder / "daily-2026-11-23.txt").read_text(encoding="utf-8")
    assert "social.example/saturday" in text


def test_after_downtime_the_one_digest_covers_every_day_since_the_last(place: Workplace, clock: SetClock) -> None:
    begin(place)
    clockwork = scheduler.Clockwork(place)
    clock.now = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
    clockwork.run(clockwork.planned("daily"))
    praise(place, datetime(2026, 11, 24, 12, 0, tzinfo=UTC), "tuesday")
    clock.now = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
    for line, moment in clockwork.missing():
        clockwork.run(line, moment)
    text = (place.reports_folder / "daily-2026-11-27.txt").read_text(encoding="utf-8")
    assert "social.example/tuesday" in text
    assert len(outbox_of(place)) == 2


def test_the_small_jobs_of_the_table_run_on_an_empty_store(place: Workplace, clock: SetClock) -> None:
    clockwork = scheduler.Clockwork(place)
    for name in ("retention", "deliver"):
        assert clockwork.run(clockwork.planned(name))
    with place.store.read() as connection:
        assert journal.last_done(connection, "deliver") == clock.now


def test_a_second_clock_is_refused_and_takes_over_from_a_dead_one(place: Workplace, clock: SetClock) -> None:
    first, second = scheduler.Lease(place), scheduler.Lease(place)
    first.take()
    with pytest.raises(StoreError, match="another scheduler is running on this store"):
        second.take()
    clock.now += timedelta(seconds=30)
    stop = threading.Event()
    first.keep(stop)
    assert not stop.is_set()
    clock.now += journal.LEASE
    second.take()
    first.keep(stop)
    assert stop.is_set()


def test_a_clock_that_stopped_lets_the_next_one_start_at_once(place: Workplace) -> None:
    first, second = scheduler.Lease(place), scheduler.Lease(place)
    first.take()
    second.release()
    first.release()
    second.take()
    with pytest.raises(StoreError):
        first.take()


def eventually(store: Store, holds: Callable[[Store], bool], alive: Callable[[], bool]) -> bool:
    """Wait until `holds(store)`, or until nobody is `alive` who could bring it about."""
    while alive():
        if holds(store):
            return True
        threading.Event().wait(0.05)
    return holds(store)


def has_run(name: str) -> Callable[[Store], bool]:
    """Whether a job came to an end, good or bad."""

    def ended(store: Store) -> bool:
        with store.read() as connection:
            ends = "SELECT count(*) FROM job_runs WHERE ended IS NOT NULL AND job = ?"
            return bool(connection.exec_driver_sql(ends, (name,)).scalar())

    return ended


def leases(store: Store) -> int:
    with store.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM leases").scalar() or 0)


def child(file: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "scheduler.py", "--config", str(file), *more],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_job_that_fails_does_not_stop_the_others_and_the_clock_stops_when_asked(file: Path) -> None:
    """In this process, with the real clock and days to make up for: collecting is refused (no DPIA)."""
    with open_workplace(settings.load(file), secrets=Secrets({})) as place:
        with place.store.write() as connection:
            long_ago = place.clock() - timedelta(days=5)
            journal.finish(connection, journal.start(connection, "x", planned=long_ago, now=long_ago), now=long_ago)

        def stop_when_all_ran() -> None:
            for name in ("deliver", "collect", "daily", "retention"):
                eventually(place.store, has_run(name), threading.main_thread().is_alive)
            os.kill(os.getpid(), signal.SIGTERM)

        watcher = threading.Thread(target=stop_when_all_ran)
        watcher.start()
        scheduler.run_forever(place)
        watcher.join()
        assert leases(place.store) == 0
        with place.store.read() as connection:
            assert journal.last_done(connection, "deliver") is not None
            assert journal.last_done(connection, "collect") is None
            assert journal.last_done(connection, "daily") is not None
            assert journal.last_done(connection, "retention") is not None
            now = place.clock()
            hour = Window(start=now - timedelta(hours=1), end=now + timedelta(hours=1))
            assert "collect" in {run.job for run in journal.troubles(connection, hour)}


def test_the_clock_as_a_service_starts_on_a_new_store_and_stops_on_sigterm(file: Path) -> None:
    store = open_store(settings.load(file).database_url)
    running = child(file)
    try:
        assert eventually(store, has_run("deliver"), lambda: running.poll() is None)
        assert leases(store) == 1
        second = child(file)
        _, refused = second.communicate(timeout=PATIENCE)
        assert second.returncode == 1
        assert "another scheduler is running on this store" in refused
        running.send_signal(signal.SIGTERM)
        _, log = running.communicate(timeout=PATIENCE)
    finally:
        running.kill()
    assert running.returncode == 0
    assert "scheduler stopped" in log
    assert "Traceback" not in refused
    assert leases(store) == 0
    store.close()


def test_a_source_that_never_answers_does_not_hold_the_service_up(file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        with file.open("a") as config:
            config.write(
                '[privacy.dpia]\nreference="D"\nowner="O"\nsigned=2020-01-01\nreview_due=2999-01-01\n'
                f'[reading]\nprivate_hosts=["{host}"]\nread_seconds=120\n'
                f'[[sources.feeds.feeds]]\nname="slow"\nurl="http://{host}/feed.xml"\n'
            )
        store = open_store(settings.load(file).database_url)
        running = child(file)
        try:
            silent.settimeout(PATIENCE)
            asked, _ = silent.accept()
            running.send_signal(signal.SIGTERM)
            _, log = running.communicate(timeout=PATIENCE)
        finally:
            running.kill()
        asked.close()
    assert running.returncode == 0, log
    assert "scheduler stopped" in log
    assert leases(store) == 0
    store.close()


def test_one_job_can_be_run_by_hand(file: Path) -> None:
    result = CliRunner().invoke(scheduler.main, ["--config", str(file), "--once", "retention"])
    assert result.exit_code == 0, result.output
    store = open_store(settings.load(file).database_url)
    assert has_run("retention")(store)
    assert leases(store) == 0
    store.close()


def test_one_job_can_be_run_by_hand_from_the_command_line(file: Path) -> None:
    once = child(file, "--once", "deliver")
    _, log = once.communicate(timeout=PATIENCE)
    assert once.returncode == 0, log
    assert "job done" in log


@pytest.mark.parametrize(
    ("job", "says"), [("dialy", "there is no job 'dialy'"), ("collect", "signed Data Protection Impact")]
)
def test_what_is_wrong_with_the_configuration_is_said_with_code_two(file: Path, job: str, says: str) -> None:
    result = CliRunner().invoke(scheduler.main, ["--config", str(file), "--once", job])
    assert result.exit_code == 2
    assert says in result.output
    assert "cure:" in result.output


def test_a_clock_that_is_refused_says_why_with_code_one(file: Path) -> None:
    with open_workplace(settings.load(file), secrets=Secrets({})) as place:
        scheduler.Lease(place).take()
        result = CliRunner().invoke(scheduler.main, ["--config", str(file)])
    assert result.exit_code == 1
    assert "another scheduler is running on this store" in result.output


def test_a_store_that_cannot_be_used_is_said_with_code_one(file: Path) -> None:
    store = open_store(settings.load(file).database_url)
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    result = CliRunner().invoke(scheduler.main, ["--config", str(file)])
    assert result.exit_code == 1
    assert "update the program" in result.output
