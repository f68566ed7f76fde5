"""Local servers that speak the sources' own wire formats with invented content.

The `demo` command and the tests read them instead of the internet: same collectors, same client, real HTTP.
Nothing here is anybody's post. `server` is the server and its faults, `town` what the demo reads, and every
other module the fake of one platform.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta

    from monitor.rehearsal.server import Fault, Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """How one collector is put through the contract that all collectors keep.

    `tests/collectors/rehearsals/NAME.py` holds `REHEARSAL = Rehearsal(...)` for `collectors/NAME.py`, and
    `tests/collectors/test_contract.py` does the rest. Example::

        REHEARSAL = Rehearsal(
            routes=lambda now: example_platform.routes(now),
            table=lambda url: {"base_url": url, "tags": ["BoroughbridgeHigh"]},
            secrets={"MONITOR_EXAMPLE_TOKEN": "planted-token"},
            finds=3,
            at="/api/*",
            rate_limited=lambda now: status(429, {"x-reset": str(int(now.timestamp()) + 60)}),
            waits=timedelta(seconds=60),
            spoil=example_platform.one_item_without_id(),
        )

    Attributes:
        routes: now (zone-aware) -> routes of a `Server` whose answers are dated before it, all in the last
            three days, and need more than one request unless `one_request`.
        table: the server's URL -> the `[sources.NAME]` table that points the collector there.
        finds: how many mentions with different keys a first run gives.
        rate_limited: now -> the fault that says "wait" as this platform says it.
        waits: for how long it says so.
        spoil: the fault that makes one item unreadable and leaves at least one good.
        secrets: the environment that the collector needs, with planted values that must never be shown.
        at: the path of requests that read (not of signing in), where faults strike; "*" at the end for all
            that begin like it.
        error_page_at: where an HTML error page with status 200 must be noticed; `at` if it is not given.
        refusals: faults that say that we may not read.
        one_request: whether a run asks once only, so that it cannot break off between requests.
    """

    routes: Callable[[datetime], Mapping[str, Route]]
    table: Callable[[str], dict[str, Any]]
    finds: int
    rate_limited: Callable[[datetime], Fault]
    waits: timedelta
    spoil: Fault
    secrets: Mapping[str, str] = field(default_factory=dict)
    at: str = "*"
    error_page_at: str = ""
    refusals: tuple[Fault, ...] = ()
    one_request: bool = False
