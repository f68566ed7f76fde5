"""The incident report: for whoever is on duty, under stress, and the few who decide with them.

Page one says how things stand at which moment, when it is looked at next, what is claimed against what is known,
and what was not seen. The page on disk shows the words of unrestricted posts to those named on it; the e-mail
shows none. Nobody is named: accounts have a number within the report (PR04, PR30).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from monitor.records import CaseState, Rendered, Severity, Sight
from reports import incident_telling as telling
from reports import rendering, wording
from reports.incident_material import IncidentMaterial, Known
from reports.incident_spread import Spread, pace, spread
from reports.looking import UNKNOWN, Looking, looked
from reports.quoting import URGENT, clean, mailbox, shortened, unnamed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.records import Coverage
    from reports.incident_telling import Answer, Claim, Exhibit, Moment, Original

__all__ = ["IncidentMaterial", "IncidentView", "build", "letter", "render", "with_digits"]

DANGER: Final = "Danger now? Ring 999; do not wait for this page."
COUNTED: Final = ("Posts", "Distinct texts", "Accounts")
READING_TAKES: Final = timedelta(minutes=15)
"""A source that was read back to this long after the window's start was read back to its start."""
READERS: Final = (
    "For the response owner, the senior leader, the headteachers and the Designated Safeguarding Lead. "
    "It shows words of public posts: do not forward it or post it further."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure: its name, its value, what it counts."""

    name: str
    value: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """The report in words, in the order of the page.

    Attributes:
        name, subject, preheader: of file and message; subject is the same in every update, without a word of a post.
        short_name, federation, covers: whose, and "as at ..., next ...".
        headline: how things stand.
        as_at, next_review: the two times in words. stood_down: why it is over, "" while it goes on.
        topic: the terms, quoted. matched: how posts were chosen. nearby: what was close, but is not counted.
        still: sources that have not answered yet, in a sentence, "" if all have.
        danger: said where a case is P0.
        readers: who may read it.
        figures: four. todo: cases that wait for somebody.
        looking: where we looked; gaps: what was not seen, but for what is still answering.
        claims, claims_more: claimed, known, how we know.
        earliest: the earliest found.
        timeline, timeline_left: one list. spread: how far. likeness: what counts as a copy.
        originals, originals_more: each distinct text. response: what we did.
        watch: what to look for next.
        evidence, evidence_folded, evidence_more, gone: what of the list stands open, what is folded away, what only
            the bundle lists, and what is no longer stored.
        records, digits: how many records, and the first digits of the manifest's hash.
        contact, policy: for the foot.
    """

    name: str
    subject: str
    preheader: str
    short_name: str
    federation: str
    covers: str
    headline: str
    as_at: str
    next_review: str
    stood_down: str
    topic: str
    matched: str
    nearby: str
    still: str
    danger: str
    readers: str
    figures: tuple[Figure, ...]
    todo: tuple[Answer, ...]
    looking: Looking
    gaps: tuple[str, ...]
    claims: tuple[Claim, ...]
    claims_more: str
    earliest: str
    timeline: tuple[Moment, ...]
    timeline_left: str
    spread: Spread | None
    pace: str
    likeness: str
    originals: tuple[Original, ...]
    originals_more: str
    response: tuple[Answer, ...]
    watch: str
    evidence: tuple[Exhibit, ...]
    evidence_folded: tuple[Exhibit, ...]
    evidence_more: str
    gone: str
    records: int
    digits: str
    contact: str
    policy: str


def build(material: IncidentMaterial) -> IncidentView:
    """Return one update of the report, in words; its digits are filled in by `with_digits`."""
    known = Known.of(material)
    book, zone = known.book, material.zone
    looking = looked(material.coverage, material.made_at, zone)
    response = telling.response(known)
    todo = tuple(answer for answer in response if answer.is_open)
    rows, left = telling.timeline(known)
    texts, more_texts = telling.originals(known)
    exhibits, folded, more_exhibits = telling.evidence(known)
    topic = wording.listed([f"“{shortened(clean(term), 60)}”" for term in material.terms], "or")
    as_at = f"{wording.dated(material.made_at, zone)} {material.made_at.astimezone(zone).tzname()}"
    next_review = _next(material)
    rest = len(known.firsts) - telling.CLAIMS
    figures = _figures(known, looking)
    still = _still(known)
    headline = _headline(known, looking, topic)
    return IncidentView(
        name=f"{material.name}-{material.update:02}",
        # the same in every update, so that mail programs keep them together; no term, because lock screens show it
        subject=f"Incident opened {wording.full(material.opened, zone)}",
        preheader=shortened(f"{as_at}: {headline}.", 200),
        short_name=clean(material.short_name),
        federation=clean(material.federation),
        covers=f"as at {as_at}, {next_review}",
        headline=headline,
        as_at=as_at,
        next_review=next_review,
        stood_down=shortened(unnamed(material.stood_down), 300),
        topic=topic,
        matched=_matched(known, topic),
        nearby=_nearby(material),
        still=still,
        danger=DANGER if any(case.severity is Severity.P0 and case.state.is_open for case in material.cases) else "",
        readers=READERS,
        figures=figures,
        todo=todo,
        looking=looking,
        gaps=_gaps(known),
        claims=telling.claims(known),
        claims_more=f"and {wording.counted(rest, 'further text')}, under “Originals and copies”" if rest > 0 else "",
        earliest=telling.earliest(known),
        timeline=rows,
        timeline_left=left,
        spread=spread(known),
        pace=wording.sentence(pace(known)),
        likeness=_likeness(material),
        originals=texts,
        originals_more=more_texts,
        response=response,
        watch=_watch(material),
        evidence=exhibits,
        evidence_folded=folded,
        evidence_more=more_exhibits,
        gone=_gone(material),
        records=len(material.mentions),
        digits="",
        contact=mailbox(material.contact),
        policy=book.escalation.policy_title,
    )


def with_digits(view: IncidentView, digits: str) -> IncidentView:
    """Return the report with the first digits of its manifest's hash on page one."""
    return replace(view, digits=digits)


def render(view: IncidentView) -> str:
    """Return the report as a complete page for browser and print."""
    return rendering.page("incident.html.j2", view)


def letter(view: IncidentView) -> Rendered:
    """Return the e-mail: how things stand, without a word of a post."""
    return rendering.letter("incident.mail.html.j2", "incident.txt.j2", view)


def _headline(known: Known, looking: Looking, topic: str) -> str:
    """Return how things stand, in one sentence."""
    said = _standing(known, looking, topic)
    return f"Stood down: {said}" if known.material.stood_down else wording.sentence(said)


def _standing(known: Known, looking: Looking, topic: str) -> str:
    """Return what was found, and how sure that is."""
    material = known.material
    count, texts = len(material.mentions), len(known.firsts)
    if not count and looking.blind:
        return "we could not look: no source has been read yet"
    if not count:
        sources = wording.counted(looking.on, "source")
        return f"nothing found on {topic}; {wording.figure(looking.on - len(looking.gaps))} of {sources} read"
    said = f"{'at least ' if looking.gaps else ''}{wording.counted(count, 'public post')} on {topic}"
    if texts < count:
        said += f", {wording.counted(texts, 'text')} and {wording.counted(count - texts, 'copy', 'copies')}"
    urgent = sum(1 for case in material.cases if case.state.is_open and case.severity in URGENT)
    return f"{said}; {wording.number(urgent)} urgent {wording.plural(urgent, 'case')} open" if urgent else said


def _next(material: IncidentMaterial) -> str:
    """Return when the next update comes."""
    if material.next_review is None:
        return "closed, no further update"
    same_day = (
        material.next_review.astimezone(material.zone).date() == material.made_at.astimezone(material.zone).date()
    )
    say = wording.hour if same_day else wording.full
    return f"next {say(material.next_review, material.zone)}"


def _matched(known: Known, topic: str) -> str:
    """Return how the posts were chosen."""
    start = known.book.when(known.material.window.start)
    return (
        f"Public posts about our schools, published since {start}, that have every word of {topic} or a longer form "
        "of it (“toilet” finds “toilets”), and all copies of them. Sources were asked for the schools’ names only; "  # noqa: RUF001
        "the school is the topic, never a person."
    )


def _nearby(material: IncidentMaterial) -> str:
    """Return what was close, but is not counted; "" if nothing was."""
    parts = [
        f"{wording.figure(count)} with “{shortened(clean(word), 40)}”"
        for word, count in sorted(material.nearby.items(), key=lambda pair: (-pair[1], pair[0]))
        if count
    ]
    return (
        f"Close, but not counted: posts about our schools with only part of a term ({', '.join(parts)})."
        if parts
        else ""
    )


def _still(known: Known) -> str:
    """Return which sources have not answered yet; "" if all have."""
    names = [
        known.book.source(source.source) for source in known.material.coverage if source.source in known.material.still
    ]
    if not names:
        return ""
    they = wording.plural(len(names), "it has", "they have")
    return f"{wording.listed(names)}. A fuller page follows as soon as {they}."


def _gaps(known: Known) -> tuple[str, ...]:
    """Return what was not seen; what is still answering is said beside it."""
    material = known.material
    others = [source for source in material.coverage if source.source not in material.still]
    unread = () if material.still and all(one.sight is Sight.OFF for one in others) else _unread(others, material)
    too_old: dict[str, list[str]] = {}
    for source in material.coverage:
        start = material.read_back_to.get(source.source)
        if source.sight is not Sight.OFF and start and start > material.window.start + READING_TAKES:
            too_old.setdefault(wording.full(start, material.zone), []).append(known.book.source(source.source))
    return (*unread, *(f"{wording.listed(names)} before {start}" for start, names in too_old.items()))


def _unread(coverage: Sequence[Coverage], material: IncidentMaterial) -> tuple[str, ...]:
    """Return the sources that were not read as they should be."""
    return looked(coverage, material.made_at, material.zone).gaps


def _figures(known: Known, looking: Looking) -> tuple[Figure, ...]:
    """Return the four figures of page one; what nobody could look for is "?", never 0."""
    material = known.material
    count, texts = len(material.mentions), len(known.firsts)
    if not count and looking.blind:
        unknown = (Figure(name=name, value=UNKNOWN, note="nothing has been read yet") for name in COUNTED)
        return (*unknown, _open_cases(material))
    more = "+" if looking.gaps else ""
    sources = len({stored.mention.source for stored in material.mentions})
    return (
        Figure(
            name=COUNTED[0], value=f"{wording.figure(count)}{more}", note=f"in {wording.counted(sources, 'source')}"
        ),
        Figure(
            name=COUNTED[1],
            value=f"{wording.figure(texts)}{more}",
            note=f"and {wording.counted(count - texts, 'copy', 'copies')} of them",
        ),
        Figure(name=COUNTED[2], value=f"{wording.figure(len(known.accounts))}{more}", note="counted, never named")
        if known.accounts or not count
        else Figure(name=COUNTED[2], value=UNKNOWN, note="these sources name none"),
        _open_cases(material),
    )


def _open_cases(material: IncidentMaterial) -> Figure:
    """Return how many cases wait for somebody."""
    waiting = [case for case in material.cases if case.state.is_open]
    late = sum(1 for case in waiting if case.due and case.due < material.made_at)
    new = sum(1 for case in waiting if case.state is CaseState.NEW)
    note = f"{wording.figure(new)} not acknowledged, {wording.figure(late)} late" if waiting else "none waits"
    return Figure(name="Open cases", value=wording.figure(len(waiting)), note=note)


def _likeness(material: IncidentMaterial) -> str:
    """Return what counts as a copy."""
    return (
        "Each distinct text once, the most repeated first. A post is a copy if it reposts another, has the same words, "
        f"or shares at least {round(100 * material.likeness)}% of its three-word sequences with it."
    )


def _watch(material: IncidentMaterial) -> str:
    """Return what to look for until the next review."""
    listed = wording.listed([f"“{shortened(clean(term), 60)}”" for term in material.terms])
    who = "" if material.next_review is None else "The response owner looks again, or whoever stands in. "
    return f"{who}Watch words: {listed}. {_nearby(material)}".rstrip()


def _gone(material: IncidentMaterial) -> str:
    """Return what of the evidence is no longer stored; "" if all of it is."""
    if not material.gone:
        return ""
    numbers = ", ".join(str(number) for number in material.gone)
    return (
        f"Gone since an earlier update, taken down or kept long enough: no. {numbers}. Earlier bundles have its hash."
    )
