"""An incident report says what is claimed, what is known and what was not seen, and names nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from monitor.records import CaseEvent, CaseState, Coverage, Sentiment, Severity, Sight, Window
from reports import incident
from reports.incident_material import IncidentMaterial
from tests.reports.material import MATRIX, SCHOOLS, SOURCES, ZONE, at, case_of, judged, off, read, stored

if TYPE_CHECKING:
    from monitor.records import Case, StoredMention

NOW = at(23, 14, 5)
START = NOW - timedelta(hours=48)

TOILETS = "Year 9 are planning a toilet protest at King James's on Monday, they say nobody may leave lessons any more"
LOCKED = "They have LOCKED every toilet at King James's School to stop the protest, my son rang me in tears"
POLICE = "Heard police were called to the toilet protest at KJS Knaresborough"
SECRET = "words about a child that only the safeguarding lead may read, toilet protest"
OFFICIAL = "School says toilets stay open during lessons after protest"


def posts() -> tuple[StoredMention, ...]:
    """Return an afternoon: a call to protest and its copies, a rumour, an article, a restricted post."""
    call = stored(
        201,
        TOILETS,
        judged("MISINFORMATION", words="planning", rule="misinformation.rumour", sentiment=Sentiment.NEGATIVE),
        seen=at(22, 19, 48),
        source="mastodon",
        community="#knaresborough",
    )
    copies = tuple(
        stored(
            210 + number,
            TOILETS,
            call.judgement,
            seen=at(23, 9) + timedelta(minutes=17 * number),
            source="bluesky" if number % 3 else "mastodon",
            repost_of="native-201" if number % 3 == 0 else None,
        )
        for number in range(16)
    )
    locked = stored(
        240,
        LOCKED,
        judged("COMPLAINT_SERVICE", words="LOCKED", rule="complaint.toilets", sentiment=Sentiment.NEGATIVE),
        seen=at(23, 12, 20),
    )
    police = stored(
        241,
        POLICE,
        judged("THREAT_VIOLENCE", severity=Severity.P1, words="police", rule="threat.report"),
        seen=at(23, 13, 40),
    )
    secret = stored(242, SECRET, judged("CHILD_PROTECTION", rule="child.risk"), seen=at(23, 13, 50))
    article = stored(
        243,
        "A spokesperson for the federation said that toilets stay open and lessons went on.",
        judged("PRESS_MEDIA", schools=("KJS",)),
        seen=at(23, 13, 55),
        source="feeds",
        community="The Valley Gazette",
        title=OFFICIAL,
        url="https://gazette.example.org/news/toilets",
    )
    return (call, *copies, locked, police, secret, article)


def own_cases(found: tuple[StoredMention, ...]) -> tuple[Case, ...]:
    """Return the cases of that afternoon; somebody looked into the first."""
    by_id = {one.id: one for one in found}
    checked = CaseEvent(
        at=at(23, 13, 30), by="A. Member", what="note", why="Site team: the toilets are open, one is being mended"
    )
    acked = CaseEvent(at=at(23, 12, 40), by="A. Member", what="ack")
    call = case_of("KJS-0431", by_id[201], due=at(23, 17), state=CaseState.ACKNOWLEDGED)
    return (
        replace(call, history=(*call.history, acked, checked)),
        case_of("KJS-0432", by_id[240], due=at(24, 16)),
        case_of("KJS-0433", by_id[241], due=at(23, 14)),
        case_of("KJS-0434", by_id[242], due=at(23, 14, 50)),
    )


def storm() -> IncidentMaterial:
    """Return an incident in full swing."""
    found = posts()
    return IncidentMaterial(
        federation="Boroughbridge High School and King James’s School Federation",  # noqa: RUF001
        short_name="BHS & KJS",
        zone=ZONE,
        name="incident-toilet-protest-2026-11-23",
        update=3,
        terms=("toilet protest",),
        window=Window(start=START, end=NOW),
        opened=at(23, 13, 35),
        made_at=NOW,
        next_review=NOW + timedelta(hours=1),
        stood_down="",
        mentions=found,
        numbers={one.id: number for number, one in enumerate(found, 1)},
        gone=(),
        stories={201: tuple(210 + number for number in range(16)), 240: (), 241: (), 242: (), 243: ()},
        likeness=0.6,
        cases=own_cases(found),
        coverage=(
            read("feeds", 3, last=NOW),
            read("pages", 0, last=NOW),
            read("bluesky", 14, last=NOW),
            read("mastodon", 8, last=NOW),
            Coverage(
                source="youtube",
                name=SOURCES["youtube"].name,
                sight=Sight.BEHIND,
                last_read=at(23, 11, 10),
                next_try=at(24, 8),
                why="today's quota is spent",
                never_sees=SOURCES["youtube"].never_sees,
            ),
            off("reddit"),
            off("x"),
        ),
        still=frozenset(),
        read_back_to={"bluesky": START, "mastodon": START - timedelta(days=5)},
        nearby={"toilet": 7, "protest": 1},
        escalation=MATRIX,
        school_names=SCHOOLS,
        contact="monitor@example.org",
    )


def nothing() -> IncidentMaterial:
    """Return an incident of which nothing was found, with every source read."""
    return replace(
        storm(),
        update=1,
        mentions=(),
        numbers={},
        stories={},
        cases=(),
        nearby={},
        coverage=(read("feeds", 1, last=NOW), read("bluesky", 0, last=NOW), off("x")),
    )


def blind() -> IncidentMaterial:
    """Return an incident with an empty store, of which every source is still answering."""
    never = tuple(
        Coverage(source=name, name=SOURCES[name].name, sight=Sight.NEVER, why="still answering")
        for name in ("feeds", "bluesky")
    )
    return replace(nothing(), coverage=never, still=frozenset({"feeds", "bluesky"}))


def partial() -> IncidentMaterial:
    """Return a first page: something was found, and one source is still answering."""
    late = Coverage(source="pages", name=SOURCES["pages"].name, sight=Sight.NEVER, why="still answering")
    whole = storm()
    return replace(
        whole, update=1, still=frozenset({"pages"}), coverage=(*whole.coverage[:1], late, *whole.coverage[2:4])
    )


def closed() -> IncidentMaterial:
    """Return the last page."""
    return replace(storm(), next_review=None, stood_down="Nothing happened at the gate; lessons went on.")


def page(material: IncidentMaterial) -> str:
    """Return the page on disk."""
    return incident.render(incident.with_digits(incident.build(material), "0123456789abcdef"))


def mail(material: IncidentMaterial) -> str:
    """Return both parts of the e-mail."""
    letter = incident.letter(incident.with_digits(incident.build(material), "0123456789abcdef"))
    return letter.subject + letter.html + letter.text


def test_the_page_says_when_it_was_made_and_when_the_next_one_comes() -> None:
    view = incident.build(storm())
    assert view.covers == "as at Mon 23 Nov 2026 14:05 GMT, next 15:05"
    assert view.covers in page(storm())


def test_what_is_known_is_what_a_person_recorded_and_everything_else_is_neither_confirmed_nor_denied() -> None:
    first, *others = incident.build(storm()).claims
    assert first.known == "Site team: the toilets are open, one is being mended"
    assert first.how.startswith("Recorded in KJS-0431, today 13:30.")
    assert all(claim.known.startswith("Not confirmed, not denied.") for claim in others)
    assert not any(claim.checked for claim in others)


def test_the_earliest_is_the_earliest_found_and_said_to_be_that() -> None:
    earliest = incident.build(storm()).earliest
    assert "Published yesterday 19:36 on Mastodon" in earliest
    assert "12 minutes later" in earliest
    assert "earliest we found" in earliest


def test_posts_copies_and_our_acts_stand_in_one_timeline_oldest_first() -> None:
    rows = incident.build(storm()).timeline
    assert [row.who for row in rows[:3]] == ["Post", "We", "Copies"]
    assert any(row.what == "KJS-0431 acknowledged" for row in rows)
    assert sum(int(row.what.split()[0]) for row in rows if row.who == "Copies") == 16


def flood(posts: int = 300) -> IncidentMaterial:
    """Return an incident of so many different texts: questions, but for a copy and three posts that matter more."""
    severe = {200: Severity.P1, 250: Severity.P0, 299: Severity.P1}
    many = [
        stored(
            1000 + n,
            f"Number {n}: toilet protest",
            judged("THREAT_VIOLENCE", severity=severe[n]) if n in severe else judged("QUESTION"),
            seen=at(22, 8) + timedelta(minutes=n),
        )
        for n in range(posts - 1)
    ]
    many.append(stored(999, "Number 250: toilet protest", many[250].judgement, seen=at(23, 8)))
    numbers = {one.id: n for n, one in enumerate(many, 1)}
    return replace(storm(), mentions=tuple(many), cases=(), stories={1250: (999,)}, numbers=numbers)


def test_a_long_timeline_keeps_its_ends_and_says_what_it_left_out() -> None:
    view = incident.build(flood())
    assert len(view.timeline) == 60
    assert view.timeline_left.startswith("241 lines between")


def test_of_much_evidence_the_most_urgent_stands_open_and_the_rest_is_folded_by_number() -> None:
    view = incident.build(flood(400))
    assert [one.number for one in view.evidence[:4]] == [251, 400, 201, 300]
    assert len(view.evidence) == 25
    folded = [one.number for one in view.evidence_folded]
    assert folded == sorted(set(range(1, 401)) - {one.number for one in view.evidence})
    assert view.evidence_more == ""


def test_a_folded_list_is_complete_in_the_page_and_needs_no_script() -> None:
    material = flood(400)
    html = page(material)
    assert all(one.sha256 in html for one in material.mentions)
    assert all(f'href="{one.mention.url}"' in html for one in material.mentions)
    assert html.count("<details>") == html.count("</details>") == html.count("<summary>")
    assert "<summary>The other 375, by number</summary>" in html
    assert "<summary>40 earlier lines, from Sun 07:48</summary>" in html
    assert "<summary>32 more texts</summary>" in html
    assert "<script" not in html


def test_of_more_evidence_than_a_page_can_bear_the_rest_is_in_the_bundle() -> None:
    view = incident.build(flood(620))
    assert len(view.evidence) + len(view.evidence_folded) == 500
    assert view.evidence_more == "120 further items, in the bundle."


def test_a_short_page_has_nothing_folded_in_its_evidence() -> None:
    view = incident.build(storm())
    assert [one.number for one in view.evidence] == list(range(1, 22))
    assert view.evidence_folded == ()
    assert "by number</summary>" not in page(storm())


def test_copies_are_counted_with_their_original_and_the_threshold_is_named() -> None:
    view = incident.build(storm())
    assert view.originals[0].copies == "16 copies, 6 of them reposts (no. 2-17)"
    assert "60%" in view.likeness
    assert view.spread is not None
    assert view.spread.steps[-1].so_far == "21"
    assert sum(int(one.posts) for one in view.spread.platforms) == 21


def test_accounts_are_numbered_and_never_shown() -> None:
    html = page(storm())
    assert "account 18" in html
    assert "key-2" not in html + mail(storm())


def test_who_acted_on_a_case_is_not_named() -> None:
    assert "A. Member" not in page(storm()) + mail(storm())


def test_restricted_words_and_their_address_stand_nowhere() -> None:
    for said in (page(storm()), mail(storm())):
        assert "safeguarding lead may read, toilet" not in said
        assert "post/242" not in said
    assert "Restricted: listed by KJS-0434 only. Only the Designated Safeguarding Lead may read it." in (
        incident.build(storm()).originals[3].withheld
    )


def test_the_e_mail_shows_no_word_of_any_post_and_no_address_of_one() -> None:
    said = mail(storm())
    for words in ("Year 9 are planning", "LOCKED", "police were called", "post/201", "gazette.example.org"):
        assert words not in said
    assert "KJS-0431" in said


def test_the_subject_is_the_same_in_every_update_and_says_nothing_of_the_matter() -> None:
    later = replace(storm(), update=9, made_at=NOW + timedelta(hours=3))
    assert incident.build(storm()).subject == incident.build(later).subject
    assert "toilet" not in incident.build(storm()).subject


def test_a_post_that_is_not_judged_yet_is_counted_and_not_shown() -> None:
    found = tuple(replace(one, judgement=None) for one in posts())
    material = replace(storm(), mentions=found, cases=())
    html = page(material)
    assert "Year 9 are planning" not in html
    assert incident.build(material).figures[0].value == "21+"


def test_how_fast_it_goes_is_said_and_when_it_last_went_on() -> None:
    assert incident.build(storm()).pace == "At least 3 posts in the last hour, 5 in the hour before"
    later = replace(storm(), made_at=NOW + timedelta(hours=6), window=Window(start=START, end=NOW + timedelta(hours=6)))
    assert incident.build(later).pace == "No post found in the last two hours, the newest is from today 13:43"


def test_accounts_that_the_sources_do_not_name_are_not_zero() -> None:
    article = posts()[-1]
    view = incident.build(
        replace(storm(), mentions=(replace(article, author_key=""),), numbers={243: 1}, cases=(), stories={243: ()})
    )
    assert view.figures[2].value == "?"


def test_nothing_found_is_said_with_how_many_sources_were_read() -> None:
    view = incident.build(nothing())
    assert view.headline == "Nothing found on “toilet protest”; 2 of 2 sources read"
    assert view.figures[0].value == "0"
    assert "does not show that nothing was said" in page(nothing())


def test_nothing_read_is_never_a_zero() -> None:
    view = incident.build(blind())
    assert view.headline == "We could not look: no source has been read yet"
    assert [figure.value for figure in view.figures] == ["?", "?", "?", "0"]
    assert view.still.startswith("News, blogs, councils and alerts and Bluesky.")


def test_a_first_page_names_the_source_that_is_still_answering_and_counts_at_least() -> None:
    view = incident.build(partial())
    assert view.still.startswith("Public pages and sitemaps. A fuller page follows")
    assert view.headline.startswith("At least 21")
    assert "Still answering:" in page(partial())
    assert "STILL ANSWERING" in mail(partial())


def test_the_closing_page_says_why_and_that_no_other_comes() -> None:
    view = incident.build(closed())
    assert view.headline.startswith("Stood down: ")
    assert view.covers.endswith("closed, no further update")
    assert "Nothing happened at the gate" in page(closed())
    assert "Nothing happened at the gate" in mail(closed())


def test_danger_to_life_stands_above_everything() -> None:
    calm = incident.build(storm())
    grave = incident.build(replace(storm(), cases=(replace(storm().cases[2], severity=Severity.P0),)))
    assert not calm.danger
    assert "999" in grave.danger


def test_evidence_that_is_no_longer_stored_keeps_its_number_and_is_named() -> None:
    assert "no. 4, 9" in incident.build(replace(storm(), gone=(4, 9))).gone


def test_the_manifest_stands_on_the_first_page() -> None:
    html = page(storm())
    assert html.index("0123456789abcdef") < html.index("What is claimed")


def test_the_same_material_gives_the_same_bytes_in_any_order() -> None:
    whole = storm()
    other = replace(whole, mentions=whole.mentions[::-1], cases=whole.cases[::-1])
    assert page(whole) == page(other)
    assert mail(whole) == mail(other)


@given(text=st.text(max_size=300))
def test_no_post_writes_its_way_out_of_the_page(text: str) -> None:
    """Whatever a post says, the page has the elements that it has for any other post, and no others."""
    (one,) = (post for post in posts() if post.id == 240)
    hostile = replace(one, mention=replace(one.mention, text=f"<script>alert(1)</script>{text}", title=f'"><b>{text}'))
    material = replace(
        storm(), mentions=(hostile,), cases=(), stories={240: ()}, numbers={240: 1}, terms=(f"toilet <i>{text}",)
    )
    html = page(material)
    assert "<script" not in html
    assert "<b>" not in html.split("</style>")[-1].replace("<b></b>", "")
    assert "<i>" not in html


def test_a_source_that_was_not_read_back_far_enough_is_a_gap() -> None:
    later = START + timedelta(hours=20)
    view = incident.build(replace(storm(), read_back_to={"bluesky": later, "mastodon": later, "x": later}))
    assert view.gaps[-1] == "Bluesky and Mastodon before Sun 22 Nov 10:05"
    assert view.gaps[-1] in page(storm()) + page(replace(storm(), read_back_to={"bluesky": later, "mastodon": later}))
