"""What each source's terms allow is written down for every collector, and checked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

import collectors
from monitor.errors import ConfigError
from monitor.policy.folder import FOLDER
from monitor.policy.sources import Sources

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = FOLDER / "sources.toml"


@pytest.fixture(scope="module")
def sources() -> Sources:
    return Sources.read(SHIPPED)


def test_every_collector_has_its_terms_written_down(sources: Sources) -> None:
    assert set(collectors.names()) <= set(sources.names)


def test_each_source_says_why_it_is_on_or_off_and_what_it_never_sees(sources: Sources) -> None:
    for name in sources.names:
        assert sources[name].why, name
        assert sources[name].never_sees, name


def test_x_and_reddit_are_off_until_somebody_approves(sources: Sources) -> None:
    for name in ("x", "reddit"):
        assert not sources[name].on_by_default
        assert sources[name].needs_approval


def test_reddit_is_forgotten_whole_and_soon(sources: Sources) -> None:
    assert sources["reddit"].on_deletion == "forget"
    assert sources["reddit"].keep == timedelta(hours=48)


def test_x_is_never_scored(sources: Sources) -> None:
    assert not sources["x"].may_be_scored
    assert sources["x"].monthly_pence > 0


def test_without_a_limit_our_own_retention_applies(sources: Sources) -> None:
    assert sources["feeds"].keep is None


def test_a_source_that_is_not_written_down_is_not_known(sources: Sources) -> None:
    assert "feeds" in sources
    assert "facebook_profiles" not in sources
    with pytest.raises(KeyError):
        sources["facebook_profiles"]


@pytest.mark.parametrize(
    ("extra", "key", "says"),
    [
        ("keep_hour = 4", "one.keep_hour", "did you mean 'keep_hours'?"),
        ('on_deletion = "hide"', "one.on_deletion", "correct the value"),
        ("every_minutes = 0", "one.every_minutes", "correct the value"),
        ("monthly_pence = -1", "one.monthly_pence", "correct the value"),
    ],
)
def test_a_wrong_line_is_named_with_its_source(tmp_path: Path, extra: str, key: str, says: str) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(f'[one]\nname = "One"\nkind = "social"\non_by_default = true\nwhy = "w"\n{extra}\n')
    with pytest.raises(ConfigError) as caught:
        Sources.read(file)
    assert (caught.value.file, caught.value.line, caught.value.key) == (file, 6, key)
    assert says in (caught.value.cure or "")
