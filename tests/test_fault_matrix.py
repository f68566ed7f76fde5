"""Death at every step, a locked store, a clock astray, slow and broken sources: nothing lost, nothing doubled.

The whole matrix is `python -m benchmarks.faults`; here is a sample of it, and the faults that are no death.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import event

import scheduler
from benchmarks import faults
from benchmarks._town import NOW, Town
from monitor import settings
from monitor.errors import ConfigError, StoreError
from monitor.jobs import routine
from monitor.jobs.collect import collect
from monitor.jobs.judge import judge_pending
from monitor.jobs.workplace import open_workplace
from monitor.records import Outcome, Purpose, Rendered, Window
from monitor.rehearsal.server import Reply, Server, dripping
from monitor.settings import Secrets
from monitor.store import cases, journal, mentions, outbox, runs
from scheduler import Clockwork
from tests.post_office import AnyPort
from tests.test_main_job import Hands, Postbox, post_office, settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.jobs.workplace import Workplace
    from monitor.rehearsal.server import Request

HOUSE = Path(__file__).parents[1]
PATIENCE = 120
SAMPLE = 2
OURS = "Toilets at King James's School in Knaresborough are locked again"


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with Town() as opened:
        yield opened


@pytest.fixture
def hands() -> Hands:
    """Monday 23 November 2026, ten minutes before the digest."""
    return Hands(NOW)


def rss(*titles: str, words: str = f"{OURS}: ") -> Reply:
    items = "".join(
        f"<item><title>{title}</title><link>https://paper.example/{title.split()[-1]}</link>"
        f"<pubDate>Mon, 23 Nov 2026 06:00:00 GMT</pubDate><description>{words}{title}</description></item>"
        for title in titles
    )
    body = f'<?xml version="1.0"?><rss version="2.0"><channel><title>P</title>{items}</channel></rss>'
    return Reply(body=body.encode(), headers={"Content-Type": "application/rss+xml"})


def feeds_of(server: Server, *paths: str) -> dict[str, Any]:
    return {
        "pages": {"enabled": False},
        "feeds": {"feeds": [{"name": path, "url": f"{server.url}/{path}"} for path in paths]},
    }


def everything(place: Workplace) -> list[str]:
    """Native ids of all that is stored, whenever it says it came."""
    with place.store.read() as connection:
        whole = Window(start=datetime(2020, 1, 1, tzinfo=UTC), end=datetime(2040, 1, 1, tzinfo=UTC))
        return sorted(stored.mention.native_id for stored in mentions.between(connection, whole))


# ---------------------------------------------------------------- the matrix


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize("scenario", faults.SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_death_at_any_of_a_sample_of_steps_loses_nothing_and_doubles_nothing(
    town: Town, tmp_path: Path, scenario: faults.Scenario, database: str
) -> None:
    if database not in faults.databases():
        pytest.skip(f"{faults.POSTGRES} names no PostgreSQL database")
    row = faults.Matrix(town, tmp_path, database).run(scenario, most=SAMPLE)
    assert row.whole["mention"] >= 3
    assert row.whole["mail"] >= 1
    assert row.whole["told"] >= 3
    assert [outcome for outcome in row.outcomes if not outcome.survived] == []
    assert len(row.outcomes) == SAMPLE


def test_the_matrix_finds_a_loss_where_there_is_one(town: Town, tmp_path: Path) -> None:
    """A person who does not repeat the request that died, although the command said nothing: that is a loss."""
    asked = next(scenario for scenario in faults.SCENARIOS if scenario.again)
    (outcome,) = faults.Matrix(town, tmp_path, "sqlite").run(replace(asked, again=()), most=1).outcomes
    assert not outcome.survived
    assert outcome.lost["tombstone"] > 0
    assert outcome.doubled["mention"] == 1


# ---------------------------------------------------------------- mail


def queued_in(place: Workplace) -> str:
    """Put one message into the outbox; return its id."""
    from monitor.mail import compose  # noqa: PLC0415 - used by this helper alone

    message = compose(
        Rendered(name="weekly-2026-48", subject="A report", html="<p>Invented.</p>", text="Invented."),
        kind="weekly",
        recipient="owner@school.example",
        mail=place.settings.mail,
        federation=place.settings.federation,
        now=place.clock(),
    )
    with place.store.write() as connection:
        outbox.queue(connection, message)
    return message.message_id


def deliver_killed_on(town: Town, config: Path, words: str) -> None:
    """Run the real program's delivery; the mail server kills it at one of its replies."""
    town.reaper.begin(on=words)
    child = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "scheduler.py", "--config", str(config), "--once", "deliver"],
        cwd=HOUSE,
        stderr=subprocess.DEVNULL,
    )
    town.reaper.aim(child.pid)
    assert child.wait(PATIENCE) == -signal.SIGKILL


@pytest.mark.parametrize(
    ("words", "copies"),
    [
        ("before it answers '220", 1),
        ("before it answers '354", 1),
        ("before it answers '250 taken", 2),
    ],
)
def test_mail_is_sent_once_and_twice_only_where_it_was_taken_and_nobody_told(
    town: Town, tmp_path: Path, words: str, copies: int
) -> None:
    """Killed before the last reply, the real program cannot know: once more, the same id, the same bytes."""
    town.reset()
    config = tmp_path / "monitor.toml"
    config.write_text(town.config(""), encoding="utf-8")
    hands = Hands(datetime.now(UTC))
    with open_workplace(settings.load(config), secrets=Secrets({}), clock=hands) as place:
        name = queued_in(place)
    deliver_killed_on(town, config, words)
    with open_workplace(settings.load(config), secrets=Secrets({}), clock=hands) as place:
        place.postman.deliver()
        assert len(town.box.received) == copies - 1, "a message that another process has in hand was sent"
        for _ in range(4):
            hands.forward(minutes=20)
            place.postman.deliver()
        with place.store.read() as connection:
            assert outbox.was_sent(connection, name)
    assert [letter.id for letter in town.box.received] == [name] * copies
    assert len({letter.content for letter in town.box.received}) == 1


class DiesAfterData:
    """A mail server that takes the first message and breaks the line before it says so."""

    def __init__(self, box: Postbox) -> None:
        self.box = box
        self.dead = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ANN401, N802
        answer = await self.box.handle_DATA(server, session, envelope)
        if not self.dead:
            self.dead += 1
            server.transport.abort()
        return answer


def test_a_mail_server_that_dies_after_the_message_gets_it_once_more_with_the_same_id(
    tmp_path: Path, hands: Hands
) -> None:
    box = Postbox()
    office = AnyPort(DiesAfterData(box), hostname="127.0.0.1", port=0)
    office.start()
    try:
        own = settings_for(tmp_path, port=office.port, sources={}, hosts=())
        with open_workplace(own, secrets=Secrets({}), clock=hands) as place:
            name = queued_in(place)
            assert place.postman.deliver().delayed == 1
            for _ in range(3):
                hands.forward(minutes=2)
                place.postman.deliver()
    finally:
        office.stop()
    assert [message["Message-ID"] for _, message in box.messages] == [name, name]


# ---------------------------------------------------------------- a locked store


def lock(file: Path) -> sqlite3.Connection:
    """Hold the write lock of a store, as a backup program might."""
    held = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    held.execute("BEGIN IMMEDIATE")
    return held


def test_the_store_waits_a_minute_for_another_writer(tmp_path: Path) -> None:
    own = settings_for(tmp_path, port=25, sources={}, hosts=())
    with open_workplace(own, secrets=Secrets({})) as place, place.store.read() as connection:
        assert int(connection.exec_driver_sql("PRAGMA busy_timeout").scalar() or 0) >= 60_000


def test_a_collection_waits_for_a_lock_to_go_and_stores_everything_once(tmp_path: Path, hands: Hands) -> None:
    held: list[sqlite3.Connection] = []

    def serve(_request: Request) -> Reply:
        held.append(lock(tmp_path / "monitor-data" / "monitor.sqlite"))
        threading.Timer(1.0, held[0].close).start()
        return rss("one", "two")

    with Server({"/a": serve}) as server:
        own = settings_for(tmp_path, port=25, sources=feeds_of(server, "a"), hosts=(server.host,))
        with open_workplace(own, secrets=Secrets({}), clock=hands) as place:
            (run,) = collect(place)
            assert run.outcome is Outcome.COMPLETE
            assert len(everything(place)) == 2


def test_a_lock_that_stays_is_said_and_the_next_run_loses_nothing(tmp_path: Path, hands: Hands) -> None:
    held: list[sqlite3.Connection] = []

    def serve(_request: Request) -> Reply:
        if not held:
            held.append(lock(tmp_path / "monitor-data" / "monitor.sqlite"))
        return rss("one", "two")

    with Server({"/a": serve}) as server:
        own = settings_for(tmp_path, port=25, sources=feeds_of(server, "a"), hosts=(server.host,))
        with open_workplace(own, secrets=Secrets({}), clock=hands) as place:

            def impatient(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
                connection.execute("PRAGMA busy_timeout = 50")

            place.store.engine.dispose()
            event.listen(place.store.engine, "connect", impatient)
            with pytest.raises(StoreError, match="database is locked"):
                collect(place)
            held[0].close()
            (run,) = collect(place)
            assert run.new == 2
            assert len(everything(place)) == 2


# ---------------------------------------------------------------- two at once


def test_two_collections_at_once_store_and_alert_everything_once(town: Town, tmp_path: Path) -> None:
    town.reset()
    town.reaper.begin()
    config = tmp_path / "monitor.toml"
    config.write_text(town.config(""), encoding="utf-8")
    code = "import sys; from monitor.cli import main; main()"
    children = [
        subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", code, "collect", "--config", str(config), "--json"],
            cwd=HOUSE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [json.loads(child.communicate(timeout=PATIENCE)[0]) for child in children]
    with open_workplace(settings.load(config), secrets=Secrets({})) as place:
        stored = everything(place)
        with place.store.read() as connection:
            now = place.clock()
            opened = cases.opened_in(connection, Window(start=now - timedelta(hours=1), end=now + timedelta(hours=1)))
    assert len(stored) == len(set(stored)) > 3
    assert sum(run["new"] for one in said for run in one["runs"]) == len(stored)
    assert len({case.mention_id for case in opened}) == len(opened) > 0
    assert sorted(reference for one in said for reference in one["cases"]) == sorted(case.reference for case in opened)
    assert max(Counter(letter.id for letter in town.box.received).values()) == 1


def test_a_judgement_that_was_overtaken_is_not_recorded(tmp_path: Path, hands: Hands) -> None:
    """Another process judged one meanwhile, an edit of the second came in, the third was erased."""
    told = ["one", "two", "three", "four"]
    with Server({"/a": lambda _: rss(*told)}) as server:
        own = settings_for(tmp_path, port=25, sources=feeds_of(server, "a"), hosts=(server.host,))
        with open_workplace(own, secrets=Secrets({}), clock=hands) as place:
            collect(place)
            with place.store.read() as connection:
                waiting = mentions.pending(connection, 10)
            one, two, three, four = waiting
            with place.store.write() as connection:
                changed = replace(two.mention, text=f"{OURS}: edited")
                mentions.refresh(
                    connection,
                    two.id,
                    mentions.Arrival(mention=changed, author_key="", sha256=changed.sha256),
                    hands.now,
                )
                connection.execute(sa.text("UPDATE mentions SET judged_under = 'x' WHERE id = :id"), {"id": one.id})
                connection.execute(sa.text("DELETE FROM mentions WHERE id = :id"), {"id": three.id})
                assert mentions.still_pending(connection, waiting) == {four.id}


def test_a_post_never_gets_the_number_of_one_that_was_erased_and_so_has_a_case_of_its_own(
    tmp_path: Path, hands: Hands
) -> None:
    told = ["one"]
    with Server({"/a": lambda _: rss(*told)}) as server:
        own = settings_for(tmp_path, port=25, sources=feeds_of(server, "a"), hosts=(server.host,))
        with open_workplace(own, secrets=Secrets({}), clock=hands) as place:
            collect(place)
            judge_pending(place)
            with place.store.read() as connection:
                (first,) = cases.still_open(connection)
            with place.store.write() as connection:
                mentions.erase(connection, [first.mention_id], now=hands.now, why="asked for", forget=frozenset())
            told[:] = ["a pupil will be stabbed at King James's School, Knaresborough"]
            hands.forward(days=8)
            collect(place)
            judge_pending(place)
            with place.store.read() as connection:
                opened = cases.still_open(connection)
    assert len({case.mention_id for case in opened}) == len(opened) == 2


# ---------------------------------------------------------------- the clock


NOUNS = (
    "lantern orchard kettle harbour ribbon meadow piano ladder saddle window garden button carpet bottle basket candle "
    "pencil jacket market bridge tunnel island forest valley engine mirror pillow marble cotton silver copper timber"
)


def unlike(number: int) -> str:
    """Return praise that shares no sentence with any other: each is a story of its own."""
    words = random.Random(number).sample(NOUNS.split(), 12)  # noqa: S311 - words, not secrets
    return f"Well done Boroughbridge High School, what a lovely concert: {' '.join(words)} number{number:02}"


def only_sends(place: Workplace, _planned: datetime) -> routine.Done:
    """Deliver, and judge later."""
    place.postman.deliver()
    return routine.Done(figures={})


def only_reads(place: Workplace, _planned: datetime) -> routine.Done:
    """Collect, and judge later: what the clock does to a run is the same."""
    collect(place, due_only=True)
    return routine.Done(figures={})


def round_of(place: Workplace) -> None:
    """Do what the clock does every quarter of an hour."""
    clockwork = Clockwork(place)
    clockwork.make_up()
    clockwork.run(replace(clockwork.planned("collect"), job=only_reads))
    clockwork.run(replace(clockwork.planned("deliver"), job=only_sends))


@pytest.mark.parametrize(
    ("begin", "leaps"),
    [
        (datetime(2026, 11, 23, 7, 20, tzinfo=UTC), {2: timedelta(hours=3), 4: timedelta()}),
        (datetime(2026, 11, 23, 7, 20, tzinfo=UTC), {2: -timedelta(hours=5), 5: timedelta()}),
        (datetime(2026, 11, 23, 7, 20, tzinfo=UTC), {2: timedelta(days=1, hours=1), 3: timedelta()}),
        (datetime(2026, 11, 23, 7, 20, tzinfo=UTC), {2: -timedelta(days=1), 3: timedelta()}),
        (datetime(2026, 11, 23, 7, 20, tzinfo=UTC), {1: timedelta(days=365), 2: timedelta()}),
        # the night on which clocks go back: Sunday 25 October 2026, 01:00 UTC
        (datetime(2026, 10, 24, 20, 20, tzinfo=UTC), {1: timedelta(hours=1), 3: -timedelta(hours=1), 4: timedelta()}),
    ],
    ids=["3 h ahead", "5 h behind", "a day ahead", "a day behind", "a year ahead", "an hour about the clock change"],
)
def test_a_clock_that_goes_astray_loses_no_post_and_no_digest_and_doubles_none(
    tmp_path: Path, begin: datetime, leaps: dict[int, timedelta]
) -> None:
    """Every five hours a new post; the wall clock is wrong for a while. Each post is stored once and told."""
    told: list[str] = []
    hands = Hands(begin)
    wrong = timedelta()
    rounds = 13 if begin.month == 10 else 11  # no digest may have more than it lists one by one
    with Server({"/a": lambda _: rss(*told, words="")}) as server, post_office() as (box, port):
        own = settings_for(tmp_path, port=port, sources=feeds_of(server, "a"), hosts=(server.host,))
        own = own.model_copy(update={"schedule": own.schedule.model_copy(update={"weekly_day": "sun"})})
        with open_workplace(own, secrets=Secrets({}), clock=hands) as place:
            for number in range(rounds):
                wrong = leaps.get(number, wrong)
                told.append(unlike(number))
                hands.now = begin + timedelta(hours=5 * number) + wrong
                round_of(place)
            # the digest after the last round tells what came last
            hands.now = begin + timedelta(hours=5 * rounds + 24)
            round_of(place)
            stored = everything(place)
            with place.store.read() as connection:
                opened = cases.still_open(connection)
                last = runs.latest(connection, "feeds")
    digests = box.to("owner@school.example", "daily")
    said = " ".join(message.get_body(("plain",)).get_content() for message in digests)  # type: ignore[union-attr]
    assert len(stored) == len(set(stored)) == rounds
    assert [key for key in stored if key not in said] == [], "never told"
    names = [message["Message-ID"].split(".")[0] for message in digests]
    assert len(names) == len(set(names))
    first = begin.date()
    days = [first + timedelta(days=back) for back in range((hands.now.date() - first).days + 1)]
    due = {f"<daily-{day}" for day in days if day.weekday() < 5}
    assert due <= set(names)
    assert all(case.opened <= hands.now for case in opened)
    assert all(case.due is None or case.due <= hands.now + timedelta(days=14) for case in opened)
    assert last is not None
    assert last.started == hands.now, "the source was not read again after the clock came back"


def test_a_clock_a_year_ahead_erases_nothing_before_it_has_run_for_half_a_day(tmp_path: Path, hands: Hands) -> None:
    with Server({"/a": lambda _: rss("one")}) as server:
        own = settings_for(tmp_path, port=25, sources=feeds_of(server, "a"), hosts=(server.host,))
        with open_workplace(own, secrets=Secrets({}), clock=hands) as place:
            clockwork = Clockwork(place)
            clockwork.run(replace(clockwork.planned("collect"), job=only_reads))
            hands.forward(days=365)
            clockwork.run(clockwork.planned("retention"))
            assert len(everything(place)) == 1
            clockwork.run(clockwork.planned("deliver"))
            hands.forward(days=1)
            clockwork.run(clockwork.planned("retention"))
            assert everything(place) == []


def test_mail_put_off_by_a_clock_that_was_ahead_does_not_wait_for_it(tmp_path: Path, hands: Hands) -> None:
    with post_office() as (box, port):
        own = settings_for(tmp_path, port=port, sources={}, hosts=())
        with open_workplace(own, secrets=Secrets({}), clock=hands) as place:
            hands.forward(days=30)
            box.refuses = "451 later"
            queued_in(place)
            place.postman.deliver()
            box.refuses = ""
            hands.forward(days=-30)
            assert place.postman.deliver().sent == 1


def test_a_lease_from_the_future_holds_nobody_off(tmp_path: Path, hands: Hands) -> None:
    own = settings_for(tmp_path, port=25, sources={}, hosts=())
    with open_workplace(own, secrets=Secrets({}), clock=hands) as place, place.store.write() as connection:
        assert journal.claim(connection, "scheduler", holder="dead", now=hands.now + timedelta(days=365))
        assert journal.claim(connection, "scheduler", holder="new", now=hands.now)
        assert not journal.claim(connection, "scheduler", holder="other", now=hands.now)


def test_after_a_leap_of_the_clock_every_job_is_reckoned_anew() -> None:
    """The wall clock goes back by a day: what comes every minute must not wait for a day."""
    began = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    jobs = BackgroundScheduler(timezone="Europe/London")
    jobs.start(paused=True)
    jobs.add_job(print, IntervalTrigger(minutes=1), id="often", next_run_time=began)
    jobs.add_job(print, CronTrigger(hour=7, minute=30, timezone="Europe/London"), id="daily", next_run_time=began)
    stop = threading.Event()
    walls = iter([began, began, began - timedelta(days=1)])
    now = began - timedelta(days=1)

    def wall() -> datetime:
        found = next(walls, None)
        if found is None:
            stop.set()
        return found or now

    scheduler.keep_time(jobs, stop, wall=wall, steady=lambda: 0.0, every=0.001)
    due = {job.id: job.next_run_time for job in jobs.get_jobs()}
    jobs.shutdown()
    assert due == {"often": now, "daily": datetime(2026, 11, 24, 7, 30, tzinfo=UTC)}


# ---------------------------------------------------------------- sources


def test_a_source_that_drips_is_cut_off_recorded_and_told_and_the_others_are_read(tmp_path: Path, hands: Hands) -> None:
    with Server({"/slow": lambda _: rss("slow"), "/quick": lambda _: rss("quick")}) as server:
        server.play(dripping(0.2), at="/slow")
        own = settings_for(tmp_path, port=25, sources=feeds_of(server, "slow", "quick"), hosts=(server.host,))
        own = own.model_copy(update={"reading": own.reading.model_copy(update={"total_seconds": 1.0})})
        with open_workplace(own, secrets=Secrets({}), clock=hands) as place:
            (run,) = collect(place)
            assert run.outcome is Outcome.PARTIAL
            assert "too slow" in run.error
            assert everything(place) == ["https://paper.example/quick"]
            server.mend()
            (run,) = collect(place)
            assert run.outcome is Outcome.COMPLETE
            assert len(everything(place)) == 2


def test_what_was_stored_is_judged_and_alerted_even_where_collecting_is_not_allowed(
    tmp_path: Path, hands: Hands
) -> None:
    with Server({"/a": lambda _: rss("one")}) as server, post_office() as (_, port):
        own = settings_for(tmp_path, port=port, sources=feeds_of(server, "a"), hosts=(server.host,))
        with open_workplace(own, secrets=Secrets({}), clock=hands) as place:
            collect(place)
            hands.forward(days=365 * 5)
            with pytest.raises(ConfigError, match="due for review"):
                Clockwork(place).run(Clockwork(place).planned("collect"))
            with place.store.read() as connection:
                assert mentions.pending(connection, 10) == ()
                assert runs.latest(connection, "feeds", purpose=Purpose.RECHECK) is None


def test_of_many_feeds_half_of_them_broken_each_good_one_is_stored_once_and_the_digest_stays_short() -> None:
    out = subprocess.run(
        [sys.executable, "-m", "benchmarks._sources", "1000"],
        cwd=HOUSE,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HOUSE)},
    )
    found = json.loads(out.stdout.splitlines()[-1])
    assert found["stored"] == found["distinct"] == 500
    assert found["new_again"] == 0
    assert not found["complete"]
    assert found["error"].startswith("500 of 1000 feeds failed")
    assert found["told"]
    assert found["lines_where_we_looked"] < 60
    assert found["digest_bytes"] < 80_000
