"""What goes wrong in the world, through the whole job: nothing lost, nothing doubled, nothing injected."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import pytest

from monitor.jobs.workplace import open_workplace
from monitor.records import Outcome, Window
from monitor.rehearsal.server import Reply, Server
from monitor.settings import Secrets
from monitor.store import mentions, runs
from tests.test_main_job import Hands, post_office, run_job, settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.jobs.workplace import Workplace
    from monitor.records import StoredMention
    from monitor.rehearsal.server import Request

HOUSE = Path(__file__).parents[1]
OURS = "Toilets at King James's School in Knaresborough are locked again"

HOSTILE = (
    "<script>alert(1)</script> " + OURS,
    "\N{RIGHT-TO-LEFT OVERRIDE}" + OURS + "\N{ZERO WIDTH SPACE}",
    OURS + "\r\nBcc: everyone@school.example\r\n\r\nhello",
    "{{ 7*7 }} {% for x in [] %} " + OURS,
    "'; DROP TABLE mentions; -- " + OURS,
    '"><img src=x onerror=alert(1)> ' + OURS,
    OURS + " =HYPERLINK(1)",
    OURS + " " + "a" * 1_000_000,
)


@pytest.fixture
def hands() -> Hands:
    """Monday 23 November 2026, before the digest."""
    return Hands(datetime(2026, 11, 23, 7, 20, tzinfo=UTC))


def rss(items: str) -> bytes:
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>P</title>{items}</channel></rss>'.encode()


def item(number: int, title: str, text: str, link: str = "") -> str:
    return (
        f"<item><title>{escape(title)}</title><link>{link or f'https://paper.example/{number}'}</link>"
        f"<pubDate>Mon, 23 Nov 2026 06:00:00 GMT</pubDate><description>{escape(text)}</description></item>"
    )


def everything(place: Workplace, hands: Hands) -> tuple[StoredMention, ...]:
    week = timedelta(days=14)
    with place.store.read() as connection:
        return mentions.between(connection, Window(start=hands.now - week, end=hands.now + week))


def test_hostile_posts_pass_through_the_whole_job_and_inject_nothing(tmp_path: Path, hands: Hands) -> None:
    """Scripts, headers, templates, SQL, formulas and a megabyte: all stored, judged, and shown as mere text."""
    feed = rss("".join(item(n, text[:200], text) for n, text in enumerate(HOSTILE)))

    def serve(_request: Request) -> Reply:
        return Reply(body=feed, headers={"Content-Type": "application/rss+xml"})

    with Server({"/rss": serve}) as server, post_office() as (box, port):
        sources = {"feeds": {"feeds": [{"name": "Paper", "url": f"{server.url}/rss"}]}}
        settings = settings_for(tmp_path, port=port, sources=sources, hosts=(server.host,))
        with open_workplace(settings, secrets=Secrets({}), clock=hands) as place:
            run_job(place, "collect")
            hands.forward(minutes=11)
            run_job(place, "daily")
            found = everything(place, hands)

    assert len(found) == len(HOSTILE)
    assert all(stored.judgement is not None for stored in found)
    (digest,) = box.to("owner@school.example", "daily")
    assert isinstance(digest, EmailMessage)
    assert digest["Bcc"] is None
    html = digest.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "<script" not in html.replace("<script>alert", "", 0)
    assert "onerror=alert" not in html.replace("&lt;img src=x onerror=alert", "")
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in html
    assert len(html.encode()) < 80_000


def test_a_link_that_runs_code_is_never_stored_as_an_address(tmp_path: Path, hands: Hands) -> None:
    feed = rss(item(1, OURS, OURS, link="javascript:alert(1)") + item(2, OURS + " 2", OURS + " again"))

    with Server({"/rss": lambda _: Reply(body=feed)}) as server, post_office() as (_, port):
        sources = {"feeds": {"feeds": [{"name": "Paper", "url": f"{server.url}/rss"}]}}
        settings = settings_for(tmp_path, port=port, sources=sources, hosts=(server.host,))
        with open_workplace(settings, secrets=Secrets({}), clock=hands) as place:
            run_job(place, "collect")
            found = everything(place, hands)

    assert found
    assert all(not stored.mention.url.startswith("javascript") for stored in found)


def test_a_collection_killed_half_way_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    """SIGKILL while the second feed is being read; the next run finds every post of both, once."""
    reached, hold = threading.Event(), threading.Event()

    def first(_request: Request) -> Reply:
        return Reply(body=rss("".join(item(n, f"{OURS}, part {n}", f"{OURS}, number {n}") for n in range(5))))

    def second(_request: Request) -> Reply:
        reached.set()

        def pieces() -> Iterator[bytes]:
            hold.wait(60)
            yield rss("".join(item(n, f"{OURS}, part {n}", f"{OURS}, number {n}") for n in range(5, 9)))

        return Reply(body=pieces())

    with Server({"/first": first, "/second": second}) as server:
        feeds = [{"name": name, "url": f"{server.url}/{name}"} for name in ("first", "second")]
        settings = settings_for(tmp_path, port=25, sources={"feeds": {"feeds": feeds}}, hosts=(server.host,))
        config = {
            "privacy": settings.privacy.model_dump(mode="json"),
            "reading": {"private_hosts": [server.host]},
            "sources": {"feeds": {"feeds": feeds}},
        }
        code = (
            "import json, sys; from pathlib import Path\n"
            "from monitor.jobs.collect import collect\n"
            "from monitor.jobs.workplace import open_workplace\n"
            "from monitor.settings import Secrets, Settings\n"
            "content = json.loads(sys.argv[1])\n"
            "settings = Settings.model_validate({**content, 'file': Path(sys.argv[2])})\n"
            "with open_workplace(settings, secrets=Secrets({})) as place:\n"
            "    print([run.outcome.value for run in collect(place)])"
        )
        command = [sys.executable, "-c", code, json.dumps(config), str(settings.file)]
        child = subprocess.Popen(command, cwd=HOUSE)  # noqa: S603 - our own program
        assert reached.wait(60)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        hold.set()
        subprocess.run(command, cwd=HOUSE, check=True)  # noqa: S603 - our own program
        subprocess.run(command, cwd=HOUSE, check=True)  # noqa: S603 - our own program
        with open_workplace(settings, secrets=Secrets({})) as place, place.store.read() as connection:
            now = datetime.now(UTC)
            whole = Window(start=now - timedelta(days=1), end=now + timedelta(minutes=1))
            found = mentions.between(connection, whole)
            done = runs.between(connection, whole)

    assert sorted(stored.mention.native_id for stored in found) == [f"https://paper.example/{n}" for n in range(9)]
    assert [run.outcome for run in done] == [Outcome.COMPLETE, Outcome.COMPLETE]
    assert done[1].new == 0


def test_a_clock_that_jumps_back_and_forth_doubles_nothing(tmp_path: Path, hands: Hands) -> None:
    feed = rss(item(1, OURS, OURS))
    with Server({"/rss": lambda _: Reply(body=feed)}) as server, post_office() as (box, port):
        sources = {"feeds": {"feeds": [{"name": "Paper", "url": f"{server.url}/rss"}]}}
        settings = settings_for(tmp_path, port=port, sources=sources, hosts=(server.host,))
        with open_workplace(settings, secrets=Secrets({}), clock=hands) as place:
            run_job(place, "collect")
            for days in (-3, 5, -2):
                hands.forward(days=days)
                run_job(place, "collect")
            run_job(place, "daily")
            found = everything(place, hands)

    assert len(found) == 1
    assert len(box.to("owner@school.example", "daily")) == 1
