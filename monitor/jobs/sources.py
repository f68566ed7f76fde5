"""Which source is on, which is off, and why: policy, configuration and secrets taken together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import collectors
from monitor.errors import QuotaSpent
from monitor.records import Spent
from monitor.store import runs
from monitor.tables import validated

if TYPE_CHECKING:
    import sqlalchemy as sa

    from collectors import Collector, SourceOptions
    from monitor.jobs.workplace import Workplace
    from monitor.policy.sources import SourcePolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one source stands.

    Attributes:
        source: the collector's name.
        policy: what its terms allow.
        options: its table of monitor.toml, checked; None if there is no collector file for it.
        on: whether it is read.
        why: why it is off, in one sentence; "" if it is on.
    """

    source: str
    policy: SourcePolicy
    options: SourceOptions | None
    on: bool
    why: str

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
        return Standing(source=name, policy=policy, options=None, on=False, why=policy.why)
    module = collectors.module(name)
    settings = place.settings
    options = validated(
        module.Options,
        settings.sources.get(name, {}),
        file=settings.file,
        text=settings.text,
        under=("sources", name),
    )
    why = _off(place, name, policy, options, module.SECRETS)
    return Standing(source=name, policy=policy, options=options, on=not why, why=why)


def _off(place: Workplace, name: str, policy: SourcePolicy, options: SourceOptions, secrets: tuple[str, ...]) -> str:
    """Return why a source is off, "" if it is on."""
    if options.enabled is False:
        return "switched off in monitor.toml"
    if not policy.on_by_default and not options.enabled:
        return policy.why
    if policy.needs_approval and not options.approval:
        return f"needs a recorded approval: {policy.needs_approval}"
    if name not in place.settings.sources:
        return f"not configured: add [sources.{name}] to monitor.toml"
    missing = [secret for secret in secrets if place.secrets.get(secret) is None]
    if missing:
        return f"credentials missing: set {', '.join(f'MONITOR_{secret}' for secret in missing)}"
    return options.missing()


def make_collector(place: Workplace, standing: Standing) -> Collector:
    """Return the reader of a source that is on."""
    tools = collectors.Tools(http=place.http, secrets=place.secrets, clock=place.clock, user_agent=place.user_agent)
    return collectors.module(standing.source).collector(standing.options, tools)


def allowance(connection: sa.Connection, standing: Standing, now: datetime) -> Spent | None:
    """Return what a source may still spend, None where it has no cap.

    A day is a UTC day, a month a calendar month in UTC.

    Raises:
        QuotaSpent: nothing is left; says until when.
    """
    policy = standing.policy
    if not (policy.daily_calls or policy.daily_units or policy.monthly_pence):
        return None
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    month = day.replace(day=1)
    today = runs.spent(connection, standing.source, day)
    this_month = runs.spent(connection, standing.source, month)
    left = Spent(
        calls=policy.daily_calls - today.calls if policy.daily_calls else 10**9,
        units=policy.daily_units - today.units if policy.daily_units else 10**9,
        pence=policy.monthly_pence - this_month.pence if policy.monthly_pence else 1e9,
    )
    next_month = (month + timedelta(days=32)).replace(day=1)
    if left.pence <= 0:
        raise QuotaSpent(
            standing.source,
            f"this month's cap of {policy.monthly_pence / 100:.2f} pounds is spent",
            retry_at=next_month,
        )
    if left.calls <= 0 or left.units <= 0:
        raise QuotaSpent(standing.source, "today's quota is spent", retry_at=day + timedelta(days=1))
    return left
