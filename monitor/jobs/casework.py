"""What people do with a case: every act is one line of its history, with who, when and why."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from monitor.errors import CaseError
from monitor.hours import due
from monitor.records import CaseState, Severity
from monitor.store import cases, mentions

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

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


def find(place: Workplace, reference: str) -> Case:
    """Return one case.

    Raises:
        CaseError: there is none of that reference.
    """
    with place.store.read() as connection:
        case = cases.get(connection, reference.upper())
    if case is None:
        raise CaseError(f"there is no case {reference!r}; see: federation-monitor case list")
    return case


def act(place: Workplace, reference: str, doing: Doing) -> Case:
    """Do something with a case and write it into its history; return the case as it stands then.

    Raises:
        CaseError: the act is not possible, or needs a reason or a role.
    """
    case = find(place, reference)
    _allowed(place, case, doing)
    with place.store.write() as connection:
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
            return f"assigned from {case.owner} to {doing.to}"
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

    The label goes to `labels.jsonl` in the data folder, which `python -m benchmarks.accuracy --labels` reads.

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
    with place.store.write() as connection:
        cases.add_event(
            connection,
            case.reference,
            at=place.clock(),
            by=by,
            what=f"wrong tag: {category}" if category else "not about us",
            why=why,
            state=None if category else CaseState.CLOSED,
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
