"""The weekly report counts every post that was erased, also where nothing else of it may stay."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.jobs.collect import wipe
from monitor.jobs.retention import retain
from monitor.jobs.rights import Request, erase
from monitor.jobs.weekly import gather
from monitor.records import Gone, Window
from monitor.store import audit
from monitor.store.schema import metadata
from reports.weekly import build
from tests.monitor.conftest import Hands, judgement, record, stored

if TYPE_CHECKING:
    import sqlalchemy as sa

    from monitor.jobs.workplace import Workplace
    from monitor.store.engine import Store

WORDS = "zqinvented words about King James's School"


def everything(connection: sa.Connection) -> str:
    """Return every row of every table."""
    return "".join(repr(connection.execute(table.select()).all()) for table in metadata.sorted_tables)


def erased(place: Workplace, hands: Hands) -> dict[str, int]:
    """Return what the weekly report of the last seven days counts."""
    window = Window(start=hands.now - timedelta(days=7), end=hands.now + timedelta(seconds=1))
    with place.store.read() as connection:
        return gather(place, connection, window).erased


def test_what_reddit_makes_us_forget_is_counted_and_nothing_of_it_stays(place: Workplace, hands: Hands) -> None:
    for number in range(1, 4):
        record(place, stored(place, number, WORDS, source="reddit", native_id=f"t3_{number}"), judgement())
    hands.forward(days=3)
    assert retain(place) == 3

    assert erased(place, hands) == {"kept long enough": 3}
    with place.store.read() as connection:
        left = everything(connection)
    assert "t3_" not in left
    assert "zqinvented" not in left


def test_each_post_is_counted_once_under_its_reason_whatever_its_source(place: Workplace, hands: Hands) -> None:
    stored(place, 1, WORDS, source="reddit", native_id="t3_1")
    stored(place, 2, WORDS, source="bluesky", native_id="two")
    articles = [
        stored(place, n, WORDS, source="feeds", native_id=f"a{n}", url=f"https://n.example/{n}") for n in (3, 4, 5)
    ]
    for number in articles:
        record(place, number, judgement())
    with place.store.write() as connection:
        wipe(place, connection, [Gone(source="reddit", native_id="t3_1"), Gone(source="bluesky", native_id="two")])
    erase(place, Request(url="https://n.example/3"))
    hands.forward(days=200)
    stored(place, 6, WORDS, source="bluesky", native_id="young")
    retain(place)
    hands.forward(days=-1)

    assert erased(place, hands) == {}
    hands.forward(days=1)
    assert erased(place, hands) == {"kept long enough": 2}
    hands.forward(days=-200)
    assert erased(place, hands) == {"gone at the source": 2, "the poster asked for it": 1}


def test_the_report_says_the_whole_figure(place: Workplace, hands: Hands) -> None:
    record(place, stored(place, 1, WORDS, source="reddit", native_id="t3_1"), judgement())
    record(place, stored(place, 2, WORDS, source="bluesky", native_id="two"), judgement())
    with place.store.write() as connection:
        wipe(place, connection, [Gone(source="bluesky", native_id="two")])
    hands.forward(days=3)
    retain(place)

    with place.store.read() as connection:
        view = build(
            gather(place, connection, Window(start=hands.now - timedelta(days=7), end=hands.now + timedelta(seconds=1)))
        )
    (said,) = (fact.value for fact in view.record if fact.name == "Erased")
    assert said.startswith("2 posts, with their words: ")
    assert "1 kept as long as the retention rule allows" in said
    assert "1 taken down where they stood" in said


def test_a_reason_of_any_words_is_read_back_as_it_was_written(store: Store, hands: Hands) -> None:
    window = Window(start=hands.now, end=hands.now + timedelta(days=1))
    with store.write() as connection:
        for count, why in ((1_200, "asked: 3 of 4: twice"), (2, "asked: 3 of 4: twice"), (1, "other")):
            about = audit.of_erasure(count, count + 1, why)
            audit.append(connection, at=hands.now, who="w", what=audit.Deed.ERASED, about=about)
        audit.append(connection, at=hands.now, who="w", what=audit.Deed.SAW, about="9 of 9: other")
        assert audit.erased(connection, window) == {"asked: 3 of 4: twice": 1_202, "other": 1}
        assert audit.erased(connection, Window(start=window.end, end=window.end + timedelta(days=1))) == {}
