"""An incident run shows a page although a source is slow, keeps its evidence numbers, and asks for no person."""

from __future__ import annotations

import email
import stat
import threading
import zipfile
from datetime import timedelta
from email import policy
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli.incident import command
from monitor.errors import ConfigError, StoreError
from monitor.jobs import incident_file
from monitor.jobs.evidence import verify
from monitor.jobs.incident import Page, stand_down, watch
from monitor.jobs.incident_reading import Reading
from monitor.jobs.incident_terms import Terms, nearby
from monitor.records import Relevance
from monitor.rehearsal.server import Reply, Server
from monitor.rehearsal.town import DemoTown
from monitor.store import mentions, outbox
from tests.monitor.conftest import Hands, judgement, record, stored

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage
    from pathlib import Path

    from monitor.jobs.workplace import Workplace
    from monitor.rehearsal.server import Request

PETITION = Terms.of(["phone pouches petition"])
PROTEST = Terms.of(["toilet protest"])
SAID = "The toilet protest at King James's School in Knaresborough is on Monday"


def judge(place: Workplace) -> None:
    """Judge whatever waits: a complaint about KJS."""
    with place.store.read() as connection:
        waiting = mentions.pending(connection, 1000)
    for one in waiting:
        record(place, one.id, judgement())


def looks(place: Workplace, terms: Terms = PROTEST, hours: float = 48, **more: object) -> list[Page]:
    """Return the pages of one incident run."""
    return list(watch(place, terms, since=place.clock() - timedelta(hours=hours), judge=judge, **more))  # type: ignore[arg-type]


def letters(place: Workplace) -> list[EmailMessage]:
    """Return the messages that wait in the outbox."""
    with place.store.read() as connection:
        waiting = outbox.due(connection, place.clock() + timedelta(days=1))
    return [email.message_from_bytes(one.content, policy=policy.default) for one in waiting if one.kind == "incident"]


def test_a_run_finds_what_was_planted_and_leaves_page_print_and_evidence(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    """From an empty store: real sources over HTTP, the posts that have the terms, files for their owner alone."""
    with DemoTown(hands) as town:
        place = opened(sources=town.sources, reading={"private_hosts": town.private_hosts})
        (page,) = looks(place, PETITION)

    wanted = {p.story.name for p in town.planted if p.ours and PETITION.find(f"{p.story.title} {p.story.text}")}
    assert wanted == {"phone-pouch-petition"}
    assert page.view.records == len(wanted)
    assert not page.still
    assert verify(page.evidence).differences == ()
    assert verify(page.evidence).digits in page.html.read_text()
    for file in (page.html, page.evidence, page.html.with_name("latest.html"), page.html.with_name("incident.json")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    if page.pdf is not None:
        assert page.pdf.read_bytes().startswith(b"%PDF")


def test_a_page_comes_while_sources_are_slow_and_a_fuller_one_when_they_have_answered(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    """The first page does not wait for a server that says nothing; it names the source, and says nothing of zero."""
    answer = threading.Event()

    def slow(_request: Request) -> Reply:
        answer.wait(60)
        body = f"<rss version='2.0'><channel><title>P</title><item><title>{SAID}</title><link>https://paper.example/1</link>"
        body += "<pubDate>Mon, 23 Nov 2026 06:00:00 GMT</pubDate></item></channel></rss>"
        return Reply(body=body.encode(), headers={"Content-Type": "application/rss+xml"})

    with Server({"/rss": slow}) as server:
        feeds = {"feeds": [{"name": "Paper", "url": f"{server.url}/rss"}]}
        off = {"enabled": False}
        place = opened(sources={"feeds": feeds, "pages": off}, reading={"private_hosts": (server.host,)})
        pages = watch(
            place,
            PROTEST,
            since=hands.now - timedelta(hours=48),
            judge=judge,
            first_page=timedelta(milliseconds=50),
        )
        first = next(pages)
        answer.set()
        hands.forward(seconds=20)
        second = next(pages)

    assert first.still == {"feeds"}
    assert first.view.headline == "We could not look: no source has been read yet"
    assert first.view.figures[0].value == "?"
    assert "still answering" in first.html.read_text()
    assert second.still == frozenset()
    assert second.view.headline.startswith("1 public post on")
    assert second.view.looking.gaps == ()


def test_a_source_that_fails_is_named_and_the_run_goes_on(opened: Callable[..., Workplace], hands: Hands) -> None:
    with Server() as server:
        feeds = {"feeds": [{"name": "Gone", "url": f"{server.url}/nowhere"}]}
        place = opened(sources={"feeds": feeds, "pages": {"enabled": False}}, reading={"private_hosts": (server.host,)})
        hands.forward(seconds=1)
        (page,) = looks(place)

    assert page.view.looking.gaps
    assert not page.still


def test_two_sources_read_side_by_side_make_one_key_for_accounts(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    with DemoTown(hands) as town:
        place = opened(sources=town.sources, reading={"private_hosts": town.private_hosts})
        reading = Reading(place)
        assert set(reading.start()) == {"feeds", "pages"}
        assert not set(reading.start()) & reading.still
        reading.wait(120)
        assert reading.still == frozenset()
    assert len(place.handles.all_keys("feeds", "someone")) == 1


def test_without_a_signed_assessment_nothing_is_read(opened: Callable[..., Workplace]) -> None:
    with pytest.raises(ConfigError, match="Data Protection Impact Assessment"):
        looks(opened(privacy={}))


def test_with_no_source_the_page_says_that_nobody_could_look(place: Workplace) -> None:
    (page,) = looks(place)
    assert page.view.headline.startswith("We could not look")
    assert all(row.value == "?" for row in page.view.figures[:3])


def test_posts_with_the_terms_and_their_copies_are_chosen_and_others_are_counted_as_close(
    place: Workplace, hands: Hands
) -> None:
    stored(place, 1, SAID)
    stored(place, 2, SAID.replace("toilet protest", "\N{MATHEMATICAL DOUBLE-STRUCK CAPITAL T}oilet protests"))
    stored(place, 3, "Another toilet is broken at King James's School")
    stored(place, 4, "RT: look at this", repost_of="n1")
    stored(place, 5, SAID + ", as it was last year", published=hands.now - timedelta(days=9))
    not_ours = stored(place, 6, "Toilet protest at King James's School in Almondbury again")
    record(place, not_ours, judgement(relevant=Relevance.NO, severity=None))
    hands.forward(minutes=1)

    (page,) = looks(place)

    urls = {item.link.url for item in page.view.evidence if item.link}
    assert {f"https://paper.example/{n}" for n in (1, 2, 4)} <= urls
    assert "https://paper.example/3" not in urls
    assert "https://paper.example/6" not in urls
    assert "1 with “toilet”" in page.view.nearby


def test_evidence_keeps_its_number_when_more_comes_and_when_something_goes(place: Workplace, hands: Hands) -> None:
    first = stored(place, 1, SAID)
    stored(place, 2, "Pupils say the toilet protest at King James's School begins at noon")
    looks(place)
    with place.store.write() as connection:
        mentions.erase(connection, [first], now=hands.now, why="gone at the source", forget=frozenset())
    hands.forward(minutes=5)
    stored(place, 3, "A toilet protest? At King James's School? Well I never", published=hands.now - timedelta(hours=9))

    (page,) = looks(place)

    assert [item.number for item in page.view.evidence] == [2, 3]
    assert "no. 1." in page.view.gone
    assert page.view.name.endswith("-02")


def test_a_watch_looks_again_each_quarter_of_an_hour_until_it_is_over(place: Workplace, hands: Hands) -> None:
    slept: list[float] = []

    def pause(seconds: float) -> None:
        slept.append(seconds)
        hands.forward(seconds=seconds)

    pages = looks(place, lasts=timedelta(minutes=30), pause=pause)

    assert slept == [900, 900]
    assert [page.view.next_review for page in pages] == ["next 09:15", "next 09:30", "next 10:30"]


def test_updates_thread_under_one_subject_and_go_to_those_who_decide(place: Workplace, hands: Hands) -> None:
    stored(place, 1, SAID)
    looks(place)
    hands.forward(minutes=30)
    looks(place)

    sent = letters(place)
    to_owner = [letter for letter in sent if letter["To"] == "owner@school.example"]
    assert {letter["To"] for letter in sent} == {
        "owner@school.example",
        "leader@school.example",
        "head@school.example",
    }
    assert len(to_owner) == 2
    assert len({letter["Subject"] for letter in sent}) == 1
    assert len({letter["References"] for letter in sent}) == 1
    assert len({letter["Message-ID"] for letter in sent}) == 6
    assert "toilet" not in str(to_owner[0]["Subject"])
    for letter in sent:
        assert "is on Monday" not in letter.as_string()


def test_nobody_is_told_where_it_is_not_wanted(place: Workplace) -> None:
    (page,) = looks(place, tell=False)
    assert page.told == 0
    assert letters(place) == []


def test_standing_down_sends_the_closing_message_and_the_next_incident_is_a_new_one(
    place: Workplace, hands: Hands
) -> None:
    stored(place, 1, SAID)
    looks(place)
    hands.forward(minutes=50)

    page = stand_down(place, None, why="Lessons went on, nothing happened.")

    closing = letters(place)[-1]
    assert "nothing happened" in closing.as_string()
    assert closing["Subject"] == letters(place)[0]["Subject"]
    assert page.view.next_review == "closed, no further update"
    with pytest.raises(ConfigError, match="no such incident is open"):
        stand_down(place, PROTEST, why="again")
    (fresh,) = looks(place)
    assert fresh.html.parent.name == "incident-toilet-protest-2026-11-23-2"


def test_of_several_incidents_the_one_to_stand_down_must_be_named(place: Workplace) -> None:
    looks(place)
    looks(place, PETITION)
    with pytest.raises(ConfigError, match="several incidents are open"):
        stand_down(place, None, why="over")
    assert stand_down(place, Terms.of(["Toilet Protest"]), why="over").view.stood_down == "over"


def test_a_later_run_may_look_further_back_but_never_beyond_thirty_days(place: Workplace, hands: Hands) -> None:
    looks(place)
    looks(place, hours=24)
    (incident,) = incident_file.going_on(place)
    assert incident.since == hands.now - timedelta(hours=48)
    looks(place, hours=24 * 90)
    (incident,) = incident_file.going_on(place)
    assert incident.since == hands.now - timedelta(days=30)


def test_a_damaged_memory_of_an_incident_is_named(place: Workplace) -> None:
    (page,) = looks(place)
    page.html.with_name("incident.json").write_text("{")
    with pytest.raises(StoreError, match=r"incident\.json cannot be read"):
        looks(place)


@pytest.mark.parametrize(
    "term",
    [
        "@someone",
        "someone@mail.example",
        "from:someone",
        "u/someone99",
        "jo_bloggs",
        "Mr Bloggs",
        "my son Joseph Bloggs",
    ],
)
def test_a_person_or_an_account_is_not_searched_for(term: str) -> None:
    with pytest.raises(ConfigError, match="is not searched for") as refused:
        Terms.of([term])
    assert "never a person" in str(refused.value)


@pytest.mark.parametrize("given", [[], ["  "], ["!!"], ["x" * 100], ["word"] + [f"word{n}" for n in range(20)]])
def test_terms_that_can_find_nothing_are_refused(given: list[str]) -> None:
    with pytest.raises(ConfigError):
        Terms.of(given)


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("toilet protest", "PROTESTS about the toilets", True),
        ("toilet protest", "#ToiletProtest tomorrow", True),
        ("#ToiletProtest", "the toilet protest", True),
        ("toilet protest", "the toilets are locked", False),
        ("bus", "the business studies room", False),
        ("Year 11 prom", "yr 11 / year 11 PROM", True),
    ],
)
def test_a_post_has_a_term_if_it_has_every_word_or_a_longer_form(term: str, text: str, *, found: bool) -> None:
    assert Terms.of([term]).find(text) is found


@given(st.text())
def test_any_text_can_be_looked_through(text: str) -> None:
    assert PROTEST.find(f"{text} toilet protest") or nearby(PROTEST, [text]).keys() <= {"toilet", "protest"}


def test_the_command_needs_terms_and_says_why_it_refuses_a_person(tmp_path: Path) -> None:
    missing = str(tmp_path / "monitor.toml")
    assert isinstance(CliRunner().invoke(command, ["--config", missing]).exception, ConfigError)
    refused = CliRunner().invoke(command, ["@someone", "--config", missing])
    assert "never a person" in str(refused.exception)
    assert CliRunner().invoke(command, ["x", "--watch", "soon"]).exit_code == 2
    assert "toilet protest" in CliRunner().invoke(command, ["--help"]).output


def test_a_source_that_is_still_answering_counts_as_not_read_whatever_it_gave_before(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    """A source that was read an hour ago and is silent now has not been seen in this hour."""
    answer = threading.Event()
    answer.set()

    def feed(_request: Request) -> Reply:
        answer.wait(60)
        body = b"<rss version='2.0'><channel><title>P</title></channel></rss>"
        return Reply(body=body, headers={"Content-Type": "application/rss+xml"})

    with Server({"/rss": feed}) as server:
        feeds = {"feeds": [{"name": "Paper", "url": f"{server.url}/rss"}]}
        place = opened(sources={"feeds": feeds, "pages": {"enabled": False}}, reading={"private_hosts": (server.host,)})
        assert not looks(place)[0].view.looking.gaps
        hands.forward(minutes=10)
        answer.clear()
        pages = watch(
            place, PROTEST, since=hands.now - timedelta(hours=1), judge=judge, first_page=timedelta(milliseconds=50)
        )
        first = next(pages)
        answer.set()
        next(pages)

    assert first.still == {"feeds"}
    assert not any(row.seen for row in first.view.looking.rows)


def test_reports_of_an_incident_go_when_their_time_is_over(place: Workplace, hands: Hands) -> None:
    """Ninety days after it was stood down nothing of it is left, and not before."""
    (page,) = looks(place)
    hands.forward(days=20)
    stand_down(place, None, why="over")
    hands.forward(days=89)
    assert incident_file.forget_old(place) == 0
    hands.forward(days=2)
    assert incident_file.forget_old(place) == 1
    assert not page.html.parent.exists()


def test_words_that_must_not_outlive_their_post_are_not_copied(place: Workplace, hands: Hands) -> None:
    """Where a source's terms limit how long words are kept, page and bundle have the address alone."""
    limited = next(name for name in place.policy.sources.names if place.policy.sources[name].on_deletion == "forget")
    stored(place, 1, SAID, source=limited)
    hands.forward(minutes=1)

    (page,) = looks(place)

    assert page.view.records == 1
    assert "is on Monday" not in page.html.read_text()
    assert "https://paper.example/1" in page.html.read_text()
    with zipfile.ZipFile(page.evidence) as archive:
        assert b"is on Monday" not in archive.read("items.jsonl")


def test_an_empty_store_says_how_far_back_its_sources_were_read(opened: Callable[..., Workplace], hands: Hands) -> None:
    with DemoTown(hands) as town:
        place = opened(sources=town.sources, reading={"private_hosts": town.private_hosts})
        hands.forward(seconds=1)
        (page,) = looks(place, hours=24 * 20)
    assert any("before Mon 16 Nov" in gap for gap in page.view.gaps)


def test_the_command_shows_each_page_and_its_files_and_stands_down(tmp_path: Path) -> None:
    """With no source on: the page says so, nothing is sent where it is not wanted, and the incident can be ended."""
    config = tmp_path / "monitor.toml"
    config.write_text(
        '[roles]\nresponse_owner = "owner@school.example"\n[mail]\nsender = "monitor@school.example"\n'
        '[privacy.dpia]\nreference = "R"\nowner = "O"\nsigned = 2026-01-01\nreview_due = 2999-01-01\n'
        "[sources.feeds]\nenabled = false\n[sources.pages]\nenabled = false\n"
    )
    shown = CliRunner().invoke(command, ["toilet protest", "--no-send", "--config", str(config)])
    assert shown.exit_code == 0, shown.output
    assert "We could not look" in shown.output
    assert "not seen: anything, because no source is switched on" in shown.output
    assert len(list(tmp_path.rglob("evidence-01.zip"))) == 1
    assert not list(tmp_path.rglob("*.eml"))

    ended = CliRunner().invoke(command, ["--stand-down", "--why", "Nothing happened.", "--config", str(config)])
    assert ended.exit_code == 0, ended.output
    assert "Stood down" in ended.output
    assert len(list(tmp_path.rglob("*.eml"))) == 1
