"""What comes in is there once, comes back as it was, and survives whatever stops the program."""

from __future__ import annotations

import json
import signal
import string
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.errors import StoreError
from monitor.records import (
    Bookmark,
    Judgement,
    Mention,
    Outcome,
    Reason,
    Relevance,
    Run,
    Sentiment,
    Severity,
    StoredMention,
    Window,
)
from monitor.store import mentions, runs
from monitor.store.engine import open_store
from monitor.store.mentions import Arrival, Taken
from monitor.store.schema import judgements, metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.store.engine import Store

    Arriving = Callable[..., Arrival]

ROOT = Path(__file__).parents[2]
ARTICLES = frozenset({"feeds", "pages"})


def judgement(**changes: object) -> Judgement:
    fields: dict[str, object] = {
        "relevant": Relevance.YES,
        "schools": ("KJS",),
        "sentiment": Sentiment.NEGATIVE,
        "sentiment_score": -0.5,
        "category": "COMPLAINT_SERVICE",
        "also": ("BULLYING",),
        "severity": Severity.P3,
        "owner": "response_owner",
        "clauses": ("2.10",),
        "reasons": (Reason(about="category", rule="bus", start=1, end=4, text="bus", note="a word"),),
        "policy_version": "v1",
        "sentiment_sure": False,
    }
    return Judgement(**(fields | changes))  # type: ignore[arg-type]


def take(store: Store, now: datetime, *arrivals: Arrival) -> Taken:
    with store.write() as connection:
        return mentions.take(connection, arrivals, now=now, articles=ARTICLES)


def everything(store: Store) -> list[StoredMention]:
    forever = Window(start=datetime(1, 1, 2, tzinfo=UTC), end=datetime(9999, 12, 30, tzinfo=UTC))
    with store.read() as connection:
        return list(mentions.between(connection, forever))


def judge(store: Store, now: datetime, number: int, made: Judgement) -> None:
    with store.write() as connection:
        mentions.record(connection, [(number, made)], now=now)


def test_a_mention_comes_back_as_it_came_with_the_stores_own_clocks(
    store: Store, arrival: Arriving, now: datetime
) -> None:
    sent = arrival(
        author_key="a1",
        title="Open evening",
        community="Knaresborough Chat",
        language="en-GB",
        in_reply_to="0",
        repost_of="r",
        edited=now,
    )
    assert take(store, now, sent) == Taken(new=1)
    (found,) = everything(store)
    assert found.mention == sent.mention
    assert (found.author_key, found.sha256) == ("a1", sent.sha256)
    assert found.first_seen == found.last_seen == now
    assert found.judgement is None
    assert found.also_in == ()


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
moments = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.timezones())  # noqa: DTZ001


@given(
    key=words.filter(bool),
    text=words,
    title=words,
    community=words,
    channel=words,
    parent=st.none() | words,
    published=moments,
    edited=st.none() | moments,
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_whatever_people_write_comes_back_as_it_came(
    store: Store, now: datetime, key: str, text: str, published: datetime, **fields: str | datetime | None
) -> None:
    mention = Mention(
        source="mastodon",
        native_id=key,
        url="",
        text=text,
        published=published,
        **fields_of(fields),  # type: ignore[arg-type]
    )
    with store.write() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(sa.delete(table))
    take(store, now, Arrival(mention=mention, author_key="", sha256=mention.sha256))
    (found,) = everything(store)
    assert found.mention == mention


def fields_of(fields: dict[str, str | datetime | None]) -> dict[str, object]:
    return {("in_reply_to" if name == "parent" else name): value for name, value in fields.items()}


def test_a_second_run_adds_nothing_and_moves_last_seen(store: Store, arrival: Arriving, now: datetime) -> None:
    posts = [arrival(str(number)) for number in range(3)]
    later = now + timedelta(hours=1)
    assert take(store, now, *posts) == Taken(new=3)
    assert take(store, later, *posts) == Taken(known=3)
    assert [(found.first_seen, found.last_seen) for found in everything(store)] == [(now, later)] * 3


@given(order=st.lists(st.integers(0, 30), max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
def test_whatever_the_order_and_however_often_each_post_is_there_once(
    sqlite_url: str, now: datetime, order: list[int]
) -> None:
    store = open_store(sqlite_url)
    with store.write() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(sa.delete(table))
    for number in order:
        mention = Mention(source="x", native_id=str(number), url="", text=str(number), published=now)
        take(store, now, Arrival(mention=mention, author_key="", sha256=mention.sha256))
    assert sorted(int(found.mention.native_id) for found in everything(store)) == sorted(set(order))
    store.close()


def test_the_same_post_twice_in_one_run_is_one_and_the_last_form_wins(
    store: Store, arrival: Arriving, now: datetime
) -> None:
    assert take(store, now, arrival("1", text="first"), arrival("1", text="second")) == Taken(new=1)
    assert [found.mention.text for found in everything(store)] == ["second"]


def test_more_posts_than_one_batch_are_all_taken(store: Store, arrival: Arriving, now: datetime) -> None:
    assert take(store, now, *(arrival(str(number)) for number in range(950))) == Taken(new=950)
    assert len(everything(store)) == 950


def test_one_article_through_two_feeds_is_one_mention_that_names_both_places(
    store: Store, arrival: Arriving, now: datetime
) -> None:
    first = arrival("a", source="feeds", channel="Advertiser", url="https://news.example/story?id=7")
    second = arrival("b", source="feeds", channel="Alerts", url="http://news.example/story/?utm_source=x&id=7#top")
    third = arrival("c", source="pages", channel="Advertiser", url="https://news.example/story?id=7&fbclid=1")
    other = arrival("d", source="feeds", channel="Alerts", url="https://news.example/story?id=8")
    assert take(store, now, first, second) == Taken(new=1, known=1)
    assert take(store, now + timedelta(minutes=5), third, second, other) == Taken(new=1, known=2)
    story, unlike = everything(store)
    assert story.mention == first.mention
    assert story.also_in == (
        ("feeds", "Alerts", second.mention.url),
        ("pages", "Advertiser", third.mention.url),
    )
    assert unlike.mention.native_id == "d"
    assert unlike.also_in == ()


def test_another_feeds_wording_of_an_article_is_not_an_edit(store: Store, arrival: Arriving, now: datetime) -> None:
    take(store, now, arrival("a", source="feeds", channel="one", url="https://n.example/s", text="whole"))
    again = arrival("b", source="feeds", channel="two", url="https://n.example/s", text="cut short")
    assert take(store, now, again) == Taken(known=1)
    assert everything(store)[0].mention.text == "whole"


def test_social_posts_that_share_a_link_stay_apart(store: Store, arrival: Arriving, now: datetime) -> None:
    shared = "https://news.example/story"
    assert take(store, now, arrival("1", url=shared), arrival("2", url=shared)) == Taken(new=2)


def test_an_article_and_a_social_post_that_share_a_link_stay_apart(
    store: Store, arrival: Arriving, now: datetime
) -> None:
    shared = "https://news.example/story"
    take(store, now, arrival("1", url=shared))
    assert take(store, now, arrival("2", url=shared, source="feeds")) == Taken(new=1)


def test_an_edit_is_taken_over_and_judged_again(store: Store, arrival: Arriving, now: datetime) -> None:
    take(store, now, arrival(text="Good school"))
    number = everything(store)[0].id
    judge(store, now, number, judgement())
    with store.read() as connection:
        assert mentions.pending(connection, 9) == ()
    later = now + timedelta(minutes=1)
    assert take(store, later, arrival(text="Good school? No.")) == Taken(changed=1)
    (found,) = everything(store)
    assert (found.id, found.mention.text, found.mention.edited) == (number, "Good school? No.", later)
    assert found.judgement is None
    with store.read() as connection:
        assert [stored.id for stored in mentions.pending(connection, 9)] == [number]
        assert connection.scalar(sa.select(sa.func.count()).select_from(judgements)) == 0
    assert take(store, later, arrival(text="Good school? No.")) == Taken(known=1)


def test_an_edit_that_comes_through_two_channels_at_once_counts_once(
    store: Store, arrival: Arriving, now: datetime
) -> None:
    take(store, now, arrival(channel="one"), arrival(channel="two"))
    edited = [arrival(text="changed", channel=channel) for channel in ("one", "two")]
    assert take(store, now, *edited) == Taken(changed=1, known=1)


def test_the_platforms_own_time_of_an_edit_is_kept(store: Store, arrival: Arriving, now: datetime) -> None:
    take(store, now, arrival())
    said = now - timedelta(minutes=7)
    take(store, now, arrival(text="changed", edited=said))
    assert everything(store)[0].mention.edited == said


def bring(store: Store, arrival: Arriving, now: datetime) -> None:
    """Store a run as a job does, and die before the end of the transaction."""
    window = Window(start=now - timedelta(days=1), end=now)
    run = Run(source="mastodon", started=now, ended=now, window=window, outcome=Outcome.COMPLETE)
    with store.write() as connection:
        mentions.take(connection, [arrival("1"), arrival("2")], now=now, articles=ARTICLES)
        runs.add(connection, run)
        runs.keep_bookmarks(connection, "mastodon", [Bookmark(channel="tag", value="99")])
        raise RuntimeError


def test_a_crash_in_the_middle_leaves_no_row_and_no_bookmark(store: Store, arrival: Arriving, now: datetime) -> None:
    with pytest.raises(RuntimeError):
        bring(store, arrival, now)
    with store.read() as connection:
        assert runs.bookmarks_of(connection, "mastodon") == {}
        assert runs.latest(connection, "mastodon") is None
    assert everything(store) == []


def test_a_kill_in_the_middle_leaves_no_row_and_no_bookmark(store_url: str, now: datetime) -> None:
    store = open_store(store_url)
    script = f"""
import os, signal
from datetime import UTC, datetime
from monitor.records import Bookmark, Mention
from monitor.store import mentions, runs
from monitor.store.engine import open_store

now = datetime.fromisoformat({now.isoformat()!r})
store = open_store({store_url!r})
with store.write() as connection:
    for number in range(500):
        post = Mention(source="x", native_id=str(number), url="", text="t" * 5000, published=now)
        arrived = mentions.Arrival(mention=post, author_key="", sha256="")
        mentions.take(connection, [arrived], now=now, articles=frozenset())
    runs.keep_bookmarks(connection, "x", [Bookmark(channel="c", value="9")])
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)  # noqa: S603
    assert killed.returncode == -signal.SIGKILL
    assert everything(store) == []
    with store.read() as connection:
        assert runs.bookmarks_of(connection, "x") == {}
    store.close()


def test_a_judgement_comes_back_as_it_was_made(store: Store, arrival: Arriving, now: datetime) -> None:
    take(store, now, arrival())
    number = everything(store)[0].id
    made = judgement()
    judge(store, now, number, made)
    assert everything(store)[0].judgement == made


def test_a_judgement_without_score_or_severity_comes_back(store: Store, arrival: Arriving, now: datetime) -> None:
    take(store, now, arrival())
    made = judgement(sentiment=None, sentiment_score=None, severity=None, also=(), reasons=())
    judge(store, now, everything(store)[0].id, made)
    assert everything(store)[0].judgement == made


def test_judging_again_under_other_rules_shows_the_newer_judgement(
    store: Store, arrival: Arriving, now: datetime
) -> None:
    take(store, now, arrival())
    number = everything(store)[0].id
    judge(store, now, number, judgement())
    judge(store, now, number, judgement(policy_version="v2", category="PRAISE"))
    judge(store, now, number, judgement(policy_version="v2", category="NEUTRAL"))
    found = everything(store)[0].judgement
    assert found is not None
    assert (found.policy_version, found.category) == ("v2", "NEUTRAL")
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(judgements)) == 2


def test_pending_gives_the_oldest_first_and_no_more_than_asked(store: Store, arrival: Arriving, now: datetime) -> None:
    take(store, now, *(arrival(str(number)) for number in range(5)))
    with store.read() as connection:
        assert [stored.mention.native_id for stored in mentions.pending(connection, 3)] == ["0", "1", "2"]


def test_a_window_is_half_open_and_counts_agree_with_what_is_given(
    store: Store, arrival: Arriving, now: datetime
) -> None:
    hour = timedelta(hours=1)
    take(store, now, arrival("1"), arrival("2", source="feeds", url=""))
    take(store, now + hour, arrival("3"))
    first, second = Window(start=now, end=now + hour), Window(start=now + hour, end=now + 2 * hour)
    with store.read() as connection:
        assert [s.mention.native_id for s in mentions.between(connection, first)] == ["1", "2"]
        assert [s.mention.native_id for s in mentions.between(connection, first, limit=1)] == ["1"]
        assert mentions.counts(connection, [first, second]) == (2, 1)
        assert mentions.counts_by_source(connection, first) == {"mastodon": 1, "feeds": 1}


def test_mentions_are_found_by_number_and_by_key_and_unknown_ones_are_left_out(
    store: Store, arrival: Arriving, now: datetime
) -> None:
    take(store, now, *(arrival(str(number)) for number in range(3)))
    known = {found.id: found for found in everything(store)}
    with store.read() as connection:
        assert mentions.by_number(connection, [*known, 10**6]) == known
        asked = [("mastodon", "1"), ("mastodon", "99"), ("x", "1")]
        (number,) = mentions.numbers_of(connection, asked)
    assert known[number].mention.native_id == "1"


def test_a_time_without_zone_never_reaches_the_database(store: Store, arrival: Arriving) -> None:
    naive = datetime(2026, 11, 23)  # noqa: DTZ001 - that is the point
    with pytest.raises((ValueError, sa.exc.StatementError), match="without a zone"):
        take(store, naive, arrival())
    assert everything(store) == []


def test_what_was_taken_adds_up() -> None:
    assert Taken(new=1, changed=2, known=3) + Taken(new=1) == Taken(new=2, changed=2, known=3)


def test_a_handle_is_never_in_the_file(sqlite_url: str, arrival: Arriving, now: datetime) -> None:
    """Even a collector's own `author` is not written: the table has no column for it."""
    store = open_store(sqlite_url)
    take(store, now, arrival(author="@jane_doe_1987", author_key="5f3a"))
    assert everything(store)[0].mention.author == ""
    store.close()
    folder = Path(sa.make_url(sqlite_url).database or "").parent
    content = b"".join(file.read_bytes() for file in folder.iterdir())
    assert b"jane_doe_1987" not in content
    assert b"5f3a" in content


def test_a_post_of_every_printable_character_is_json_safe_in_reasons(
    store: Store, arrival: Arriving, now: datetime
) -> None:
    take(store, now, arrival())
    hostile = string.printable + "\u202e🏫"
    made = judgement(reasons=(Reason(about="category", rule="r", text=hostile),))
    judge(store, now, everything(store)[0].id, made)
    found = everything(store)[0].judgement
    assert found == made
    assert json.dumps(hostile)
    assert replace(made, category="OTHER") != found


def test_a_broken_store_is_a_store_error_for_those_who_read(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    with store.write() as connection:
        connection.execute(sa.text("DROP TABLE sightings"))
        connection.execute(sa.text("DROP TABLE judgements"))
        connection.execute(sa.text("DROP TABLE mentions"))
    with pytest.raises(StoreError, match="no such table"), store.read() as connection:
        mentions.pending(connection, 1)
    store.close()
