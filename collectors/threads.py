"""Threads: a search for the schools' names and hashtags, and posts that mention our account.

Threads API `/keyword_search`, `/USER/mentions` and, for the re-check, `/ID`
(developers.facebook.com/documentation/threads/keyword-search). Before an App Review the search shows our own
posts alone. 2,200 searches may be made in 24 hours; one that finds nothing does not count.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pydantic import AwareDatetime, BaseModel, Field

from collectors._graph import CALL, NodeId
from collectors._meta import MetaOptions, MetaReader
from collectors._purse import Purse
from collectors._vendor import BaseAddress
from collectors._words import Words
from monitor.records import Gone, Malformed, Mention, Spent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.records import Ask, Yielded

NAME: Final = "threads"
SECRETS: Final = ("THREADS_TOKEN",)
FIELDS: Final = "id,text,permalink,timestamp,username"
PAGE: Final = 100


class Options(MetaOptions):
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


class Threads(MetaReader[Options]):
    """Reads Threads. Search answers newest first and is read down to the start of the window."""

    name = NAME
    secret = SECRETS[0]
    why = "Threads shows nothing without it"
    parts = "searches"
    open_ended = True

    def recheck(
        self, native_ids: Sequence[str], allowance: Spent | None = None
    ) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Yield each post as it stands now, or `Gone`.

        Our own account is asked for first: where that cannot be read, nothing is gone.

        Raises:
            SourceError: see `monitor.errors`.
        """
        purse = Purse(NAME, allowance, self._clock)
        purse.need(CALL)
        self._graph.ask("me", fields="id")
        yield purse.pay(CALL)
        for native_id in native_ids:
            purse.need(CALL)
            post = self._graph.again(native_id, _Post, FIELDS)
            yield purse.pay(CALL)
            if isinstance(post, _Post):
                yield post.mention("search")
            else:
                yield post or Gone(source=NAME, native_id=native_id)

    def _shelves(self, ask: Ask, purse: Purse) -> dict[str, Iterator[Yielded]]:
        """Return the posts that mention us, and each search by its words."""
        shelves: dict[str, Iterator[Yielded]] = {}
        if self._options.mentions:
            shelves["mentions"] = self._read("me/mentions", {}, "mentions", ask, purse)
        terms = [
            *((phrase, "KEYWORD") for phrase in ask.phrases),
            *((tag.lstrip("#"), "TAG") for tag in ask.tags),
        ]
        for term, mode in terms[: self._options.most_searches]:
            params: dict[str, str | int] = {
                "q": term,
                "search_type": "RECENT",
                "search_mode": mode,
                "since": int(ask.window.start.timestamp()),
            }
            name = f"#{term}" if mode == "TAG" else f'"{term}"'
            shelves[name] = self._read("keyword_search", params, "search", ask, purse)
        return shelves

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


collector = Threads


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
