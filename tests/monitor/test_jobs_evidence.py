"""An evidence bundle says of itself what was changed, is missing or was added, and is the same each time."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli.verify import command
from monitor.errors import BundleError
from monitor.jobs.evidence import (
    COVERAGE,
    ITEMS,
    MANIFEST,
    REPORT,
    Exhibit,
    bundle,
    verify,
)
from monitor.jobs.workplace import write_private
from monitor.records import Coverage, Sight

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SEEN = (Coverage(source="feeds", name="News", sight=Sight.READ, last_read=NOON, new=2),)


def exhibit(number: int, text: str = "Invented words.", copy_of: int | None = None) -> Exhibit:
    return Exhibit(
        number=number,
        source="feeds",
        native_id=f"n{number}",
        url=f"https://paper.example/{number}",
        published=NOON,
        captured=NOON,
        last_seen=NOON,
        edited=None,
        sha256=f"{number:064x}",
        title="",
        text=text,
        copy_of=copy_of,
        withheld="",
    )


def page(digits: str) -> str:
    return f"<p>Evidence: 2 items, manifest {digits}</p>"


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A bundle of two items as it was written."""
    made = bundle((exhibit(1), exhibit(2, copy_of=1)), SEEN, page)
    return write_private(tmp_path / "evidence-01.zip", made.content)


def changed(path: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """Write the bundle anew with other files in it."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    path.write_bytes(out.getvalue())
    return path


def test_a_bundle_agrees_with_itself_and_its_digits_stand_in_the_report(whole: Path) -> None:
    found = verify(whole)
    assert found.differences == ()
    assert found.items == 2
    with zipfile.ZipFile(whole) as archive:
        assert found.digits in archive.read(REPORT).decode()
        (first, second) = (json.loads(line) for line in archive.read(ITEMS).splitlines())
    assert first["captured"] == "2026-11-23T12:00:00Z"
    assert second["copy_of"] == 1


def test_only_its_owner_can_read_a_bundle(whole: Path) -> None:
    assert stat.S_IMODE(whole.stat().st_mode) == 0o600


def test_the_same_evidence_gives_the_same_bytes() -> None:
    once, again = (bundle((exhibit(1),), SEEN, page) for _ in range(2))
    assert once.content == again.content
    assert once.digits == again.digits


@pytest.mark.parametrize("name", [ITEMS, COVERAGE, REPORT])
def test_a_changed_file_is_named(whole: Path, name: str) -> None:
    changed(whole, lambda files: files.update({name: files[name].replace(b"e", b"E")}))
    assert f"changed: {name}" in verify(whole).differences


def test_the_hash_of_one_item_cannot_be_exchanged(whole: Path) -> None:
    other = f"{77:064x}".encode()
    changed(whole, lambda files: files.update({ITEMS: files[ITEMS].replace(f"{2:064x}".encode(), other)}))
    assert {"changed: item 0002", f"changed: {ITEMS}"} <= set(verify(whole).differences)


def test_a_manifest_made_to_fit_is_not_the_one_that_page_one_names(whole: Path) -> None:
    other = f"{77:064x}".encode()
    changed(whole, lambda files: files.update({MANIFEST: files[MANIFEST].replace(f"{2:064x}".encode(), other)}))
    found = verify(whole).differences
    assert any("does not name this manifest" in line for line in found)
    assert "changed: item 0002" in found


@pytest.mark.parametrize("name", [ITEMS, COVERAGE, REPORT])
def test_a_missing_file_is_named(whole: Path, name: str) -> None:
    changed(whole, lambda files: files.pop(name))
    assert f"missing: {name}" in verify(whole).differences


def test_what_was_added_is_named(whole: Path) -> None:
    line = json.dumps({"number": 3, "sha256": "0" * 64}).encode() + b"\n"

    def add(files: dict[str, bytes]) -> None:
        files["photo.jpg"] = b"..."
        files[ITEMS] += line + b"not json\n"

    found = verify(changed(whole, add)).differences
    assert {"added: photo.jpg", "added: item 0003", "added: an item that cannot be read"} <= set(found)


def test_a_file_that_stands_twice_is_named(whole: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(whole, "a") as archive:
        archive.writestr(ITEMS, b"")
    assert f"added: a second {ITEMS}" in verify(whole).differences


def test_any_other_file_is_refused_with_a_sentence(tmp_path: Path, whole: Path) -> None:
    other = tmp_path / "notes.zip"
    other.write_bytes(b"no zip at all")
    with pytest.raises(BundleError, match=r"notes\.zip is damaged or is no evidence bundle"):
        verify(other)
    with pytest.raises(BundleError, match=r"has no manifest\.txt"):
        verify(changed(whole, lambda files: files.pop(MANIFEST)))


@given(at=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
def test_no_flipped_bit_of_the_content_goes_unnoticed(
    tmp_path_factory: pytest.TempPathFactory, at: int, bit: int
) -> None:
    """One flipped bit in any file, the manifest included, is a difference."""
    made = bundle((exhibit(1),), SEEN, page)
    path = tmp_path_factory.mktemp("flip") / "evidence.zip"
    path.write_bytes(made.content)

    def flip(files: dict[str, bytes]) -> None:
        name = sorted(files)[at % len(files)]
        content = bytearray(files[name])
        content[at % len(content)] ^= 1 << bit
        files[name] = bytes(content)

    assert verify(changed(path, flip)).differences


@given(text=st.text())
def test_whatever_a_post_says_its_bundle_agrees(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("any") / "evidence.zip"
    path.write_bytes(bundle((exhibit(1, text + "\ud800\u2028\n"),), SEEN, page).content)
    assert verify(path).differences == ()


def test_the_command_says_all_agree_and_what_a_hash_proves(whole: Path) -> None:
    result = CliRunner().invoke(command, [str(whole)])
    assert result.exit_code == 0
    assert "2 items, all agree with the manifest" in result.output
    assert "does not show that the post was true" in result.output


def test_the_command_names_what_differs_and_ends_with_1(whole: Path) -> None:
    changed(whole, lambda files: files.pop(COVERAGE))
    result = CliRunner().invoke(command, [str(whole)])
    assert result.exit_code == 1
    assert f"missing: {COVERAGE}" in result.output
