"""One article in several feeds is one mention; only the feed it was taken from can show an edit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from monitor.records import Mention
from monitor.store import mentions
from monitor.store.engine import open_store

if TYPE_CHECKING:
    import sqlalchemy as sa

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ARTICLE = Mention(
    source="feeds",
    native_id="https://paper.example/a",
    url="https://paper.example/a",
    text="The long excerpt of one feed.",
    published=NOW,
    channel="Paper",
)
ELSEWHERE = replace(ARTICLE, text="Another feed's shorter cut.", channel="Alert")


def take(connection: sa.Connection, *found: Mention) -> mentions.Taken:
    arrivals = [mentions.Arrival(mention=m, author_key="", sha256=m.sha256) for m in found]
    return mentions.take(connection, arrivals, now=NOW, articles=frozenset({"feeds"}))


def test_two_feeds_in_one_batch_are_one_mention_that_names_both_places(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    with store.write() as connection:
        assert take(connection, ARTICLE, ELSEWHERE) == mentions.Taken(new=1, known=1)
        (stored,) = mentions.by_number(connection, [1]).values()
    store.close()

    assert stored.mention.text == ARTICLE.text
    assert [place[1] for place in stored.also_in] == ["Alert"]


def test_another_feeds_cut_of_the_article_is_no_edit_but_its_own_feeds_is(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    with store.write() as connection:
        take(connection, ARTICLE)
        assert take(connection, ELSEWHERE, ARTICLE) == mentions.Taken(known=2)
        assert take(connection, replace(ARTICLE, text="Corrected.")) == mentions.Taken(changed=1)
        (stored,) = mentions.by_number(connection, [1]).values()
    store.close()

    assert stored.mention.text == "Corrected."
