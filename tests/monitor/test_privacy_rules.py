"""The privacy requirements that belong to no single module, each over the house as it stands (docs/privacy.md)."""

from __future__ import annotations

import ast
import html
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import scheduler
from monitor.errors import ConfigError
from monitor.jobs.alerts import raise_alerts
from monitor.jobs.casework import Act, Doing, act, subject_of
from monitor.jobs.collect import arrival_of, collect
from monitor.jobs.daily import daily, window_for
from monitor.jobs.evidence import Exhibit
from monitor.jobs.judge import judge_pending, open_for
from monitor.masking import holds_details, masked
from monitor.records import Mention, Severity
from monitor.settings import Reading, Retention, Settings
from monitor.store import journal, mentions, outbox
from reports.quoting import quoted, unnamed
from tests.monitor.conftest import Hands, judgement, record, stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.jobs.workplace import Workplace
    from monitor.records import Case

ROOT = Path(__file__).parents[2]
COLLECTORS = sorted((ROOT / "collectors").glob("*.py"))
PRODUCT = sorted(
    file for room in ("monitor", "collectors", "analysis", "reports") for file in (ROOT / room).rglob("*.py")
)
DPIA = {"reference": "R", "owner": "O", "signed": date(2026, 1, 1)}


# ---------------------------------------------------------------- PR10, PR11, PR29: the lawful frame


def test_live_reading_does_not_start_without_an_assessment(opened: Callable[..., Workplace]) -> None:
    with pytest.raises(ConfigError, match="needs a signed Data Protection Impact Assessment"):
        collect(opened(privacy={}))


@pytest.mark.parametrize("missing", ["reference", "owner", "signed", "review_due"])
def test_an_assessment_without_reference_owner_or_date_is_none(missing: str) -> None:
    whole = {**DPIA, "review_due": date(2027, 1, 1)}
    Settings.model_validate({"privacy": {"dpia": whole}})
    for nothing in ({}, {missing: ""}):
        table = {name: value for name, value in whole.items() if name != missing} | nothing
        with pytest.raises(ValueError, match=missing):
            Settings.model_validate({"privacy": {"dpia": table}})


def test_when_its_review_is_overdue_reading_stops_and_the_digest_says_so(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    """The clock goes on, so that the notice is sent; only live reading stops."""
    place = opened(privacy={"dpia": {**DPIA, "review_due": date(2026, 11, 23)}})
    clockwork = scheduler.Clockwork(place)
    clockwork.run(clockwork.planned("collect"))
    hands.forward(days=1)
    with pytest.raises(ConfigError, match="was due for review on 23 November 2026: collection has stopped"):
        clockwork.run(clockwork.planned("collect"))
    hands.forward(minutes=1)
    rendered, _ = daily(place, window_for(place, place.clock()))
    assert "was due for review on 23 November 2026: collection has stopped" in html.unescape(rendered.html)
    with place.store.read() as connection:
        assert journal.last_done(connection, "collect") is not None


@pytest.mark.parametrize("basis", ["legitimate_interests", "recognised_legitimate_interests", "consent", ""])
def test_no_lawful_basis_but_the_public_task_is_accepted(basis: str) -> None:
    assert Settings().privacy.lawful_basis == "public_task"
    with pytest.raises(ValueError, match="public_task"):
        Settings.model_validate({"privacy": {"lawful_basis": basis}})


# ---------------------------------------------------------------- PR02, PR15: nothing is done to anybody


ACTS = (
    "follow", "unfollow", "befriend", "subscribe", "join", "like", "favourite", "favorite", "repost", "retweet",
    "reblog", "block", "mute", "reply", "comment", "send_post", "create_tweet", "status_post", "toot", "submit",
    "report_", "direct_message", "send_message", "upload", "put", "patch", "delete",
)  # fmt: skip
HARMLESS = {"join", "put", "like"}
"""Of texts, of queues, and of SQL; nothing that a platform offers under these names is imported here."""


def test_no_call_of_a_collector_writes_to_a_platform_or_follows_anybody() -> None:
    """PR02 and PR15: no write, follow, reply, block or report call exists."""
    found = {
        f"{file.name}:{node.lineno} {node.func.attr}"
        for file in COLLECTORS
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if any(node.func.attr == word or node.func.attr.startswith(f"{word}_") for word in ACTS)
        and node.func.attr not in HARMLESS
    }
    assert found == set()


def test_the_only_ways_out_of_the_house_are_reading_sources_and_mail_to_named_roles() -> None:
    """PR15 and PR28: who imports a way to speak to other machines is known."""
    ways = {"smtplib", "httpx", "socket", "urllib.request", "http.client", "requests", "apprise", "scrapy", "praw",
            "tweepy", "atproto", "mastodon", "googleapiclient", "ftplib", "telnetlib", "websockets", "aiohttp",
            "openai", "anthropic", "boto3"}  # fmt: skip
    speakers: dict[str, set[str]] = {}
    for file in PRODUCT:
        if "rehearsal" in file.parts:
            continue  # answers on this machine; it asks nobody
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                if name.split(".")[0] in ways or name in ways:
                    speakers.setdefault(name.split(".")[0], set()).add(file.relative_to(ROOT).as_posix())
    assert speakers.pop("smtplib") == {"monitor/mail.py"}
    assert speakers.pop("apprise", {"monitor/channels.py"}) == {"monitor/channels.py"}
    assert speakers.keys().isdisjoint({"openai", "anthropic", "boto3", "ftplib", "telnetlib", "websockets", "aiohttp"})
    files = {file for named in speakers.values() for file in named}
    assert {file for file in files if not file.startswith("collectors/")} == {"monitor/http.py"}


# ---------------------------------------------------------------- PR28: nothing leaves the machine by itself


def test_in_its_default_state_the_house_opens_no_connection(tmp_path: Path) -> None:
    """Judging, digest and check-up of a fresh configuration, in a process that may not speak to anybody."""
    script = f"""
import sys

def deny(event, arguments):
    if event in {{"socket.connect", "socket.getaddrinfo", "socket.sendto"}}:
        print("CONNECTION", event, arguments[-1:])
        raise SystemExit(9)

sys.addaudithook(deny)
from click.testing import CliRunner
from monitor.cli import group

def run(*words, **more):
    done = CliRunner().invoke(group, words, **more)
    assert done.exit_code != 9, done.output
    return done

config = {str(tmp_path / "monitor.toml")!r}
run("init", config)
run("tag", input='{{"id": 1, "text": "The toilets at King James in Knaresborough are locked"}}')
for words in (["daily", "--no-send"], ["weekly", "--no-send"], ["doctor", "--offline"], ["case", "list"], ["verify"]):
    assert run(*words, "--config", config).exit_code in {{0, 1}}, words
assert run("collect", "--config", config).exception is not None
print("SILENT")
"""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert "CONNECTION" not in done.stdout
    assert done.stdout.endswith("SILENT\n"), done.stderr


# ---------------------------------------------------------------- PR06: nothing personal is stored or shown


NAMES = st.from_regex(r"[a-z]{4,9}_[a-z]{3,6}[0-9]{2,4}", fullmatch=True)
DETAILS = st.one_of(
    NAMES.map(lambda name: f"@{name}"),
    NAMES.map(lambda name: f"@{name}@social.example"),
    NAMES.map(lambda name: f"u/{name}"),
    NAMES.map(lambda name: f"{name}@mail.example"),
    st.from_regex(r"07[0-9]{9}", fullmatch=True),
    st.from_regex(r"07[0-9]{3} [0-9]{6}", fullmatch=True),
    st.from_regex(r"\+44 [1-9][0-9]{3} [0-9]{6}", fullmatch=True),
    st.from_regex(r"\(01[0-9]{3}\) [0-9]{6}", fullmatch=True),
    st.from_regex(r"[BGLMSW][1-9][0-9]? [1-9][ABDEFGHJLNPQRSTUWXYZ]{2}", fullmatch=True),
    st.from_regex(r"(HG|YO|LS)[1-9] [1-9][ABDEFGHJLNPQRSTUWXYZ]{2}", fullmatch=True),
    st.builds(
        lambda number, name, kind: f"{number} {name} {kind}",
        st.integers(1, 999),
        st.sampled_from(["high", "church", "st james's", "wetherby", "king james"]),
        st.sampled_from(["street", "road", "avenue", "lane", "crescent", "terrace"]),
    ),
    st.builds(
        lambda number, name, kind: f"{number} {name} {kind}",
        st.integers(1, 999),
        st.sampled_from(["High", "Church", "St James's", "Wetherby", "King James", "Castle Ings"]),
        st.sampled_from(["Street", "St", "Road", "Rd", "Avenue", "Lane", "Close", "Drive", "Crescent", "Grove", "Way"]),
    ),
)
AROUND = st.sampled_from(["", "ask ", "(", "write to: ", "it is ", "\u2013 ", "“", "\n"])


@given(before=AROUND, detail=DETAILS, after=st.sampled_from(["", ".", ", please", "!", ")", " today", "\n", "”"]))
def test_a_personal_detail_is_never_left_in_stored_text_or_in_a_quotation(before: str, detail: str, after: str) -> None:
    text = f"King James's School, Knaresborough: {before}{detail}{after}"
    for shown in (masked(text), quoted(text, 1000), unnamed(text)):
        assert detail not in shown
        assert not holds_details(shown)


@given(handle=NAMES, detail=DETAILS)
@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_handle_and_no_detail_reaches_database_digest_or_mail(place: Workplace, handle: str, detail: str) -> None:
    """PR06: a property over the way from a collector to the outbox."""
    mention = Mention(
        source="mastodon",
        native_id=f"id-{handle}"[:3],
        url="https://social.example/posts/1",
        text=f"The toilets at King James's School are locked, {detail} said @{handle}",
        title=f"{detail}",
        published=place.clock(),
        author=f"@{handle}",
        raw=handle.encode(),
    )
    arrival = arrival_of(place, mention)
    with place.store.write() as connection:
        mentions.take(connection, [arrival], now=place.clock() - timedelta(minutes=1), articles=frozenset())
        (number,) = mentions.numbers_of(connection, [("mastodon", mention.native_id)])
        mentions.record(connection, [(number, judgement())], now=place.clock())
        found = mentions.by_number(connection, [number])[number]
        assert found.judgement is not None
        open_for(place, connection, found, found.judgement)
    rendered, _ = daily(place, window_for(place, place.clock()))
    with place.store.read() as connection:
        mail = " ".join(one.content.decode() for one in outbox.with_content(connection))
        rows = str(connection.exec_driver_sql("SELECT * FROM mentions").all())
    for text in (rendered.html, rendered.text, mail, rows):
        assert handle not in text
        assert detail not in text


PERSONS = st.sampled_from(["Tobias", "Ottilie", "Penrose", "Wrenfield", "Ottilie Penrose", "Tobias Wrenfield-Hall"])
TOLD = st.sampled_from(
    ["Mr", "Mrs", "Miss", "Dr", "my son", "my daughter", "a lad called", "head teacher", "her name is"]
)


@given(name=PERSONS, told=TOLD)
@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_after_a_title_or_a_kinship_word_reaches_database_digest_or_logs(
    place: Workplace, caplog: pytest.LogCaptureFixture, name: str, told: str
) -> None:
    """PR06: a property over the way from a collector through judging to digest and logs."""
    caplog.set_level("DEBUG")
    words = f"Ask {told} {name} why the toilets at King James's School Knaresborough are locked"
    mention = Mention(
        source="mastodon",
        native_id=words,
        url="https://social.example/posts/1",
        text=words,
        title=words,
        published=place.clock(),
    )
    arrival = arrival_of(place, replace(mention, native_id=mention.sha256))
    with place.store.write() as connection:
        mentions.take(connection, [arrival], now=place.clock() - timedelta(minutes=1), articles=frozenset())
    judge_pending(place)
    rendered, _ = daily(place, window_for(place, place.clock()))
    with place.store.read() as connection:
        (text,) = connection.exec_driver_sql("SELECT DISTINCT text FROM mentions WHERE text LIKE ?", (f"%{told} [%",))
        rows = str(connection.exec_driver_sql("SELECT * FROM mentions").all())
        rows += str(connection.exec_driver_sql("SELECT * FROM judgements").all())
    assert text == (f"Ask {told} [name] why the toilets at King James's School Knaresborough are locked",)
    for shown in (rendered.html, rendered.text, rows, caplog.text):
        assert not any(part in shown for part in name.replace("-", " ").split())


# ---------------------------------------------------------------- PR18, PR19: who may see what


def urgent_case(place: Workplace) -> str:
    number = stored(place, 1, "An allegation in invented words.")
    record(place, number, judgement(category="STAFF_ALLEGATION", severity=Severity.P0, owner="headteacher"))
    with place.store.write() as connection:
        found = mentions.by_number(connection, [number])[number]
        assert found.judgement is not None
        return open_for(place, connection, found, found.judgement).reference


def recipients(place: Workplace) -> set[str]:
    raise_alerts(place)
    with place.store.read() as connection:
        return {one.recipient for one in outbox.with_content(connection)}


def test_no_alert_goes_to_the_person_that_a_post_is_about(place: Workplace, hands: Hands) -> None:
    """PR19: Headteacher to Chair; from the moment at which somebody says whom it is about."""
    reference = urgent_case(place)
    doing = Doing(act=Act.ASSIGN, by="A", why="about the head", to="chair", about_role="headteacher")
    case: Case = act(place, reference, doing)
    assert subject_of(case) == "headteacher"
    hands.forward(minutes=40)
    told = recipients(place)
    assert "chair@school.example" in told
    assert "head@school.example" not in told


def test_without_such_a_word_the_owner_is_alerted(place: Workplace) -> None:
    urgent_case(place)
    assert "head@school.example" in recipients(place)


# ---------------------------------------------------------------- PR07, PR21, PR25: little, and not for long


def test_limits_cannot_be_configured_away() -> None:
    """PR07 and PR21: the longest times and the farthest look back are limits of the configuration itself."""
    most = {"P0": 90, "P1": 90, "P2": 90, "P3": 60, "P4": 30}
    for severity, days in most.items():
        assert getattr(Retention(), severity) <= days
        with pytest.raises(ValueError, match="less than or equal"):
            Retention.model_validate({severity: days + 1})
    with pytest.raises(ValueError, match="less than or equal"):
        Reading.model_validate({"backfill_days": 31})


def test_evidence_is_words_address_times_and_a_hash_and_nothing_of_the_author() -> None:
    """PR25: text, URL, platform, posted-at, seen-at, content hash; no picture, no handle."""
    assert set(Exhibit.__slots__) == {
        "number", "source", "native_id", "url", "published", "captured", "last_seen", "edited", "sha256", "title",
        "text", "copy_of", "withheld",
    }  # fmt: skip


def test_the_rules_protect_whistleblowers_and_unions_and_never_name_an_author(place: Workplace) -> None:
    """PR22 and PR30."""
    escalation = place.policy.escalation
    assert "Treat whistleblowing or union activity as misconduct." in escalation.category("STAFF_CONDUCT").never
    assert "Verify author by asking, not by searching." in escalation.category("STAFF_CONDUCT").steps
    assert any("profile" in rule for rule in escalation.category("THREAT_VIOLENCE").never)
