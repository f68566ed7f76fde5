"""A page that is mentioned in two posts and commented on twice, two notifications to an answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.rehearsal import Rehearsal
from monitor.rehearsal import linkedin as platform
from monitor.rehearsal.linkedin import LinkedIn, Post
from monitor.rehearsal.server import status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.rehearsal.server import Route


def routes(now: datetime) -> Mapping[str, Route]:
    """Return a LinkedIn on which the page is mentioned every few hours; one post is gone."""
    ago = [now - timedelta(hours=5 * number) for number in range(1, 6)]
    name = "@[Boroughbridge High](urn:li:organization:12345)"
    posts = [
        Post(urn="urn:li:share:71", text=f"Thank you {name}\0", created=ago[0]),
        Post(urn="urn:li:ugcPost:72", text=f"{name} is hiring", created=ago[1]),
        Post(urn="urn:li:share:73", text=f"{name}, deleted", created=ago[2], state="deleted"),
        Post(urn="urn:li:comment:(urn:li:activity:90,81)", text="Well done", created=ago[3]),
        Post(urn="urn:li:comment:(urn:li:activity:90,82)", text="When is it?", created=ago[4]),
    ]
    return LinkedIn(posts, size=2).routes


REHEARSAL = Rehearsal(
    routes=routes,
    table=lambda url: {"api_url": url, "organizations": {"12345": "Boroughbridge High"}},
    secrets={"MONITOR_LINKEDIN_ACCESS_TOKEN": LinkedIn().token},
    finds=4,
    at=platform.READING,
    rate_limited=lambda _now: platform.rate_limited(seconds=600),
    waits=timedelta(minutes=10),
    spoil=platform.malformed_item(),
    refusals=(platform.expired_token(), status(401), status(403)),
)
