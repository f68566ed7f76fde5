"""Mentions of our account on TikTok: words only, errors that come with status 200, and no secret anywhere."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from collectors import tiktok
from monitor.errors import AccessRefused, ConfigError, QuotaSpent, SourceError, UnexpectedShape, Unreachable
from monitor.records import Ask, Gone, Malformed, Mention, Spent, Window
from monitor.rehearsal import tiktok as platform
from monitor.rehearsal.server import json_status, redirect, status
from monitor.rehearsal.tiktok import READING, VIDEOS, Post, TikTok
from tests.collectors.readings import Stage, of, reading, without_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.records import Yielded

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SAMPLE = Path(__file__).parents[3] / "shared/platforms/samples/doc_shaped/tiktok_business_mention_envelope.json"
VIDEO = Post(video="7001", text="Open evening at @our.school\nCome along!", created=NOW - HOUR)
COMMENT = Post(video="7100", comment="9001", text="@our.school look", created=NOW - 2 * HOUR, caption="Town news")


@contextmanager
def staged(*posts: Post, page: int = 100, **options: Any) -> Iterator[Stage[TikTok]]:  # noqa: ANN401 - any option
    town = TikTok(list(posts), page=page, clock=lambda: NOW)
    with reading(
        tiktok,
        town,
        lambda url: {"api_url": f"{url}{platform.VERSION}", "business_id": town.business_id, **options},
        now=NOW,
    ) as (server, reader):
        yield Stage(town=town, server=server, reader=reader, now=NOW)


def mentions(items: list[Yielded]) -> list[Mention]:
    return of(Mention, items)


def test_a_video_and_a_comment_become_mentions() -> None:
    with staged(VIDEO, COMMENT) as stage:
        video, comment = mentions(stage.read())

    assert video == Mention(
        source="tiktok",
        native_id="7001",
        url="https://www.tiktok.com/@invented.parent/video/7001",
        text="Open evening at @our.school\nCome along!",
        published=NOW - HOUR,
        channel="videos",
        author="invented.parent",
    )
    assert comment.native_id == "7100/9001"
    assert comment.in_reply_to == "7100"
    assert (comment.text, comment.title, comment.author) == ("@our.school look", "Town news", "")
    assert comment.published == NOW - 2 * HOUR


def test_no_picture_and_no_count_is_asked_for() -> None:
    with staged(VIDEO, COMMENT) as stage:
        stage.read()
        asked = {name for request in stage.server.requests for name in json.loads(request.query["fields"])}

    assert {"caption", "comment_text", "item_id"} <= asked
    assert not [name for name in asked if "thumbnail" in name or "likes" in name or "display_name" in name]


def test_lists_are_read_no_further_back_than_needed() -> None:
    posts = [replace(VIDEO, video=str(7000 + n), created=NOW - n * HOUR) for n in range(1, 13)]
    with staged(*posts, page=2) as stage:
        found = mentions(stage.read(hours=4))

    assert len(found) == 4
    assert stage.server.count(VIDEOS) == 3  # the third page is wholly older
    assert {request.query["number_of_days"] for request in stage.server.requests} == {"2"}


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (40001, AccessRefused),
        (40102, AccessRefused),
        (40104, AccessRefused),
        (40105, AccessRefused),
        (40002, UnexpectedShape),
        (50000, Unreachable),
        (60001, Unreachable),
    ],
)
def test_a_code_other_than_0_is_an_error_whatever_the_status(code: int, error: type[SourceError]) -> None:
    with staged(VIDEO) as stage:
        stage.server.play(platform.refuses(code), at=READING)
        told = stage.error()

    assert isinstance(told, error)
    assert f"code {code}" in str(told)


def test_a_list_that_is_closed_does_not_keep_us_from_the_other() -> None:
    with staged(VIDEO, COMMENT) as stage:
        stage.server.play(platform.refuses(40001), at=VIDEOS)
        items: list[Yielded] = []
        window = Window(start=NOW - 72 * HOUR, end=NOW)
        with pytest.raises(AccessRefused, match="1 of 2 lists failed: videos"):
            items.extend(stage.reader.collect(Ask(window=window)))

    assert [item.native_id for item in mentions(items)] == ["7100/9001"]


@pytest.mark.parametrize("fault", [platform.empty_page(), platform.same_cursor()])
def test_a_cursor_that_stands_still_comes_to_an_end(fault: Any) -> None:  # noqa: ANN401 - a fault
    with staged(VIDEO, COMMENT) as stage:
        stage.server.play(fault, at=READING)
        error = stage.error()

    assert isinstance(error, UnexpectedShape)
    assert "the same cursor came twice" in str(error)
    assert len(stage.server.requests) <= 4


def test_cursors_without_end_come_to_an_end() -> None:
    with staged(VIDEO) as stage:
        cursors = iter(range(1, 10_000))
        stage.server.play(
            lambda _request, _reply: platform.envelope({"videos": [], "has_more": True, "cursor": next(cursors)}),
            at=VIDEOS,
        )
        assert "does not end" in str(stage.error())


@pytest.mark.parametrize("data", [None, [], {}, {"comment": []}, {"videos": {}}, "text"])
def test_an_answer_of_another_shape_is_told(data: Any) -> None:  # noqa: ANN401 - any JSON value
    with staged(VIDEO) as stage:
        stage.server.play(lambda _request, _reply: platform.envelope(data), at=READING)
        assert isinstance(stage.error(), UnexpectedShape)


def test_a_list_that_is_null_is_empty() -> None:
    with staged(VIDEO) as stage:
        stage.server.play(lambda _request, _reply: platform.envelope({"videos": None, "comments": None}), at=READING)
        assert mentions(stage.read()) == []


def test_a_video_without_words_is_counted() -> None:
    with staged(replace(VIDEO, text=""), replace(COMMENT, text="")) as stage:
        items = stage.read()

    assert [item.reason for item in items if isinstance(item, Malformed)] == [
        "a video without words",
        "a comment without words",
    ]


def test_a_strange_link_is_replaced_by_one_by_number() -> None:
    wire = {**VIDEO.wire(), "video_link": "javascript:alert(1)"}
    with staged() as stage:
        stage.server.play(lambda _request, _reply: platform.envelope({"videos": [wire], "comments": []}), at=READING)
        (found,) = mentions(stage.read())

    assert found.url == "https://www.tiktok.com/@_/video/7001"


@pytest.mark.parametrize("moment", ["", "soon", None, "9" * 30, -(10**18), {}])
def test_an_item_with_a_strange_time_is_counted(moment: object) -> None:
    wire = {**VIDEO.wire(), "create_time": moment}
    with staged() as stage:
        stage.server.play(lambda _request, _reply: platform.envelope({"videos": [wire], "comments": []}), at=READING)
        items = stage.read()

    assert [item.reason for item in items if isinstance(item, Malformed)] == ["create_time: value_error"]


def test_our_own_cap_holds_in_the_middle_of_a_run() -> None:
    posts = [replace(VIDEO, video=str(7000 + n)) for n in range(6)]
    with staged(*posts, page=2) as stage:
        with pytest.raises(QuotaSpent):
            stage.read(allowance=Spent(calls=2))
        assert len(stage.server.requests) == 2


def test_a_recheck_tells_what_stands_what_was_edited_and_what_is_gone() -> None:
    stands, edited, gone = (replace(VIDEO, video=str(7000 + n)) for n in range(3))
    with staged(stands, edited, gone, COMMENT, page=2) as stage:
        stage.town.posts = [stands, replace(edited, text="Another caption"), replace(gone, deleted=True), COMMENT]
        items = list(stage.reader.recheck(["7000", "7001", "7002", "7100/9001", "7100/9009"]))

    assert {item.native_id: item.text for item in items if isinstance(item, Mention)} == {
        "7000": VIDEO.text,
        "7001": "Another caption",
        "7100/9001": COMMENT.text,
    }
    assert [item.native_id for item in items if isinstance(item, Gone)] == ["7002", "7100/9009"]


def test_a_post_that_stands_is_the_same_when_it_is_asked_for_again() -> None:
    with staged(VIDEO, COMMENT) as stage:
        before = {item.native_id: item.sha256 for item in mentions(stage.read())}
        after = {
            item.native_id: item.sha256 for item in stage.reader.recheck(sorted(before)) if isinstance(item, Mention)
        }

    assert after == before


def test_what_cannot_be_checked_any_more_is_gone() -> None:
    with staged(replace(VIDEO, created=NOW - timedelta(days=31)), reach_days=30) as stage:
        items = list(stage.reader.recheck(["7001"]))

    assert Gone(source="tiktok", native_id="7001") in items


def test_a_full_list_makes_nothing_gone() -> None:
    posts = [replace(VIDEO, video=str(10_000 + n)) for n in range(tiktok.LONGEST_LIST)]
    with staged(*posts) as stage:
        items = list(stage.reader.recheck(["7001"]))

    assert not [item for item in items if isinstance(item, Gone)]
    assert [item for item in items if isinstance(item, Malformed)]


def test_a_list_with_something_unreadable_in_it_makes_nothing_gone() -> None:
    with staged(VIDEO) as stage:
        stage.server.play(platform.malformed_item(), at=READING)
        items = list(stage.reader.recheck(["7001", "7002"]))

    assert [item.native_id for item in items if isinstance(item, Mention)] == ["7001"]
    assert not [item for item in items if isinstance(item, Gone)]


def test_a_recheck_that_fails_makes_nothing_gone() -> None:
    with staged(VIDEO) as stage:
        stage.server.play(platform.expired_token(), at=READING)
        items: list[Any] = []
        with pytest.raises(AccessRefused):
            items.extend(stage.reader.recheck(["7001"]))

    assert items == []


@pytest.mark.parametrize(
    "fault",
    [
        platform.expired_token(),
        platform.refuses(40002),
        json_status(401, {"code": 40105}),
        status(500, {}, b"<html>"),
        redirect("https://tiktok.example/elsewhere"),
    ],
)
def test_the_token_is_in_the_header_alone_and_in_no_error(fault: Any) -> None:  # noqa: ANN401 - a fault
    with staged(VIDEO) as stage:
        stage.read()
        request = stage.server.requests[0]
        stage.server.play(fault, at=READING)
        error = stage.error()

    assert request.headers["access-token"] == stage.town.token
    assert stage.town.token not in f"{request.path} {request.queries}"
    chain: BaseException | None = error
    while chain is not None:
        assert stage.town.token not in repr(chain)
        chain = chain.__cause__ or chain.__context__


def test_the_token_shows_in_no_post() -> None:
    with staged(VIDEO, COMMENT) as stage:
        assert stage.town.token not in repr(stage.read())


def test_without_a_token_or_an_account_it_says_what_is_missing() -> None:
    assert tiktok.Options().missing() == "no account is named: set business_id"
    with pytest.raises(ConfigError, match="TIKTOK_ACCESS_TOKEN"):
        without_secret(tiktok, NOW)


@pytest.mark.skipif(not SAMPLE.exists(), reason="../shared is not here")
def test_the_documented_envelope_is_read() -> None:
    """Its item has no time of creation: it is counted, not guessed."""
    with staged() as stage:
        content = json.loads(SAMPLE.read_text(encoding="utf-8"))
        content["data"]["comments"] = []
        stage.server.play(json_status(200, content), at=READING)
        items = stage.read()

    assert [item.reason for item in items if isinstance(item, Malformed)] == ["create_time: missing"]
