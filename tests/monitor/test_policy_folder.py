"""All rules of a folder are read together, and their version is that of their bytes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from monitor.errors import ConfigError
from monitor.policy import folder


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the shipped rules, to be edited."""
    return Path(shutil.copytree(folder.FOLDER, tmp_path / "policy"))


def test_the_shipped_rules_are_whole() -> None:
    policy = folder.load()
    assert policy.schools.codes == ("BHS", "KJS")
    assert len(policy.version) == 12
    assert "NOT_RELEVANT" in policy.escalation.ids
    assert "feeds" in policy.sources


def test_a_copy_has_the_same_version_and_any_edit_another(rules: Path) -> None:
    assert folder.load(rules).version == folder.load().version
    changed = rules / "sources.toml"
    changed.write_text(changed.read_text(encoding="utf-8") + "# a comment\n", encoding="utf-8")
    folder.load.cache_clear()
    assert folder.load(rules).version != folder.load().version


@pytest.mark.parametrize("name", folder.FILES)
def test_a_file_that_is_missing_is_named(rules: Path, name: str) -> None:
    (rules / name).unlink()
    with pytest.raises(ConfigError, match="no such file") as caught:
        folder.load(rules)
    assert caught.value.file == rules / name
