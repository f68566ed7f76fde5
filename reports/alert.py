"""The alert: one urgent case, for one role, with what that role may know and the first three steps.

A role that may not read the words gets reference, category, school, time and owner, and nothing of the post.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from monitor.records import Rendered, Severity
from reports import rendering, wording
from reports.quoting import Link, link, quoted
from reports.wordbook import Wordbook

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from monitor.policy.escalation import Escalation
    from monitor.records import Case, Coverage, StoredMention

STEPS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMaterial:
    """Everything that one alert says.

    Attributes:
        case: the case. stored: its post, None if its words are gone.
        role: id of the role it goes to. rung: which rung of the ladder this is, from 0.
        turn: how often the case was opened again.
        more: posts that tell the same story and came after `since`: the last alert of it to the same person, or
            None where there was none yet.
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
    turn: int = 0
    more: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """An alert in words; `words` and `post` are empty for a role that may not see them.

    `danger` asks for its `always` on top. `source` names clause and law of the steps. `due`, `found_full` and
    `due_full` are times; the full ones still hold when they are read on another day.
    """

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
    found_full: str
    due: str
    due_full: str
    owner: str
    target: str
    climbed: str
    more: str
    words: str
    post: Link | None
    withheld: str
    steps: tuple[str, ...]
    never: tuple[str, ...]
    source: str
    external: str
    why: tuple[str, ...]
    always: str
    danger: bool
    acknowledge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """An alert for a channel: plain text without a word of the post, a handle or a link."""

    title: str
    body: str


def alert_name(reference: str, severity: Severity, *, rung: int, role: str, turn: int) -> str:
    """Return the name of one alert: a case that was raised, or opened again, alerts again."""
    again = f"-again{turn}" if turn else ""
    return f"alert-{reference}-{severity}-{rung}-{role}{again}"


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
        name=alert_name(case.reference, case.severity, rung=material.rung, role=material.role, turn=material.turn),
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
        found_full=wording.full(case.opened, material.zone),
        due=book.when(case.due) if case.due else "",
        due_full=wording.full(case.due, material.zone) if case.due else "",
        owner=owner,
        target=row.target,
        climbed=f"Nobody has acknowledged it since {book.when(case.opened)}." if material.rung else "",
        more=_more(material, book),
        words=quoted(stored.mention.text) if stored and _may_be_copied(case, stored, escalation) else "",
        post=link(stored.mention.url) if stored else None,
        withheld="" if may_read else f"You do not see the post: its words are for the {_roles(book, case.readers)}.",
        steps=row.steps[:STEPS] if may_read else (f"Make sure that the {owner} knows.",),
        never=row.never[:STEPS] if may_read else ("Look for the post yourself.",),
        source=f"From: Social Media Policy {wording.listed(row.clauses)}" + (f"; {row.law}." if may_read else "."),
        external=row.external,
        why=_why(stored),
        always=escalation.alerts.danger,
        danger=case.severity is Severity.P0,
        acknowledge=f"federation-monitor case ack {case.reference}",
    )


def brief(view: AlertView) -> Brief:
    """Return the alert as it may travel over a channel that we do not run: who opens it learns where to look."""
    by = f" Acknowledge by {view.due_full}." if view.due_full else ""
    lines = [
        f"{view.category}. {view.school}.",
        f"Found {view.found_full}.{by}",
        view.climbed,
        view.more,
        f"First: {view.steps[0]}" if view.steps else "",
        f"Open your e-mail, or: federation-monitor case show {view.reference}",
        view.always,
    ]
    return Brief(title=f"{view.severity}: {view.reference}", body="\n".join(line for line in lines if line))


def render(view: AlertView) -> Rendered:
    """Return the alert as e-mail."""
    return rendering.letter("alert.html.j2", "alert.txt.j2", view)


def _more(material: AlertMaterial, book: Wordbook) -> str:
    """Return how many posts like it came since, without a word of them; "" if none did."""
    if not material.more:
        return ""
    since = f"since your alert {book.when(material.since)}" if material.since else "so far"
    return f"{wording.figure(material.more)} more like it {since}."


def _may_be_copied(case: Case, stored: StoredMention, escalation: Escalation) -> bool:
    """Whether words of a post may be copied for those who may read it."""
    also = stored.judgement.also if stored.judgement else ()
    rows = [escalation.categories.get(name) for name in (case.category, *also)]
    return not any(row is None or row.never_quoted for row in rows)


def _roles(book: Wordbook, roles: tuple[str, ...]) -> str:
    """Return roles in words."""
    return wording.listed([book.role(role) for role in roles])


def _why(stored: StoredMention | None) -> tuple[str, ...]:
    """Return why the post was tagged so: the rules, without its words."""
    judgement = stored.judgement if stored else None
    if judgement is None:
        return ()
    said = (wording.sentence(r.note or r.rule) for r in judgement.reasons if r.about == "category")
    return tuple(dict.fromkeys(said))[:STEPS]
