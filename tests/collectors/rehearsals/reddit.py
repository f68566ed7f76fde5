"""Three posts and two comments on Reddit, two to a page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.rehearsal import Rehearsal
from monitor.rehearsal import reddit as platform
from monitor.rehearsal.reddit import Comment, Reddit, Submission
from monitor.rehearsal.server import status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.rehearsal.reddit import Thing
    from monitor.rehearsal.server import Route


def routes(now: datetime) -> Mapping[str, Route]:
    """Return a Reddit on which the schools are spoken of in the town's community and elsewhere."""
    ago = [now - timedelta(hours=5 * number) for number in range(1, 6)]
    things: list[Thing] = [
        Submission(id="a1", title="Boroughbridge High open evening", text="Anybody going?", created=ago[0]),
        Submission(id="a2", title="Roadworks near Boroughbridge High", created=ago[1]),
        Submission(id="a3", title="Boroughbridge High choir", created=ago[2], subreddit="choirs"),
        Comment(id="b1", text="Parking was fine last year", post="a1", created=ago[3]),
        Comment(id="b2", text="The choir sings at six", post="a1", created=ago[4]),
    ]
    return Reddit(things, page=2).routes


REHEARSAL = Rehearsal(
    routes=routes,
    table=lambda url: {
        "oauth_url": url,
        "reddit_url": url,
        "username": "invented_school",
        "subreddits": ["harrogate"],
    },
    secrets={
        "MONITOR_REDDIT_CLIENT_ID": Reddit().client_id,
        "MONITOR_REDDIT_CLIENT_SECRET": Reddit().client_secret,
    },
    finds=5,
    at=platform.SEARCH,
    rate_limited=lambda _now: platform.rate_limited(seconds="599.5"),
    waits=timedelta(minutes=10),
    spoil=platform.malformed_item(),
    refusals=(platform.expired_token(), status(403)),
)
