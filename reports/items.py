"""One case as a reader meets it: by when, what, who, why, what to do next and what never to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from monitor.records import CaseState, Relevance, Sentiment
from reports import wording
from reports.quoting import URGENT, Link, clean, is_restricted, link, may_be_quoted, quoted, shortened, unnamed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from monitor.records import Case, Judgement, Reason, StoredMention
    from reports.wordbook import Wordbook

Urgency = Literal["late", "today", "later"]
Kind = Literal["urgent", "look", "reply"]

STEPS_SHOWN: Final = 3
PACE: Final = timedelta(hours=2)
_VERBS: Final = {"urgent": "Act", "look": "Look", "reply": "Reply"}
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
        title: the category, with the words that raised it where they may stand in an e-mail.
        quote: a short quotation with personal details masked, "" where none may stand here.
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
    note: str
    facts: tuple[Fact, ...]
    link: Link | None


def kind_of(case: Case, stored: StoredMention | None, book: Wordbook) -> Kind:
    """Return whether a case is a reference number only, a question of whether it is ours, or wants a reply."""
    severities = {case.severity}
    if stored and stored.judgement:
        severities |= {stored.judgement.severity or case.severity}
    if severities & URGENT or is_restricted(stored, case, book.escalation):
        return "urgent"
    return "look" if case.category == "UNCERTAIN" else "reply"


def item(case: Case, stored: StoredMention | None, story: Sequence[StoredMention], size: int, book: Wordbook) -> Item:
    """Return one case in words.

    Args:
        case: still open.
        stored: the mention that opened it, None where its words no longer exist.
        story: the mentions of its story that are at hand, itself included.
        size: how many mentions the story has in all.
        book: names and times.
    """
    kind = kind_of(case, stored, book)
    restricted = is_restricted(stored, case, book.escalation)
    open_words = kind != "urgent" and stored is not None
    quotable = open_words and stored is not None and may_be_quoted(stored, case, book.escalation)
    school = book.school(case.schools)
    urgency = _urgency(case.due, book)
    return Item(
        reference=case.reference,
        kind=kind,
        urgency=urgency,
        by=_by(case.due, urgency, book),
        what=f"{book.category(case.category)} ({'/'.join(case.schools) or '?'})",
        who=book.role(case.owner),
        tag=f"{_tag(case, kind, urgency, book)} · {school}",
        title=_title(case, stored, quotable=quotable, book=book),
        quote=quoted(stored.mention.text or stored.mention.title) if stored and quotable else "",
        note=_note(case, stored, kind, restricted=restricted, quotable=quotable, book=book),
        facts=_restricted_facts(case, school, book)
        if restricted
        else _facts(case, stored if open_words else None, spread(story, size, book), quotable=quotable, book=book),
        link=link(stored.mention.url) if stored and open_words else None,
    )


def spread(story: Sequence[StoredMention], size: int, book: Wordbook) -> str:
    """Return how far a story went: originals, reposts, accounts and pace; "" for a post that stands alone.

    "1 original, 8 reposts, 8 accounts; 6 in the last two hours". Accounts are counted, never named.
    """
    places = sum(len(stored.also_in) for stored in story)
    if size < 2 and not places:  # noqa: PLR2004 - one post is no spread
        return ""
    reposts = sum(1 for stored in story if stored.mention.repost_of)
    accounts = len({stored.author_key for stored in story if stored.author_key})
    parts = [wording.counted(size - reposts, "original" if reposts else "post")]
    parts += [wording.counted(reposts, "repost")] if reposts else []
    parts += [wording.counted(accounts, "account")] if accounts else []
    parts += [f"also in {wording.counted(places, 'other place')}"] if places else []
    recent = sum(1 for stored in story if stored.first_seen > book.now - PACE)
    newest = max((stored.first_seen for stored in story), default=None)
    pace = f"{wording.figure(recent)} in the last two hours" if recent else ""
    if newest and not recent:
        pace = f"none since {book.when(newest)}"
    return ", ".join(parts) + (f"; {pace}" if pace else "")


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
    """Return why a post has its category: the first reason's sentence and rule, and its words if they may stand.

    A post that may not be about our schools says what spoke for it first.
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
    return " ".join(part for part in (words, shortened(note, 140), f"({rule})") if part)


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


def _tag(case: Case, kind: Kind, urgency: Urgency, book: Wordbook) -> str:
    """Return how urgent a case is, in words first; the colour comes second."""
    if case.due is None:
        words = "No date set"
    elif urgency == "late":
        words = f"Late since {book.when(case.due)}"
    else:
        words = f"{_VERBS[kind]} by {book.when(case.due)}"
    rule = book.escalation.severities[case.severity]
    seen = " · acknowledged" if case.state is CaseState.ACKNOWLEDGED else ""
    return f"{words} · {case.severity.value} {rule.name.lower()}{seen}"


def _title(case: Case, stored: StoredMention | None, *, quotable: bool, book: Wordbook) -> str:
    """Return the category, with the words that raised it where they may stand in an e-mail."""
    name = book.category(case.category)
    if not (quotable and stored and stored.judgement):
        return name
    found = (
        quoted(reason.text, 40)
        for reason in stored.judgement.reasons
        if reason.about == "category" and reason.end > reason.start
    )
    words = next((words for words in found if words), "")
    return f"{name}: {words}" if words else name


def _note(  # noqa: PLR0911 - one sentence for each case
    case: Case, stored: StoredMention | None, kind: Kind, *, restricted: bool, quotable: bool, book: Wordbook
) -> str:
    """Return what the reader is asked, or why there are no words here."""
    if restricted:
        readers = [book.role(role) for role in case.readers]
        who = f" Only the {wording.listed(readers)} may read it." if readers else ""
        return f"Restricted: this e-mail carries the reference only.{who} Please do not look for the post."
    if kind == "urgent":
        return "Urgent: the owner was alerted directly; this e-mail carries the reference only."
    if stored is None:
        return "The words are no longer stored; the case is still open."
    if kind == "look":
        return "One human look, please: is this about us, and what does it mean? Nothing else is asked yet."
    if quotable:
        return ""
    return "Not quoted here, because it is about a person. Read it at the link."


def _restricted_facts(case: Case, school: str, book: Wordbook) -> tuple[Fact, ...]:
    """Return all that anybody but the readers may see (escalation process 1.3)."""
    acknowledged = "no" if case.state is CaseState.NEW else "yes"
    return (
        Fact(name="Owner", value=f"{book.owner(case.owner, case.schools)}; acknowledged: {acknowledged}"),
        Fact(name="School", value=school),
        Fact(name="Opened", value=wording.sentence(book.when(case.opened))),
    )


def _facts(
    case: Case, stored: StoredMention | None, spread_words: str, *, quotable: bool, book: Wordbook
) -> tuple[Fact, ...]:
    """Return an item's labelled lines, the most useful first. `stored` is None where its words must not travel."""
    row = book.row(case.category)
    facts = []
    if row:
        facts.append(Fact(name="Do next", value=_sentences(row.steps[:STEPS_SHOWN])))
        facts += [Fact(name="Never", value=_sentences(row.never[:1]))] if row.never else []
    facts.append(Fact(name="Owner", value=book.owner(case.owner, case.schools)))
    if stored and stored.judgement:
        judgement = stored.judgement
        facts.append(Fact(name="Why", value=why(judgement, with_words=quotable, book=book)))
        facts += [Fact(name="Tone", value=wording.sentence(words))] if (words := tone(judgement)) else []
    if spread_words:
        facts.append(Fact(name="Spread", value=spread_words))
    if stored:
        facts.append(Fact(name="First seen", value=f"{wording.sentence(book.when(stored.first_seen))}, {place(stored, book)}"))
    else:
        facts.append(Fact(name="Opened", value=wording.sentence(book.when(case.opened))))
    if row:
        facts.append(Fact(name="Policy", value=f"{wording.plural(len(row.clauses), 'clause')} {wording.listed(row.clauses)}"))
    return tuple(facts)


def _sentences(parts: Sequence[str]) -> str:
    """Return steps as sentences in a row."""
    return " ".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in parts)
