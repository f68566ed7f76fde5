"""The command line as people and programs meet it; each command runs as it is, over a real store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from monitor.cli import COMMANDS, group

if TYPE_CHECKING:
    from click.testing import Result

HOUSE = Path(__file__).parents[2]
DPIA = '[privacy.dpia]\nreference="R"\nowner="DPO"\nsigned=2026-01-01\nreview_due=2099-01-01\n'


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(group, list(arguments), input=stdin, catch_exceptions=True)


def watched() -> dict[str, str]:
    """Return what lets coverage follow a child process."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE")}


def shell(*arguments: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, as a shell would."""
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", "from monitor.cli import main; main()", *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(HOUSE), "PATH": "", "HOME": str(cwd), "PYTHONUTF8": "1", **watched()},
    )


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    """Give a configuration with an impact assessment and no source that needs the network."""
    file = tmp_path / "monitor.toml"
    file.write_text(f"{DPIA}[sources.feeds]\nenabled = false\n[sources.pages]\nenabled = false\n", "utf-8")
    return file


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_and_stands_in_the_readme(name: str) -> None:
    result = run(name, "--help")

    assert result.exit_code == 0, result.output
    assert "Example" in result.output
    assert f"`{name}`" in (HOUSE / "README.md").read_text("utf-8")


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['federation-monitor', '--help']\n"
        "from monitor.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'pandas', 'numpy', 'onnxruntime', 'sqlalchemy', 'pydantic', 'scrapy', 'httpx', 'rich'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", code], cwd=HOUSE, capture_output=True, text=True, check=True
    )

    assert "HEAVY []" in out.stdout
    assert tmp_path.exists()


def test_a_wrong_word_is_wrong_usage(tmp_path: Path) -> None:
    assert shell("no-such-command", cwd=tmp_path).returncode == 2
    assert shell("collect", "--no-such-option", cwd=tmp_path).returncode == 2


def test_a_missing_configuration_names_the_cure_and_exits_with_2(tmp_path: Path) -> None:
    out = shell("doctor", cwd=tmp_path)

    assert out.returncode == 2
    assert "federation-monitor init" in out.stderr
    assert "Traceback" not in out.stderr


def test_an_unknown_key_is_named_with_file_line_and_cure(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text('[federation]\nnmae = "x"\n', "utf-8")

    out = shell("doctor", cwd=tmp_path)

    assert out.returncode == 2
    assert "monitor.toml:2" in out.stderr
    assert "did you mean 'name'" in out.stderr


def test_init_writes_a_configuration_that_doctor_reads_and_never_overwrites_one(tmp_path: Path) -> None:
    file = tmp_path / "monitor.toml"

    assert run("init", str(file)).exit_code == 0
    before = file.read_text("utf-8")
    checked = shell("doctor", "--config", str(file), cwd=tmp_path)
    again = shell("init", str(file), cwd=tmp_path)

    assert checked.returncode == 1
    assert "impact assessment" in checked.stdout
    assert again.returncode == 2
    assert file.read_text("utf-8") == before


def test_doctor_lists_every_source_with_its_state_and_no_secret(configured: Path) -> None:
    out = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", "from monitor.cli import main; main()", "doctor", "--config", str(configured), "--json"],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "MONITOR_SMTP_PASSWORD": "planted-secret", "MONITOR_X_BEARER_TOKEN": "planted-secret"}
        | watched(),
    )
    found = json.loads(out.stdout)

    from monitor.policy import folder  # noqa: PLC0415 - the one test that compares with it

    assert [source["source"] for source in found["sources"]] == list(folder.load().sources.names)
    assert all(source["why"] for source in found["sources"] if source["sight"] == "off")
    assert "planted-secret" not in out.stdout + out.stderr


def test_collect_refuses_without_an_impact_assessment(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text("", "utf-8")

    out = shell("collect", cwd=tmp_path)

    assert out.returncode == 2
    assert "Data Protection Impact Assessment" in out.stderr
    assert "privacy.dpia" in out.stderr


def test_collect_refuses_when_the_review_is_overdue(tmp_path: Path) -> None:
    late = DPIA.replace("2099-01-01", "2026-02-01")
    (tmp_path / "monitor.toml").write_text(late, "utf-8")

    out = shell("collect", cwd=tmp_path)

    assert out.returncode == 2
    assert "due for review" in out.stderr


def test_collect_says_why_a_named_source_is_off(configured: Path, tmp_path: Path) -> None:
    out = shell("collect", "--config", str(configured), "--source", "x", cwd=tmp_path)

    assert out.returncode == 2
    assert "Enterprise" in out.stderr


def tag(*lines: Any, explain: bool = False) -> Result:  # noqa: ANN401 - any JSON value
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    return run("tag", *(["--explain"] if explain else []), stdin=text)


CONTRACT = {
    "id", "relevant", "schools", "sentiment", "sentiment_score", "category", "also", "severity", "owner",
    "clauses", "reasons", "policy_version",
}  # fmt: skip


def test_tag_gives_one_line_for_each_line_in_order_by_the_contract() -> None:
    result = tag(
        {"id": 7, "text": "Proud of the KJS choir in Knaresborough tonight, wonderful singing"},
        {"id": "b", "text": "King James just dropped 41 on Boston"},
        {"id": None, "text": "", "title": None, "author": "@somebody", "published": "2026-11-22T10:00:00Z"},
    )
    out = [json.loads(line) for line in result.stdout.splitlines()]

    assert result.exit_code == 0, result.output
    assert [line["id"] for line in out] == [7, "b", None]
    assert all(line.keys() == CONTRACT for line in out)
    assert (out[0]["relevant"], out[0]["schools"], out[0]["category"]) == ("yes", ["KJS"], "PRAISE")
    assert (out[1]["relevant"], out[1]["category"], out[1]["severity"]) == ("no", "NOT_RELEVANT", None)
    assert all(line["sentiment"] in {"negative", "neutral", "positive"} for line in out)
    assert all(-1 <= line["sentiment_score"] <= 1 for line in out)


def test_tag_offsets_point_into_the_text_as_it_was_given() -> None:
    text = "\N{SKULL} K\N{ZERO WIDTH SPACE}JS  Knaresborough: toilets LOCKED again"
    (line,) = [json.loads(line) for line in tag({"id": 1, "text": text}).stdout.splitlines()]

    placed = [reason for reason in line["reasons"] if reason["end"]]
    assert placed
    assert all(text[reason["start"] : reason["end"]] == reason["text"] for reason in placed)


def test_tag_keeps_a_malformed_line_in_its_place_and_exits_with_1() -> None:
    result = tag({"id": 1, "text": "fine"}, "{not json", {"id": 3}, {"text": "no id"}, ["list"], {"id": 6, "text": 5})
    out = [json.loads(line) for line in result.stdout.splitlines()]

    assert result.exit_code == 1
    assert [("error" in line, line["id"]) for line in out] == [
        (False, 1), (True, None), (True, 3), (True, None), (True, None), (True, 6),
    ]  # fmt: skip


def test_tag_takes_only_numbers_and_strings_that_json_knows_and_forgives_a_byte_order_mark() -> None:
    result = tag(
        '\ufeff{"id": 1, "text": "fine"}',
        '{"id": NaN, "text": "fine"}',
        '{"id": 1e999, "text": "fine"}',
        '{"id": 4.5, "text": "fine"}',
        {"id": 5, "text": "fine", "title": 0},
    )
    out = [json.loads(line, parse_constant=pytest.fail) for line in result.stdout.splitlines()]

    assert [("error" in line, line["id"]) for line in out] == [
        (False, 1), (True, None), (True, None), (False, 4.5), (True, 5),
    ]  # fmt: skip


def test_tag_survives_hostile_lines() -> None:
    texts = ["\x00\x1b[2J", "\ud800 KJS Knaresborough", "\N{RIGHT-TO-LEFT OVERRIDE}abc", "a" * 200_000]
    result = tag(*({"id": number, "text": text} for number, text in enumerate(texts)))

    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == len(texts)
    assert "\x1b" not in result.stdout


def test_tag_explains_for_people_who_acts_and_under_which_clause() -> None:
    result = tag(
        {"id": 1, "text": "I'm bringing a knife to King James's School in Knaresborough tomorrow"}, explain=True
    )

    assert "P0 Immediate" in result.stdout
    assert "Headteacher" in result.stdout
    assert "2.4" in result.stdout
    assert "because" in result.stdout


def test_tag_names_the_words_that_carried_the_answer() -> None:
    """Every tag explains itself, the encoder's part too."""
    told = tag({"id": 1, "text": "What a wonderful concert at King James's School in Knaresborough"}, explain=True)

    assert "carried by  [sentiment] 'wonderful'" in told.stdout
