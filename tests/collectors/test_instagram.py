from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from collectors import instagram as collector_instagram
from collectors.instagram import Options
from monitor.errors import (
    AccessRefused,
)
from monitor.records import Ask, Gone, Malformed, Mention, Spent, Window, Yielded
from monitor.rehearsal import meta
from monitor.rehearsal import server as play
from monitor.rehearsal.instagram import ACCOUNT, HASHTAG, Comment, Instagram, Post
from monitor.rehearsal.server import Server
from tests.collectors.readings import keys, of, reading

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from monitor.rehearsal.server import Server
    from tests.collectors.readings import Reader

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SECRET = "planted-instagram-token-never-to-be-seen"
DAY = timedelta(days=1)
TAGS = f"{meta.VERSION}/{ACCOUNT}/tags"
MEDIA = f"{meta.VERSION}/{ACCOUNT}/media"
RECENT = f"{meta.VERSION}/{HASHTAG}/recent_media"
REVIEWED = "invented app, 1 October 2026"


def post(number: str = "501", hours: float = 1, text: str = "Great day at the high school", **more: Any) -> Post:  # noqa: ANN401
    return Post(id=number, text=text, created=NOW - timedelta(hours=hours), **more)


def own(number: str = "502", hours: float = 2) -> Post:
    return post(number, hours, "Our choir", where="own")


def comment(number: str, hours: float = 1, on: str = "502", **more: Any) -> Comment:  # noqa: ANN401
    return Comment(id=number, text="Lovely", created=NOW - timedelta(hours=hours), post=on, **more)


def ask(**more: Any) -> Ask:  # noqa: ANN401
    return Ask(**{"window": Window(start=NOW - 7 * DAY, end=NOW), "tags": ("BoroughbridgeHigh",), **more})


def reader(
    town: Instagram,
    *,
    token: str = "",
    **options: Any,  # noqa: ANN401
) -> AbstractContextManager[tuple[Server, Reader]]:
    """Give the rehearsal server and a collector that reads it."""
    return reading(
        collector_instagram,
        town,
        lambda url: {"graph_url": f"{url}{meta.VERSION}", "accounts": [*town.accounts], **options},
        now=NOW,
        token=token,
    )


def read(town: Instagram, asked: Ask | None = None, **options: Any) -> list[Yielded]:  # noqa: ANN401
    with reader(town, **options) as (_, collector):
        return list(collector.collect(asked or ask()))


# ---- what a post becomes -----------------------------------------------------------------------------------


def test_a_post_that_tags_us_is_read_without_its_author_and_its_picture() -> None:
    with reader(Instagram(posts=[post()])) as (server, collector):
        [mention] = of(Mention, list(collector.collect(ask())))
        asked = {r.query["fields"] for r in server.requests if r.path != f"{meta.VERSION}/{ACCOUNT}"}
    assert mention.native_id == "501"
    assert mention.text == "Great day at the high school"
    assert mention.published == NOW - timedelta(hours=1)
    assert mention.url == "https://www.instagram.com/p/501/"
    assert mention.community == "Our School"
    assert mention.channel == "tagged"
    assert mention.author == ""
    assert not any(unwanted in fields for fields in asked for unwanted in ("media_url", "thumbnail", "username"))


def test_comments_on_our_posts_and_answers_to_them_come_and_our_own_words_do_not() -> None:
    comments = [comment("601"), comment("602", parent="601"), comment("603", own=True), comment("604", parent="603")]
    mentions = of(Mention, read(Instagram(posts=[own()], comments=comments)))
    assert {m.native_id: m.in_reply_to for m in mentions} == {
        "502/601": "502",
        "502/602": "502/601",
        "502/604": "502/603",
    }
    assert {m.community for m in mentions} == {"Our School"}
    assert {m.url for m in mentions} == {"https://www.instagram.com/p/502/"}


def test_what_has_no_words_is_counted() -> None:
    silent = replace(comment("601"), text="")
    items = read(Instagram(posts=[post(text=""), own()], comments=[silent]))
    assert of(Mention, items) == []
    assert [item.reason for item in of(Malformed, items)] == ["a post without words", "a comment without words"]


# ---- windows and pages ---------------------------------------------------------------------------------------


def test_only_what_was_published_in_the_window_is_given() -> None:
    window = Window(start=NOW - timedelta(hours=3), end=NOW - timedelta(hours=1))
    posts = [post("1", 0.5), post("2", 2), post("3", 4), own(hours=200)]
    comments = [comment("601", 0.5), comment("602", 2), comment("603", 4)]
    assert keys(read(Instagram(posts=posts, comments=comments), ask(window=window))) == ["2", "502/602"]


def test_every_page_of_posts_comments_and_answers_is_read() -> None:
    posts = [*(post(f"51{n}", n) for n in range(1, 6)), own()]
    comments = [comment(f"60{n}", n) for n in range(1, 6)]
    answers = [comment(f"61{n}", n, parent="603") for n in range(1, 6)]
    town = Instagram(posts=posts, comments=[*comments, *answers], size=2)
    with reader(town) as (server, collector):
        found = keys(list(collector.collect(ask())))
        assert all("access_token" not in request.query for request in server.requests)
    assert sorted(found) == sorted(
        [*(p.id for p in posts if p.where == "tagged"), *(f"502/{c.id}" for c in (*comments, *answers))]
    )


def test_a_post_on_two_pages_of_an_answer_comes_once() -> None:
    twice = meta.changed(lambda content: {**content, "data": content["data"] * 2})
    with reader(Instagram(posts=[post(), own()], comments=[comment("601")])) as (server, collector):
        server.play(twice)
        assert keys(list(collector.collect(ask()))) == ["501", "502/601"]


def test_an_empty_page_with_a_cursor_is_followed() -> None:
    with reader(Instagram(posts=[post()])) as (server, collector):
        server.play(meta.empty_page(), at=TAGS, times=1)
        assert keys(list(collector.collect(ask()))) == ["501"]


def test_a_post_that_goes_while_its_comments_are_read_keeps_us_from_nothing() -> None:
    posts = [own(), own("503", 3)]
    comments = [*(comment(f"60{n}", n / 10) for n in range(1, 5)), comment("611", on="503")]
    with reader(Instagram(posts=posts, comments=comments, size=2)) as (server, collector):
        server.play(lambda _request, _reply: meta.missing(), at=f"{meta.VERSION}/502/comments")
        assert keys(list(collector.collect(ask()))) == ["502/601", "502/602", "503/611"]


# ---- hashtags --------------------------------------------------------------------------------------------------


def tagged_posts(count: int) -> list[Post]:
    return [post(f"8{n:02}", n / 10, "So proud #BoroughbridgeHigh", where="hashtag") for n in range(1, count + 1)]


def test_no_hashtag_is_searched_before_a_review_is_recorded() -> None:
    for options in ({}, {"approval": "of something else"}):
        with reader(Instagram(posts=tagged_posts(1)), **options) as (server, collector):
            assert keys(list(collector.collect(ask()))) == []
            assert server.count(f"{meta.VERSION}/ig_hashtag_search") == 0


def test_after_a_review_every_page_of_a_hashtag_is_read_although_the_cursor_never_changes() -> None:
    posts = tagged_posts(5)
    with reader(Instagram(posts=posts, size=2), hashtag_review=REVIEWED) as (server, collector):
        mentions = of(Mention, list(collector.collect(ask())))
        assert server.count(RECENT) == 4
        assert [request.query.get("after", "") for request in server.asked(RECENT)] == ["", *["ALWAYS"] * 3]
    assert [m.native_id for m in mentions] == [p.id for p in posts]
    assert {m.channel for m in mentions} == {"hashtag"}, "the hashtag itself would be evidence"


def test_a_hashtag_that_shows_the_same_page_for_ever_ends() -> None:
    forever = tagged_posts(1)
    with reader(Instagram(posts=forever), hashtag_review=REVIEWED) as (server, collector):
        wire = {"id": "801", "timestamp": meta.moment(NOW - DAY), "caption": "#BoroughbridgeHigh"}
        paging = {"cursors": {"after": "ALWAYS"}, "next": "https://graph.facebook.com/"}
        server.play(lambda _request, _reply: play.json_reply({"data": [wire], "paging": paging}), at=RECENT)
        assert keys(list(collector.collect(ask()))) == ["801"]
        assert server.count(RECENT) == 2


def test_a_hashtag_that_nobody_uses_is_no_error() -> None:
    items = read(Instagram(), ask(tags=("#Unheard",)), hashtag_review=REVIEWED)
    assert of(Mention, items) == []
    assert of(Spent, items) == [Spent(calls=1)] * 4


def test_no_more_hashtags_are_searched_than_instagram_allows() -> None:
    with reader(Instagram(), hashtag_review=REVIEWED) as (server, collector):
        list(collector.collect(ask(tags=tuple(f"tag{n}" for n in range(40)))))
        assert server.count(f"{meta.VERSION}/ig_hashtag_search") == 30


# ---- several accounts, and what it costs ---------------------------------------------------------------------


def test_an_account_that_is_closed_to_us_does_not_keep_us_from_the_others() -> None:
    town = Instagram(accounts={ACCOUNT: "Our School", "302": "Our other school"}, posts=[post("9", account="302")])
    got: list[Yielded] = []
    with reader(town) as (server, collector):
        server.play(lambda _request, _reply: meta.missing(), at=f"{meta.VERSION}/{ACCOUNT}")
        with pytest.raises(AccessRefused, match="1 of 2 accounts and hashtags failed: 301"):
            got.extend(collector.collect(ask()))
    assert keys(got) == ["9"]


# ---- the re-check ------------------------------------------------------------------------------------------


def test_posts_and_comments_are_asked_for_again_and_deleted_ones_are_gone() -> None:
    posts = [post("501", text="Changed since"), post("509", deleted=True), own()]
    comments = [comment("601"), comment("602", deleted=True)]
    with reader(Instagram(posts=posts, comments=comments)) as (_, collector):
        items: list[Any] = list(collector.recheck(["501", "509", "502/601", "502/602"]))
    assert {m.native_id: m.text for m in of(Mention, items)} == {"501": "Changed since", "502/601": "Lovely"}
    assert of(Gone, items) == [Gone(source="instagram", native_id=gone) for gone in ("502/602", "509")]


# ---- what goes wrong -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [{"accounts": ["our_school"]}, {"accounts": ["1/tags"]}, {"hashtags": ["x"]}])
def test_wrong_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(wrong)


def test_without_an_account_the_options_say_what_is_missing() -> None:
    assert "accounts" in Options().missing()
    assert Options(accounts=(ACCOUNT,)).missing() == ""
