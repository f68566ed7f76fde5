"""Whatever stands in a TOML file, the error names file, line, key and cure."""

from __future__ import annotations

import tomllib
import traceback
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import Field, RootModel

from monitor.errors import ConfigError
from monitor.tables import Table, dotted, line_of, read_toml, validated

FILE = Path("rules.toml")


class Feed(Table):
    """One feed."""

    url: str
    days: int = 1


class Feeds(Table):
    """A list and a dict of feeds."""

    feeds: tuple[Feed, ...] = ()
    named: dict[str, Feed] = Field(default_factory=dict)
    best: Feed | None = None
    title: str = ""


class Named(RootModel[dict[str, Feed]]):
    """Feeds by name, at the top of the file."""


def wrong(text: str, model: type[Table | Named] = Feeds) -> ConfigError:
    """Return the error that a text raises."""
    with pytest.raises(ConfigError) as caught:
        validated(model, tomllib.loads(text), file=FILE, text=text)
    return caught.value


def test_what_is_right_is_read_and_frozen(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text('\ufefftitle = "ö"\n', encoding="utf-8")
    content, text = read_toml(file)
    made = validated(Feeds, content, file=file, text=text)
    assert made.title == "ö"
    with pytest.raises(ValueError, match="frozen"):
        made.title = "other"


def test_a_file_that_is_not_there_names_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file") as caught:
        read_toml(tmp_path / "none.toml")
    assert caught.value.cure == "write one with: federation-monitor init"


def test_a_file_of_another_encoding_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(b'title = "\xff"')
    with pytest.raises(ConfigError, match=r"a\.toml: cannot be read"):
        read_toml(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_toml(tmp_path)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = \n", 1),
        ('a = 1\nb = "x\n', 2),
        ("a = 1\na = 2\n", 2),
        ("[a]\n\n[a]\n", 3),
        ('a = 1\nb = """never closed\nx\n', 3),
        (f"a = {'1' * 5000}\n", 1),
        (f"a = {'[' * 100_000}", 1),
        ("\n\nday = 2026-13-45\n", 3),
    ],
)
def test_what_is_no_toml_names_file_and_line(tmp_path: Path, text: str, line: int) -> None:
    file = tmp_path / "a.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match="not valid TOML") as caught:
        read_toml(file)
    assert (caught.value.file, caught.value.line) == (file, line)
    assert caught.value.cure


@given(text=st.text() | st.lists(st.sampled_from([*'[]{}="\n,.#', "a", "1", "'''", "é"])).map("".join))
@example(text="[[[")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_is_read_or_its_error_names_file_and_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        content, _ = read_toml(file)
    except ConfigError as error:
        assert error.file == file  # noqa: PT017 - either end is right, and each is checked
        assert error.line is not None or "cannot be read" in error.problem  # noqa: PT017
    else:
        assert isinstance(content, dict)


def test_an_unknown_key_names_its_line_the_near_miss_and_what_is_known() -> None:
    error = wrong('title = "x"\n\ntitel = "y"\n')
    assert str(error) == (
        "rules.toml:3: titel: unknown key 'titel'\n"
        "  cure: did you mean 'title'? known keys here: best, feeds, named, title"
    )


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ('[[feeds]]\nurl = "a"\n[[feeds]]\nurl = "b"\nurll = "c"\n', "feeds[1].urll", 5),
        ('[named.one]\nurl = "a"\n\n[named.two]\nurll = "b"\nurl = "a"\n', "named.two.urll", 5),
        ('[best]\nurl = "a"\nurll = "b"\n', "best.urll", 3),
        ('best = { url = "a", urll = "b" }\n', "best.urll", 1),
        ('best.url = "a"\nbest.urll = "b"\n', "best.urll", 2),
    ],
)
def test_an_unknown_key_deep_in_the_file_knows_its_neighbours(text: str, key: str, line: int) -> None:
    error = wrong(text)
    assert (error.key, error.line) == (key, line)
    assert error.cure == "did you mean 'url'? known keys here: days, url"


def test_a_file_of_tables_by_name_knows_the_keys_of_each() -> None:
    error = wrong('[one]\nurl = "a"\n[two]\nurl = "b"\nday = 2\n', Named)
    assert (error.key, error.line) == ("two.day", 5)
    assert error.cure == "did you mean 'days'? known keys here: days, url"


def test_a_key_like_no_other_gets_no_guess() -> None:
    assert wrong("zzz = 1\n").cure == "known keys here: best, feeds, named, title"


def test_a_missing_key_names_the_table_above() -> None:
    error = wrong('title = "x"\n[[feeds]]\nurl = "a"\n[[feeds]]\ndays = 2\n')
    assert (error.key, error.line, error.problem) == ("feeds[1].url", 4, "'url' is missing")
    assert error.cure == "add a line: url = ..."


def test_a_wrong_type_shows_what_was_found_and_counts_what_else_is_wrong() -> None:
    error = wrong('[[feeds]]\nurl = 7\ndays = "many"\n')
    assert (error.key, error.line) == ("feeds[0].url", 2)
    assert error.problem == "Input should be a valid string (found 7) (and 1 more)"


def test_a_value_of_the_wrong_kind_at_the_top_has_a_place() -> None:
    with pytest.raises(ConfigError) as caught:
        validated(Feeds, [], file=FILE, under=("sources", "feeds"))  # type: ignore[arg-type]
    assert caught.value.key == "sources.feeds"


def test_what_was_typed_is_cut_short_and_kept_out_of_the_traceback() -> None:
    """A secret that somebody wrote into the file by mistake must not reach a log."""
    typed = {"password": "hunter2", "title": ["x" * 500]}
    with pytest.raises(ConfigError) as caught:
        validated(Feeds, typed, file=FILE)
    trace = "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in trace
    assert "xxxx" * 20 not in trace


def test_a_key_is_written_as_people_write_it() -> None:
    assert dotted(("sources", "feeds", "feeds", 2, "url")) == "sources.feeds.feeds[2].url"
    assert dotted((0, "a")) == "[0].a"
    assert dotted(()) == ""


@given(st.text(), st.lists(st.text(max_size=5) | st.integers(0, 5), max_size=4))
def test_the_line_of_any_key_is_a_line_of_the_text(text: str, key: list[str | int]) -> None:
    line = line_of(text, key)
    assert line is None or 1 <= line <= len(text.splitlines())


def test_a_key_that_stands_nowhere_has_no_line() -> None:
    assert line_of("a = 1\n# b = 2\n\n", ("b",)) is None
