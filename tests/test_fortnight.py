"""A simulated fortnight: what each reader must be told, what nobody must be told, and when.

Quiet days, a storm about locked toilets that four hundred people pass on, a threat at 02:10 on a Sunday, a
namesake's scandal, a source that dies, and a mail server that takes nothing for five hours; see tests/fortnight.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.jobs.evidence import verify
from tests import fortnight as script
from tests.fortnight import at, one_line, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.jobs.evidence import Verified
    from monitor.jobs.incident import Page
    from tests.fortnight import Fortnight

DIGESTS = (10, 11, 12, 13, 16, 17, 18, 19, 20, 23)
"""Days of November on which a digest is due."""
WITHOUT_MASTODON = (19, 20, 23)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """The fortnight when it is over, and the incident page of its fourth day."""

    town: Fortnight
    incident: Page
    evidence: Verified


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Live through the fortnight once; somebody starts an incident run in the middle of the storm."""
    with script.fortnight(tmp_path_factory.mktemp("fortnight")) as town:
        town.live(at(12, 13, 32))
        page = town.look_into("locked toilets", since=at(10, 13, 32))
        town.live(script.ENDS)
        yield Lived(town=town, incident=page, evidence=verify(page.evidence))


def news(digest: str) -> list[str]:
    """Return the quotations that a digest shows as new."""
    section = re.search(r"NEW, FOR INFORMATION.*?(?=TOLD BEFORE|LAST SEVEN DAYS)", digest)
    return re.findall("“[^”]{30,}”", section.group()) if section else []


# ---------------------------------------------------------------- the response owner


def test_a_digest_comes_on_every_day_on_which_one_is_due_and_once(lived: Lived) -> None:
    subjects = [message["Subject"] for _, message in lived.town.to("response_owner", "daily")]

    assert [re.findall(r"(\d+) Nov\)$", subject) for subject in subjects] == [[str(day)] for day in DIGESTS]


@pytest.mark.parametrize("day", [10, 17])
def test_a_quiet_day_says_that_it_is_quiet_and_how_we_know(lived: Lived, day: int) -> None:
    digest = lived.town.digest(day)

    assert digest.startswith("Nothing needs a reply")
    assert "No new public mention since" in digest
    assert "All three sources that are switched on were read." in digest
    assert "NOT SEEN" not in digest


def test_a_storm_is_one_case_and_one_story_with_its_counts(lived: Lived) -> None:
    digest = lived.town.digest(12)

    assert "281 new public mentions since yesterday 07:30. All of them are one story (KJS-0002)." in digest
    assert "NEEDS A RESPONSE (1)" in digest
    assert "1 original, 280 copies, 281 accounts" in digest
    assert digest.count("we wrote twice and nobody answers our emails") == 1
    assert "at least 6 in 10 of its three-word sequences" in digest


def test_the_storm_goes_on_the_next_day_and_is_not_new_again(lived: Lived) -> None:
    digest = lived.town.digest(13)

    assert "117 of them are one story (KJS-0002, day 2)." in digest
    assert "day 2, +117" in digest.lower()
    assert not any("AGAIN" in quote for quote in news(digest))


def test_what_goes_on_after_a_case_was_answered_is_told_beside_the_answer(lived: Lived) -> None:
    digest = lived.town.digest(16)

    assert "Three of them are one story (KJS-0002, day 5)." in digest
    assert re.search(r"KJS-0002: General complaint \(KJS\), [\w ]+\. Answered Fri 14:10; day 5, \+3\.", digest)
    assert not any("AGAIN" in quote for quote in news(digest))


def test_one_article_at_three_outlets_is_one_story(lived: Lived) -> None:
    digest = lived.town.digest(13)

    assert re.search(r"KJS-0003: .*? Referred yesterday 16:00; 1 original, 2 copies, 3 outlets\.", digest)
    assert not any(script.TOILETS_HEADLINE[:20] in quote for quote in news(digest))


def test_nothing_is_new_in_two_digests(lived: Lived) -> None:
    shown = [quote for day in DIGESTS for quote in news(lived.town.digest(day))]

    assert len(shown) == len(set(shown))
    assert any("lovely winter fair" in quote for quote in shown)


def test_praise_at_two_outlets_is_for_information(lived: Lived) -> None:
    digest = lived.town.digest(11)

    assert f"“{script.HOSPICE_HEADLINE}”" in digest
    assert "1 original, 1 copy, 2 outlets" in digest


# ---------------------------------------------------------------- the threat


def test_the_threat_is_alerted_to_the_headteacher_and_the_dsl_within_five_minutes(lived: Lived) -> None:
    collected = at(15, 2, 15)
    for role in ("headteacher", "dsl"):
        (moment, alert), *_ = [one for one in lived.town.to(role, "alert") if one[0] >= at(15, 0)]
        text = words(alert)

        assert moment - collected <= timedelta(minutes=5)
        assert "P0" in alert["Subject"]
        assert "999" in text
        assert "0300 131 2 131" in text
        assert "bringing a knife" in text


def test_the_ladder_climbs_until_somebody_acknowledges_and_no_further(lived: Lived) -> None:
    told = {to.partition("@")[0] for _, to, message in lived.town.mail if script.is_kind(message, "alert")}

    assert {"headteacher", "dsl", "deputy_dsl", "senior_leader"} <= told
    assert "chair" not in told  # acknowledged at 02:41, and the chair would have been told at 02:45


def test_the_threats_words_are_for_its_readers_alone(lived: Lived) -> None:
    readers = {"headteacher@school.example", "dsl@school.example", "senior_leader@school.example"}
    holding = {to for _, to, message in lived.town.mail if "bringing a knife" in words(message)}
    files = [file for file in lived.town.place.reports_folder.rglob("*") if file.suffix in {".html", ".txt"}]

    assert holding <= readers
    assert files
    assert not [file.name for file in files if "bringing a knife" in one_line(file)]


def test_the_mondays_digest_says_that_the_threat_was_dealt_with(lived: Lived) -> None:
    digest = lived.town.digest(16)

    assert re.search(r"KJS-0004: Threat of violence / weapon / bomb \(KJS\), Headteacher\. Referred .*?03:20\.", digest)
    assert digest.startswith("Nothing needs a reply")


# ---------------------------------------------------------------- the namesake


def test_the_namesakes_scandal_is_nowhere_and_its_number_is_where_we_looked(lived: Lived) -> None:
    said = re.compile("exam papers|scandal|Huddersfield|bins", re.IGNORECASE)
    files = [file for file in lived.town.place.reports_folder.rglob("*") if file.suffix in {".html", ".txt", ".json"}]

    assert not [file.name for file in files if said.search(one_line(file))]
    assert not [message["Subject"] for _, _, message in lived.town.mail if said.search(message.as_string())]
    assert "dropped: King James's School, Almondbury" in lived.town.digest(18)


# ---------------------------------------------------------------- the dead source


@pytest.mark.parametrize("day", WITHOUT_MASTODON)
def test_a_dead_source_is_said_every_day_and_never_counted_as_nought(lived: Lived, day: int) -> None:
    digest = lived.town.digest(day)

    assert re.search(r"NOT SEEN: Mastodon since (yesterday|Wed|Wed 18 Nov) 02:15 \(", digest)
    assert re.search(r"- Mastodon: not read since .*?; \? new", digest)
    assert "All three sources" not in digest


def test_the_subject_warns_of_the_dead_source(lived: Lived) -> None:
    subjects = [message["Subject"] for _, message in lived.town.to("response_owner", "daily")]

    assert all("Mastodon not read" in subject for subject in subjects[-len(WITHOUT_MASTODON) :])


def test_days_that_were_not_read_are_hatched_in_the_weekly_report(lived: Lived) -> None:
    first, second = (
        (lived.town.place.reports_folder / f"weekly-2026-11-{day}.html").read_text(encoding="utf-8") for day in (16, 23)
    )

    mastodon = re.search(r"<th scope=\"row\">Mastodon</th>.*", second)
    assert mastodon is not None
    assert (mastodon[0].count("cell whole"), mastodon[0].count("cell none")) == (2, 5)
    assert "chart-blind" in second
    assert "chart-blind" not in first
    assert "Mastodon not read for 5 days" in second
    assert "Have Mastodon mended: not read since Wed 18 Nov" in second


# ---------------------------------------------------------------- the mail server


def test_while_the_mail_server_fails_nothing_is_lost_and_everything_arrives_once(lived: Lived) -> None:
    begins, ends = script.NO_MAIL
    numbers = [(to, message["Message-ID"]) for _, to, message in lived.town.mail]
    (late,) = [moment for moment, m in lived.town.to("response_owner", "daily") if "(Thu 19 Nov)" in m["Subject"]]

    assert not [moment for moment, _, _ in lived.town.mail if begins <= moment < ends]
    assert len(numbers) == len(set(numbers))
    assert ends <= late < at(19, 18)


def test_the_next_digest_admits_that_the_last_one_came_late(lived: Lived) -> None:
    said = "NOT WORKING: The daily digest of 19 November, 07:30 left only on 19 November at 13:31"

    assert said in lived.town.digest(20)


# ---------------------------------------------------------------- the senior leader


def test_each_week_ends_with_a_report_that_was_delivered(lived: Lived) -> None:
    assert [moment for moment, _ in lived.town.to("senior_leader", "weekly")] == [at(16, 7, 45), at(23, 7, 45)]


def test_the_weekly_report_counts_the_storm_as_one_story_and_names_nobody(lived: Lived) -> None:
    (_, first), (_, second) = lived.town.to("senior_leader", "weekly")

    assert "One story, told 401 times" in words(first)
    assert "told 401 times" not in words(second)
    for report in (first, second):
        assert not re.search(r"parent\d|@parent|AGAIN|bringing a knife", report.as_string())


def test_the_weekly_report_tells_how_fast_was_answered(lived: Lived) -> None:
    (_, first), _ = lived.town.to("senior_leader", "weekly")

    assert "four needing a response, nothing late" in words(first)
    assert "Immediate (P0), by the clock" in words(first)


# ---------------------------------------------------------------- the incident


def test_the_incident_page_tells_the_storm_once_and_its_evidence_verifies(lived: Lived) -> None:
    page = lived.incident.html.read_text(encoding="utf-8")

    assert not lived.evidence.differences
    assert lived.evidence.items > 300
    assert "still answering" not in page
    assert "bringing a knife" not in page
    assert page.count("we wrote twice") <= 2


def test_the_incident_is_told_to_those_who_decide(lived: Lived) -> None:
    told = {to.partition("@")[0] for _, to, message in lived.town.mail if script.is_kind(message, "incident")}

    assert told == {"response_owner", "senior_leader", "headteacher"}
