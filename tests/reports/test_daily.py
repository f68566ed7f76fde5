"""The daily digest: read in two minutes, complete in both bodies, closed to hostile posts."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.records import CaseEvent, CaseState, Coverage, Rendered, Severity, Sight
from reports.daily import build, render
from reports.rendering import LARGEST_EMAIL
from tests.reports.material import (
    MADE_AT,
    at,
    busy_day,
    case_of,
    gap_day,
    judged,
    mixed_day,
    next_day,
    off,
    quiet_day,
    stored,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from reports.day import DailyMaterial

DAYS = (mixed_day, next_day, quiet_day, gap_day, busy_day)
REFERENCE = re.compile(r"\b(?:BHS|KJS|FED)-\d{4}\b")


class Page(HTMLParser):
    """What a mail program would make of the HTML: elements, attributes and shown text."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.shown = ""
        self._styles = 0
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.elements.append((tag, dict(attrs)))
        self._styles += tag == "style"

    def handle_endtag(self, tag: str) -> None:
        """Leave a style sheet."""
        self._styles -= tag == "style"

    def handle_data(self, data: str) -> None:
        """Keep what a reader sees."""
        if not self._styles:
            self.shown += f"{data} "

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of that name."""
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def links(self) -> list[str]:
        """Return where the links go."""
        return [str(attributes["href"]) for attributes in self.all("a")]


def made(material: DailyMaterial) -> Rendered:
    """Return a digest."""
    return render(build(material))


def one_line(text: str) -> str:
    """Return a text part with its line breaks gone."""
    return " ".join(text.split())


# ---------------------------------------------------------------- what it says


def test_the_subject_is_the_state_of_the_day() -> None:
    assert made(mixed_day()).subject == (
        "1 urgent, 2 need a reply, 1 needs a look, 1 overdue; YouTube not read (Mon 23 Nov)"
    )
    assert made(quiet_day()).subject == "All quiet, nothing new (Tue 24 Nov)"
    assert made(gap_day()).subject == "COVERAGE GAP: 2 sources not read (Tue 24 Nov)"


def test_a_quiet_day_says_that_everything_was_read() -> None:
    digest = made(quiet_day())

    for body in (Page(digest.html).shown, one_line(digest.text)):
        assert "Nothing needs a reply" in body
        assert "All three sources that are switched on were read." in body
        assert "Needs a response" not in body
        assert "Not seen" not in body


def test_a_day_with_a_blind_source_never_says_nought_for_it() -> None:
    digest = made(gap_day())
    view = build(gap_day())

    assert [row.new for row in view.looking.rows] == ["0", "?", "?"]
    for body in (one_line(Page(digest.html).shown), one_line(digest.text)):
        assert "Bluesky since Sun 14:10 (the service did not answer; next try today 08:00)" in body
        assert "Mastodon (never read yet; the access token was refused)" in body
        assert "No new public mention since yesterday 07:00 in the one of three sources that was read" in body
        assert "could not be sent: the mail server did not answer." in body


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        (1, "The one source that is switched on was read."),
        (2, "Both sources that are switched on were read."),
        (3, "All three sources that are switched on were read."),
    ],
)
def test_one_source_two_and_three_are_counted_as_people_count_them(sources: int, said: str) -> None:
    day = quiet_day()
    on = tuple(source for source in day.coverage if source.sight is Sight.READ)[:sources]

    assert build(replace(day, coverage=on)).all_read == said


def test_the_first_screen_counts_what_is_switched_off() -> None:
    day = quiet_day()
    more = tuple(replace(off("x"), source=f"x{number}") for number in range(11))

    assert build(day).all_read.endswith(" were read. One other is switched off.")
    assert build(replace(day, coverage=(*day.coverage, *more))).all_read.endswith(" 12 others are switched off.")


@pytest.mark.parametrize(("told", "said"), [(1, "It carries on"), (2, "Both carry on"), (3, "All of them carry on")])
def test_what_only_carries_on_is_counted_as_people_count_it(told: int, said: str) -> None:
    day = next_day()
    volume = build(replace(day, mentions=day.mentions[:told])).volume

    assert volume.endswith(f" {said} what was told before.")


def test_calls_that_cost_nothing_are_no_news() -> None:
    digest = made(quiet_day())

    assert "spent" not in digest.text
    assert "spent" not in Page(digest.html).shown


def test_counts_that_nobody_can_call_unusual_stand_at_the_foot_and_never_above_what_is_open() -> None:
    counts = tuple(f"9 accounts on topic {number}. Nobody can say yet." for number in range(5))
    digest = made(replace(mixed_day(), unsaid=counts))
    for body in (digest.text, Page(digest.html).shown):
        said = one_line(body)
        assert said.lower().index("where we looked") < said.index("9 accounts on topic 0.")
        assert "9 accounts on topic 2." in said
        assert "9 accounts on topic 3." not in said
        assert "And two more." in said
        assert "unusual" not in said.lower()


def test_the_question_mark_is_explained_where_there_is_one() -> None:
    for day, explained in ((quiet_day(), False), (gap_day(), True)):
        digest = made(day)
        assert ("is a count that nobody knows" in one_line(digest.text)) is explained
        assert ("is a count that nobody knows" in one_line(Page(digest.html).shown)) is explained


def test_nothing_read_at_all_is_said_first() -> None:
    view = build(replace(gap_day(), coverage=()))

    assert view.headline == "We could not look: no source was read"
    assert view.volume.startswith("Nothing is known of what was said")


def test_counts_of_a_day_with_a_blind_source_are_the_least_there_was() -> None:
    assert build(mixed_day()).volume == (
        "At least 14 new public mentions since Fri 07:00; a usual day has 1 to 5."
        " Nine of them are one story (FED-0415)."
    )


def test_how_many_copies_a_restricted_post_has_is_not_told() -> None:
    day = busy_day(mentions=2, cases=2, reposts=9)
    restricted = judged("SEXUAL_HARM")
    mentions = tuple(replace(one, judgement=restricted) for one in day.mentions)

    assert "one story" not in build(replace(day, mentions=mentions)).volume


def test_items_are_ordered_by_danger_and_then_by_when_they_are_due() -> None:
    view = build(mixed_day())

    assert [one.reference for one in view.items] == ["BHS-0416", "KJS-0412", "FED-0415", "FED-0414"]
    assert build(busy_day()).items[0].title == "Threat of violence / weapon / bomb"
    assert build(busy_day()).danger == "Danger now? Ring 999; do not wait for e-mail."
    assert view.danger == ""


def test_what_is_urgent_is_called_so_in_the_first_table() -> None:
    digest = made(mixed_day())

    assert "1. Today 09:00: URGENT Child at risk (other) (BHS)" in digest.text
    assert "Urgent: Child at risk (other) (BHS)" in one_line(Page(digest.html).shown)
    assert digest.text.count("URGENT") == 1


def test_what_waits_for_others_stands_below_and_what_is_due_again_comes_up() -> None:
    day = mixed_day()
    view = build(day)
    due_today = tuple(replace(case, due=at(23, 16)) if case.reference == "KJS-0407" else case for case in day.cases)

    assert [case.reference for case in view.open] == ["KJS-0398", "KJS-0407"]
    assert view.open[0].state == "Waiting since Tue 17 Nov: the council has not answered; was due Tue 09:00"
    assert view.open[0].age == "8 days"
    assert "KJS-0407" in [one.reference for one in build(replace(day, cases=due_today)).items]


def test_closed_cases_are_not_shown() -> None:
    day = mixed_day()
    closed = tuple(replace(case, state=CaseState.CLOSED) for case in day.cases)
    view = build(replace(day, cases=closed))

    assert view.items == ()
    assert view.open == ()


def test_a_note_on_a_restricted_case_is_not_repeated() -> None:
    day = mixed_day()
    mention = stored(70, "words", judged("SELF_HARM"), seen=at(14, 9))
    told = CaseEvent(at=at(15, 9), by="dsl", what="waiting", why="a private word about somebody")
    case = case_of("KJS-0070", mention, due=None, state=CaseState.WAITING, history=(told,))
    digest = made(replace(day, cases=(case,), case_mentions={70: mention}))

    assert "KJS-0070" in digest.html
    assert "private word" not in digest.html + digest.text


def test_new_stories_of_no_case_are_for_information_and_copies_are_told_once() -> None:
    view = build(mixed_day())

    assert [story.title for story in view.stories] == [
        "“Federation plans a shared library”",
        "Praise or thanks",
    ]
    assert "2 outlets" in view.stories[0].about


def test_a_calmed_word_of_danger_is_shown_to_a_person_before_all_else_that_needs_nothing() -> None:
    day = mixed_day()
    joke = stored(
        82,
        "maths mock tomorrow, kill me now",
        judged("NEUTRAL", words="kill me now", rule="safety-word", note="safety word, no risk context"),
        seen=at(20, 9),
    )
    story = build(replace(day, mentions=(*day.mentions, joke))).stories[0]

    assert story.quote == "“maths mock tomorrow, kill me now”"
    assert "a safety word, but no sign of risk: please read it once" in story.about


def test_what_was_told_before_and_goes_on_is_not_new() -> None:
    view = build(next_day())

    assert view.stories == ()
    assert view.volume.endswith(" All of them carry on what was told before.")
    assert [story.title for story in view.continuing] == ["“Federation plans a shared library”"]
    assert view.continuing[0].about.startswith("Day 4, +1 · ")
    assert "1 original, 1 copy, 2 accounts, 3 outlets" in view.continuing[0].about


def test_a_storm_that_goes_on_is_told_at_its_case_and_by_day() -> None:
    view = build(next_day())
    spread = next(fact.value for fact in view.items[0].facts if fact.name == "Spread")

    assert spread.startswith("Day 2, +2: 1 original, 10 reposts, 11 accounts; ")


def test_what_was_decided_is_told_once_with_the_moment_and_without_who() -> None:
    view = build(next_day())

    assert [(case.reference, case.how) for case in view.decided] == [("KJS-0412", "Answered yesterday 10:05")]
    assert "the menu was put right" not in render(view).text


def test_a_story_that_goes_on_after_its_case_was_settled_names_the_case() -> None:
    day = next_day()
    bus = replace(day.cases[0], state=CaseState.ANSWERED, history=(CaseEvent(at=at(22, 23), by="x", what="answer"),))
    view = build(replace(day, cases=(), settled=(bus,)))

    assert view.continuing[0].about.split(" · ")[:2] == [
        "Day 2, +2",
        "FED-0415, answered Sun 23:00",
    ]
    assert view.decided == ()


def test_how_a_restricted_story_goes_on_is_not_told() -> None:
    day = next_day()
    hidden = tuple(replace(one, judgement=judged("SEXUAL_HARM")) for one in (*day.earlier, *day.mentions))
    view = build(
        replace(
            day,
            earlier=hidden[: len(day.earlier)],
            mentions=hidden[len(day.earlier) :],
            cases=(),
            settled=(),
            case_mentions={},
        )
    )

    assert "carry on" not in view.volume
    assert all("Day 2" not in story.about for story in view.continuing)


def test_an_urgent_post_without_a_case_is_not_lost_and_its_words_are_withheld() -> None:
    lost = stored(80, "words of it", judged("SEXUAL_HARM"), seen=at(22, 9))
    view = build(replace(mixed_day(), mentions=(lost,), cases=()))

    assert view.stories[0].title == POLICY_NAME
    assert view.stories[0].about.endswith("Designated Safeguarding Lead, King James\u2019s School · words withheld")
    assert view.stories[0].link is None


POLICY_NAME = "Sexual images, grooming, exploitation, sexual violence"


def test_posts_that_are_not_judged_yet_are_counted_and_said() -> None:
    waiting = stored(81, "words of it", None, seen=at(22, 9))
    view = build(replace(quiet_day(), mentions=(waiting,)))

    assert "One of them not judged yet." in view.volume
    assert view.stories == ()


@pytest.mark.parametrize(
    ("usual", "count", "blind", "said"),
    [
        (None, 3, False, "There is too little history yet to say what is usual."),
        ((1, 5), 9, False, "The usual range is 1 to 5; the last day\u2019s 9 is above it."),
        ((1, 5), 9, True, "The usual range is 1 to 5; the last day\u2019s 9 is above it."),
        ((2, 5), 1, False, "The usual range is 2 to 5; the last day\u2019s 1 is below it."),
        ((2, 5), 1, True, "the last day\u2019s 1 is not comparable, because not all was read."),
        ((2, 5), 2, False, "The usual range is 2 to 5; the last day\u2019s 2 is within it."),
    ],
)
def test_the_last_day_is_compared_with_the_usual(
    usual: tuple[int, int] | None,
    count: int,
    blind: bool,  # noqa: FBT001 - a case of a table
    said: str,
) -> None:
    day = mixed_day()
    last = replace(day.days[-1], count=count, blind=blind)

    assert said in build(replace(day, usual=usual, days=(*day.days[:-1], last))).days_caption


def test_bars_start_at_nought_and_say_where_not_all_was_read() -> None:
    days = build(mixed_day()).days

    assert [day.width for day in days] == [29, 36, 14, 21, 14, 7, 100]
    assert days[-1].note == "not all read"
    assert [day.width for day in build(quiet_day()).days][-1] == 0


def test_dropped_posts_are_counted_with_their_reason() -> None:
    digest = made(mixed_day())

    for body in (Page(digest.html).shown, one_line(digest.text)):
        assert "14 dropped: King James's School, Almondbury" in body
        assert "2 items could not be read" in body
        assert "£0.42" in body


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="made_at has no time zone"):
        replace(mixed_day(), made_at=MADE_AT.replace(tzinfo=None))


# ---------------------------------------------------------------- both bodies, one truth


@pytest.mark.parametrize("day", DAYS)
def test_the_same_data_gives_the_same_bytes(day: Callable[[], DailyMaterial]) -> None:
    assert made(day()) == made(day())


@pytest.mark.parametrize("day", DAYS)
def test_every_reference_and_link_of_the_html_is_in_the_text(day: Callable[[], DailyMaterial]) -> None:
    digest = made(day())
    page = Page(digest.html)

    assert set(REFERENCE.findall(page.shown)) == set(REFERENCE.findall(digest.text))
    for link in page.links:
        assert link.startswith(("https://", "mailto:monitor@example.org?"))
        assert link.removeprefix("mailto:").split("?subject")[0] in digest.text


@pytest.mark.parametrize("day", DAYS)
def test_both_bodies_open_with_the_sentence_that_matters(day: Callable[[], DailyMaterial]) -> None:
    view = build(day())
    digest = render(view)

    assert one_line(digest.text).startswith(view.headline)
    assert f"{view.headline}</h1>" in html.unescape(digest.html)


@pytest.mark.parametrize("day", DAYS)
def test_the_foot_tells_which_records_were_counted(day: Callable[[], DailyMaterial]) -> None:
    view = build(day())
    digest = render(view)

    for body in (Page(digest.html).shown, one_line(digest.text)):
        assert view.name in body
        assert f"{view.records} records" in body
        assert view.fingerprint in body


def test_every_danger_to_life_stands_in_the_first_table_up_to_eight() -> None:
    busy = busy_day()
    for grave, lines in ((3, 4), (6, 6), (11, 8)):
        cases = tuple(
            replace(case, severity=Severity.P0 if place < grave else Severity.P3)
            for place, case in enumerate(busy.cases)
        )
        view = build(replace(busy, cases=cases))

        assert len(view.due) == lines


def test_beyond_seven_items_the_others_are_listed_by_reference() -> None:
    view = build(busy_day())

    assert len(view.items) == 7
    assert len(view.items_rest) == 4
    assert view.due_more == "and seven more, below"
    assert view.items_more.startswith("and 4 more: KJS-")
    assert len({*REFERENCE.findall(view.items_more), *(one.reference for one in view.items)}) == 11


@pytest.mark.parametrize(("mentions", "cases", "reposts"), [(5000, 11, 400), (5000, 0, 0), (5000, 5000, 400)])
def test_five_thousand_mentions_and_four_hundred_reposts_stay_under_80_kb(
    mentions: int, cases: int, reposts: int
) -> None:
    day = busy_day(mentions=mentions, cases=max(cases, 2), reposts=reposts)
    if not cases:
        day = replace(day, cases=())
    digest = made(day)

    assert len(digest.html.encode()) < LARGEST_EMAIL
    assert f"{5000 + reposts} records" in digest.html


def test_the_longest_fields_that_can_be_stay_under_80_kb() -> None:
    long = "W\u00e4rmeplatzhalter & <b> \u201c" * 400
    url = "https://example.org/" + "\u00e4&'" * 60
    day = busy_day(mentions=40, cases=40)
    told = CaseEvent(at=at(22, 9), by="lead_staff", what="waiting", why=long)
    mentions = {
        number: replace(
            one,
            mention=replace(one.mention, text=long, title=long, community=long, url=url),
            judgement=judged("COMPLAINT_SERVICE", words=long, rule=long, note=long),
        )
        for number, one in day.case_mentions.items()
    }
    cases = tuple(
        replace(case, category="COMPLAINT_SERVICE", severity=Severity.P2, owner="network_manager", history=(told,))
        for case in day.cases
    )
    waiting = tuple(
        replace(case, reference=f"FED-{place:04d}", state=CaseState.WAITING) for place, case in enumerate(cases * 5)
    )
    coverage = tuple(
        Coverage(
            source=f"s{place}",
            name=long,
            sight=Sight.BEHIND,
            last_read=at(22, 9),
            next_try=at(23, 9),
            why=long,
            dropped={f"{number}{long}": number for number in range(1, 9)},
            never_sees=(long,) * 9,
        )
        for place in range(14)
    )

    digest = made(
        replace(
            day,
            mentions=(*mentions.values(), *(replace(one, id=one.id + 5000) for one in mentions.values())),
            case_mentions=mentions,
            cases=(*cases, *waiting),
            coverage=coverage,
            troubles=(long,) * 40,
        )
    )

    assert len(digest.html.encode()) < LARGEST_EMAIL


# ---------------------------------------------------------------- hostile posts

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</td></tr></table><h1>All quiet</h1>",
    "{{7*7}}{% include '/etc/passwd' %}{# #}",
    "<!--[if mso]><b>x</b><![endif]-->",
    "</style><style>*{display:none}</style>",
    "\u202egnp.exe\u2066\u200f",
    "nought\x00bell\x07escape\x1b[31m",
    "line\r\nBcc: everybody@example.org\r\n\r\nSubject: x",
    "\nNOT SEEN: everything\n=====\n",
    "&lt;b&gt; &amp; &#60;i&#62;",
    "\ud800 broken",
)


def spoilt(day: DailyMaterial, words: str) -> DailyMaterial:
    """Return `day` with `words` in every field that anybody outside can fill."""
    mentions = {}
    for one in (*day.mentions, *day.case_mentions.values()):
        judgement = one.judgement
        assert judgement is not None
        reasons = tuple(replace(reason, text=words, start=1, end=1 + len(words)) for reason in judgement.reasons)
        mentions[one.id] = replace(
            one,
            mention=replace(
                one.mention,
                text=words,
                title=words,
                community=words,
                native_id=words or "x",
                url=f"https://example.org/{words}",
            ),
            judgement=replace(judgement, reasons=reasons),
        )
    coverage = tuple(
        replace(one, why=words, dropped={words: 3}) if one.sight is not Sight.READ else one for one in day.coverage
    )
    told = CaseEvent(at=at(22, 9), by="lead_staff", what="waiting", why=words)
    return replace(
        day,
        mentions=tuple(mentions[one.id] for one in day.mentions),
        case_mentions={number: mentions[number] for number in day.case_mentions},
        cases=tuple(replace(case, history=(told,)) for case in day.cases),
        coverage=coverage,
        troubles=(words,),
    )


PLAIN = Page(made(spoilt(mixed_day(), "plain")).html)
ELEMENTS = {tag for tag, _ in PLAIN.elements}
ATTRIBUTES = {name for _, attributes in PLAIN.elements for name in attributes}


def check(words: str) -> None:
    """Assert that `words` in every field change no element, no attribute, no link and no header."""
    digest = made(spoilt(mixed_day(), words))
    page = Page(digest.html)

    assert {tag for tag, _ in page.elements} <= ELEMENTS
    assert {name for _, attributes in page.elements for name in attributes} <= ATTRIBUTES
    assert len(page.all("h1")) == 1
    assert len(page.all("table")) == len(PLAIN.all("table"))
    assert all(link.startswith(("https://example.org/", "mailto:monitor@example.org?")) for link in page.links)
    assert digest.subject == SUBJECT
    assert digest.name == "daily-2026-11-23"
    for body in (digest.html, digest.text):
        assert body.encode("utf-8")
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", body)


SUBJECT = made(mixed_day()).subject


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_change_nothing_but_words(words: str) -> None:
    check(words)


@given(
    st.lists(
        st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30), st.sampled_from(["<", ">", '"', "'", "&", "`"])),
        max_size=6,
    ).map("".join)
)
@settings(max_examples=60, deadline=None)
def test_no_words_whatever_change_anything_but_words(words: str) -> None:
    check(words)


def test_a_post_cannot_compute() -> None:
    digest = made(spoilt(mixed_day(), "{{7*7}}"))

    assert "{{7*7}}" in digest.html
    assert "{{7*7}}" in digest.text
    assert "“49”" not in digest.html


def test_words_of_a_post_cannot_begin_a_line_as_if_they_were_ours() -> None:
    digest = made(spoilt(mixed_day(), "\nNOT SEEN: everything\n\nNEEDS A RESPONSE\n====="))

    assert not re.search(r"^NOT SEEN: everything|^=====$", digest.text, re.MULTILINE)


def test_no_word_of_a_restricted_or_urgent_post_is_anywhere() -> None:
    digest = made(mixed_day())

    assert "never stand" not in digest.html + digest.text + digest.subject
    assert "/post/120" not in digest.html + digest.text


@pytest.mark.parametrize("day", DAYS)
def test_what_shows_on_a_lock_screen_holds_no_word_of_a_post_and_no_category(
    day: Callable[[], DailyMaterial],
) -> None:
    material = day()
    view = build(material)
    names = [row.name for row in material.escalation.categories.values()]

    for shown in (view.subject, view.preheader):
        assert not [name for name in names if name in shown]
        assert "“" not in shown
        assert "\n" not in shown
        assert len(shown) <= 256


# ---------------------------------------------------------------- every reader, every mail program


@pytest.mark.parametrize("day", DAYS)
def test_headings_tables_and_language_are_marked(day: Callable[[], DailyMaterial]) -> None:
    page = Page(made(day()).html)
    tags = [tag for tag, _ in page.elements]

    assert tags.count("h1") == 1
    assert next(tag for tag in tags if tag in {"h1", "h2", "h3"}) == "h1"
    assert page.all("html") == [{"lang": "en-GB", "dir": "ltr"}]
    for heading in page.all("th"):
        assert heading.get("scope") in {"col", "row"}
    layout = [table for table in page.all("table") if table.get("role") == "presentation"]
    data = [table for table in page.all("table") if table.get("role") is None]
    assert layout
    assert data
    assert "img" not in tags
    assert "svg" not in tags


@pytest.mark.parametrize("day", DAYS)
def test_the_style_is_in_the_elements_and_the_charset_comes_first(day: Callable[[], DailyMaterial]) -> None:
    source = made(day()).html

    assert source.index('<meta charset="utf-8">') < 200
    assert all("style" in attributes for attributes in Page(source).all("h2"))
    assert "prefers-color-scheme" in source
    assert "@media print" in source
    assert "<!--[if mso]>" in source
    assert not re.search(r"(?:src|background)=|url\(", source)


@pytest.mark.parametrize("day", DAYS)
def test_links_say_where_they_go_and_tell_the_site_nothing(day: Callable[[], DailyMaterial]) -> None:
    source = made(day()).html

    for attributes in Page(source).all("a"):
        if str(attributes["href"]).startswith("http"):
            assert attributes["rel"] == "noopener noreferrer nofollow"
    for says in re.findall(r'<a href="http[^>]*>([^<]*)</a>', source):
        assert re.fullmatch(r"(Open the post|Read the article) on [a-z.]+", says)


def test_lines_of_the_text_are_short_but_for_addresses() -> None:
    lines = made(mixed_day()).text.split("\n")

    assert all(len(line) <= 72 for line in lines if "https://" not in line)


def test_a_week_later_the_digest_has_another_name() -> None:
    later = replace(mixed_day(), made_at=MADE_AT + timedelta(days=7))

    assert build(later).name == "daily-2026-11-30"


def test_without_an_address_nobody_is_asked_to_write() -> None:
    digest = made(replace(mixed_day(), contact=""))

    assert "mailto:" not in digest.html
    assert "write to" not in digest.text
