"""Thirty days at a hundred times the expected volume, in minutes: `python -m benchmarks.soak`.

The clock's own jobs run by a clock whose hands are moved: every three hours (instead of every quarter of one) the
sources are read over HTTP from a server on this machine, new posts are judged, alerts raised, what is due for it is
asked for again; each morning a digest, each Monday a report, each night retention and a backup. Two schools bring a
few dozen posts a day, of which most are about other schools of the same name; a hundred times that is 5,000.

To make a month show what a year would, retention is set to seven days (P3 and P4) and fourteen (P0 to P2), so that
the store stops growing in the second week. Of the posts, 85 % are about namesakes or other things (dropped at the
gate, counted by reason), 10 % are news of our schools, every fifth told by two papers, and 5 % stand on Bluesky,
half of which are deleted there within two days. Threats and complaints are as rare as in life. The response owner
closes cases after a day.

At the end the books must balance: every post that was served is stored, dropped or erased, and memory and the time
of the digest's queries are flat. The exit code is 1 if they are not.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
import structlog

from monitor.jobs.casework import Act, Doing, act
from monitor.jobs.daily import gather
from monitor.jobs.workplace import Workplace, open_workplace
from monitor.records import Window
from monitor.rehearsal.bluesky import Bluesky, Post
from monitor.rehearsal.feeds import Item, json_feed
from monitor.rehearsal.server import Reply, Request, Server
from monitor.settings import Secrets, Settings
from monitor.store import cases, mentions, runs
from monitor.store.schema import mentions as mention_table
from monitor.store.schema import runs as run_table
from monitor.store.schema import tombstones
from reports.daily import build
from scheduler import Clockwork

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitor.rehearsal.server import Route

BEGIN: Final = datetime(2026, 10, 5, 3, 30, tzinfo=UTC)
"""A Monday; the clocks go back on the third Sunday after it."""
PAPERS: Final = 8
READ_EVERY: Final = timedelta(hours=3)
STEP: Final = timedelta(minutes=30)
OTHERS: Final = 85
"""Of a hundred posts, how many are about other schools or none."""
OVERLAP: Final = timedelta(minutes=30)
"""How long a feed goes on showing what it showed: a post may be seen twice, and must be counted once."""
FLAT: Final = 1.5
"""How much dearer the last week's digests may be than those of the third, the first with a steady store (medians)."""
FLAT_MEMORY: Final = 1.15

NAMESAKES: Final = (
    "King James's School in Almondbury, Huddersfield holds its fair number {n}",
    "Open evening at King James's School, Bishop Auckland, visitor {n}",
    "King James I Academy Bishop Auckland wins match {n}",
    "Council of Harrogate discusses item {n} of its agenda",
    "Roadworks in Wetherby, notice {n}",
)
NEWS: Final = (
    "King James's School in Knaresborough opens its new library to reader number {n}",
    "Boroughbridge High School's choir sings concert {n} in the market square",
    "Pupils of King James's School, Knaresborough planted tree number {n} by the Nidd",
    "Boroughbridge High School thanks helper {n} of its summer fair",
    "Knaresborough: King James's School runners finish race {n}, and everyone cheered",
)
CHAT: Final = (
    "Lovely concert at Boroughbridge High School tonight, well done everyone, row {n}",
    "King James's School Knaresborough sports day was brilliant, thank you, photo {n}",
    "Does anybody know when Boroughbridge High School breaks up, asking for the {n}th time",
)
COMPLAINT: Final = "Half the toilets at King James's School in Knaresborough are locked again, complaint {n}"
THREAT: Final = "I am bringing a knife to Boroughbridge High School tomorrow, wait and see, warning {n}"


class Hands:
    """A clock whose hands are moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the moment the hands show."""
        return self.now


@dataclass(slots=True)
class World:
    """What is published while the days go by.

    Attributes:
        per_day: posts a day, all kinds together.
        papers: what each paper's feed shows now.
        bluesky: the network, of which posts older than a month are forgotten.
        posted: how many posts of each kind there were.
        served: how many entries the feeds gave, repeated ones included.
    """

    per_day: int
    papers: list[list[Item]] = field(default_factory=lambda: [[] for _ in range(PAPERS)])
    bluesky: Bluesky = field(default_factory=Bluesky)
    posted: Counter[str] = field(default_factory=Counter)
    served: Counter[str] = field(default_factory=Counter)
    _number: int = 0
    _owed: float = 0.0

    @property
    def routes(self) -> Mapping[str, Route]:
        """What to serve."""
        feeds = {f"/feed/{number}": partial(self.feed, number) for number in range(PAPERS)}
        return {**feeds, **self.bluesky.routes}

    @property
    def secrets(self) -> Secrets:
        """What lets us in."""
        return Secrets({"MONITOR_BLUESKY_APP_PASSWORD": self.bluesky.password})

    def publish(self, now: datetime, span: timedelta) -> None:
        """Publish what is due for `span` up to `now`; feeds let go of what is older than the overlap."""
        for paper in self.papers:
            paper[:] = [item for item in paper if item.published > now - span - OVERLAP]
        self._owed += self.per_day * span / timedelta(days=1)
        due = int(self._owed)
        self._owed -= due
        for left in reversed(range(due)):
            self._number += 1
            self._post(self._number, now - span * (left + 0.5) / due)
        keep = now - timedelta(days=30)
        self.bluesky.posts = [post for post in self.bluesky.posts if post.indexed > keep and not _is_deleted(post, now)]

    def _post(self, number: int, moment: datetime) -> None:
        """Publish one post: its number says of which kind."""
        kind = number % 100
        if kind < OTHERS:
            self._print(number, "namesake", NAMESAKES[number % len(NAMESAKES)], moment)
        elif kind < 95:
            self._print(number, "news", NEWS[number % len(NEWS)], moment)
        else:
            words = THREAT if number % 20_000 == 99 else COMPLAINT if number % 2_000 == 99 else CHAT[number % len(CHAT)]
            self.posted["chat"] += 1
            self.bluesky.posts.append(Post(rkey=f"3soak{number:09d}", text=words.format(n=number), indexed=moment))

    def _print(self, number: int, kind: str, words: str, moment: datetime) -> None:
        """Print an article; every fifth one in two papers."""
        item = Item(
            id=f"urn:soak:{number}",
            link=f"https://paper.example/{number}",
            title="",
            text=words.format(n=number),
            published=moment,
        )
        self.posted[kind] += 1
        for paper in (0, 3) if number % 5 == 0 else (0,):
            self.papers[(number + paper) % PAPERS].append(item)

    def feed(self, number: int, request: Request) -> Reply:
        """Serve one paper's feed."""
        del request
        items = self.papers[number]
        for item in items:
            self.served["namesake" if "paper.example" in item.link and _is_namesake(item) else "news"] += 1
        return json_feed(f"Paper {number}", items)


def _is_namesake(item: Item) -> bool:
    """Whether an article is about another school, by its number."""
    return int(item.id.rpartition(":")[2]) % 100 < OTHERS


def _is_deleted(post: Post, now: datetime) -> bool:
    """Whether its author took a post down by now: every second one, after a day and a half."""
    return int(post.rkey[5:]) % 200 >= 100 and now - post.indexed > timedelta(hours=36)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What one day's measurement found.

    Attributes:
        stored: mentions in the store. erased: in all.
        memory: of this process, MB. size: of the database, MB.
        digest: milliseconds of processor time for the queries and the view of a day's digest.
        collect: seconds, by the wall, of one reading with its judgements.
    """

    number: int
    stored: int
    erased: int
    memory: float
    size: float
    digest: float
    collect: float


def settings(folder: Path, server: Server) -> Settings:
    """Return the settings of the soak."""
    school = {"headteacher": "head@school.example", "dsl": "dsl@school.example", "deputy_dsl": "d@school.example"}
    return Settings.model_validate(
        {
            "file": folder / "monitor.toml",
            "privacy": {
                "dpia": {
                    "reference": "none: invented",
                    "owner": "nobody",
                    "signed": "2026-01-01",
                    "review_due": "2030-01-01",
                }
            },
            "roles": {
                "response_owner": "owner@school.example",
                "senior_leader": "leader@school.example",
                "chair": "chair@school.example",
                "schools": {"BHS": school, "KJS": school},
            },
            "retention": {"P0": 14, "P1": 14, "P2": 14, "P3": 7, "P4": 7},
            "reading": {"private_hosts": [server.host]},
            "sources": {
                "feeds": {
                    "feeds": [{"name": f"Paper {n}", "url": f"{server.url}/feed/{n}"} for n in range(PAPERS)],
                },
                "bluesky": {"service": server.url, "handle": "monitor.test"},
            },
        }
    )


def soak(place: Workplace, hands: Hands, world: World, days: int, *, every: timedelta = READ_EVERY) -> Iterator[Day]:
    """Let the days go by, reading the sources every so often; give a measurement after each."""
    clockwork = Clockwork(place)
    collect, recheck, deliver = (clockwork.planned(name) for name in ("collect", "recheck", "deliver"))
    for number in range(1, days + 1):
        readings = []
        for _ in range(timedelta(days=1) // every):
            world.publish(hands.now, every)
            started = time.perf_counter()
            clockwork.run(collect)
            readings.append(time.perf_counter() - started)
            clockwork.run(recheck)
            for _ in range(every // STEP):
                hands.now += STEP
                clockwork.make_up()
                clockwork.run(deliver)
        _close_cases(place)
        yield _measured(place, number, statistics.median(readings))


def _close_cases(place: Workplace) -> None:
    """Do what the response owner does: close what is a day old."""
    with place.store.read() as connection:
        waiting = cases.still_open(connection, opened_before=place.clock() - timedelta(days=1))
    for case in waiting:
        act(place, case.reference, Doing(act=Act.CLOSE, by="owner", why="answered"))


def _measured(place: Workplace, number: int, collect: float) -> Day:
    """Measure the store after a day."""
    window = Window(start=place.clock() - timedelta(days=1), end=place.clock())
    best = min(_digest_seconds(place, window) for _ in range(3))
    assert place.store.file is not None
    with place.store.read() as connection:
        stored = connection.scalar(sa.select(sa.func.count()).select_from(mention_table)) or 0
        erased = _erased(connection)
    return Day(
        number=number,
        stored=stored,
        erased=erased,
        memory=_memory(),
        size=place.store.file.stat().st_size / 1e6,
        digest=best * 1000,
        collect=collect,
    )


def _digest_seconds(place: Workplace, window: Window) -> float:
    """Return the processor time that the digest of a window takes, from the store to its view.

    Not the time on the wall: a machine that does other things as well would make a flat line look steep.
    """
    started = time.thread_time()
    with place.store.read() as connection:
        material = gather(place, connection, window)
    build(material)
    return time.thread_time() - started


def _erased(connection: sa.Connection) -> int:
    """Return how many posts were erased: tombstones, without the second one of an article."""
    return connection.scalar(sa.select(sa.func.count()).select_from(tombstones).where(tombstones.c.source != "")) or 0


def _memory() -> float:
    """Return what this process holds, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def books(place: Workplace, world: World) -> tuple[tuple[str, int, int], ...]:
    """Return (what, what the world says, what the monitor says) of everything that must agree."""
    with place.store.read() as connection:
        stored = connection.scalar(sa.select(sa.func.count()).select_from(mention_table)) or 0
        erased = _erased(connection)
        kept = runs.between(connection, Window(start=BEGIN, end=place.clock()))
        new = connection.scalar(sa.select(sa.func.sum(run_table.c.new))) or 0
        unjudged = len(mentions.pending(connection, 10))
    feeds = [run for run in kept if run.source == "feeds"]
    dropped = sum(sum(run.dropped.values()) for run in feeds)
    ours = world.posted["news"] + world.posted["chat"]
    return (
        ("entries that the feeds served = seen", world.served.total(), sum(run.seen for run in feeds)),
        ("entries about others that were served = dropped", world.served["namesake"], dropped),
        ("posts about our schools = new, each once", ours, new),
        ("posts about our schools = stored + erased", ours, stored + erased),
        ("posts without judgement", 0, unjudged),
        ("readings that were not complete", 0, sum(run.outcome.value != "complete" for run in kept)),
    )


def main() -> int:
    """Print a line a day, then the books; return 1 where they do not balance or a line is not flat."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--per-day", type=int, default=5_000)
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    world, hands = World(per_day=asked.per_day), Hands(BEGIN)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, Server(world.routes) as server:
        own = settings(Path(folder), server)
        with open_workplace(own, secrets=world.secrets, clock=hands) as place:
            print(f"{asked.days} days, {asked.per_day} posts a day\n")
            print("| day | stored | erased | database, MB | memory, MB | digest, ms | one reading, s |")
            print("|---:|---:|---:|---:|---:|---:|---:|")
            days = []
            for day in soak(place, hands, world, asked.days):
                days.append(day)
                server.requests.clear()
                print(
                    f"| {day.number} | {day.stored} | {day.erased} | {day.size:.1f} | {day.memory:.0f} "
                    f"| {day.digest:.0f} | {day.collect:.2f} |",
                    flush=True,
                )
            balance = books(place, world)
            backups = len(list((own.folder / "backups").iterdir()))
    print(f"\n{world.posted.total()} posts in {time.perf_counter() - started:.0f} s; {backups} backups kept\n")
    print("| books | the world says | the monitor says |\n|---|---:|---:|")
    for what, said, found in balance:
        print(f"| {what} | {said} | {found} |")
    return 0 if all(said == found for _what, said, found in balance) and flat(days) else 1


def flat(days: list[Day]) -> bool:
    """Print how memory and digests of the last week compare with those of the third; return whether both are flat."""
    if len(days) < 28:
        print("\ntoo few days to say whether anything is flat")
        return True
    early, late = days[14:21], days[-7:]
    digest = statistics.median(d.digest for d in late) / statistics.median(d.digest for d in early)
    memory = max(d.memory for d in late) / max(d.memory for d in early)
    size = statistics.median(d.size for d in late) / statistics.median(d.size for d in early)
    print(f"\nlast week against the third: digest x{digest:.2f}, memory x{memory:.2f}, database x{size:.2f}")
    return digest <= FLAT and memory <= FLAT_MEMORY


if __name__ == "__main__":
    sys.exit(main())
