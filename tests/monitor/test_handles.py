"""Handles become keyed hashes that link nothing, and their keys go."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import StoreError
from monitor.handles import KEPT_PERIODS, PERIOD, Handles

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "handles.json"


def test_one_account_has_one_hash_in_one_period(file: Path) -> None:
    handles = Handles(file)
    assert handles.key("x", "@Jane", NOW) == handles.key("x", "jane", NOW + timedelta(hours=1))
    assert handles.key("x", "jane", NOW) != handles.key("x", "june", NOW)


def test_the_hash_is_keyed_and_nothing_of_the_handle_is_in_it(file: Path, tmp_path: Path) -> None:
    one, other = Handles(file), Handles(tmp_path / "other.json")
    assert one.key("x", "jane", NOW) != other.key("x", "jane", NOW)
    assert len(one.key("x", "jane", NOW)) == 32
    assert "jane" not in file.read_text()


def test_an_account_is_not_linked_across_platforms(file: Path) -> None:
    handles = Handles(file)
    assert handles.key("x", "jane", NOW) != handles.key("mastodon", "jane", NOW)


def test_no_handle_has_no_hash_and_makes_no_key(file: Path) -> None:
    assert Handles(file).key("x", "", NOW) == ""
    assert not file.exists()


def test_the_key_survives_a_restart_and_is_its_owners_alone(file: Path) -> None:
    before = Handles(file).key("x", "jane", NOW)
    assert Handles(file).key("x", "jane", NOW) == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert list(file.parent.iterdir()) == [file]


def test_each_period_of_thirty_days_has_a_key_of_its_own(file: Path) -> None:
    handles = Handles(file)
    assert handles.key("x", "jane", NOW) != handles.key("x", "jane", NOW + PERIOD)
    assert timedelta(days=30) == PERIOD
    assert handles.all_keys("x", "jane") == (
        handles.key("x", "jane", NOW),
        handles.key("x", "jane", NOW + PERIOD),
    )


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=4000)))
def test_two_moments_share_a_key_only_within_thirty_days(after: timedelta) -> None:
    epoch = datetime(2020, 1, 1, tzinfo=UTC)
    assert ((epoch + after) - epoch) // PERIOD == after.days // 30


def test_old_keys_are_destroyed(file: Path) -> None:
    """By the nightly job alone: a clock that is a year ahead for a minute destroys none."""
    handles = Handles(file)
    first = handles.key("x", "jane", NOW)
    for period in range(1, KEPT_PERIODS):
        handles.key("x", "jane", NOW + PERIOD * period)
    assert first in handles.all_keys("x", "jane")
    handles.key("x", "jane", NOW + PERIOD * KEPT_PERIODS)
    assert first in handles.all_keys("x", "jane")
    handles.forget_old(NOW + PERIOD * KEPT_PERIODS)
    assert first not in handles.all_keys("x", "jane")
    assert len(json.loads(file.read_text())) == KEPT_PERIODS
    assert len(Handles(file).all_keys("x", "jane")) == KEPT_PERIODS


def test_two_processes_agree_on_a_new_key(file: Path) -> None:
    one, other = Handles(file), Handles(file)
    assert one.key("x", "jane", NOW) == other.key("x", "jane", NOW)


def test_many_that_make_the_first_key_at_the_same_moment_agree_on_it(tmp_path: Path) -> None:
    """Two collections at once, on the first day of a monitor or of a period."""
    for day in range(20):
        file, start = tmp_path / str(day) / "handles.json", Barrier(8)

        def hashed(file: Path = file, start: Barrier = start) -> str:
            handles = Handles(file)
            start.wait()
            return handles.key("x", "jane", NOW)

        with ThreadPoolExecutor(8) as processes:
            found = {one.result() for one in [processes.submit(hashed) for _ in range(8)]}

        assert found == {Handles(file).key("x", "jane", NOW)}
        assert [left.name for left in file.parent.iterdir()] == ["handles.json"]


@pytest.mark.usefixtures("impatient")
def test_what_a_process_left_that_died_while_it_wrote_holds_nobody_off(file: Path) -> None:
    file.parent.mkdir()
    file.with_suffix(".new").write_text('{"84": "ab')
    assert Handles(file).key("x", "jane", NOW) == Handles(file).key("x", "jane", NOW)


@pytest.mark.parametrize(
    "content",
    [
        "no json",
        "[]",
        '{"1": 5}',
        '{"1": null}',
        '{"x": "00"}',
        '{"1": "zz"}',
        '{"1": ""}',
        '{"1": "00ff"}',
        '{"84": "\u00e9"}',
    ],
)
def test_a_damaged_key_file_is_a_clear_error(file: Path, content: str) -> None:
    file.parent.mkdir()
    file.write_text(content, encoding="utf-8")
    with pytest.raises(StoreError, match=r"the key file .*handles\.json"):
        Handles(file)


def test_a_key_file_that_cannot_be_read_is_a_clear_error(file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be read"):
        Handles(file)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits five seconds for another process that will never come to an end."""
    monkeypatch.setattr("monitor.handles.PATIENCE", 2)


@pytest.mark.usefixtures("impatient")
def test_a_key_file_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "handles.new").mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        Handles(tmp_path / "handles.json").key("x", "jane", NOW)


def test_a_key_in_a_damaged_file_is_not_shown(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(json.dumps({"1": "abad1deaabad1dea"}))
    with pytest.raises(StoreError) as caught:
        Handles(file)
    assert "abad1dea" not in str(caught.value)
