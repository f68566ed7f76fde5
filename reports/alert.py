"""The alert: one urgent case, for one role, with what that role may know and the first three steps.

A role that may not read the words gets reference, category, school, time and owner, and nothing of the post.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from monitor.records import Rendered
from reports import rendering
from reports.quoting import Link, link, quoted
from reports.wordbook import Wordbook

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from monitor.policy.escalation import Escalation
    from monitor.records import Case, Coverage, StoredMention

STEPS: Final = 3
NEVER_QUOTED: Final = frozenset({"SEXUAL_HARM"})
"""Categories of which no word is copied, not even for those who may read it (UKCIS 2024: do not share)."""

ALWAYS: Final = "This monitor is not watched day and night (policy 2.3). In danger ring 999."


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMaterial:
    """Everything that one alert says.

    Attributes:
        case: the case. stored: its post, None if its words are gone.
        role: id of the role it goes to. rung: which rung of the ladder this is, from 0.
        made_at: zone-aware. zone: the reader's.
        short_name, escalation, school_names, coverage: for the words.
    """

    short_name: str
    case: Case
    stored: StoredMention | None
    role: str
    rung: int
    made_at: datetime
    zone: ZoneInfo
    escalation: Escalation
    school_names: dict[str, str]
    coverage: tuple[Coverage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """An alert in words; `words` and `post` are empty for a role that may not see them."""

    name: str
    subject: str
    headline: str
    preheader: str
    short_name: str
    covers: str
    reference: str
    severity: str
    category: str
    school: str
    found: str
    owner: str
    target: str
    climbed: str
    words: str
    post: Link | None
    withheld: str
    steps: tuple[str, ...]
    never: tuple[str, ...]
    clauses: str
    law: str
    external: str
    why: tuple[str, ...]
    always: str
    acknowledge: str


def build(material: AlertMaterial) -> AlertView:
    """Return the alert as `material.role` may see it."""
    case, escalation = material.case, material.escalation
    book = Wordbook(
        escalation=escalation,
        schools=material.school_names,
        coverage=material.coverage,
        now=material.made_at,
        zone=material.zone,
    )
    row = escalation.category(case.category)
    may_read = material.role in case.readers
    stored = material.stored if may_read else None
    severity = escalation.severities[case.severity]
    owner = book.owner(case.owner, case.schools)
    return AlertView(
        name=f"alert-{case.reference}-{material.rung}-{material.role}",
        subject=f"{case.severity} {severity.name}: {case.reference} needs you now",
        headline=f"{severity.name}: {row.name}",
        preheader=f"{case.reference}, {book.school(case.schools)}. {row.target}.",
        short_name=material.short_name,
        covers=f"Alert made {book.when(material.made_at)}",
        reference=case.reference,
        severity=f"{case.severity} {severity.name}",
        category=row.name,
        school=book.school(case.schools),
        found=book.when(case.opened),
        owner=owner,
        target=row.target,
        climbed=f"Nobody has acknowledged it since {book.when(case.opened)}." if material.rung else "",
        words=quoted(stored.mention.text) if stored and case.category not in NEVER_QUOTED else "",
        post=link(stored.mention.url) if stored else None,
        withheld="" if may_read else f"The words are for: {_roles(escalation, case.readers)}.",
        steps=row.steps[:STEPS] if may_read else (f"Make sure that the {owner} knows.",),
        never=row.never[:STEPS] if may_read else ("Look for the post yourself.",),
        clauses=", ".join(row.clauses),
        law=row.law,
        external=row.external,
        why=_why(stored),
        always=ALWAYS,
        acknowledge=f"federation-monitor case ack {case.reference}",
    )


def render(view: AlertView) -> Rendered:
    """Return the alert as e-mail."""
    return Rendered(
        name=view.name,
        subject=view.subject,
        html=rendering.email("alert.html.j2", view),
        text=rendering.text("alert.txt.j2", view),
    )


def _roles(escalation: Escalation, roles: tuple[str, ...]) -> str:
    """Return roles in words."""
    return ", ".join(escalation.roles[role].name for role in roles if role)


def _why(stored: StoredMention | None) -> tuple[str, ...]:
    """Return why the post was tagged so: the rules, without its words."""
    judgement = stored.judgement if stored else None
    if judgement is None:
        return ()
    return tuple(dict.fromkeys(r.note or r.rule for r in judgement.reasons if r.about == "category"))[:STEPS]
