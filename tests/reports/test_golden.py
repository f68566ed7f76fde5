"""The same data gives the same bytes, and no report changes unseen."""

from __future__ import annotations

import pytest

from tests.reports.golden import FOLDER, REPORTS, files

CURE = "look at the difference; if it is meant, run: python -m tests.reports.golden"


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_byte_for_byte_as_it_was_when_somebody_last_looked_at_it(name: str) -> None:
    for file, content in files(name).items():
        assert file.read_bytes().decode("utf-8") == content, CURE


def test_there_is_a_golden_file_of_each_report_and_no_other() -> None:
    wanted = {file.name for name in REPORTS for file in files(name)}

    assert {file.name for file in FOLDER.iterdir()} == wanted
