"""Small platforms whose three posts a test deletes, edits and hides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from monitor.rehearsal import bluesky, mastodon, reddit, tiktok, x

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.rehearsal.server import Route

WORDS = "Boroughbridge High School: no heating again"
EDITED = "Boroughbridge High School: heating is back"


@dataclass(slots=True)
class Town:
    """One platform with posts "1" to "3", which a test deletes, edits and hides, and the table that reads it."""

    source: str
    routes: dict[str, Route]
    table: Callable[[str], dict[str, Any]]
    secrets: dict[str, str]
    change: Callable[[str, str], None]


def bluesky_town(now: datetime) -> Town:
    posts = {
        n: bluesky.Post(rkey=f"3krecheck{n}", text=f"{WORDS} {n}", indexed=now - timedelta(hours=int(n)))
        for n in ("1", "2", "3")
    }
    platform = bluesky.Bluesky(list(posts.values()))

    def change(number: str, how: str) -> None:
        labels = (bluesky.NOT_FOR_OUTSIDERS,) if how == "protected" else ()
        changed = replace(posts[number], deleted=how == "deleted", author_labels=labels)
        posts[number] = replace(changed, text=EDITED) if how == "edited" else changed
        platform.posts = list(posts.values())

    return Town(
        source="bluesky",
        routes=dict(platform.routes),
        table=lambda url: {"service": url, "handle": "monitor.test"},
        secrets={"MONITOR_BLUESKY_APP_PASSWORD": platform.password},
        change=change,
    )


def mastodon_town(now: datetime) -> Town:
    posts = {
        n: mastodon.Status(id=n, html=f"<p>{WORDS} #BoroughbridgeHigh {n}</p>", created=now - timedelta(hours=int(n)))
        for n in ("1", "2", "3")
    }
    platform = mastodon.Mastodon(list(posts.values()))

    def change(number: str, how: str) -> None:
        changed = replace(posts[number], deleted=how == "deleted", noindex=how == "protected")
        posts[number] = replace(changed, html=f"<p>{EDITED}</p>") if how == "edited" else changed
        platform.statuses = list(posts.values())

    return Town(
        source="mastodon",
        routes=dict(platform.routes),
        table=lambda url: {"instances": [url]},
        secrets={},
        change=change,
    )


def reddit_town(now: datetime) -> Town:
    posts = {
        n: reddit.Submission(id=f"aaa{n}", title=WORDS, text=f"Any news? {n}", created=now - timedelta(hours=int(n)))
        for n in ("1", "2", "3")
    }
    platform = reddit.Reddit(list(posts.values()))

    def change(number: str, how: str) -> None:
        posts[number] = {
            "deleted": replace(posts[number], state="deleted"),
            "protected": replace(posts[number], state="removed"),
            "edited": replace(posts[number], text=EDITED),
        }[how]
        platform.things = list(posts.values())

    return Town(
        source="reddit",
        routes=dict(platform.routes),
        table=lambda url: {
            "enabled": True,
            "approval": "Reddit's letter of 1 October 2026",
            "oauth_url": url,
            "reddit_url": url,
            "username": "invented_school",
            "subreddits": ["harrogate"],
        },
        secrets={
            "MONITOR_REDDIT_CLIENT_ID": platform.client_id,
            "MONITOR_REDDIT_CLIENT_SECRET": platform.client_secret,
        },
        change=change,
    )


def x_town(now: datetime) -> Town:
    def written(number: str) -> x.Post:
        moment = now - timedelta(hours=int(number))
        return x.Post(id=x.id_at(moment), text=f"{WORDS} {number}", created_at=moment)

    posts = {n: written(n) for n in ("1", "2", "3")}
    platform = x.X(list(posts.values()), clock=lambda: now)

    def change(number: str, how: str) -> None:
        if how == "edited":
            # an edit is a post of its own, and both know of each other
            later = x.id_at(now, int(number))
            history = (posts[number].id, later)
            posts[number] = replace(posts[number], history=history)
            posts[f"{number} edited"] = replace(posts[number], id=later, text=EDITED, created_at=now)
        else:
            posts[number] = replace(posts[number], state="deleted" if how == "deleted" else "protected")
        platform.posts = list(posts.values())

    return Town(
        source="x",
        routes=dict(platform.routes),
        table=lambda url: {"enabled": True, "approval": "Agreement 7, 1 October 2026", "api_url": url},
        secrets={"MONITOR_X_BEARER_TOKEN": platform.token},
        change=change,
    )


def tiktok_town(now: datetime) -> Town:
    posts = {
        n: tiktok.Post(video=f"700{n}", text=f"{WORDS} {n}", created=now - timedelta(hours=int(n)))
        for n in ("1", "2", "3")
    }
    platform = tiktok.TikTok(list(posts.values()), clock=lambda: now)

    def change(number: str, how: str) -> None:
        # a private video is missing from the list like a deleted one
        posts[number] = replace(posts[number], **({"text": EDITED} if how == "edited" else {"deleted": True}))
        platform.posts = list(posts.values())

    return Town(
        source="tiktok",
        routes=dict(platform.routes),
        table=lambda url: {
            "enabled": True,
            "approval": "Mentions granted on 1 October 2026, app 7",
            "api_url": f"{url}{tiktok.VERSION}",
            "business_id": platform.business_id,
        },
        secrets={"MONITOR_TIKTOK_ACCESS_TOKEN": platform.token},
        change=change,
    )


TOWNS = {"bluesky": bluesky_town, "mastodon": mastodon_town, "reddit": reddit_town, "tiktok": tiktok_town, "x": x_town}
