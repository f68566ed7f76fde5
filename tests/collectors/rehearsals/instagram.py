"""One of our own accounts on Instagram: tags, comments with an answer, and a hashtag, two to a page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.rehearsal import Rehearsal, meta
from monitor.rehearsal.instagram import ACCOUNT, Comment, Instagram, Post

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.rehearsal.server import Route


def routes(now: datetime) -> Mapping[str, Route]:
    """Return an Instagram on which the school's account is spoken to every few hours."""
    ago = [now - timedelta(hours=5 * number) for number in range(1, 8)]
    posts = [
        Post(id="501", text="Great day out with Boroughbridge High", created=ago[0]),
        Post(id="502", text="Our choir", created=ago[6], where="own"),
        Post(id="503", text="So proud #BoroughbridgeHigh", created=ago[1], where="hashtag"),
    ]
    comments = [
        *(Comment(id=f"60{n}", text="Lovely", created=ago[n], post="502") for n in range(2, 6)),
        Comment(id="609", text="It was", created=ago[0], post="502", parent="603"),
    ]
    return Instagram(posts=posts, comments=comments, size=2).routes


REHEARSAL = Rehearsal(
    routes=routes,
    table=lambda url: {
        "graph_url": f"{url}{meta.VERSION}",
        "accounts": [ACCOUNT],
        "hashtag_review": "invented app, 1 October 2026",
    },
    secrets={"MONITOR_INSTAGRAM_TOKEN": Instagram().token},
    finds=7,
    at=meta.READING,
    rate_limited=lambda _now: meta.rate_limited(4, status=403, minutes=10),
    waits=timedelta(minutes=10),
    spoil=meta.malformed_item(),
    refusals=(meta.expired_token(Instagram().token), meta.refuses(403, 10), meta.refuses(400, 200)),
)
