"""The rehearsal town: every invented feed and page on one local server, and what must be found in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from monitor.addresses import canonical
from monitor.records import Clock, utc_now
from monitor.rehearsal import feeds, pages
from monitor.rehearsal.server import Server
from monitor.rehearsal.stories import Story, stories

if TYPE_CHECKING:
    from types import TracebackType


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One story and what the monitor must make of it.

    Attributes:
        source: the collector that must find it, "feeds" or "pages".
        native_id: the mention's key.
        story: its words, its schools (none: it must be dropped) and, where only one is right, its category.
    """

    source: str
    native_id: str
    story: Story

    @property
    def ours(self) -> bool:
        """Whether it is about one of our schools."""
        return bool(self.story.schools)


class DemoTown:
    """A town that talks about its schools; a context manager.

    ::

        with DemoTown() as town:
            sources = town.sources          # the [sources] tables that read it
            hosts = town.private_hosts      # for [reading] private_hosts

    Args:
        clock: tells what "now" is when the town is built; everything is dated relative to it.
    """

    def __init__(self, clock: Clock = utc_now) -> None:
        self.now = clock()
        self.server = Server({**feeds.routes(self.now), **pages.routes(self.now)})

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.stop()

    @property
    def private_hosts(self) -> tuple[str, ...]:
        """What `[reading] private_hosts` must name."""
        return (self.server.host,)

    @property
    def sources(self) -> dict[str, dict[str, Any]]:
        """The `[sources.NAME]` tables that read the town."""
        url = self.server.url
        return {
            "feeds": {
                "feeds": [{"name": feed.name, "url": f"{url}{feed.path}", "kind": feed.kind} for feed in feeds.FEEDS]
            },
            "pages": {
                "pages": [f"{url}{pages.NOTICE}"],
                "listings": [{"url": f"{url}{pages.LISTING}", "follow": f"{pages.LISTING}/*"}],
                "sitemaps": [f"{url}{pages.SITEMAP}"],
                "pause_seconds": 0,
            },
        }

    @property
    def planted(self) -> tuple[Planted, ...]:
        """Every story, with where it must be found."""
        return tuple(
            Planted(source="pages", native_id=canonical(f"{self.server.url}{pages.path(story)}"), story=story)
            if story.feed == "village"
            else Planted(source="feeds", native_id=feeds.address(story), story=story)
            for story in stories()
        )
