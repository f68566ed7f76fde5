"""An item says what to do; a restricted or urgent one says nothing of the post."""

from __future__ import annotations

import pytest

from monitor.records import CaseState, Severity, StoredMention
from reports.items import Item, item, spread, tone
from reports.wordbook import Wordbook
from tests.reports.material import (
    MADE_AT,
    MATRIX,
    SCHOOLS,
    ZONE,
    at,
    case_of,
    judged,
    mixed_day,
    stored,
)

BOOK = Wordbook(
    escalation=MATRIX,
    schools=SCHOOLS,
    coverage=mixed_day().coverage,
    now=MADE_AT,
    zone=ZONE,
)
SECRET = "marmalade"


def post(category: str, **changes: object) -> StoredMention:
    """Return a post whose every field holds a word that can be searched for."""
    return stored(
        7,
        f"text {SECRET}",
        judged(category, words=SECRET, **changes),  # type: ignore[arg-type]
        seen=at(22, 9),
        community=f"community {SECRET}",
        title=f"title {SECRET}",
        url=f"https://example.org/{SECRET}",
    )


def said(one: Item) -> str:
    """Return everything an item says."""
    return repr(one)


def facts(one: Item) -> dict[str, str]:
    """Return an item's labelled lines."""
    return {fact.name: fact.value for fact in one.facts}


@pytest.mark.parametrize("category", [one for one in MATRIX.ids if one != "NOT_RELEVANT"])
@pytest.mark.parametrize("severity", list(Severity))
def test_no_word_of_an_urgent_or_restricted_post_gets_into_an_item(category: str, severity: Severity) -> None:
    mention = post(category)
    row = MATRIX.category(category)

    one = item(case_of("KJS-0001", mention, due=at(23, 9), severity=severity), mention, (mention,), 1, BOOK)

    withheld = row.restricted or {severity, row.severity} & {Severity.P0, Severity.P1}
    assert (SECRET not in said(one)) == bool(withheld)
    assert (one.kind == "urgent") == bool(withheld)
    assert one.reference == "KJS-0001"


@pytest.mark.parametrize("category", ["SELF_HARM", "SEXUAL_HARM", "CHILD_PROTECTION", "STAFF_ALLEGATION"])
def test_a_restricted_item_is_reference_category_school_time_and_owner_only(category: str) -> None:
    mention = post(category)

    one = item(case_of("KJS-0001", mention, due=at(23, 9)), mention, (mention, mention), 9, BOOK)

    assert set(facts(one)) == {"Owner", "Opened"}
    assert facts(one)["Owner"].endswith("King James\u2019s School; not acknowledged yet")
    assert one.title == MATRIX.category(category).name
    assert one.tag == "Owner acts by today 09:00 · King James\u2019s School"
    assert one.link is None
    assert "Please do not look for the post" in one.note


def test_an_ordinary_item_says_what_why_who_when_and_where() -> None:
    mention = post("COMPLAINT_SERVICE", rule="complaint.food", note="the food is wrong (policy 2.7)")

    one = item(case_of("KJS-0001", mention, due=at(23, 16)), mention, (mention,), 1, BOOK)

    assert one.by == "Today 16:00"
    assert one.tag == "Reply by today 16:00 · P3 routine · King James\u2019s School"
    assert one.title == "General complaint"
    assert one.quote == f"“text {SECRET}”"
    assert one.about_quote.startswith("Quoted, personal details masked.")
    assert facts(one) == {
        "Do next": " ".join(MATRIX.category("COMPLAINT_SERVICE").steps),
        "Never": "argue.",
        "Owner": "Lead member of staff",
        "Why": f"“{SECRET}”: the food is wrong (rule complaint.food); policy clauses 2.7, 2.9, 2.10 and 3.2",
        "First seen": f"Yesterday 09:00, Bluesky, community {SECRET}",
    }
    assert one.link is not None
    assert one.link.says == "Read the article on example.org"


def test_a_late_item_says_since_when_in_words() -> None:
    mention = post("QUESTION")

    one = item(
        case_of("KJS-0001", mention, due=at(20, 16), state=CaseState.ACKNOWLEDGED),
        mention,
        (mention,),
        1,
        BOOK,
    )

    assert one.by == "Fri 16:00 (late)"
    assert one.tag.startswith("Late since Fri 16:00 · P3 routine · acknowledged")
    assert one.urgency == "late"


def test_an_uncertain_item_says_why_and_asks_for_one_human_look() -> None:
    day = mixed_day()
    mention = day.case_mentions[121]

    one = item(case_of("FED-0414", mention, due=at(24, 17)), mention, (mention,), 1, BOOK)

    assert one.what == "Is this about us?"
    assert one.kind == "look"
    assert "One human look, please" in one.note
    assert "“school in Boroughbridge” (rule BHS: generic name)" in facts(one)["Why"]
    assert "cannot tell whether this is about our schools" in facts(one)["Why"]


def test_a_post_about_one_person_is_linked_but_not_quoted() -> None:
    mention = post("STAFF_ABUSE")

    one = item(case_of("KJS-0001", mention, due=at(23, 16)), mention, (mention,), 1, BOOK)

    assert one.quote == ""
    assert one.tag.startswith("Act by today 16:00")
    assert one.note == "Not quoted here, because it may be about a person. Read it at the link."
    assert one.link is not None


def test_a_post_without_a_safe_link_says_so() -> None:
    mention = stored(7, "words", judged("QUESTION"), seen=at(22, 9), url="https://user@example.org/")

    one = item(case_of("KJS-0001", mention, due=at(23, 16)), mention, (mention,), 1, BOOK)

    assert one.link is None
    assert one.note == "There is no link to it that is safe to follow."


def test_a_case_whose_words_are_gone_is_still_said() -> None:
    mention = post("QUESTION")

    one = item(case_of("KJS-0001", mention, due=at(23, 16)), None, (), 1, BOOK)

    assert one.note == "The words are no longer stored; the case is still open."
    assert facts(one)["First seen"] == "Yesterday 09:00"
    assert one.link is None


def test_a_category_that_the_matrix_no_longer_has_stays_closed() -> None:
    mention = post("GONE", severity=Severity.P3)

    one = item(case_of("KJS-0001", mention, due=at(23, 16)), mention, (mention,), 1, BOOK)

    assert SECRET not in said(one)
    assert one.title == "GONE"


def test_spread_counts_originals_reposts_accounts_and_pace() -> None:
    day = mixed_day()
    story = tuple(one for one in day.mentions if one.mention.text == day.case_mentions[102].mention.text)

    assert spread(story, 9, BOOK) == "1 original, 8 reposts, 9 accounts; none since today 05:10"
    fresh = stored(500, "x", judged("QUESTION"), seen=at(23, 7))
    assert spread((*story, fresh), 10, BOOK).endswith("; 1 in the last two hours")
    assert spread(story[:1], 1, BOOK) == ""
    assert spread(story[1:], 8, BOOK).startswith("8 reposts, 8 accounts; ")


def test_a_negative_tone_is_not_a_verdict() -> None:
    day = mixed_day()
    judgement = day.case_mentions[101].judgement
    assert judgement is not None

    assert tone(judgement) == "negative; may be defending the school"
    assert tone(judged("QUESTION", sentiment=None)) == ""
