"""Every platform at once: what is said on each stands there in its own wire format, is edited, and goes in its own way.

::

    with everywhere(lambda: NOW, folder) as stands:
        stands["x"].say([Said(number=1, text="Well done Boroughbridge High School", at=an_hour_ago)])
        ...                                    # [sources.x] = stands["x"].table, its secrets beside it
        stands["x"].server.play(x.rate_limited(reset=...), at=x.SEARCH)

Each platform has a server of its own, so that a fault of one is no fault of another.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import UTC, timedelta, timezone
from html import escape
from typing import TYPE_CHECKING, Any, Final, Literal

from monitor.rehearsal import (
    bluesky,
    facebook,
    instagram,
    linkedin,
    mastodon,
    meta,
    reddit,
    threads,
    tiktok,
    x,
    youtube,
)
from monitor.rehearsal.server import Server
from monitor.rehearsal.stands import (
    KINDS,
    Said,
    Stand,
    approved,
    feed_stand,
    gdelt_stand,
    of_kind,
    page_stand,
    report_stand,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from monitor.records import Clock

OURS: Final = "UCourchannel000000000001"
INDIA: Final = timezone(timedelta(hours=5, minutes=30))
HASHTAG: Final = "BoroughbridgeHigh"


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
            feed_stand(servers["feeds"]),
            page_stand(servers["pages"]),
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
            gdelt_stand(servers["gdelt"]),
            report_stand(servers["reported"], folder),
        )
        yield {stand.source: stand for stand in stands}


def _reddit(server: Server, page: int) -> Stand:
    """Return a Reddit with one community."""
    platform = reddit.Reddit(page=page)
    server.routes = dict(platform.routes)

    def thing(one: Said) -> reddit.Thing:
        state: Any = one.gone or "public"
        author = "invented_author" if one.named else None
        if of_kind(one, "reddit") == "comment":
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
        key=lambda one: f"{'t1' if of_kind(one, 'reddit') == 'comment' else 't3'}_e{one.number}",
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
            comment = of_kind(one, "youtube") == "comment"
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
        comment = of_kind(one, "youtube") == "comment"
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
        return numbers[of_kind(one, "facebook")].format(one.number)

    def say(said: Sequence[Said]) -> None:
        own = facebook.Post(id="101_0", text="Our newsletter", created=min(one.at for one in said), by="101")
        platform.posts = [own]
        for one in said:
            kind = of_kind(one, "facebook")
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
        return f"502/6{one.number:05d}" if of_kind(one, "instagram") == "comment" else f"5{one.number:05d}"

    def say(said: Sequence[Said]) -> None:
        first = min(one.at for one in said)
        platform.posts = [instagram.Post(id="502", text="Our choir", created=first, where="own")]
        platform.comments = []
        for one in said:
            kind = of_kind(one, "instagram")
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
                mentions_us=of_kind(one, "threads") == "mention",
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
                video="8000" if of_kind(one, "tiktok") == "comment" else f"7{one.number:05d}",
                comment=f"9{one.number:05d}" if of_kind(one, "tiktok") == "comment" else "",
                caption="Town news" if of_kind(one, "tiktok") == "comment" else "",
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
        if of_kind(one, "linkedin") == "comment":
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
