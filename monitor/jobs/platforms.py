"""How every platform of the policy stands, and what a person must do so that it is read: the list behind `doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import collectors
from monitor.jobs.sources import Lack, standings
from monitor.records import Sight

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from monitor.errors import SourceError
    from monitor.jobs.sources import Standing
    from monitor.jobs.workplace import Workplace
    from monitor.records import Coverage

CURES: Final = {
    "fault": "tell whoever maintains the monitor; the log of that run says where",
    "unreachable": "check the address; it is tried again at the next run",
    "rate_limited": "wait; it is read again by itself",
    "quota_spent": "wait; it is read again by itself. Or raise its cap in the policy folder's sources.toml, if its "
    "terms and our budget allow it",
    "unexpected_shape": "the platform may have changed: install a newer version of the monitor, or ask for one",
}
"""What a person can do about each kind of failure, but for a refusal, which each source means in its own way."""
PATIENT: Final = frozenset({"rate_limited", "quota_spent"})
"""Kinds of failure that end by themselves."""


class Readiness(StrEnum):
    """How a source that is on stands; one that is off stands as its `Lack` says."""

    OK = "ok"
    NEVER = "never read"
    BEHIND = "behind"
    WAITING = "waiting"  # it asked us to, or our own cap is spent
    REFUSED = "refused"
    FAILING = "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One line of the list.

    Attributes:
        source, name: the collector's name, and what people call the platform.
        state: a `Readiness`, or the `Lack` that keeps it off.
        why: in one sentence, "" if all is well. todo: what a person must do, "" if nothing.
        last_read: when it was last read completely, if ever.
        never_sees: what it can never show.
    """

    source: str
    name: str
    state: Readiness | Lack
    why: str
    todo: str
    last_read: datetime | None
    never_sees: tuple[str, ...]


def platforms(
    place: Workplace, sources: Sequence[Coverage], asked: Mapping[str, SourceError | None]
) -> tuple[Platform, ...]:
    """Return every source of the policy with its true state, in the order of policy/sources.toml.

    Args:
        place: the workplace.
        sources: how each was seen lately.
        asked: the error that each source answered with when it was asked just now, None where it let us in; that
            says more than how it was seen before.
    """
    seen = {source.source: source for source in sources}
    return tuple(_platform(standing, seen[standing.source], asked) for standing in standings(place))


def _platform(standing: Standing, source: Coverage, asked: Mapping[str, SourceError | None]) -> Platform:
    """Return one line."""
    state, why, todo = _state(standing, source, asked)
    return Platform(
        source=standing.source,
        name=standing.policy.name,
        state=state,
        why=why,
        todo=todo,
        last_read=source.last_read,
        never_sees=standing.policy.never_sees,
    )


def _state(
    standing: Standing, source: Coverage, asked: Mapping[str, SourceError | None]
) -> tuple[Readiness | Lack, str, str]:
    """Return state, reason and cure."""
    if standing.lack is not None:
        return standing.lack, standing.why, to_switch_on(standing)
    error = asked.get(standing.source)
    if error is not None:
        return _of_kind(error.kind), error.problem, cure_of(error.kind, standing)
    if source.kind and standing.source not in asked:
        return _of_kind(source.kind), source.why, cure_of(source.kind, standing)
    if source.sight is Sight.READ:
        return Readiness.OK, "", ""
    if source.sight is Sight.NEVER:
        return Readiness.NEVER, source.why, "run: federation-monitor collect"
    return Readiness.BEHIND, source.why, "see whether scheduler.py runs; it is read at its next turn"


def _of_kind(kind: str) -> Readiness:
    """Return what a kind of failure makes of a source."""
    if kind == "access_refused":
        return Readiness.REFUSED
    return Readiness.WAITING if kind in PATIENT else Readiness.FAILING


def to_switch_on(standing: Standing) -> str:
    """Return what a person must do so that a source is read that is off."""
    table, approval = f"[sources.{standing.source}]", standing.policy.needs_approval
    secrets = _secrets(standing) if standing.lack is Lack.CREDENTIALS else ()
    steps = {
        Lack.SWITCHED_OFF: f"nothing; or take enabled = false out of {table}",
        Lack.OFF_BY_DEFAULT: f"get {approval}; then write it as approval, and enabled = true, into {table}"
        if approval
        else f"write enabled = true into {table}, if its terms allow it here",
        Lack.APPROVAL: f"get {approval}; write its reference and date as approval into {table}",
        Lack.CONFIGURATION: f"add {table} to monitor.toml; what `federation-monitor init` writes shows how",
        Lack.CREDENTIALS: f"set {' and '.join(secrets)}, or the same with _FILE to a file that holds it",
        Lack.OPTIONS: f"complete {table} in monitor.toml",
    }
    return steps[standing.lack] if standing.lack else ""


def _secrets(standing: Standing) -> tuple[str, ...]:
    """Return the environment variables that a source's credentials are read from."""
    return tuple(f"MONITOR_{name}" for name in collectors.module(standing.source).SECRETS)


def cure_of(kind: str, standing: Standing) -> str:
    """Return what a person can do about a failure of one source."""
    if kind != "access_refused":
        return CURES.get(kind, "")
    secrets = _secrets(standing)
    approval = standing.options.approval if standing.options else ""
    steps = []
    if secrets:
        steps.append(f"check the credentials in {' and '.join(secrets)}: renew them at {standing.policy.name}")
    if approval:
        steps.append(
            f"ask whether the approval still stands ({approval}); if not, set enabled = false in "
            f"[sources.{standing.source}]"
        )
    return "; ".join(steps) or "check the addresses and credentials in monitor.toml, and whether robots.txt lets us in"
