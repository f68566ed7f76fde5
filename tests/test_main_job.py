"""The main job, end to end: the clock's own jobs, real HTTP in, a real SMTP server out."""

from __future__ import annotations

import calendar
import email
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from email import policy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import feedparser
import pytest

from monitor.jobs.workplace import open_workplace
from monitor.records import Outcome, Relevance, Sight, Window
from monitor.rehearsal.server import Reply, Server
from monitor.rehearsal.town import DemoTown
from monitor.settings import Secrets, Settings
from monitor.store import cases, mentions, runs
from scheduler import Clockwork
from tests.post_office import AnyPort

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from monitor.jobs.workplace import Workplace
    from monitor.rehearsal.server import Request

REAL_FEEDS = Path(__file__).parents[2] / "shared" / "platforms" / "samples" / "feeds"


class Hands:
    """A clock whose hands a test moves."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


class Postbox:
    """Keeps what an SMTP server is given; can be told to refuse."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, EmailMessage]] = []
        self.refuses = ""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ANN401, N802
        del server, session
        if self.refuses:
            return self.refuses
        message = email.message_from_bytes(envelope.content, policy=policy.default)
        self.messages.append((envelope.rcpt_tos[0], message))
        return "250 taken"

    def to(self, address: str, kind: str) -> list[EmailMessage]:
        return [m for to, m in self.messages if to == address and m["List-Id"].startswith(f"<{kind}.")]


@contextmanager
def post_office() -> Iterator[tuple[Postbox, int]]:
    """Run an SMTP server on this machine; give its postbox and its port."""
    box = Postbox()
    controller = AnyPort(box, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        yield box, controller.port
    finally:
        controller.stop()


def settings_for(folder: Path, *, port: int, sources: dict[str, Any], hosts: tuple[str, ...]) -> Settings:
    """Return settings that read local servers and mail to the local post office."""
    school = {"headteacher": "head@school.example", "dsl": "dsl@school.example"}
    return Settings.model_validate(
        {
            "file": folder / "monitor.toml",
            "federation": {"contact": "monitor@school.example"},
            "privacy": {
                "dpia": {
                    "reference": "DPIA-TEST",
                    "owner": "DPO",
                    "signed": date(2026, 1, 5),
                    "review_due": date(2030, 1, 1),
                }
            },
            "roles": {"response_owner": "owner@school.example", "schools": {"BHS": school, "KJS": school}},
            "mail": {
                "host": "127.0.0.1",
                "port": port,
                "security": "none",
                "sender": "monitor@school.example",
            },
            "reading": {"private_hosts": hosts},
            "sources": sources,
        }
    )


def run_job(place: Workplace, name: str) -> None:
    """Run one of the clock's own jobs for this very moment."""
    clockwork = Clockwork(place)
    clockwork.run(clockwork.planned(name), place.clock())


@pytest.fixture
def hands() -> Hands:
    """Monday 23 November 2026, a few minutes before the digest."""
    return Hands(datetime(2026, 11, 23, 7, 20, tzinfo=UTC))


def test_the_planted_posts_arrive_rightly_judged_in_one_delivered_digest(tmp_path: Path, hands: Hands) -> None:
    """Collect, judge, digest, deliver: exactly what was planted about our schools, once, and no namesake."""
    with DemoTown(hands) as town, post_office() as (box, port):
        settings = settings_for(tmp_path, port=port, sources=town.sources, hosts=town.private_hosts)
        with open_workplace(settings, secrets=Secrets({}), clock=hands) as place:
            run_job(place, "collect")
            hands.forward(minutes=15)
            run_job(place, "collect")
            hands.now = datetime(2026, 11, 23, 7, 30, tzinfo=UTC) + timedelta(minutes=10)
            run_job(place, "daily")
            run_job(place, "daily")
            with place.store.read() as connection:
                whole = Window(start=hands.now - timedelta(days=2), end=hands.now)
                stored = mentions.between(connection, whole)
                opened = cases.opened_in(connection, whole)
                done = runs.between(connection, whole)

    wanted = {(p.source, p.native_id): p.story for p in town.planted if p.ours}
    found = {(s.mention.source, s.mention.native_id): s for s in stored}
    assert found.keys() == wanted.keys()
    for key, story in wanted.items():
        judgement = found[key].judgement
        assert judgement is not None
        assert judgement.relevant is not Relevance.NO
        assert set(judgement.schools) <= set(story.schools)
        if story.category:
            assert judgement.category == story.category, story.name

    digests = box.to("owner@school.example", "daily")
    assert len(digests) == 1
    html = digests[0].get_body(("html",)).get_content()  # type: ignore[union-attr]
    for case in opened:
        assert case.reference in html
    namesakes = [p.story for p in town.planted if not p.ours]
    assert namesakes
    assert all(story.title not in html for story in namesakes if story.title)
    assert sum(sum(run.dropped.values()) for run in done) >= len(namesakes)
    assert all(run.new == 0 for run in done[2:]), "a second reading found something new"


def test_urgent_posts_are_alerted_to_those_who_may_know_and_never_quoted_to_others(
    tmp_path: Path, hands: Hands
) -> None:
    """A P0 goes to its owner, the DSL and the headteacher in the very run that found it, words to readers only."""
    with DemoTown(hands) as town, post_office() as (box, port):
        settings = settings_for(tmp_path, port=port, sources=town.sources, hosts=town.private_hosts)
        with open_workplace(settings, secrets=Secrets({}), clock=hands) as place:
            run_job(place, "collect")
            with place.store.read() as connection:
                emergencies = [c for c in cases.still_open(connection) if c.severity == "P0"]
                words = mentions.by_number(connection, [c.mention_id for c in emergencies])
            first = len(box.messages)
            run_job(place, "deliver")
            again = len(box.messages)

    assert emergencies
    assert again == first, "an alert went out twice"
    for case in emergencies:
        text = words[case.mention_id].mention.text
        told = {to: m for to, m in box.messages if case.reference in m["Subject"]}
        assert told.keys() == {"dsl@school.example", "head@school.example"}
        if "headteacher" not in case.readers:
            body = told["head@school.example"].get_body(("plain",)).get_content()  # type: ignore[union-attr]
            assert text[:40] not in " ".join(body.split())


def test_a_source_that_fails_is_shown_as_not_read_and_the_others_go_on(tmp_path: Path, hands: Hands) -> None:
    """One broken feed among good ones: the good ones arrive, and the digest says what was not seen."""
    with DemoTown(hands) as town, post_office() as (box, port):
        broken = {"name": "Gone Gazette", "url": f"{town.server.url}/no-such-feed"}
        tables = town.sources
        tables["feeds"]["feeds"].append(broken)
        settings = settings_for(tmp_path, port=port, sources=tables, hosts=town.private_hosts)
        with open_workplace(settings, secrets=Secrets({}), clock=hands) as place:
            run_job(place, "collect")
            hands.forward(minutes=20)
            run_job(place, "daily")
            with place.store.read() as connection:
                stored = mentions.between(connection, Window(start=hands.now - timedelta(days=1), end=hands.now))

    assert stored
    (digest,) = box.to("owner@school.example", "daily")
    assert "COVERAGE GAP" in digest["Subject"] or "not read" in digest["Subject"]
    text = digest.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "NOT SEEN" in text.upper()


def test_a_relay_that_refuses_is_tried_again_and_the_digest_arrives_once(tmp_path: Path, hands: Hands) -> None:
    """A temporary refusal delays the message; it is sent once when the relay is back."""
    with DemoTown(hands) as town, post_office() as (box, port):
        settings = settings_for(tmp_path, port=port, sources=town.sources, hosts=town.private_hosts)
        with open_workplace(settings, secrets=Secrets({}), clock=hands) as place:
            box.refuses = "451 come back later"
            run_job(place, "daily")
            assert not box.messages
            box.refuses = ""
            for _ in range(4):
                hands.forward(minutes=2)
                run_job(place, "deliver")

    assert len(box.to("owner@school.example", "daily")) == 1


@pytest.mark.skipif(not REAL_FEEDS.is_dir(), reason="../shared/platforms/samples/feeds is not beside the project")
@pytest.mark.parametrize("name", [file.name for file in sorted(REAL_FEEDS.glob("*.xml"))])
def test_a_real_feed_is_read_in_place_and_none_of_its_posts_is_taken_for_ours(
    tmp_path: Path, hands: Hands, name: str
) -> None:
    """Real public feeds, good and ill-formed, on the day of their newest entry: read whole, nothing is ours."""
    content = (REAL_FEEDS / name).read_bytes()
    entries = feedparser.parse(content).entries
    dates = [entry.get("published_parsed") or entry.get("updated_parsed") for entry in entries]
    moments = [datetime.fromtimestamp(calendar.timegm(date), UTC) for date in dates if date]
    hands.now = max(moments, default=hands.now)

    def serve(_request: Request) -> Reply:
        return Reply(body=content, headers={"Content-Type": "application/xml"})

    with Server({"/feed": serve}) as server, post_office() as (_, port):
        sources = {"feeds": {"feeds": [{"name": name, "url": f"{server.url}/feed"}]}}
        settings = settings_for(tmp_path, port=port, sources=sources, hosts=(server.host,))
        with open_workplace(settings, secrets=Secrets({}), clock=hands) as place:
            run_job(place, "collect")
            with place.store.read() as connection:
                run = runs.latest(connection, "feeds")

    assert run is not None
    assert run.outcome is Outcome.COMPLETE
    assert run.seen > 0
    assert run.new == 0
    assert sum(run.dropped.values()) == run.seen


def test_coverage_says_never_read_before_the_first_run(tmp_path: Path, hands: Hands) -> None:
    """Before anything was read there is no zero anywhere: every source that is on says "never read"."""
    from monitor.jobs.coverage import coverage  # noqa: PLC0415 - the one test that looks at it alone

    with DemoTown(hands) as town:
        settings = settings_for(tmp_path, port=25, sources=town.sources, hosts=town.private_hosts)
        with (
            open_workplace(settings, secrets=Secrets({}), clock=hands) as place,
            place.store.read() as connection,
        ):
            seen = coverage(place, connection, Window(start=hands.now - timedelta(days=1), end=hands.now))

    on = [c for c in seen if c.sight is not Sight.OFF]
    assert on
    assert all(c.sight is Sight.NEVER and c.new is None for c in on)
