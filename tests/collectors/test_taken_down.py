"""An article is gone when its page is, under every form of its address, and not when its site merely says nothing."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from collectors._purse import Purse
from collectors._taken_down import CALL, again
from monitor.addresses import canonical
from monitor.errors import QuotaSpent
from monitor.http import Client
from monitor.records import Gone, Malformed, Mention, Spent
from monitor.rehearsal.server import Reply, Server, html_reply, text_reply
from monitor.settings import Federation, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.rehearsal.server import Route

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def answers(code: int) -> Route:
    return lambda _request: html_reply("<html><body>words</body></html>", status=code)


@contextmanager
def asked(routes: dict[str, Route], *paths: str) -> Iterator[tuple[Server, list[Mention | Gone | Malformed]]]:
    """Ask for pages, by their canonical addresses; give the server and what came of each."""
    with Server(routes) as server, Client(Reading(private_hosts=(server.host,)), Federation(), lambda: NOW) as http:
        keys = [canonical(f"{server.url}{path}") for path in paths]
        items = [*again("feeds", keys, http, lambda: NOW, Purse("feeds", None, lambda: NOW))]
        assert items.count(CALL) == len(paths)
        yield server, [item for item in items if not isinstance(item, Spent)]


def test_a_page_that_stands_is_confirmed_without_its_words() -> None:
    with asked({"/a": answers(200)}, "/a") as (_, (found,)):
        assert isinstance(found, Mention)
        assert (found.text, found.title) == ("", "")


@pytest.mark.parametrize("code", [404, 410])
def test_a_page_that_was_taken_down_is_gone(code: int) -> None:
    with asked({"/a": answers(code), "/a/": answers(code)}, "/a") as (server, (found,)):
        assert found == Gone(source="feeds", native_id=canonical(f"{server.url}/a"))


def test_a_page_that_stands_with_a_slash_at_its_end_stands() -> None:
    """A canonical address has none, and some sites know no other form."""
    with asked({"/a": answers(404), "/a/": answers(200)}, "/a/") as (_, (found,)):
        assert isinstance(found, Mention)


def test_an_address_with_a_query_is_asked_for_as_it_is() -> None:
    with asked({"/a": answers(404)}, "/a?id=7") as (server, (found,)):
        assert isinstance(found, Gone)
        assert server.count("/a*") == 1


@pytest.mark.parametrize("code", [401, 403, 429, 451, 500, 503])
def test_a_site_that_does_not_answer_says_nothing_and_the_others_are_asked(code: int) -> None:
    with asked({"/a": answers(code), "/b": answers(200)}, "/a", "/b") as (_, (first, second)):
        assert isinstance(first, Malformed)
        assert isinstance(second, Mention)


def test_a_page_that_robots_txt_closes_is_not_asked_for() -> None:
    routes: dict[str, Route] = {"/robots.txt": lambda _request: text_reply("User-agent: *\nDisallow: /closed/\n")}
    with asked(routes, "/closed/a") as (server, (found,)):
        assert isinstance(found, Malformed)
        assert server.count("/closed/*") == 0


def test_a_picture_is_never_read() -> None:
    picture = Reply(headers={"Content-Type": "image/png"}, body=b"\x89PNG")
    with asked({"/a": lambda _request: picture}, "/a") as (_, (found,)):
        assert isinstance(found, Malformed)


def test_what_has_no_address_cannot_be_asked_for() -> None:
    with Client(Reading(), Federation(), lambda: NOW) as http:
        (found,) = again("feeds", ["item-7"], http, lambda: NOW, Purse("feeds", None, lambda: NOW))
    assert isinstance(found, Malformed)


def test_nothing_is_asked_beyond_our_own_cap() -> None:
    with Server({"/*": answers(200)}) as server:
        reading = Reading(private_hosts=(server.host,))
        keys = [canonical(f"{server.url}/{number}") for number in range(3)]
        with Client(reading, Federation(), lambda: NOW) as http:
            answers_of_two = again("gdelt", keys, http, lambda: NOW, Purse("gdelt", Spent(calls=2), lambda: NOW))
            with pytest.raises(QuotaSpent):
                list(answers_of_two)
        assert server.count("/0") == server.count("/1") == 1
        assert server.count("/2") == 0
