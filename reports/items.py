"""One case as a reader meets it: by when, what, who, why, what to do next and what never to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from monitor.records import CaseState, Relevance, Sentiment
from reports import wording
from reports.quoting import (
    URGENT,
    Link,
    clean,
    is_restricted,
    link,
    may_be_quoted,
    quoted,
    shortened,
    unnamed,
)
from reports.stories import SEVERAL, outlets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from monitor.records import Case, Judgement, Reason, StoredMention
    from reports.wordbook import Wordbook

Urgency = Literal["late", "today", "later"]
Kind = Literal["urgent", "look", "reply"]

STEPS_SHOWN: Final = 3
PACE: Final = timedelta(hours=2)
_VERBS: Final = {"urgent": "Owner acts", "look": "Look", "reply": "Reply"}
_CLAUSES_IN_NOTE: Final = re.compile(r" \(policy [^)]*\)$")
_CATEGORY_ID: Final = re.compile(r"\b[A-Z]{4,}(?:_[A-Z]+)*\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One labelled line: "Owner", "Lead member of staff"."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One case in words, ready to print.

    Attributes:
        reference: of the case.
        kind: "urgent" is owned elsewhere and is a reference number here; "look" asks for one human look.
        urgency: "late", "today" or "later".
        by, what, who: the case as one line of a table.
        tag: how urgent and which school, in words.
        title: the category.
        quote: a short quotation with personal details masked, "" where none may stand here.
        about_quote: how the quotation is to be read, and its tone; "" without one.
        note: why there is no quotation, or what is asked of the reader; "" if nothing.
        facts: labelled lines.
        link: to the post, None where it must not travel or is not safe.
    """

    reference: str
    kind: Kind
    urgency: Urgency
    by: str
    what: str
    who: str
    tag: str
    title: str
    quote: str
    about_quote: str
    note: str
    facts: tuple[Fact, ...]
    link: Link | None


def kind_of(case: Case, stored: StoredMention | None, book: Wordbook) -> Kind:
    """Return whether a case is a reference number only, may not be ours, or wants a reply."""
    severities = {case.severity}
    if stored and stored.judgement:
        severities |= {stored.judgement.severity or case.severity}
    if severities & URGENT or is_restricted(stored, case, book.escalation):
        return "urgent"
    return "look" if case.category == "UNCERTAIN" else "reply"


def item(
    case: Case,
    stored: StoredMention | None,
    story: Sequence[StoredMention],
    size: int,
    book: Wordbook,
    *,
    progress: str = "",
) -> Item:
    """Return one case in words.

    Args:
        case: still open.
        stored: the mention that opened it, None where its words no longer exist.
        story: the mentions of its story that are at hand, itself included.
        size: how many mentions the story has in all.
        book: names and times.
        progress: how the story went on since it was last told: "day 3, +2"; "" if it is told for the first time.
    """
    kind = kind_of(case, stored, book)
    restricted = is_restricted(stored, case, book.escalation)
    told = ": ".join(part for part in (wording.sentence(progress), spread(story, size, book)) if part)
    shown = stored if kind != "urgent" else None
    quotable = shown is not None and may_be_quoted(shown, case, book.escalation)
    says = "Read the article" if shown and shown.mention.title else "Open the post"
    to_post = link(shown.mention.url, says) if shown else None
    urgency = _urgency(case.due, book)
    quote = quoted(shown.mention.text or shown.mention.title) if shown and quotable else ""
    name = "Is this about us?" if kind == "look" else book.category(case.category)
    return Item(
        reference=case.reference,
        kind=kind,
        urgency=urgency,
        by=_by(case.due, urgency, book),
        what=f"{name} ({'/'.join(case.schools)})" if case.schools else name,
        who=book.role(case.owner),
        tag=_tag(case, kind, urgency, restricted=restricted, book=book),
        title=book.category(case.category),
        quote=quote,
        about_quote=_about_quote(shown) if shown and quote else "",
        note=_note(case, stored, kind, restricted=restricted, book=book)
        or _about_words(quotable=quotable, linked=to_post is not None),
        facts=_restricted_facts(case, book)
        if restricted
        else _facts(case, stored, told, kind=kind, quotable=quotable, book=book),
        link=to_post,
    )


def spread(story: Sequence[StoredMention], size: int, book: Wordbook) -> str:
    """Return how far a story went and how fast it goes on; "" for a post that stands alone.

    "1 original, 8 reposts, 8 accounts; 6 in the last two hours". Accounts are counted, never named.
    """
    counts = spread_counts(story, size)
    if size < 2 or not story:  # noqa: PLR2004 - one post has no pace
        return counts
    recent = sum(1 for stored in story if stored.first_seen > book.now - PACE)
    if recent:
        return f"{counts}; {wording.figure(recent)} in the last two hours"
    return f"{counts}; none since {book.when(max(stored.first_seen for stored in story))}"


def spread_counts(story: Sequence[StoredMention], size: int) -> str:
    """Return how far a story went: "1 original, 2 copies, 3 outlets"; "" if it stands alone."""
    reposts = sum(1 for stored in story if stored.mention.repost_of)
    accounts = len({stored.author_key for stored in story if stored.author_key})
    places = outlets(story)
    parts = []
    if size > 1:
        originals = size - reposts
        parts += ["1 original"] if originals else []
        parts += [wording.counted(originals - 1, "copy", "copies")] if originals > 1 else []
        parts += [wording.counted(reposts, "repost")] if reposts else []
        parts += [wording.counted(accounts, "account")] if accounts else []
    parts += [wording.counted(places, "outlet")] if places >= SEVERAL else []
    return ", ".join(parts)


def place(stored: StoredMention, book: Wordbook) -> str:
    """Return where a post stood: "Reddit, r/knaresborough"; personal details masked."""
    community = shortened(unnamed(stored.mention.community), 50)
    source = book.source(stored.mention.source)
    return f"{source}, {community}" if community and community != source else source


def tone(judgement: Judgement) -> str:
    """Return a post's tone with its caution, "" where it may not be scored."""
    if judgement.sentiment is None:
        return ""
    sure = "" if judgement.sentiment_sure else ", not sure"
    caution = "; may be defending the school" if judgement.sentiment is Sentiment.NEGATIVE else ""
    return f"{judgement.sentiment.value}{sure}{caution}"


def why(judgement: Judgement, *, with_words: bool, book: Wordbook) -> str:
    """Return why a post has its category: the first reason's sentence, rule and, if they may stand, words.

    A post that may not be about our schools says first what spoke for it.
    """
    abouts = ("relevance", "category") if judgement.relevant is Relevance.UNCERTAIN else ("category",)
    said = []
    for about in abouts:
        first = next((reason for reason in judgement.reasons if reason.about == about), None)
        if first:
            said.append(_reason(first, with_words=with_words, book=book))
    return wording.sentence("; ".join(said))


def _reason(reason: Reason, *, with_words: bool, book: Wordbook) -> str:
    """Return one reason in words."""
    note = _CLAUSES_IN_NOTE.sub("", clean(reason.note)).split(";")[0]
    note = _CATEGORY_ID.sub(lambda found: book.category(found.group()), note)
    words = quoted(reason.text, 60) if with_words and reason.end > reason.start else ""
    rule = f"rule {shortened(clean(reason.rule), 60)}"
    said = ": ".join(part for part in (words, shortened(note, 140)) if part)
    return f"{said} ({rule})" if said else wording.sentence(rule)


def _urgency(due: datetime | None, book: Wordbook) -> Urgency:
    """Return whether something is late, due today, or later."""
    if due is None:
        return "later"
    if due < book.now:
        return "late"
    return "today" if due.astimezone(book.zone).date() == book.now.astimezone(book.zone).date() else "later"


def _by(due: datetime | None, urgency: Urgency, book: Wordbook) -> str:
    """Return by when, for a table."""
    if due is None:
        return "No date"
    return wording.sentence(book.when(due)) + (" (late)" if urgency == "late" else "")


def _tag(case: Case, kind: Kind, urgency: Urgency, *, restricted: bool, book: Wordbook) -> str:
    """Return how urgent a case is and which school it is about, in words first; the colour comes second."""
    if case.due is None:
        words = "No date set"
    elif urgency == "late":
        words = f"Late since {book.when(case.due)}"
    else:
        verb = "Act" if kind == "reply" and book.escalation.about_a_person(case.category) else _VERBS[kind]
        words = f"{verb} by {book.when(case.due)}"
    rule = book.escalation.severities[case.severity]
    parts = [words, *(() if restricted else (f"{case.severity.value} {rule.name.lower()}",))]
    parts += ["acknowledged"] if case.state is CaseState.ACKNOWLEDGED else []
    return " · ".join((*parts, book.school(case.schools)))


def _about_quote(stored: StoredMention) -> str:
    """Return how a quotation is to be read."""
    words = tone(stored.judgement) if stored.judgement else ""
    return "Quoted, personal details masked." + (f" Tone: {words}." if words else "")


def _note(case: Case, stored: StoredMention | None, kind: Kind, *, restricted: bool, book: Wordbook) -> str:
    """Return what the reader is asked, or why an item is a reference only; "" for an ordinary one."""
    if restricted:
        readers = wording.listed([book.role(role) for role in case.readers])
        who = f" Only the {readers} may read it." if readers else ""
        said = f"Restricted: this e-mail carries the reference only.{who} Please do not look for the post."
    elif kind == "urgent":
        said = "Urgent: the owner was alerted directly, and this e-mail carries the reference only."
    elif stored is None:
        said = "The words are no longer stored; the case is still open."
    elif kind == "look":
        said = "One human look, please: is this about us, and what does it mean?"
    else:
        said = ""
    return said


def _about_words(*, quotable: bool, linked: bool) -> str:
    """Return why an ordinary item has no words or no link; "" if it has both."""
    if quotable:
        return "" if linked else "There is no link to it that is safe to follow."
    return f"Not quoted here, because it may be about a person.{' Read it at the link.' if linked else ''}"


def _restricted_facts(case: Case, book: Wordbook) -> tuple[Fact, ...]:
    """Return all that anybody but the readers may see (escalation process 1.3)."""
    acknowledged = "not acknowledged yet" if case.state is CaseState.NEW else "acknowledged"
    return (
        Fact(name="Owner", value=f"{book.owner(case.owner, case.schools)}; {acknowledged}"),
        Fact(name="Opened", value=wording.sentence(book.when(case.opened))),
    )


def _facts(
    case: Case, stored: StoredMention | None, spread_words: str, *, kind: Kind, quotable: bool, book: Wordbook
) -> tuple[Fact, ...]:
    """Return an item's labelled lines, most useful first; of an urgent one none that leads to the post."""
    row = book.row(case.category)
    facts = []
    if row:
        facts.append(Fact(name="Do next", value=_sentences(row.steps[:STEPS_SHOWN])))
        facts += [Fact(name="Never", value=wording.uncapped(_sentences(row.never[:1])))] if row.never else []
    facts.append(Fact(name="Owner", value=book.owner(case.owner, case.schools)))
    facts += [Fact(name="Spread", value=spread_words)] if spread_words else []
    seen = stored.first_seen if stored else case.opened
    where = f", {place(stored, book)}" if stored and kind != "urgent" else ""
    facts.append(Fact(name="First seen", value=f"{wording.sentence(book.when(seen))}{where}"))
    reasons = []
    if stored and stored.judgement:
        reasons.append(why(stored.judgement, with_words=quotable, book=book))
    if row:
        reasons.append(f"policy {wording.plural(len(row.clauses), 'clause')} {wording.listed(row.clauses)}")
    facts.append(Fact(name="Why", value=wording.sentence("; ".join(part for part in reasons if part))))
    return tuple(facts)


def _sentences(parts: Sequence[str]) -> str:
    """Return steps as sentences in a row."""
    return " ".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in parts)
