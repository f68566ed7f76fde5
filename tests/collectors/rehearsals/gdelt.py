"""A few headlines of the last days; GDELT is asked one question a run."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.rehearsal import Rehearsal
from monitor.rehearsal.gdelt import Article, Gdelt, malformed_item, rate_limited_with_status_200
from monitor.rehearsal.server import status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.rehearsal.server import Route


def routes(now: datetime) -> Mapping[str, Route]:
    """Serve four headlines: one is older than the window, one is about nobody we look for."""
    told = (
        (1, "Boroughbridge High wins a prize"),
        (5, "King James's School, Knaresborough: concert on Friday"),
        (9, "Another school altogether"),
        (400, "Boroughbridge High, long ago"),
    )
    articles = [
        Article(
            path=f"/{hours}",
            title=title,
            seen=now - timedelta(hours=hours),
            body="King James's School Knaresborough" if "King" in title else "",
        )
        for hours, title in told
    ]
    return Gdelt(articles).routes


REHEARSAL = Rehearsal(
    routes=routes,
    table=lambda url: {"api_url": url},
    finds=2,
    rate_limited=lambda _now: rate_limited_with_status_200(),
    waits=timedelta(minutes=15),
    spoil=malformed_item(),
    refusals=(status(403), status(401)),
    one_request=True,
)
