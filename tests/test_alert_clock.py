"""Alerts over the clock: who hears of an urgent post how many minutes after it was collected, by mail and channel."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import pytest

from monitor.jobs.casework import Act, Doing, act
from monitor.jobs.workplace import open_workplace
from monitor.records import Severity
from monitor.rehearsal.server import Reply, Server
from monitor.settings import Secrets, Settings
from monitor.store import cases, mentions
from tests.test_main_job import Hands, Postbox, post_office, run_job, settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monitor.jobs.workplace import Workplace
    from monitor.records import Case
    from monitor.rehearsal.server import Request

KNIFE = "I'm bringing a knife to King James's School in Knaresborough tomorrow, just wait and see what happens"
AT_RISK = (
    "There is a lad in Year 8 at King James's School in Knaresborough who comes in hungry "
    "and in the same dirty clothes every week"
)
TOKEN = "t0ken-of-a-phone"


@pytest.fixture
def hands() -> Hands:
    """A Sunday night, 22 November 2026 at 02:10, when nobody is at school."""
    return Hands(datetime(2026, 11, 22, 2, 10, tzinfo=UTC))


def feed(text: str) -> bytes:
    item = (
        f"<item><title>Invented</title><link>https://paper.example/1</link>"
        f"<pubDate>Sun, 22 Nov 2026 02:00:00 GMT</pubDate><description>{escape(text)}</description></item>"
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>P</title>{item}</channel></rss>'.encode()


class Town:
    """A paper, a slow site and the DSL's phone, on one server."""

    def __init__(self, text: str) -> None:
        self.heard: list[dict[str, Any]] = []
        self.phone_answers = 200
        self.reached, self.hold = threading.Event(), threading.Event()
        self.server = Server({"/rss": lambda _: Reply(body=feed(text)), "/slow/*": self.slow, f"/{TOKEN}": self.take})

    def take(self, request: Request) -> Reply:
        if self.phone_answers == 200:
            self.heard.append(request.json())
        return Reply(status=self.phone_answers)

    def slow(self, _request: Request) -> Reply:
        self.reached.set()
        self.hold.wait(60)
        return Reply(body=b"<html></html>")

    def settings(self, folder: Path, port: int, **more: Any) -> Settings:  # noqa: ANN401 - any table
        sources = {"feeds": {"feeds": [{"name": "Paper", "url": f"{self.server.url}/rss"}]}, **more.pop("sources", {})}
        made = settings_for(folder, port=port, sources=sources, hosts=(self.server.host,))
        school = {
            "headteacher": "head@school.example",
            "dsl": "dsl@school.example",
            "deputy_dsl": "deputy@school.example",
        }
        return Settings.model_validate(
            {
                **made.model_dump(),
                "file": made.file,
                "roles": {
                    "response_owner": "owner@school.example",
                    "senior_leader": "leader@school.example",
                    "chair": "chair@school.example",
                    "schools": {"BHS": school, "KJS": school},
                },
                "channels": {"schools": {"KJS": {"dsl": ["CHANNEL_DSL"]}}},
                **more,
            }
        )

    def secrets(self) -> Secrets:
        return Secrets({"MONITOR_CHANNEL_DSL": f"json://127.0.0.1:{self.server.port}/{TOKEN}"})


@contextmanager
def at_work(town: Town, folder: Path, hands: Hands, **more: Any) -> Iterator[tuple[Workplace, Postbox]]:  # noqa: ANN401
    """Open a workplace that reads the town, with a post office beside it."""
    with (
        town.server,
        post_office() as (box, port),
        open_workplace(town.settings(folder, port, **more), secrets=town.secrets(), clock=hands) as place,
    ):
        yield place, box


def alerts_to(box: Postbox) -> set[str]:
    return {to for to, message in box.messages if message["List-Id"].startswith("<alert.")}


def only_case(place: Workplace) -> tuple[Case, str]:
    """The one open case, and the words that are stored of its post."""
    with place.store.read() as connection:
        (case,) = cases.still_open(connection)
        return case, mentions.by_number(connection, [case.mention_id])[case.mention_id].mention.text


def test_a_p0_climbs_its_ladder_by_the_minute_until_the_top(tmp_path: Path, hands: Hands) -> None:
    """In the very run that collected it, after 15 and after 30 minutes, each person once; a channel from the start."""
    town = Town(KNIFE)
    arrived: dict[str, int] = {}
    with at_work(town, tmp_path, hands) as (place, box):
        run_job(place, "collect")
        for minute in range(46):
            for to in alerts_to(box):
                arrived.setdefault(to, minute)
            hands.forward(minutes=1)
            run_job(place, "deliver")
        case, words = only_case(place)

    assert case.severity is Severity.P0
    assert arrived == {
        "head@school.example": 0,
        "dsl@school.example": 0,
        "deputy@school.example": 15,
        "leader@school.example": 15,
        "chair@school.example": 30,
    }
    assert len(box.messages) == len(arrived), "somebody was alerted twice"
    assert [heard["title"] for heard in town.heard] == [f"P0 Immediate: {case.reference}"]
    assert words[:20] not in town.heard[0]["message"]
    assert "federation-monitor case show" in town.heard[0]["message"]


def test_an_acknowledgement_stops_the_ladder(tmp_path: Path, hands: Hands) -> None:
    town = Town(KNIFE)
    with at_work(town, tmp_path, hands) as (place, box):
        run_job(place, "collect")
        hands.forward(minutes=10)
        act(place, only_case(place)[0].reference, Doing(act=Act.ACK, by="A. Colleague"))
        for _ in range(40):
            hands.forward(minutes=1)
            run_job(place, "deliver")

    assert alerts_to(box) == {"head@school.example", "dsl@school.example"}


def test_a_p1_goes_to_its_owner_at_once_and_to_nobody_else(tmp_path: Path, hands: Hands) -> None:
    """At 02:10 on a Sunday too: its clock stands still, its alert does not."""
    town = Town(AT_RISK)
    with at_work(town, tmp_path, hands) as (place, box):
        run_job(place, "collect")
        at_once = alerts_to(box)
        for _ in range(60):
            hands.forward(minutes=1)
            run_job(place, "deliver")
        case, _ = only_case(place)

    assert (case.severity, case.owner) == (Severity.P1, "dsl")
    assert at_once == alerts_to(box) == {"dsl@school.example"}
    assert len(box.messages) == len(town.heard) == 1


def test_a_p0_is_alerted_while_a_slow_source_still_holds_up_the_collection(tmp_path: Path, hands: Hands) -> None:
    """What was stored is judged and alerted by the next minute's job, whatever the other sources do."""
    town = Town(KNIFE)
    slow = {"pages": {"pages": [f"{town.server.url}/slow/1"]}}
    with at_work(town, tmp_path, hands, sources=slow) as (place, box):
        collecting = threading.Thread(target=run_job, args=(place, "collect"))
        collecting.start()
        try:
            assert town.reached.wait(60)
            hands.forward(minutes=1)
            run_job(place, "deliver")
            told_meanwhile = alerts_to(box)
            assert collecting.is_alive()
        finally:
            town.hold.set()
            collecting.join()

    assert told_meanwhile == {"head@school.example", "dsl@school.example"}
    assert len(box.messages) == 2, "the collection alerted them again"


def test_a_channel_that_refuses_delays_no_mail_and_is_told_when_it_is_well_again(tmp_path: Path, hands: Hands) -> None:
    town = Town(KNIFE)
    town.phone_answers = 500
    with at_work(town, tmp_path, hands) as (place, box):
        run_job(place, "collect")
        assert alerts_to(box) == {"head@school.example", "dsl@school.example"}
        town.phone_answers = 200
        for _ in range(3):
            hands.forward(minutes=1)
            run_job(place, "deliver")

    assert len(town.heard) == 1


def test_a_mail_relay_that_is_down_delays_no_channel(tmp_path: Path, hands: Hands) -> None:
    town = Town(KNIFE)
    with at_work(town, tmp_path, hands) as (place, box):
        box.refuses = "451 come back later"
        run_job(place, "collect")

    assert box.messages == []
    assert len(town.heard) == 1
