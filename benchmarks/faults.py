"""Kill the monitor at every step and count what is lost: `python -m benchmarks.faults [--json] [--only NAME ...]`.

Each scenario first lives through undisturbed, while its steps are counted: each statement that writes, before and
after each COMMIT, each file that is written or renamed, each answer of a source, each reply of the mail server.
Then it is lived once for each step, from the same beginning; at that step the process is killed (SIGKILL) and
started again, as a service manager would. What the store and the mail server hold at the end is compared with the
undisturbed life. Nobody lists the steps, so a new one is covered from the day it is there.

PostgreSQL is tried as well where MONITOR_TEST_POSTGRES names a server. The exit code is 1 if anything was lost or
doubled. The guarantees are in docs/faults.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import sqlalchemy as sa

from benchmarks._ledger import Ledger, ledger, recorded
from benchmarks._old_store import old_store
from benchmarks._town import NOW, Town
from benchmarks._victim import SAID, Errand, Turn, live
from monitor import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from benchmarks._town import Received

POSTGRES: Final = "MONITOR_TEST_POSTGRES"
PATIENCE: Final = 120
"""Seconds after which a life that does not end is taken for hung."""

DOUBLED: Final = ("mention", "case", "mail", "tombstone", "objection")
LOST: Final = (*DOUBLED, "told")
"""An open case is told in every digest, so that "told" can only be lost."""

BEGUN: Final = (Turn(at=NOW - timedelta(minutes=1), jobs=("deliver",)),)
"""The monitor's first job: nothing is made up for from before it."""


def started_again(after: datetime) -> tuple[Turn, ...]:
    """Return what is done after a death: a start, and all jobs again once a claimed message has come back."""
    return tuple(Turn(at=after + timedelta(minutes=minutes), jobs=("restart",)) for minutes in (2, 20))


ERASE: Final = Turn(at=NOW + timedelta(minutes=1), jobs=("erase https://paper.example/toilets",))


def mended(town: Town) -> None:
    """Let the mail server accept what comes."""
    town.box.refuses = ""


def taken_back(town: Town) -> None:
    """Delete one post at its source, and edit another."""
    town.take_back(1)
    town.take_back(2, words="Boroughbridge High School: the choir was awful")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One job of the matrix.

    Attributes:
        name, what: its name, and what it does, in a sentence.
        before: the lives that lead up to it.
        job: the turns in which it is killed.
        again: what a person does again who saw a command die.
        change: what happens in the world between `before` and `job`.
        begin: makes the store where it must not be one of today's; gets its URL.
    """

    name: str
    what: str
    job: tuple[Turn, ...]
    before: tuple[Turn, ...] = BEGUN
    again: tuple[Turn, ...] = ()
    change: Callable[[Town], None] = mended
    begin: Callable[[str], None] | None = None

    @property
    def after(self) -> tuple[Turn, ...]:
        """What is done after the death, and in the undisturbed life as well."""
        return (*self.again, *started_again(self.job[-1].at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """One step at which the process dies: in itself, or at the hand of a server that it talks to."""

    step: str
    in_process: int = 0
    at_server: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one death cost.

    Attributes:
        step: where it died.
        lost, doubled: how many things of each kind.
        again: messages that came twice because the server had taken them and nobody had been told: same id,
            same bytes.
        trouble: what went wrong with the experiment itself, "" if nothing.
    """

    step: str
    lost: dict[str, int] = field(default_factory=dict)
    doubled: dict[str, int] = field(default_factory=dict)
    again: int = 0
    trouble: str = ""

    @property
    def survived(self) -> bool:
        """Whether nothing was lost and nothing doubled."""
        return not (any(self.lost.values()) or any(self.doubled.values()) or self.trouble)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One scenario on one database: what an undisturbed life holds in the end, and every death."""

    scenario: str
    database: str
    whole: dict[str, int]
    outcomes: tuple[Outcome, ...]
    seconds: float

    def total(self, what: str, kind: str) -> int:
        """Return how many things of a kind were "lost" or "doubled" in all deaths."""
        return sum(getattr(outcome, what).get(kind, 0) for outcome in self.outcomes)


SCENARIOS: Final = (
    Scenario(
        name="collect",
        what="reads two feeds and a Mastodon instance, judges, opens cases, alerts",
        job=(Turn(at=NOW, jobs=("collect",)),),
    ),
    Scenario(
        name="judge",
        what="judges what was collected and opens cases",
        before=(
            *BEGUN,
            Turn(at=NOW, jobs=("read",)),
        ),
        job=(Turn(at=NOW + timedelta(minutes=1), jobs=("judge",)),),
    ),
    Scenario(
        name="digest",
        what="builds the digest, writes it down, queues and sends it",
        before=(
            *BEGUN,
            Turn(at=NOW, jobs=("collect",)),
        ),
        job=(Turn(at=NOW + timedelta(minutes=10), jobs=("daily",)),),
    ),
    Scenario(
        name="send",
        what="sends alerts and a digest that the relay refused before",
        before=(*BEGUN, Turn(at=NOW, jobs=("collect",)), Turn(at=NOW + timedelta(minutes=10), jobs=("daily",))),
        job=(Turn(at=NOW + timedelta(minutes=20), jobs=("deliver",)),),
    ),
    Scenario(
        name="erase on request",
        what="erases an article because a person asked for it",
        before=(
            *BEGUN,
            Turn(at=NOW, jobs=("collect",)),
        ),
        job=(ERASE,),
        again=(ERASE,),
    ),
    Scenario(
        name="erase in time",
        what="erases what was kept long enough",
        before=(*BEGUN, Turn(at=NOW, jobs=("collect",)), Turn(at=NOW + timedelta(days=40), jobs=("collect",))),
        job=(Turn(at=NOW + timedelta(days=40, hours=22), jobs=("retention",)),),
    ),
    Scenario(
        name="erase at the source",
        what="asks again for posts: one is gone, one was edited",
        before=(
            *BEGUN,
            Turn(at=NOW, jobs=("collect",)),
        ),
        change=taken_back,
        job=(Turn(at=NOW + timedelta(hours=23), jobs=("recheck",)),),
    ),
    Scenario(
        name="migrate",
        what="opens a store of the first version with a message in its outbox",
        begin=old_store,
        before=(),
        job=(Turn(at=NOW),),
    ),
)


class Matrix:
    """Runs scenarios over one town; `database` is "sqlite" or "postgresql"."""

    def __init__(self, town: Town, folder: Path, database: str) -> None:
        self._town = town
        self._folder = folder
        self._database = database
        self._processes = get_context("forkserver")
        self._processes.set_forkserver_preload(["benchmarks._victim"])

    def run(self, scenario: Scenario, *, most: int | None = None) -> Row:
        """Live a scenario once undisturbed and once for each step, and return what it cost.

        `most`: die only so often, at steps spread evenly over all; None for every step.
        """
        started = time.monotonic()
        self._town.reset()
        with self._place() as home:
            if scenario.begin:
                scenario.begin(home.url)
            if scenario.name == "send":
                self._town.box.refuses = "451 come back later"
            if scenario.before:
                self._whole_life(home, scenario.before)
            scenario.change(self._town)
            held = tuple(self._town.box.received)
            with self._copy(home) as place:
                names = self._steps(place, scenario.job)
                self._whole_life(place, scenario.after)
                whole = ledger(place.engine, self._town.box.received)
            deaths = [
                *(Death(step=name, in_process=number) for number, name in enumerate(names[0], start=1)),
                *(Death(step=name, at_server=number) for number, name in enumerate(names[1], start=1)),
            ]
            outcomes = []
            spread = deaths if most is None else [deaths[len(deaths) * number // most] for number in range(most)]
            for death in spread:
                self._town.box.received = list(held)
                with self._copy(home) as place:
                    outcomes.append(self._die(place, scenario, death, whole))
        return Row(
            scenario=scenario.name,
            database=self._database,
            whole={kind: whole.count(kind) for kind in LOST},
            outcomes=tuple(outcomes),
            seconds=time.monotonic() - started,
        )

    def _steps(self, place: _Place, turns: tuple[Turn, ...]) -> tuple[list[str], list[str]]:
        """Live a job undisturbed; return the names of its own steps and of those of the servers."""
        told = place.folder / "steps.txt"
        self._whole_life(place, turns, told=told)
        return told.read_text(encoding="utf-8").splitlines(), list(self._town.reaper.counted)

    def _whole_life(self, place: _Place, turns: tuple[Turn, ...], told: Path | None = None) -> None:
        """Live to the end."""
        code = self._life(Errand(config=place.config, turns=turns, told=told))
        assert code == 0, f"an undisturbed life ended with {code}: {_said(place)}"

    def _life(self, errand: Errand, *, at_server: int = 0) -> int:
        """Start the process, wait for its end, return its exit code; a signal is negative."""
        reaper = self._town.reaper
        reaper.begin(at_server)
        process = self._processes.Process(target=live, args=(errand,))
        process.start()
        reaper.aim(process.pid or 0)
        process.join(PATIENCE)
        if process.exitcode is None:
            process.kill()
            process.join()
            return 1
        return process.exitcode

    def _die(self, place: _Place, scenario: Scenario, death: Death, whole: Ledger) -> Outcome:
        """Kill the job at one step, start again, and compare."""
        box = self._town.box
        code = self._life(
            Errand(config=place.config, turns=scenario.job, kill_at=death.in_process), at_server=death.at_server
        )
        if code != -signal.SIGKILL:
            return Outcome(step=death.step, trouble=f"ended with {code}, not killed: {_said(place)}")
        unknown = [letter for letter in box.received if letter.id not in recorded(place.engine)]
        code = self._life(Errand(config=place.config, turns=scenario.after))
        if code:
            return Outcome(step=death.step, trouble=f"ended with {code} after its restart: {_said(place)}")
        again = _again(box.received, unknown)
        found = ledger(place.engine, _without(box.received, again))
        return Outcome(
            step=death.step,
            lost={kind: found.missing(whole, kind) for kind in LOST},
            doubled={kind: found.surplus(whole, kind) for kind in DOUBLED},
            again=len(again),
            trouble=_integrity(place.engine),
        )

    @contextmanager
    def _place(self) -> Iterator[_Place]:
        """Give an empty place for one monitor."""
        with _database(self._database, self._folder, None) as (folder, url):
            yield self._settled(folder, url)

    @contextmanager
    def _copy(self, home: _Place) -> Iterator[_Place]:
        """Give a place that is as another is now."""
        with _database(self._database, self._folder, home) as (folder, url):
            place = self._settled(folder, url)
            yield place
            place.engine.dispose()

    def _settled(self, folder: Path, url: str) -> _Place:
        """Write the monitor.toml of a place."""
        config = folder / "monitor.toml"
        config.write_text(self._town.config(url if self._database == "postgresql" else ""), encoding="utf-8")
        return _Place(folder=folder, config=config, url=settings.load(config).database_url)


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where one monitor lives."""

    folder: Path
    config: Path
    url: str
    engine: sa.Engine = field(init=False)

    def __post_init__(self) -> None:
        """Make the engine with which the harness looks in; it connects when it is first used."""
        object.__setattr__(self, "engine", sa.create_engine(self.url, poolclass=sa.NullPool))


@contextmanager
def _database(kind: str, folder: Path, model: _Place | None) -> Iterator[tuple[Path, str]]:
    """Give a folder and the URL of a database, both empty or copies of a model's; they go at the end."""
    own = folder / uuid4().hex[:12]
    if model:
        shutil.copytree(model.folder, own)
    else:
        own.mkdir()
    url = ""
    server = sa.make_url(os.environ.get(POSTGRES, "postgresql://")) if kind == "postgresql" else None
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool) if server else None
    name = f"monitor_fault_{own.name}"
    try:
        if admin and server:
            template = f" TEMPLATE {sa.make_url(model.url).database}" if model else ""
            with admin.connect() as connection:
                connection.execute(sa.text(f"CREATE DATABASE {name}{template}"))
            url = server.set(database=name).render_as_string(hide_password=False)
        yield own, url
    finally:
        shutil.rmtree(own)
        if admin:
            with admin.connect() as connection:
                connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


def _said(place: _Place) -> str:
    """Return the last thing that a process said."""
    said = (place.folder / SAID).read_text(encoding="utf-8").splitlines()
    return said[-1] if said else "nothing"


def _again(received: Sequence[Received], unknown: Sequence[Received]) -> list[Received]:
    """Return the messages that came a second time, byte by byte, after nobody was told of the first."""
    return [
        letter
        for letter in unknown
        if sum(other.id == letter.id for other in received) == 2 and received.count(letter) == 2
    ]


def _without(received: Iterable[Received], again: Iterable[Received]) -> list[Received]:
    """Return what was received, less one of each that came again."""
    left = list(received)
    for letter in again:
        left.remove(letter)
    return left


def _integrity(engine: sa.Engine) -> str:
    """Return what SQLite finds wrong with its file, "" if nothing."""
    if engine.dialect.name != "sqlite":
        return ""
    with engine.connect() as connection:
        found = str(connection.exec_driver_sql("PRAGMA integrity_check").scalar())
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return "" if found == "ok" and not broken else f"the database is damaged: {found} {broken}"


def databases() -> tuple[str, ...]:
    """Return the databases that can be tried here."""
    return ("sqlite", "postgresql") if os.environ.get(POSTGRES) else ("sqlite",)


def said(row: Row) -> str:
    """Return a scenario's end in one line, for whoever waits for the others."""
    survived = sum(outcome.survived for outcome in row.outcomes)
    return f"{row.scenario} on {row.database}: {survived} of {len(row.outcomes)} deaths survived, {row.seconds:.0f} s"


def table(rows: Sequence[Row]) -> str:
    """Return the matrix for people, in Markdown."""
    lines = [
        "| job | database | killed | survived "
        + "".join(f"| {things} | lost | doubled " for things in ("mentions", "cases", "mails"))
        + "| sent again, unanswered |",
        "|---|---|" + "---:|" * 12,
    ]
    for row in rows:
        cells = [
            row.scenario,
            row.database,
            str(len(row.outcomes)),
            str(sum(outcome.survived for outcome in row.outcomes)),
        ]
        for kind in ("mention", "case", "mail"):
            cells += [str(row.whole[kind]), str(row.total("lost", kind)), str(row.total("doubled", kind))]
        cells.append(str(sum(outcome.again for outcome in row.outcomes)))
        lines.append(f"| {' | '.join(cells)} |")
    for row in rows:
        lines += [
            f"\n{row.scenario} on {row.database}, killed {outcome.step}: {outcome.trouble}"
            f" lost {outcome.lost} doubled {outcome.doubled}"
            for outcome in row.outcomes
            if not outcome.survived
        ]
    return "\n".join(lines)


def main() -> int:
    """Run the matrix; return 1 if anything was lost or doubled."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--json", action="store_true", help="print JSON for a program")
    options.add_argument("--only", nargs="+", default=("",), help="run the scenarios whose names begin so")
    options.add_argument("--database", choices=databases(), help="try this one alone")
    asked = options.parse_args()
    rows = []
    with Town() as town, tempfile.TemporaryDirectory() as folder:
        for database in (asked.database,) if asked.database else databases():
            matrix = Matrix(town, Path(folder), database)
            for scenario in SCENARIOS:
                if scenario.name.startswith(tuple(asked.only)):
                    rows.append(matrix.run(scenario))
                    print(said(rows[-1]), file=sys.stderr, flush=True)
    print(json.dumps([asdict(row) for row in rows], indent=2) if asked.json else table(rows))
    return 0 if all(outcome.survived for row in rows for outcome in row.outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
