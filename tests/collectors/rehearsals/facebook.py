"""Two of our own Pages on Facebook: a tag, a visitor's post, and comments, two to a page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.rehearsal import Rehearsal, meta
from monitor.rehearsal.facebook import Facebook, Page, Post

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.rehearsal.server import Route

PAGES = [Page(id="101"), Page(id="102", name="Our other school", token="rehearsal-other-page-token")]


def routes(now: datetime) -> Mapping[str, Route]:
    """Return a Facebook on which the schools' Pages are spoken to every few hours."""
    ago = [now - timedelta(hours=5 * number) for number in range(1, 8)]
    posts = [
        Post(id="900_1", text="Thank you Boroughbridge High", created=ago[0], where="tagged"),
        Post(id="101_2", text="When is the open evening?", created=ago[1]),
        Post(id="101_3", text="Our newsletter", created=ago[6], by="101"),
        *(Post(id=f"3_{n}", text="Lovely", created=ago[n], under="101_3") for n in range(2, 6)),
        Post(id="102_4", text="Lost property?", created=ago[2], page="102"),
    ]
    return Facebook(PAGES, posts, size=2).routes


REHEARSAL = Rehearsal(
    routes=routes,
    table=lambda url: {"graph_url": f"{url}{meta.VERSION}", "pages": [page.id for page in PAGES]},
    secrets={"MONITOR_FACEBOOK_TOKEN": Facebook().token},
    finds=7,
    at=meta.READING,
    rate_limited=lambda _now: meta.rate_limited(32, minutes=10),
    waits=timedelta(minutes=10),
    spoil=meta.malformed_item(),
    refusals=(meta.expired_token(Facebook().token), meta.refuses(403, 200), meta.refuses(400, 283)),
)
