"""A page, a listing and a sitemap of the rehearsal village."""

from __future__ import annotations

from datetime import timedelta

from monitor.rehearsal import Rehearsal, pages
from monitor.rehearsal.server import Reply, Request, status


def one_page_is_a_spreadsheet(request: Request, reply: Reply) -> Reply:
    """Answer one of the listed pages with something that is no page."""
    if request.path != pages.path(pages.told()[0]):
        return reply
    return Reply(headers={"Content-Type": "application/vnd.ms-excel"}, body=b"\x00\x01")


REHEARSAL = Rehearsal(
    routes=pages.routes,
    table=lambda url: {
        "pages": [f"{url}{pages.NOTICE}"],
        "listings": [{"url": f"{url}{pages.LISTING}", "follow": f"{pages.LISTING}/*"}],
        "sitemaps": [f"{url}{pages.SITEMAP}"],
        "pause_seconds": 0,
    },
    finds=4,
    rate_limited=lambda _now: status(429, {"Retry-After": "600"}),
    waits=timedelta(minutes=10),
    spoil=one_page_is_a_spreadsheet,
    at="/village/*",
    error_page_at=pages.SITEMAP,
    refusals=(status(403),),
)
