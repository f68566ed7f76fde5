"""Two feeds: a newspaper's RSS and a noticeboard's JSON Feed."""

from __future__ import annotations

import json
from datetime import timedelta

from monitor.rehearsal import Rehearsal, feeds
from monitor.rehearsal.server import Reply, Request, json_reply, status


def without_a_link(_request: Request, reply: Reply) -> Reply:
    """Take link and id from the noticeboard's first post."""
    if "json" not in reply.headers.get("Content-Type", ""):
        return reply
    content = json.loads(reply.whole())
    content["items"][0] = {"content_text": "a post without link and id"}
    return json_reply(content)


REHEARSAL = Rehearsal(
    routes=feeds.routes,
    table=lambda url: {
        "feeds": [
            {"name": "Courier", "url": f"{url}/courier/rss"},
            {"name": "Noticeboard", "url": f"{url}/noticeboard/feed.json"},
        ]
    },
    finds=19,
    rate_limited=lambda _now: status(429, {"Retry-After": "600"}),
    waits=timedelta(minutes=10),
    spoil=without_a_link,
    refusals=(status(401), status(403), status(451)),
)
