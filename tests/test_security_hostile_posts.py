"""Words of a post drive nothing: no template, no file name, no log and no terminal of any command that prints them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from benchmarks.fuzz import NASTY
from monitor import settings
from monitor.cli import group
from monitor.jobs.judge import judge_pending
from monitor.jobs.workplace import open_workplace
from monitor.records import Mention
from monitor.settings import Secrets
from monitor.store import cases, mentions

if TYPE_CHECKING:
    from click.testing import Result

CONFIG = """
[privacy.dpia]
reference = "R"
owner = "DPO"
signed = 2026-01-01
review_due = 2099-01-01
[roles]
response_owner = "owner@school.example"
senior_leader = "leader@school.example"
[sources.feeds]
enabled = false
[sources.pages]
enabled = false
"""
OURS = "Half the toilets at King James's School in Knaresborough are locked AGAIN"
DRIVES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What moves a cursor, rings, or turns the direction of writing; a new line is ours."""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a configuration whose store holds one judged post for each nasty string, in every field that is theirs."""
    file = tmp_path_factory.mktemp("hostile") / "monitor.toml"
    file.write_text(CONFIG, "utf-8")
    with open_workplace(settings.load(file), secrets=Secrets({})) as place:
        now = datetime.now(UTC) - timedelta(minutes=5)
        found = [
            Mention(
                source="feeds",
                native_id=f"n{n}{nasty}".encode("utf-8", "replace").decode(),
                url=f"https://paper.example/{n}",
                text=f"{nasty} {OURS} toilet protest {n} {nasty}".encode("utf-8", "replace").decode(),
                title=nasty.encode("utf-8", "replace").decode(),
                community=nasty.encode("utf-8", "replace").decode(),
                published=now,
            )
            for n, nasty in enumerate(NASTY)
        ]
        with place.store.write() as connection:
            arrivals = [mentions.Arrival(mention=m, author_key="", sha256=m.sha256) for m in found]
            mentions.take(connection, arrivals, now=now, articles=frozenset())
        judge_pending(place)
    return file


def call(config: Path, *words: str, given: str | None = None) -> Result:
    told = () if words[0] == "tag" else ("--config", str(config))
    return CliRunner().invoke(group, [*words, *told], input=given, catch_exceptions=False)


def references(config: Path) -> list[str]:
    with open_workplace(settings.load(config), secrets=Secrets({})) as place, place.store.read() as connection:
        return [case.reference for case in cases.still_open(connection)]


@pytest.mark.parametrize(
    "words",
    [
        ("case", "list"),
        ("case", "list", "--all", "--json"),
        ("rights", "find", "--url", "https://paper.example/5"),
        ("rights", "export", "--url", "https://paper.example/5"),
        ("rights", "export", "--url", "https://paper.example/7"),
        ("replay", "--since", "1d"),
        ("daily", "--no-send"),
        ("weekly", "--no-send"),
        ("incident", "toilet protest", "--no-send"),
        ("doctor", "--offline"),
    ],
    ids=" ".join,
)
def test_no_command_prints_what_drives_a_terminal(config: Path, words: tuple[str, ...]) -> None:
    answer = call(config, *words)

    assert answer.exit_code in {0, 1}, answer.output
    assert answer.output
    assert DRIVES.findall(answer.output) == []


def test_every_case_is_shown_without_what_drives_a_terminal(config: Path) -> None:
    every = references(config)
    assert every
    for reference in every:
        for form in ((), ("--json",)):
            assert DRIVES.findall(call(config, "case", "show", reference, *form).output) == []


def test_an_act_whose_reason_is_hostile_is_shown_without_what_drives_a_terminal(config: Path) -> None:
    reference = references(config)[0]
    for nasty in NASTY:
        words = nasty.encode("utf-8", "replace").decode().replace("\x00", "")
        call(config, "case", "note", reference, "--by", f"A {words}", "--why", words or "x")
    for form in ((), ("--json",)):
        shown = call(config, "case", "show", reference, *form)
        assert shown.exit_code == 0
        assert DRIVES.findall(shown.output) == []


@pytest.mark.parametrize("form", [(), ("--explain",)], ids=["json", "explained"])
def test_tagging_prints_nothing_that_drives_a_terminal(config: Path, form: tuple[str, ...]) -> None:
    lines = "".join(
        json.dumps({"id": f"{n}{nasty}", "text": f"{OURS} {nasty}"}) + "\n" for n, nasty in enumerate(NASTY)
    )
    broken = '{"id": "\\u001b[2J", "text": 5}\n\x1b]0;x\x07\n'

    answer = call(config, "tag", *form, given=lines.encode("utf-8", "replace").decode() + broken)

    assert answer.output.count(OURS[:20]) >= (len(NASTY) if form else 0)
    assert DRIVES.findall(answer.output) == []


def test_file_names_are_ours_whatever_posts_and_terms_say(config: Path) -> None:
    call(config, "incident", "../../etc/passwd protest", "--no-send")
    call(config, "incident", "=cmd() toilet\x1b[31m", "--no-send")
    made = [file for file in config.parent.rglob("*") if file.is_file()]

    assert made
    assert [file.name for file in made if not re.fullmatch(r"[\w.@-]+", file.name, re.ASCII)] == []


def test_no_page_holds_an_element_a_style_or_a_link_of_a_post(config: Path) -> None:
    for words in (("daily",), ("weekly", "--no-send"), ("incident", "toilet protest", "--no-send")):
        call(config, *words)
    pages = [file.read_text(encoding="utf-8") for file in config.parent.rglob("*.html")]

    assert pages
    for page in pages:
        reading = Elements()
        reading.feed(page)
        assert not reading.tags & {"script", "iframe", "object", "embed", "form", "base"}
        assert {name for name in reading.attributes if name.startswith("on")} == set()
        assert "<h1>All quiet" not in page
        assert DRIVES.findall(page) == []


class Elements(HTMLParser):
    """The elements of a page, and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_no_export_is_a_spreadsheet_that_could_compute() -> None:
    """What cannot be opened as a sheet cannot hold a formula: nothing in the house writes CSV, only reads it."""
    root = Path(__file__).parents[1]
    writers = [
        str(file.relative_to(root))
        for room in ("monitor", "collectors", "analysis", "reports")
        for file in (root / room).rglob("*.py")
        if re.search(r"csv\.(writer|DictWriter)|to_csv|to_excel", file.read_text(encoding="utf-8"))
    ]

    assert writers == ["monitor/rehearsal/reported.py"]
