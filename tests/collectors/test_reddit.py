from __future__ import annotations

import logging
import os
import subprocess
import sys
import traceback
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from collectors import Tools
from collectors import reddit as collector_reddit
from collectors.reddit import Options
from monitor.errors import AccessRefused, ConfigError, RateLimited, SourceError, UnexpectedShape, Unreachable
from monitor.http import Client
from monitor.records import Ask, Gone, Malformed, Mention, Spent, Window, Yielded
from monitor.rehearsal import reddit as rehearsal
from monitor.rehearsal import server as play
from monitor.rehearsal.reddit import INFO, SEARCH, TOKEN, Comment, Reddit, Submission, Thing
from monitor.rehearsal.server import Reply, Request, Server
from monitor.settings import Federation, Reading, Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PHRASES = ("Boroughbridge High", "King James's School Knaresborough")
SECRET = "planted-secret-never-to-be-seen"


def post(
    number: int,
    hours: float = 1,
    title: str = "Boroughbridge High open evening",
    **more: Any,  # noqa: ANN401
) -> Submission:
    return Submission(id=f"p{number}", title=title, created=NOW - timedelta(hours=hours), **more)


def comment(number: int, hours: float = 1, text: str = "Lovely school", **more: Any) -> Comment:  # noqa: ANN401
    return Comment(**{"id": f"c{number}", "text": text, "created": NOW - timedelta(hours=hours), "post": "p1", **more})


def ask(hours: float = 24, **more: Any) -> Ask:  # noqa: ANN401
    window = Window(start=NOW - timedelta(hours=hours), end=NOW)
    return Ask(**{"window": window, "phrases": PHRASES, **more})


@contextmanager
def reader(town: Reddit, **options: Any) -> Iterator[tuple[Server, collector_reddit.Reddit]]:  # noqa: ANN401
    """Give the rehearsal server and a collector that reads it."""
    with Server(town.routes) as server, Client(Reading(), Federation()) as http:
        secrets = {
            "MONITOR_REDDIT_CLIENT_ID": town.client_id,
            "MONITOR_REDDIT_CLIENT_SECRET": town.client_secret,
        }
        tools = Tools(http=http, secrets=Secrets(secrets), clock=lambda: NOW, user_agent="unused")
        table = {
            "oauth_url": server.url,
            "reddit_url": server.url,
            "username": "invented_school",
            "subreddits": ["harrogate"],
            **options,
        }
        yield server, collector_reddit.Reddit(Options.model_validate(table), tools)


def of(kind: type[Any], items: list[Yielded]) -> list[Any]:
    return [item for item in items if isinstance(item, kind)]


def read(things: list[Thing], asked: Ask | None = None, **options: Any) -> list[Yielded]:  # noqa: ANN401
    with reader(Reddit(things), **options) as (_, collector):
        return list(collector.collect(asked or ask()))


# ---- what a post becomes ---------------------------------------------------------------------------------


def test_a_post_is_read_with_its_title_its_community_and_an_address_that_names_nobody() -> None:
    changed = NOW - timedelta(minutes=5)
    [mention] = of(Mention, read([post(1, text="All welcome & <free>", edited=changed)]))
    assert mention == Mention(
        source="reddit",
        native_id="t3_p1",
        url="https://www.reddit.com/comments/p1/",
        text="All welcome & <free>",
        title="Boroughbridge High open evening",
        published=NOW - timedelta(hours=1),
        community="r/harrogate",
        channel="search",
        author="invented_author",
        edited=changed,
    )


def test_a_comment_is_read_with_the_title_it_stands_under() -> None:
    items = read([post(1, title="School run traffic"), comment(1)], search=False)
    [told] = [m for m in of(Mention, items) if m.native_id == "t1_c1"]
    assert told.title == "School run traffic"
    assert told.text == "Lovely school"
    assert told.in_reply_to == "t3_p1"
    assert told.url == "https://www.reddit.com/comments/p1/_/c1/"
    assert (told.community, told.channel) == ("r/harrogate", "r/harrogate/comments")


def test_comments_come_from_the_chosen_communities_alone() -> None:
    elsewhere = comment(2, subreddit="leeds", text="Boroughbridge High")
    assert [m.native_id for m in of(Mention, read([comment(1), elsewhere]))] == ["t1_c1"]


def test_a_search_finds_posts_in_communities_that_were_not_chosen() -> None:
    [mention] = of(Mention, read([post(1, subreddit="leeds")]))
    assert mention.community == "r/leeds"


def test_a_post_on_a_persons_own_page_does_not_carry_their_name() -> None:
    [mention] = of(Mention, read([post(1, subreddit="u_invented_author")]))
    assert mention.community == ""
    assert "invented_author" not in repr(mention)


@pytest.mark.parametrize("author", [None, "[deleted]"])
def test_a_post_whose_author_left_is_kept_without_an_author(author: str | None) -> None:
    [mention] = of(Mention, read([post(1, author=author)]))
    assert mention.author == ""


def test_a_post_without_words_of_its_own_is_read_by_its_title() -> None:
    [mention] = of(Mention, read([post(1, text="")]))
    assert mention.text == mention.title == "Boroughbridge High open evening"


def test_half_a_character_and_a_nul_in_a_post_cost_neither_the_page_nor_the_post() -> None:
    def half(_request: Request, reply: Reply) -> Reply:
        return replace(reply, body=reply.whole().replace(b"HALF", rb"\ud83d\u0000"))

    with reader(Reddit([post(1, text="fine HALF\n\nsecond paragraph")])) as (server, collector):
        server.play(half, at=SEARCH)
        [mention] = of(Mention, list(collector.collect(ask())))
    assert mention.text == "fine ?\n\nsecond paragraph"


def test_a_crosspost_names_its_original() -> None:
    [mention] = of(Mention, read([post(1, crosspost_of="p0")]))
    assert mention.repost_of == "t3_p0"


@pytest.mark.parametrize("state", ["deleted", "removed"])
def test_deleted_and_removed_posts_and_comments_are_gone(state: Any) -> None:  # noqa: ANN401
    items = read([post(1, state=state), comment(1, state=state)], search=False)
    assert of(Mention, items) == []
    assert {gone.native_id for gone in of(Gone, items)} == {"t3_p1", "t1_c1"}


# ---- windows and pages -----------------------------------------------------------------------------------


def test_only_the_window_is_given_and_paging_ends_below_it() -> None:
    things: list[Thing] = [post(n, hours=n) for n in range(1, 41)]
    things.append(Submission(id="later", title="Boroughbridge High", created=NOW))
    town = Reddit(things, page=5)
    with reader(town, subreddits=[]) as (server, collector):
        items = list(collector.collect(ask(hours=12)))
        assert server.count(SEARCH) == 4, "the fourth page is the first that is older as a whole"
    assert [m.native_id for m in of(Mention, items)] == [f"t3_p{n}" for n in range(1, 13)]
    assert len(of(Spent, items)) == 4


def test_what_stands_on_two_pages_or_in_two_listings_comes_once() -> None:
    town = Reddit([post(n, hours=n) for n in range(1, 8)], page=3)
    with reader(town) as (_, collector):
        items = list(collector.collect(ask()))
    assert len(of(Mention, items)) == 7


def test_a_window_that_is_longer_than_the_listing_is_counted_and_not_passed_over() -> None:
    town = Reddit([comment(n, hours=n / 100) for n in range(1, 1_101)])
    with reader(town, search=False) as (server, collector):
        items = list(collector.collect(ask()))
        assert server.count("/r/harrogate/comments") == 10
    assert len(of(Mention, items)) == 1_000
    assert of(Malformed, items) == [
        Malformed(reason="r/harrogate/comments: the window is longer than the listing Reddit shows")
    ]


def test_an_empty_page_with_a_cursor_is_followed() -> None:
    with reader(Reddit([post(1)]), subreddits=[]) as (server, collector):
        server.play(rehearsal.empty_page(), at=SEARCH, times=1)
        assert len(of(Mention, list(collector.collect(ask())))) == 1


def test_a_cursor_that_comes_twice_ends_the_run_as_an_unexpected_shape() -> None:
    with reader(Reddit([post(1)]), subreddits=[]) as (server, collector):
        server.play(rehearsal.same_cursor(), at=SEARCH)
        with pytest.raises(UnexpectedShape, match="cursor"):
            list(collector.collect(ask()))
        assert server.count(SEARCH) == 2


def test_the_search_asks_for_names_in_quotes_and_for_as_short_a_time_as_will_do() -> None:
    with reader(Reddit(), subreddits=[]) as (server, collector):
        for hours in (0.5, 20, 100, 600, 1_000):
            list(collector.collect(ask(hours=hours)))
        asked = server.asked(SEARCH)
    assert [request.query["t"] for request in asked] == ["hour", "day", "week", "month", "year"]
    assert {request.query["q"] for request in asked} == {" OR ".join(f'"{phrase}"' for phrase in PHRASES)}
    assert {request.query["sort"] for request in asked} == {"new"}


def test_reddit_is_told_who_asks_in_its_own_form() -> None:
    with reader(Reddit()) as (server, collector):
        list(collector.collect(ask()))
        agents = {request.headers["user-agent"] for request in server.requests}
    assert len(agents) == 1
    assert agents.pop().startswith("python:federation-monitor:0.1 (by /u/invented_school)")


def test_no_profile_and_nothing_else_that_was_not_chosen_is_ever_asked_for() -> None:
    things: list[Thing] = [post(1, author=None), comment(1, author=None), post(2, state="deleted")]
    with reader(Reddit(things)) as (server, collector):
        list(collector.collect(ask()))
        list(collector.recheck(["t3_p1", "t1_c1"]))
        paths = {request.path for request in server.requests}
    assert paths == {TOKEN, SEARCH, INFO, "/r/harrogate/new", "/r/harrogate/comments"}


# ---- the re-check ----------------------------------------------------------------------------------------


def test_things_are_asked_for_again_and_what_is_missing_or_marked_is_gone() -> None:
    things: list[Thing] = [
        post(1),
        comment(1),
        comment(2, state="deleted"),
        post(2, state="vanished"),
    ]
    with reader(Reddit(things)) as (_, collector):
        items: list[Any] = list(collector.recheck(["t3_p1", "t1_c1", "t1_c2", "t3_p2"]))
    mentions = {m.native_id: m for m in of(Mention, items)}
    assert set(mentions) == {"t3_p1", "t1_c1"}
    assert mentions["t1_c1"].title == "Boroughbridge High open evening", "as when it was first read"
    assert {gone.native_id for gone in of(Gone, items)} == {"t1_c2", "t3_p2"}


def test_an_edit_is_seen_by_the_recheck() -> None:
    town = Reddit([post(1, text="before")])
    with reader(town) as (_, collector):
        town.things = [replace(post(1), text="after", edited=NOW)]
        [mention] = of(Mention, list(collector.recheck(["t3_p1"])))
    assert (mention.text, mention.edited) == ("after", NOW)


def test_the_recheck_asks_for_a_hundred_at_a_time() -> None:
    things: list[Thing] = [post(n) for n in range(150)]
    with reader(Reddit(things)) as (server, collector):
        items: list[Any] = list(collector.recheck([thing.fullname for thing in things]))
        assert [request.query["id"].count(",") for request in server.asked(INFO)] == [99, 49]
    assert len(of(Mention, items)) == 150
    assert of(Spent, items) == [Spent(calls=1)] * 2


# ---- faults ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "wait"), [("41.5", 42), ("0", 0), ("300", 300), ("nan", 900), ("", 900)])
def test_a_rate_limit_says_until_when_and_is_not_slept_out(seconds: str, wait: int) -> None:
    with reader(Reddit([post(1)])) as (server, collector):
        server.play(rehearsal.rate_limited(seconds=seconds), at=SEARCH)
        with pytest.raises(RateLimited) as caught:
            list(collector.collect(ask()))
        assert server.count(SEARCH) == 1
    assert caught.value.retry_at == NOW + timedelta(seconds=wait)


def test_an_answer_that_says_nothing_is_left_is_used_and_the_next_request_not_sent() -> None:
    with reader(Reddit([post(1)])) as (server, collector):
        server.play(rehearsal.nothing_left(seconds="90.25"), at=SEARCH)
        run = collector.collect(ask())
        assert next(run) == Spent(calls=1)
        assert isinstance(next(run), Mention)
        with pytest.raises(RateLimited) as caught:
            next(run)
        assert server.count("/r/*") == 0
    assert caught.value.retry_at == NOW + timedelta(seconds=91)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (rehearsal.expired_token(), AccessRefused),
        (play.status(403), AccessRefused),
        (play.status(404), UnexpectedShape),
        (play.status(500), Unreachable),
        (play.status(502), Unreachable),
        (play.status(503, {"Retry-After": "30"}), RateLimited),
        (play.redirect("https://elsewhere.example/"), UnexpectedShape),
        (play.error_page(), UnexpectedShape),
        (play.body(b'{"kind": "Listing"}'), UnexpectedShape),
        (play.body(b"[]"), UnexpectedShape),
        (play.body(b""), UnexpectedShape),
        (play.body(b"[" * 100_000), UnexpectedShape),
        (play.truncated_gzip(), Unreachable),
        (play.gzip_bomb(50), UnexpectedShape),
        (play.reset(), Unreachable),
    ],
)
@pytest.mark.parametrize("at", [SEARCH, TOKEN])
def test_every_fault_of_api_and_sign_in_becomes_one_of_the_houses_errors(
    fault: play.Fault, error: type[SourceError], at: str
) -> None:
    with reader(Reddit([post(1)]), subreddits=[]) as (server, collector):
        server.play(fault, at=at)
        with pytest.raises(error) as caught:
            list(collector.collect(ask()))
        assert server.count(at) == 1, "nothing is tried again behind our back"
    assert caught.value.kind == error.kind
    assert caught.value.source == "reddit"


@pytest.mark.parametrize(
    "fault",
    [
        rehearsal.sign_in_error(),
        play.body(b'{"access_token": 1}'),
        play.body(b'{"access_token": "t", "expires_in": "soon", "scope": "*"}'),
        play.body(b'{"access_token": "t", "expires_in": 60, "scope": null}'),
    ],
)
def test_a_sign_in_that_gives_no_token_reads_nothing(fault: play.Fault) -> None:
    with reader(Reddit([post(1)])) as (server, collector):
        server.play(fault, at=TOKEN)
        with pytest.raises((AccessRefused, UnexpectedShape)):
            list(collector.collect(ask()))
        assert server.count(SEARCH) == 0


def test_a_wrong_secret_is_tried_once() -> None:
    town = Reddit([post(1)])
    with reader(town) as (server, collector):
        town.client_secret = "another"
        with pytest.raises(AccessRefused):
            list(collector.collect(ask()))
        assert server.count(TOKEN) == 1


def test_a_closed_community_is_named_after_the_others_were_read() -> None:
    town = Reddit([comment(1)], closed=frozenset({"private"}))
    with reader(town, subreddits=["private", "harrogate"], search=False) as (_, collector):
        run = collector.collect(ask())
        got = [next(run) for _ in range(3)]
        with pytest.raises(AccessRefused, match="2 of 4 listings failed: r/private/new"):
            next(run)
    assert [m.native_id for m in of(Mention, got)] == ["t1_c1"]


def test_what_cannot_be_read_is_counted_without_its_words_and_the_rest_goes_on() -> None:
    with reader(Reddit([post(1)]), subreddits=[]) as (server, collector):
        server.play(rehearsal.malformed_item(), at=SEARCH)
        items = list(collector.collect(ask()))
    assert len(of(Mention, items)) == 1
    assert [m.reason for m in of(Malformed, items)] == [
        "data.created_utc: missing",
        "kind: literal_error",
        "item: model_type",
    ]


# ---- the secrets -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", [None, rehearsal.expired_token(), rehearsal.rate_limited(), play.error_page(), play.reset()]
)
@pytest.mark.parametrize("at", [SEARCH, TOKEN])
def test_secret_and_token_reach_reddit_and_nothing_else(
    fault: play.Fault | None, at: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for library in ("praw", "prawcore", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=library)
    town = Reddit([post(1)], client_secret=SECRET, token=f"{SECRET}-token")
    told = ""
    with reader(town) as (server, collector):
        if fault:
            server.play(fault, at=at)
        try:
            told += repr(list(collector.collect(ask())))
        except SourceError as error:
            told += "".join(traceback.format_exception(error)) + repr(error.__dict__)
            # what the libraries raise holds the request, and with it the token
            shown = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
            told += SECRET if shown else ""
        assert server.requests[0].headers["authorization"].startswith("Basic ")
    assert told
    assert "Fetching: GET" in caplog.text, "the test listens where prawcore talks"
    assert SECRET not in told + caplog.text


def test_a_missing_secret_is_a_configuration_error() -> None:
    with Client(Reading(), Federation()) as http:
        tools = Tools(http=http, secrets=Secrets({}), clock=lambda: NOW, user_agent="test")
        with pytest.raises(ConfigError, match="REDDIT_CLIENT_ID"):
            collector_reddit.collector(Options(username="invented_school"), tools)


SCRIPT = """
import sys
from datetime import datetime, timedelta, timezone
from collectors import Tools, reddit
from monitor.http import Client
from monitor.records import Ask, Mention, Window
from monitor.settings import Federation, Reading, Secrets

now = datetime(2026, 11, 22, 9, tzinfo=timezone.utc)
tools = Tools(http=Client(Reading(), Federation()), secrets=Secrets(), clock=lambda: now, user_agent="test")
options = reddit.Options(username="invented_school", oauth_url=sys.argv[1], reddit_url=sys.argv[1])
ask = Ask(window=Window(start=now - timedelta(days=1), end=now), phrases=("Boroughbridge High",))
items = list(reddit.collector(options, tools).collect(ask))
print(sum(isinstance(item, Mention) for item in items))
"""

PRAW_INI = """
[DEFAULT]
oauth_url={url}
reddit_url={url}
short_url={url}
username=somebody
password=somebodys
refresh_token=stolen
client_id=theirs
client_secret=theirs
check_for_updates=True
submission_kind=t9
ratelimit_seconds=never
"""


@pytest.mark.parametrize("ini", [PRAW_INI, "[DEFAULT]\nnot an ini file at all", "[other]\nx=%(y)s"])
def test_hostile_files_and_variables_around_us_lead_nowhere(ini: str, tmp_path: Path) -> None:
    """A praw.ini, a .netrc, proxies and praw's own variables are planted, and nothing goes where they say."""
    with Server() as hostile, Server(Reddit([post(1)]).routes) as server:
        for folder in (tmp_path, tmp_path / ".config"):
            folder.mkdir(exist_ok=True)
            (folder / "praw.ini").write_text(ini.format(url=hostile.url))
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password somebodys\n")
        (tmp_path / ".netrc").chmod(0o600)
        done = subprocess.run(  # noqa: S603 - our own interpreter and script
            [sys.executable, "-W", "error", "-c", SCRIPT, server.url],
            cwd=tmp_path,
            env={
                "PATH": os.environ.get("PATH", ""),
                "PYTHONPATH": str(Path(__file__).parents[2]),
                "HOME": str(tmp_path),
                "XDG_CONFIG_HOME": str(tmp_path / ".config"),
                "HTTP_PROXY": hostile.url,
                "ALL_PROXY": hostile.url,
                "praw_site": "hostile",
                "praw_oauth_url": hostile.url,
                "praw_client_id": "theirs",
                "praw_username": "somebody",
                "praw_password": "somebodys",
                "praw_refresh_token": "stolen",
                "MONITOR_REDDIT_CLIENT_ID": "rehearsal-client-id",
                "MONITOR_REDDIT_CLIENT_SECRET": "rehearsal-client-secret",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.stderr == ""
        assert done.stdout == "1\n"
        assert hostile.requests == []
        assert server.count(SEARCH) == 1


# ---- the options -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["all", "popular", "u_somebody", "r/u_somebody", "a b", "x", "../api", "h+k", "é1"])
def test_only_communities_can_be_chosen(name: str) -> None:
    with pytest.raises(ValidationError):
        Options(subreddits=(name,))


def test_a_communitys_name_may_be_written_with_its_prefix() -> None:
    assert Options(subreddits=("r/harrogate", "/r/Yorkshire")).subreddits == ("harrogate", "Yorkshire")


def test_what_is_missing_is_said() -> None:
    assert "username" in Options(subreddits=("harrogate",)).missing()
    assert "subreddits" in Options(username="invented_school", search=False).missing()
    assert Options(username="invented_school").missing() == ""
