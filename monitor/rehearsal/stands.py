"""What was said, where it stands, and the plain sites: feeds, pages, GDELT and the inbox of reports."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from monitor.addresses import canonical
from monitor.rehearsal import feeds, gdelt, pages
from monitor.rehearsal.server import Server, html_reply, text_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from monitor.rehearsal.server import Reply, Request

KINDS: Final[dict[str, tuple[str, ...]]] = {
    "feeds": ("article",),
    "pages": ("page",),
    "reddit": ("post", "comment"),
    "x": ("post",),
    "youtube": ("video", "comment"),
    "facebook": ("tag", "visitor", "comment"),
    "instagram": ("tag", "comment", "hashtag"),
    "threads": ("post", "mention"),
    "tiktok": ("video", "comment"),
    "linkedin": ("mention", "comment"),
    "bluesky": ("post",),
    "mastodon": ("post",),
    "gdelt": ("article",),
    "reported": ("report",),
}
"""What may be said on each platform, the usual first."""

WAYS: Final[dict[str, tuple[str, ...]]] = {
    "feeds": ("404", "410"),
    "pages": ("404", "410"),
    "reddit": ("deleted", "removed", "vanished"),
    "x": ("deleted", "protected", "withheld"),
    "youtube": ("deleted", "video deleted"),
    "facebook": ("deleted",),
    "instagram": ("deleted",),
    "threads": ("deleted",),
    "tiktok": ("deleted",),
    "linkedin": ("deleted", "connections only", "draft"),
    "bluesky": ("deleted", "not for outsiders", "author not for outsiders"),
    "mastodon": ("deleted", "followers only", "unlisted", "not to be indexed"),
    "gdelt": ("404", "410"),
}
"""How what was said may go: deleted by its author or a moderator, made private, closed to outsiders, withheld."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Something that somebody said on one platform.

    Attributes:
        number: from 1; its id there is made of it.
        text: in words that name one of our schools.
        at: when, zone-aware and in whole seconds.
        kind: one of the platform's `KINDS`, the usual one if "".
        edited: when it was edited, if ever.
        gone: one of the platform's `WAYS`, "" while it stands.
        named: whether the platform names its author, where it names anybody.
    """

    number: int
    text: str
    at: datetime
    kind: str = ""
    edited: datetime | None = None
    gone: str = ""
    named: bool = True


@dataclass(slots=True, kw_only=True)
class Stand:
    """One platform with its own server.

    Attributes:
        source: the collector's name.
        server: answers as the platform does.
        table: `[sources.NAME]` of monitor.toml, with the approval that the platform's terms ask for.
        secrets: the environment that the collector needs.
        say: have this, and nothing else, stand there.
        key: the native id of what was said; "" where it cannot be told beforehand.
    """

    source: str
    server: Server
    table: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)
    say: Callable[[Sequence[Said]], None]
    key: Callable[[Said], str]


def approved(reference: str) -> dict[str, Any]:
    """Return what switches a source on that ships switched off."""
    return {"enabled": True, "approval": f"{reference} of 1 October 2026"}


def of_kind(said: Said, source: str) -> str:
    """Return what kind of thing was said."""
    return said.kind or KINDS[source][0]


def article_page(said: Said) -> Callable[[Request], Reply]:
    """Return the route of an article's page, which may have been taken down."""
    reply = pages.page(said.text, said.text, said.at) if not said.gone else html_reply("gone", status=int(said.gone))
    return lambda _request: reply


def feed_stand(server: Server) -> Stand:
    """Return two papers that print the same articles, the second with tracking in its links."""

    def say(said: Sequence[Said]) -> None:
        items = [
            feeds.Item(
                id=f"item-{one.number}",
                link=f"{server.url}/news/{one.number}",
                title=one.text,
                text=one.text,
                published=one.at,
            )
            for one in said
            if not one.gone
        ]
        tracked = [
            feeds.Item(
                id=item.id,
                link=f"{item.link}?utm_source=rss",
                title=item.title,
                text=item.text,
                published=item.published,
            )
            for item in items[:2]
        ]
        server.routes = {f"/news/{one.number}": article_page(one) for one in said}
        server.routes["/rss"] = lambda _request: feeds.rss("Courier", items)
        server.routes["/atom"] = lambda _request: feeds.atom("Gazette", tracked)

    return Stand(
        source="feeds",
        server=server,
        table={
            "feeds": [{"name": "Courier", "url": f"{server.url}/rss"}, {"name": "Gazette", "url": f"{server.url}/atom"}]
        },
        say=say,
        key=lambda one: canonical(f"{server.url}/news/{one.number}"),
    )


def page_stand(server: Server) -> Stand:
    """Return a village whose articles stand in a sitemap and in a listing."""

    def say(said: Sequence[Said]) -> None:
        standing = [one for one in said if not one.gone]
        links = "".join(f'<li><a href="/village/{one.number}?utm_source=list">More</a></li>' for one in standing[:2])
        entries = "".join(
            f"<url><loc>{server.url}/village/{one.number}</loc><lastmod>{one.at.isoformat()}</lastmod></url>"
            for one in standing
        )
        sitemap = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>'
        server.routes = {f"/village/{one.number}": article_page(one) for one in said}
        server.routes["/village"] = lambda _request: html_reply(f"<html><body><ul>{links}</ul></body></html>")
        server.routes["/sitemap.xml"] = lambda _request: text_reply(sitemap, kind="application/xml")

    return Stand(
        source="pages",
        server=server,
        table={
            "listings": [{"url": f"{server.url}/village", "follow": "/village/*"}],
            "sitemaps": [f"{server.url}/sitemap.xml"],
            "max_pages": 1000,
            "pause_seconds": 0,
        },
        say=say,
        key=lambda one: canonical(f"{server.url}/village/{one.number}"),
    )


def gdelt_stand(server: Server) -> Stand:
    """Return a GDELT whose articles stand on the same server."""
    platform = gdelt.Gdelt()

    def say(said: Sequence[Said]) -> None:
        platform.articles = [
            gdelt.Article(
                path=f"/news/{one.number}", title=one.text, seen=one.at, site=server.url, domain="courier.example"
            )
            for one in said
            if not one.gone
        ]
        server.routes = {**platform.routes, **{f"/news/{one.number}": article_page(one) for one in said}}

    return Stand(
        source="gdelt",
        server=server,
        table={"api_url": server.url},
        say=say,
        key=lambda one: canonical(f"{server.url}/news/{one.number}"),
    )


def report_stand(server: Server, folder: Path) -> Stand:
    """Return an inbox, which no server fills: what people report is not asked for again anywhere."""

    def say(said: Sequence[Said]) -> None:
        rows = (
            {"seen_at": one.at.isoformat(), "platform": "Minecraft", "where": "a public server", "text": one.text}
            for one in said
        )
        (folder / "office.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")

    return Stand(source="reported", server=server, table={"inbox": folder}, say=say, key=lambda _one: "")
