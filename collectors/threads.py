"""Threads: a search for the schools' names and hashtags, and posts that mention our account.

Threads API `/keyword_search`, `/USER/mentions` and, for the re-check, `/ID`
(developers.facebook.com/documentation/threads/keyword-search). Before an App Review the search shows our own
posts alone. 2,200 searches may be made in 24 hours; one that finds nothing does not count.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pydantic import AwareDatetime, BaseModel, Field

from collectors import SourceOptions
from collectors._failures import Failure, worst
from collectors._meta import CALL, Graph, Missing, NodeId
from collectors._purse import Purse
from collectors._vendor import BaseAddress
from collectors._words import Words
from monitor.errors import AccessRefused, UnexpectedShape
from monitor.records import Gone, Malformed, Mention, Spent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collectors import Collector, Tools
    from monitor.records import Ask, Yielded

NAME: Final = "threads"
SECRETS: Final = ("THREADS_TOKEN",)
FIELDS: Final = "id,text,permalink,timestamp,username"
PAGE: Final = 100


class Options(SourceOptions):
    """`[sources.threads]`.

    Attributes:
        username: our own account's name: what it says itself is nobody's mention.
        mentions: whether posts that mention our account are read.
        most_searches: how many names and hashtags are searched for at each reading, the most telling first.
        graph_url: the API's base address, version included.
    """

    username: str = Field(default="", pattern=r"^[A-Za-z0-9._]*$")
    mentions: bool = True
    most_searches: int = Field(default=20, ge=1, le=40)
    graph_url: BaseAddress = "https://graph.threads.net/v1.0"


def collector(options: Options, tools: Tools) -> Collector:
    """Make the reader.

    Raises:
        ConfigError: the token is not set.
    """
    return Threads(options, tools)


class Threads:
    """Reads Threads. Search answers newest first and is read down to the start of the window."""

    name = NAME

    def __init__(self, options: Options, tools: Tools) -> None:
        self._options = options
        self._clock = tools.clock
        token = tools.secrets.need(SECRETS[0], "Threads shows nothing without it")
        self._graph = Graph(
            source=NAME, base=options.graph_url, http=tools.http, clock=tools.clock, token=token, open_ended=True
        )

    def collect(self, ask: Ask) -> Iterator[Yielded]:
        """Yield what was published in the window, each post once; see `collectors.Collector`.

        A search that is refused does not keep us from the others; the error at the end names it.

        Raises:
            QuotaSpent: our own cap does not pay for the next search.
            SourceError: see `monitor.errors`.
        """
        purse = Purse(NAME, ask.allowance, self._clock)
        shelves = tuple(self._shelves(ask, purse))
        known: set[str] = set()
        failures: list[Failure] = []
        for what, shelf in shelves:
            try:
                for item in shelf:
                    if isinstance(item, Mention):
                        if item.native_id in known or item.published not in ask.window:
                            continue
                        known.add(item.native_id)
                    yield item
            except Missing as error:
                failures.append(Failure(what=what, error=AccessRefused(NAME, error.problem)))
            except (AccessRefused, UnexpectedShape) as error:
                failures.append(Failure(what=what, error=error))
        if failures:
            raise worst(NAME, failures, of=len(shelves), things="searches", now=self._clock())

    def recheck(self, native_ids: Sequence[str]) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Yield each post as it stands now, or `Gone`.

        Our own account is asked for first: where that cannot be read, nothing is gone.

        Raises:
            SourceError: see `monitor.errors`.
        """
        self._graph.ask("me", fields="id")
        yield CALL
        for native_id in native_ids:
            post = self._graph.again(native_id, _Post, FIELDS)
            yield CALL
            if isinstance(post, _Post):
                yield post.mention("search")
            else:
                yield post or Gone(source=NAME, native_id=native_id)

    def _shelves(self, ask: Ask, purse: Purse) -> Iterator[tuple[str, Iterator[Yielded]]]:
        """Yield everything that is to be read, by name."""
        if self._options.mentions:
            yield "mentions", self._read("me/mentions", {}, "mentions", ask, purse)
        terms = [
            *((phrase, "KEYWORD") for phrase in ask.phrases),
            *((tag.lstrip("#"), "TAG") for tag in ask.tags),
        ]
        for term, mode in dict.fromkeys(terms[: self._options.most_searches]):
            params: dict[str, str | int] = {
                "q": term,
                "search_type": "RECENT",
                "search_mode": mode,
                "since": int(ask.window.start.timestamp()),
            }
            yield f'"{term}"', self._read("keyword_search", params, "search", ask, purse)

    def _read(
        self, path: str, params: dict[str, str | int], channel: str, ask: Ask, purse: Purse
    ) -> Iterator[Mention | Malformed | Spent]:
        """Yield the posts of one list, without our own."""
        params = {**params, "fields": FIELDS, "limit": PAGE}
        for post in self._graph.read(path, _Post, params, purse, back_to=ask.window.start):
            if not isinstance(post, _Post):
                yield post
            elif not self._options.username or post.username.lower() != self._options.username.lower():
                yield post.mention(channel)


class _Post(BaseModel):
    """A post; pictures are not looked at."""

    id: NodeId
    published: AwareDatetime = Field(alias="timestamp")
    text: Words = ""
    permalink: Words = ""
    username: Words = ""

    @property
    def address(self) -> str:
        """Where it can be opened: the short form, because the long one holds its author's name."""
        found = re.search(r"/post/([A-Za-z0-9_-]{1,40})/?$", self.permalink)
        return f"https://www.threads.net/t/{found[1]}" if found else ""

    def mention(self, channel: str) -> Mention | Malformed:
        """Return it as a mention; a picture without words is counted."""
        if not self.text:
            return Malformed(reason="a post without words")
        return Mention(
            source=NAME,
            native_id=self.id,
            url=self.address,
            text=self.text,
            published=self.published,
            channel=channel,  # the words searched for name the schools: as a channel they would be evidence
            author=self.username,
        )
