"""A Mastodon instance as its REST API speaks, with invented posts.

::

    town = Mastodon([Status(id="1101", html="<p>#BoroughbridgeHigh</p>", tags=("boroughbridgehigh",), ...)])
    with Server(town.routes) as server:
        ...                                    # instances = [server.url]
        server.play(rate_limited(reset=in_five_minutes), at=TAGS)

Fields and headers are those of Mastodon 4.6 (docs.joinmastodon.org/entities/Status).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from monitor.rehearsal.server import Reply, Request, json_reply, json_status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.rehearsal.server import Fault, Route

INSTANCE: Final = "/api/v2/instance/"
TAGS: Final = "/api/v1/timelines/tag/*"
STATUSES: Final = "/api/v1/statuses/*"

Access = Literal["public", "authenticated", "disabled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """An invented post.

    Attributes:
        id: the instance's number for it; the higher, the newer.
        html: its content.
        created: zone-aware.
        tags: its hashtags, in small letters.
        uri: its network-wide id; made from the id if "".
        acct: the author, "name" for the instance's own, "name@host" for others; None leaves the account out.
        deleted: whether it is missing from every answer.
    """

    id: str
    html: str
    created: datetime
    tags: tuple[str, ...] = ("boroughbridgehigh",)
    uri: str = ""
    url: str | None = "https://mastodon.example/@invented/1"
    acct: str | None = "invented_parent"
    warning: str = ""
    language: str | None = "en"
    visibility: str = "public"
    reply_to: str | None = None
    edited: datetime | None = None
    indexable: bool | None = True
    noindex: bool | None = False
    deleted: bool = False

    @property
    def foreign(self) -> bool:
        """Whether it came from another instance."""
        return "@" in (self.acct or "")


@dataclass(slots=True)
class Mastodon:
    """A small instance. Change `statuses` at any time.

    Attributes:
        statuses: everything that was ever posted.
        page: the most posts on a page, however many are asked for.
        local, remote: what it shows outsiders of a hashtag's timeline; None where it does not say (before 4.5).
    """

    statuses: list[Status] = field(default_factory=list)
    page: int = 40
    local: Access | None = "public"
    remote: Access | None = "public"

    @property
    def routes(self) -> Mapping[str, Route]:
        """What to serve."""
        return {INSTANCE: self.instance, TAGS: self.timeline, STATUSES: self.status}

    def instance(self, request: Request, /) -> Reply:
        """Say what is shown to outsiders."""
        del request
        feeds = {"local": self.local, "remote": self.remote}
        access = {"timelines_access": {"hashtag_feeds": feeds}} if self.local and self.remote else {}
        content = {"domain": "mastodon.example", "version": "4.6.4", "configuration": access}
        return json_reply(content, headers=_HEADERS)

    def timeline(self, request: Request, /) -> Reply:
        """Answer with what stands under a hashtag: newest first, with a Link to the next page."""
        query = request.query
        asked = {"local": "local" in query, "remote": "remote" in query}
        open_to_all = {"local": self.local in {"public", None}, "remote": self.remote in {"public", None}}
        wanted = [scope for scope in asked if asked[scope] or not any(asked.values())]
        if not all(open_to_all[scope] for scope in wanted):
            return json_reply({"error": "This method requires an authenticated user"}, status=401)
        tag = request.path.rpartition("/")[2].lower()
        found = [
            status
            for status in sorted(self.statuses, key=lambda status: int(status.id), reverse=True)
            if tag in status.tags
            and not status.deleted
            and int(status.id) < int(query.get("max_id", 10**18))
            and not (asked["local"] and status.foreign)
            and not (asked["remote"] and not status.foreign)
        ]
        shown = found[: min(self.page, int(query.get("limit", 20)))]
        link = {}
        if shown:
            here = f"{request.base}{request.path}"
            link = {"Link": f'<{here}?max_id={shown[-1].id}>; rel="next", <{here}?min_id={shown[0].id}>; rel="prev"'}
        return json_reply([wire(status) for status in shown], headers={**_HEADERS, **link})

    def status(self, request: Request, /) -> Reply:
        """Answer with one post: 404 where it is gone, or not public."""
        number = request.path.rpartition("/")[2]
        for status in self.statuses:
            if status.id == number and not status.deleted and status.visibility in {"public", "unlisted"}:
                return json_reply(wire(status), headers=_HEADERS)
        return json_reply({"error": "Record not found"}, status=404)


_HEADERS: Final = {
    "x-ratelimit-limit": "300",
    "x-ratelimit-remaining": "299",
    "x-ratelimit-reset": "2026-11-22T09:05:00.916474Z",
}


def wire(status: Status) -> dict[str, Any]:
    """Return a post as it goes over the wire."""
    account = {
        "id": "7",
        "username": str(status.acct).partition("@")[0],
        "acct": status.acct,
        "url": "https://mastodon.example/@invented",
        "indexable": status.indexable,
        "noindex": status.noindex,
    }
    return {
        "id": status.id,
        "uri": status.uri or f"https://mastodon.example/ap/statuses/{status.id}",
        "url": status.url,
        "created_at": _moment(status.created),
        "edited_at": _moment(status.edited) if status.edited else None,
        "in_reply_to_id": status.reply_to,
        "in_reply_to_account_id": "7" if status.reply_to else None,
        "sensitive": bool(status.warning),
        "spoiler_text": status.warning,
        "visibility": status.visibility,
        "language": status.language,
        "content": status.html,
        "reblog": None,
        "media_attachments": [],
        "mentions": [],
        "tags": [{"name": tag, "url": f"https://mastodon.example/tags/{tag}"} for tag in status.tags],
        "emojis": [],
        "card": None,
        "poll": None,
        **({} if status.acct is None else {"account": account}),
    }


def rate_limited(*, reset: datetime) -> Fault:
    """Answer 429 as Mastodon does: the limit ends at `reset`, in ISO 8601."""
    headers = {"x-ratelimit-limit": "300", "x-ratelimit-remaining": "0", "x-ratelimit-reset": _moment(reset)}
    return json_status(429, {"error": "Too many requests"}, headers)


def members_only() -> Fault:
    """Answer 401, as an instance that must not be asked without an account."""
    return json_status(401, {"error": "This method requires an authenticated user"})


def empty_page(max_id: str = "999999999") -> Fault:
    """Answer with no posts and a link to a next page."""

    def spoilt(request: Request, reply: Reply) -> Reply:
        link = f'<{request.base}{request.path}?max_id={max_id}>; rel="next"'
        return replace(reply, headers={**reply.headers, "Link": link}, body=b"[]")

    return spoilt


def same_cursor() -> Fault:
    """Give the same next page for ever."""

    def spoilt(request: Request, reply: Reply) -> Reply:
        link = f'<{request.base}{request.path}?max_id=999999999>; rel="next"'
        return replace(reply, headers={**reply.headers, "Link": link})

    return spoilt


def malformed_item() -> Fault:
    """Put a post without an account, one without a time and something that is no post beside the good ones."""
    good = wire(Status(id="1", html="<p>words</p>", created=datetime(2026, 11, 22, tzinfo=UTC)))
    bad: list[Any] = [
        {name: value for name, value in good.items() if name != "account"},
        {**good, "created_at": "yesterday"},
        "not a post",
    ]
    return _changed(lambda content: [*bad, *content])


def _changed(change: Callable[[list[Any]], list[Any]]) -> Fault:
    """Return a fault that rewrites the list of a good reply; other replies are left alone."""

    def spoilt(_request: Request, reply: Reply) -> Reply:
        content = json.loads(reply.whole())
        return replace(reply, body=json.dumps(change(content)).encode()) if isinstance(content, list) else reply

    return spoilt


def _moment(moment: datetime) -> str:
    """Return a time as Mastodon writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
