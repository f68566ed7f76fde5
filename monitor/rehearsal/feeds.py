"""The rehearsal town's feeds, each in the wire format of its kind: RSS, Atom, JSON Feed, alerts, requests.

Shapes follow what the platforms send: Google Alerts wraps every link, WhatDoTheyKnow puts the requester's
name into the content, committee systems leave dates out, newspapers add tracking parameters.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from html import escape
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import quote

from monitor.rehearsal.server import Reply, Request, json_reply, text_reply, unless_known
from monitor.rehearsal.stories import Story, stories

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from monitor.rehearsal.server import Route

REQUESTER: Final = "Ann Invented-Requester"
"""Stands in the content of every request, as requesters' names do; no mention may ever hold it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry of a feed, ready for its wire format; `published` is zone-aware, `link` complete."""

    id: str
    link: str
    title: str
    text: str
    published: datetime


class Format(Protocol):
    """Writes a feed."""

    def __call__(self, title: str, items: Sequence[Item], /) -> Reply:
        """Return the feed as it goes over the wire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TownFeed:
    """One feed of the town.

    Attributes:
        name: as configured; the mention's channel.
        path: on the rehearsal server.
        host: of its articles, which nobody serves.
        kind: of `[[sources.feeds.feeds]]`.
        form: its wire format.
        tracking: query string that it adds to its links.
    """

    name: str
    path: str
    host: str
    form: Format
    kind: str = "feed"
    tracking: str = ""


def rss(title: str, items: Sequence[Item], /) -> Reply:
    """Return RSS 2.0 as newspapers and forums write it: HTML in CDATA, RFC 822 dates, authors."""
    entries = "".join(
        f"<item><title>{escape(i.title)}</title><link>{escape(i.link)}</link>"
        f'<guid isPermaLink="false">{escape(i.id)}</guid><pubDate>{format_datetime(i.published)}</pubDate>'
        f"<dc:creator>An Invented Author</dc:creator>"
        f"<description><![CDATA[<p>{escape(i.text)}</p>]]></description></item>"
        for i in items
    )
    return text_reply(
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<channel><title>{escape(title)}</title><link>https://example.org/</link>"
        f"<description>Invented</description><language>en-gb</language>{entries}</channel></rss>",
        kind="application/rss+xml",
    )


def committee_rss(title: str, items: Sequence[Item], /) -> Reply:
    """Return RSS as committee systems write it: a date for the feed, none for its items."""
    newest = max(item.published for item in items)
    entries = "".join(
        f"<item><title>{escape(i.title)}</title><link>{escape(i.link)}</link>"
        f"<description>{escape(i.text)}</description></item>"
        for i in items
    )
    return text_reply(
        '<?xml version="1.0" encoding="windows-1252"?><rss version="2.0"><channel>'
        f"<title>{escape(title)}</title><link>https://example.org/</link><description>Invented</description>"
        f"<pubDate>{format_datetime(newest)}</pubDate>{entries}</channel></rss>",
        kind="text/xml",
        charset="windows-1252",
    )


def atom(title: str, items: Sequence[Item], /) -> Reply:
    """Return Atom as content systems write it."""
    entries = "".join(
        f"<entry><id>{escape(i.id)}</id><title>{escape(i.title)}</title>"
        f'<link rel="alternate" type="text/html" href="{escape(i.link)}"/>'
        f"<published>{i.published.isoformat()}</published><updated>{i.published.isoformat()}</updated>"
        f"<author><name>An Invented Author</name></author>"
        f'<summary type="html">{escape(f"<p>{escape(i.text)}</p>")}</summary></entry>'
        for i in items
    )
    return _atom(title, entries)


def alerts(title: str, items: Sequence[Item], /) -> Reply:
    """Return Atom as Google Alerts writes it: wrapped links, bold search words, an empty author."""
    entries = "".join(
        f"<entry><id>tag:google.com,2013:googlealerts/feed:{number}</id>"
        f'<title type="html">{escape(escape(i.title).replace("school", "<b>school</b>"))}</title>'
        '<link href="https://www.google.com/url?rct=j&amp;sa=t'
        f'&amp;url={quote(i.link, safe=":/")}&amp;ct=ga"/>'
        f"<published>{i.published.isoformat()}</published><updated>{i.published.isoformat()}</updated>"
        f'<content type="html">{escape(escape(i.text).replace("School", "<b>School</b>"))}</content>'
        f"<author><name></name></author></entry>"
        for number, i in enumerate(items, start=1)
    )
    return _atom(title, entries)


def requests(title: str, items: Sequence[Item], /) -> Reply:
    """Return Atom as WhatDoTheyKnow writes it: no updated, no author, the requester inside the content."""
    entries = "".join(
        f"<entry><id>tag:requests.example,2005:InfoRequestEvent/{number}</id>"
        f"<published>{i.published.isoformat()}</published>"
        f'<link type="text/html" rel="alternate" href="{escape(i.link)}#outgoing-{number}"/>'
        f'<title type="html">{escape(escape(i.title))}</title>'
        f'<content type="html">{escape(_request(i))}</content></entry>'
        for number, i in enumerate(items, start=1_000)
    )
    return _atom(title, entries)


def _request(item: Item) -> str:
    """Return the HTML in which a request is listed."""
    return (
        '<div class="request_listing"><div class="request_left"><div class="requester">Request sent by '
        f'<a href="/user/invented">{REQUESTER}</a> on {item.published:%d %B %Y}.</div></div>'
        f'<div class="request_right"><span class="desc">{escape(item.text)}</span></div></div>'
    )


def _atom(title: str, entries: str) -> Reply:
    """Return an Atom feed around its entries."""
    return text_reply(
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-GB">'
        f"<id>tag:example.org,2026:{quote(title)}</id><title>{escape(title)}</title>{entries}</feed>",
        kind="application/atom+xml",
    )


def json_feed(title: str, items: Sequence[Item], /) -> Reply:
    """Return JSON Feed 1.1 as a noticeboard writes it: posts without titles."""
    return json_reply(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": title,
            "language": "en-GB",
            "items": [
                {
                    "id": i.id,
                    "url": i.link,
                    **({"title": i.title} if i.title else {}),
                    "content_text": i.text,
                    "date_published": i.published.isoformat(),
                    "authors": [{"name": "An Invented Author"}],
                }
                for i in items
            ],
        },
        headers={"Content-Type": "application/feed+json"},
    )


FEEDS: Final = (
    TownFeed(
        name="Nidd Valley Courier",
        path="/courier/rss",
        host="courier.example",
        form=rss,
        tracking="utm_source=rss",
    ),
    TownFeed(
        name="Vale Gazette",
        path="/gazette/atom.xml",
        host="gazette.example",
        form=atom,
        tracking="at_medium=RSS",
    ),
    TownFeed(
        name="Alert for both schools",
        path="/alerts/feeds/1/2",
        host="elsewhere.example",
        form=alerts,
        kind="alerts",
        tracking="utm_campaign=alert&fbclid=x1",
    ),
    TownFeed(
        name="Freedom of information requests",
        path="/feed/search/schools",
        host="requests.example",
        form=requests,
        kind="whatdotheyknow",
    ),
    TownFeed(name="Council papers", path="/mgRss.aspx", host="council.example", form=committee_rss),
    TownFeed(name="Knaresborough Chatter", path="/chatter/rss", host="chatter.example", form=rss),
    TownFeed(
        name="Boroughbridge Noticeboard",
        path="/noticeboard/feed.json",
        host="noticeboard.example",
        form=json_feed,
    ),
    TownFeed(name="Schools and Dales blog", path="/blog/feed/", host="blog.example", form=rss),
)
"""Every feed of the town."""


def routes(now: datetime) -> dict[str, Route]:
    """Return the routes of all feeds, dated relative to `now` (zone-aware), with validators."""
    return {feed.path: _route(feed, now) for feed in FEEDS}


def address(story: Story) -> str:
    """Return the address of a story's page without tracking parameters: the key of its mention."""
    return f"https://{next(feed.host for feed in FEEDS if feed.name == story.feed)}/{story.name}"


def _route(feed: TownFeed, now: datetime) -> Route:
    """Return the route of one feed."""
    told = [story for story in stories() if feed.name in (story.feed, *story.also_in)]
    items = [_item(feed, story, now) for story in sorted(told, key=lambda story: story.hours)]
    reply = feed.form(feed.name, items)
    etag = f'"{hashlib.sha256(reply.whole()).hexdigest()[:12]}"'

    def answer(request: Request) -> Reply:
        return unless_known(request, reply, etag=etag)

    return answer


def _item(feed: TownFeed, story: Story, now: datetime) -> Item:
    """Return a story as it stands in one feed."""
    link = address(story)
    return Item(
        id=f"{feed.host}-{story.name}",
        link=f"{link}?{feed.tracking}" if feed.tracking else link,
        title=story.title,
        text=story.text,
        published=(now - timedelta(hours=story.hours)).replace(microsecond=0),
    )
