"""Four videos and two comments that mention the school's account, two to a page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.rehearsal import Rehearsal
from monitor.rehearsal import tiktok as platform
from monitor.rehearsal.tiktok import Post, TikTok

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.rehearsal.server import Route


def routes(now: datetime) -> Mapping[str, Route]:
    """Return a TikTok on which the account is mentioned every few hours; one video is gone."""
    ago = [now - timedelta(hours=5 * number) for number in range(1, 8)]
    posts = [
        Post(video="7001", text="Open evening at @boroughbridgehigh", created=ago[0]),
        Post(video="7002", text="@boroughbridgehigh choir\0", created=ago[1]),
        Post(video="7003", text="@boroughbridgehigh from the air", created=ago[2]),
        Post(video="7004", text="@boroughbridgehigh, deleted", created=ago[3], deleted=True),
        Post(video="7100", comment="9001", text="@boroughbridgehigh look", created=ago[4], caption="Town news"),
        Post(video="7100", comment="9002", text="@boroughbridgehigh well done", created=ago[5], caption="Town news"),
    ]
    return TikTok(posts, page=2, clock=lambda: now).routes


REHEARSAL = Rehearsal(
    routes=routes,
    table=lambda url: {"api_url": f"{url}{platform.VERSION}", "business_id": TikTok().business_id},
    secrets={"MONITOR_TIKTOK_ACCESS_TOKEN": TikTok().token},
    finds=5,
    at=platform.READING,
    rate_limited=lambda _now: platform.refuses(40100, "Too many requests"),
    waits=timedelta(minutes=15),
    spoil=platform.malformed_item(),
    refusals=(platform.expired_token(), platform.refuses(40001), platform.refuses(40105)),
)
