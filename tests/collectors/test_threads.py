from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from collectors import threads as collector_threads
from collectors.threads import Options
from monitor.errors import (
    AccessRefused,
)
from monitor.records import Ask, Gone, Malformed, Mention, Spent, Window, Yielded
from monitor.rehearsal import meta
from monitor.rehearsal import server as play
from monitor.rehearsal.server import Server
from monitor.rehearsal.threads import MENTIONS, SEARCH, Post, Threads
from tests.collectors.readings import keys, of, reading

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from monitor.rehearsal.server import Server
    from tests.collectors.readings import Reader

SAMPLES = Path(__file__).parents[3] / "shared" / "platforms" / "samples" / "doc_shaped"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PHRASES = ("Boroughbridge High", "King James's School Knaresborough")
SECRET = "planted-threads-token-never-to-be-seen"
DAY = timedelta(days=1)


def post(number: str = "801", hours: float = 1, text: str = "Well done Boroughbridge High", **more: Any) -> Post:  # noqa: ANN401
    return Post(id=number, text=text, created=NOW - timedelta(hours=hours), **more)


def ask(**more: Any) -> Ask:  # noqa: ANN401
    return Ask(**{"window": Window(start=NOW - 7 * DAY, end=NOW), "phrases": PHRASES, **more})


def reader(
    town: Threads,
    *,
    token: str = "",
    **options: Any,  # noqa: ANN401
) -> AbstractContextManager[tuple[Server, Reader]]:
    """Give the rehearsal server and a collector that reads it."""
    return reading(
        collector_threads,
        town,
        lambda url: {"graph_url": f"{url}{meta.VERSION}", **options},
        now=NOW,
        token=token,
    )


def read(town: Threads, asked: Ask | None = None, **options: Any) -> list[Yielded]:  # noqa: ANN401
    with reader(town, **options) as (_, collector):
        return list(collector.collect(asked or ask()))


# ---- what a post becomes -----------------------------------------------------------------------------------


def test_a_post_is_read_with_its_handle_for_the_hash_and_an_address_without_it() -> None:
    [mention] = of(Mention, read(Threads([post()])))
    assert mention.native_id == "801"
    assert mention.text == "Well done Boroughbridge High"
    assert mention.published == NOW - timedelta(hours=1)
    assert mention.url == "https://www.threads.net/t/C801"
    assert mention.author == "invented.parent"
    assert mention.channel == "search"


def test_a_post_without_an_author_is_kept_and_one_without_words_is_counted() -> None:
    items = read(Threads([post(username=""), post("802", text="", mentions_us=True)]))
    assert [(m.native_id, m.author) for m in of(Mention, items)] == [("801", "")]
    assert of(Malformed, items) == [Malformed(reason="a post without words")]


def test_what_our_own_account_says_is_nobodys_mention() -> None:
    town = Threads([post(username="Our_School"), post("802", username="our_school2")])
    assert keys(read(town, username="our_school")) == ["802"]


def test_the_documented_samples_are_read() -> None:
    if not SAMPLES.exists():
        pytest.skip("../shared/platforms/samples is not here")
    search, mentions = (
        json.loads((SAMPLES / f"threads_{name}.json").read_text()) for name in ("keyword_search", "mentions")
    )
    window = Window(start=datetime(2023, 10, 17, tzinfo=UTC), end=datetime(2023, 10, 18, tzinfo=UTC))
    with reader(Threads()) as (server, collector):
        server.routes[SEARCH] = lambda _request: play.json_reply(search)
        server.routes[MENTIONS] = lambda request: play.json_reply(
            {"data": []} if "after" in request.query else mentions
        )
        items = list(collector.collect(ask(window=window, phrases=PHRASES[:1])))
    [mention] = of(Mention, items)
    assert mention.text == "first thread"
    assert mention.published == datetime(2023, 10, 17, 5, 42, 3, tzinfo=UTC)
    assert [item.reason for item in of(Malformed, items)] == ["timestamp: missing"] * 2, (
        "fields that were not asked for"
    )


# ---- searches, windows and pages -------------------------------------------------------------------------------


def test_each_name_and_hashtag_is_searched_for_and_a_post_found_twice_comes_once() -> None:
    both = post(text="Boroughbridge High #BoroughbridgeHigh @our_school", mentions_us=True)
    with reader(Threads([both])) as (server, collector):
        mentions = of(Mention, list(collector.collect(ask(tags=("#BoroughbridgeHigh",)))))
        queries = {(r.query["q"], r.query["search_mode"], r.query["search_type"]) for r in server.asked(SEARCH)}
    assert [m.channel for m in mentions] == ["mentions"]
    assert queries == {
        ("Boroughbridge High", "KEYWORD", "RECENT"),
        ("King James's School Knaresborough", "KEYWORD", "RECENT"),
        ("BoroughbridgeHigh", "TAG", "RECENT"),
    }


def test_no_more_is_searched_for_than_the_options_say_and_mentions_can_be_left_out() -> None:
    with reader(Threads([post()]), most_searches=1, mentions=False) as (server, collector):
        list(collector.collect(ask()))
        assert {request.query["q"] for request in server.requests} == {"Boroughbridge High"}
        assert server.count(MENTIONS) == 0


def test_only_what_was_published_in_the_window_is_given() -> None:
    window = Window(start=NOW - timedelta(hours=3), end=NOW - timedelta(hours=1))
    posts = [post(f"80{n}", hours, mentions_us=n % 2 == 0) for n, hours in enumerate((0.5, 0.5, 2, 2, 4, 4))]
    assert sorted(keys(read(Threads(posts), ask(window=window)))) == ["802", "803"]


@pytest.mark.parametrize("mentioned", [False, True], ids=["search", "mentions"])
def test_every_page_is_read_although_none_names_a_next_one(mentioned: bool) -> None:  # noqa: FBT001
    posts = [post(f"80{n}", n, mentions_us=mentioned) for n in range(1, 8)]
    assert keys(read(Threads(posts, size=2), ask(phrases=() if mentioned else PHRASES))) == [p.id for p in posts]


def test_an_empty_page_is_the_last_even_with_a_cursor() -> None:
    with reader(Threads([post()])) as (server, collector):
        server.play(meta.empty_page(), at=SEARCH)
        assert list(collector.collect(ask())) == [Spent()] * 3
        assert server.count(SEARCH) == 2


# ---- what it costs -------------------------------------------------------------------------------------------


def test_an_answer_without_posts_costs_nothing() -> None:
    assert of(Spent, read(Threads())) == [Spent()] * 3
    assert sum(spent.calls for spent in of(Spent, read(Threads([post()])))) == 1


# ---- the re-check ------------------------------------------------------------------------------------------


def test_posts_are_asked_for_again_and_deleted_ones_are_gone() -> None:
    town = Threads([post("801", text="Changed since"), post("802", deleted=True)])
    with reader(town) as (_, collector):
        items: list[Any] = list(collector.recheck(["801", "802"]))
    assert [(m.native_id, m.text) for m in of(Mention, items)] == [("801", "Changed since")]
    assert of(Gone, items) == [Gone(source="threads", native_id="802")]
    assert of(Spent, items) == [Spent(calls=1)] * 3


def test_a_post_that_answers_404_is_gone_and_one_that_is_refused_or_unreadable_is_counted() -> None:
    with reader(Threads([post()])) as (server, collector):
        server.play(play.status(404), at=f"{meta.VERSION}/801")
        server.play(meta.refuses(400, 10), at=f"{meta.VERSION}/802")
        server.play(play.json_status(200, {"id": "803"}), at=f"{meta.VERSION}/803")
        items: list[Any] = list(collector.recheck(["801", "802", "803"]))
    assert of(Gone, items) == [Gone(source="threads", native_id="801")]
    assert len(of(Malformed, items)) == 2


# ---- what goes wrong -----------------------------------------------------------------------------------------


def test_a_search_that_is_refused_does_not_keep_us_from_the_others() -> None:
    got: list[Yielded] = []
    with reader(Threads([post()])) as (server, collector):
        server.play(meta.refuses(403, 10), at=MENTIONS)
        with pytest.raises(AccessRefused, match="1 of 3 searches failed: mentions"):
            got.extend(collector.collect(ask()))
    assert keys(got) == ["801"]


@pytest.mark.parametrize("wrong", [{"username": "@our school"}, {"graph_url": "http://api.example"}, {"most": 1}])
def test_wrong_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(wrong)
