"""One instance with two hashtags, on pages of two posts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.rehearsal import Rehearsal
from monitor.rehearsal.mastodon import TAGS, Mastodon, Status, malformed_item, members_only, rate_limited
from monitor.rehearsal.server import status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.rehearsal.server import Route


def routes(now: datetime) -> Mapping[str, Route]:
    """Serve five posts of the last days: one is not public, one is not to be indexed."""
    tags = ("boroughbridgehigh", "kjsknaresborough")
    posts = [
        Status(
            id=str(100 - n),
            html=f"<p>#{tags[n % 2]} post {n}&#0;</p>",
            created=now - timedelta(hours=n + 1),
            tags=(tags[n % 2],) if n else tags,
            visibility="unlisted" if n == 3 else "public",
            noindex=n == 4,
        )
        for n in range(5)
    ]
    return Mastodon(posts, page=2).routes


REHEARSAL = Rehearsal(
    routes=routes,
    table=lambda url: {"instances": [url]},
    finds=3,
    rate_limited=lambda now: rate_limited(reset=now + timedelta(seconds=90)),
    waits=timedelta(seconds=90),
    spoil=malformed_item(),
    at=TAGS,
    refusals=(members_only(), status(403)),
)
