"""What holds words of posts or secrets can be read by its owner alone, whatever the umask."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.jobs import status
from monitor.jobs.casework import relabel
from monitor.jobs.incident import watch
from monitor.jobs.incident_terms import Terms
from monitor.jobs.judge import judge_pending
from monitor.jobs.workplace import open_workplace
from monitor.rehearsal.server import Reply, Server
from monitor.settings import Secrets, Settings
from monitor.store import cases
from tests.test_main_job import Hands, run_job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FEED = (
    b'<?xml version="1.0"?><rss version="2.0"><channel><title>P</title><item><title>KJS toilets</title>'
    b"<link>https://paper.example/1</link><pubDate>Mon, 23 Nov 2026 06:00:00 GMT</pubDate><description>"
    b"Toilet protest at King James's School in Knaresborough</description></item></channel></rss>"
)


@pytest.fixture
def careless() -> Iterator[None]:
    """A process that would leave everything open to everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("careless")
@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes; its folders are private by inheritance")
def test_every_file_is_its_owners_alone_even_without_a_umask(tmp_path: Path) -> None:
    """Database, -wal, -shm, outbox, reports, evidence, backups, keys, labels, status: 0600, in folders of 0700."""
    hands = Hands(datetime(2026, 11, 23, 7, 20, tzinfo=UTC))
    with Server({"/rss": lambda _: Reply(body=FEED)}) as server:
        dpia = {"reference": "R", "owner": "O", "signed": date(2026, 1, 5), "review_due": date(2030, 1, 1)}
        settings = Settings.model_validate(
            {
                "file": tmp_path / "monitor.toml",
                "privacy": {"dpia": dpia},
                "roles": {"response_owner": "owner@school.example", "senior_leader": "leader@school.example"},
                "reading": {"private_hosts": (server.host,)},
                "sources": {"feeds": {"feeds": [{"name": "Paper", "url": f"{server.url}/rss"}]}},
            }
        )
        with open_workplace(settings, secrets=Secrets({}), clock=hands) as place:
            place.handles.key("feeds", "somebody", hands.now)
            for name in ("collect", "daily", "weekly", "retention", "backup"):
                run_job(place, name)
            since = hands.now - timedelta(days=2)
            assert list(watch(place, Terms.of(["toilet protest"]), since=since, judge=judge_pending, tell=True))
            place.postman.deliver()
            status.write(status.status_of(place, ("collect",)), settings.folder)
            with place.store.read() as connection:
                reference = cases.still_open(connection)[0].reference
            relabel(place, reference, by="A", why="wrong", category="QUESTION", severity=None)
            found = {file: stat.S_IMODE(file.stat().st_mode) for file in settings.folder.rglob("*")}
            files = {file.relative_to(settings.folder): mode for file, mode in found.items() if file.is_file()}
            folders = {file for file, mode in found.items() if file.is_dir() and mode & 0o077}

    kinds = {name.suffix for name in files}
    assert {".sqlite", ".sqlite-wal", ".sqlite-shm", ".eml", ".html", ".zip", ".json", ".jsonl"} <= kinds, json.dumps(
        sorted(kinds)
    )
    assert {str(name): oct(mode) for name, mode in files.items() if mode != 0o600} == {}
    assert folders == set()
    assert stat.S_IMODE(settings.folder.stat().st_mode) == 0o700
