"""The check-up behind `doctor`: what is well, what a person must do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from monitor.errors import ConfigError, MonitorError, SourceError
from monitor.jobs.collect import require_dpia
from monitor.jobs.coverage import coverage
from monitor.jobs.sources import make_collector, standings
from monitor.records import Ask, Mention, Sight, Window
from monitor.store import journal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.jobs.workplace import Workplace
    from monitor.records import Coverage


PROBE: Final = timedelta(days=1)
CURES: Final = {
    "access_refused": "check the credentials, the approval, or robots.txt",
    "unreachable": "check the address; it is tried again at the next run",
    "rate_limited": "wait; it is read again by itself",
    "quota_spent": "wait; it is read again by itself",
    "unexpected_shape": "the platform may have changed; look for a newer version",
}
"""What a person can do about each kind of `SourceError`."""


class State(StrEnum):
    """How one thing stands."""

    WELL = "well"
    NOTE = "note"  # works, but somebody should know
    WRONG = "wrong"  # does not work until somebody acts


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at: its state, what was seen, and what to do about it."""

    subject: str
    state: State
    seen: str
    cure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """Everything that was looked at."""

    findings: tuple[Finding, ...]
    sources: tuple[Coverage, ...]

    @property
    def fit(self) -> bool:
        """Whether nothing is wrong."""
        return not any(finding.state is State.WRONG for finding in self.findings)


def check(place: Workplace, lately: timedelta, *, ask: bool = False) -> Checkup:
    """Look at configuration, store, roles, mail and sources.

    Args:
        place: the workplace.
        lately: how far back troubles count.
        ask: whether to ask each source that is on for one item, to see whether it lets us in. Nothing is stored.
    """
    now = place.clock()
    window = Window(start=now - lately, end=now)
    with place.store.read() as connection:
        sources = coverage(place, connection, window)
        troubles = journal.troubles(connection, window)
    findings = [
        Finding(
            subject="configuration",
            state=State.WELL,
            seen=f"{place.settings.file}, policy version {place.policy.version}",
        ),
        Finding(subject="store", state=State.WELL, seen=f"{place.store.engine.dialect.name}, tables up to date"),
        _dpia(place),
        *_roles(place),
        _mail(place),
        *_sources(sources),
        *(_answers(place) if ask else ()),
        *(
            Finding(
                subject=f"job {run.job}",
                state=State.NOTE,
                seen=f"{run.outcome} at {run.started:%d %b %H:%M} UTC: {run.error or 'never ended'}",
            )
            for run in troubles
        ),
    ]
    return Checkup(findings=tuple(findings), sources=sources)


def _dpia(place: Workplace) -> Finding:
    """Look whether collection is allowed."""
    try:
        require_dpia(place)
    except ConfigError as error:
        return Finding(subject="impact assessment", state=State.WRONG, seen=error.problem, cure=error.cure or "")
    dpia = place.settings.privacy.dpia
    assert dpia is not None  # noqa: S101 - require_dpia raised otherwise
    return Finding(
        subject="impact assessment",
        state=State.WELL,
        seen=f"{dpia.reference}, next review {dpia.review_due:%d %B %Y}",
    )


def _roles(place: Workplace) -> Iterator[Finding]:
    """Look which roles of the matrix have nobody behind them."""
    missing = []
    for role, rule in place.policy.escalation.roles.items():
        if rule.per_school:
            missing += [
                f"{rule.name} ({code})"
                for code in place.policy.schools.codes
                if not place.settings.roles.address(role, code)
            ]
        elif not place.settings.roles.address(role):
            missing.append(rule.name)
    if not place.settings.roles.response_owner:
        yield Finding(
            subject="response owner",
            state=State.WRONG,
            seen="nobody gets the daily digest",
            cure="set [roles] response_owner",
        )
    yield Finding(
        subject="roles",
        state=State.NOTE if missing else State.WELL,
        seen=f"nothing will be sent to: {', '.join(missing)}" if missing else "every role has an address",
        cure="set their addresses in [roles]" if missing else "",
    )


def _mail(place: Workplace) -> Finding:
    """Look whether the mail relay answers and lets us in; nothing is sent."""
    mail = place.settings.mail
    if not mail.host:
        return Finding(
            subject="mail",
            state=State.NOTE,
            seen=f"no relay: messages are laid into {place.outbox_folder}",
            cure="set [mail] host and sender",
        )
    try:
        place.postman.greet()
    except MonitorError as error:
        return Finding(
            subject="mail",
            state=State.WRONG,
            seen=str(error),
            cure="check [mail] and MONITOR_SMTP_PASSWORD",
        )
    return Finding(subject="mail", state=State.WELL, seen=f"{mail.host}:{mail.port} lets us in")


def _answers(place: Workplace) -> Iterator[Finding]:
    """Ask every source that is on for its first item; one whose calls cost money is left alone."""
    now = place.clock()
    for standing in standings(place):
        if not standing.on:
            continue
        subject = f"reaching {standing.source}"
        if standing.policy.monthly_pence:
            yield Finding(subject=subject, state=State.NOTE, seen="not asked: every call costs money")
            continue
        schools = place.policy.schools
        wanted = Ask(window=Window(start=now - PROBE, end=now), phrases=schools.phrases[:1], tags=schools.tags[:1])
        try:
            answer = make_collector(place, standing).collect(wanted)
            next((item for item in answer if isinstance(item, Mention)), None)
        except SourceError as error:
            yield Finding(subject=subject, state=State.WRONG, seen=error.problem, cure=CURES.get(error.kind, ""))
        else:
            yield Finding(subject=subject, state=State.WELL, seen="answers and lets us in")


def _sources(sources: tuple[Coverage, ...]) -> Iterator[Finding]:
    """Look which sources are on and not read."""
    for source in sources:
        if source.sight in {Sight.BEHIND, Sight.NEVER}:
            yield Finding(
                subject=f"source {source.source}",
                state=State.NOTE if source.sight is Sight.NEVER else State.WRONG,
                seen=f"{source.sight}: {source.why}",
                cure="run: federation-monitor collect" if source.sight is Sight.NEVER else "",
            )
