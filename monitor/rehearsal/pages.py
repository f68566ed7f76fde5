"""The rehearsal village's web pages: a listing, articles, a sitemap, and a robots.txt that closes a part."""

from __future__ import annotations

from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING, Final

from monitor.rehearsal.server import Reply, Request, html_reply, text_reply
from monitor.rehearsal.stories import Story, stories

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.rehearsal.server import Route

LISTING: Final = "/village/news"
NOTICE: Final = "/village/notices"
SITEMAP: Final = "/sitemap.xml"
CLOSED: Final = "/village/members/minutes"

_PAGE: Final = """<!doctype html><html lang="en-GB"><head><meta charset="utf-8">
<title>{title} - Village</title>
<meta property="og:title" content="{title}"><meta name="author" content="An Invented Author">
<meta property="article:published_time" content="{published}"></head><body>
<nav><a href="/village/news">News</a> <a href="/village/members/minutes">Members</a></nav>
<main><article><h1>{title}</h1><p>{text}</p></article></main>
<footer>Everything on this page is invented.</footer></body></html>"""

_NOTICE: Final = (
    "The clerk is away until Monday. Bookings for the village hall are taken by telephone in the mornings. "
    "Dogs are to be kept on a lead on the green while the sheep are there, and the tap stays off in frost."
)


def told() -> tuple[Story, ...]:
    """Return the stories that stand on the village's pages, newest first."""
    return tuple(sorted((story for story in stories() if story.feed == "village"), key=lambda story: story.hours))


def path(story: Story) -> str:
    """Return the path of a story's page."""
    return f"{LISTING}/{story.name}"


def routes(now: datetime) -> dict[str, Route]:
    """Return the routes of all pages, dated relative to `now` (zone-aware)."""
    pages = {path(story): _fixed(page(story.title, story.text, _when(story, now))) for story in told()}
    return {
        **pages,
        LISTING: _fixed(_listing()),
        NOTICE: _fixed(page("Notices", _NOTICE, now - timedelta(days=2))),
        CLOSED: _fixed(page("Minutes", "Members only.", now)),
        SITEMAP: lambda request: _sitemap(request, now),
        "/robots.txt": _fixed(text_reply("User-agent: *\nDisallow: /village/members/\n")),
    }


def page(title: str, text: str, published: datetime) -> Reply:
    """Return an article's page."""
    return html_reply(_PAGE.format(title=escape(title), text=escape(text), published=escape(published.isoformat())))


def _fixed(reply: Reply) -> Route:
    """Return a route that always answers the same."""

    def answer(_request: Request) -> Reply:
        return reply

    return answer


def _when(story: Story, now: datetime) -> datetime:
    """Return when a story was published."""
    return (now - timedelta(hours=story.hours)).replace(microsecond=0)


def _listing() -> Reply:
    """Return the page that lists the newest articles."""
    links = "".join(f'<li><a href="{path(story)}?utm_source=list">{story.title}</a></li>' for story in told())
    return html_reply(
        f"<!doctype html><html><head><title>Village news</title></head><body><ul class='news'>{links}</ul>"
        f'<a href="{CLOSED}">Minutes</a> <a href="https://elsewhere.example/">Elsewhere</a></body></html>'
    )


def _sitemap(request: Request, now: datetime) -> Reply:
    """Return the sitemap of the articles."""
    entries = "".join(
        f"<url><loc>{request.base}{path(story)}</loc><lastmod>{_when(story, now).isoformat()}</lastmod></url>"
        for story in told()
    )
    return text_reply(
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>',
        kind="application/xml",
    )
