"""Posts in, judgements out: one pure function over a pandas frame.

The gate says whether a post is about our schools, the encoder how it feels and what it resembles, triage who
must do what by the matrix. Each answer carries its reasons. Severity never comes from sentiment.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analysis import examples
from analysis.encoder import undecorated
from analysis.matching import Decision, Gate, Post
from analysis.triage import ModelEvidence, Triage
from monitor.records import Judgement, Reason, Relevance, Sentiment, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from analysis.encoder import Encoded, Encoder, Floats
    from analysis.triage import TriageResult
    from monitor.policy.folder import Policy

POST: Final = ("text", "title", "source", "community", "url")
INPUT: Final = (*POST, "scored", "reported")
"""Columns of a frame of posts: `POST` are str, "" where there is none; `scored` (bool): may a score be derived;
`reported` (bool): somebody told the schools of it, so that a person looks at it whatever the gate says."""

SURE: Final = 0.5
"""Below this calibrated probability the tone is said to be unsure."""

TOGETHER: Final = 256
"""Posts that are read, then compared with the examples, then judged; judging while others are read was no faster."""

NO_SCHOOL: Final = "no school named"

SEEN: Final = 90
"""So many words of a text the encoder sees, as posts are written; a longer one is read in parts of so many words."""

CROWDED: Final = 25
"""In a post of more words than these one sentence may be drowned by the others."""

DANGER_IN_DOUBT: Final = 0.4
"""From this urgency on, a post that says too little of a school to be kept is shown to a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judges:
    """Everything a judgement is made with; built once, used for every frame."""

    gate: Gate
    triage: Triage
    encoder: Encoder
    examples: examples.Examples
    version: str


def judges_of(policy: Policy, encoder: Encoder) -> Judges:
    """Return the judges that follow one folder of rules."""
    return Judges(
        gate=Gate(policy.schools),
        triage=Triage(policy.vocabulary, policy.escalation),
        encoder=encoder,
        examples=examples.load(),
        version=policy.version,
    )


def gated(gate: Gate, posts: Sequence[Post]) -> list[Decision]:
    """Return the gate's decision on each post; the quick screen spares most of them the long way."""
    whole = [f"{p.text}\n{p.title}\n{p.community}\n{p.url}" for p in posts]
    decisions = [Decision(relevant=Relevance.NO, drop_reason=NO_SCHOOL)] * len(posts)
    for place in gate.screen(whole):
        decisions[place] = gate.decide(posts[place])
    return decisions


def looked_at(decision: Decision) -> Decision:
    """Return the decision on a post that somebody reported to the schools: never "no", at least "uncertain"."""
    if decision.relevant is not Relevance.NO:
        return decision
    why = Reason(about="relevance", rule="reported", note="somebody reported it to the schools")
    return Decision(relevant=Relevance.UNCERTAIN, reasons=(why,))


def second_look(posts: Sequence[Post], decisions: Sequence[Decision], judges: Judges) -> list[Decision]:
    """Return the decision on each of some posts that the gate dropped in doubt: as it was, or uncertain."""
    readings = [_readings(post) for post in posts]
    encoded = judges.encoder.encode(list(chain.from_iterable(readings)))
    return [
        doubted(decision, _evidences(encoded, own), judges.triage)
        for decision, own in zip(decisions, _rows(readings), strict=True)
    ]


def doubted(decision: Decision, evidences: Sequence[ModelEvidence], triage: Triage) -> Decision:
    """Return the gate's decision, or "uncertain" where it was dropped in doubt and the encoder reads danger.

    "KJS" alone may be anything; "anyone from kjs awake, need someone to talk to" is not dropped for that. The last of
    the readings decides, which has neither emoji nor links: what a post wears says nothing about the school.
    """
    if not decision.doubtful:
        return decision
    danger = triage.urgency(evidences[-1])
    if danger < DANGER_IN_DOUBT:
        return decision
    note = f"{decision.drop_reason}; but it reads as danger ({danger:.0%}), so one person looks"
    return Decision(relevant=Relevance.UNCERTAIN, reasons=(Reason(about="relevance", rule="danger", note=note),))


def frame_of(posts: Sequence[Post], scored: Sequence[bool], reported: Sequence[bool] | None = None) -> pd.DataFrame:
    """Return posts as a frame with the columns of `INPUT`, indexed from 0; none was reported unless it is said."""
    import pandas as pd  # noqa: PLC0415 - half a second; the gate alone does without

    columns = {name: [getattr(post, name) for post in posts] for name in POST}
    told = [False] * len(posts) if reported is None else list(reported)
    return pd.DataFrame({**columns, "scored": list(scored), "reported": told}, columns=list(INPUT))


def judge(frame: pd.DataFrame, judges: Judges) -> pd.Series[Any]:
    """Judge posts.

    Args:
        frame: columns of `INPUT`; any index.
        judges: gate, triage, encoder and examples.

    Returns:
        A series of `Judgement` (dtype object) with the frame's index. Tone is given for every post that may
        be scored, relevant or not. A post with emoji or links is read with and without them, and the most
        urgent reading stands: what a post wears never makes it safer.
    """
    import pandas as pd  # noqa: PLC0415 - see frame_of

    posts = [
        Post(text=text, title=title, source=source, community=community, url=url)
        for text, title, source, community, url in zip(*(frame[name].tolist() for name in POST), strict=True)
    ]
    flags = list(zip(frame["scored"], frame["reported"], strict=True))
    judged: list[Judgement] = []
    for first in range(0, len(posts), TOGETHER):
        some = slice(first, first + TOGETHER)
        judged += _judged(posts[some], flags[some], judges)
    return pd.Series(judged, index=frame.index, dtype=object)


def _words(post: Post) -> str:
    """Return a post's title and text."""
    return f"{post.title}\n{post.text}" if post.title and post.title not in post.text else post.text


def _readings(post: Post) -> tuple[str, ...]:
    """Return what the encoder reads of a post: its words, the rest of a long one, and all without ornament and links.

    The last has neither emoji nor links. A post that is short and plain is read once.
    """
    words = _words(post)
    plain = " ".join(words.split())
    bare = undecorated(words)
    rest = _rest(bare[-1].split())
    others = dict.fromkeys(reading for reading in bare if reading != plain)
    last = others or (bare[-1:] if rest else ())
    return (words, *rest, *last)


def _rest(words: list[str]) -> list[str]:
    """Return the parts of a long text behind its beginning, of which alone the encoder would see anything.

    Each is as long as what it sees, the last one too: a few words out of their context alarm.
    """
    return [
        " ".join(words[first : first + SEEN])
        for first in (min(n, len(words) - SEEN) for n in range(SEEN, len(words), SEEN))
    ]


def _rows(readings: Sequence[tuple[str, ...]]) -> list[range]:
    """Return the rows that each post's readings have among all of them."""
    ends = list(accumulate(map(len, readings)))
    return [range(end - len(texts), end) for texts, end in zip(readings, ends, strict=True)]


def _judged(posts: Sequence[Post], flags: Sequence[tuple[bool, bool]], judges: Judges) -> Iterator[Judgement]:
    """Judge posts, each with its flags (scored, reported).

    What the gate drops without doubt is heard for its tone alone.
    """
    gates = gated(judges.gate, posts)
    readings = [
        _readings(post) if reported or gate.doubtful or gate.relevant is not Relevance.NO else ()
        for post, gate, (_, reported) in zip(posts, gates, flags, strict=True)
    ]
    encoded = judges.encoder.encode(list(chain.from_iterable(readings)))
    near = judges.examples.nearest(encoded.embedding)
    rows = _rows(readings)
    evidences = [_evidences(encoded, own, near) for own in rows]
    decisions = [
        looked_at(gate) if reported else doubted(gate, evidence, judges.triage)
        for gate, evidence, (_, reported) in zip(gates, evidences, flags, strict=True)
    ]
    _hear(posts, decisions, evidences, judges)
    moods = [encoded.mood[own.start : own.stop] for own in rows]
    tones = _tones(posts, [scored for scored, _ in flags], decisions, moods, judges.encoder)
    for post, decision, evidence, tone in zip(posts, decisions, evidences, tones, strict=True):
        triaged = judges.triage.judge_all(
            post, decision.relevant, evidence or [None], sentiment=tone.sentiment if tone else None
        )
        worst = min(triaged, key=lambda result: result.severity or Severity.P4)
        yield _judgement(decision, worst, tone, judges.version)


def _hear(
    posts: Sequence[Post], decisions: Sequence[Decision], evidences: Sequence[list[ModelEvidence]], judges: Judges
) -> None:
    """Add to the evidence on long posts what the encoder says of a sentence alone that the rest might drown."""
    places, sentences = [], []
    for place, (post, decision, evidence) in enumerate(zip(posts, decisions, evidences, strict=True)):
        if decision.relevant is not Relevance.NO and len(post.text.split()) > CROWDED:
            for sentence in judges.triage.unheard(post, evidence):
                places.append(place)
                sentences.append(sentence)
    encoded = judges.encoder.encode(sentences)
    near = judges.examples.nearest(encoded.embedding)
    for row, place in enumerate(places):
        evidences[place] += _evidences(encoded, range(row, row + 1), near)


def _evidences(encoded: Encoded, rows: range, near: Sequence[examples.Near] = ()) -> list[ModelEvidence]:
    """Return what the encoder says of each reading of one post, with the nearest examples if they were looked for."""
    return [
        ModelEvidence(
            categories=dict(zip(encoded.category_ids, encoded.categories[row].tolist(), strict=True)),
            urgent=float(encoded.severity[row, :2].sum()),
            emergency=float(encoded.severity[row, 0]),
            nearest_id=near[row].id if near else "",
            nearest_category=near[row].category if near else "",
            similarity=near[row].similarity if near else 0.0,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tone:
    """How one post feels: label, score from -1 to 1, and whether the model is sure."""

    sentiment: Sentiment
    score: float
    probability: float

    @property
    def reason(self) -> Reason:
        """Say what the tone stands on."""
        return Reason(
            about="sentiment",
            rule="encoder",
            text=f"{self.sentiment} {self.probability:.2f}",
            note="tone of the words; a negative post may be defending the school"
            if self.sentiment is Sentiment.NEGATIVE
            else "",
        )


_ORDER: Final = (Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE)


def _tones(
    posts: Sequence[Post],
    scored: Sequence[bool],
    decisions: Sequence[Decision],
    moods: Sequence[Floats],
    encoder: Encoder,
) -> list[_Tone | None]:
    """Return each post's tone from its calibrated probabilities; None where no score may be derived.

    Of a post about a school ("another one sent home") plain words can be bad news: it is read by the head that
    learned from such posts, every other one by the layers that learned from public posts of all kinds.
    """
    ours = [decision.relevant is not Relevance.NO for decision in decisions]
    others = [_words(post) for post, own, wanted in zip(posts, ours, scored, strict=True) if wanted and not own]
    heard = iter(encoder.tones(others))
    return [
        (_tone(mood[0] if own else next(heard)) if wanted else None)
        for own, wanted, mood in zip(ours, scored, moods, strict=True)
    ]


def _tone(probabilities: Floats) -> _Tone:
    """Return the likeliest of negative, neutral and positive."""
    best = int(np.argmax(probabilities))
    return _Tone(
        sentiment=_ORDER[best],
        score=round(float(probabilities[2] - probabilities[0]), 4),
        probability=float(probabilities[best]),
    )


def _judgement(decision: Decision, triaged: TriageResult, tone: _Tone | None, version: str) -> Judgement:
    """Put the answers together."""
    return Judgement(
        relevant=decision.relevant,
        schools=decision.schools,
        sentiment=tone.sentiment if tone else None,
        sentiment_score=tone.score if tone else None,
        sentiment_sure=tone is None or tone.probability >= SURE,
        category=triaged.category,
        also=triaged.also,
        severity=triaged.severity,
        owner=triaged.owner,
        clauses=triaged.clauses,
        reasons=(*decision.reasons, *((tone.reason,) if tone else ()), *triaged.reasons),
        policy_version=version,
    )
