"""An alert holds what its role may see, the first three steps with their source, and nothing of the post else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.records import Case, CaseState, Severity
from reports.alert import AlertMaterial, AlertView, alert_name, brief, build, render
from tests.reports.material import MATRIX, SCHOOLS, ZONE, at, judged, stored

URGENT = sorted(name for name, row in MATRIX.categories.items() if row.severity in {Severity.P0, Severity.P1})
ROLES = sorted(MATRIX.roles)
WORDS = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=8, max_size=12).map("zq{}".format)
"""Words that stand in no template and in no row of the matrix."""


def material(
    category: str, role: str, *, text: str = "Invented words.", url: str = "https://social.example/1"
) -> AlertMaterial:
    row = MATRIX.category(category)
    post = stored(1, text, judged(category), seen=at(22, 2, 10), source="mastodon", url=url)
    return AlertMaterial(
        short_name="Federation",
        case=Case(
            reference="KJS-0042",
            mention_id=1,
            category=category,
            severity=row.severity or Severity.P3,
            owner=row.owner,
            schools=("KJS",),
            opened=at(22, 2, 10),
            due=at(22, 2, 25),
            state=CaseState.NEW,
            restricted=row.restricted,
            readers=row.readers,
        ),
        stored=post,
        role=role,
        rung=0,
        made_at=at(22, 2, 11),
        zone=ZONE,
        escalation=MATRIX,
        school_names=SCHOOLS,
    )


def alert(category: str, role: str) -> AlertView:
    return build(material(category, role))


@given(
    category=st.sampled_from(sorted(MATRIX.categories)),
    role=st.sampled_from(ROLES),
    words=st.lists(WORDS, min_size=1, max_size=30),
    more=st.integers(0, 500),
)
def test_no_role_sees_words_or_link_of_a_post_that_it_may_not_read(
    category: str, role: str, words: list[str], more: int
) -> None:
    """Whatever the post, the category and the role: e-mail, subject and channel."""
    post = f"https://{words[0]}.example/{words[-1]}"
    given_to = replace(material(category, role, text=" ".join(words), url=post), more=more)
    view = build(given_to)
    mail = render(view)
    everything = f"{mail.html} {mail.text} {mail.subject} {mail.name}"
    if role not in MATRIX.category(category).readers:
        assert not any(word in everything for word in words)
        assert "https://" not in mail.text
    short = brief(view)
    assert not any(word in short.title + short.body + mail.subject for word in words)
    assert "://" not in short.body


@pytest.mark.parametrize("category", URGENT)
def test_its_readers_get_the_first_three_steps_with_clause_and_law(category: str) -> None:
    row = MATRIX.category(category)
    said = " ".join(render(alert(category, row.readers[0])).text.split())
    for step in row.steps[:3]:
        assert step in said
    assert all(clause in said for clause in row.clauses)
    assert row.law in said


@pytest.mark.parametrize("also", [(), ("SEXUAL_HARM",)])
def test_what_must_not_be_copied_is_not_quoted_even_to_its_readers(also: tuple[str, ...]) -> None:
    category = "CHILD_PROTECTION" if also else "SEXUAL_HARM"
    found = material(category, "dsl", text="zqinvented words")
    assert found.stored is not None
    found = replace(found, stored=replace(found.stored, judgement=judged(category, also=also)))
    assert "zqinvented" not in render(build(found)).text


def test_a_reader_gets_the_words_masked_and_the_link() -> None:
    found = material("THREAT_VIOLENCE", "headteacher", text="Mr Inventedname said so, ring 07700 900123")
    text = render(build(found)).text
    assert "[name] said so" in text
    assert "900123" not in text
    assert "https://social.example/1" in text


def test_a_p0_prints_the_numbers_to_ring_above_everything_else() -> None:
    html = render(alert("THREAT_VIOLENCE", "dsl")).html
    assert html.index("In danger ring 999") < html.index("Do now")
    assert "0300 131 2 131" in html
    assert "999" in brief(alert("THREAT_VIOLENCE", "dsl")).body


def test_a_channels_message_says_what_when_and_where_to_look() -> None:
    short = brief(build(replace(material("THREAT_VIOLENCE", "dsl"), more=12, since=at(22, 2, 10))))
    assert short.title == "P0 Immediate: KJS-0042"
    assert short.body.splitlines()[:5] == [
        f"Threat of violence / weapon / bomb. {SCHOOLS['KJS']}.",
        "Found Sun 22 Nov 02:10. Acknowledge by Sun 22 Nov 02:25.",
        "12 more like it since your alert today 02:10.",
        "First: Phone, do not email.",
        "Open your e-mail, or: federation-monitor case show KJS-0042",
    ]


def test_further_posts_like_it_are_counted() -> None:
    found = material("THREAT_VIOLENCE", "dsl")
    assert build(found).more == ""
    assert build(replace(found, more=399)).more == "399 more like it so far."


def test_an_alerts_name_tells_its_severity_rung_role_and_turn() -> None:
    assert alert_name("KJS-0042", Severity.P1, rung=0, role="dsl", turn=0) == "alert-KJS-0042-P1-0-dsl"
    assert alert_name("KJS-0042", Severity.P0, rung=2, role="chair", turn=1) == "alert-KJS-0042-P0-2-chair-again1"
