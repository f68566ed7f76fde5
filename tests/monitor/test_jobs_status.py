"""One small file says whether the clock runs and what needs a person; a look at it waits for nothing."""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from monitor.cli import group
from monitor.errors import StoreError
from monitor.jobs import status
from monitor.store import journal, outbox

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.jobs.workplace import Workplace
    from tests.monitor.conftest import Hands

NAMES = ("collect", "daily")


def ended(place: Workplace, job: str, error: str = "") -> None:
    """Note a run of a job that began and ended now."""
    now = place.clock()
    with place.store.write() as connection:
        number = journal.start(connection, job, planned=now, now=now)
        journal.finish(connection, number, now=now, error=error)


def queue(place: Workplace) -> None:
    """Put a message into the outbox."""
    now = place.clock()
    made = outbox.OutMessage(
        message_id="<a@school.example>",
        kind="daily",
        recipient="owner@school.example",
        subject="S",
        content=b"Subject: S",
        queued=now,
        next_try=now,
    )
    with place.store.write() as connection:
        outbox.queue(connection, made)


def test_a_clock_whose_jobs_ended_well_needs_nobody(place: Workplace) -> None:
    ended(place, "collect")

    found = status.status_of(place, NAMES)

    assert found.well
    assert [(job.name, job.outcome) for job in found.jobs] == [("collect", "done")]


def test_a_job_whose_newest_run_failed_needs_a_person_until_it_runs_again(place: Workplace, hands: Hands) -> None:
    ended(place, "daily", error="the relay refused the password")
    troubled = status.status_of(place, NAMES)
    hands.forward(minutes=15)
    ended(place, "daily")

    assert troubled.troubles == ("daily: failed: the relay refused the password",)
    assert status.status_of(place, NAMES).well


def test_mail_that_waits_for_hours_needs_a_person(place: Workplace, hands: Hands) -> None:
    queue(place)
    fresh = status.status_of(place, NAMES)
    hands.forward(minutes=61)

    late = status.status_of(place, NAMES)

    assert (fresh.waiting, fresh.well) == (1, True)
    assert late.troubles == ("1 messages wait, the oldest since 23 Nov 09:00 UTC: see federation-monitor doctor",)


def test_what_is_written_is_read_again_and_only_its_owner_may_read_it(place: Workplace) -> None:
    ended(place, "collect", error="no")
    queue(place)
    written = status.status_of(place, NAMES)

    status.write(written, place.settings.folder)

    file = place.settings.folder / status.FILE
    assert status.read(place.settings.folder, place.clock()) == written
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.glob("*.half")) == []


def test_a_status_that_grows_old_says_that_the_clock_has_stopped(place: Workplace, hands: Hands) -> None:
    status.write(status.status_of(place, NAMES), place.settings.folder)
    hands.forward(minutes=3)

    found = status.read(place.settings.folder, hands())

    assert found.troubles == ("the clock has stopped: it wrote last at 23 Nov 09:00 UTC; start scheduler.py",)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"at": "noon"}', "\x00"])
def test_a_file_that_is_no_status_is_said_to_be_none(content: str, tmp_path: Path, hands: Hands) -> None:
    (tmp_path / status.FILE).write_text(content, encoding="utf-8")

    with pytest.raises(StoreError, match="cannot be read"):
        status.read(tmp_path, hands())


def test_where_no_clock_ran_that_is_said(tmp_path: Path, hands: Hands) -> None:
    with pytest.raises(StoreError, match="no clock has run here yet"):
        status.read(tmp_path, hands())


def test_the_command_answers_for_people_and_for_programs_with_its_exit_code(
    place: Workplace, tmp_path: Path, hands: Hands
) -> None:
    """The clock of this test went a year ago, so the command finds that it has stopped."""
    hands.forward(days=-365)
    config = tmp_path / "monitor.toml"
    config.write_text("", encoding="utf-8")
    ended(place, "collect")
    status.write(status.status_of(place, NAMES), place.settings.folder)

    told = CliRunner().invoke(group, ["status", "--config", str(config)])
    plain = CliRunner().invoke(group, ["status", "--config", str(config), "--json"])

    assert (told.exit_code, plain.exit_code) == (1, 1)
    assert "needs a person: the clock has stopped" in told.output
    assert json.loads(plain.output)["well"] is False


def test_the_command_says_that_all_is_well(place: Workplace, tmp_path: Path) -> None:
    config = tmp_path / "monitor.toml"
    config.write_text("", encoding="utf-8")
    now = status.status_of(place, NAMES)
    status.write(
        status.Status(
            at=now.at + timedelta(days=36500), jobs=now.jobs, waiting=0, waiting_since=None, troubles=now.troubles
        ),
        place.settings.folder,
    )

    told = CliRunner().invoke(group, ["status", "--config", str(config)])

    assert told.exit_code == 0
    assert told.output.startswith("all is well")
