"""The process that is killed: the product's own clockwork, and a watch that ends it at one exact step.

A step is whatever changes something that outlives the process: a statement that writes (each kind once a
transaction), the moment before and the moment after a COMMIT, a file opened for writing, renamed or removed. The
watch stands on SQLAlchemy's events and Python's audit hooks alone; the product knows nothing of it, and nothing in
it is replaced.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import event

import collectors
from monitor import settings
from monitor.jobs import rights
from monitor.jobs.collect import collect
from monitor.jobs.judge import judge_pending
from monitor.jobs.workplace import Workplace, open_workplace
from monitor.settings import Secrets
from scheduler import Clockwork

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

WRITES: Final = ("INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP")
PASSING: Final = ("TEMP", "temp.")
"""Marks of a statement that writes into what ends with the connection."""
WORDS: Final = 3
"""How many words of a statement name a step: "INSERT INTO mentions"."""
SAID: Final = "said.txt"
_WROTE: Final = "wrote"
_COMMITTED: Final = "COMMIT"

for _name in collectors.names():
    collectors.module(_name)  # here, so that a process which is forked from this one need not


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What the process does at one moment of its clock (zone-aware), in this order.

    `jobs` are names of the clock's table, or: "restart" for what a start does, "read" and "judge" for those two
    alone, "erase ADDRESS" for a person's request. None at all: the store is opened, and that is all.
    """

    at: datetime
    jobs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One life of the process: the turns to do over one monitor.toml, and what the watch is told.

    Attributes:
        config: monitor.toml.
        turns: in order.
        kill_at: number of the step at which the process ends, from 1; 0 to live.
        told: where the names of the steps are written at the end of a life, one a line; None for nowhere.
    """

    config: Path
    turns: tuple[Turn, ...]
    kill_at: int = 0
    told: Path | None = None


class Watch:
    """Counts the steps, and ends the process at one of them."""

    def __init__(self, folder: Path, kill_at: int) -> None:
        self.names: list[str] = []
        self._folder = str(folder)
        self._kill_at = kill_at

    def begin(self) -> None:
        """Watch from now on."""
        event.listen(sa.Engine, "after_cursor_execute", self._executed)
        event.listen(sa.Engine, "commit", self._committing)
        event.listen(sa.pool.Pool, "checkin", self._released)
        sys.addaudithook(self._audited)

    def _reached(self, name: str) -> None:
        """Count a step; the last one is not survived."""
        self.names.append(name)
        if len(self.names) == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def _executed(self, connection: sa.Connection, _cursor: object, statement: str, *_more: object) -> None:
        """Count a statement that wrote."""
        words = statement.split(maxsplit=WORDS)
        lasting = not any(mark in word for word in words[:WORDS] for mark in PASSING)
        name = f"after {' '.join(words[:WORDS])}"
        met: set[str] = connection.info.setdefault(_WROTE, set())
        if words and words[0].upper() in WRITES and lasting and name not in met:
            met.add(name)
            self._reached(name)

    def _committing(self, connection: sa.Connection) -> None:
        """Count the moment before a COMMIT of something."""
        if connection.info.get(_WROTE):
            self._reached("before COMMIT")
            connection.info[_WROTE].add(_COMMITTED)

    def _released(self, _connection: object, record: Any) -> None:  # noqa: ANN401 - a pool's record
        """Count the moment after it: the connection goes back."""
        if _COMMITTED in record.info.pop(_WROTE, ()):
            self._reached("after COMMIT")

    def _audited(self, name: str, told: tuple[Any, ...]) -> None:
        """Count what is about to be done to a file of the monitor's."""
        if name in {"os.rename", "os.remove", "os.mkdir", "open"} and str(told[0]).startswith(self._folder):
            opened = name == "open"
            if not opened or told[2] & (os.O_WRONLY | os.O_RDWR):
                self._reached(f"before {'opening' if opened else name} {os.path.basename(str(told[0]))}")  # noqa: PTH119


class Hands:
    """A clock that stands where the turn puts it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now


def live(errand: Errand) -> None:
    """Do an errand's turns in this process, or die of it; what it says goes into a file beside monitor.toml."""
    with errand.config.with_name(SAID).open("w", encoding="utf-8") as said:
        os.dup2(said.fileno(), sys.stdout.fileno())
        os.dup2(said.fileno(), sys.stderr.fileno())
    own = settings.load(errand.config)
    watch = Watch(own.folder, errand.kill_at)
    hands = Hands(errand.turns[0].at)
    watch.begin()
    with open_workplace(own, secrets=Secrets({}), clock=hands) as place:
        clockwork = Clockwork(place)
        for turn in errand.turns:
            hands.now = turn.at
            for job in turn.jobs:
                _do(place, clockwork, job)
    if errand.told:
        errand.told.write_text("\n".join(watch.names), encoding="utf-8")


def _do(place: Workplace, clockwork: Clockwork, job: str) -> None:
    """Do one thing."""
    name, _, about = job.partition(" ")
    match name:
        case "restart":
            clockwork.make_up()
            for line in clockwork.table:
                if not line.catch_up:
                    clockwork.run(line)
        case "read":
            collect(place)
        case "judge":
            judge_pending(place)
        case "erase":
            rights.erase(place, rights.Request(url=about))
        case _:
            clockwork.run(clockwork.planned(name))
