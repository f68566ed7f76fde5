"""What the tests of single collectors share: a fake that is started, the collector that reads it, what came."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import pytest

from collectors import Tools
from monitor.errors import SourceError
from monitor.http import Client
from monitor.records import Ask, Mention, Window
from monitor.rehearsal.server import Server
from monitor.settings import Federation, Reading, Secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from monitor.records import Gone, Malformed, Spent, Yielded
    from monitor.rehearsal.server import Route

Kind = TypeVar("Kind")


class Reader(Protocol):
    """A collector that also checks again."""

    name: str

    def collect(self, ask: Ask) -> Iterator[Yielded]:
        """See `collectors.Collector`."""

    def recheck(
        self, native_ids: Sequence[str], allowance: Spent | None = None
    ) -> Iterator[Mention | Gone | Malformed | Spent]:
        """See `collectors.Rechecker`."""


class Town(Protocol):
    """A fake of one platform, and the secret that opens it."""

    token: str

    @property
    def routes(self) -> Mapping[str, Route]:
        """The routes of a `Server`."""


Fake = TypeVar("Fake")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Generic[Fake]):
    """A started fake, its reader, and what the reader's clock says."""

    town: Fake
    server: Server
    reader: Reader
    now: datetime

    def read(self, *, hours: int = 72, allowance: Spent | None = None) -> list[Yielded]:
        """Return what a run over the last hours yields."""
        window = Window(start=self.now - timedelta(hours=hours), end=self.now)
        return list(self.reader.collect(Ask(window=window, phrases=("Our School",), allowance=allowance)))

    def error(self) -> SourceError:
        """Return what a run raises."""
        with pytest.raises(SourceError) as caught:
            self.read()
        return caught.value


@contextmanager
def reading(
    module: Any,  # noqa: ANN401 - any collector's module
    town: Town,
    table: Callable[[str], dict[str, Any]],
    *,
    now: datetime,
    token: str = "",
) -> Iterator[tuple[Server, Reader]]:
    """Start a platform's fake; give its server and the collector that reads it.

    Args:
        module: a collector's module with one secret.
        town: the fake.
        table: the server's URL -> the `[sources.NAME]` table.
        now: what the collector's clock says.
        token: of the collector, where it is not the town's.
    """
    with (
        Server(town.routes) as server,
        Client(Reading(private_hosts=(server.host,)), Federation(), lambda: now) as http,
    ):
        tools = Tools(
            http=http,
            secrets=Secrets({f"MONITOR_{module.SECRETS[0]}": token or town.token}),
            clock=lambda: now,
            user_agent=http.user_agent,
        )
        yield server, module.collector(module.Options.model_validate(table(server.url)), tools)


def without_secret(module: Any, now: datetime) -> None:  # noqa: ANN401 - any collector's module
    """Make a collector whose secret is not set."""
    with Client(Reading(), Federation()) as http:
        tools = Tools(http=http, secrets=Secrets({}), clock=lambda: now, user_agent="test")
        module.collector(module.Options(), tools)


def of(kind: type[Kind], items: Iterable[object]) -> list[Kind]:
    """Return the items of one kind."""
    return [item for item in items if isinstance(item, kind)]


def keys(items: Iterable[object]) -> list[str]:
    """Return the native ids of the mentions."""
    return [mention.native_id for mention in of(Mention, items)]
