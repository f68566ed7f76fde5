"""X (Twitter) as its API v2 speaks, with invented posts, in the old names (tweets) and the new ones (posts).

::

    town = X([Post(id=id_at(an_hour_ago), text="Well done Boroughbridge High", created_at=an_hour_ago)])
    with Server(town.routes) as server:
        ...                                    # [sources.x] api_url = server.url, token X.token
        server.play(rate_limited(reset=1_800_000_000), at=SEARCH)

Answers follow X's published OpenAPI description, version 2.167; the older names follow its predecessors.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from monitor.records import Clock, utc_now
from monitor.rehearsal.server import Reply, Request, json_reply, json_status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.rehearsal.server import Fault, Route

SEARCH: Final = "/2/tweets/search/recent"
LOOKUP: Final = "/2/tweets"
PROBLEMS: Final = "https://api.x.com/2/problems/"
EPOCH: Final = datetime(2010, 11, 4, 1, 42, 54, 657_000, tzinfo=UTC)
"""Where X's numbering begins; an id's clock counts milliseconds from here, above its lowest 22 bits."""
REACH: Final = timedelta(days=7)
FEWEST: Final = 10
MOST: Final = 100
LONGEST_QUERY: Final = 512


def id_at(moment: datetime, number: int = 0) -> str:
    """Return the id of the `number`th post that X takes in the millisecond of `moment`."""
    return str((((moment - EPOCH) // timedelta(milliseconds=1)) << 22) + number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One version of an invented post.

    Attributes:
        id: this version's own id.
        text: as X sends it, with &, < and > escaped.
        created_at: when this version was written, zone-aware.
        author_id: X's number for the author, "" to leave it out.
        history: ids of all versions, oldest first; this one alone if empty.
        reply_to: id of the post it answers.
        long: the whole text, where `text` is only its beginning.
        lang: X's guess.
        state: "deleted" and "protected" posts are missing from every answer but the lookup's errors; "withheld" ones
            are shown with the word that nobody in this country may see them.
    """

    id: str
    text: str
    created_at: datetime
    author_id: str = "1000000000000000001"
    history: tuple[str, ...] = ()
    reply_to: str = ""
    long: str = ""
    lang: str = "en"
    state: Literal["public", "deleted", "protected", "withheld"] = "public"

    @property
    def shown(self) -> bool:
        """Whether answers hold it."""
        return self.state in {"public", "withheld"}


@dataclass(slots=True)
class X:
    """A small X. Change `posts` and `names` at any time.

    Attributes:
        posts: everything that was ever posted.
        names: which generation of names it speaks.
        page: the most posts it puts on a page, however many are asked for.
        clock: tells the time, for the seven days that search looks back.
        token: the only bearer token it accepts.
    """

    posts: list[Post] = field(default_factory=list)
    names: Literal["tweet", "post"] = "tweet"
    page: int = MOST
    clock: Clock = utc_now
    token: str = "rehearsal-bearer-token"  # noqa: S105 - opens nothing but this rehearsal

    @property
    def routes(self) -> Mapping[str, Route]:
        """What to serve."""
        return {SEARCH: self.search, LOOKUP: self.lookup}

    def search(self, request: Request, /) -> Reply:
        """Answer a recent search: newest first, without what is gone."""
        if refusal := self._refusal(request) or self._wrong(request):
            return refusal
        query = request.query
        phrases = [part.lower() for pair in re.findall(r'"([^"]+)"|(#\w+)', query["query"]) for part in pair]
        start = datetime.fromisoformat(query["start_time"]) if "start_time" in query else EPOCH
        found = [
            post
            for post in sorted(self.posts, key=lambda post: int(post.id), reverse=True)
            if post.shown
            and post.created_at >= start
            and int(post.id) > int(query.get("since_id", "0"))
            and any(phrase and phrase in (post.long or post.text).lower() for phrase in phrases)
        ]
        begin = int(query.get("next_token", "cursor0").removeprefix("cursor"))
        end = begin + min(self.page, int(query.get("max_results", FEWEST)))
        meta: dict[str, Any] = {"result_count": len(found[begin:end])}
        if not found[begin:end]:
            return json_reply({"meta": meta})
        meta |= {"newest_id": found[begin].id, "oldest_id": found[begin:end][-1].id}
        if found[end:]:
            meta["next_token"] = f"cursor{end}"
        return json_reply({"data": [self._wire(post, query) for post in found[begin:end]], "meta": meta})

    def lookup(self, request: Request, /) -> Reply:
        """Answer a question for posts by id: an old version's id gets the old version."""
        if refusal := self._refusal(request):
            return refusal
        known = {post.id: post for post in self.posts}
        data, errors = [], []
        for post_id in request.query["ids"].split(","):
            post = known.get(post_id)
            if post is not None and post.shown:
                data.append(self._wire(post, request.query))
            else:
                kind = "tweet" if self.names == "tweet" else "post"
                errors.append(missing(post_id, kind, protected=post is not None and post.state == "protected"))
        return json_reply({**({"data": data} if data else {}), **({"errors": errors} if errors else {})})

    def _refusal(self, request: Request) -> Reply | None:
        """Return 401 for a wrong token."""
        if request.headers.get("authorization") == f"Bearer {self.token}":
            return None
        return json_reply(UNAUTHORIZED, status=401)

    def _wrong(self, request: Request) -> Reply | None:
        """Return 400 for what X does not accept in a search."""
        query = request.query
        now = self.clock()
        wrong = (
            not 1 <= len(query.get("query", "")) <= LONGEST_QUERY
            or not FEWEST <= int(query.get("max_results", FEWEST)) <= MOST
            or ("start_time" in query and "since_id" in query)
            or f"{self.names}.fields" not in query
            or ("start_time" in query and datetime.fromisoformat(query["start_time"]) < now - REACH)
            or ("since_id" in query and int(query["since_id"]) < int(id_at(now - REACH)))
        )
        problem = {"title": "Invalid Request", "detail": "...", "type": f"{PROBLEMS}invalid-request"}
        return json_reply(problem, status=400) if wrong else None

    def _wire(self, post: Post, query: Mapping[str, str]) -> dict[str, Any]:
        """Return a post with the fields that were asked for, in this generation's names."""
        fields = query.get(f"{self.names}.fields", "").split(",")
        references = [{"type": "replied_to", "id": post.reply_to}] if post.reply_to else []
        every = {
            "created_at": post.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "author_id": post.author_id,
            "lang": post.lang,
            f"note_{self.names}": {"text": post.long} if post.long else None,
            f"referenced_{self.names}s": references,
            "withheld": {"copyright": False, "country_codes": ["GB"]} if post.state == "withheld" else None,
        }
        always = {
            "id": post.id,
            "text": post.text,
            f"edit_history_{self.names}_ids": list(post.history or (post.id,)),
        }
        return always | {name: value for name, value in every.items() if value and name in fields}


def missing(post_id: str, kind: str = "tweet", *, protected: bool = False) -> dict[str, Any]:
    """Return the partial error that stands for a deleted or protected post."""
    problem = {
        "value": post_id,
        "resource_id": post_id,
        "parameter": "ids",
        "resource_type": kind,
        "title": "Authorization Error" if protected else "Not Found Error",
        "detail": f"Could not find {kind} with ids: [{post_id}].",
        "type": f"{PROBLEMS}resource-not-found",
    }
    if protected:
        problem["section"] = "includes"
        problem["type"] = f"{PROBLEMS}not-authorized-for-resource"
    return problem


UNAUTHORIZED: Final = {
    "title": "Unauthorized",
    "type": "about:blank",
    "status": 401,
    "detail": "Unauthorized",
}


def rate_limited(*, reset: int) -> Fault:
    """Answer 429 as X does: the limit ends at the epoch second `reset`."""
    headers = {"x-rate-limit-limit": "450", "x-rate-limit-remaining": "0", "x-rate-limit-reset": str(reset)}
    content = {
        "title": "Too Many Requests",
        "type": "about:blank",
        "status": 429,
        "detail": "Too Many Requests",
    }
    return json_status(429, content, headers)


def expired_token() -> Fault:
    """Answer as if the bearer token had been revoked."""
    return json_status(401, UNAUTHORIZED)


def not_enrolled() -> Fault:
    """Answer 403, as to an app whose plan does not hold the endpoint."""
    content = {"title": "Client Forbidden", "detail": "...", "type": f"{PROBLEMS}client-forbidden"}
    return json_status(403, content)


def no_credit() -> Fault:
    """Answer 402, as to an account that has spent its credit."""
    return json_status(402, {"title": "CreditsDepleted", "detail": "...", "type": f"{PROBLEMS}credits"})


def empty_page(token: str = "cursor0") -> Fault:  # noqa: S107 - a cursor
    """Answer with no posts and a cursor."""
    return _changed(lambda _: {"meta": {"result_count": 0, "next_token": token}})


def same_cursor() -> Fault:
    """Give the same cursor with every page."""
    return _changed(lambda content: {**content, "meta": {**content["meta"], "next_token": "cursor0"}})


def malformed_item() -> Fault:
    """Put a post without a date and something that is no post beside the good ones."""
    bad: list[Any] = [{"id": "7", "text": "no date"}, "not a post"]
    return _changed(lambda content: {**content, "data": [*bad, *content.get("data", [])]})


def partial_error(problem: Mapping[str, Any]) -> Fault:
    """Report an error beside the good posts."""
    return _changed(lambda content: {**content, "errors": [*content.get("errors", []), problem]})


def _changed(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Fault:
    """Return a fault that rewrites the JSON of a good reply."""

    def spoilt(_request: Request, reply: Reply) -> Reply:
        return replace(reply, body=json.dumps(change(json.loads(reply.whole()))).encode())

    return spoilt
