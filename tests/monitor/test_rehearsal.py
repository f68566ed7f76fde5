"""The local servers that the demo and the tests read: what they answer, and the faults they play."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from monitor.addresses import canonical
from monitor.policy import folder
from monitor.rehearsal import feeds, pages
from monitor.rehearsal import server as fault
from monitor.rehearsal.server import Reply, Request, Server, gzipped, json_reply, text_reply, unless_known
from monitor.rehearsal.stories import stories
from monitor.rehearsal.town import DemoTown

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def hello(request: Request) -> Reply:
    return json_reply({"verb": request.verb, "query": request.query, "path": request.path})


@pytest.fixture
def server() -> Iterator[Server]:
    with Server({"/hello": hello, "/any/*": hello, "/any/one/*": lambda _: text_reply("longest")}) as running:
        yield running


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=5) as made:
        yield made


# ---- the server ----------------------------------------------------------------------------------------


def test_a_route_sees_what_was_asked(server: Server, client: httpx.Client) -> None:
    answer = client.get(f"{server.url}/hello", params={"name": "a b", "empty": ""}, headers={"X-Token": "1"})

    assert answer.json() == {"verb": "GET", "query": {"name": "a b", "empty": ""}, "path": "/hello"}
    assert server.requests[0].headers["x-token"] == "1"
    assert server.requests[0].base == server.url


def test_posted_json_and_forms_are_read(server: Server, client: httpx.Client) -> None:
    client.post(f"{server.url}/hello", json={"a": [1]})
    client.post(f"{server.url}/hello", data={"a": "1 & 2"})

    assert server.requests[0].json() == {"a": [1]}
    assert server.requests[1].form() == {"a": "1 & 2"}


def test_the_longest_path_that_fits_answers(server: Server, client: httpx.Client) -> None:
    assert client.get(f"{server.url}/any/two").json()["path"] == "/any/two"
    assert client.get(f"{server.url}/any/one/two").text == "longest"
    assert client.get(f"{server.url}/elsewhere").status_code == 404


def test_requests_are_counted_by_path(server: Server, client: httpx.Client) -> None:
    for path in ("/hello", "/any/1", "/any/2"):
        client.get(f"{server.url}{path}")

    assert (server.count("/hello"), server.count("/any/*"), server.count("*")) == (1, 2, 3)


def test_a_stopped_server_frees_its_port(client: httpx.Client) -> None:
    with Server({"/hello": hello}) as server:
        url = server.url
        assert client.get(f"{url}/hello").status_code == 200

    with httpx.Client(trust_env=False) as stranger, pytest.raises(httpx.ConnectError):
        stranger.get(f"{url}/hello")


def test_a_fault_strikes_where_and_as_often_as_it_is_told(server: Server, client: httpx.Client) -> None:
    server.play(fault.status(429, {"Retry-After": "60"}, b"slow down"), at="/hello", times=1)

    assert client.get(f"{server.url}/any/1").status_code == 200
    struck = client.get(f"{server.url}/hello")
    assert (struck.status_code, struck.headers["retry-after"], struck.text) == (429, "60", "slow down")
    assert client.get(f"{server.url}/hello").status_code == 200


def test_a_fault_that_is_mended_strikes_no_more(server: Server, client: httpx.Client) -> None:
    server.play(fault.json_status(401, {"error": "expired"}))
    assert client.get(f"{server.url}/hello").json() == {"error": "expired"}
    server.mend()

    assert client.get(f"{server.url}/hello").status_code == 200


def test_an_error_page_comes_with_status_200(server: Server, client: httpx.Client) -> None:
    server.play(fault.error_page())
    answer = client.get(f"{server.url}/hello")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")


def test_a_body_may_be_swapped(server: Server, client: httpx.Client) -> None:
    server.play(fault.body(b"\xff\xfe", "text/x-odd"))
    answer = client.get(f"{server.url}/hello")

    assert (answer.content, answer.headers["content-type"]) == (b"\xff\xfe", "text/x-odd")


def test_a_truncated_body_does_not_unpack(server: Server, client: httpx.Client) -> None:
    whole = gzipped(json_reply({"hello": "world" * 50})).whole()
    server.play(fault.truncated_gzip())
    server.routes["/hello"] = lambda _: json_reply({"hello": "world" * 50})
    with client.stream("GET", f"{server.url}/hello") as answer:
        sent = b"".join(answer.iter_raw())

    assert whole.startswith(sent)
    assert 0 < len(sent) < len(whole)


def test_a_reset_breaks_the_connection_off(server: Server, client: httpx.Client) -> None:
    server.play(fault.reset())

    with pytest.raises(httpx.TransportError):
        client.get(f"{server.url}/hello")


def test_an_endless_body_is_sent_piece_by_piece(server: Server, client: httpx.Client) -> None:
    server.play(fault.endless(3))

    assert len(client.get(f"{server.url}/hello").content) == 3 * fault.MEGABYTE


def test_a_dripping_body_is_whole_in_the_end(server: Server, client: httpx.Client) -> None:
    server.routes["/hello"] = lambda _: text_reply("drops")
    server.play(fault.dripping(0.001))

    assert client.get(f"{server.url}/hello").text == "drops"


def test_redirects_lead_elsewhere_or_round_in_circles(server: Server, client: httpx.Client) -> None:
    server.play(fault.redirect("http://10.0.0.1/"), times=1)
    assert client.get(f"{server.url}/hello").headers["location"] == "http://10.0.0.1/"
    server.play(fault.redirect_loop())

    with pytest.raises(httpx.TooManyRedirects):
        client.get(f"{server.url}/hello", follow_redirects=True)


def test_a_known_state_is_not_sent_again() -> None:
    reply = text_reply("words")
    etag, modified = '"1"', "Mon, 23 Nov 2026 06:00:00 GMT"
    same = Request(verb="GET", path="/", headers={"if-none-match": etag})
    other = Request(verb="GET", path="/", headers={"if-none-match": '"0"', "if-modified-since": modified})

    assert unless_known(same, reply, etag=etag, modified=modified).status == 304
    assert unless_known(other, reply, etag=etag, modified=modified).status == 200
    assert unless_known(Request(verb="GET", path="/"), reply, etag=etag).headers["ETag"] == etag


def test_the_demo_needs_none_of_the_tests_libraries() -> None:
    program = (
        "import sys, monitor.rehearsal.town\n"
        "print([name for name in ('pytest', 'hypothesis', 'scrapy', 'feedparser') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603

    assert done.stdout.strip() == "[]", done.stderr


# ---- the town ------------------------------------------------------------------------------------------


@pytest.fixture
def town() -> Iterator[DemoTown]:
    with DemoTown(lambda: NOW) as built:
        yield built


def test_the_town_talks_about_both_schools_and_about_others() -> None:
    told = stories()
    by_school = Counter(code for story in told for code in story.schools)

    assert len(told) >= 45
    assert len({story.name for story in told}) == len(told)
    assert by_school["BHS"] >= 12
    assert by_school["KJS"] >= 12
    assert sum(not story.schools for story in told) >= 15
    assert {"THREAT_VIOLENCE", "CHILD_PROTECTION", "SEND_INCLUSION", "PRESS_MEDIA", "PRAISE"} <= {
        story.category for story in told
    }


def test_every_category_that_a_story_must_get_is_one_of_the_matrix() -> None:
    known = set(folder.load(folder.FOLDER).escalation.ids)

    assert {story.category for story in stories() if story.category} <= known


def test_every_story_stands_in_a_feed_that_exists_and_within_three_days() -> None:
    names = {feed.name for feed in feeds.FEEDS} | {"village"}

    for story in stories():
        assert {story.feed, *story.also_in} <= names
        assert 0 < story.hours <= 72


def test_every_address_in_the_town_belongs_to_nobody() -> None:
    assert all(feed.host.endswith(".example") for feed in feeds.FEEDS)


def test_every_feed_is_well_formed_in_its_own_format(town: DemoTown, client: httpx.Client) -> None:
    roots = Counter[str]()
    for feed in feeds.FEEDS:
        answer = client.get(f"{town.server.url}{feed.path}")
        if "json" in answer.headers["content-type"]:
            roots["json"] += len(json.loads(answer.content)["items"]) > 0
        else:
            roots[ET.fromstring(answer.content).tag.rpartition("}")[2]] += 1  # noqa: S314 - our own

    assert roots == {"rss": 4, "feed": 3, "json": 1}


def test_a_feed_that_was_read_is_not_sent_again(town: DemoTown, client: httpx.Client) -> None:
    url = f"{town.server.url}{feeds.FEEDS[0].path}"
    etag = client.get(url).headers["etag"]

    assert client.get(url, headers={"If-None-Match": etag}).status_code == 304


def test_the_same_article_in_two_feeds_has_two_links_and_one_address(town: DemoTown, client: httpx.Client) -> None:
    [shared] = [story for story in stories() if story.also_in == ("Vale Gazette",)]
    address = feeds.address(shared)
    paper, other = (
        client.get(f"{town.server.url}{feed.path}").text
        for feed in feeds.FEEDS
        if feed.name in (shared.feed, *shared.also_in)
    )

    assert f"{address}?utm_source=rss" in paper
    assert f"{address}?at_medium=RSS" in other
    assert canonical(f"{address}?utm_source=rss") == canonical(f"{address}?at_medium=RSS") == address


def test_what_is_planted_says_by_which_key_it_is_found(town: DemoTown) -> None:
    planted = town.planted

    assert len(planted) == len(stories())
    assert len({one.native_id for one in planted}) == len(planted)
    assert all(one.native_id == canonical(one.native_id) for one in planted)
    assert {one.source for one in planted} == {"feeds", "pages"}
    assert any(one.ours for one in planted)
    assert not all(one.ours for one in planted)


def test_the_village_answers_on_every_path_that_its_tables_name(town: DemoTown, client: httpx.Client) -> None:
    table = town.sources["pages"]
    urls = [*table["pages"], *(listing["url"] for listing in table["listings"]), *table["sitemaps"]]

    assert [client.get(url).status_code for url in urls] == [200, 200, 200]
    assert "Disallow: /village/members/" in client.get(f"{town.server.url}/robots.txt").text
    assert client.get(f"{town.server.url}{pages.CLOSED}").status_code == 200
    assert town.private_hosts == (town.server.host,)


def test_the_town_is_dated_by_its_clock(town: DemoTown, client: httpx.Client) -> None:
    [threat] = [story for story in stories() if story.category == "THREAT_VIOLENCE"]
    feed = next(feed for feed in feeds.FEEDS if feed.name == threat.feed)
    said = NOW - timedelta(hours=threat.hours)

    assert f"{said:%d %b %Y %H:%M}" in client.get(f"{town.server.url}{feed.path}").text
