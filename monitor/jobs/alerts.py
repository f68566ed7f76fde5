"""Urgent cases are alerted at once, and again up the ladder until somebody acknowledges.

Each rung goes to each role once, by e-mail and by every channel of the role; both are written down together.
A copy of a story that somebody was alerted to waits until the pause of policy/escalation.toml is over, unless it
reads more urgent; what came meanwhile is counted in the next alert. Nothing of another story ever waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.channels import channel_id, channel_message
from monitor.jobs.casework import Act, subject_of
from monitor.mail import compose, mail_id
from monitor.policy.escalation import OWNER
from monitor.records import CaseState
from monitor.store import alerts, cases, mentions, outbox
from reports.alert import AlertMaterial, alert_name, brief, build, render

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import sqlalchemy as sa

    from monitor.jobs.workplace import Workplace
    from monitor.records import Case, Severity, StoredMention
    from monitor.store.outbox import OutMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One alert: which rung of which case, for which role, by which carrier to whom."""

    case: Case
    severity: Severity
    rung: int
    role: str
    turn: int
    carrier: str
    recipient: str

    def message_id(self, place: Workplace) -> str:
        """Return the id of its message: always the same."""
        name = alert_name(self.case.reference, self.severity, rung=self.rung, role=self.role, turn=self.turn)
        if self.carrier == outbox.CHANNEL:
            return channel_id(name, self.recipient)
        return mail_id(name, self.recipient, place.settings.mail, place.settings.federation)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Story:
    """What was alerted of a case's story so far.

    Attributes:
        number: of the story. stored: the case's post; None if its words are gone.
        others: further cases of the story, about the same schools.
    """

    number: int
    stored: StoredMention | None
    others: tuple[Case, ...]


def raise_alerts(place: Workplace) -> int:
    """Queue every alert that is due and was not queued yet; return how many were queued."""
    ladders = place.policy.escalation.severities
    with place.store.read() as connection:
        waiting = [case for case in cases.still_open(connection) if case.state is CaseState.NEW]
        calls = [call for case in waiting if ladders[case.severity].ladder for call in _due(place, case)]
        before = outbox.queued_at(connection, [call.message_id(place) for call in calls])
    fresh: dict[str, list[_Call]] = {}
    for call in calls:
        if call.message_id(place) not in before:
            fresh.setdefault(call.case.reference, []).append(call)
    return sum(_queue(place, of_one_case) for of_one_case in fresh.values())


def _due(place: Workplace, case: Case) -> Iterator[_Call]:
    """Give everybody who should know of a case by now and can be reached, each address and channel once."""
    again = [event.at for event in case.history if event.what == Act.REOPEN.value]
    age = place.clock() - (again[-1] if again else case.opened)
    subject = subject_of(case)
    reached: set[tuple[str, str]] = set()
    for rung, step in enumerate(place.policy.escalation.severities[case.severity].ladder):
        if age < timedelta(minutes=step.after_minutes):
            continue
        for named in step.roles:
            role = case.owner if named == OWNER else named
            if role == subject:  # never to the person it is about (PR19)
                role = place.policy.escalation.conflicts.get(role, "chair")
            for way in _ways(place, case, role):
                if way not in reached:
                    reached.add(way)
                    carrier, recipient = way
                    yield _Call(
                        case=case,
                        severity=case.severity,
                        rung=rung,
                        role=role,
                        turn=len(again),
                        carrier=carrier,
                        recipient=recipient,
                    )


def _ways(place: Workplace, case: Case, role: str) -> Iterator[tuple[str, str]]:
    """Give (carrier, recipient) of everything by which a role is reached at the schools of a case."""
    for school in case.schools or place.policy.schools.codes:
        address = place.settings.roles.address(role, school)
        if address:
            yield outbox.MAIL, address
        for channel in place.settings.channels.secrets(role, school):
            yield outbox.CHANNEL, channel


def _queue(place: Workplace, calls: list[_Call]) -> int:
    """Queue the alerts of one case that need not wait, all in one transaction; return how many."""
    case = calls[0].case
    with place.store.write() as connection:
        story = _story(connection, case)
        return sum(
            outbox.queue(connection, message) for call in calls for message in _message(place, connection, call, story)
        )


def _story(connection: sa.Connection, case: Case) -> _Story:
    """Return what else is known of a case's story. Another school's case is another matter, however alike."""
    stored = mentions.by_number(connection, [case.mention_id]).get(case.mention_id)
    if stored is None:
        return _Story(number=case.mention_id, stored=None, others=())
    others = (other for other in alerts.cases_of(connection, stored.story) if other.reference != case.reference)
    return _Story(
        number=stored.story,
        stored=stored,
        others=tuple(other for other in others if set(case.schools) <= set(other.schools)),
    )


def _message(place: Workplace, connection: sa.Connection, call: _Call, story: _Story) -> Iterator[OutMessage]:
    """Give the message of an alert, unless it has to wait."""
    now = place.clock()
    pause = timedelta(minutes=place.policy.escalation.alerts.pause_minutes)
    as_urgent = [severity for severity in type(call.severity) if severity <= call.severity]
    others = max(_told(place, connection, call, story.others, as_urgent), default=None)
    if others is not None and now - others < pause:
        return
    own = _told(place, connection, call, (call.case,), list(type(call.severity)))
    since = max([*own, *([others] if others else [])], default=None)
    view = build(
        AlertMaterial(
            case=call.case,
            stored=story.stored,
            role=call.role,
            rung=call.rung,
            turn=call.turn,
            more=alerts.told_after(connection, story.number, since)
            if since
            else alerts.told_beside(connection, story.number, call.case.mention_id),
            since=since,
            short_name=place.settings.federation.short_name,
            made_at=now,
            zone=place.settings.federation.zone,
            escalation=place.policy.escalation,
            school_names={school.code: school.name for school in place.policy.schools.schools},
        )
    )
    if call.carrier == outbox.CHANNEL:
        short = brief(view)
        yield channel_message(
            view.name, kind="alert", channel=call.recipient, title=short.title, body=short.body, now=now
        )
    else:
        yield compose(
            render(view),
            kind="alert",
            recipient=call.recipient,
            mail=place.settings.mail,
            federation=place.settings.federation,
            now=now,
        )


def _told(
    place: Workplace,
    connection: sa.Connection,
    call: _Call,
    of: tuple[Case, ...],
    severities: list[Severity],
) -> list[datetime]:
    """Return when the recipient of `call` was alerted to these cases while they had one of these severities."""
    ladders = place.policy.escalation.severities
    earlier = [
        _Call(
            case=case,
            severity=severity,
            rung=rung,
            role=case.owner if named == OWNER else named,
            turn=turn,
            carrier=call.carrier,
            recipient=call.recipient,
        )
        for case in of
        for severity in severities
        for rung, step in enumerate(ladders[severity].ladder)
        for named in step.roles
        for turn in range(1 + sum(event.what == Act.REOPEN.value for event in case.history))
    ]
    return list(outbox.queued_at(connection, [one.message_id(place) for one in earlier]).values())
