"""Urgent cases are alerted at once, and again up the ladder until somebody acknowledges.

Each rung goes to each role once: the message's id is made of case, rung and role.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.mail import compose
from monitor.policy.escalation import OWNER
from monitor.records import CaseState
from monitor.store import cases, mentions, outbox
from reports.alert import AlertMaterial, build, render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.jobs.workplace import Workplace
    from monitor.records import Case, StoredMention


def raise_alerts(place: Workplace) -> int:
    """Queue every alert that is due and was not queued yet; return how many were queued."""
    with place.store.read() as connection:
        waiting = [case for case in cases.still_open(connection) if case.state is CaseState.NEW]
        waiting = [case for case in waiting if place.policy.escalation.severities[case.severity].ladder]
        stored = mentions.by_number(connection, [case.mention_id for case in waiting])
    return sum(
        _queue(place, case, stored.get(case.mention_id), rung, role, address)
        for case in waiting
        for rung, role, address in _due(place, case)
    )


def _due(place: Workplace, case: Case) -> Iterator[tuple[int, str, str]]:
    """Give (rung, role, address) of everyone who should know of a case by now and has an address."""
    age = place.clock() - case.opened
    told: set[str] = set()
    for rung, step in enumerate(place.policy.escalation.severities[case.severity].ladder):
        if age < timedelta(minutes=step.after_minutes):
            continue
        for named in step.roles:
            role = case.owner if named == OWNER else named
            for school in case.schools or place.policy.schools.codes:
                address = place.settings.roles.address(role, school)
                if address and address not in told:
                    told.add(address)
                    yield rung, role, address


def _queue(place: Workplace, case: Case, stored: StoredMention | None, rung: int, role: str, address: str) -> bool:
    """Queue one alert, unless it was queued before."""
    rendered = render(
        build(
            AlertMaterial(
                case=case,
                stored=stored,
                role=role,
                rung=rung,
                short_name=place.settings.federation.short_name,
                made_at=place.clock(),
                zone=place.settings.federation.zone,
                escalation=place.policy.escalation,
                school_names={school.code: school.name for school in place.policy.schools.schools},
            )
        )
    )
    message = compose(
        rendered,
        kind="alert",
        recipient=address,
        mail=place.settings.mail,
        federation=place.settings.federation,
        now=place.clock(),
    )
    with place.store.write() as connection:
        return outbox.queue(connection, message)
