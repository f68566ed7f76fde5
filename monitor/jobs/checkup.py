"""The check-up behind `doctor`: what is well, what a person must do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from monitor.errors import ConfigError, DeliveryError, MonitorError, SourceError
from monitor.jobs.canary import watched
from monitor.jobs.collect import require_dpia
from monitor.jobs.coverage import coverage
from monitor.jobs.platforms import PATIENT, cure_of, platforms
from monitor.jobs.sources import make_collector, standings
from monitor.jobs.storekeeping import PG_DUMP
from monitor.records import Ask, Mention, Sight, Window
from monitor.store import backup, journal, outbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.jobs.platforms import Platform
    from monitor.jobs.sources import Standing
    from monitor.jobs.workplace import Workplace
    from monitor.records import Coverage
    from reports.week import Canary


PROBE: Final = timedelta(days=1)
BACKUP_LATE: Final = timedelta(days=2)
TEST_TITLE: Final = "Test from the Federation monitor"
TEST_BODY: Final = "If you can read this, urgent alerts reach you here. Nothing has happened; there is nothing to do."


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
    platforms: tuple[Platform, ...]

    @property
    def fit(self) -> bool:
        """Whether nothing is wrong."""
        return not any(finding.state is State.WRONG for finding in self.findings)


def check(place: Workplace, lately: timedelta, *, ask: bool = False, test_channels: bool = False) -> Checkup:
    """Look at configuration, store, roles, mail, channels and sources.

    Args:
        place: the workplace.
        lately: how far back troubles count.
        ask: whether to ask each source that is on for one item, to see whether it lets us in. Nothing is stored.
        test_channels: whether to send a test message over every channel.
    """
    now = place.clock()
    window = Window(start=now - lately, end=now)
    with place.store.read() as connection:
        sources = coverage(place, connection, window)
        troubles = journal.troubles(connection, window)
        canaries = watched(place, connection, now)
    asked = tuple(_asked(place)) if ask else ()
    findings = [
        Finding(
            subject="configuration",
            state=State.WELL,
            seen=f"{place.settings.file}, policy version {place.policy.version}",
        ),
        Finding(subject="store", state=State.WELL, seen=f"{place.store.engine.dialect.name}, tables up to date"),
        *_backups(place),
        _dpia(place),
        *_roles(place),
        _mail(place),
        *_channels(place, test=test_channels),
        *_sources(place, sources),
        *_canaries(canaries),
        *(_answers(place, asked) if ask else ()),
        *(
            Finding(
                subject=f"job {run.job}",
                state=State.NOTE,
                seen=f"{run.outcome} at {run.started:%d %b %H:%M} UTC: {run.error or 'never ended'}",
            )
            for run in troubles
        ),
    ]
    errors = {standing.source: error for standing, error in asked}
    return Checkup(findings=tuple(findings), sources=sources, platforms=platforms(place, sources, errors))


def _backups(place: Workplace) -> Iterator[Finding]:
    """Look when the last backup was made, and whether a restoration left something to look at."""
    file = place.store.file
    if file is None:
        yield Finding(subject="backups", state=State.NOTE, seen=PG_DUMP)
        return
    made = [moment for moment, _path in backup.files(file)]
    if not made:
        cure = "the scheduler makes one each night; now: federation-monitor store backup"
        yield Finding(subject="backups", state=State.NOTE, seen="none yet", cure=cure)
    else:
        late = place.clock() - made[0] > BACKUP_LATE
        yield Finding(
            subject="backups",
            state=State.WRONG if late else State.WELL,
            seen=f"{len(made)}, the newest of {made[0]:%d %b %H:%M} UTC",
            cure="look why the job backup fails: federation-monitor store backup" if late else "",
        )
    for path in backup.set_aside(file):
        yield Finding(
            subject="store",
            state=State.NOTE,
            seen=f"a restoration set {path.name} aside",
            cure=f"keep a copy elsewhere if you need it: it goes after {place.settings.storage.backup_days} days",
        )


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


def _channels(place: Workplace, *, test: bool) -> Iterator[Finding]:
    """Look whether every channel's secret holds an address that can be used, and what was not delivered."""
    with place.store.read() as connection:
        failed = outbox.undelivered(connection, carrier=outbox.CHANNEL)
    for channel in place.settings.channels.every:
        subject = f"channel {channel}"
        try:
            seen = f"goes to {place.courier.check(channel)}; not tried: use --test-channels"
            if test:
                place.courier.send(channel, TEST_TITLE, TEST_BODY)
                seen = f"goes to {place.courier.check(channel)}; the test message was taken"
        except DeliveryError as error:
            yield Finding(subject=subject, state=State.WRONG, seen=str(error), cure=f"check MONITOR_{channel}")
            continue
        own = [message for message in failed if message.recipient == channel]
        if own:
            yield Finding(
                subject=subject,
                state=State.WRONG,
                seen=f"{len(own)} not delivered since {own[0].queued:%d %b %H:%M} UTC: {own[-1].error}",
                cure=f"check MONITOR_{channel}; it is tried again by itself",
            )
        else:
            yield Finding(subject=subject, state=State.WELL, seen=seen)


def _asked(place: Workplace) -> Iterator[tuple[Standing, SourceError | None]]:
    """Ask every source that is on for its first item; one whose calls cost money is left alone."""
    now = place.clock()
    schools = place.policy.schools
    wanted = Ask(window=Window(start=now - PROBE, end=now), phrases=schools.phrases[:1], tags=schools.tags[:1])
    for standing in standings(place):
        if standing.on and not standing.policy.monthly_pence:
            try:
                answer = make_collector(place, standing).collect(wanted)
                next((item for item in answer if isinstance(item, Mention)), None)
            except SourceError as error:
                yield standing, error
            else:
                yield standing, None


def _answers(place: Workplace, asked: tuple[tuple[Standing, SourceError | None], ...]) -> Iterator[Finding]:
    """Say of every source that is on whether it let us in."""
    errors = {standing.source: error for standing, error in asked}
    for standing in standings(place):
        if not standing.on:
            continue
        subject = f"reaching {standing.source}"
        if standing.source not in errors:
            yield Finding(subject=subject, state=State.NOTE, seen="not asked: every call costs money")
        elif error := errors[standing.source]:
            yield Finding(subject=subject, state=State.WRONG, seen=error.problem, cure=cure_of(error.kind, standing))
        else:
            yield Finding(subject=subject, state=State.WELL, seen="answers and lets us in")


def _sources(place: Workplace, sources: tuple[Coverage, ...]) -> Iterator[Finding]:
    """Look which sources are on and not read."""
    known = {standing.source: standing for standing in standings(place)}
    for source in sources:
        if source.sight not in {Sight.BEHIND, Sight.NEVER}:
            continue
        harmless = source.kind in PATIENT or (source.sight is Sight.NEVER and not source.kind)
        cure = cure_of(source.kind, known[source.source]) if source.kind else ""
        yield Finding(
            subject=f"source {source.source}",
            state=State.NOTE if harmless else State.WRONG,
            seen=f"{source.sight}: {source.why}",
            cure=cure or ("run: federation-monitor collect" if source.sight is Sight.NEVER else ""),
        )


def _canaries(canaries: tuple[Canary, ...]) -> Iterator[Finding]:
    """Look whether the posts of our own that are planted in a source were seen in their time."""
    for canary in canaries:
        seen = f"last seen {canary.seen:%d %b %H:%M} UTC" if canary.seen else "never seen"
        yield Finding(
            subject=f"canary {canary.source}",
            state=State.WRONG if canary.missed else State.WELL,
            seen=f"{seen}: this source may be blind" if canary.missed else seen,
            cure=f"see whether a post with the marker stands on {canary.name} and can be found there; publish a new one"
            if canary.missed
            else "",
        )
