"""A full collection of every source: `python -m benchmarks.collecting`.

Ten thousand invented posts wait on local servers that speak as the platforms do, in a process of their own; each
answer takes 50 ms, less than any platform's. One collection reads them all: for each source posts a second, the
share of its time that was spent waiting for the server, our own CPU, and how it compares with a bare loop, which
gets the very same pages with httpx and parses their JSON. Peak memory is that of the collecting process, for a
thousand posts and for ten thousand.

Caps and page limits are raised for the occasion; where a platform's paging ends earlier (GDELT: 250 in an answer,
Reddit and TikTok: 1,000 in a list), the others have more.
"""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import httpx

from benchmarks.house import settings
from monitor.jobs.collect import collect
from monitor.jobs.workplace import open_workplace
from monitor.policy.folder import FOLDER
from monitor.rehearsal.everywhere import everywhere
from monitor.rehearsal.server import Reply, Request, Server, json_reply
from monitor.rehearsal.stands import KINDS, Said, Stand
from monitor.settings import Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.records import Run

NOW: Final = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
SIZES: Final = (1_000, 10_000)
LATENCY: Final = 0.05
"""Seconds until a server answers."""
IN_A_THOUSAND: Final = {"gdelt": 25, "pages": 25, "youtube": 50, "reddit": 90, "tiktok": 90}
"""How many of a thousand posts stand on sources whose paging ends early; the others have 80 each."""
RAISED: Final = {"youtube": {"search_pages": 10}, "pages": {"seconds": 600}}
LOG: Final = "/asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What reading one source took.

    Attributes:
        source: the collector's name.
        posts: how many it gave. requests: how many its server was asked.
        seconds: from its start to the stored run. cpu: our own share of them.
        bare: seconds that a plain client took for the same pages; 0 where no server is asked.
    """

    source: str
    posts: int
    requests: int
    seconds: float
    cpu: float
    bare: float

    @property
    def line(self) -> str:
        """One line of the table."""
        ratio = f"{self.seconds / self.bare:.2f}" if self.bare else ""
        waiting = max(0.0, 1 - self.cpu / self.seconds)
        return (
            f"| {self.source} | {self.posts:,} | {self.requests:,} | {self.posts / self.seconds:,.0f} | {waiting:.0%} "
            f"| {1000 * self.cpu / self.posts:.2f} | {self.seconds:.1f} | {self.bare:.1f} | {ratio} |"
        )


def said(source: str, size: int) -> list[Said]:
    """Return what waits on one source when `size` posts wait on all, one a minute and the newest first."""
    kinds = KINDS[source]
    return [
        Said(
            number=number,
            text=f"Boroughbridge High School: invented words number {number}, long enough to read like a usual post.",
            at=NOW - timedelta(minutes=number),
            kind=kinds[number % len(kinds)],
        )
        for number in range(1, IN_A_THOUSAND.get(source, 80) * size // 1000 + 1)
    ]


def serve(size: int, inbox: Path) -> None:
    """Serve every platform until the standard input ends; print once where each is and how it is read."""
    with everywhere(lambda: NOW, inbox) as stands:
        for source, stand in stands.items():
            stand.say(said(source, size))
            _log(stand.server)
        print(json.dumps([_described(stand) for stand in stands.values()], default=str), flush=True)
        sys.stdin.read()


def _log(server: Server) -> None:
    """Answer each request late, and tell on request what was asked."""
    routes, server.routes = server.routes, {}

    def late(request: Request) -> Reply:
        if request.path == LOG:
            asked = [
                {"path": one.path, "query": urlencode(one.queries, doseq=True), "headers": dict(one.headers)}
                for one in server.requests
                if one.verb == "GET" and one.path != LOG
            ]
            return json_reply(asked)
        time.sleep(LATENCY)
        fitting = [path for path in routes if path == request.path or _begins(path, request.path)]
        return routes[max(fitting, key=len)](request) if fitting else Reply(status=404)

    server.routes = {"*": late}


def _begins(pattern: str, path: str) -> bool:
    """Whether a path begins like a pattern that ends in "*"."""
    return pattern.endswith("*") and path.startswith(pattern[:-1])


def _described(stand: Stand) -> dict[str, Any]:
    """Return how one platform is read."""
    return {
        "source": stand.source,
        "url": stand.server.url,
        "host": stand.server.host,
        "table": stand.table,
        "secrets": stand.secrets,
    }


def uncapped(folder: Path) -> Path:
    """Return a copy of the policy whose sources have no caps that this could reach."""
    copy = folder / "policy"
    shutil.copytree(FOLDER, copy)
    file = copy / "sources.toml"
    capped = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"(daily_calls|daily_units|monthly_pence) = \d+", r"\1 = 1000000", capped), encoding="utf-8")
    return copy


def read_all(size: int) -> tuple[list[Reading], float]:
    """Collect everything once in this process; return what each source took, and the peak memory in MB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "inbox").mkdir()
        command = [sys.executable, "-m", "benchmarks.collecting", "--serve", str(size), str(folder / "inbox")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as servers:
            assert servers.stdout is not None
            stands = json.loads(servers.stdout.readline())
            timed = list(_collected(folder, stands, size))
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            urls = {stand["source"]: stand["url"] for stand in stands}
            readings = []
            for run, seconds, cpu in timed:
                requests, bare = _bare(urls[run.source])
                readings.append(
                    Reading(source=run.source, posts=run.seen, requests=requests, seconds=seconds, cpu=cpu, bare=bare)
                )
            servers.communicate()
    return readings, memory


def _collected(folder: Path, stands: Sequence[dict[str, Any]], size: int) -> Iterator[tuple[Run, float, float]]:
    """Collect once; give each run with the seconds and the CPU seconds that it took."""
    secrets = {name: value for stand in stands for name, value in stand["secrets"].items()}
    own = settings(
        folder,
        policy_folder=uncapped(folder),
        reading={"private_hosts": [stand["host"] for stand in stands]},
        sources={stand["source"]: stand["table"] | RAISED.get(stand["source"], {}) for stand in stands},
    )
    marks: list[tuple[Run | None, float, float]] = []
    with open_workplace(own, secrets=Secrets(secrets), clock=lambda: NOW) as place:
        collect(place, progress=lambda _source, run: marks.append((run, time.perf_counter(), _cpu())))
    for (_, started, before), (run, ended, after) in zip(marks[::2], marks[1::2], strict=True):
        assert run is not None
        assert run.new == len(said(run.source, size)), run
        yield run, ended - started, after - before


def _cpu() -> float:
    """Return the CPU seconds of this process and of its children that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _bare(url: str) -> tuple[int, float]:
    """Get the same pages as before with a plain client; return how many, and how many seconds that took."""
    with httpx.Client(trust_env=False, timeout=30) as client:
        asked = client.get(f"{url}{LOG}").json()
        started = time.perf_counter()
        for one in asked:
            headers = {name: value for name, value in one["headers"].items() if name not in {"host", "connection"}}
            answer = client.get(f"{url}{one['path']}?{one['query']}", headers=headers)
            if "json" in answer.headers.get("content-type", ""):
                answer.json()
    return len(asked), time.perf_counter() - started if asked else 0.0


def measured(size: int) -> tuple[list[Reading], float]:
    """Return `read_all` of a fresh process."""
    command = [sys.executable, "-m", "benchmarks.collecting", "--read", str(size)]
    out = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
    return [Reading(**one) for one in out["readings"]], float(out["memory"])


def main() -> int:
    """Print the table; return 1 if we need more time than the servers do."""
    if sys.argv[1:2] == ["--serve"]:
        serve(int(sys.argv[2]), Path(sys.argv[3]))
        return 0
    if sys.argv[1:2] == ["--read"]:
        readings, memory = read_all(int(sys.argv[2]))
        print(json.dumps({"readings": [asdict(one) for one in readings], "memory": memory}))
        return 0
    results = {size: measured(size) for size in SIZES}
    readings, _ = results[SIZES[-1]]
    print("| source | posts | requests | posts/s | waiting | our CPU, ms a post | s | bare loop, s | ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for one in readings:
        print(one.line)
    asked = [one for one in readings if one.requests]
    total = Reading(
        source="all that are asked",
        posts=sum(one.posts for one in asked),
        requests=sum(one.requests for one in asked),
        seconds=sum(one.seconds for one in asked),
        cpu=sum(one.cpu for one in asked),
        bare=sum(one.bare for one in asked),
    )
    print(total.line)
    theirs = LATENCY * total.requests
    print(f"\nthe servers need {theirs:.0f} s for their answers, we need {total.cpu:.0f} s of a processor for ours")
    for size, (_, memory) in results.items():
        print(f"\npeak memory with {size:,} posts waiting: {memory:.0f} MB")
    return 0 if total.cpu < theirs else 1


if __name__ == "__main__":
    sys.exit(main())
