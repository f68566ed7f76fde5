"""Every platform at once: what is said on each stands there in its own wire format, is edited, and goes in its own way.

::

    with everywhere(lambda: NOW, folder) as stands:
        stands["x"].say([Said(number=1, text="Well done Boroughbridge High School", at=an_hour_ago)])
        ...                                    # [sources.x] = stands["x"].table, its secrets beside it
        stands["x"].server.play(x.rate_limited(reset=...), at=x.SEARCH)

Each platform has a server of its own, so that a fault of one is no fault of another.
"""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, timedelta, timezone
from html import escape
from typing import TYPE_CHECKING, Any, Final, Literal

from monitor.addresses import canonical
from monitor.rehearsal import (
    bluesky,
    facebook,
    feeds,
    gdelt,
    instagram,
    linkedin,
    mastodon,
    meta,
    pages,
    reddit,
    threads,
    tiktok,
    x,
    youtube,
)
from monitor.rehearsal.server import Server, html_reply, text_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from monitor.records import Clock
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

OURS: Final = "UCourchannel000000000001"
INDIA: Final = timezone(timedelta(hours=5, minutes=30))
HASHTAG: Final = "BoroughbridgeHigh"


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


@contextmanager
def everywhere(
    clock: Clock, folder: Path, *, page: int | None = None, x_names: Literal["tweet", "post"] = "tweet"
) -> Iterator[dict[str, Stand]]:
    """Give every platform, by its collector's name, each on a server that answers.

    Args:
        clock: the platforms' own.
        folder: an empty one for the inbox of reports.
        page: the most items on a page; what the platforms themselves allow if None.
        x_names: which generation of names X speaks.
    """
    with ExitStack() as stack:
        servers = {name: stack.enter_context(Server()) for name in KINDS}
        stands = (
            _feeds(servers["feeds"]),
            _pages(servers["pages"]),
            _reddit(servers["reddit"], page or 100),
            _x(servers["x"], clock, page or x.MOST, x_names),
            _youtube(servers["youtube"], page or 100),
            _facebook(servers["facebook"], page or 50),
            _instagram(servers["instagram"], page or 50),
            _threads(servers["threads"], page or 100),
            _tiktok(servers["tiktok"], clock, page or tiktok.MOST),
            _linkedin(servers["linkedin"], page or 50),
            _bluesky(servers["bluesky"], page or 100),
            _mastodon(servers["mastodon"], page or 40),
            _gdelt(servers["gdelt"]),
            _reported(servers["reported"], folder),
        )
        yield {stand.source: stand for stand in stands}


def approved(reference: str) -> dict[str, Any]:
    """Return what switches a source on that ships switched off."""
    return {"enabled": True, "approval": f"{reference} of 1 October 2026"}


def _of_kind(said: Said, source: str) -> str:
    """Return what kind of thing was said."""
    return said.kind or KINDS[source][0]


def _page(said: Said) -> Callable[[Request], Reply]:
    """Return the route of an article's page, which may have been taken down."""
    reply = pages.page(said.text, said.text, said.at) if not said.gone else html_reply("gone", status=int(said.gone))
    return lambda _request: reply


def _feeds(server: Server) -> Stand:
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
        server.routes = {f"/news/{one.number}": _page(one) for one in said}
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


def _pages(server: Server) -> Stand:
    """Return a village whose articles stand in a sitemap and in a listing."""

    def say(said: Sequence[Said]) -> None:
        standing = [one for one in said if not one.gone]
        links = "".join(f'<li><a href="/village/{one.number}?utm_source=list">More</a></li>' for one in standing[:2])
        entries = "".join(
            f"<url><loc>{server.url}/village/{one.number}</loc><lastmod>{one.at.isoformat()}</lastmod></url>"
            for one in standing
        )
        sitemap = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>'
        server.routes = {f"/village/{one.number}": _page(one) for one in said}
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


def _reddit(server: Server, page: int) -> Stand:
    """Return a Reddit with one community."""
    platform = reddit.Reddit(page=page)
    server.routes = dict(platform.routes)

    def thing(one: Said) -> reddit.Thing:
        state: Any = one.gone or "public"
        author = "invented_author" if one.named else None
        if _of_kind(one, "reddit") == "comment":
            return reddit.Comment(
                id=f"e{one.number}",
                text=one.text,
                post="0",
                author=author,
                created=one.at,
                edited=one.edited,
                state=state,
            )
        return reddit.Submission(
            id=f"e{one.number}", title=one.text, author=author, created=one.at, edited=one.edited, state=state
        )

    def say(said: Sequence[Said]) -> None:
        platform.things = [thing(one) for one in said]

    return Stand(
        source="reddit",
        server=server,
        table={
            **approved("Reddit's letter"),
            "oauth_url": server.url,
            "reddit_url": server.url,
            "username": "invented_school",
            "subreddits": ["harrogate"],
        },
        secrets={
            "MONITOR_REDDIT_CLIENT_ID": platform.client_id,
            "MONITOR_REDDIT_CLIENT_SECRET": platform.client_secret,
        },
        say=say,
        key=lambda one: f"{'t1' if _of_kind(one, 'reddit') == 'comment' else 't3'}_e{one.number}",
    )


def _x(server: Server, clock: Clock, page: int, names: Literal["tweet", "post"]) -> Stand:
    """Return an X; an edit is a post of its own, and both know of each other."""
    platform = x.X(clock=clock, page=page, names=names)
    server.routes = dict(platform.routes)

    def versions(one: Said) -> Iterator[x.Post]:
        state: Literal["public", "deleted", "protected", "withheld"] = one.gone or "public"  # type: ignore[assignment]
        first = x.id_at(one.at, one.number)
        author = "1000000000000000001" if one.named else ""
        ids = (first, x.id_at(one.edited, one.number)) if one.edited else (first,)
        # X shows the newest version alone; the first is kept for those who ask for it by id
        words = ("(as it was before)", one.text) if one.edited else (one.text,)
        for number, text, moment in zip(ids, words, (one.at, one.edited or one.at), strict=False):
            yield x.Post(
                id=number, text=escape(text, quote=False), created_at=moment, author_id=author, history=ids, state=state
            )

    def say(said: Sequence[Said]) -> None:
        platform.posts = [post for one in said for post in versions(one)]

    return Stand(
        source="x",
        server=server,
        table={**approved("Agreement 7"), "api_url": server.url, "field_names": names},
        secrets={"MONITOR_X_BEARER_TOKEN": platform.token},
        say=say,
        key=lambda one: x.id_at(one.at, one.number),
    )


def _youtube(server: Server, page: int) -> Stand:
    """Return a YouTube on which strangers show videos, and write under ours."""
    platform = youtube.YouTube(page=page)
    server.routes = dict(platform.routes)

    def video(one: Said) -> str:
        return f"everyw{one.number:05d}"

    def say(said: Sequence[Said]) -> None:
        platform.videos, platform.comments = [], []
        for one in said:
            comment = _of_kind(one, "youtube") == "comment"
            platform.videos.append(
                youtube.Clip(
                    id=video(one),
                    title="Open evening" if comment else one.text,
                    published=one.at,
                    channel=OURS if comment else youtube.STRANGER,
                    channel_name="Our School" if comment else "Invented Films",
                    deleted=one.gone == "video deleted" or (bool(one.gone) and not comment),
                    coarse=not one.number % 2,
                )
            )
            if comment:
                platform.comments.append(
                    youtube.Remark(
                        id=f"Ugeverywhere{one.number:014d}",
                        text=one.text,
                        published=one.at,
                        edited=one.edited,
                        video=video(one),
                        author="@invented-viewer" if one.named else "",
                        deleted=bool(one.gone),
                    )
                )

    def key(one: Said) -> str:
        comment = _of_kind(one, "youtube") == "comment"
        return f"{video(one)}/Ugeverywhere{one.number:014d}" if comment else video(one)

    return Stand(
        source="youtube",
        server=server,
        table={"api_url": server.url, "channels": [OURS]},
        secrets={"MONITOR_YOUTUBE_API_KEY": platform.key},
        say=say,
        key=key,
    )


def _facebook(server: Server, page: int) -> Stand:
    """Return a Facebook that writes some of its times as in India."""
    platform = facebook.Facebook(size=page)
    server.routes = dict(platform.routes)
    numbers = {"tag": "900_{}", "visitor": "101_{}", "comment": "3_{}"}

    def key(one: Said) -> str:
        return numbers[_of_kind(one, "facebook")].format(one.number)

    def say(said: Sequence[Said]) -> None:
        own = facebook.Post(id="101_0", text="Our newsletter", created=min(one.at for one in said), by="101")
        platform.posts = [own]
        for one in said:
            kind = _of_kind(one, "facebook")
            platform.posts.append(
                facebook.Post(
                    id=key(one),
                    text=one.text,
                    created=one.at,
                    where="tagged" if kind == "tag" else "page",
                    under=own.id if kind == "comment" else "",
                    zone=UTC if one.number % 2 else INDIA,
                    state="deleted" if one.gone else "public",
                )
            )

    return Stand(
        source="facebook",
        server=server,
        table={"graph_url": f"{server.url}{meta.VERSION}", "pages": ["101"]},
        secrets={"MONITOR_FACEBOOK_TOKEN": platform.token},
        say=say,
        key=key,
    )


def _instagram(server: Server, page: int) -> Stand:
    """Return an Instagram, whose list of a hashtag has the same cursor on every page."""
    platform = instagram.Instagram(size=page)
    server.routes = dict(platform.routes)

    def key(one: Said) -> str:
        return f"502/6{one.number:05d}" if _of_kind(one, "instagram") == "comment" else f"5{one.number:05d}"

    def say(said: Sequence[Said]) -> None:
        first = min(one.at for one in said)
        platform.posts = [instagram.Post(id="502", text="Our choir", created=first, where="own")]
        platform.comments = []
        for one in said:
            kind = _of_kind(one, "instagram")
            if kind == "comment":
                number = f"6{one.number:05d}"
                platform.comments.append(
                    instagram.Comment(id=number, text=one.text, created=one.at, post="502", deleted=bool(one.gone))
                )
            else:
                platform.posts.append(
                    instagram.Post(
                        id=key(one),
                        text=f"{one.text} #{HASHTAG}" if kind == "hashtag" else one.text,
                        created=one.at,
                        where="hashtag" if kind == "hashtag" else "tagged",
                        deleted=bool(one.gone),
                    )
                )

    return Stand(
        source="instagram",
        server=server,
        table={
            "graph_url": f"{server.url}{meta.VERSION}",
            "accounts": [instagram.ACCOUNT],
            "hashtag_review": "invented app, 1 October 2026",
        },
        secrets={"MONITOR_INSTAGRAM_TOKEN": platform.token},
        say=say,
        key=key,
    )


def _threads(server: Server, page: int) -> Stand:
    """Return a Threads that writes some of its times as in India."""
    platform = threads.Threads(size=page)
    server.routes = dict(platform.routes)

    def say(said: Sequence[Said]) -> None:
        platform.posts = [
            threads.Post(
                id=f"8{one.number:05d}",
                text=one.text,
                created=one.at,
                username="invented.parent" if one.named else "",
                zone=UTC if one.number % 2 else INDIA,
                mentions_us=_of_kind(one, "threads") == "mention",
                deleted=bool(one.gone),
            )
            for one in said
        ]

    return Stand(
        source="threads",
        server=server,
        table={**approved("App Review"), "graph_url": f"{server.url}{meta.VERSION}"},
        secrets={"MONITOR_THREADS_TOKEN": platform.token},
        say=say,
        key=lambda one: f"8{one.number:05d}",
    )


def _tiktok(server: Server, clock: Clock, page: int) -> Stand:
    """Return a TikTok; a private video is missing from its list like a deleted one."""
    platform = tiktok.TikTok(clock=clock, page=page)
    server.routes = dict(platform.routes)

    def say(said: Sequence[Said]) -> None:
        platform.posts = [
            tiktok.Post(
                video="8000" if _of_kind(one, "tiktok") == "comment" else f"7{one.number:05d}",
                comment=f"9{one.number:05d}" if _of_kind(one, "tiktok") == "comment" else "",
                caption="Town news" if _of_kind(one, "tiktok") == "comment" else "",
                text=one.text,
                created=one.at,
                deleted=bool(one.gone),
            )
            for one in said
        ]

    return Stand(
        source="tiktok",
        server=server,
        table={
            **approved("Mentions, app 7,"),
            "api_url": f"{server.url}{tiktok.VERSION}",
            "business_id": platform.business_id,
        },
        secrets={"MONITOR_TIKTOK_ACCESS_TOKEN": platform.token},
        say=say,
        key=lambda one: f"8000/9{one.number:05d}" if one.kind == "comment" else f"7{one.number:05d}",
    )


def _linkedin(server: Server, page: int) -> Stand:
    """Return a LinkedIn; comments cannot be shown to some people only."""
    platform = linkedin.LinkedIn(size=page)
    server.routes = dict(platform.routes)
    states = {"": "public", "connections only": "connections", "draft": "draft", "deleted": "deleted"}

    def key(one: Said) -> str:
        if _of_kind(one, "linkedin") == "comment":
            return f"urn:li:comment:(urn:li:activity:90,{one.number})"
        return f"urn:li:share:{one.number}"

    def say(said: Sequence[Said]) -> None:
        platform.posts = [
            linkedin.Post(
                urn=key(one),
                text=one.text,
                created=one.at,
                state="deleted" if one.gone and one.kind == "comment" else states[one.gone],  # type: ignore[arg-type]
            )
            for one in said
        ]

    return Stand(
        source="linkedin",
        server=server,
        table={
            **approved("Standard tier"),
            "api_url": server.url,
            "organizations": {"12345": "Boroughbridge High School"},
        },
        secrets={"MONITOR_LINKEDIN_ACCESS_TOKEN": platform.token},
        say=say,
        key=key,
    )


def _bluesky(server: Server, page: int) -> Stand:
    """Return a Bluesky."""
    platform = bluesky.Bluesky(page=page)
    server.routes = dict(platform.routes)

    def post(one: Said) -> bluesky.Post:
        hidden = (bluesky.NOT_FOR_OUTSIDERS,)
        return bluesky.Post(
            rkey=f"3keverywhere{one.number}",
            text=one.text,
            indexed=one.at,
            # clocks of authors' programs go wrong; the network's own is believed
            created=one.at + timedelta(days=400) if one.number % 2 else None,
            labels=hidden if one.gone == "not for outsiders" else (),
            author_labels=hidden if one.gone == "author not for outsiders" else (),
            deleted=one.gone == "deleted",
        )

    def say(said: Sequence[Said]) -> None:
        platform.posts = [post(one) for one in said]

    return Stand(
        source="bluesky",
        server=server,
        table={"service": server.url, "handle": platform.handle},
        secrets={"MONITOR_BLUESKY_APP_PASSWORD": platform.password},
        say=say,
        key=lambda one: post(one).uri,
    )


def _mastodon(server: Server, page: int) -> Stand:
    """Return one instance of Mastodon, where everything stands under the school's hashtag."""
    platform = mastodon.Mastodon(page=page)
    server.routes = dict(platform.routes)

    def say(said: Sequence[Said]) -> None:
        platform.statuses = [
            mastodon.Status(
                id=str(10_000_000 - one.number),
                html=f"<p>{escape(one.text)}</p>",
                url=f"https://mastodon.example/@invented/{10_000_000 - one.number}",
                created=one.at,
                edited=one.edited,
                visibility={"followers only": "private", "unlisted": "unlisted"}.get(one.gone, "public"),
                noindex=one.gone == "not to be indexed",
                deleted=one.gone == "deleted",
            )
            for one in said
        ]

    return Stand(
        source="mastodon",
        server=server,
        table={"instances": [server.url]},
        say=say,
        key=lambda one: f"{server.host}/{10_000_000 - one.number}",
    )


def _gdelt(server: Server) -> Stand:
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
        server.routes = {**platform.routes, **{f"/news/{one.number}": _page(one) for one in said}}

    return Stand(
        source="gdelt",
        server=server,
        table={"api_url": server.url},
        say=say,
        key=lambda one: canonical(f"{server.url}/news/{one.number}"),
    )


def _reported(server: Server, folder: Path) -> Stand:
    """Return an inbox, which no server fills: what people report is not asked for again anywhere."""

    def say(said: Sequence[Said]) -> None:
        rows = (
            {"seen_at": one.at.isoformat(), "platform": "Minecraft", "where": "a public server", "text": one.text}
            for one in said
        )
        (folder / "office.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")

    return Stand(source="reported", server=server, table={"inbox": folder}, say=say, key=lambda _one: "")
