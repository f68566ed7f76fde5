"""What the readers of Facebook, Instagram and Threads share: options, token, parts, and the re-check's lists."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from pydantic import Field

from collectors import SourceOptions
from collectors._graph import Graph, Missing
from collectors._purse import Purse
from collectors._shelves import read_all
from collectors._vendor import BaseAddress
from monitor.errors import AccessRefused
from monitor.records import Mention

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from collectors import Tools
    from monitor.records import Ask, Gone, Malformed, Spent, Window, Yielded

KEPT: Final = timedelta(days=90)
"""How far back tagged posts are listed at the re-check: nothing older is stored."""


class MetaOptions(SourceOptions):
    """What the tables of all three may say.

    Attributes:
        graph_url: the API's base address, version included.
    """

    graph_url: BaseAddress = "https://graph.facebook.com/v26.0"


class OwnOptions(MetaOptions):
    """What the tables of those that read our own accounts may say.

    Attributes:
        follow_days: for how long the comments under a post of ours are read.
    """

    follow_days: int = Field(default=14, ge=1, le=30)

    def followed_from(self, window: Window) -> datetime:
        """Return since when the comments under our own posts are read."""
        return min(window.start, window.end - timedelta(days=self.follow_days))


Chosen = TypeVar("Chosen", bound=MetaOptions)


class MetaReader(ABC, Generic[Chosen]):
    """Reads one of Meta's platforms, part by part.

    Attributes:
        name: the collector's name.
        secret: name of the token. why: for what it is needed.
        parts: what is read one by one, "Pages".
        open_ended: see `Graph`.
    """

    name: str
    secret: str
    why: str
    parts: str
    open_ended: bool = False

    def __init__(self, options: Chosen, tools: Tools) -> None:
        """Take the token.

        Raises:
            ConfigError: it is not set.
        """
        self._options = options
        self._clock = tools.clock
        self._graph = Graph(
            source=self.name,
            base=options.graph_url,
            http=tools.http,
            clock=tools.clock,
            token=tools.secrets.need(self.secret, self.why),
            open_ended=self.open_ended,
        )

    def collect(self, ask: Ask) -> Iterator[Yielded]:
        """Yield what was published in the window, each post once; see `collectors.Collector`.

        A part that is closed to us does not keep us from the others; the error at the end names it.

        Raises:
            QuotaSpent: our own cap does not pay for the next call.
            SourceError: see `monitor.errors`.
        """
        purse = Purse(self.name, ask.allowance, self._clock)
        shelves = {what: _known_to_be_there(shelf) for what, shelf in self._shelves(ask, purse).items()}
        return read_all(self.name, shelves, ask, things=self.parts, clock=self._clock)

    @abstractmethod
    def _shelves(self, ask: Ask, purse: Purse) -> Mapping[str, Iterator[Yielded]]:
        """Return everything that is to be read, by name; nothing is asked before it is iterated."""


def _known_to_be_there(shelf: Iterator[Yielded]) -> Iterator[Yielded]:
    """Yield a part that we know to exist: where Meta says that it is not there, it is closed to us."""
    try:
        yield from shelf
    except Missing as error:
        raise AccessRefused(error.source, error.problem) from None


def still_listed(
    items: Iterable[Mention | Malformed | Spent], waiting: set[str]
) -> Iterator[Mention | Gone | Malformed | Spent]:
    """Yield a list's items; of its mentions those that are waited for, which then wait no longer."""
    for item in items:
        if isinstance(item, Mention):
            if item.native_id not in waiting:
                continue
            waiting.discard(item.native_id)
        yield item
