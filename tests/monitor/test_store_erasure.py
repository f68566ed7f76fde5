"""What was erased stays out and leaves no word; what was kept long enough goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from monitor.records import Judgement, Reason, Relevance, Sentiment, Severity, StoredMention, Window
from monitor.store import mentions
from monitor.store.engine import open_store
from monitor.store.mentions import Arrival, Taken
from monitor.store.schema import judgements, metadata, sightings, tombstones

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.store.engine import Store

    Arriving = Callable[..., Arrival]

ARTICLES = frozenset({"feeds", "pages"})
NOTHING: frozenset[str] = frozenset()
KEPT = {severity: timedelta(days=90) for severity in Severity}


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


def erase(store: Store, now: datetime, *, forget: frozenset[str] = NOTHING) -> int:
    numbers = [stored.id for stored in everything(store)]
    with store.write() as connection:
        return mentions.erase(connection, numbers, now=now, why="test", forget=forget)


def test_an_erased_post_stays_out_and_leaves_no_word(store: Store, arrival: Arriving, now: datetime) -> None:
    take(store, now, arrival(text="secret words"))
    judge(store, now, everything(store)[0].id, judgement())
    assert erase(store, now) == 1
    assert take(store, now, arrival(text="secret words"), arrival("2")) == Taken(new=1)
    assert [found.mention.native_id for found in everything(store)] == ["2"]
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(judgements)) == 0
        kept = [tuple(row) for row in connection.execute(sa.select(tombstones))]
    assert len(kept) == 1
    assert "secret" not in str(kept)


def test_erasing_the_same_post_again_changes_only_its_tombstones_date(
    store: Store, arrival: Arriving, now: datetime
) -> None:
    take(store, now, arrival())
    erase(store, now)
    with store.write() as connection:
        connection.execute(sa.delete(tombstones))
    take(store, now, arrival())
    with store.write() as connection:
        connection.execute(
            sa.insert(tombstones).values(
                key=mentions.tombstone("mastodon", "1"), source="mastodon", at=now, why="before"
            )
        )
    assert erase(store, now + timedelta(days=1)) == 1
    with store.read() as connection:
        assert [(row.why, row.at) for row in connection.execute(sa.select(tombstones))] == [
            ("test", now + timedelta(days=1))
        ]


def test_an_erased_article_does_not_come_back_through_another_feed(
    store: Store, arrival: Arriving, now: datetime
) -> None:
    take(store, now, arrival("a", source="feeds", url="https://n.example/s"))
    erase(store, now)
    back = arrival("b", source="pages", url="https://n.example/s?utm_medium=feed")
    assert take(store, now, back) == Taken()
    linked = arrival("c", source="mastodon", url="https://n.example/s")
    assert take(store, now, linked) == Taken(new=1)


def test_of_a_source_that_must_be_forgotten_nothing_stays_at_all(
    store: Store, arrival: Arriving, now: datetime
) -> None:
    """Reddit's Data API terms: what was deleted goes whole, hashed or not."""
    take(store, now, arrival("t3_abc", source="reddit", text="forget these words"))
    take(store, now, arrival("t3_abc", source="reddit", text="forget these words", channel="other"))
    judge(store, now, everything(store)[0].id, judgement())
    assert erase(store, now, forget=frozenset({"reddit"})) == 1
    with store.read() as connection:
        rows = {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table))
            for table in metadata.sorted_tables
        }
    assert set(rows.values()) == {0}


def test_erased_words_are_not_left_in_the_file(sqlite_url: str, arrival: Arriving, now: datetime) -> None:
    store = open_store(sqlite_url)
    take(store, now, arrival("t3_abc", source="reddit", text="unforgettable words"))
    erase(store, now, forget=frozenset({"reddit"}))
    store.close()
    folder = Path(sa.make_url(sqlite_url).database or "").parent
    assert b"unforgettable" not in b"".join(file.read_bytes() for file in folder.iterdir())


def test_erasing_takes_the_places_with_it(store: Store, arrival: Arriving, now: datetime) -> None:
    take(store, now, arrival(), arrival("2"))
    assert erase(store, now) == 2
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(sightings)) == 0
    assert erase(store, now) == 0


def expired(store: Store, now: datetime, **kept_by_source: timedelta) -> set[str]:
    with store.read() as connection:
        numbers = mentions.expired(
            connection,
            now=now,
            by_severity=KEPT | {Severity.P4: timedelta(days=30)},
            by_source=kept_by_source,
        )
        return {found.mention.native_id for found in mentions.by_number(connection, numbers).values()}


def test_words_go_by_severity_or_sooner_by_the_sources_terms(store: Store, arrival: Arriving, now: datetime) -> None:
    posts = {"serious": Severity.P1, "small": Severity.P4}
    take(store, now, *(arrival(name) for name in posts), arrival("borrowed", source="reddit"))
    for found in everything(store):
        severity = posts.get(found.mention.native_id, Severity.P1)
        judge(store, now, found.id, judgement(severity=severity))
    day = timedelta(days=1)
    caps = {"reddit": timedelta(hours=48)}
    assert expired(store, now + 2 * day, **caps) == set()
    assert expired(store, now + 3 * day, **caps) == {"borrowed"}
    assert expired(store, now + 31 * day, **caps) == {"borrowed", "small"}
    assert expired(store, now + 91 * day, **caps) == {"borrowed", "small", "serious"}


def test_only_the_judgement_of_today_decides_how_long_words_are_kept(
    store: Store, arrival: Arriving, now: datetime
) -> None:
    take(store, now, arrival())
    number = everything(store)[0].id
    judge(store, now, number, judgement(severity=Severity.P4))
    judge(store, now, number, judgement(severity=Severity.P1, policy_version="v2"))
    assert expired(store, now + timedelta(days=31)) == set()


def test_what_is_not_about_our_schools_goes_at_once_and_what_nobody_judged_in_the_end(
    store: Store, arrival: Arriving, now: datetime
) -> None:
    """PR07: nothing that is not relevant is kept, and nothing is kept for ever."""
    take(store, now, arrival("namesake"), arrival("unjudged"))
    number = next(found.id for found in everything(store) if found.mention.native_id == "namesake")
    judge(store, now, number, judgement(relevant=Relevance.NO, severity=None, category="NOT_RELEVANT"))
    assert expired(store, now) == {"namesake"}
    assert expired(store, now + timedelta(days=91)) == {"namesake", "unjudged"}
