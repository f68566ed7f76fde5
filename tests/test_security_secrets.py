"""Secrets stand nowhere but where they were put: every one is planted, everything fails, and everything is searched."""

from __future__ import annotations

import logging
import traceback
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.errors import ConfigError, MonitorError
from monitor.jobs import status as status_file
from monitor.jobs.checkup import check
from monitor.jobs.incident import watch
from monitor.jobs.incident_terms import Terms
from monitor.jobs.judge import judge_pending
from monitor.jobs.workplace import open_workplace
from monitor.rehearsal.everywhere import everywhere
from monitor.rehearsal.server import Server, reset, status
from monitor.rehearsal.stands import KINDS, Said
from monitor.settings import Secrets, Settings, load
from tests.saying import sentence
from tests.test_main_job import Hands, post_office, run_job, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.rehearsal.server import Fault
    from monitor.rehearsal.stands import Stand

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DATABASE = "plantedDatabasePassword"
FAULTS: dict[str, Fault | None] = {
    "as they are": None,
    "refused": status(401, body=b"who are you?"),
    "broken": status(500),
    "hung up": reset(),
}


def planted(stands: dict[str, Stand], port: int) -> dict[str, str]:
    """Return a wrong, unmistakable secret for every one that the product can hold."""
    names = [name for stand in stands.values() for name in stand.secrets]
    return {name: f"planted{number}{name.replace('_', '').lower()}" for number, name in enumerate(names)} | {
        "MONITOR_SMTP_PASSWORD": "plantedSmtpPassword",
        "MONITOR_CHANNEL_DSL": f"json://127.0.0.1:{port}/plantedChannelToken",
        "MONITOR_ALERTS_1": f"http://127.0.0.1:{port}/feed?key=plantedFeedAddress",
    }


def words_of(secrets: dict[str, str]) -> set[str]:
    """Return what must be found nowhere: the telling part of each secret."""
    return {value.rpartition("/")[2].rpartition("=")[2] for value in secrets.values()} | {DATABASE}


def settings_of(folder: Path, stands: dict[str, Stand], port: int, *, mail: int) -> Settings:
    """Return settings in which every platform is on, with a feed and a channel whose addresses are secrets."""
    sources = {name: stand.table for name, stand in stands.items()}
    feeds = [*sources["feeds"].get("feeds", ()), {"name": "Alerts", "url_secret": "ALERTS_1"}]
    hosts = (*(stand.server.host for stand in stands.values()), f"127.0.0.1:{port}")
    plain = settings_for(
        folder, port=mail, sources=sources | {"feeds": sources["feeds"] | {"feeds": feeds}}, hosts=hosts
    )
    locked = plain.mail.model_copy(update={"security": "starttls", "username": "monitor"})
    channels = plain.channels.model_validate(
        {"schools": {"KJS": {"dsl": ["CHANNEL_DSL"]}, "BHS": {"dsl": ["CHANNEL_DSL"]}}}
    )
    return plain.model_copy(update={"mail": locked, "channels": channels})


def test_no_planted_secret_stands_in_what_is_printed_logged_stored_or_sent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Wrong credentials, 401, 500 and broken lines on fourteen platforms, mail and a channel; every log at DEBUG."""
    caplog.set_level(logging.DEBUG)
    hands = Hands(NOON)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    told: list[str] = []
    with everywhere(hands, inbox) as stands, Server() as other, post_office() as (box, mail):
        for row, (name, kinds) in enumerate(KINDS.items()):
            urgent = (
                "I'm bringing a knife to King James's School in Knaresborough tomorrow" if row < 3 else sentence(row)
            )
            stands[name].say([Said(number=1, text=urgent, at=NOON - timedelta(hours=1), kind=kinds[0])])
        secrets = planted(stands, other.port)
        settings = settings_of(tmp_path, stands, other.port, mail=mail)
        with open_workplace(settings, secrets=Secrets(secrets), clock=hands) as place:
            for fault in FAULTS.values():
                for server in (*(stand.server for stand in stands.values()), other):
                    server.mend()
                    if fault is not None:
                        server.play(fault)
                for job in ("collect", "recheck", "deliver"):
                    run_job(place, job)
                hands.forward(hours=7)
            for job in ("daily", "weekly", "retention", "backup", "deliver"):
                run_job(place, job)
            told.append(repr(check(place, timedelta(days=3), ask=True, test_channels=True)))
            told += [repr(page) for page in watch(
                place, Terms.of(["knife"]), since=NOON, judge=judge_pending, tell=True
            )]  # fmt: skip
            for attempt in (place.postman.greet, lambda: place.courier.send("CHANNEL_DSL", "title", "body")):
                with suppress(MonitorError):
                    try:
                        attempt()
                    except MonitorError as error:
                        told.append("".join(traceback.format_exception(error)))
                        raise
            status_file.write(status_file.status_of(place, ("collect", "deliver")), place.settings.folder)
            told += [repr(place), repr(place.settings), repr(place.secrets)]
        told += [str(message) for _, message in box.messages]
    printed = capfd.readouterr()
    told += [caplog.text, printed.out, printed.err]
    files = [file for file in tmp_path.rglob("*") if file.is_file()]

    assert "AccessRefused" in caplog.text + told[0] or "refuses us" in "".join(told)
    assert any(".sqlite" in file.name for file in files)
    assert any("backup" in str(file) for file in files)
    assert len("".join(told)) > 10_000
    for secret in words_of(secrets):
        assert not any(secret in one for one in told), secret
        assert [file for file in files if secret.encode() in file.read_bytes()] == [], secret


def test_the_keys_of_handles_stand_in_their_own_file_alone(tmp_path: Path) -> None:
    hands = Hands(NOON)
    settings = settings_for(
        tmp_path, port=25, sources={"feeds": {"enabled": False}, "pages": {"enabled": False}}, hosts=()
    )
    with open_workplace(settings, secrets=Secrets({}), clock=hands) as place:
        place.handles.key("bluesky", "somebody.example", NOON)
        run_job(place, "backup")
        own = place.settings.folder / "handles.json"
        keys = [word for word in own.read_text(encoding="utf-8").split('"') if len(word) > 30]
        assert keys
        others = [file for file in tmp_path.rglob("*") if file.is_file() and file != own]
        assert [file for file in others for key in keys if key.encode() in file.read_bytes()] == []
        assert not any(key in repr(place) for key in keys)


def test_a_database_password_in_the_configuration_is_refused_and_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "monitor.toml"
    file.write_text(f'[storage]\ndatabase = "postgresql+psycopg://monitor:{DATABASE}@db.example/monitor"\n')

    with pytest.raises(ConfigError) as caught:
        load(file, {})

    assert "PGPASSFILE" in str(caught.value)
    assert DATABASE not in "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__)
