from __future__ import annotations

from pathlib import Path

import pytest

from monitor.errors import ConfigError
from monitor.policy.schools import School, Schools

ROOT = Path(__file__).parents[2]
OURS = ROOT / "policy" / "schools.toml"
EXAMPLE = ROOT / "docs" / "another-school.toml"


@pytest.fixture
def schools() -> Schools:
    return Schools.read(OURS)


def test_our_two_schools_are_watched_and_federated(schools: Schools) -> None:
    assert schools.codes == ("BHS", "KJS")
    assert schools.federation.members == ("BHS", "KJS")
    assert [school.urn for school in schools.schools] == ["121699", "121687"]


def test_official_handles_are_left_to_the_schools_account_register(schools: Schools) -> None:
    assert all(school.handles == () for school in schools.schools)


def test_search_phrases_take_turns_so_that_a_short_quota_serves_both_schools(schools: Schools) -> None:
    assert schools.phrases[:2] == ("Boroughbridge High", "King James's School Knaresborough")
    assert len(schools.phrases) == len(set(schools.phrases))


def test_tags_stand_without_their_sign(schools: Schools) -> None:
    assert schools.tags[0] == "BoroughbridgeHigh"
    assert all(tag.isalnum() for tag in schools.tags)


def test_the_official_name_is_strong_unless_it_is_listed_as_shared(schools: Schools) -> None:
    boroughbridge, king_james = schools.schools

    assert "Boroughbridge High School" in boroughbridge.own_names
    assert "King James's School" not in king_james.own_names


def test_a_name_with_a_town_in_it_is_written_out_for_each_spelling() -> None:
    school = School(code="X", name="Xby School", towns=("Xby", "Exby"), strong=("{town} High",))

    assert school.written_out(("{town} High", "XHS")) == ("Xby High", "Exby High", "XHS")


def test_the_documented_example_can_be_read() -> None:
    assert Schools.read(EXAMPLE).codes == ("TBA", "STO")


@pytest.mark.parametrize(
    ("old", "new", "key", "line_has", "says"),
    [
        ("urn = ", "um = ", "schools[1].um", "um = ", "unknown key 'um'"),
        ('urn = "999001"', 'urn = "99"', "schools[1].urn", "urn", "99"),
        ('code = "STO"', 'code = "TBA"', "", "", "two schools have the code 'TBA'"),
        ('of = ["STO"]', 'of = ["XYZ"]', "", "", "no school has the code 'XYZ'"),
        ('beaten_by = "town"', 'beaten_by = "luck"', "namesakes[0].beaten_by", "beaten_by", "luck"),
        (
            'streets = ["Oswin Lane"]',
            'streets = [" - "]',
            "schools[1].streets",
            "streets",
            "no letter or digit",
        ),
        ('towns = ["Thistlebrook"]\n', "", "schools[0].towns", "", "'towns' is missing"),
    ],
)
def test_a_mistake_names_the_file_the_line_the_key_and_the_cure(
    tmp_path: Path, old: str, new: str, key: str, line_has: str, says: str
) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "schools.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        Schools.read(file)

    error = caught.value
    assert says in str(error)
    assert error.file == file
    assert error.cure
    assert error.key == (key or None) or not key
    if line_has:
        assert error.line is not None
        assert line_has in file.read_text(encoding="utf-8").splitlines()[error.line - 1]


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        Schools.read(tmp_path / "schools.toml")
