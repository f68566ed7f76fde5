"""Which source is on, which is off, and why: policy, configuration and secrets taken together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import collectors
from monitor.errors import ConfigError, QuotaSpent
from monitor.records import Spent
from monitor.store import runs
from monitor.tables import validated

if TYPE_CHECKING:
    import sqlalchemy as sa

    from collectors import Collector, SourceOptions
    from monitor.jobs.workplace import Workplace
    from monitor.policy.sources import SourcePolicy

DAY: Final = timedelta(hours=24)


class Lack(StrEnum):
    """What keeps a source from being read."""

    SWITCHED_OFF = "switched off"  # in monitor.toml
    OFF_BY_DEFAULT = "off by default"  # in policy/sources.toml, which says why
    APPROVAL = "approval missing"
    CONFIGURATION = "not configured"
    CREDENTIALS = "credentials missing"
    OPTIONS = "not complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one source stands.

    Attributes:
        source: the collector's name.
        policy: what its terms allow.
        options: its table of monitor.toml, checked; None if there is no collector file for it.
        lack: what keeps it off, None if it is on.
        why: why it is off, in one sentence; "" if it is on.
    """

    source: str
    policy: SourcePolicy
    options: SourceOptions | None
    lack: Lack | None
    why: str

    @property
    def on(self) -> bool:
        """Whether it is read."""
        return self.lack is None

    @property
    def every(self) -> timedelta:
        """How often it is read."""
        minutes = (self.options.every_minutes if self.options else None) or self.policy.every_minutes
        return timedelta(minutes=max(minutes, self.policy.every_minutes))


def standings(place: Workplace) -> tuple[Standing, ...]:
    """Return every source with its standing, in the order of policy/sources.toml.

    Raises:
        ConfigError: a `[sources.NAME]` table is wrong.
    """
    found = collectors.names()
    return tuple(_standing(place, name, built=name in found) for name in place.policy.sources.names)


def _standing(place: Workplace, name: str, *, built: bool) -> Standing:
    """Return where one source stands."""
    policy = place.policy.sources[name]
    if not built:
        return Standing(source=name, policy=policy, options=None, lack=Lack.OFF_BY_DEFAULT, why=policy.why)
    module = collectors.module(name)
    settings = place.settings
    options = validated(
        module.Options,
        settings.sources.get(name, {}),
        file=settings.file,
        text=settings.text,
        under=("sources", name),
    )
    _distinct(place, name, options)
    lack, why = _off(place, name, policy, options, module.SECRETS)
    return Standing(source=name, policy=policy, options=options, lack=lack, why=why)


def _distinct(place: Workplace, name: str, options: SourceOptions) -> None:
    """Refuse a canary's marker that the posts of other people are bound to hold.

    Raises:
        ConfigError: it stands in a name of our schools or towns; names its key and the cure.
    """
    schools = place.policy.schools
    ours = (*schools.phrases, *schools.tags, *(word for one in schools.schools for word in (one.name, *one.towns)))
    if options.canary and any(options.canary.casefold() in word.casefold() for word in ours):
        raise ConfigError(
            "the canary's marker stands in a name that we look for: everybody's posts would hold it",
            file=place.settings.file,
            key=f"sources.{name}.canary",
            cure="use a word that nobody else writes, like wren-7f3q9k",
        )


def _off(
    place: Workplace, name: str, policy: SourcePolicy, options: SourceOptions, secrets: tuple[str, ...]
) -> tuple[Lack | None, str]:
    """Return what keeps a source off, and why; None if it is on."""
    missing = [f"MONITOR_{secret}" for secret in secrets if place.secrets.get(secret) is None]
    checks = (
        (options.enabled is False, Lack.SWITCHED_OFF, "switched off in monitor.toml"),
        (not policy.on_by_default and not options.enabled, Lack.OFF_BY_DEFAULT, policy.why),
        (
            bool(policy.needs_approval and not options.approval),
            Lack.APPROVAL,
            f"needs a recorded approval: {policy.needs_approval}",
        ),
        (
            name not in place.settings.sources,
            Lack.CONFIGURATION,
            f"not configured: add [sources.{name}] to monitor.toml",
        ),
        (bool(missing), Lack.CREDENTIALS, f"credentials missing: set {', '.join(missing)}"),
        (bool(options.missing()), Lack.OPTIONS, options.missing()),
    )
    return next(((lack, why) for holds, lack, why in checks if holds), (None, ""))


def make_collector(place: Workplace, standing: Standing) -> Collector:
    """Return the reader of a source that is on."""
    tools = collectors.Tools(http=place.http, secrets=place.secrets, clock=place.clock, user_agent=place.user_agent)
    return collectors.module(standing.source).collector(standing.options, tools)


def allowance(connection: sa.Connection, standing: Standing, now: datetime) -> Spent | None:
    """Return what a source may still spend, on reading and on asking again, None where it has no cap.

    A day is the last 24 hours: whichever midnight a platform counts from (YouTube's is California's, Threads has
    none), no day of its own holds more. A month is a calendar month in UTC, as bills are.

    Raises:
        QuotaSpent: nothing is left; says until when.
    """
    policy = standing.policy
    if not _has_cap(policy):
        return None
    today, this_month = _spent(connection, standing, now)
    left = Spent(
        calls=policy.daily_calls - today.calls if policy.daily_calls else 10**9,
        units=policy.daily_units - today.units if policy.daily_units else 10**9,
        pence=policy.monthly_pence - this_month.pence if policy.monthly_pence else 1e9,
    )
    next_month = (_month(now) + timedelta(days=32)).replace(day=1)
    if left.pence <= 0:
        raise QuotaSpent(
            standing.source,
            f"this month's cap of {policy.monthly_pence / 100:.2f} pounds is spent",
            retry_at=next_month,
        )
    if left.calls <= 0 or left.units <= 0:
        first = runs.first_cost(connection, standing.source, now - DAY)
        raise QuotaSpent(standing.source, "our cap of the last 24 hours is spent", retry_at=(first or now) + DAY)
    return left


def used(connection: sa.Connection, standing: Standing, now: datetime) -> float:
    """Return how much of a source's tightest cap is spent: 1.0 is all of it, 0.0 stands where there is no cap.

    Days and months are those of `allowance`.
    """
    policy = standing.policy
    if not _has_cap(policy):
        return 0.0
    today, this_month = _spent(connection, standing, now)
    caps = (
        (today.calls, policy.daily_calls),
        (today.units, policy.daily_units),
        (this_month.pence, policy.monthly_pence),
    )
    return max(spent / cap for spent, cap in caps if cap)


def _spent(connection: sa.Connection, standing: Standing, now: datetime) -> tuple[Spent, Spent]:
    """Return what a source cost in the last 24 hours and in this month."""
    return (
        runs.spent(connection, standing.source, now - DAY),
        runs.spent(connection, standing.source, _month(now)),
    )


def _has_cap(policy: SourcePolicy) -> bool:
    """Whether we set ourselves a limit for a source."""
    return bool(policy.daily_calls or policy.daily_units or policy.monthly_pence)


def _month(now: datetime) -> datetime:
    """Return when the month of `now` began, in UTC."""
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
