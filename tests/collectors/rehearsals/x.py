"""Five posts on X, two to a page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.rehearsal import Rehearsal
from monitor.rehearsal import x as platform
from monitor.rehearsal.x import Post, X, id_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.rehearsal.server import Route


def routes(now: datetime) -> Mapping[str, Route]:
    """Return an X on which the schools are spoken of every few hours."""
    moments = [now - timedelta(hours=5 * number) for number in range(1, 6)]
    posts = [
        Post(id=id_at(moment), text="A clear night over Boroughbridge High", created_at=moment) for moment in moments
    ]
    return X(posts, page=2, clock=lambda: now).routes


REHEARSAL = Rehearsal(
    routes=routes,
    table=lambda url: {"api_url": url},
    secrets={"MONITOR_X_BEARER_TOKEN": X().token},
    finds=5,
    at=platform.SEARCH,
    rate_limited=lambda now: platform.rate_limited(reset=int(now.timestamp()) + 600),
    waits=timedelta(minutes=10),
    spoil=platform.malformed_item(),
    refusals=(platform.expired_token(), platform.not_enrolled(), platform.no_credit()),
)
