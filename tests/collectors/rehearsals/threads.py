"""Five posts on Threads, found by name, by hashtag and by mention, two to a page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.rehearsal import Rehearsal, meta
from monitor.rehearsal.threads import Post, Threads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.rehearsal.server import Route


def routes(now: datetime) -> Mapping[str, Route]:
    """Return a Threads on which the schools are spoken of every few hours."""
    ago = [now - timedelta(hours=5 * number) for number in range(1, 6)]
    posts = [
        *(Post(id=f"80{n}", text="Fog over Boroughbridge High", created=ago[n]) for n in range(3)),
        Post(id="804", text="So proud #BoroughbridgeHigh", created=ago[3]),
        Post(id="805", text="Thank you @our_school", created=ago[4], mentions_us=True),
    ]
    return Threads(posts, size=2).routes


REHEARSAL = Rehearsal(
    routes=routes,
    table=lambda url: {"graph_url": f"{url}{meta.VERSION}"},
    secrets={"MONITOR_THREADS_TOKEN": Threads().token},
    finds=5,
    at=meta.READING,
    rate_limited=lambda _now: meta.rate_limited(4, status=403, minutes=10),
    waits=timedelta(minutes=10),
    spoil=meta.malformed_item(),
    refusals=(meta.expired_token(Threads().token), meta.refuses(403, 10), meta.refuses(400, 200)),
)
