"""Speed and size of the house: `python -m benchmarks.house`.

Prints how long `--help` takes, how long a digest takes over a store of 1,000,000 mentions and over one of
10,000, how long and how large the digest of a day of 5,000 mentions is, how much memory a collection of 2,000 and
of 50,000 posts takes, and what the idle clock holds.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from monitor.jobs.collect import collect
from monitor.jobs.daily import gather, window_for
from monitor.jobs.workplace import Workplace, open_workplace
from monitor.records import Outcome, Run, Severity, Window
from monitor.rehearsal.server import Reply, Request, Server
from monitor.settings import Secrets, Settings
from monitor.store import cases, runs
from monitor.store.schema import judgements, mentions
from reports.daily import build, render

NOW = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
"""A Tuesday: the digest covers one day, 1,370 mentions of a million spread over two years."""
CHUNK = 20_000


def settings(folder: Path, **more: object) -> Settings:
    """Return settings for a measurement in `folder`."""
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
            **more,
        }
    )


def fill(place: Workplace, number: int) -> None:
    """Put `number` invented mentions into the store, spread evenly over two years up to now."""
    step = timedelta(days=730) / number
    version = place.policy.version
    for start in range(0, number, CHUNK):
        size = min(CHUNK, number - start)
        seen = [NOW - step * (number - start - i) for i in range(size)]
        rows = [
            {
                "id": start + i + 1,
                "source": "feeds",
                "native_id": f"n{start + i}",
                "url": f"https://paper.example/{start + i}",
                "canonical_url": f"https://paper.example/{start + i}",
                "title": "",
                "text": f"Invented: the choir of KJS Knaresborough sang, number {start + i}.",
                "community": "",
                "channel": "paper",
                "author_key": "",
                "language": "en",
                "in_reply_to": None,
                "repost_of": None,
                "published": moment,
                "edited": None,
                "first_seen": moment,
                "last_seen": moment,
                "sha256": "0" * 64,
                "judged_under": version,
                "story": start + i + 1,
                "story_began": moment,
            }
            for i, moment in enumerate(seen)
        ]
        judged = [
            {
                "mention_id": row["id"],
                "policy_version": version,
                "judged_at": row["first_seen"],
                "relevant": "yes",
                "schools": ["KJS"],
                "sentiment": "positive",
                "sentiment_score": 0.5,
                "sentiment_sure": True,
                "category": "PRAISE",
                "also": [],
                "severity": "P4",
                "owner": "lead_staff",
                "clauses": ["2.7"],
                "reasons": [],
            }
            for row in rows
        ]
        with place.store.write() as connection:
            connection.execute(sa.insert(mentions), rows)
            connection.execute(sa.insert(judgements), judged)
    with place.store.write() as connection:
        for back in range(56 * 24):
            moment = NOW - timedelta(hours=back + 1)
            runs.add(
                connection,
                Run(
                    source="feeds",
                    started=moment,
                    ended=moment,
                    window=Window(start=moment - timedelta(hours=1), end=moment),
                    outcome=Outcome.COMPLETE,
                ),
            )


def digest_seconds(number: int) -> float:
    """Return how long the digest over `number` mentions takes, from the store to HTML and text."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_workplace(settings(Path(folder)), secrets=Secrets({}), clock=lambda: NOW) as place,
    ):
        fill(place, number)
        window = window_for(place, NOW)
        started = time.perf_counter()
        with place.store.read() as connection:
            material = gather(place, connection, window)
        render(build(material))
        return time.perf_counter() - started


STORM: Final = 400
"""Reposts of the busy day."""
CASES: Final = 200
"""Cases that the busy day opened: more than anybody could answer."""
KINDS: Final = (
    ("COMPLAINT_SERVICE", "P3"),
    ("QUESTION", "P3"),
    ("MISINFORMATION", "P2"),
    ("PRAISE", "P4"),
    ("NEUTRAL", "P4"),
    ("PUBLIC_DEBATE", "P4"),
)


def fill_busy_day(place: Workplace, number: int) -> None:
    """Put a day of `number` invented mentions into the store: a storm of reposts, articles, cases, and the rest.

    Every fifth post belongs to a story of the day before, of which a telling is stored as well.
    """
    version, escalation = place.policy.version, place.policy.escalation
    window = window_for(place, NOW)
    rows, judged = [], []

    def put(
        key: int, moment: datetime, text: str, kind: tuple[str, str], story: tuple[int, datetime], **more: object
    ) -> None:
        row = escalation.category(kind[0])
        source = "mastodon" if key % 3 else "feeds"
        rows.append(
            {
                "id": key,
                "source": source,
                "native_id": f"b{key}",
                "url": f"https://outlet-{key % 40}.example/{key}",
                "canonical_url": "",
                "title": f"Invented headline {key} about the school and what is said of it"
                if source == "feeds"
                else "",
                "text": text,
                "community": f"Place {key % 40}",
                "channel": "c",
                "author_key": f"k{key % 900}",
                "language": "en",
                "in_reply_to": None,
                "repost_of": None,
                "published": moment,
                "edited": None,
                "first_seen": moment,
                "last_seen": moment,
                "sha256": f"{key:064}",
                "judged_under": version,
                "story": story[0],
                "story_began": story[1],
                **more,
            }
        )
        judged.append(
            {
                "mention_id": key,
                "policy_version": version,
                "judged_at": moment,
                "relevant": "yes",
                "schools": ["KJS"],
                "sentiment": "negative",
                "sentiment_score": -0.5,
                "sentiment_sure": True,
                "category": kind[0],
                "also": [],
                "severity": kind[1],
                "owner": row.owner,
                "clauses": list(row.clauses),
                "reasons": [
                    {
                        "about": "category",
                        "rule": "invented.rule",
                        "start": 0,
                        "end": 9,
                        "text": text[:9],
                        "note": "invented",
                    }
                ],
            }
        )

    before = window.start - timedelta(hours=3)
    step = window.length / (number + 1)
    for key in range(1, number + 1):
        moment = window.start + step * key
        said = f"Invented, number {key}: about the toilets of KJS Knaresborough, and nobody answers. " * 3
        if key <= STORM:
            put(key, moment, said, KINDS[0], (1, window.start + step), repost_of="b1" if key > 1 else None)
        elif key % 5 == 0:
            old = 10_000_000 + key
            put(old, before, said, KINDS[key % 6], (old, before))
            put(key, moment, said, KINDS[key % 6], (old, before))
        else:
            put(key, moment, said, KINDS[key % 6], (key, moment))
    with place.store.write() as connection:
        connection.execute(sa.insert(mentions), rows)
        connection.execute(sa.insert(judgements), judged)
        for key in (1, *range(STORM + 1, STORM + CASES)):
            category = KINDS[0] if key == 1 else KINDS[key % 6]
            cases.open_case(
                connection,
                mention_id=key,
                category=category[0],
                severity=Severity(category[1]),
                owner="lead_staff",
                schools=("KJS",),
                opened=window.start + step * key,
                due=NOW + timedelta(hours=key % 48),
                readers=(),
                restricted=False,
                why="invented",
            )


def busy_day(number: int) -> tuple[float, int]:
    """Return how long the digest of a day of `number` mentions takes from the store to HTML and text, and its bytes."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_workplace(settings(Path(folder)), secrets=Secrets({}), clock=lambda: NOW) as place,
    ):
        fill_busy_day(place, number)
        window = window_for(place, NOW)
        started = time.perf_counter()
        with place.store.read() as connection:
            material = gather(place, connection, window)
        rendered = render(build(material))
        return time.perf_counter() - started, len(rendered.html.encode())


def feed(number: int) -> Any:  # noqa: ANN401 - a route
    """Return a route that serves an Atom feed of `number` invented entries about other things."""

    def serve(request: Request) -> Reply:
        del request
        entries = "".join(
            f"<entry><id>urn:x:{i}</id><title>Invented item {i}</title>"
            f'<link href="https://paper.example/{i}"/><updated>2026-11-22T10:00:00Z</updated>'
            f"<summary>Nothing about any school at all, number {i}.</summary></entry>"
            for i in range(number)
        )
        body = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Paper</title>{entries}</feed>'
        return Reply(body=body.encode(), headers={"Content-Type": "application/atom+xml"})

    return serve


def collect_memory(pages: int) -> float:
    """Return the peak memory in MB of a child process that collects `pages` feeds of 500 posts each."""
    out = subprocess.run(
        [sys.executable, "-m", "benchmarks.house", "--collect", str(pages)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(json.loads(out.stdout.splitlines()[-1]))


def _collect(pages: int) -> None:
    """Collect in this process and print its peak memory in MB."""
    with tempfile.TemporaryDirectory() as folder, Server({"/feed": feed(500)}) as server:
        own = settings(
            Path(folder),
            reading={"private_hosts": [server.host]},
            sources={
                "feeds": {"feeds": [{"name": f"Paper {i}", "url": f"{server.url}/feed?{i}"} for i in range(pages)]},
            },
        )
        with open_workplace(own, secrets=Secrets({}), clock=lambda: NOW) as place:
            run = collect(place, only=frozenset({"feeds"}))[0]
        assert run.seen == 500 * pages, run
    print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def idle_memory() -> float:
    """Return the peak memory in MB of `python scheduler.py` after it has started and done its first round."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "monitor.toml"
        file.write_text(
            '[privacy.dpia]\nreference="none"\nowner="nobody"\nsigned=2026-01-01\nreview_due=2030-01-01\n'
            "[sources.pages]\nenabled=false\n[sources.feeds]\nenabled=false\n",
            encoding="utf-8",
        )
        clock = subprocess.Popen(
            [sys.executable, "scheduler.py", "--config", str(file)],
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        )
        assert clock.stderr is not None
        while "job done" not in clock.stderr.readline():
            pass
        status = Path(f"/proc/{clock.pid}/status").read_text(encoding="ascii")
        clock.terminate()
        clock.wait()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def help_seconds() -> float:
    """Return how long `federation-monitor --help` takes: the best of five."""
    command = [
        sys.executable,
        "-c",
        "import sys; sys.argv[1:] = ['--help']; from monitor.cli import main; main()",
    ]
    best = 9.0
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        best = min(best, time.perf_counter() - started)
    return best


def main() -> None:
    """Print the table."""
    if sys.argv[1:2] == ["--collect"]:
        _collect(int(sys.argv[2]))
        return
    digest_seconds(100)  # the first one pays for imports and templates
    seconds, size = busy_day(5_000)
    rows = [
        ("federation-monitor --help", f"{help_seconds():.2f} s", "under 0.4 s"),
        ("digest over 10,000 mentions", f"{digest_seconds(10_000):.2f} s", ""),
        ("digest over 1,000,000 mentions", f"{digest_seconds(1_000_000):.2f} s", "under 1 s"),
        ("digest of a day of 5,000 mentions", f"{seconds:.2f} s", "under 2 s"),
        ("the same, its HTML", f"{size / 1000:.1f} kB", "under 80 kB"),
        ("collection of 2,000 posts, peak memory", f"{collect_memory(4):.0f} MB", ""),
        ("collection of 50,000 posts, peak memory", f"{collect_memory(100):.0f} MB", "flat"),
        ("idle clock, peak memory", f"{idle_memory():.0f} MB", "under 200 MB"),
    ]
    print("| what | measured | wanted |\n|---|---:|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
