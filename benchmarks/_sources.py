"""Many feeds, half of them broken: `python -m benchmarks._sources 1000` reads them and prints what came of it."""

from __future__ import annotations

import json
import re
import resource
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks._town import NOW
from benchmarks.house import settings
from monitor.jobs.collect import collect
from monitor.jobs.daily import daily, window_for
from monitor.jobs.judge import judge_pending
from monitor.jobs.workplace import open_workplace
from monitor.records import Outcome, Window
from monitor.rehearsal.feeds import Item, rss
from monitor.rehearsal.server import (
    Reply,
    Request,
    Server,
    error_page,
    redirect_loop,
    reset,
    status,
    truncated_gzip,
)
from monitor.settings import Secrets
from monitor.store import mentions

if TYPE_CHECKING:
    from monitor.rehearsal.server import Fault


def empty() -> Fault:
    """Answer status 200 with nothing."""
    return lambda _request, _reply: Reply(body=b"")


FAULTS: Final = (
    status(404),
    status(500),
    status(403),
    error_page(),
    reset(),
    truncated_gzip(),
    redirect_loop(),
    empty(),
)


def serve(request: Request) -> Reply:
    """Answer `/feed/NUMBER`: an even one with a post of ours, an odd one with a fault."""
    number = int(request.path.rpartition("/")[2])
    reply = rss(
        f"Paper {number}",
        [
            Item(
                id=f"p{number}",
                link=f"https://paper-{number}.example/choir",
                title=f"Choir number {number} at Boroughbridge High School",
                text=f"Concert number {number} of Boroughbridge High School was well attended.",
                published=NOW - timedelta(hours=3),
            )
        ],
    )
    return FAULTS[number // 2 % len(FAULTS)](request, reply) if number % 2 else reply


def measured(number: int) -> dict[str, Any]:
    """Read `number` feeds twice and make the digest; return what was stored, said and used."""
    with tempfile.TemporaryDirectory() as folder, Server({"/feed/*": serve}) as server:
        own = settings(
            Path(folder),
            reading={"private_hosts": [server.host]},
            sources={
                "pages": {"enabled": False},
                "feeds": {
                    "feeds": [{"name": f"Paper {i}", "url": f"{server.url}/feed/{i}"} for i in range(number)],
                },
            },
        )
        with open_workplace(own, secrets=Secrets({}), clock=lambda: NOW) as place:
            first, again = (collect(place, only=frozenset({"feeds"}))[0] for _ in range(2))
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            judge_pending(place)
            rendered, _ = daily(place, window_for(place, NOW + timedelta(minutes=10)))
            with place.store.read() as connection:
                found = mentions.between(connection, Window(start=NOW - timedelta(days=1), end=NOW + timedelta(days=1)))
    looked = rendered.text.upper().partition("WHERE WE LOOKED")[2]
    return {
        "feeds": number,
        "stored": len(found),
        "distinct": len({stored.mention.native_id for stored in found}),
        "new_again": again.new,
        "complete": first.outcome is Outcome.COMPLETE,
        "error": first.error,
        "error_kind": first.error_kind,
        "told": bool(re.search(rf"{number // 2} of {number} feeds failed", rendered.text)),
        "digest_bytes": len(rendered.html.encode()),
        "lines_where_we_looked": len(looked.splitlines()),
        "digest_lines": len(rendered.text.splitlines()),
        "peak_megabytes": round(memory),
    }


if __name__ == "__main__":
    print(json.dumps(measured(int(sys.argv[1]))))
