"""Two names and two hashtags on Bluesky, on pages of two posts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.rehearsal import Rehearsal
from monitor.rehearsal.bluesky import READING, Bluesky, Post, expired_token, malformed_item, rate_limited, refused
from monitor.rehearsal.server import status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.rehearsal.server import Route

PASSWORD = "planted-app-password"


def routes(now: datetime) -> Mapping[str, Route]:
    """Serve five posts of the last days, one of them deleted and one about nobody we look for."""
    texts = (
        "Well done Boroughbridge High #BoroughbridgeHigh",
        "Boroughbridge High: no heating again\0",
        "King James's School Knaresborough, what a concert",
        "Boroughbridge High, deleted",
        "Another school altogether",
    )
    posts = [
        Post(rkey=f"3kcontract{n}", text=text, indexed=now - timedelta(hours=n + 1), deleted="deleted" in text)
        for n, text in enumerate(texts)
    ]
    return Bluesky(posts, page=2, password=PASSWORD).routes


REHEARSAL = Rehearsal(
    routes=routes,
    table=lambda url: {"service": url, "handle": "monitor.test"},
    finds=3,
    rate_limited=lambda now: rate_limited(reset=int(now.timestamp()) + 90),
    waits=timedelta(seconds=90),
    spoil=malformed_item(),
    secrets={"MONITOR_BLUESKY_APP_PASSWORD": PASSWORD},
    at=READING,
    refusals=(refused(), expired_token(), status(401)),
)
