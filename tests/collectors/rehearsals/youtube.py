"""Three videos on YouTube, and comments under one of them and on our own channel, two to a page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.rehearsal import Rehearsal
from monitor.rehearsal import youtube as platform
from monitor.rehearsal.youtube import Clip, Remark, YouTube

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.rehearsal.server import Route

OURS = "UCourchannel000000000001"


def routes(now: datetime) -> Mapping[str, Route]:
    """Return a YouTube on which the schools are spoken of every few hours."""
    ago = [now - timedelta(hours=5 * number) for number in range(1, 8)]
    videos = [
        Clip(id="aaaaaaaaaa1", title="Boroughbridge High from the air", published=ago[0]),
        Clip(id="aaaaaaaaaa2", title="Boroughbridge High choir", published=ago[1], comments_off=True),
        Clip(id="aaaaaaaaaa3", title="Boroughbridge High & the river", published=ago[2], coarse=True),
        Clip(id="ourownvide0", title="Open evening", published=ago[6], channel=OURS, channel_name="Our School"),
    ]
    comments = [
        Remark(id="Ugcommentunderours00000001", text="When does it start?", published=ago[3], video="ourownvide0"),
        Remark(id="Ugcommentunderfound0000001", text="Lovely", published=ago[4], video="aaaaaaaaaa1"),
        Remark(
            id="Ugcommentunderfound0000001.answer0000000000000001",
            parent="Ugcommentunderfound0000001",
            text="It is",
            published=ago[3],
            video="aaaaaaaaaa1",
        ),
    ]
    return YouTube(videos, comments, page=2).routes


REHEARSAL = Rehearsal(
    routes=routes,
    table=lambda url: {"api_url": url, "channels": [OURS]},
    secrets={"MONITOR_YOUTUBE_API_KEY": YouTube().key},
    finds=6,
    at=platform.READING,
    # 07:00 in London is 23:00 in California: the day of quota ends in an hour
    rate_limited=lambda _now: platform.quota_spent(),
    waits=timedelta(hours=1),
    spoil=platform.malformed_item(),
    refusals=(platform.forbidden(), platform.wrong_key(YouTube().key)),
)
