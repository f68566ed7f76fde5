"""Cases and their append-only history: what people decided and did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from monitor.records import Case, CaseEvent, CaseState, Severity
from monitor.store import audit
from monitor.store.audit import Deed
from monitor.store.batches import batched
from monitor.store.schema import case_events, cases

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from monitor.records import Window

OPEN = tuple(state.value for state in CaseState if state.is_open)


def open_case(  # noqa: PLR0913 - a case has this many facts
    connection: sa.Connection,
    *,
    mention_id: int,
    category: str,
    severity: Severity,
    owner: str,
    schools: tuple[str, ...],
    opened: datetime,
    due: datetime | None,
    readers: tuple[str, ...],
    restricted: bool,
    why: str,
) -> Case:
    """Open a case for a mention, or return the one that is open for it already."""
    number = connection.scalar(
        sa.select(cases.c.id).where(cases.c.mention_id == mention_id).order_by(cases.c.id.desc()).limit(1)
    )
    if number is None:
        last = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(cases.c.id), 0))) or 0
        prefix = schools[0] if len(schools) == 1 else "FED"
        reference = f"{prefix}-{last + 1:04d}"
        result = connection.execute(
            sa.insert(cases).values(
                reference=reference,
                mention_id=mention_id,
                category=category,
                severity=severity.value,
                owner=owner,
                schools=list(schools),
                opened=opened,
                due=due,
                state=CaseState.NEW.value,
                restricted=restricted,
                readers=list(readers),
            )
        )
        key = result.inserted_primary_key
        assert key is not None  # noqa: S101 - an INSERT of one row has one key
        number = int(key[0])
        line = CaseEvent(at=opened, by="monitor", what="opened", why=why)
        _append(connection, number, line)
        suggested = f"{reference}: {category} {severity}, for {owner or 'nobody'}"
        _audit(connection, Deed.OPENED, line, suggested, at=opened, who=line.by)
    return _cases(connection, cases.c.id == number)[0]


def add_event(  # noqa: PLR0913 - who, when, what and why
    connection: sa.Connection,
    reference: str,
    *,
    at: datetime,
    by: str,
    what: str,
    why: str,
    state: CaseState | None = None,
    severity: Severity | None = None,
    owner: str | None = None,
    due: datetime | None = None,
    user: str = "",
) -> Case:
    """Write one line of history and of the audit, and change state, severity, owner or due time with it.

    `user` is the account in which somebody acts, if it is not the name they sign with.

    Raises:
        KeyError: no such case.
    """
    case = get(connection, reference)
    if case is None:
        raise KeyError(reference)
    changes: dict[str, Any] = {
        "state": state.value if state else None,
        "severity": severity.value if severity else None,
        "owner": owner,
        "due": due,
    }
    changes = {name: value for name, value in changes.items() if value is not None}
    if changes:
        connection.execute(sa.update(cases).where(cases.c.reference == reference).values(**changes))
    number = connection.scalar(sa.select(cases.c.id).where(cases.c.reference == reference))
    line = CaseEvent(at=at, by=by, what=what, why=why)
    _append(connection, int(number or 0), line)
    who = f"{by} ({user})" if user and user != by else by
    _audit(connection, Deed.CHANGED, line, f"{case.reference}: {what}", at=at, who=who)
    return _cases(connection, cases.c.reference == reference)[0]


def get(connection: sa.Connection, reference: str) -> Case | None:
    """Return one case, None if there is none of that reference."""
    found = _cases(connection, cases.c.reference == reference)
    return found[0] if found else None


def named(connection: sa.Connection, references: Sequence[str]) -> tuple[Case, ...]:
    """Return the cases of these references; those that are not here any more are left out."""
    return tuple(case for chunk in batched(references) for case in _cases(connection, cases.c.reference.in_(chunk)))


def still_open(connection: sa.Connection, *, opened_before: datetime | None = None) -> tuple[Case, ...]:
    """Return the cases on which somebody has something to do, the soonest due first."""
    conditions: list[sa.ColumnElement[bool]] = [cases.c.state.in_(OPEN)]
    if opened_before is not None:
        conditions.append(cases.c.opened < opened_before)
    return _cases(connection, *conditions)


def opened_in(connection: sa.Connection, window: Window) -> tuple[Case, ...]:
    """Return the cases that were opened in `window`, the soonest due first."""
    return _cases(connection, cases.c.opened >= window.start, cases.c.opened < window.end)


def of_mentions(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, Case]:
    """Return the newest case of each mention that has one."""
    out: dict[int, Case] = {}
    for chunk in batched(sorted(numbers)):
        out |= {case.mention_id: case for case in _cases(connection, cases.c.mention_id.in_(chunk))}
    return out


def _append(connection: sa.Connection, number: int, line: CaseEvent) -> None:
    """Append to the history; nothing here ever changes a line."""
    connection.execute(
        sa.insert(case_events).values(case_id=number, at=line.at, by=line.by, what=line.what, why=line.why)
    )


def _audit(connection: sa.Connection, deed: Deed, line: CaseEvent, about: str, *, at: datetime, who: str) -> None:
    """Write a line of history into the audit: its hash, never its reason, which a person wrote."""
    audit.append(connection, at=at, who=who, what=deed, about=f"{about[:200]}; {audit.LINE} {audit.fingerprint(line)}")


def _cases(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> tuple[Case, ...]:
    """Return cases with their histories; the soonest due first, then the oldest."""
    rows = connection.execute(
        sa.select(cases).where(*conditions).order_by(cases.c.due.is_(None), cases.c.due, cases.c.id)
    ).all()
    history: dict[int, list[CaseEvent]] = {}
    for chunk in batched([row.id for row in rows]):
        for event in connection.execute(
            sa.select(case_events).where(case_events.c.case_id.in_(chunk)).order_by(case_events.c.id)
        ):
            history.setdefault(event.case_id, []).append(
                CaseEvent(at=event.at, by=event.by, what=event.what, why=event.why)
            )
    return tuple(
        Case(
            reference=row.reference,
            mention_id=row.mention_id,
            category=row.category,
            severity=Severity(row.severity),
            owner=row.owner,
            schools=tuple(row.schools),
            opened=row.opened,
            due=row.due,
            state=CaseState(row.state),
            restricted=row.restricted,
            readers=tuple(row.readers),
            history=tuple(history.get(row.id, ())),
        )
        for row in rows
    )
