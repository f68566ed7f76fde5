"""Triage: what a post is, how urgent, whose, and why; and what must never change the answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.triage import EMERGENCY, RAISED, ModelEvidence, Triage, TriageResult
from analysis.triage_rules import Rulebook
from monitor.policy.escalation import Escalation
from monitor.policy.vocabulary import Vocabulary
from monitor.records import Relevance, Sentiment, Severity

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT.parent / "shared" / "examples" / "posts.jsonl"
URGENT = {Severity.P0, Severity.P1}

THREAT = "im bringing a knife to king james knaresborough tomorrow"
DANGERS = (
    THREAT,
    "i will stab him after school",
    "cant do this anymore. written my notes. sorry mum",
    "he wants nudes of the year 9 girls or he will post them",
    "14 year old missing since 2pm, last seen leaving school in uniform",
    "LOCKDOWN at school right now, kids arent answering",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    text: str
    title: str = ""


@cache
def escalation() -> Escalation:
    return Escalation.read(ROOT / "policy" / "escalation.toml")


@cache
def vocabulary() -> Vocabulary:
    return Vocabulary.read(ROOT / "policy" / "vocabulary.toml", escalation().ids)


@cache
def triage() -> Triage:
    return Triage(vocabulary(), escalation())


def judged(text: str, relevant: Relevance = Relevance.YES, **more: object) -> TriageResult:
    return triage().judge(Post(text=text), relevant, **more)  # type: ignore[arg-type]


def examples() -> list[dict[str, str]]:
    if not EXAMPLES.exists():
        return []
    return [json.loads(line) for line in EXAMPLES.read_text(encoding="utf-8").splitlines()]


@pytest.mark.skipif(not EXAMPLES.exists(), reason="../shared/examples is not here")
@pytest.mark.parametrize("example", examples(), ids=lambda example: str(example["id"]))
def test_an_example_gets_its_gold_category_and_severity(example: dict[str, str]) -> None:
    tone = None if example["sentiment"] == "mixed" else Sentiment(example["sentiment"])
    result = judged(example["text"], Relevance(example["relevant"]), sentiment=tone)

    assert (result.category, result.severity or "-") == (example["category"], example["severity"])


def test_owner_and_clauses_are_the_matrix_row() -> None:
    result = judged(THREAT)
    row = escalation().category("THREAT_VIOLENCE")

    assert (result.owner, result.clauses) == (row.owner, row.clauses)


def test_a_reason_points_at_the_words_in_the_text_as_it_was_given() -> None:
    text = "Heads up!! I\u2019m bringing a \u200bKN1FE 🔪 in tmrw"
    reason = judged(text).reasons[0]

    assert text[reason.start : reason.end] == reason.text
    assert "KN1FE" in reason.text
    assert "2.4" in reason.note


def test_words_in_the_headline_are_named_without_offsets_into_the_text() -> None:
    result = triage().judge(Post(title="Pupil stabbed outside school", text="More soon."), Relevance.YES)

    assert result.severity is Severity.P0
    assert (result.reasons[0].start, result.reasons[0].end) == (0, 0)
    assert "stabbed" in result.reasons[0].text


def test_a_post_that_is_not_about_us_has_no_severity() -> None:
    result = judged(THREAT, Relevance.NO)

    assert (result.category, result.severity) == ("NOT_RELEVANT", None)


@pytest.mark.parametrize(("text", "severity"), [("toilets locked again smh", Severity.P3), (THREAT, Severity.P0)])
def test_an_uncertain_post_takes_the_severity_of_its_safety_words(text: str, severity: Severity) -> None:
    result = judged(text, Relevance.UNCERTAIN)

    assert (result.category, result.severity) == ("UNCERTAIN", severity)


def test_an_uncertain_post_that_reads_as_urgent_is_urgent_whatever_its_category() -> None:
    def seen(urgent: float, emergency: float) -> TriageResult:
        evidence = ModelEvidence(categories={"CAMPAIGN": 0.9}, urgent=urgent, emergency=emergency)
        return judged("kjs walking out at 11", Relevance.UNCERTAIN, evidence=evidence)

    assert seen(0.1, 0.0).severity is Severity.P3
    assert seen(RAISED, 0.0).severity is Severity.P1
    assert seen(RAISED, EMERGENCY).severity is Severity.P0


@pytest.mark.parametrize(
    "text",
    [
        "failed my mocks. taken all my tablets. goodbye",
        "my daughter took an overdose on monday because of detention",
        "my lad tried to kill himself over that homework",
        "a pupil was found hanging after the exams",
    ],
)
def test_no_exam_or_homework_beside_it_calms_an_act_of_self_harm(text: str) -> None:
    found = judged(text)

    assert (found.category, found.severity) == ("SELF_HARM", Severity.P0)


@pytest.mark.parametrize("text", ["overdosed on caffeine before my exam lol", "this homework will kill me kms lol"])
def test_hyperbole_about_school_work_is_no_self_harm(text: str) -> None:
    assert judged(text).category != "SELF_HARM"


@pytest.mark.parametrize("text", ["mr smith is a nonce lol", "our pe teacher is a paedo jk"])
def test_a_laugh_alone_does_not_clear_the_word_that_accuses_an_adult_in_school(text: str) -> None:
    found = judged(text)

    assert (found.category, found.severity) == ("STAFF_ALLEGATION", Severity.P1)


@pytest.mark.parametrize("danger", DANGERS)
@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        str.title,
        lambda text: text.replace("'", "\u2019"),
        lambda text: f"“{text}”",
        lambda text: f"they said '{text}'",
        lambda text: f"apparently {text}",
        lambda text: f"{text} 😂😂",
        lambda text: text.replace(" ", "  "),
        lambda text: text.replace(" ", " 😭 ", 2),
        lambda text: f"{text} you fucking idiots",
    ],
    ids=["upper", "title", "curly", "quoted", "reported", "apparently", "laughing", "spaced", "emoji", "swearing"],
)
def test_form_never_lowers_a_danger(danger: str, change: object) -> None:
    assert judged(danger).severity is Severity.P0
    assert judged(change(danger)).severity is Severity.P0  # type: ignore[operator]


@pytest.mark.parametrize(
    "text",
    [
        "im bringing a kn1fe to school tomorrow",
        "im bringing a k n i f e to school tomorrow",
        "im bringing a kn ife to school tomorrow",
        "im bringing a kniiife to school tomorrow",
        "im bringing a k-n-i-f-e to school tomorrow",
        "i will st4b him after school",
        "shes gonna k1ll herself, not joking",
    ],
)
def test_a_disguised_danger_is_still_seen(text: str) -> None:
    assert judged(text).severity is Severity.P0


@pytest.mark.parametrize(
    ("harmless", "danger"),
    [
        ("Lockdown drill at school today, staff were ace", "Lockdown now at school today, staff were ace"),
        ("our team murdered them 6-0", "I will murder him"),
        ("food tech: bring a butter knife tomorrow", "bring a knife tomorrow"),
        ("maths mock im gonna die kms", "im gonna kill myself"),
    ],
)
def test_context_tells_harmless_words_from_the_same_words_in_danger(harmless: str, danger: str) -> None:
    assert judged(harmless).severity not in URGENT
    assert judged(danger).severity is Severity.P0


def test_hyperbole_is_neutral_and_says_why() -> None:
    result = judged("maths mock tomorrow im actually gonna die 💀 kill me now", sentiment=Sentiment.NEGATIVE)

    assert (result.category, result.severity) == ("NEUTRAL", Severity.P4)
    assert "safety word, no risk context" in [reason.note for reason in result.reasons]


@pytest.mark.parametrize(
    "text",
    [
        "Half the toilets are locked again. Joke.",
        "three weeks, no reply to any email",
        "is school shut tomorrow with this snow?",
        THREAT,
    ],
)
@pytest.mark.parametrize("anger", ["fucking ", "bloody hell ", "shit ", "absolutely fuming, "])
def test_anger_never_changes_a_severity(text: str, anger: str) -> None:
    assert judged(anger + text).severity == judged(text).severity
    assert judged(text, sentiment=Sentiment.NEGATIVE).severity == judged(text, sentiment=Sentiment.POSITIVE).severity


def test_tone_alone_is_at_most_p3() -> None:
    result = judged("worst place on earth, i hate it", sentiment=Sentiment.NEGATIVE)

    assert result.severity in {Severity.P3, Severity.P4}


def sure_of(category: str, urgent: float) -> ModelEvidence:
    return ModelEvidence(
        categories={category: 0.9, "NEUTRAL": 0.1},
        urgent=urgent,
        nearest_id="s-1",
        nearest_category=category,
        similarity=0.8,
    )


def test_the_encoder_raises_what_no_rule_can_word_and_names_the_nearest_example() -> None:
    result = judged("always the cupboard door, miss", evidence=sure_of("CHILD_PROTECTION", 0.9))

    assert (result.category, result.severity) == ("CHILD_PROTECTION", Severity.P1)
    assert "s-1" in result.reasons[0].note


def test_a_post_that_reads_as_urgent_is_p1_though_its_category_starts_lower_and_says_why() -> None:
    """A walkout in school hours is a campaign, and to be seen today; neither needs another category's name."""
    text = "second period, the field, pass it on"
    calm, raised = (
        judged(text, evidence=replace(sure_of("CAMPAIGN", urgent), categories={"CAMPAIGN": 0.8, "SITE_SAFETY": 0.1}))
        for urgent in (0.25, RAISED)
    )

    assert (calm.category, calm.severity in URGENT) == ("CAMPAIGN", False)
    assert (raised.category, raised.severity) == ("CAMPAIGN", Severity.P1)
    assert [reason.note for reason in raised.reasons if reason.rule == "model-urgent"] == [
        f"reads as something to see today ({RAISED:.0%}), though its category starts lower"
    ]


def test_an_everyday_category_gives_way_to_an_urgent_one_that_is_nearly_as_likely() -> None:
    evidence = replace(sure_of("CAMPAIGN", 0.9), categories={"CAMPAIGN": 0.5, "SITE_SAFETY": 0.4})

    assert judged("second period, the field, pass it on", evidence=evidence).category == "SITE_SAFETY"


def test_the_encoder_lowers_what_a_rule_is_sure_of_only_where_it_all_but_rules_danger_out() -> None:
    """And what it calms is still shown to a person, with the words."""
    doubted, denied = (judged(THREAT, evidence=sure_of("NEUTRAL", urgent)) for urgent in (0.07, 0.0))

    assert doubted.severity is Severity.P0
    assert denied.severity not in URGENT
    assert [reason.text for reason in denied.reasons if reason.rule == "safety-word"] == ["knife"]


def test_an_urgent_post_in_which_the_encoder_reads_an_emergency_is_p0_and_says_why() -> None:
    calm, grave = (
        replace(sure_of("CHILD_PROTECTION", 0.9), emergency=emergency) for emergency in (EMERGENCY - 0.01, EMERGENCY)
    )
    text = "always the cupboard door, miss"

    assert judged(text, evidence=calm).severity is Severity.P1
    assert judged(text, evidence=grave).severity is Severity.P0
    assert [r.note for r in judged(text, evidence=grave).reasons if r.rule == "model-emergency"] == [
        f"reads as danger to life or to a child now ({EMERGENCY:.0%})"
    ]


def test_an_everyday_post_is_never_raised_by_the_emergency_head_alone() -> None:
    evidence = replace(sure_of("PRAISE", 0.0), emergency=0.3)

    assert judged("what a lovely concert", evidence=evidence).severity is Severity.P4


def test_of_two_urgent_categories_the_likelier_is_named_and_the_graver_severity_stands() -> None:
    evidence = ModelEvidence(
        categories={"BULLYING": 0.1, "CHILD_PROTECTION": 0.6, "SELF_HARM": 0.25, "NEUTRAL": 0.05}, urgent=0.9
    )
    result = judged("always the cupboard door, miss", evidence=evidence)

    assert (result.category, result.also, result.severity) == ("CHILD_PROTECTION", ("SELF_HARM",), Severity.P0)


def test_a_hint_without_the_encoders_support_does_not_raise() -> None:
    text = "the boiler room talk was lovely, flooded with visitors, needs a crossing patrol"

    assert judged(text, evidence=sure_of("NEUTRAL", 0.0)).severity not in URGENT
    assert judged(text, evidence=sure_of("SITE_SAFETY", 0.4)).severity in URGENT


@pytest.mark.parametrize(
    "text",
    [
        "he was hit with a hammer outside and has panic attacks",
        "he says he will kill her tomorrow, she has panic attacks",
        "our daughter is cutting across her arms again",
    ],
)
def test_what_calms_ordinary_talk_does_not_calm_what_a_victim_says(text: str) -> None:
    assert judged(text).severity is Severity.P0


def test_a_protest_stays_one_where_the_encoder_half_takes_it_for_news() -> None:
    evidence = replace(sure_of("CAMPAIGN", 0.02), categories={"NEUTRAL": 0.53, "CAMPAIGN": 0.1})

    assert judged("toilet protest at the school", evidence=evidence).category == "CAMPAIGN"


@pytest.mark.parametrize(
    "text",
    ["taster day was a hit, mine came home with a Bunsen burner story", "kids cutting through our gardens again"],
)
def test_ordinary_talk_raises_nothing(text: str) -> None:
    assert judged(text).severity not in URGENT


def test_no_post_makes_a_pattern_find_more_than_it_has_words() -> None:
    """The worst input of every pattern: its own first phrases, over and over."""
    book = Rulebook(vocabulary())
    repeats = 60
    for rule in vocabulary().rules:
        for group in {part for say in rule.say for part in say.split("{")[1:]}:
            phrases = sorted(vocabulary().phrases(group.partition("}")[0]))[:3]
            wording = book.slang.read(" ".join(phrases * repeats))
            hits = book.hits(wording)
            assert all(len(places) <= 4 * len(wording.words) + len(wording.marks) + 1 for places in hits.values())
            assert len(book.fired(hits)) <= len(vocabulary().rules)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=400), st.sampled_from(list(Relevance)))
def test_any_text_gets_an_answer_with_offsets_inside_it(text: str, relevant: Relevance) -> None:
    result = judged(text, relevant)

    assert result.category in escalation().ids
    assert all(0 <= reason.start <= reason.end <= len(text) for reason in result.reasons)
    assert all(text[r.start : r.end] == r.text for r in result.reasons if r.end)
