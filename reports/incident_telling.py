"""What an incident report tells of the posts: claims, the earliest found, one timeline, originals, our response."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Final

from monitor.records import CaseState
from reports import wording
from reports.items import item, place
from reports.quoting import Link, clean, is_restricted, link, quoted, shortened, unnamed

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.records import Case, StoredMention
    from reports.incident_material import Known
    from reports.items import Item

CLAIMS: Final = 6
ORIGINALS: Final = 40
TIMELINE: Final = 60
ANNEX: Final = 500
"""Evidence that the page lists; the bundle lists all."""
OPEN_EVIDENCE: Final = 25
"""Evidence that stands open on the page, the most urgent; the others are folded away below."""
LONGEST_QUOTE: Final = 280
ACTS: Final = {
    "ack": "acknowledged",
    "note": "noted what was found",
    "answer": "answered",
    "wait": "waiting for somebody else",
    "no-reply": "decided not to reply",
    "refer": "referred",
    "close": "closed",
    "reopen": "opened again",
}
"""Acts of a case's history, in words; the others are words already."""
PRESS: Final = frozenset({"feeds", "gdelt"})
"""Sources whose posts are articles of publishers, which may be named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One row of what is claimed, what is known, and how we know; `quoted` says that the claim is a quotation."""

    claim: str
    quoted: bool
    about: str
    known: str
    checked: bool
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of the timeline: when, whose act ("Post", "Copies", "We"), what, and the evidence number."""

    at: str
    who: str
    what: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """One distinct text: evidence number, words or why there are none, what is said of it, its copies, its link."""

    number: int
    title: str
    quote: str
    withheld: str
    about: str
    copies: str
    link: Link | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What we did about one case: its line of the table, whether it is open, where it stands, and each act."""

    case: Item
    is_open: bool
    state: str
    acts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One line of the evidence: number, source, when published and captured (UTC), hash, link, what else."""

    number: int
    source: str
    published: str
    captured: str
    sha256: str
    link: Link | None
    note: str


def withheld(stored: StoredMention, known: Known) -> str:
    """Return why the words of a post may not stand in the report, and who may read them; "" if they may."""
    if stored.judgement is None:
        return "Not judged yet, so not shown."
    book = known.book
    cases = known.cases.get(known.stories.first(stored.id), ())
    of_post = next((case for case in cases if case.mention_id == stored.id), None)
    if not is_restricted(stored, of_post, book.escalation):
        return ""
    readers = list(of_post.readers if of_post else ())
    if not readers:
        rows = [book.row(name) for name in (stored.judgement.category, *stored.judgement.also)]
        readers = [role for row in rows if row for role in row.restricted_to]
    who = wording.listed([book.role(role) for role in dict.fromkeys(readers) if role])
    reference = f" by {wording.listed([case.reference for case in cases])}" if cases else ""
    return f"Restricted: listed{reference or ' by number'} only." + (f" Only the {who} may read it." if who else "")


def claims(known: Known) -> tuple[Claim, ...]:
    """Return what is claimed, the most told first."""
    return tuple(_claim(first, known) for first in known.firsts[:CLAIMS])


def _claim(first: int, known: Known) -> Claim:
    """Return one claim with what is known of it."""
    face, book = known.faces[first], known.book
    closed = withheld(face, known)
    judgement = face.judgement
    category = book.category(judgement.category) if judgement else "Not judged yet"
    words = "" if closed else quoted(face.mention.title or face.mention.text, 160)
    members = known.stories.members(first)
    accounts = len({stored.author_key for stored in members if stored.author_key})
    told = wording.counted(len(members), "post")
    told += f" by {wording.counted(accounts, 'account')}" if accounts else ""
    noted = _noted(known.cases.get(first, ()), known) if not closed else None
    owner = book.owner(judgement.owner, judgement.schools) if judgement and judgement.owner else ""
    press = dict.fromkeys(_publisher(stored) for stored in members if stored.mention.source in PRESS)
    how = f"Said in {told}." + (f" Published by {wording.listed(list(press))}." if press and not closed else "")
    return Claim(
        claim=words or category,
        quoted=bool(words),
        about=f"No. {known.number(first)}" + (f" · {category}" if words else ""),
        known=noted[0] if noted else "Not confirmed, not denied." + (f" Ask the {owner}." if owner else ""),
        checked=noted is not None,
        how=f"{noted[1]} {how}" if noted else f"{how} Nobody has recorded a check.",
    )


def _noted(cases: tuple[Case, ...], known: Known) -> tuple[str, str] | None:
    """Return what a person recorded last about a claim, and where; None if nobody did."""
    notes = [
        (event.at, case.reference, event.why)
        for case in cases
        if not case.restricted
        for event in case.history
        if event.by != "monitor" and event.why
    ]
    if not notes:
        return None
    at, reference, why = max(notes)
    return shortened(unnamed(why), 200), f"Recorded in {reference}, {known.book.when(at)}."


def _account(stored: StoredMention, known: Known) -> str:
    """Return who published a post: "account 7"; "" for an article, and where the source names nobody."""
    return "" if stored.mention.source in PRESS else known.accounts.get(stored.author_key, "")


def _act(what: str) -> str:
    """Return an act of a case's history in words."""
    return ACTS.get(what, shortened(unnamed(what), 80))


def _publisher(stored: StoredMention) -> str:
    """Return the name of a newspaper or a site."""
    return shortened(clean(stored.mention.community), 50) or "a publisher"


def earliest(known: Known) -> str:
    """Return the earliest post that was found; said to be that, and no more."""
    if not known.material.mentions:
        return ""
    stored = min(known.material.mentions, key=lambda one: (one.mention.published, one.id))
    lag = stored.first_seen - stored.mention.published
    book = known.book
    return (
        f"Published {book.when(stored.mention.published)}{_where(stored, known)} "
        f"(no. {known.material.numbers[stored.id]}); we first saw it {book.when(stored.first_seen)}"
        + (f", {wording.age(lag)} later" if lag >= timedelta(minutes=1) else "")
        + ". It is the earliest we found, which need not be the first that was said."
    )


def _where(stored: StoredMention, known: Known) -> str:
    """Return " on Reddit, r/knaresborough"; only the source where the post is restricted."""
    where = known.book.source(stored.mention.source) if withheld(stored, known) else place(stored, known.book)
    return f" on {where}"


def timeline(known: Known) -> tuple[tuple[Moment, ...], str]:
    """Return posts, copies and our own acts in one list, oldest first, and what was left out.

    Copies of one post within an hour are one line. Of a long list the oldest and the newest stay.
    """
    material, book = known.material, known.book
    rows: list[tuple[datetime, str, str, str]] = [
        (material.opened, "We", "This incident run began", ""),
    ]
    for first in known.firsts:
        face = known.faces[first]
        category = book.category(face.judgement.category) if face.judgement else "Not judged yet"
        number = known.number(first)
        who = f", {account}" if (account := _account(face, known)) else ""
        rows.append((face.mention.published, "Post", f"{category}{_where(face, known)}{who}", f"{number}"))
        copies: dict[datetime, list[datetime]] = {}
        for published in (one.mention.published for one in known.stories.members(first) if one.id != face.id):
            copies.setdefault(_hour(published), []).append(published)
        rows += [
            (
                min(hour),
                "Copies",
                f"{wording.counted(len(hour), 'copy', 'copies')} of no. {number} within the hour",
                f"{number}",
            )
            for hour in copies.values()
        ]
        for case in known.cases.get(first, ()):
            rows += [(event.at, "We", f"{case.reference} {_act(event.what)}", f"{number}") for event in case.history]
    rows.sort(key=lambda row: (row[0], row[1] == "We", row[2]))
    cut = slice(TIMELINE // 3, len(rows) - 2 * TIMELINE // 3) if len(rows) > TIMELINE else slice(0, 0)
    hidden = rows[cut]
    del rows[cut]
    left = ""
    if hidden:
        span = f"between {book.when(hidden[0][0])} and {book.when(hidden[-1][0])}"
        left = f"{wording.counted(len(hidden), 'line')} {span} left out; every post stands in the evidence."
    shown = tuple(Moment(at=known.at(at), who=who, what=what, evidence=number) for at, who, what, number in rows)
    return shown, left


def _hour(moment: datetime) -> datetime:
    """Return the beginning of a moment's hour."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def originals(known: Known) -> tuple[tuple[Original, ...], str]:
    """Return each distinct text once, with its copies counted, and what was left out."""
    shown = tuple(_original(first, known) for first in known.firsts[:ORIGINALS])
    rest = len(known.firsts) - len(shown)
    return shown, f"{wording.counted(rest, 'further text')}, in the evidence." if rest else ""


def _original(first: int, known: Known) -> Original:
    """Return one distinct text."""
    face, book = known.faces[first], known.book
    closed = withheld(face, known)
    judgement = face.judgement
    others = [stored for stored in known.stories.members(first) if stored.id != face.id]
    reposts = sum(1 for stored in others if stored.mention.repost_of)
    numbers = sorted(known.material.numbers[stored.id] for stored in others)
    copies = ""
    if others:
        copies = f"{wording.counted(len(others), 'copy', 'copies')}"
        copies += f", {reposts} of them {wording.plural(reposts, 'a repost', 'reposts')}" if reposts else ""
        copies += f" (no. {_ranges(numbers)})"
    who = f" · {account}" if (account := _account(face, known)) else ""
    where = book.source(face.mention.source) if closed else place(face, book)
    school = book.school(judgement.schools if judgement else ())
    return Original(
        number=known.number(first),
        title=book.category(judgement.category) if judgement else "Not judged yet",
        quote=""
        if closed
        else quoted(
            f"{face.mention.title}. {face.mention.text}" if face.mention.title else face.mention.text, LONGEST_QUOTE
        ),
        withheld=closed,
        about=f"{where} · published {book.when(face.mention.published)}{who} · {school}",
        copies=copies or "No copies found",
        link=None if closed else link(face.mention.url),
    )


def _ranges(numbers: list[int]) -> str:
    """Return sorted numbers in short: "3, 5-8, 11"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def cases_in_order(known: Known) -> tuple[Case, ...]:
    """Return the cases: open ones first, then by urgency and by when they are due."""
    return tuple(
        sorted(
            known.material.cases,
            key=lambda case: (
                not case.state.is_open,
                case.severity,
                case.due is None,
                case.due or case.opened,
                case.reference,
            ),
        )
    )


def response(known: Known) -> tuple[Answer, ...]:
    """Return what we did about each case, in order."""
    return tuple(_answer(case, known) for case in cases_in_order(known))


def _answer(case: Case, known: Known) -> Answer:
    """Return what we did about one case."""
    first = known.stories.first(case.mention_id)
    members = known.stories.members(first)
    stored = next((one for one in members if one.id == case.mention_id), None)
    acts = []
    for event in case.history:
        if event.by == "monitor":
            continue
        why = f": {shortened(unnamed(event.why), 200)}" if event.why and not case.restricted else ""
        acts.append(f"{wording.sentence(known.book.when(event.at))} {_act(event.what)}{why}")
    state = "Not acknowledged yet" if case.state is CaseState.NEW else wording.sentence(case.state.value)
    return Answer(
        case=item(case, stored, members, known.stories.size(first), known.book),
        is_open=case.state.is_open,
        state=state,
        acts=tuple(acts),
    )


def evidence(known: Known) -> tuple[tuple[Exhibit, ...], tuple[Exhibit, ...], str]:
    """Return the evidence that stands open, what is folded away below it, and what is only in the bundle.

    A short list stands open by number. Of a long one the most urgent do, originals before copies and the oldest
    first; the others follow by number.
    """
    numbers = known.material.numbers
    everything = sorted(known.material.mentions, key=lambda stored: numbers[stored.id])
    first: list[StoredMention] = everything
    rest: list[StoredMention] = []
    if len(everything) > OPEN_EVIDENCE:
        first = sorted(everything, key=lambda stored: _most_urgent(stored, known))[:OPEN_EVIDENCE]
        shown = {stored.id for stored in first}
        rest = [stored for stored in everything if stored.id not in shown]
    folded, left = rest[: ANNEX - OPEN_EVIDENCE], len(rest[ANNEX - OPEN_EVIDENCE :])
    return (
        tuple(_exhibit(stored, known) for stored in first),
        tuple(_exhibit(stored, known) for stored in folded),
        f"{wording.counted(left, 'further item')}, in the bundle." if left else "",
    )


def _most_urgent(stored: StoredMention, known: Known) -> tuple[str, bool, datetime, int]:
    """Return the order of urgency: severity (what has none comes last), originals before copies, the oldest first."""
    severity = stored.judgement.severity.value if stored.judgement and stored.judgement.severity else "P9"
    is_copy = stored.id != known.faces[known.stories.first(stored.id)].id
    return severity, is_copy, stored.mention.published, known.material.numbers[stored.id]


def _exhibit(stored: StoredMention, known: Known) -> Exhibit:
    """Return one line of the evidence."""
    first = known.stories.first(stored.id)
    face = known.faces[first]
    closed = withheld(stored, known)
    notes = [] if stored.id == face.id else [f"copy of no. {known.number(first)}"]
    notes += ["restricted"] if closed and stored.judgement else []
    notes += ["edited since"] if stored.mention.edited else []
    return Exhibit(
        number=known.material.numbers[stored.id],
        source=known.book.source(stored.mention.source),
        published=utc(stored.mention.published),
        captured=utc(stored.first_seen),
        sha256=stored.sha256,
        link=None if closed else link(stored.mention.url),
        note=", ".join(notes),
    )


def utc(moment: datetime) -> str:
    """Return a moment in UTC to the second: "2026-11-23 14:05:09 UTC"."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
