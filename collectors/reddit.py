"""Reddit: a search for the schools' names, and what is new in chosen communities, through praw.

OAuth API: `/search`, `/r/NAME/new`, `/r/NAME/comments` and, for the re-check, `/api/info`
(www.reddit.com/dev/api). praw signs in and asks; its lazy objects are not used, because reading an attribute
that an answer lacks makes them ask again, a person's profile included. Comments cannot be searched, so they
come from the chosen communities alone.
"""

from __future__ import annotations

import configparser
import logging
import math
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final

import praw
import prawcore
from praw.config import Config
from praw.exceptions import PRAWException
from pydantic import AfterValidator, Field, ValidationError

from collectors import SourceOptions
from collectors._failures import Failure, worst
from collectors._packing import first_fit, quoted
from collectors._purse import Purse
from collectors._reddit_things import Listing, Thing, mention_or_gone, read
from collectors._vendor import BaseAddress, leashed
from monitor.errors import AccessRefused, RateLimited, SourceError, UnexpectedShape
from monitor.http import retry_at, status_error
from monitor.records import Gone, Malformed, Mention, Spent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import requests

    from collectors import Collector, Tools
    from monitor.records import Ask, Clock, Window, Yielded

NAME: Final = "reddit"
SECRETS: Final = ("REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET")
CALL: Final = Spent(calls=1)
PAGE: Final = 100
PAGES: Final = 10
"""A listing shows its newest thousand and no more."""
LONGEST_QUERY: Final = 512
SPANS: Final = {"hour": 1, "day": 24, "week": 7 * 24, "month": 28 * 24}
"""Hours that each of the search's time filters surely covers."""

# prawcore's debug lines quote queries; and no praw.ini is read, which anybody could leave where we work
logging.getLogger("prawcore").setLevel(logging.INFO)
Config.CONFIG = configparser.ConfigParser(interpolation=None)


def _community(value: str) -> str:
    """Accept a community's name, with or without "r/"; refuse people's own pages and everything at once."""
    name = value.removeprefix("/").removeprefix("r/")
    if not re.fullmatch("[A-Za-z0-9_]{2,24}", name):
        problem = "not a community's name; write it like harrogate"
        raise ValueError(problem)
    if name.lower() in {"all", "popular", "mod", "friends"} or name.lower().startswith("u_"):
        problem = "not a community: people's own pages and Reddit as a whole are not read"
        raise ValueError(problem)
    return name


class Options(SourceOptions):
    """`[sources.reddit]`.

    Attributes:
        subreddits: the communities whose new posts and comments are read.
        search: whether all of Reddit is searched for the schools' names.
        username: the account that the approval was given to; Reddit wants it in the User-Agent.
        app_id: the app's name, for the User-Agent.
        oauth_url, reddit_url: base addresses of the API and of the sign-in.
    """

    subreddits: tuple[Annotated[str, AfterValidator(_community)], ...] = ()
    search: bool = True
    username: str = Field(default="", pattern=r"^[\w-]*$")
    app_id: str = Field(default="federation-monitor", pattern=r"^[\w.-]+$")
    oauth_url: BaseAddress = "https://oauth.reddit.com"
    reddit_url: BaseAddress = "https://www.reddit.com"

    def missing(self) -> str:
        """Return what must still be configured."""
        if not self.username:
            return "Reddit asks for an account's name in the User-Agent: set username"
        return "" if self.search or self.subreddits else "nothing to read: name subreddits, or set search = true"


def collector(options: Options, tools: Tools) -> Collector:
    """Make the reader.

    Raises:
        ConfigError: a secret is not set.
    """
    return Reddit(options, tools)


class Reddit:
    """Reads Reddit. Listings come newest first and are read down to the start of the window."""

    name = NAME

    def __init__(self, options: Options, tools: Tools) -> None:
        self._options = options
        self._clock = tools.clock
        why = "Reddit gives nothing without an approved app"
        client_id, client_secret = (tools.secrets.need(name, why).get_secret_value() for name in SECRETS)
        # every value that praw could find in a file or in the environment is given, or it would look there
        self._reddit = praw.Reddit(
            "DEFAULT",
            requestor_class=_Requestor,
            requestor_kwargs={"session": leashed(NAME, tools.clock, _refused), "clock": tools.clock},
            client_id=client_id,
            client_secret=client_secret,
            user_agent=f"python:{options.app_id}:0.1 (by /u/{options.username})",
            oauth_url=options.oauth_url,
            reddit_url=options.reddit_url,
            short_url="https://redd.it",
            username=None,
            password=None,
            refresh_token=None,
            redirect_uri=None,
            check_for_updates=False,
            check_for_async=False,
            ratelimit_seconds=0,
            timeout=0,  # the session has its own patience
            window_size=600,
            comment_kind="t1",
            redditor_kind="t2",
            submission_kind="t3",
            message_kind="t4",
            subreddit_kind="t5",
            trophy_kind="t6",
        )

    def collect(self, ask: Ask) -> Iterator[Yielded]:
        """Yield what was published in the window; see `collectors.Collector`.

        A community that is closed to us does not keep us from the others; the error at the end names it.

        Raises:
            SourceError: see `monitor.errors`.
        """
        shelves = tuple(self._shelves(ask))
        known: set[str] = set()
        failures: list[Failure] = []
        for shelf in shelves:
            try:
                for item in self._read(shelf, ask.window):
                    match item:
                        case Mention(native_id=native_id, published=published):
                            if native_id in known or published not in ask.window:
                                continue
                            known.add(native_id)
                    yield item
            except _SignedOut:
                raise
            except (AccessRefused, UnexpectedShape) as error:
                failures.append(Failure(what=shelf.channel, error=error))
        if failures:
            raise worst(NAME, failures, of=len(shelves), things="listings", now=self._clock())

    def recheck(
        self, native_ids: Sequence[str], allowance: Spent | None = None
    ) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Yield each post or comment as it stands now, or `Gone`; what Reddit leaves out is gone.

        Raises:
            SourceError: see `monitor.errors`.
        """
        purse = Purse(NAME, allowance, self._clock)
        for start in range(0, len(native_ids), PAGE):
            batch = native_ids[start : start + PAGE]
            things: list[Thing] = []
            for item in self._about(batch, purse):
                if isinstance(item, Thing):
                    things.append(item)
                else:
                    yield item
            titles: dict[str, str] = {}
            posts = sorted({thing.link_id for thing in things if thing.link_id and not thing.link_title})
            if posts:
                # asked for by id, a comment comes without the title of its post
                for item in self._about(posts, purse):
                    if isinstance(item, Thing):
                        titles[item.name] = item.title
                    elif isinstance(item, Spent):
                        yield item
            for thing in things:
                yield mention_or_gone(thing, NAME, channel="", title=titles.get(thing.link_id or "", ""))
            for native_id in sorted({*batch} - {thing.name for thing in things}):
                yield Gone(source=NAME, native_id=native_id)

    def _about(self, names: Sequence[str], purse: Purse) -> Iterator[Thing | Malformed | Spent]:
        """Ask for at most a hundred things by their full names."""
        purse.need(CALL)
        listing = self._ask("api/info", {"id": ",".join(names)})
        yield purse.pay(CALL)
        yield from map(read, listing.children)

    def _shelves(self, ask: Ask) -> Iterator[_Shelf]:
        """Yield everything that is to be read, in turn."""
        if self._options.search:
            hours = (self._clock() - ask.window.start) / timedelta(hours=1)
            span = next((span for span, covered in SPANS.items() if hours <= covered), "year")
            for query in first_fit(quoted(ask.phrases), room=LONGEST_QUERY):
                params = {"q": query, "sort": "new", "t": span, "type": "link"}
                yield _Shelf(channel="search", path="search", params=params)
        for name in self._options.subreddits:
            yield _Shelf(channel=f"r/{name}/new", path=f"r/{name}/new")
            yield _Shelf(channel=f"r/{name}/comments", path=f"r/{name}/comments")

    def _read(self, shelf: _Shelf, window: Window) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Yield one listing, newest first, until a whole page is older than the window."""
        cursor, cursors, shown = "", set[str](), 0
        for _ in range(PAGES):
            after = {"after": cursor} if cursor else {}
            listing = self._ask(shelf.path, {**shelf.params, "limit": PAGE, **after})
            yield CALL
            shown += len(listing.children)
            moments: list[datetime] = []
            for thing in map(read, listing.children):
                if isinstance(thing, Thing):
                    moments.append(thing.published)
                    yield mention_or_gone(thing, NAME, channel=shelf.channel)
                else:
                    yield thing
            cursor = listing.after or ""
            if moments and max(moments) < window.start:
                return
            if cursor in cursors:
                raise UnexpectedShape(NAME, "the same cursor came twice")
            cursors.add(cursor)
            if not cursor:
                break
        if cursor or shown > PAGE * (PAGES - 1):
            yield Malformed(reason=f"{shelf.channel}: the window is longer than the listing Reddit shows")

    def _ask(self, path: str, params: Mapping[str, str | int]) -> Listing:
        """Ask for one listing.

        Raises:
            SourceError: see `monitor.errors`.
        """
        try:
            return Listing.of(self._reddit.request(method="GET", path=path, params=dict(params)))
        except prawcore.OAuthException:
            raise _SignedOut(NAME, "Reddit refuses the app's credentials") from None
        except ValidationError as error:
            kind = error.errors(include_url=False, include_input=False, include_context=False)[0]["type"]
            raise UnexpectedShape(NAME, f"expected a listing, got {kind}") from None
        except (prawcore.PrawcoreException, PRAWException, *_NOT_A_TOKEN):
            # from None: these hold the answer, and with it the request and its token
            raise UnexpectedShape(NAME, "the answer is not what Reddit documents") from None


_NOT_A_TOKEN: Final = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What prawcore trips over when the sign-in answers something else than a token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shelf:
    """One listing: where it is found, and the channel its mentions carry."""

    channel: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)


class _SignedOut(AccessRefused):
    """The app itself is refused: no other listing will do better."""


class _Requestor(prawcore.Requestor):
    """prawcore's way out, which neither wraps our errors, nor tries again, nor sleeps.

    Reddit's `X-Ratelimit-*` headers are taken off each answer: prawcore would sleep on them, and stumbles
    over the fractions in them. Where they say that nothing is left, the next request raises unsent.
    """

    def __init__(self, *, clock: Clock, **kwargs: Any) -> None:  # noqa: ANN401 - prawcore's own arguments
        super().__init__(**kwargs)
        self._clock = clock
        self._rest_until: datetime | None = None

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        """Send one request."""
        if self._rest_until is not None and self._clock() < self._rest_until:
            raise RateLimited(NAME, "Reddit asks us to wait", retry_at=self._rest_until)
        response = self._http.request(*args, **kwargs)
        if _seconds(response.headers.get("x-ratelimit-remaining", "")) == 0:
            self._rest_until = _reset(response.headers, self._clock())
        for name in ("used", "remaining", "reset"):
            response.headers.pop(f"x-ratelimit-{name}", None)
        return response


def _refused(status: int, headers: Mapping[str, str], host: str, now: datetime) -> SourceError:
    """Return what Reddit means by a status."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(NAME, f"{host} asks us to wait", retry_at=_reset(headers, now))
    if status == HTTPStatus.UNAUTHORIZED:
        return _SignedOut(NAME, f"{host} refuses us (401)")
    return status_error(NAME, status, headers, host, now)


def _reset(headers: Mapping[str, str], now: datetime) -> datetime:
    """Return when Reddit's limit ends: `X-Ratelimit-Reset` in seconds, else what Retry-After says."""
    seconds = _seconds(headers.get("x-ratelimit-reset", ""))
    return retry_at(headers if seconds is None else {"retry-after": str(seconds)}, now)


def _seconds(value: str) -> int | None:
    """Return a number with or without a fraction, rounded up; None if it is none."""
    try:
        number = float(value)
    except ValueError:
        return None
    return math.ceil(number) if math.isfinite(number) and number >= 0 else None
