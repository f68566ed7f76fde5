"""What people do with a case: every act is one line of its history, with who, when and why."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from monitor.errors import CaseError
from monitor.hours import due
from monitor.jobs.audit import audited, note
from monitor.records import CaseState, Severity, Window
from monitor.store import cases, holds, mentions
from monitor.store.audit import Deed
from monitor.store.holds import HOLDERS, Hold

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import sqlalchemy as sa

    from monitor.jobs.workplace import Workplace
    from monitor.records import Case, StoredMention


class Act(StrEnum):
    """What somebody can do."""

    ACK = "ack"
    ASSIGN = "assign"
    NOTE = "note"
    ANSWER = "answer"
    WAIT = "wait"
    NO_REPLY = "no-reply"
    REFER = "refer"
    CLOSE = "close"
    REOPEN = "reopen"
    RAISE = "severity"


MOVES: Final[dict[Act, CaseState]] = {
    Act.ACK: CaseState.ACKNOWLEDGED,
    Act.ANSWER: CaseState.ANSWERED,
    Act.WAIT: CaseState.WAITING,
    Act.NO_REPLY: CaseState.NO_REPLY_NEEDED,
    Act.REFER: CaseState.REFERRED,
    Act.CLOSE: CaseState.CLOSED,
    Act.REOPEN: CaseState.NEW,
}
"""The state an act leads to; the others leave it as it is."""

LOWERS_P0: Final = ("dsl", "headteacher")
"""Roles that may lower a P0, with a reason (escalation matrix, routing rules)."""

ABOUT: Final = ", about "
"""Stands before the role that a post is about, in the line of the history that says so."""

LIST_DAYS: Final = 90
"""How far back closed cases are listed."""
LONGEST_HOLD: Final = timedelta(days=366)
"""A hold that is needed for longer is placed again, with its reason as it is then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """One act on a case.

    Attributes:
        act: what is done. by: who does it, as they sign. why: in their words.
        role: the role in which they act; needed to lower a P0.
        to: the new owner's role, for `assign`.
        severity: the new severity, for `severity`.
        about_role: the role that the post is about, for `assign` under the conflict rule.
    """

    act: Act
    by: str
    why: str = ""
    role: str = ""
    to: str = ""
    severity: Severity | None = None
    about_role: str = ""


def subject_of(case: Case) -> str:
    """Return the role that a case's post is about, as a person said when they assigned it; "" if nobody did."""
    said = [event.what.partition(ABOUT)[2] for event in case.history if event.what.startswith("assigned ")]
    return next((role for role in reversed(said) if role), "")


def find(place: Workplace, reference: str) -> Case:
    """Return one case.

    Raises:
        CaseError: there is none of that reference.
    """
    with place.store.read() as connection:
        return _get(connection, reference)


def _get(connection: sa.Connection, reference: str) -> Case:
    """Return one case, or say that there is none."""
    case = cases.get(connection, reference.upper())
    if case is None:
        raise CaseError(f"there is no case {reference!r}; see: federation-monitor case list")
    return case


def show(place: Workplace, reference: str) -> Case:
    """Return one case, and record that somebody saw it. Raises as `find` does."""
    with audited(place) as connection:
        case = _get(connection, reference)
        note(place, connection, Deed.SAW, case.reference)
    return case


def listed(place: Workplace, *, closed_too: bool = False) -> tuple[Case, ...]:
    """Return the open cases, the soonest due first, or also those opened in the last 90 days; record the look."""
    now = place.clock()
    with audited(place) as connection:
        if closed_too:
            window = Window(start=now - timedelta(days=LIST_DAYS), end=now + timedelta(seconds=1))
            found = (*cases.still_open(connection, opened_before=window.start), *cases.opened_in(connection, window))
        else:
            found = cases.still_open(connection)
        note(place, connection, Deed.LISTED, f"{len(found)} cases")
    return found


def hold(place: Workplace, reference: str, *, role: str, by: str, reason: str, until: date) -> Hold:
    """Keep the words of a case's post, whatever retention or its poster says, to the end of a day (PR08).

    Raises:
        CaseError: the role may not, the reason or the signature is missing, the day is past or more than a year
            ahead, or the words are gone.
    """
    case = find(place, reference)
    now = place.clock()
    end = datetime.combine(until + timedelta(days=1), time(), place.settings.federation.zone)
    if role not in HOLDERS:
        raise CaseError(f"a hold is placed by {', '.join(HOLDERS)}: --role ROLE")
    if not reason.strip() or not by.strip():
        raise CaseError("say why and who, for the record: --reason TEXT --by NAME")
    if not now < end <= now + LONGEST_HOLD:
        raise CaseError("a hold ends: --until DATE, from today to a year ahead")
    with audited(place) as connection:
        if not mentions.by_number(connection, [case.mention_id]):
            raise CaseError(f"the words of {case.reference} are erased already: there is nothing to keep")
        placed = Hold(
            mention_id=case.mention_id,
            reference=case.reference,
            role=role,
            by=by,
            reason=reason,
            placed=now,
            until=end,
        )
        holds.place(connection, placed)
        what = f"held until {until:%Y-%m-%d} by {role}"
        cases.add_event(connection, case.reference, at=now, by=by, what=what, why=reason, user=place.who)
        note(place, connection, Deed.HELD, f"{case.reference} until {until:%Y-%m-%d} for {role}")
    return placed


def release(place: Workplace, reference: str, *, by: str, why: str) -> int:
    """End the holds on a case's post; return how many stood. What they kept is erased in the following night.

    Raises:
        CaseError: none stands, or no reason is given.
    """
    case = find(place, reference)
    if not why.strip():
        raise CaseError("say why, for the record: --why TEXT")
    with audited(place) as connection:
        ended = holds.release(connection, case.mention_id, at=place.clock())
        if not ended:
            raise CaseError(f"no hold stands on {case.reference}")
        at = place.clock()
        cases.add_event(connection, case.reference, at=at, by=by, what="released", why=why, user=place.who)
        note(place, connection, Deed.RELEASED, case.reference)
    return ended


def act(place: Workplace, reference: str, doing: Doing) -> Case:
    """Do something with a case and write it into its history; return the case as it stands then.

    Raises:
        CaseError: the act is not possible, or needs a reason or a role.
    """
    case = find(place, reference)
    _allowed(place, case, doing)
    with audited(place) as connection:
        return cases.add_event(
            connection,
            case.reference,
            at=place.clock(),
            by=doing.by,
            what=_what(case, doing),
            why=doing.why,
            state=MOVES.get(doing.act),
            severity=doing.severity,
            owner=doing.to or None,
            due=_due(place, case, doing),
            user=place.who,
        )


def _due(place: Workplace, case: Case, doing: Doing) -> datetime | None:
    """Return the new due time that an act brings, None if it leaves the old one."""
    severity = doing.severity or case.severity
    acknowledged = doing.act is Act.ACK or case.state is CaseState.ACKNOWLEDGED
    if doing.act not in {Act.ACK, Act.RAISE}:
        return None
    rule = place.policy.escalation.severities[severity]
    zone = place.settings.federation.zone
    return due(case.opened, rule, place.settings.calendar, zone, acknowledged=acknowledged)


def _what(case: Case, doing: Doing) -> str:
    """Return what happened, for the history."""
    match doing.act:
        case Act.ASSIGN:
            about = f"{ABOUT}{doing.about_role}" if doing.about_role else ""
            return f"assigned from {case.owner} to {doing.to}{about}"
        case Act.RAISE:
            return f"severity {case.severity} to {doing.severity}"
        case _:
            return doing.act.value


def _allowed(place: Workplace, case: Case, doing: Doing) -> None:
    """Refuse what the process does not allow."""
    if not doing.by.strip():
        raise CaseError("say who acts: --by NAME")
    if doing.act is not Act.ACK and not doing.why.strip():
        raise CaseError("say why, for the record: --why TEXT")
    if doing.act is Act.REOPEN and case.state.is_open:
        raise CaseError(f"{case.reference} is open already")
    if doing.act not in {Act.REOPEN, Act.NOTE} and case.state is CaseState.CLOSED:
        raise CaseError(f"{case.reference} is closed; reopen it first")
    if doing.act is Act.ASSIGN:
        _may_assign(place, doing)
    if doing.act is Act.RAISE:
        _may_change_severity(case, doing)


def _may_assign(place: Workplace, doing: Doing) -> None:
    """Refuse an unknown role, and the role that the post is about (conflict rule, PR19)."""
    escalation = place.policy.escalation
    if doing.to not in escalation.roles:
        raise CaseError(f"there is no role {doing.to!r}; roles: {', '.join(escalation.roles)}")
    if doing.about_role and doing.to == doing.about_role:
        instead = escalation.conflicts.get(doing.about_role, "chair")
        raise CaseError(
            f"the post is about the {doing.about_role}: it never goes to the person it is about; assign it to {instead}"
        )


def _may_change_severity(case: Case, doing: Doing) -> None:
    """Let anyone raise a case; let only a named role lower a P0."""
    if doing.severity is None:
        raise CaseError("name the new severity: P0 to P4")
    order = list(Severity)
    lowers = order.index(doing.severity) > order.index(case.severity)
    if lowers and case.severity is Severity.P0 and doing.role not in LOWERS_P0:
        raise CaseError(f"only {' or '.join(LOWERS_P0)} may lower a P0: --role ROLE --why TEXT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a person says a post really was: an example for the accuracy benchmark."""

    id: str
    text: str
    source: str
    community: str
    relevant: str
    category: str
    severity: str | None


def relabel(
    place: Workplace, reference: str, *, by: str, why: str, category: str | None, severity: Severity | None
) -> Path:
    """Record that a tag was wrong (or, with no category, that the post is not about us) and close the case.

    The label goes to `labels.jsonl` in the data folder, which `python -m benchmarks.accuracy --labels` reads. It goes
    when the post is erased.

    Raises:
        CaseError: the post's words are erased already, or the category is not known.
    """
    case = find(place, reference)
    escalation = place.policy.escalation
    if category is not None and category not in escalation.categories:
        raise CaseError(f"there is no category {category!r}; categories: {', '.join(escalation.ids)}")
    stored = _words(place, case)
    gold = severity or (escalation.category(category).severity if category else None)
    label = Label(
        id=case.reference,
        text=stored.mention.text,
        source=stored.mention.source,
        community=stored.mention.community,
        relevant="yes" if category else "no",
        category=category or "NOT_RELEVANT",
        severity=gold.value if gold else None,
    )
    file = place.settings.folder / "labels.jsonl"
    file.touch(mode=0o600)
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps({name: getattr(label, name) for name in Label.__slots__}) + "\n")
    with audited(place) as connection:
        cases.add_event(
            connection,
            case.reference,
            at=place.clock(),
            by=by,
            what=f"wrong tag: {category}" if category else "not about us",
            why=why,
            state=None if category else CaseState.CLOSED,
            user=place.who,
        )
    return file


def _words(place: Workplace, case: Case) -> StoredMention:
    """Return the post of a case.

    Raises:
        CaseError: its words are gone.
    """
    with place.store.read() as connection:
        found = mentions.by_number(connection, [case.mention_id])
    if case.mention_id not in found:
        raise CaseError(f"the words of {case.reference} were erased under the retention rule")
    return found[case.mention_id]
