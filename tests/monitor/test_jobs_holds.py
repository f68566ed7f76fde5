"""A hold keeps a post against retention, deletion, edits and requests; says so; and ends."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from monitor.cli.case import command as case_command
from monitor.errors import CaseError
from monitor.jobs.casework import find, hold, release
from monitor.jobs.collect import arrival_of, wipe
from monitor.jobs.incident import watch
from monitor.jobs.incident_terms import Terms
from monitor.jobs.judge import open_for
from monitor.jobs.retention import retain
from monitor.jobs.rights import Request, erase, object_to
from monitor.jobs.weekly import gather, weekly, window_for
from monitor.records import Gone, Mention
from monitor.store import holds, mentions, rechecks
from monitor.store import rights as right_store
from tests.monitor.conftest import Hands, judgement, record, stored

if TYPE_CHECKING:
    from monitor.jobs.workplace import Workplace

WORDS = "The toilet protest at King James's School in Knaresborough"
URL = "https://forum.example/1"
DAY = date(2026, 12, 31)


def opened_case(place: Workplace) -> str:
    number = stored(place, 1, WORDS, source="bluesky", url=URL)
    record(place, number, judgement())
    with place.store.write() as connection:
        found = mentions.by_number(connection, [number])[number]
        assert found.judgement is not None
        return open_for(place, connection, found, found.judgement).reference


def held_case(place: Workplace, *, role: str = "dsl", until: date = DAY) -> str:
    reference = opened_case(place)
    hold(place, reference, role=role, by="A. Lead", reason="the police asked for it", until=until)
    return reference


def words(place: Workplace) -> list[str]:
    with place.store.read() as connection:
        return [found.mention.text for found in mentions.by_number(connection, [1]).values()]


def gone(place: Workplace) -> int:
    with place.store.write() as connection:
        return wipe(place, connection, [Gone(source="bluesky", native_id="n1")])


@pytest.mark.parametrize("role", ["dsl", "data_protection_officer", "police"])
def test_a_held_post_outlives_its_deletion_and_goes_in_the_night_after_the_hold(
    place: Workplace, hands: Hands, role: str
) -> None:
    """PR08: deletions are mirrored unless a hold of DSL, DPO or police with reason and expiry stands."""
    held_case(place, role=role, until=date(2026, 11, 30))
    assert gone(place) == 0
    hands.forward(days=7, hours=14, minutes=59)  # 30 November, 23:59
    assert retain(place) == 0
    assert words(place) == [WORDS]
    hands.forward(minutes=2)
    assert retain(place) == 1
    assert words(place) == []


def test_without_a_hold_a_deletion_is_mirrored_at_once(place: Workplace) -> None:
    opened_case(place)
    assert gone(place) == 1
    assert words(place) == []


def test_a_held_post_outlives_its_retention(place: Workplace, hands: Hands) -> None:
    held_case(place, until=date(2027, 3, 1))
    hands.forward(days=80)
    assert retain(place) == 0
    hands.forward(days=30)
    assert retain(place) == 1


def test_a_hold_that_is_over_leaves_a_post_alone_that_nobody_wants_gone(place: Workplace, hands: Hands) -> None:
    held_case(place, until=date(2026, 11, 24))
    hands.forward(days=3)
    assert retain(place) == 0
    assert words(place) == [WORDS]


def test_a_request_for_erasure_is_told_of_the_hold_and_met_when_it_ends(place: Workplace) -> None:
    reference = held_case(place)
    answer = erase(place, Request(url=URL))
    assert answer.count == 0
    (kept,) = answer.held
    assert (kept.reference, kept.role, kept.reason) == (reference, "dsl", "the police asked for it")
    assert release(place, reference, by="A. Lead", why="handed to the police") == 1
    assert retain(place) == 1
    assert words(place) == []


def test_an_objection_counts_from_now_on_and_what_is_held_goes_later(place: Workplace) -> None:
    reference = opened_case(place)
    with place.store.write() as connection:
        key = place.handles.key("bluesky", "me", place.clock())
        mention = Mention(source="bluesky", native_id="n9", url="", text="Mine.", published=place.clock())
        arrival = mentions.Arrival(mention=mention, author_key=key, sha256=mention.sha256)
        mentions.take(connection, [arrival], now=place.clock(), articles=frozenset())
        (number,) = mentions.numbers_of(connection, [("bluesky", "n9")])
        holds.place(
            connection,
            holds.Hold(
                mention_id=number,
                reference=reference,
                role="police",
                by="P",
                reason="r",
                placed=place.clock(),
                until=place.clock() + timedelta(days=1),
            ),
        )
    done = object_to(place, Request(source="bluesky", handle="me"))
    assert done.fresh
    assert [one.mention_id for one in done.erased.held] == [number]
    with place.store.read() as connection:
        lasting = place.handles.lasting("bluesky", "me")
        assert right_store.is_objected(connection, frozenset({lasting})) == {lasting}


def test_an_edit_is_not_taken_over_while_a_post_is_held(place: Workplace) -> None:
    reference = held_case(place)
    edited = Mention(source="bluesky", native_id="n1", url=URL, text="I never said so", published=place.clock())
    for expected in (WORDS, "I never said so"):
        with place.store.write() as connection:
            rechecks.confirm(connection, [arrival_of(place, edited)], now=place.clock())
        assert words(place) == [expected]
        if expected == WORDS:
            release(place, reference, by="A. Lead", why="over")


def test_evidence_of_a_held_post_stays(place: Workplace, hands: Hands) -> None:
    reference = held_case(place, until=date(2027, 6, 1))
    since = place.clock() - timedelta(hours=48)
    hands.forward(minutes=1)
    (page,) = watch(place, Terms.of(["toilet protest"]), since=since, judge=lambda _: None, tell=False)
    hands.forward(days=120)
    retain(place)
    assert page.evidence.exists()
    release(place, reference, by="A. Lead", why="over")
    retain(place)
    assert not page.evidence.exists()


def test_two_holds_end_with_the_later_one(place: Workplace, hands: Hands) -> None:
    reference = held_case(place, until=date(2026, 11, 24))
    hold(place, reference, role="police", by="P", reason="an inquiry", until=date(2026, 11, 30))
    gone(place)
    hands.forward(days=3)
    assert retain(place) == 0
    hands.forward(days=6)
    assert retain(place) == 1


@pytest.mark.parametrize(
    ("role", "reason", "by", "until", "said"),
    [
        ("response_owner", "r", "A", DAY, "--role ROLE"),
        ("dsl", " ", "A", DAY, "--reason TEXT"),
        ("dsl", "r", " ", DAY, "--by NAME"),
        ("dsl", "r", "A", date(2026, 11, 22), "--until DATE"),
        ("dsl", "r", "A", date(2027, 11, 25), "a year ahead"),
    ],
)
def test_a_hold_needs_a_role_a_reason_a_signature_and_an_end(
    place: Workplace, role: str, reason: str, by: str, until: date, said: str
) -> None:
    reference = opened_case(place)
    with pytest.raises(CaseError, match=said):
        hold(place, reference, role=role, by=by, reason=reason, until=until)
    with place.store.read() as connection:
        assert holds.standing(connection, place.clock()) == ()


def test_what_is_gone_cannot_be_held_and_what_is_not_held_not_released(place: Workplace) -> None:
    reference = opened_case(place)
    with pytest.raises(CaseError, match="no hold stands"):
        release(place, reference, by="A", why="w")
    with pytest.raises(CaseError, match="--why TEXT"):
        release(place, reference, by="A", why="")
    gone(place)
    with pytest.raises(CaseError, match="erased already"):
        hold(place, reference, role="dsl", by="A", reason="r", until=DAY)


def test_a_hold_stands_in_the_history_of_its_case_and_in_the_weekly_report(place: Workplace, hands: Hands) -> None:
    reference = held_case(place)
    assert find(place, reference).history[-1].what == "held until 2026-12-31 by dsl"
    erase(place, Request(url=URL))
    hands.forward(hours=1)
    window = window_for(place, place.clock())
    with place.store.read() as connection:
        assert gather(place, connection, window).holds == 1
    rendered, _ = weekly(place, window)
    assert "1 hold, by DSL, Data Protection Officer or police" in " ".join(rendered.text.split())
    assert "Nothing was due for erasure this week" in " ".join(rendered.text.split())


def test_an_ended_hold_is_forgotten_after_a_year(place: Workplace, hands: Hands) -> None:
    held_case(place, until=date(2026, 11, 24))
    hands.forward(days=400)
    retain(place)
    with place.store.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM holds").scalar() == 0


def test_the_command_line_places_and_ends_a_hold(place: Workplace) -> None:
    reference = opened_case(place)
    config = place.settings.folder.parent / "monitor.toml"
    config.write_text('[storage]\nfolder = "monitor-data"\n')
    given = ["--config", str(config), reference.lower()]
    soon = f"{date.today() + timedelta(days=30):%Y-%m-%d}"  # noqa: DTZ011 - the command's own clock
    options = ["--role", "dsl", "--reason", "the police asked", "--until", soon, "--by", "A. Lead"]
    done = CliRunner().invoke(case_command, ["hold", *given, *options])
    assert (done.exit_code, "held to the end of" in done.output) == (0, True)
    done = CliRunner().invoke(case_command, ["release", *given, "--why", "over"])
    assert (done.exit_code, done.output) == (0, f"{reference}: no hold stands any more\n")
