"""What LinkedIn tells a page's administrators: posts and comments by name, nobody's author, no secret anywhere."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import linkedin
from monitor.errors import AccessRefused, ConfigError, QuotaSpent, RateLimited, UnexpectedShape
from monitor.records import Ask, Gone, Malformed, Mention, Spent, Window
from monitor.rehearsal import linkedin as platform
from monitor.rehearsal.linkedin import COMMENTS, NOTIFICATIONS, POSTS, READING, LinkedIn, Post
from monitor.rehearsal.server import json_status, redirect, status
from tests.collectors.readings import Stage, of, reading, without_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.records import Yielded

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SAMPLE = (
    Path(__file__).parents[3] / "shared/platforms/samples/doc_shaped/linkedin_organizational_entity_notifications.json"
)
SHARE = Post(urn="urn:li:share:71", text="Thank you @[Our School](urn:li:organization:12345)", created=NOW - HOUR)
COMMENT = Post(urn="urn:li:comment:(urn:li:activity:90,81)", text="When is it?", created=NOW - 2 * HOUR)


@contextmanager
def staged(*posts: Post, size: int = 50, **options: Any) -> Iterator[Stage[LinkedIn]]:  # noqa: ANN401 - any option
    town = LinkedIn(list(posts), size=size)
    with reading(
        linkedin, town, lambda url: {"api_url": url, "organizations": {"12345": "Our School"}, **options}, now=NOW
    ) as (server, reader):
        yield Stage(town=town, server=server, reader=reader, now=NOW)


def mentions(items: list[Yielded]) -> list[Mention]:
    return of(Mention, items)


def reasons(items: list[Yielded]) -> list[str]:
    return [item.reason for item in items if isinstance(item, Malformed)]


def test_a_post_and_a_comment_become_mentions_without_an_author() -> None:
    with staged(SHARE, COMMENT) as stage:
        share, comment = mentions(stage.read())

    assert share == Mention(
        source="linkedin",
        native_id="urn:li:share:71",
        url="https://www.linkedin.com/feed/update/urn:li:share:71/",
        text="Thank you Our School",
        published=NOW - HOUR,
        channel="mentions",
    )
    assert comment == Mention(
        source="linkedin",
        native_id="urn:li:comment:(urn:li:activity:90,81)",
        url="https://www.linkedin.com/feed/update/urn:li:activity:90/"
        "?commentUrn=urn%3Ali%3Acomment%3A%28urn%3Ali%3Aactivity%3A90%2C81%29",
        text="When is it?",
        published=NOW - 2 * HOUR,
        community="Our School",
        channel="comments",
        in_reply_to="urn:li:activity:90",
    )


def test_every_question_names_its_version_and_encodes_its_urns() -> None:
    """The fake refuses a path with a raw URN, and a list or span that is not in parentheses."""
    with staged(SHARE, COMMENT, version="202607") as stage:
        stage.read()
        requests = stage.server.requests

    assert {request.headers["linkedin-version"] for request in requests} == {"202607"}
    assert {request.headers["x-restli-protocol-version"] for request in requests} == {"2.0.0"}
    assert [request.path for request in requests[1:]] == [
        "/rest/posts/urn%3Ali%3Ashare%3A71",
        "/rest/socialActions/urn%3Ali%3Aactivity%3A90/comments/81",
    ]
    assert requests[0].query["organizationalEntity"] == "urn:li:organization:12345"


def test_a_comment_is_found_by_either_form_of_its_name() -> None:
    short = "urn:li:comment:(activity:90,81)"
    notification = {"elements": [{"generatedActivity": short}]}
    with staged(COMMENT) as stage:
        stage.server.play(json_status(200, notification), at=NOTIFICATIONS)
        (found,) = mentions(stage.read())

    assert found.in_reply_to == "urn:li:activity:90"


def test_a_post_that_was_told_of_twice_is_asked_for_once() -> None:
    with staged(SHARE, SHARE) as stage:
        assert len(mentions(stage.read())) == 1
        assert stage.server.count(POSTS) == 1


def test_what_our_own_pages_write_is_left_out() -> None:
    ours = replace(COMMENT, by="urn:li:organization:12345")
    with staged(ours) as stage:
        assert mentions(stage.read()) == []


def test_an_old_post_of_which_we_are_told_today_is_left_out() -> None:
    with staged(replace(SHARE, created=NOW - 90 * HOUR, told=NOW - HOUR)) as stage:
        assert mentions(stage.read()) == []


@pytest.mark.parametrize("state", ["deleted", "connections", "draft"])
def test_a_post_that_is_not_for_everybody_is_gone(state: Any) -> None:  # noqa: ANN401 - one of the fake's states
    with staged(replace(SHARE, state=state)) as stage:
        items = stage.read()

    assert mentions(items) == []
    assert Gone(source="linkedin", native_id=SHARE.urn) in items


def test_a_post_that_applications_may_not_see_is_counted_and_the_rest_goes_on() -> None:
    with staged(replace(SHARE, state="closed"), COMMENT) as stage:
        items = stage.read()

    assert [mention.native_id for mention in mentions(items)] == [COMMENT.urn]
    assert reasons(items) == ["a post that LinkedIn does not show to applications"]


def test_a_page_that_is_closed_does_not_keep_us_from_the_others() -> None:
    with staged(SHARE, replace(COMMENT, organization="67890"), organizations={"12345": "A", "67890": "B"}) as stage:
        stage.server.play(status(403), at=NOTIFICATIONS, times=1)
        items: list[Yielded] = []
        window = Window(start=NOW - 48 * HOUR, end=NOW)
        with pytest.raises(AccessRefused, match="1 of 2 pages failed: 12345"):
            items.extend(stage.reader.collect(Ask(window=window)))

    assert [mention.community for mention in mentions(items)] == ["B"]


@pytest.mark.parametrize("text", ["", "@[](urn:li:organization:1)"])
def test_a_post_without_words_is_counted(text: str) -> None:
    with staged(replace(SHARE, text=text), replace(COMMENT, text="")) as stage:
        assert reasons(stage.read()) == ["a post without words", "a comment without words"]


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        ({"commentary": "no author", "publishedAt": 1}, "author: missing"),
        ({"author": "a", "publishedAt": "soon"}, "publishedAt: value_error"),
        ({"author": "a", "publishedAt": 10**30}, "publishedAt: value_error"),
        ({"author": "a", "publishedAt": True}, "publishedAt: value_error"),
        (["a list"], "item: model_type"),
    ],
)
def test_a_post_of_another_shape_is_counted(wire: object, reason: str) -> None:
    with staged(SHARE) as stage:
        stage.server.play(json_status(200, wire), at=POSTS)
        assert reasons(stage.read()) == [reason]


@pytest.mark.parametrize("urn", ["urn:li:person:1", "../me", "urn:li:share:71/../../me", "x" * 300, 7])
def test_a_name_of_something_else_is_never_asked_for(urn: object) -> None:
    with staged() as stage:
        stage.server.play(json_status(200, {"elements": [{"generatedActivity": urn}]}), at=NOTIFICATIONS)
        assert len(reasons(stage.read())) == 1
        assert len(stage.server.requests) == 1


def test_notifications_without_end_come_to_an_end() -> None:
    with staged(SHARE) as stage:
        elements = [{"generatedActivity": SHARE.urn}]
        paging = {"links": [{"rel": "next"}]}
        stage.server.play(json_status(200, {"elements": elements, "paging": paging}), at=NOTIFICATIONS)
        error = stage.error()
        asked = stage.server.count(NOTIFICATIONS)

    assert isinstance(error, UnexpectedShape)
    assert "do not end" in str(error)
    assert asked == linkedin.MOST_PAGES


def test_an_empty_answer_that_promises_more_is_the_last() -> None:
    with staged() as stage:
        stage.server.play(platform.endless(), at=NOTIFICATIONS)
        assert mentions(stage.read()) == []
        assert stage.server.count(NOTIFICATIONS) == 1


@pytest.mark.parametrize("content", [{}, [], {"elements": None}, {"elements": {}}, "text"])
def test_an_answer_of_another_shape_is_told(content: object) -> None:
    with staged(SHARE) as stage:
        stage.server.play(json_status(200, content), at=NOTIFICATIONS)
        assert isinstance(stage.error(), UnexpectedShape)


def test_a_limit_ends_when_linkedin_says() -> None:
    with staged(SHARE) as stage:
        stage.server.play(platform.rate_limited(seconds=1800), at=POSTS)
        error = stage.error()

    assert isinstance(error, RateLimited)
    assert error.retry_at == NOW + timedelta(minutes=30)


def test_our_own_cap_holds_in_the_middle_of_a_run() -> None:
    with staged(SHARE, COMMENT) as stage:
        with pytest.raises(QuotaSpent):
            stage.read(allowance=Spent(calls=2))
        assert len(stage.server.requests) == 2


def test_every_question_is_in_the_ledger() -> None:
    with staged(SHARE, COMMENT) as stage:
        spent = sum((item for item in stage.read() if isinstance(item, Spent)), Spent())
        assert spent == Spent(calls=len(stage.server.requests))


def test_a_recheck_tells_what_stands_what_was_edited_and_what_is_gone() -> None:
    edited = replace(SHARE, urn="urn:li:share:72", text="Other words")
    with staged(SHARE, edited, replace(COMMENT, state="deleted")) as stage:
        items = list(stage.reader.recheck([SHARE.urn, edited.urn, COMMENT.urn, "not a name"]))

    assert {item.native_id: item.text for item in items if isinstance(item, Mention)} == {
        SHARE.urn: "Thank you Our School",
        edited.urn: "Other words",
    }
    assert [item.native_id for item in items if isinstance(item, Gone)] == [COMMENT.urn]
    assert [item.reason for item in items if isinstance(item, Malformed)] == ["not the name of a post or comment"]


def test_a_post_that_stands_is_the_same_when_it_is_asked_for_again() -> None:
    with staged(SHARE, COMMENT) as stage:
        before = {item.native_id: item.sha256 for item in mentions(stage.read())}
        after = {
            item.native_id: item.sha256 for item in stage.reader.recheck(list(before)) if isinstance(item, Mention)
        }

    assert after == before


def test_a_recheck_that_is_refused_makes_nothing_gone() -> None:
    with staged(SHARE, COMMENT) as stage:
        stage.server.play(platform.expired_token(), at=READING)
        items: list[Any] = []
        with pytest.raises(AccessRefused):
            items.extend(stage.reader.recheck([SHARE.urn, COMMENT.urn]))
        stage.server.mend()
        stage.server.play(status(403), at=COMMENTS)
        items.extend(stage.reader.recheck([COMMENT.urn]))

    assert not [item for item in items if isinstance(item, Gone)]


@pytest.mark.parametrize(
    ("commentary", "words"),
    [
        ("Hello @[Our School](urn:li:organization:1)!", "Hello Our School!"),
        (r"Well done {hashtag|\#|OurSchool} \(really\)", "Well done #OurSchool (really)"),
        ("{hashtag|#|OurSchool}", "#OurSchool"),
        (r"a\_b \\ c", "a_b \\ c"),
        ("@[not a mention] (see below)", "@[not a mention] (see below)"),
        ("plain & simple <b>", "plain & simple <b>"),
    ],
)
def test_little_text_is_read_as_people_see_it(commentary: str, words: str) -> None:
    assert linkedin.plain(commentary) == words


@given(st.text(alphabet="@[](){}|\\#hashtagurn:li1 ", max_size=400))
def test_any_commentary_is_read_and_never_grows(commentary: str) -> None:
    assert len(linkedin.plain(commentary)) <= len(commentary)


@pytest.mark.parametrize(
    "fault",
    [platform.expired_token(), status(400), status(500, {}, b"<html>"), redirect("https://linkedin.example/elsewhere")],
)
def test_the_token_is_in_the_header_alone_and_in_no_error(fault: Any) -> None:  # noqa: ANN401 - a fault
    with staged(SHARE) as stage:
        items = stage.read()
        request = stage.server.requests[0]
        stage.server.play(fault, at=READING)
        error = stage.error()

    assert request.headers["authorization"] == f"Bearer {stage.town.token}"
    assert stage.town.token not in f"{request.path} {request.queries} {items}"
    chain: BaseException | None = error
    while chain is not None:
        assert stage.town.token not in repr(chain)
        chain = chain.__cause__ or chain.__context__


def test_without_a_token_or_a_page_it_says_what_is_missing() -> None:
    assert linkedin.Options().missing() == "no page is named: give number and name of our own pages in organizations"
    with pytest.raises(ConfigError, match="LINKEDIN_ACCESS_TOKEN"):
        without_secret(linkedin, NOW)


@pytest.mark.skipif(not SAMPLE.exists(), reason="../shared is not here")
def test_the_documented_notification_is_read() -> None:
    content = json.loads(SAMPLE.read_text(encoding="utf-8"))
    with staged(replace(SHARE, urn=content["elements"][0]["generatedActivity"])) as stage:
        stage.server.play(json_status(200, content), at=NOTIFICATIONS)
        (found,) = mentions(stage.read())

    assert found.native_id == "urn:li:share:6441333333905633322"
