"""Casework: every act is written down with who, when and why, and the process is kept."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.errors import CaseError
from monitor.jobs.casework import Act, Doing, act, find, listed, relabel
from monitor.jobs.workplace import open_workplace
from monitor.records import CaseState, Mention, Severity
from monitor.settings import Secrets, Settings
from monitor.store import cases, mentions
from tests.monitor.storing import opened_case, take

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monitor.jobs.workplace import Workplace

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    """Give a workplace with one P0 case, KJS-0001."""
    settings = Settings.model_validate(
        {
            "file": tmp_path / "monitor.toml",
            "privacy": {
                "dpia": {"reference": "R", "owner": "O", "signed": date(2026, 1, 1), "review_due": date(2030, 1, 1)}
            },
        }
    )
    with open_workplace(settings, secrets=Secrets({}), clock=lambda: NOW) as made:
        with made.store.write() as connection:
            mention = Mention(
                source="feeds", native_id="1", url="https://a.example/1", text="Invented words.", published=NOW
            )
            arrival = mentions.Arrival(mention=mention, author_key="", sha256=mention.sha256)
            mentions.take(connection, [arrival], now=NOW, articles=frozenset())
            cases.open_case(
                connection,
                mention_id=1,
                category="THREAT_VIOLENCE",
                severity=Severity.P0,
                owner="headteacher",
                schools=("KJS",),
                opened=NOW,
                due=NOW,
                readers=("headteacher", "dsl"),
                restricted=False,
                why="test",
            )
        yield made


def test_an_act_moves_the_case_and_stands_in_its_history(place: Workplace) -> None:
    case = act(place, "kjs-0001", Doing(act=Act.ACK, by="A. Colleague"))

    assert case.state is CaseState.ACKNOWLEDGED
    assert [(event.by, event.what) for event in case.history] == [
        ("monitor", "opened"),
        ("A. Colleague", "ack"),
    ]


def test_an_acknowledgement_moves_the_due_time_on_to_the_decision(place: Workplace) -> None:
    before = find(place, "KJS-0001")

    after = act(place, "KJS-0001", Doing(act=Act.ACK, by="A. Colleague"))

    assert before.due == NOW
    assert after.due == NOW + timedelta(minutes=60)


def test_every_act_but_an_acknowledgement_needs_a_reason_and_a_name(place: Workplace) -> None:
    with pytest.raises(CaseError, match="--why"):
        act(place, "KJS-0001", Doing(act=Act.CLOSE, by="A"))
    with pytest.raises(CaseError, match="--by"):
        act(place, "KJS-0001", Doing(act=Act.ACK, by=" "))


def test_a_closed_case_takes_only_notes_until_it_is_reopened(place: Workplace) -> None:
    act(place, "KJS-0001", Doing(act=Act.CLOSE, by="A", why="done"))

    with pytest.raises(CaseError, match="reopen"):
        act(place, "KJS-0001", Doing(act=Act.ANSWER, by="A", why="said sorry"))
    act(place, "KJS-0001", Doing(act=Act.NOTE, by="A", why="for the record"))
    assert act(place, "KJS-0001", Doing(act=Act.REOPEN, by="A", why="again")).state is CaseState.NEW


def test_the_long_list_shows_what_is_closed_and_what_has_been_open_longer_than_it_looks_back(tmp_path: Path) -> None:
    now = [NOW - timedelta(days=100)]
    settings = Settings.model_validate(
        {
            "file": tmp_path / "monitor.toml",
            "privacy": {
                "dpia": {"reference": "R", "owner": "O", "signed": date(2026, 1, 1), "review_due": date(2030, 1, 1)}
            },
        }
    )
    with open_workplace(settings, secrets=Secrets({}), clock=lambda: now[0]) as place:
        for number in (1, 2):
            mention = Mention(source="feeds", native_id=str(number), url="", text=f"{number}.", published=now[0])
            take(place.store, now[0], mentions.Arrival(mention=mention, author_key="", sha256=mention.sha256))
            opened_case(place.store, number, now[0])
            now[0] = NOW
        act(place, "KJS-0002", Doing(act=Act.CLOSE, by="A. Person", why="answered"))

        assert [case.reference for case in listed(place)] == ["KJS-0001"]
        assert [case.reference for case in listed(place, closed_too=True)] == ["KJS-0001", "KJS-0002"]


def test_only_a_named_role_lowers_an_emergency_and_anyone_raises(place: Workplace) -> None:
    lower = Doing(act=Act.RAISE, by="A", why="historic", severity=Severity.P1)
    with pytest.raises(CaseError, match="lower a P0"):
        act(place, "KJS-0001", lower)

    lowered = act(place, "KJS-0001", Doing(act=Act.RAISE, by="A", why="x", severity=Severity.P1, role="dsl"))
    raised = act(place, "KJS-0001", Doing(act=Act.RAISE, by="B", why="it spreads", severity=Severity.P0))

    assert (lowered.severity, raised.severity) == (Severity.P1, Severity.P0)


def test_a_case_never_goes_to_the_person_it_is_about(place: Workplace) -> None:
    doing = Doing(act=Act.ASSIGN, by="A", why="x", to="headteacher", about_role="headteacher")

    with pytest.raises(CaseError, match="assign it to chair"):
        act(place, "KJS-0001", doing)
    assert act(place, "KJS-0001", Doing(act=Act.ASSIGN, by="A", why="x", to="chair")).owner == "chair"


def test_an_unknown_case_role_or_category_is_named(place: Workplace) -> None:
    with pytest.raises(CaseError, match="KJS-0099"):
        find(place, "KJS-0099")
    with pytest.raises(CaseError, match="roles:"):
        act(place, "KJS-0001", Doing(act=Act.ASSIGN, by="A", why="x", to="postman"))
    with pytest.raises(CaseError, match="categories:"):
        relabel(place, "KJS-0001", by="A", why="x", category="NO_SUCH", severity=None)


def test_a_wrong_tag_becomes_a_labelled_example(place: Workplace) -> None:
    file = relabel(place, "KJS-0001", by="A", why="a play", category="PRAISE", severity=None)

    (label,) = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert (label["category"], label["severity"], label["relevant"]) == ("PRAISE", "P4", "yes")
    assert file.stat().st_mode & 0o777 == 0o600
    assert find(place, "KJS-0001").state.is_open


def test_not_about_us_closes_the_case_and_becomes_a_labelled_example(place: Workplace) -> None:
    file = relabel(place, "KJS-0001", by="A", why="Almondbury", category=None, severity=None)

    (label,) = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert (label["category"], label["severity"], label["relevant"]) == ("NOT_RELEVANT", None, "no")
    assert find(place, "KJS-0001").state is CaseState.CLOSED


def test_words_that_are_erased_cannot_become_an_example(place: Workplace) -> None:
    with place.store.write() as connection:
        mentions.erase(connection, [1], now=NOW, why="kept long enough", forget=frozenset())

    with pytest.raises(CaseError, match="erased"):
        relabel(place, "KJS-0001", by="A", why="x", category=None, severity=None)
