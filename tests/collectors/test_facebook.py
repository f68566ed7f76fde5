from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from collectors import facebook as collector_facebook
from collectors.facebook import Options
from monitor.errors import (
    AccessRefused,
    UnexpectedShape,
)
from monitor.records import Ask, Gone, Malformed, Mention, Window, Yielded
from monitor.rehearsal import meta
from monitor.rehearsal import server as play
from monitor.rehearsal.facebook import Facebook, Page, Post
from tests.collectors.readings import keys, of, reading

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from monitor.rehearsal.server import Reply, Request, Server
    from tests.collectors.readings import Reader

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SECRET = "planted-system-token-never-to-be-seen"
PAGE_SECRET = "planted-page-token-never-to-be-seen"
DAY = timedelta(days=1)
FEED = f"{meta.VERSION}/101/feed"
TAGGED = f"{meta.VERSION}/101/tagged"


def post(number: str = "101_1", hours: float = 1, text: str = "When is the open evening?", **more: Any) -> Post:  # noqa: ANN401
    return Post(id=number, text=text, created=NOW - timedelta(hours=hours), **more)


def tag(number: str = "900_1", hours: float = 1, **more: Any) -> Post:  # noqa: ANN401
    return post(number, hours, "Thank you to the whole staff", where="tagged", **more)


def newsletter(hours: float = 2, number: str = "101_9") -> Post:
    return post(number, hours, "Our newsletter", by="101")


def comment(number: str, hours: float = 1, under: str = "101_9", **more: Any) -> Post:  # noqa: ANN401
    return post(number, hours, "Lovely", under=under, **more)


def ask(**more: Any) -> Ask:  # noqa: ANN401
    return Ask(**{"window": Window(start=NOW - 7 * DAY, end=NOW), **more})


def reader(
    town: Facebook,
    *,
    token: str = "",
    **options: Any,  # noqa: ANN401
) -> AbstractContextManager[tuple[Server, Reader]]:
    """Give the rehearsal server and a collector that reads it."""
    return reading(
        collector_facebook,
        town,
        lambda url: {"graph_url": f"{url}{meta.VERSION}", "pages": [page.id for page in town.pages], **options},
        now=NOW,
        token=token,
    )


def read(posts: list[Post], asked: Ask | None = None, **more: Any) -> list[Yielded]:  # noqa: ANN401
    with reader(Facebook(posts=posts, **more)) as (_, collector):
        return list(collector.collect(asked or ask()))


# ---- what a post becomes -----------------------------------------------------------------------------------


def test_a_visitors_post_says_on_whose_page_it_stands_and_never_who_wrote_it() -> None:
    [mention] = of(Mention, read([post()]))
    assert mention.native_id == "101_1"
    assert mention.text == "When is the open evening?"
    assert mention.published == NOW - timedelta(hours=1)
    assert mention.community == "Our School"
    assert mention.url == "https://www.facebook.com/101/posts/101_1"
    assert mention.author == ""
    assert mention.channel == "page"


def test_a_post_elsewhere_that_tags_us_comes_once_with_an_address_that_names_nobody() -> None:
    items = read([tag()])
    [mention] = of(Mention, items)
    assert mention.channel == "tagged"
    assert mention.url == "https://www.facebook.com/900_1"


def test_comments_and_answers_under_our_own_posts_come_and_our_own_words_do_not() -> None:
    items = read([newsletter(), comment("9_1"), comment("9_2", parent="9_1"), comment("9_3", by="101")])
    assert {m.native_id: m.in_reply_to for m in of(Mention, items)} == {"9_1": "101_9", "9_2": "9_1"}
    assert {m.channel for m in of(Mention, items)} == {"page"}


def test_what_our_other_page_says_is_our_own_too() -> None:
    pages = [Page(), Page(id="102", token="other-page-token")]
    assert keys(read([tag(by="102"), comment("9_1", by="102"), newsletter()], pages=pages)) == []


def test_a_time_without_an_offset_is_counted_and_never_guessed() -> None:
    def bare(_request: Request, reply: Reply) -> Reply:
        return replace(reply, body=reply.whole().replace(b"+0000", b""))

    with reader(Facebook(posts=[post()])) as (server, collector):
        server.play(bare, at=FEED)
        items = list(collector.collect(ask()))
    assert [item.reason for item in of(Malformed, items)] == ["created_time: timezone_aware"]


def test_a_picture_without_words_is_counted() -> None:
    items = read([post(text="")])
    assert of(Mention, items) == []
    assert of(Malformed, items) == [Malformed(reason="a post without words")]


# ---- windows and pages ---------------------------------------------------------------------------------------


def test_only_what_was_published_in_the_window_is_given() -> None:
    window = Window(start=NOW - timedelta(hours=3), end=NOW - timedelta(hours=1))
    posts = [post("101_1", 0.5), post("101_2", 2), post("101_3", 4), newsletter(hours=200)]
    assert keys(read([*posts, comment("9_1", 2), comment("9_2", 4)], ask(window=window))) == ["101_2", "9_1"]


def test_every_page_of_posts_and_of_comments_is_read_by_cursor() -> None:
    posts = [post(f"101_{n}", n) for n in range(1, 8)]
    comments = [comment(f"9_{n}", n) for n in range(1, 8)]
    with reader(Facebook(posts=[*posts, newsletter(), *comments], size=2)) as (server, collector):
        found = keys(list(collector.collect(ask())))
        assert server.count(f"{meta.VERSION}/101_9/comments") == 3
        assert all("access_token" not in request.query for request in server.requests)
    assert sorted(found) == sorted(item.id for item in (*posts, *comments))


def test_comments_under_posts_older_than_we_follow_cost_nothing() -> None:
    old = [newsletter(hours=24 * 15 + n, number=f"101_{n}") for n in range(9)]
    with reader(Facebook(posts=old, size=2)) as (server, collector):
        assert keys(list(collector.collect(ask()))) == []
        assert server.count(FEED) == 1


def test_a_post_on_two_pages_of_an_answer_comes_once() -> None:
    twice = meta.changed(lambda content: {**content, "data": content["data"] * 2})
    with reader(Facebook(posts=[post(), newsletter(), comment("9_1")])) as (server, collector):
        server.play(twice)
        assert keys(list(collector.collect(ask()))) == ["101_1", "9_1"]


def test_an_empty_page_with_a_cursor_is_followed() -> None:
    with reader(Facebook(posts=[post()])) as (server, collector):
        server.play(meta.empty_page(), at=FEED, times=1)
        assert keys(list(collector.collect(ask()))) == ["101_1"]


def test_a_next_page_without_a_cursor_is_no_shape_we_know() -> None:
    bare = meta.changed(lambda content: {**content, "paging": {"next": f"https://graph.facebook.com/?t={SECRET}"}})
    with reader(Facebook(posts=[post()])) as (server, collector):
        server.play(bare, at=FEED)
        with pytest.raises(UnexpectedShape, match="without a cursor") as caught:
            list(collector.collect(ask()))
    assert SECRET not in str(caught.value)


def test_a_post_that_goes_while_its_comments_are_read_keeps_us_from_nothing() -> None:
    posts = [newsletter(), *(comment(f"9_{n}", n / 10) for n in range(1, 5)), post("101_1", 5)]
    with reader(Facebook(posts=posts, size=2)) as (server, collector):
        server.play(lambda _request, _reply: meta.missing(), at=f"{meta.VERSION}/101_9/comments")
        assert keys(list(collector.collect(ask()))) == ["9_1", "9_2", "101_1"]


# ---- several Pages, and what it costs ------------------------------------------------------------------------


def test_each_page_is_read_with_its_own_token() -> None:
    pages = [Page(), Page(id="102", name="Our other school", token="other-page-token")]
    with reader(Facebook(posts=[post(), post("102_1", page="102")], pages=pages)) as (server, collector):
        mentions = of(Mention, list(collector.collect(ask())))
        tokens = {request.path: request.headers["authorization"] for request in server.requests}
    assert {m.native_id: m.community for m in mentions} == {"101_1": "Our School", "102_1": "Our other school"}
    assert tokens[f"{meta.VERSION}/102/feed"] == "Bearer other-page-token"


@pytest.mark.parametrize(
    "fault", [lambda _request, _reply: meta.missing(), meta.refuses(400, 10), play.status(404)], ids=["33", "10", "404"]
)
def test_a_page_that_is_closed_to_us_does_not_keep_us_from_the_others(fault: play.Fault) -> None:
    pages = [Page(), Page(id="102", name="Our other school", token="other-page-token")]
    got: list[Yielded] = []
    with reader(Facebook(posts=[post("102_1", page="102")], pages=pages)) as (server, collector):
        server.play(fault, at=f"{meta.VERSION}/101")
        with pytest.raises(AccessRefused, match="1 of 2 Pages failed: 101"):
            got.extend(collector.collect(ask()))
    assert keys(got) == ["102_1"]


# ---- the re-check ------------------------------------------------------------------------------------------


def test_posts_are_asked_for_again_and_deleted_ones_are_gone() -> None:
    posts = [
        post("101_1", text="Changed since"),
        post("101_2", state="deleted"),
        tag("900_1", state="hidden"),
        tag("900_2", state="deleted"),
        newsletter(),
        comment("9_1"),
    ]
    asked = ["101_1", "101_2", "900_1", "900_2", "9_1"]
    with reader(Facebook(posts=posts)) as (_, collector):
        items: list[Any] = list(collector.recheck(asked))
    assert {m.native_id: m.text for m in of(Mention, items)}["101_1"] == "Changed since"
    assert sorted(keys(items)) == ["101_1", "900_1", "9_1"]
    assert of(Gone, items) == [Gone(source="facebook", native_id=gone) for gone in ("101_2", "900_2")]


def test_every_page_is_asked_before_a_post_is_gone() -> None:
    pages = [Page(), Page(id="102", token="other-page-token")]
    with reader(Facebook(posts=[post("102_1", page="102")], pages=pages)) as (_, collector):
        items: list[Any] = list(collector.recheck(["102_1"]))
    assert keys(items) == ["102_1"]
    assert of(Gone, items) == []


def test_an_answer_to_something_else_is_counted_and_makes_nothing_gone() -> None:
    with reader(Facebook(posts=[post(), post("101_2")])) as (server, collector):
        server.play(lambda _request, reply: replace(reply, body=reply.whole().replace(b"101_1", b"101_2")))
        items: list[Any] = list(collector.recheck(["101_1"]))
    assert of(Mention, items) == []
    assert of(Gone, items) == []
    assert of(Malformed, items) == [Malformed(reason="an answer to something that was not asked for")]


# ---- what goes wrong -----------------------------------------------------------------------------------------


def test_no_mention_holds_a_token_although_the_answers_do() -> None:
    posts = [post("101_1"), post("101_2"), newsletter(), comment("9_1"), comment("9_2", 2)]
    town = Facebook(posts=posts, pages=[Page(token=PAGE_SECRET)], token=SECRET, size=1)
    answers: list[bytes] = []

    def listen(_request: Request, reply: Reply) -> Reply:
        answers.append(reply.whole())
        return reply

    with reader(town, token=SECRET) as (server, collector):
        server.play(listen)
        items = list(collector.collect(ask()))
    assert any(f"access_token={PAGE_SECRET}".encode() in answer for answer in answers)
    assert len(keys(items)) == 4
    assert PAGE_SECRET not in repr(items)


@pytest.mark.parametrize(
    "wrong", [{"pages": ["our-school"]}, {"pages": ["1/feed"]}, {"graph_url": "ftp://x"}, {"page": 1}]
)
def test_wrong_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(wrong)


def test_without_a_page_the_options_say_what_is_missing() -> None:
    assert "pages" in Options().missing()
    assert Options(pages=("101",)).missing() == ""
