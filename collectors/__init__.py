"""One source, one file: a collector is found because its file is here.

A module `collectors/NAME.py` offers

``Options``
    a `SourceOptions` model: the table `[sources.NAME]` of monitor.toml;
``SECRETS``
    names of the secrets it needs, read from the environment as `MONITOR_<NAME>` or `MONITOR_<NAME>_FILE`;
``collector(options, tools) -> Collector``
    makes the reader.

A collector only **yields** (see `monitor.records.Yielded`). It never stores, schedules, mails or
sleeps out a rate limit, and it never returns early in silence: it raises a `SourceError`.
Whether a source may be on, scored, and how long it may be kept stands in policy/sources.toml.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from pydantic import Field

from monitor.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.http import Client
    from monitor.records import Ask, Clock, Gone, Malformed, Mention, Spent, Yielded
    from monitor.settings import Secrets


class SourceOptions(Table):
    """What every `[sources.NAME]` table may say.

    Attributes:
        enabled: switch it on or off; without it policy/sources.toml decides.
        approval: the recorded approval that policy/sources.toml asks for (a reference and a date), if any.
        every_minutes: how often to read it; without it the source policy decides.
        canary: the marker of a public post of our own, planted to show that the source is read; "" if there is none.
        canary_days: how many days pass at most between two planted posts.
    """

    enabled: bool | None = None
    approval: str = ""
    every_minutes: int | None = None
    canary: str = Field(default="", pattern=r"^(\S.{6,198}\S)?$")
    canary_days: int = Field(default=7, ge=1, le=31)

    def missing(self) -> str:
        """Return what must still be configured before the source can be read, "" if nothing."""
        return ""


class Collector(Protocol):
    """Reads one source."""

    name: str

    def collect(self, ask: Ask) -> Iterator[Yielded]:
        """Yield what is new in `ask.window`, oldest bookmark first; raise `SourceError` when it cannot."""


class Rechecker(Protocol):
    """A collector that can also ask its source about posts by id."""

    def recheck(
        self, native_ids: Sequence[str], allowance: Spent | None = None
    ) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Yield each post as it stands now, or `Gone`; one without words stands as it did.

        Args:
            native_ids: of posts that are stored.
            allowance: what may still be spent before our own cap; None where there is none.

        Raises:
            QuotaSpent: the next call would cost more than is left.
            SourceError: see `monitor.errors`.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a collector may use.

    Attributes:
        http: the polite client; the only way out for collectors without a vendor's library.
        secrets: the environment's secrets.
        clock: tells the time.
        user_agent: who we are, with a contact address, for vendors' libraries.
    """

    http: Client
    secrets: Secrets
    clock: Clock
    user_agent: str


class CollectorModule(Protocol):
    """What a module in this folder offers."""

    __name__: str
    __doc__: str | None
    Options: type[SourceOptions]
    SECRETS: tuple[str, ...]

    def collector(self, options: Any, tools: Tools) -> Collector:  # noqa: ANN401 - each module has its own model
        """Make the reader."""


@cache
def names() -> tuple[str, ...]:
    """Return the names of all collectors, sorted, without importing one; the folder is looked into once."""
    return tuple(sorted(found.name for found in pkgutil.iter_modules(__path__) if found.name[0] != "_"))


def module(name: str) -> CollectorModule:
    """Return one collector's module.

    Raises:
        KeyError: there is no such collector.
    """
    if name not in names():
        raise KeyError(name)
    return cast("CollectorModule", import_module(f"{__name__}.{name}"))
