from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from collectors import Tools
from collectors import reported as collector_reported
from collectors._reports import Unreadable
from collectors._reports import read as read_rows
from collectors.reported import Options
from monitor.cli.report import command
from monitor.errors import AccessRefused, ConfigError, Unreachable
from monitor.http import Client
from monitor.records import Ask, Bookmark, Malformed, Mention, Window, Yielded
from monitor.rehearsal.reported import GOOD, HEADER, HOSTILE, lay, sheet
from monitor.settings import Federation, Reading, Secrets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.records import Clock

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
GOOD_ROW = ("20/11/2026 15:30", "Snapchat", "", "A fight outside Boroughbridge High", "parent", "", "")


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def collector(inbox: Path, clock: Clock = lambda: NOW) -> collector_reported.Reported:
    with Client(Reading(), Federation()) as http:
        tools = Tools(http=http, secrets=Secrets({}), clock=clock, user_agent="unused")
        return collector_reported.Reported(Options(inbox=inbox), tools)


def run(inbox: Path, bookmarks: dict[str, str] | None = None) -> tuple[list[Yielded], dict[str, str]]:
    """Read the inbox once; return what came and the bookmarks that a complete run keeps."""
    window = Window(start=NOW - timedelta(hours=2), end=NOW)
    items = list(collector(inbox).collect(Ask(window=window, bookmarks=bookmarks or {})))
    return items, {mark.channel: mark.value for mark in of(Bookmark, items)}


def of(kind: type[Any], items: Sequence[object]) -> list[Any]:
    return [item for item in items if isinstance(item, kind)]


def one(inbox: Path, *row: str) -> Mention:
    """Return the mention that one row of a spreadsheet becomes."""
    (inbox / "a.csv").write_bytes(sheet([row]))
    [mention] = of(Mention, run(inbox)[0])
    assert isinstance(mention, Mention)
    return mention


# ---- what a report becomes -------------------------------------------------------------------------------


def test_a_report_is_the_reporters_own_words_with_place_role_and_time(inbox: Path) -> None:
    mention = one(
        inbox, "20/07/2026 15:30", "Minecraft", "a server", " Rude\nsigns ", "Staff", "https://a.example", "no"
    )
    assert mention == Mention(
        source="reported",
        native_id=mention.native_id,
        url="https://a.example",
        text="Rude signs",
        published=datetime(2026, 7, 20, 14, 30, tzinfo=UTC),
        community="Minecraft, a server",
        channel="reported by staff",
    )
    assert len(mention.native_id) == 32


def test_of_a_private_place_neither_name_nor_address_is_kept(inbox: Path) -> None:
    for yes in ("yes", "Y", "true", "1", "X"):
        mention = one(inbox, "2026-11-20", "WhatsApp", "Year 7 group", "words", "", "https://chat.example/x", yes)
        assert (mention.community, mention.url) == ("WhatsApp, private", "")


def test_a_report_that_names_its_school_in_a_column_is_about_it(inbox: Path) -> None:
    row = {**dict(zip(HEADER, GOOD_ROW, strict=True)), "School": "King James's School, Knaresborough"}
    (inbox / "a.csv").write_bytes(sheet([tuple(row.values())], header=tuple(row)))
    [mention] = of(Mention, run(inbox)[0])
    assert mention.title == "King James's School, Knaresborough"
    assert mention.text == GOOD_ROW[3]


def test_a_name_in_place_of_a_role_is_not_kept(inbox: Path) -> None:
    assert one(inbox, "2026-11-20", "TikTok", "", "words", "Mrs Invented", "", "").channel == "reported by other"


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("20/11/2026 15:30", "2026-11-20T15:30:00+00:00"),
        ("20/11/2026", "2026-11-20T00:00:00+00:00"),
        ("2026-07-20 15:30", "2026-07-20T14:30:00+00:00"),
        ("2026-11-20T15:30:00-05:00", "2026-11-20T20:30:00+00:00"),
    ],
)
def test_a_time_without_a_zone_is_british(inbox: Path, written: str, moment: str) -> None:
    assert one(inbox, written, "TikTok", "", "words", "", "", "").published == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    "written", ["soon", "", "31/02/2026", "2026-12-24 10:00", "0001-01-01T00:00+14:00", "5", "9999-12-31T23:59-10:00"]
)
def test_a_time_that_is_none_or_lies_in_the_future_is_counted(inbox: Path, written: str) -> None:
    (inbox / "a.csv").write_bytes(sheet([(written, "TikTok", "", "words", "", "", "")]))
    assert [m.reason.partition(":")[0] for m in of(Malformed, run(inbox)[0])] == ["seen_at"]


def test_a_report_is_one_however_often_and_in_whatever_form_it_is_handed_in(inbox: Path) -> None:
    (inbox / "a.csv").write_bytes(sheet([GOOD_ROW, GOOD_ROW]))
    row = {
        "Seen At": "2026-11-20T15:30:00+00:00",
        "platform": "Snapchat",
        "text": GOOD_ROW[3],
        "reporter_role": "Parent",
    }
    (inbox / "b.jsonl").write_text(json.dumps(row), encoding="utf-8")
    found = of(Mention, run(inbox)[0])
    assert len(found) == 3
    assert len({mention.native_id for mention in found}) == 1


# ---- hostile and careless files --------------------------------------------------------------------------


def test_the_rehearsed_inbox_is_read_and_every_hostile_row_is_counted(inbox: Path) -> None:
    lay(inbox, NOW)
    assert len(of(Mention, run(inbox)[0])) == GOOD
    lay(inbox, NOW, hostile=True)
    items, _ = run(inbox)
    assert len(of(Mention, items)) == GOOD + 2
    assert sorted(m.reason for m in of(Malformed, items)) == [
        "a row with a cell that is too large or broken",
        "a row with more cells than the header",
        "seen_at: value_error",
        "text: too_long",
        "url: value_error",
    ]
    assert len(of(Malformed, items)) == HOSTILE


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_a_formula_is_disarmed(inbox: Path, start: str) -> None:
    mention = one(inbox, "2026-11-20", f"{start}P()", f"\t{start}W()", f" {start}T()", "", "", "")
    assert mention.text == f"'{start}T()"
    assert mention.community == f"'{start}P(), '{start}W()"


def test_control_characters_do_not_pass(inbox: Path) -> None:
    (inbox / "a.csv").write_bytes(sheet([("2026-11-20", "Snap", "", "a\x00b\x1b[31mc\x07", "", "", "")]))
    [mention] = of(Mention, run(inbox)[0])
    assert mention.text == "a b [31mc"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_encoding_in_which_an_office_saves_is_read(inbox: Path, encoding: str) -> None:
    (inbox / "a.csv").write_bytes(sheet([("2026-11-20", "Snap", "", "naïve “café” £5", "", "", "")], encoding=encoding))
    assert [m.text for m in of(Mention, run(inbox)[0])] == ["naïve “café” £5"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_semicolons_and_tabs_separate_as_well(inbox: Path, delimiter: str) -> None:
    lines = [delimiter.join(HEADER), delimiter.join(GOOD_ROW), delimiter * 6, ""]
    (inbox / "a.csv").write_text("\r\n".join(lines), encoding="utf-8")
    items, _ = run(inbox)
    assert len(of(Mention, items)) == 1
    assert not of(Malformed, items)


def test_lines_that_are_no_reports_are_counted(inbox: Path) -> None:
    good = json.dumps({"seen_at": "2026-11-20", "platform": "Snap", "text": "one\u2028line \ud800"})
    bad = ["not JSON", "[1]", "{}", '{"seen_at": "2026-11-20", "platform": "Snap", "text": 5}', "[" * 100_000]
    (inbox / "a.jsonl").write_text("\n".join([*bad, "", good]), encoding="utf-8")
    items, _ = run(inbox)
    assert [m.text for m in of(Mention, items)] == ["one line ?"]
    assert len(of(Malformed, items)) == len(bad)


def test_a_file_that_cannot_be_read_at_all_stays_and_is_counted_at_every_run(inbox: Path, tmp_path: Path) -> None:
    (inbox / "a.csv").write_text("some,other,header\n1,2,3\n", encoding="utf-8")
    (inbox / "b.csv").write_bytes(b"\x81\x8d\x8f")
    (inbox / "c.xlsx").write_bytes(b"PK")
    (inbox / "d.csv").symlink_to(tmp_path / "nowhere")
    (inbox / "e.csv").mkdir()
    (inbox / "f.csv").write_bytes(b"x" * 5_000_001)
    os.mkfifo(inbox / "g.csv")
    (inbox / "h.csv").write_bytes(b"")
    bookmarks: dict[str, str] = {}
    for _ in range(2):
        items, bookmarks = run(inbox, bookmarks)
        assert [m.reason for m in of(Malformed, items)] == [
            "a file without the documented header",
            "a file in an unknown encoding",
            "a file that is neither .csv nor .jsonl",
            "something in the inbox that is not a plain file",
            "something in the inbox that is not a plain file",
            "a file of more than 5 MB",
            "something in the inbox that is not a plain file",
            "a file without the documented header",
        ]
    assert len(list(inbox.iterdir())) == 8


def test_hidden_and_half_written_files_are_left_alone(inbox: Path) -> None:
    for name in (".a.csv.new", "~$a.csv"):
        (inbox / name).write_bytes(sheet([GOOD_ROW]))
    assert of(Mention, run(inbox)[0]) == []


@given(st.binary(max_size=400), st.sampled_from([".csv", ".jsonl"]))
def test_no_bytes_bring_the_reader_down(noise: bytes, suffix: str) -> None:
    for content in (noise, sheet([GOOD_ROW]) + noise):
        try:
            rows = read_rows(content, suffix)
        except Unreadable:
            continue
        assert all(isinstance(row, Malformed) or row.text for row in rows)


# ---- once, and only once ---------------------------------------------------------------------------------


def test_a_file_is_moved_only_after_the_run_that_read_it_was_kept(inbox: Path) -> None:
    lay(inbox, NOW)
    first, bookmarks = run(inbox)
    again, _ = run(inbox)  # the first run was lost: no bookmark was kept
    assert {m.native_id for m in of(Mention, again)} == {m.native_id for m in of(Mention, first)}
    assert not (inbox / "done").exists()
    second, bookmarks = run(inbox, bookmarks)
    assert of(Mention, second) == []
    assert sorted(path.name[13:] for path in (inbox / "done").iterdir()) == ["office.csv", "report-1.jsonl"]
    assert of(Mention, run(inbox, bookmarks)[0]) == []


def test_a_file_that_grew_is_read_again_with_the_same_keys(inbox: Path) -> None:
    (inbox / "a.csv").write_bytes(sheet([GOOD_ROW]))
    first, bookmarks = run(inbox)
    other = ("20/11/2026 16:00", "Snapchat", "", "Another", "", "", "")
    (inbox / "a.csv").write_bytes(sheet([GOOD_ROW, other]))
    second, _ = run(inbox, bookmarks)
    assert len(of(Mention, second)) == 2
    assert of(Mention, first)[0] in of(Mention, second)
    assert (inbox / "a.csv").exists()


def test_what_is_done_is_erased_when_it_is_thirty_days_old(inbox: Path) -> None:
    done = inbox / "done"
    done.mkdir()
    for name, days in (("old.csv", 31), ("new.csv", 29)):
        (done / name).write_text("words", encoding="utf-8")
        age = (NOW - timedelta(days=days)).timestamp()
        os.utime(done / name, (age, age))
    run(inbox)
    assert [path.name for path in done.iterdir()] == ["new.csv"]


def test_a_stored_file_that_cannot_be_moved_asks_for_a_person(inbox: Path) -> None:
    (inbox / "a.csv").write_bytes(sheet([GOOD_ROW]))
    _, bookmarks = run(inbox)
    (inbox / "done").write_text("in the way", encoding="utf-8")
    with pytest.raises(AccessRefused, match="cannot be moved"):
        run(inbox, bookmarks)
    assert (inbox / "a.csv").exists()


def test_an_inbox_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="FileNotFoundError"):
        run(tmp_path / "nowhere")


def test_an_inbox_is_named_by_a_whole_path() -> None:
    with pytest.raises(ValidationError):
        Options(inbox=Path("inbox"))
    assert "inbox" in Options().missing()
    assert Options(inbox=Path("/srv/inbox")).missing() == ""


# ---- the command -----------------------------------------------------------------------------------------


@pytest.fixture
def config(inbox: Path, tmp_path: Path) -> Path:
    file = tmp_path / "monitor.toml"
    file.write_text(f"[sources.reported]\ninbox = {json.dumps(str(inbox))}\n", encoding="utf-8")
    return file


def typed(config: Path, *words: str, answers: str = "", school: str = "Boroughbridge High") -> Result:
    named = ["--school", school] if school else []
    return CliRunner().invoke(command, ["--config", str(config), *named, *words], input=answers)


def test_a_typed_report_lies_in_the_inbox_for_its_owner_alone_and_is_read(config: Path, inbox: Path) -> None:
    result = typed(
        config,
        *("--platform", "Snapchat", "--text", "A fight at Boroughbridge High", "--role", "parent", "--private"),
        *("--where", "a group", "--seen", "2026-11-20T15:30"),
    )
    assert result.exit_code == 0, result.output
    [file] = inbox.iterdir()
    assert file.name in result.output
    assert file.stat().st_mode & 0o777 == 0o600
    [mention] = of(Mention, run(inbox)[0])
    assert mention.published == datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
    assert (mention.text, mention.community) == ("A fight at Boroughbridge High", "Snapchat, private")
    assert mention.title == "Boroughbridge High"


def test_what_was_not_given_is_asked_for(config: Path, inbox: Path) -> None:
    result = typed(
        config,
        "--seen",
        "2026-11-20T15:30",
        school="",
        answers="Minecraft\nKing James's School, Knaresborough\nRude signs\n",
    )
    assert result.exit_code == 0, result.output
    [mention] = of(Mention, run(inbox)[0])
    assert (mention.community, mention.text, mention.channel) == ("Minecraft", "Rude signs", "reported by other")
    assert mention.title == "King James's School, Knaresborough"


def test_two_reports_are_two_files(config: Path, inbox: Path) -> None:
    for text in ("one", "two"):
        assert typed(config, "--platform", "Snapchat", "--text", text).exit_code == 0
    assert len(list(inbox.iterdir())) == 2


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--platform", "Snapchat", "--text", " "), "--text"),
        (("--platform", "Snapchat", "--text", "x", "--url", "nothing"), "--url"),
        (("--platform", "Snapchat", "--text", "x", "--seen", "soon"), "--seen"),
        (("--platform", "x" * 61, "--text", "x"), "--platform"),
    ],
)
def test_a_wrong_option_is_named_and_nothing_is_written(
    config: Path, inbox: Path, words: tuple[str, ...], hint: str
) -> None:
    result = typed(config, *words)
    assert result.exit_code == 2
    assert hint in result.output
    assert list(inbox.iterdir()) == []


def test_without_an_inbox_the_command_says_how_to_make_one(tmp_path: Path) -> None:
    file = tmp_path / "monitor.toml"
    file.write_text("", encoding="utf-8")
    error = typed(file, "--platform", "Snapchat", "--text", "words").exception
    assert isinstance(error, ConfigError)
    assert "inbox" in str(error)
