"""X (Twitter): recent search for the schools' names, through tweepy, with every post paid for in advance.

API v2, `GET /2/tweets/search/recent` and, for the re-check, `GET /2/tweets` (docs.x.com/x-api/posts). Each
post read costs money, so before each page the rest of the month's allowance decides how many posts may come.
Nothing is expanded: no profile, no medium and no quoted post is fetched, the author is X's number and nothing
more. X is renaming tweets to posts; answers in both generations of names are read.
"""

from __future__ import annotations

import json
import logging
import math
import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Literal

import requests
import tweepy  # type: ignore[import-untyped]
from pydantic import Field, ValidationError

from collectors import SourceOptions
from collectors._packing import first_fit, quoted
from collectors._vendor import BaseAddress, leashed
from collectors._x_posts import SOURCE as NAME
from collectors._x_posts import Page, Post, born, mention_of, what_is_wrong
from monitor.errors import AccessRefused, QuotaSpent, RateLimited, SourceError, UnexpectedShape
from monitor.http import retry_at, status_error
from monitor.records import Bookmark, Gone, Malformed, Mention, Spent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import SecretStr

    from collectors import Collector, Tools
    from monitor.records import Ask, Yielded

SECRETS: Final = ("X_BEARER_TOKEN",)
SEARCH: Final = "/2/tweets/search/recent"
LOOKUP: Final = "/2/tweets"
LONGEST_QUERY: Final = 512
NO_REPOSTS: Final = " -is:retweet"
FEWEST: Final = 10
MOST: Final = 100
"""How many posts a page may be asked for."""
REACH: Final = timedelta(days=7) - timedelta(minutes=5)
"""How far recent search looks back, less some minutes for slow clocks."""
MOST_PAGES: Final = 500
FIELDS: Final = {
    "tweet": {"tweet.fields": "author_id,created_at,lang,note_tweet,referenced_tweets,withheld"},
    "post": {"post.fields": "created_at,lang,note_post,withheld"},
}
"""The field lists that each generation of the API knows."""

# tweepy's debug lines quote whole answers: posts do not belong into a log
logging.getLogger("tweepy").setLevel(logging.INFO)


class Options(SourceOptions):
    """`[sources.x]`.

    Attributes:
        api_url: the API's base address.
        pence_per_post: what X bills for one post read ($0.005 in August 2026).
        field_names: how the API calls the list of fields that is asked for, "tweet" or "post".
    """

    api_url: BaseAddress = "https://api.x.com"
    pence_per_post: float = Field(default=0.4, gt=0)
    field_names: Literal["tweet", "post"] = "tweet"


def collector(options: Options, tools: Tools) -> Collector:
    """Make the reader.

    Raises:
        ConfigError: the bearer token is not set.
    """
    return X(options, tools)


class X:
    """Reads X. Once a query completes, its newest id is the bookmark; pages come newest first."""

    name = NAME

    def __init__(self, options: Options, tools: Tools) -> None:
        self._options = options
        self._clock = tools.clock
        self._client = tweepy.Client(return_type=requests.Response, wait_on_rate_limit=False)
        # tweepy has its host written into it and logs its token: both are kept from it
        self._client.session = leashed(NAME, tools.clock, _refused, base=options.api_url)
        self._client.session.auth = _Bearer(tools.secrets.need(SECRETS[0], "X gives nothing without it"))
        self._client.user_agent = tools.user_agent

    def collect(self, ask: Ask) -> Iterator[Yielded]:
        """Yield what is new for each query; see `collectors.Collector`.

        Raises:
            QuotaSpent: the next page could cost more than is left of the month's allowance.
            SourceError: see `monitor.errors`.
        """
        left = ask.allowance.pence if ask.allowance else math.inf
        versions: dict[str, int] = {}
        for query in packed(ask.phrases, ask.tags):
            for item in self._search(query, ask, left):
                match item:
                    case Spent(pence=pence):
                        left -= pence
                    case Post() as post:
                        # two queries, two pages or an edit may show a post again: the newest version stays
                        if versions.get(post.first_id, -1) < int(post.id):
                            versions[post.first_id] = int(post.id)
                            yield mention_of(post)
                        continue
                yield item

    def recheck(
        self, native_ids: Sequence[str], allowance: Spent | None = None
    ) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Yield each post in its newest version, or `Gone` if it is deleted, protected or withheld in this country.

        Raises:
            QuotaSpent: what is left does not pay for another post.
            SourceError: see `monitor.errors`.
        """
        left = allowance.pence if allowance else math.inf
        natives = {native_id: native_id for native_id in native_ids}
        waiting = list(natives)
        while waiting:
            affordable = self._affordable(left, fewest=1)
            batch, waiting = waiting[:affordable], waiting[affordable:]
            page = self._page(LOOKUP, {"ids": ",".join(batch)})
            cost = self._cost(page)
            left -= cost.pence
            yield cost
            unanswered = set(batch)
            for item in page.items():
                match item:
                    case Post() as post:
                        unanswered.discard(post.id)
                        latest = post.latest_id
                        if latest == post.id:
                            yield mention_of(post)
                        elif latest not in natives:
                            # X answers an old id with the old words
                            natives[latest] = natives.get(post.id, post.first_id)
                            waiting.append(latest)
                    case Gone(native_id=native_id):
                        unanswered.discard(native_id)
                        yield Gone(source=NAME, native_id=natives.get(native_id, native_id))
                    case Malformed():
                        yield item
            for _ in unanswered:
                yield Malformed(reason="asked for again, and X says nothing of it")

    def _search(self, query: str, ask: Ask, left: float) -> Iterator[Post | Gone | Malformed | Spent | Bookmark]:
        """Yield every page of one query, and only then the bookmark: nothing unseen may be skipped."""
        since, start = self._since(query, ask)
        bounds = {"since_id": since} if since else {"start_time": start.strftime("%Y-%m-%dT%H:%M:%SZ")}
        newest, token, tokens = int(since or 0), "", set[str]()
        for _ in range(MOST_PAGES):
            affordable = self._affordable(left)
            cursor = {"next_token": token} if token else {}
            page = self._page(SEARCH, {"query": query, "max_results": str(affordable), **bounds, **cursor})
            cost = self._cost(page)
            left -= cost.pence
            yield cost
            for item in page.items():
                if isinstance(item, Post):
                    newest = max(newest, int(item.id))
                yield item
            token = page.meta.next_token if page.meta else ""
            if not token:
                if newest:
                    yield Bookmark(channel=query, value=str(newest))
                return
            if token in tokens:
                raise UnexpectedShape(NAME, "the same cursor came twice")
            tokens.add(token)
        raise UnexpectedShape(NAME, f"one query does not end after {MOST_PAGES} pages")

    def _since(self, query: str, ask: Ask) -> tuple[str, datetime]:
        """Return the bookmark's id if X still accepts it ("" if not), and where to start otherwise."""
        now = self._clock()
        earliest = now - REACH
        value = ask.bookmarks.get(query, "")
        # an id from the future would hide everything until then
        fresh = re.fullmatch("[0-9]{1,19}", value) and earliest < born(value) <= now
        return value if fresh else "", max(ask.window.start, earliest)

    def _affordable(self, left: float, *, fewest: int = FEWEST) -> int:
        """Return how many posts the next page may hold.

        Raises:
            QuotaSpent: X gives no page as small as what is left.
        """
        posts = math.floor(min(MOST, left / self._options.pence_per_post + 1e-9))
        if posts < fewest:
            month = self._clock().astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            raise QuotaSpent(
                NAME,
                "what is left of this month's cap does not pay for another page",
                retry_at=(month + timedelta(days=32)).replace(day=1),
            )
        return posts

    def _cost(self, page: Page) -> Spent:
        """Return what a page cost; posts that came along unasked are billed as well."""
        posts = len(page.data or ()) + len(page.includes.posts)
        return Spent(calls=1, units=posts, pence=posts * self._options.pence_per_post)

    def _page(self, route: str, params: dict[str, str]) -> Page:
        """Ask for one page.

        Raises:
            SourceError: see `monitor.errors`.
        """
        response = self._client.request("GET", route, params={**FIELDS[self._options.field_names], **params})
        try:
            # in two steps: pydantic's own JSON reader refuses a page for half a character inside one post
            page = Page.model_validate(json.loads(response.content))
        except ValidationError as error:
            raise UnexpectedShape(NAME, f"expected a page of posts: {what_is_wrong(error)}") from None
        except (ValueError, RecursionError):
            kind = response.headers.get("Content-Type", "no content type").split(";")[0]
            raise UnexpectedShape(NAME, f"expected JSON, got {kind[:40]}") from None
        promised = page.meta.result_count if page.meta else 0
        if (page.data is None and page.meta is None and page.errors is None) or (promised and not page.data):
            raise UnexpectedShape(NAME, "an answer without posts, count or error")
        return page


def packed(phrases: Sequence[str], tags: Sequence[str]) -> tuple[str, ...]:
    """Return the fewest queries, by first fit, that ask for every phrase and hashtag once, without reposts.

    Each is at most 512 characters long (docs.x.com, posts/search/integrate/build-a-query).

    Raises:
        ConfigError: a single phrase or tag does not fit.
    """
    terms = (*quoted(phrases), *(f"#{tag.lstrip('#')}" for tag in tags))
    room = LONGEST_QUERY - len("()") - len(NO_REPOSTS)
    return tuple(f"({query}){NO_REPOSTS}" for query in first_fit(terms, room=room))


class _Bearer(requests.auth.AuthBase):
    """Puts the token on a request at the last moment, behind the library's back."""

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        return request


def _refused(status: int, headers: Mapping[str, str], host: str, now: datetime) -> SourceError:
    """Return what X means by a status; its 429 names the second at which the limit ends."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        reset = headers.get("x-rate-limit-reset", "")
        wait = int(reset) - int(now.timestamp()) if re.fullmatch("[0-9]{1,11}", reset) else None
        named = headers if wait is None else {"retry-after": str(max(wait, 0))}
        return RateLimited(NAME, f"{host} asks us to wait", retry_at=retry_at(named, now))
    if status == HTTPStatus.PAYMENT_REQUIRED:
        return AccessRefused(NAME, f"{host} says that the account has no credit left (402)")
    return status_error(NAME, status, headers, host, now)
