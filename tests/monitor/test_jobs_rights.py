"""What a person may ask about themselves, and nothing more."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from monitor.cli.rights import command
from monitor.errors import ConfigError
from monitor.jobs.daily import daily, window_for
from monitor.jobs.judge import open_for
from monitor.jobs.rights import Request, complaint, erase, find, lift, object_to, restrict
from monitor.records import Mention
from monitor.store import mentions
from monitor.store.rights import is_objected
from monitor.store.schema import metadata
from tests.monitor.conftest import Hands, judgement, record, stored

if TYPE_CHECKING:
    from monitor.jobs.workplace import Workplace

HOUSE = Path(__file__).parents[2]


@pytest.fixture
def posted(place: Workplace) -> Workplace:
    """Give a workplace with two posts of one handle at Bluesky and one of another."""
    with place.store.write() as connection:
        for number, handle in enumerate(("me.example", "me.example", "other.example")):
            mention = Mention(
                source="bluesky",
                native_id=f"at://{number}",
                url=f"https://bsky.example/{number}",
                text="Invented.",
                published=place.clock(),
            )
            key = place.handles.key("bluesky", handle, place.clock())
            arrival = mentions.Arrival(mention=mention, author_key=key, sha256=mention.sha256)
            mentions.take(connection, [arrival], now=place.clock(), articles=frozenset())
    return place


def test_a_requester_finds_their_own_posts_and_nobody_elses(posted: Workplace) -> None:
    found = find(posted, Request(source="bluesky", handle="@Me.example"))

    assert [stored.mention.native_id for stored in found] == ["at://0", "at://1"]
    assert find(posted, Request(source="mastodon", handle="me.example")) == ()


def test_a_post_is_found_by_its_address(posted: Workplace) -> None:
    (stored,) = find(posted, Request(url="https://bsky.example/2"))

    assert stored.mention.native_id == "at://2"


def test_what_is_erased_stays_away(posted: Workplace) -> None:
    request = Request(source="bluesky", handle="me.example")

    assert erase(posted, request).count == 2
    assert find(posted, request) == ()


def test_an_objection_is_remembered_as_a_hash_and_holds_when_keys_rotate(posted: Workplace) -> None:
    request = Request(source="bluesky", handle="me.example")

    assert object_to(posted, request).fresh
    assert not object_to(posted, request).fresh
    key = posted.handles.lasting("bluesky", "me.example")
    with posted.store.read() as connection:
        assert is_objected(connection, frozenset({key, "another"})) == {key}
        dump = " ".join(str(row) for table in metadata.sorted_tables for row in connection.execute(sa.select(table)))
    assert "me.example" not in dump


def test_a_request_says_one_thing_that_can_be_looked_up(posted: Workplace) -> None:
    for request in (
        Request(),
        Request(url="https://a.example", handle="x", source="bluesky"),
        Request(handle="x", source="myspace"),
    ):
        with pytest.raises(ConfigError):
            find(posted, request)
    with pytest.raises(ConfigError, match="handle"):
        object_to(posted, Request(url="https://bsky.example/2"))


def test_only_a_persons_own_request_may_look_posts_up_by_handle() -> None:
    """No other code reads posts by whose they are: `store.rights` has two readers, and the gate's door is one."""
    users = {
        str(file.relative_to(HOUSE))
        for room in ("monitor", "collectors", "analysis", "reports")
        for file in (HOUSE / room).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"by_own_keys", "all_keys"}
    }

    assert users == {"monitor/jobs/rights.py"}


def test_a_restricted_post_is_kept_for_its_poster_and_shown_to_nobody_else(place: Workplace, hands: Hands) -> None:
    """UK GDPR Art 18: its words leave reports that were written, and no later one has them."""
    url = "https://forum.example/1"
    number = stored(place, 1, "Half the toilets at King James's are locked", source="bluesky", url=url)
    record(place, number, judgement())
    with place.store.write() as connection:
        found = mentions.by_number(connection, [number])[number]
        assert found.judgement is not None
        open_for(place, connection, found, found.judgement)
    hands.forward(minutes=1)
    _, (page, _) = daily(place, window_for(place, place.clock()))
    assert "Half the toilets" in page.read_text()
    assert restrict(place, Request(url=url)) == 1
    assert restrict(place, Request(url=url)) == 0
    assert "Half the toilets" not in page.read_text()
    hands.forward(minutes=1)
    rendered, _ = daily(place, window_for(place, place.clock()))
    for report in (rendered.html, rendered.text):
        assert "Half the toilets" not in report
        assert url not in report
        assert "KJS-0001" in report
    (kept,) = find(place, Request(url=url))
    assert kept.mention.text == "Half the toilets at King James's are locked"
    assert lift(place, Request(url=url)) == 1
    with place.store.read() as connection:
        assert mentions.by_number(connection, [number])[number].mention.url == url


def test_a_restricted_post_still_goes_when_its_poster_asks(place: Workplace) -> None:
    url = "https://forum.example/1"
    record(place, stored(place, 1, "Words.", source="bluesky", url=url), judgement())
    restrict(place, Request(url=url))
    assert erase(place, Request(url=url)).count == 1


def test_a_complaint_has_a_day_by_which_its_receipt_is_confirmed(place: Workplace) -> None:
    assert complaint(place, received=date(2026, 11, 23)) == date(2026, 12, 23)


def test_the_command_line_restricts_lifts_and_records_a_complaint(place: Workplace) -> None:
    config = place.settings.folder.parent / "monitor.toml"
    config.write_text('[storage]\nfolder = "monitor-data"\n')
    stored(place, 1, "Words.", source="bluesky", url="https://forum.example/1")
    run = CliRunner().invoke
    given = ["--config", str(config), "--url", "https://forum.example/1"]
    assert run(command, ["restrict", *given]).output == "1 mentions restricted\n"
    assert run(command, ["lift", *given]).output == "1 restrictions lifted\n"
    done = run(command, ["complaint", "--config", str(config), "--received", "2026-11-23"])
    assert done.output == "confirm the receipt by 23 December 2026\n"
    done = run(command, ["erase", *given])
    assert done.output == "1 mentions erased\n"
