"""What a person may ask about themselves, and nothing more."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from monitor.errors import ConfigError
from monitor.jobs.rights import Request, erase, find, object_to
from monitor.records import Mention
from monitor.store import mentions
from monitor.store.rights import is_objected
from monitor.store.schema import metadata

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

    assert erase(posted, request) == 2
    assert find(posted, request) == ()


def test_an_objection_is_remembered_as_a_hash_and_holds_when_keys_rotate(posted: Workplace) -> None:
    request = Request(source="bluesky", handle="me.example")

    assert object_to(posted, request)
    assert not object_to(posted, request)
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
