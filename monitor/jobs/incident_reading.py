"""Sources read side by side, so that one that is slow keeps nobody waiting for the others."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING

from monitor.errors import MonitorError
from monitor.jobs.collect import collect, require_dpia
from monitor.jobs.sources import standings
from monitor.logs import log

if TYPE_CHECKING:
    from monitor.jobs.workplace import Workplace


class Reading:
    """The sources that are on, each read in a thread of its own.

    What a source gave is in the store when its thread ends. A thread is not waited for when the program ends: what
    it had not stored yet is read again next time.

    Args:
        place: the workplace.

    Raises:
        ConfigError: live collection is not allowed.
    """

    def __init__(self, place: Workplace) -> None:
        require_dpia(place)
        self._place = place
        self._running: dict[str, Future[None]] = {}
        # made here, once: two threads must not each make a key of this period, nor each a client
        place.handles.key("incident", "incident", place.clock())
        _ = place.http

    def start(self) -> tuple[str, ...]:
        """Read every source that is on and not being read already; return their names."""
        fresh = [one.source for one in standings(self._place) if one.on and one.source not in self.still]
        for source in fresh:
            done: Future[None] = Future()
            self._running[source] = done
            threading.Thread(target=self._read, args=(source, done), name=f"incident {source}", daemon=True).start()
        return tuple(fresh)

    @property
    def still(self) -> frozenset[str]:
        """Names of the sources that have not answered yet."""
        return frozenset(source for source, done in self._running.items() if not done.done())

    def wait(self, seconds: float) -> None:
        """Wait until every source has answered, or `seconds` are over."""
        wait(self._running.values(), timeout=seconds)

    def _read(self, source: str, done: Future[None]) -> None:
        """Read one source; a fault of its collector is in its `Run`, and so in the report."""
        try:
            collect(self._place, only=frozenset({source}))
        except (ExceptionGroup, MonitorError) as fault:
            log().error("a source could not be read", source=source, fault=type(fault).__name__)
        finally:
            done.set_result(None)
