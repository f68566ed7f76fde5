"""Say of a post what it is, how urgent, who acts, under which clause, and why.

In: a post's words, whether it is about our schools, and what the encoder makes of it. Out: `TriageResult`.
The order of questions is that of the escalation process (section 1.3): could someone be hurt, is an adult
accused over a child, is a child targeted, is a right engaged, is an adult targeted, and only then the
everyday. Missing an urgent post costs more than showing a harmless one, so a rule for P0 or P1 is calmed only
by what the vocabulary names or where the encoder speaks against it (`SUPPORT`), never by tone; and tone never
raises a post above P3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from analysis.text import Folded, fold
from analysis.triage_rules import Found, Place, Rulebook
from monitor.records import Reason, Relevance, Sentiment, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.slang import Wording
    from monitor.policy.escalation import Escalation
    from monitor.policy.vocabulary import Vocabulary

URGENT: Final = frozenset({Severity.P0, Severity.P1})
SURE_URGENT: Final = 0.2
"""From this probability on, the encoder alone raises a post that no rule found."""
SUPPORT: Final = {
    "sure": {Severity.P0: 0.02, Severity.P1: 0.2},
    "hint": {Severity.P0: 0.2, Severity.P1: 0.4},
}
"""From this probability of urgency on, the encoder supports a rule of a kind and severity. A sure rule for P0 stands
unless the encoder all but rules danger out; what is calmed so is still shown, with its words. A rule for less stands
without it."""
DANGER: Final = 0.07
"""From this probability on, an urgent post is read as one of the P0 categories, even if another is likelier."""
IN_DANGER: Final = 0.2
"""From this probability of all P0 categories together on, a post counts as urgent, whatever the other head says."""
EMERGENCY: Final = 0.08
"""From this probability of P0 on, an urgent post is P0, whatever its category's own severity."""
RAISED: Final = 0.4
"""From this probability of urgency on, a post is P1 though its category starts lower: a walkout, a child's picture."""
FAR_LIKELIER: Final = 2.0
"""So many times as likely as the likeliest urgent category is an everyday one that stands, raised."""
MODEL_WEIGHT: Final = 8.0
"""How much the encoder's certainty counts beside a rule, which counts 1 unless the vocabulary says otherwise."""


class Words(Protocol):
    """What triage reads of a post; a `Mention` is one."""

    @property
    def text(self) -> str:
        """The post."""

    @property
    def title(self) -> str:
        """Its headline, "" if none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEvidence:
    """What the encoder says of one post; evidence, never a verdict.

    Attributes:
        categories: category id -> probability.
        urgent: probability that the post needs P0 or P1.
        emergency: probability that it needs P0.
        nearest_id, nearest_category, similarity: the labelled example nearest in meaning, and how near (-1..1).
    """

    categories: Mapping[str, float] = field(default_factory=dict)
    urgent: float = 0.0
    emergency: float = 0.0
    nearest_id: str = ""
    nearest_category: str = ""
    similarity: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageResult:
    """What triage says of one post.

    Attributes:
        category: id in the escalation matrix; also: further ids that apply, most urgent first.
        severity: None only for posts that are not about our schools.
        owner: the role that acts, "" if nobody needs to.
        clauses: of the Federation's policy.
        reasons: rule, words and offsets in the original text.
    """

    category: str
    also: tuple[str, ...]
    severity: Severity | None
    owner: str
    clauses: tuple[str, ...]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """One category that has something to say for itself."""

    category: str
    severity: Severity
    weight: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What the rules read in one post, whatever the encoder says of it.

    Attributes:
        title, text: folded.
        wording: the words of both.
        fired: the rules that apply.
        safety: where words stand that could mean harm.
    """

    title: Folded
    text: Folded
    wording: Wording
    fired: tuple[Found, ...]
    safety: tuple[Place, ...]

    def reason(self, found: Found, clauses: tuple[str, ...]) -> Reason:
        """Return why a rule fired, with the words in the original text."""
        start, end, words = self.original(found.places)
        note = f"{found.rule.why} (policy {', '.join(clauses)})"
        return Reason(about="category", rule=found.rule.id, start=start, end=end, text=words, note=note)

    def original(self, places: tuple[Place, ...]) -> tuple[int, int, str]:
        """Return start, end and words in the original text of what stands at `places`."""
        spans = [self._span(place) for place in places]
        start, end = min(start for start, _ in spans), max(end for _, end in spans)
        shift = len(self.title.text) + 1 if self.title.text else 0
        if start < shift:
            first, last = self.title.span(start, min(end, len(self.title.text)))
            return 0, 0, self.title.original[first:last]
        first, last = self.text.span(start - shift, end - shift)
        return first, last, self.text.original[first:last]

    def _span(self, place: Place) -> tuple[int, int]:
        """Return the span of a place in the folded text."""
        if place.end > place.start:
            spans = self.wording.spans[place.start : place.end]
            return spans[0][0], spans[-1][1]
        start = next(start for _, number, start in self.wording.marks if number == place.start)
        return start, start + 1


class Triage:
    """Judges posts by the vocabulary's rules and the escalation matrix.

    Raises:
        ConfigError: the vocabulary cannot be used.
    """

    def __init__(self, vocabulary: Vocabulary, escalation: Escalation) -> None:
        self._escalation = escalation
        self._book = Rulebook(vocabulary)
        self._rank = {
            category: (question, place)
            for question, categories in enumerate(vocabulary.questions)
            for place, category in enumerate(categories)
        }
        self._urgent = frozenset(c for c in escalation.ids if self._severity(c) in URGENT)
        self._emergencies = frozenset(c for c in escalation.ids if self._severity(c) is Severity.P0)

    def judge(
        self,
        post: Words,
        relevant: Relevance,
        *,
        evidence: ModelEvidence | None = None,
        sentiment: Sentiment | None = None,
    ) -> TriageResult:
        """Return what one post is, how urgent, whose, under which clauses, and why.

        Args:
            post: its title and text.
            relevant: the gate's answer.
            evidence: the encoder's reading, if there is one.
            sentiment: the post's tone; it may choose between praise and complaint, never raise a severity.
        """
        return self.judge_all(post, relevant, [evidence], sentiment=sentiment)[0]

    def judge_all(
        self,
        post: Words,
        relevant: Relevance,
        evidences: Sequence[ModelEvidence | None],
        *,
        sentiment: Sentiment | None = None,
    ) -> list[TriageResult]:
        """Return what `judge` would, for each of several things that the encoder says of one post."""
        if relevant is Relevance.NO:
            return [self._result("NOT_RELEVANT", None, (), ()) for _ in evidences]
        reading = self._read(post)
        return [self._judged(reading, relevant, evidence, sentiment) for evidence in evidences]

    def unheard(self, post: Words, evidences: Sequence[ModelEvidence]) -> tuple[str, ...]:
        """Return the sentences of a post in which a sure rule finds danger to life and the encoder hears none.

        Where much is praised and one sentence tells of a knife, the encoder hears the praise: it has to read that
        sentence alone before the rule may be calmed.
        """
        reading = self._read(post)
        places = [
            reading.original(found.places)[:2]
            for found in reading.fired
            if found.rule.kind == "sure"
            and (found.rule.severity or self._severity(found.rule.category)) is Severity.P0
            and not any(self._supported(found, evidence) for evidence in evidences)
        ]
        return tuple(dict.fromkeys(_sentence(post.text, start, end) for start, end in places if end))

    def _read(self, post: Words) -> _Reading:
        """Read a post's words once."""
        title, text = fold(post.title), fold(post.text)
        wording = self._book.slang.read(f"{title.text}\n{text.text}" if title.text else text.text)
        hits = self._book.hits(wording)
        return _Reading(
            title=title, text=text, wording=wording, fired=self._book.fired(hits), safety=self._book.safety(hits)
        )

    def _judged(
        self, reading: _Reading, relevant: Relevance, evidence: ModelEvidence | None, sentiment: Sentiment | None
    ) -> TriageResult:
        """Judge a post that was read."""
        claims = self._claims(reading, evidence)
        if relevant is Relevance.UNCERTAIN:
            return self._uncertain(claims, evidence)
        safety = reading.safety
        if not claims or (safety and _only_a_grumble(claims)):
            claims = [self._by_tone(Sentiment.NEUTRAL if safety else sentiment)]
        best, *others = sorted(claims, key=self._order)
        reasons = best.reasons + tuple(reason for claim in others for reason in claim.reasons)
        severity = best.severity
        if severity not in URGENT and evidence is not None and evidence.urgent >= RAISED:
            severity = Severity.P1
            reasons += (_raised(evidence),)
        if severity in URGENT:
            severity, alarm = _worst_of([severity, *(claim.severity for claim in claims)], evidence)
            reasons += alarm
        elif safety:
            reasons += (self._shown(reading, safety),)
        also = tuple(claim.category for claim in others if claim.category not in _MILD)
        return self._result(best.category, severity, also, reasons)

    def _order(self, claim: _Claim) -> tuple[object, ...]:
        """Return the key by which claims are ranked: what is urgent, then what speaks loudest, then the questions."""
        return (claim.severity not in URGENT, -claim.weight, self._rank.get(claim.category, (len(self._rank), 0)))

    def _claims(self, reading: _Reading, evidence: ModelEvidence | None) -> list[_Claim]:
        """Return one claim for each category that rules or the encoder name."""
        by_category: dict[str, list[Found]] = {}
        for found in reading.fired:
            if found.rule.kind in SUPPORT and self._supported(found, evidence):
                by_category.setdefault(found.rule.category, []).append(found)
        reasons: dict[str, tuple[Reason, ...]] = {}
        if evidence is not None:
            urgent = {c for c in by_category if self._worst(c, by_category[c]) in URGENT}
            for category in self._named(evidence, urgent):
                by_category.setdefault(category, [])
                reasons[category] = (_by_model(evidence, category),)
        for found in reading.fired:
            if found.rule.kind == "escalator" and found.rule.category in by_category:
                by_category[found.rule.category].append(found)
        claims = []
        for category, founds in by_category.items():
            founds.sort(key=lambda found: found.rule.severity or self._severity(found.rule.category))
            weight = sum(found.rule.weight for found in founds)
            if evidence is not None:
                weight += MODEL_WEIGHT * evidence.categories.get(category, 0.0)
            row = self._escalation.category(category)
            claims.append(
                _Claim(
                    category=category,
                    severity=self._worst(category, founds),
                    weight=weight,
                    reasons=tuple(reading.reason(found, row.clauses) for found in founds) + reasons.get(category, ()),
                )
            )
        return claims

    def _supported(self, found: Found, evidence: ModelEvidence | None) -> bool:
        """Whether the encoder supports a rule; where there is no encoder, every rule stands."""
        if evidence is None:
            return True
        severity = found.rule.severity or self._severity(found.rule.category)
        return self.urgency(evidence) >= SUPPORT[found.rule.kind].get(severity, 0.0)

    def _worst(self, category: str, founds: list[Found]) -> Severity:
        """Return the most urgent severity that rules give a category; the matrix's where there is no rule."""
        given = [found.rule.severity or self._severity(category) for found in founds]
        return min(given, default=self._severity(category))

    def urgency(self, evidence: ModelEvidence) -> float:
        """Return how sure the encoder is that a post is urgent: its two heads, asked alike."""
        of_categories = sum(p for c, p in evidence.categories.items() if c in self._urgent)
        return (evidence.urgent + of_categories) / 2 if evidence.categories else evidence.urgent

    def _named(self, evidence: ModelEvidence, urgent_by_rule: set[str]) -> tuple[str, ...]:
        """Return the categories that the encoder names.

        Where it is sure that a post is urgent, that is the likeliest urgent one, and the likeliest of those that
        mean danger to life or a child's body, even if another is likelier: the two mistakes do not cost the same. Only
        where an everyday category is far likelier, and will be raised, does that one stand: a walkout is a campaign.
        """
        ranked = sorted(
            (category for category in evidence.categories if category in self._rank),
            key=lambda category: -evidence.categories[category],
        )
        everyday = [category for category in ranked if category not in self._urgent]
        in_danger = sum(p for c, p in evidence.categories.items() if c in self._emergencies)
        if self.urgency(evidence) < SURE_URGENT and in_danger < IN_DANGER:
            return tuple((ranked if urgent_by_rule else everyday)[:1])
        urgent = [category for category in ranked if category in self._urgent]
        likeliest = max((evidence.categories[c] for c in urgent), default=0.0)
        far = [c for c in everyday[:1] if evidence.categories[c] >= FAR_LIKELIER * likeliest]
        if far and in_danger < IN_DANGER and evidence.urgent >= RAISED:
            return tuple(far)
        danger = [c for c in urgent if c in self._emergencies and evidence.categories[c] >= DANGER]
        return tuple(dict.fromkeys(urgent[:1] + danger[:1]))

    def _by_tone(self, sentiment: Sentiment | None) -> _Claim:
        """Return the claim of a post of which nothing is known but its tone."""
        category = {Sentiment.POSITIVE: "PRAISE", Sentiment.NEGATIVE: "COMPLAINT_SERVICE"}.get(
            sentiment or Sentiment.NEUTRAL, "NEUTRAL"
        )
        note = f"no rule fired; the tone is {sentiment}" if sentiment else "no rule fired"
        reason = Reason(about="category", rule="default", note=note)
        return _Claim(category=category, severity=self._severity(category), weight=0.0, reasons=(reason,))

    def _uncertain(self, claims: list[_Claim], evidence: ModelEvidence | None) -> TriageResult:
        """Return the result for a post that may not be about us: that of any urgent claim or reading, else P3."""
        urgent = sorted((claim for claim in claims if claim.severity in URGENT), key=self._order)
        given = [claim.severity for claim in urgent]
        raised: tuple[Reason, ...] = ()
        if not given and evidence is not None and evidence.urgent >= RAISED:
            given, raised = [Severity.P1], (_raised(evidence),)
        severity, alarm = _worst_of(given, evidence) if given else (Severity.P3, ())
        note = "cannot tell whether this is about our schools: one person reads it once"
        reasons = (
            Reason(about="category", rule="uncertain", note=note),
            *(reason for claim in urgent for reason in claim.reasons),
            *raised,
            *alarm,
        )
        return self._result("UNCERTAIN", severity, tuple(claim.category for claim in urgent), reasons)

    def _shown(self, reading: _Reading, safety: tuple[Place, ...]) -> Reason:
        """Return the reason with which a calmed safety word is shown to a person."""
        start, end, words = reading.original(safety[:1])
        note = "safety word, no risk context"
        return Reason(about="category", rule="safety-word", start=start, end=end, text=words, note=note)

    def _severity(self, category: str) -> Severity:
        """Return where a category starts in the matrix."""
        return self._escalation.category(category).severity or Severity.P4

    def _result(
        self, category: str, severity: Severity | None, also: tuple[str, ...], reasons: tuple[Reason, ...]
    ) -> TriageResult:
        """Return a result with the matrix's owner and clauses."""
        row = self._escalation.category(category)
        return TriageResult(
            category=category,
            also=also,
            severity=severity,
            owner=row.owner,
            clauses=row.clauses,
            reasons=reasons,
        )


_ENDS: Final = ".!?\n"
_MILD: Final = frozenset({"NEUTRAL", "PRAISE", "QUESTION", "PUBLIC_DEBATE"})


def _worst_of(given: list[Severity], evidence: ModelEvidence | None) -> tuple[Severity, tuple[Reason, ...]]:
    """Return the most urgent of some severities, raised to P0 where the encoder reads an emergency, and why."""
    worst = min(given)
    if worst is Severity.P0 or evidence is None or evidence.emergency < EMERGENCY:
        return worst, ()
    note = f"reads as danger to life or to a child now ({evidence.emergency:.0%})"
    return Severity.P0, (Reason(about="category", rule="model-emergency", note=note),)


def _raised(evidence: ModelEvidence) -> Reason:
    """Return the reason with which a post is more urgent than its category."""
    note = f"reads as something to see today ({evidence.urgent:.0%}), though its category starts lower"
    return Reason(about="category", rule="model-urgent", note=note)


def _sentence(text: str, start: int, end: int) -> str:
    """Return the sentence of a text, or the several, around what stands at start:end."""
    first = max(text.rfind(mark, 0, start) for mark in _ENDS) + 1
    behind = (text.find(mark, end) for mark in _ENDS)
    return text[first : min((place for place in behind if place >= 0), default=len(text))].strip()


def _only_a_grumble(claims: list[_Claim]) -> bool:
    """Whether nothing speaks but the encoder, and it hears a complaint: with a calmed safety word, hyperbole.

    "This paper is going to kill me" is NEUTRAL with a visible reason (labelling conventions of the policy draft).
    """
    (claim, *others) = claims
    return (
        not others and claim.category == "COMPLAINT_SERVICE" and all(reason.rule == "model" for reason in claim.reasons)
    )


def _by_model(evidence: ModelEvidence, category: str) -> Reason:
    """Return the encoder's word as a reason, with the nearest labelled example."""
    note = f"reads as {category} ({evidence.categories.get(category, 0.0):.0%}), urgent {evidence.urgent:.0%}"
    if evidence.nearest_id:
        note += (
            f"; nearest example {evidence.nearest_id}, {evidence.nearest_category}, "
            f"similarity {evidence.similarity:.2f}"
        )
    return Reason(about="category", rule="model", text=evidence.nearest_id, note=note)
