"""The incident run: read everything now, write the page within a minute, bundle the evidence, tell who decides."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from analysis.stories import LIKENESS
from monitor.errors import ConfigError
from monitor.jobs import coverage as seen
from monitor.jobs import incident_file
from monitor.jobs.alerts import raise_alerts
from monitor.jobs.audit import audited, note
from monitor.jobs.evidence import Exhibit, bundle
from monitor.jobs.incident_reading import Reading
from monitor.jobs.incident_terms import Terms, nearby
from monitor.jobs.telling import told
from monitor.jobs.workplace import write_private
from monitor.logs import log
from monitor.mail import compose
from monitor.records import Relevance, Sight, Window
from monitor.store import cases, incidents, mentions, outbox
from monitor.store.audit import Deed
from reports import incident as page_of
from reports.incident_material import IncidentMaterial, Known
from reports.incident_telling import withheld
from reports.printing import can_print, pdf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    import sqlalchemy as sa

    from monitor.jobs.incident_file import Incident
    from monitor.jobs.workplace import Workplace
    from monitor.records import Coverage, StoredMention
    from reports.incident import IncidentView

FIRST_PAGE: Final = timedelta(seconds=40)
"""How long the first page waits for sources; judging and writing it have the rest of the minute."""
EVERY: Final = timedelta(minutes=15)
"""How often a watch looks again; a source that is slower than this is not waited for."""
REVIEW: Final = timedelta(minutes=60)
"""When somebody should look again, if nobody watches."""
FARTHEST: Final = timedelta(days=30)
"""No report reaches further back (PR21)."""
MOST_MENTIONS: Final = 100_000
"""Far more than is said about two schools in thirty days."""
A_MOMENT: Final = timedelta(seconds=1)
"""What was stored at this very moment still belongs to the window, which is half-open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One update that was written.

    Attributes:
        view: what it says.
        html, pdf, evidence: files; `pdf` is None where WeasyPrint is not installed.
        still: names of the sources that had not answered.
        told: how many people it was queued for.
    """

    view: IncidentView
    html: Path
    pdf: Path | None
    evidence: Path
    still: frozenset[str]
    told: int


def watch(  # noqa: PLR0913 - how long, how patient, and whom to tell
    place: Workplace,
    terms: Terms,
    *,
    since: datetime,
    judge: Callable[[Workplace], object],
    lasts: timedelta = timedelta(0),
    tell: bool = True,
    first_page: timedelta = FIRST_PAGE,
    progress: Callable[[str], None] = lambda _words: None,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Page]:
    """Read every source that is on and give one page after the other, each written and queued when it comes.

    The first page comes when all sources have answered or `first_page` is over; where some had not, a fuller
    one follows. Then again each quarter of an hour until `lasts` is over.

    Args:
        place: the workplace.
        terms: what it is about.
        since: what the report covers from, zone-aware; no more than thirty days ago.
        judge: judges what nobody judged yet, and opens cases (`monitor.jobs.judge.judge_pending`).
        lasts: how long to go on; zero for one look.
        tell: queue each page for those who decide.
        first_page: how long slow sources are waited for.
        progress: is told what goes on.
        pause: sleeps so many seconds.

    Raises:
        ConfigError: live collection is not allowed.
        StoreError: the store or a file cannot be used.
    """
    reading = Reading(place)
    began = place.clock()
    over = began + lasts
    incident = incident_file.opened(place, terms, max(since, began - FARTHEST))
    incident_file.keep(place, incident)
    started = reading.start()
    progress(f"reading {', '.join(started) or 'nothing: no source is on'}")
    while True:
        turn = place.clock()
        again = turn + EVERY if turn + EVERY <= over else None
        for patience in (first_page, EVERY - first_page):
            reading.wait(patience.total_seconds())
            progress("judging what came")
            judge(place)
            raise_alerts(place)
            incident, page = _update(
                place, incident, still=reading.still, next_review=again or place.clock() + REVIEW, tell=tell
            )
            yield page
            if not page.still:
                break
            progress(f"still answering: {', '.join(sorted(page.still))}")
        if again is None:
            return
        progress(f"next look at {again.astimezone(place.settings.federation.zone):%H:%M}")
        pause(max(0.0, (again - place.clock()).total_seconds()))
        progress(f"reading {', '.join(reading.start())}")


def stand_down(place: Workplace, terms: Terms | None, *, why: str, tell: bool = True) -> Page:
    """Close an incident: its last page, from what is stored, and the closing message; no source is read.

    Raises:
        ConfigError: no such incident is open, or several are and none is named.
    """
    incident = incident_file.to_stand_down(place, terms)
    incident, page = _update(place, incident, still=frozenset(), next_review=None, tell=tell, why=why)
    incident_file.keep(place, incident.model_copy(update={"closed": place.clock()}))
    return page


def _update(
    place: Workplace,
    incident: Incident,
    *,
    still: frozenset[str],
    next_review: datetime | None,
    tell: bool,
    why: str = "",
) -> tuple[Incident, Page]:
    """Write one update and queue it; return the incident as it stands then."""
    with place.store.read() as connection:
        incident, material = gather(place, connection, incident, still=still, next_review=next_review, why=why)
    view = page_of.build(material)
    bundled = bundle(
        exhibits_of(material),
        material.coverage,
        lambda digits: page_of.render(page_of.with_digits(view, digits)),
    )
    view = page_of.with_digits(view, bundled.digits)
    folder = incident_file.folder(place, incident)
    html = write_private(folder / f"update-{incident.updates:02}.html", bundled.report)
    write_private(folder / "latest.html", bundled.report)
    evidence = write_private(folder / f"evidence-{incident.updates:02}.zip", bundled.content)
    incident_file.keep(place, incident)
    with audited(place) as connection:
        about = f"{incident.name} update {incident.updates}: {len(material.mentions)} posts, manifest {bundled.digits}"
        note(place, connection, Deed.BUNDLED, about)
    queued = _queue(place, incident, view, material) if tell else 0
    printed = _printed(html, bundled.report)
    return incident, Page(view=view, html=html, pdf=printed, evidence=evidence, still=still, told=queued)


def _printed(html: Path, report: str) -> Path | None:
    """Write the page as PDF beside it; None where it cannot be made, which never holds a report up."""
    if not can_print():
        return None
    try:
        return write_private(html.with_suffix(".pdf"), pdf(report))
    except ConfigError as error:
        log().warning("the report was not printed", why=error.problem)
        return None


def gather(
    place: Workplace,
    connection: sa.Connection,
    incident: Incident,
    *,
    still: frozenset[str],
    next_review: datetime | None,
    why: str = "",
) -> tuple[Incident, IncidentMaterial]:
    """Return everything the next update is made from, and the incident with that update counted."""
    now, terms = place.clock(), Terms.of(incident.terms)
    window = Window(start=incident.since, end=now + A_MOMENT)
    found = [
        stored
        for stored in mentions.between(connection, window, limit=MOST_MENTIONS)
        if stored.judgement is None or stored.judgement.relevant is not Relevance.NO
    ]
    chosen, stories = _chosen(found, terms, incident.since)
    known = {stored.id for stored in chosen}
    fresh = [stored.id for stored in sorted(chosen, key=lambda one: (one.first_seen, one.id))]
    numbers = tuple(dict.fromkeys((*incident.numbers, *fresh)))
    incident = incident.model_copy(update={"updates": incident.updates + 1, "numbers": numbers})
    own_cases = cases.of_mentions(connection, sorted(known))
    closest = [
        _words(stored) for stored in found if stored.id not in known and stored.mention.published >= incident.since
    ]
    return incident, IncidentMaterial(
        federation=place.settings.federation.name,
        short_name=place.settings.federation.short_name,
        zone=place.settings.federation.zone,
        name=incident.name,
        update=incident.updates,
        terms=incident.terms,
        window=Window(start=incident.since, end=now),
        opened=incident.opened,
        made_at=now,
        next_review=next_review,
        stood_down=why,
        mentions=tuple(_as_it_may_be_copied(place, stored) for stored in chosen),
        numbers={mention: number for number, mention in enumerate(numbers, 1)},
        gone=tuple(number for number, mention in enumerate(numbers, 1) if mention not in known),
        stories=stories,
        likeness=LIKENESS,
        cases=tuple(own_cases.values()),
        coverage=tuple(_answering(source, still) for source in seen.coverage(place, connection, window)),
        still=still,
        read_back_to=incidents.read_back_to(connection),
        nearby=nearby(terms, closest),
        escalation=place.policy.escalation,
        school_names={school.code: school.name for school in place.policy.schools.schools},
        contact=place.settings.mail.reply_to or place.settings.federation.contact,
    )


def _chosen(
    found: list[StoredMention], terms: Terms, since: datetime
) -> tuple[tuple[StoredMention, ...], dict[int, tuple[int, ...]]]:
    """Return the posts published since then that have a term, with every copy of them, and their stories."""
    by_id = {stored.id: stored for stored in found}
    stories = {
        first: copies
        for first, copies in told(found).items()
        if any(
            by_id[number].mention.published >= since and terms.find(_words(by_id[number]))
            for number in (first, *copies)
        )
    }
    chosen = {number for first, copies in stories.items() for number in (first, *copies)}
    return tuple(stored for stored in found if stored.id in chosen), stories


def _words(stored: StoredMention) -> str:
    """Return headline and words of a post."""
    return f"{stored.mention.title} {stored.mention.text}"


def _as_it_may_be_copied(place: Workplace, stored: StoredMention) -> StoredMention:
    """Return a post without its words where its source's terms forbid a copy that outlives it."""
    policy = place.policy.sources[stored.mention.source]
    if policy.keep is None and policy.on_deletion != "forget":
        return stored
    return replace(stored, mention=replace(stored.mention, title="", text=""))


def _answering(source: Coverage, still: frozenset[str]) -> Coverage:
    """Return a source's coverage; one that is still answering has not been read, whatever it gave before."""
    if source.source not in still:
        return source
    return replace(
        source,
        sight=Sight.BEHIND if source.last_read else Sight.NEVER,
        why="still answering",
        next_try=None,
    )


def exhibits_of(material: IncidentMaterial) -> tuple[Exhibit, ...]:
    """Return the evidence by number; restricted and unjudged posts without words and address."""
    known = Known.of(material)
    out = []
    for stored in sorted(material.mentions, key=lambda one: material.numbers[one.id]):
        mention, closed = stored.mention, withheld(stored, known)
        face = known.faces[known.stories.first(stored.id)]
        out.append(
            Exhibit(
                number=material.numbers[stored.id],
                source=mention.source,
                native_id="" if closed else mention.native_id,
                url="" if closed else mention.url,
                published=mention.published,
                captured=stored.first_seen,
                last_seen=stored.last_seen,
                edited=mention.edited,
                sha256=stored.sha256,
                title="" if closed else mention.title,
                text="" if closed else mention.text,
                copy_of=None if stored.id == face.id else material.numbers[face.id],
                withheld=closed,
            )
        )
    return tuple(out)


def _queue(place: Workplace, incident: Incident, view: IncidentView, material: IncidentMaterial) -> int:
    """Queue an update for everyone who decides; return for how many people. The same update is never sent twice."""
    letter = page_of.letter(view)
    for_whom = _recipients(place, material)
    with place.store.write() as connection:
        for recipient in for_whom:
            message = compose(
                letter,
                kind="incident",
                recipient=recipient,
                mail=place.settings.mail,
                federation=place.settings.federation,
                now=place.clock(),
                thread=incident.name,
            )
            outbox.queue(connection, message)
    return len(for_whom)


def _recipients(place: Workplace, material: IncidentMaterial) -> tuple[str, ...]:
    """Return the addresses of the response owner, the senior leader and the headteachers of the schools concerned."""
    roles = place.settings.roles
    judged = (stored.judgement for stored in material.mentions if stored.judgement)
    concerned = {code for judgement in judged for code in judgement.schools}
    schools = [code for code in place.policy.schools.codes if code in concerned] or place.policy.schools.codes
    named = [roles.response_owner, roles.senior_leader, *(roles.address("headteacher", code) for code in schools)]
    return tuple(dict.fromkeys(address for address in named if address))
