"""Logs are lines for people or JSON for a service manager, always on stderr."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
import structlog

from monitor import logs

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def own_settings() -> Iterator[None]:
    """Leave the logging of the other tests as it was."""
    handlers = list(logging.root.handlers)
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers


def test_a_service_manager_gets_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    logs.log().info("job done", job="daily", sent=1)
    shown = capsys.readouterr()
    assert shown.out == ""
    line = json.loads(shown.err)
    assert (line["event"], line["level"], line["job"], line["sent"]) == ("job done", "info", "daily", 1)
    assert line["timestamp"].endswith("Z")


def test_people_get_words(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(json_lines=False)
    logs.log().error("job failed", job="daily")
    shown = capsys.readouterr().err
    assert "job failed" in shown
    assert "job=daily" in shown


def test_what_is_of_no_use_to_anybody_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(json_lines=True)
    logs.log().debug("detail")
    assert capsys.readouterr().err == ""
