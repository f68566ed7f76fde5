"""The polite client against real servers on this machine, playing every fault a source can have."""

from __future__ import annotations

import socket
import threading
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import AccessRefused, RateLimited, SourceError, UnexpectedShape, Unreachable
from monitor.http import Client, retry_at, status_error
from monitor.rehearsal import server as fault
from monitor.rehearsal.server import (
    Reply,
    Request,
    Server,
    gzipped,
    html_reply,
    json_reply,
    text_reply,
    unless_known,
)
from monitor.settings import Federation, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def hello(_request: Request) -> Reply:
    """Answer with a little JSON that has a validator."""
    return unless_known(_request, json_reply({"hello": "world"}), etag='"v1"', modified="Mon, 23 Nov 2026 06:00:00 GMT")


@pytest.fixture
def server() -> Iterator[Server]:
    with Server({"/hello": hello}) as running:
        yield running


def client_for(*servers: Server, **reading: float) -> Client:
    """Return a client that may read these servers, and is not patient."""
    patience = {"connect_seconds": 2, "read_seconds": 2, "total_seconds": 5, "max_megabytes": 1, **reading}
    hosts = tuple(server.host for server in servers)
    return Client(
        Reading.model_validate({**patience, "private_hosts": hosts}),
        Federation(contact="monitor@schools.example"),
        lambda: NOW,
    )


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with client_for(server) as made:
        yield made


def test_says_who_it_is_and_whom_to_write_to(client: Client, server: Server) -> None:
    client.get(f"{server.url}/hello", source="feeds")

    sent = server.requests[0].headers["user-agent"]
    assert sent.startswith("FederationMonitor/")
    assert "monitor@schools.example" in sent


def test_a_second_visit_asks_whether_anything_changed(client: Client, server: Server) -> None:
    first = client.get(f"{server.url}/hello", source="feeds")
    again = client.get(
        f"{server.url}/hello",
        source="feeds",
        headers={
            "If-None-Match": first.headers["etag"],
            "If-Modified-Since": first.headers["last-modified"],
        },
    )

    assert first.json("feeds") == {"hello": "world"}
    assert again.not_modified
    assert again.body == b""


def test_a_wait_in_seconds_is_told_as_a_moment(client: Client, server: Server) -> None:
    server.play(fault.status(429, {"Retry-After": "120"}))

    with pytest.raises(RateLimited) as caught:
        client.get(f"{server.url}/hello", source="feeds")

    assert caught.value.retry_at == NOW + timedelta(seconds=120)


def test_a_wait_until_a_date_is_told_as_that_moment(client: Client, server: Server) -> None:
    until = NOW + timedelta(hours=3)
    server.play(fault.status(503, {"Retry-After": format_datetime(until, usegmt=True)}))

    with pytest.raises(RateLimited) as caught:
        client.get(f"{server.url}/hello", source="feeds")

    assert caught.value.retry_at == until


@given(st.one_of(st.text(), st.integers().map(str), st.just("9" * 5000), st.datetimes().map(format_datetime)))
def test_any_retry_after_gives_a_moment_within_a_day(header: str) -> None:
    moment = retry_at({"retry-after": header}, NOW)

    assert NOW <= moment <= NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, AccessRefused),
        (403, AccessRefused),
        (451, AccessRefused),
        (404, UnexpectedShape),
        (410, UnexpectedShape),
        (500, Unreachable),
        (502, Unreachable),
        (503, Unreachable),
        (408, Unreachable),
        (302, UnexpectedShape),
    ],
)
def test_each_status_means_one_error(client: Client, server: Server, status: int, expected: type[SourceError]) -> None:
    server.play(fault.status(status))

    with pytest.raises(SourceError) as caught:
        client.get(f"{server.url}/hello", source="feeds")

    assert type(caught.value) is expected
    assert str(status) in caught.value.problem


def test_an_error_page_with_status_200_is_not_json(client: Client, server: Server) -> None:
    server.play(fault.error_page())
    answer = client.get(f"{server.url}/hello", source="x")

    with pytest.raises(UnexpectedShape, match="expected JSON, got text/html"):
        answer.json("x")


def test_endlessly_nested_json_is_an_unexpected_shape(client: Client, server: Server) -> None:
    server.play(fault.body(b"[" * 100_000, "application/json"))

    with pytest.raises(UnexpectedShape):
        client.get(f"{server.url}/hello", source="x").json("x")


def test_robots_txt_that_closes_an_address_is_obeyed(client: Client, server: Server) -> None:
    server.routes["/robots.txt"] = lambda _: text_reply("User-agent: *\nDisallow: /hello")

    with pytest.raises(AccessRefused, match=r"robots\.txt"):
        client.get(f"{server.url}/hello", source="pages", robots=True)

    assert server.count("/hello") == 0


def test_robots_txt_that_names_us_is_obeyed(client: Client, server: Server) -> None:
    server.routes["/robots.txt"] = lambda _: text_reply(
        "User-agent: FederationMonitor\nDisallow: /\n\nUser-agent: *\nAllow: /"
    )

    with pytest.raises(AccessRefused):
        client.get(f"{server.url}/hello", source="pages", robots=True)


def test_robots_txt_that_opens_an_address_is_asked_once(client: Client, server: Server) -> None:
    server.routes["/robots.txt"] = lambda _: text_reply("User-agent: *\nDisallow: /private")
    for _ in range(3):
        assert client.get(f"{server.url}/hello", source="pages", robots=True).status == 200

    assert server.count("/robots.txt") == 1


def test_without_a_robots_txt_everything_is_open(client: Client, server: Server) -> None:
    assert client.get(f"{server.url}/hello", source="pages", robots=True).status == 200
    assert server.count("/robots.txt") == 1


def test_while_robots_txt_cannot_be_read_nothing_is_open(client: Client, server: Server) -> None:
    server.play(fault.status(500), at="/robots.txt")

    with pytest.raises(Unreachable):
        client.get(f"{server.url}/hello", source="pages", robots=True)

    assert server.count("/hello") == 0


def test_robots_txt_is_asked_again_where_a_redirect_leads(client: Client, server: Server) -> None:
    server.routes["/robots.txt"] = lambda _: text_reply("User-agent: *\nDisallow: /hello")
    server.routes["/moved"] = lambda _: Reply(status=301, headers={"Location": "/hello"})

    with pytest.raises(AccessRefused):
        client.get(f"{server.url}/moved", source="pages", robots=True)


def test_a_redirect_is_followed_and_the_final_address_told(client: Client, server: Server) -> None:
    server.routes["/moved"] = lambda _: Reply(status=308, headers={"Location": "/hello"})

    assert client.get(f"{server.url}/moved", source="feeds").url == f"{server.url}/hello"


def test_a_redirect_in_circles_ends(client: Client, server: Server) -> None:
    server.play(fault.redirect_loop())

    with pytest.raises(Unreachable, match="redirects"):
        client.get(f"{server.url}/hello", source="feeds")

    assert server.count("/hello") == 6


@pytest.mark.parametrize(
    "target",
    [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://0.0.0.0/",
        "http://2130706433/",
        "http://localhost/",
        "http://100.64.0.1/",
    ],
)
def test_a_redirect_into_a_private_network_is_refused(client: Client, server: Server, target: str) -> None:
    server.play(fault.redirect(target), at="/hello")

    with pytest.raises(AccessRefused, match="private"):
        client.get(f"{server.url}/hello", source="feeds")


def test_a_private_address_is_read_only_where_the_configuration_names_it(server: Server) -> None:
    with client_for() as stranger, pytest.raises(AccessRefused, match="private_hosts"):
        stranger.get(f"{server.url}/hello", source="feeds")
    with Server({"/hello": hello}) as other, client_for(server) as client:
        server.play(fault.redirect(f"{other.url}/hello"), at="/hello")
        with pytest.raises(AccessRefused, match="private_hosts"):
            client.get(f"{server.url}/hello", source="feeds")

        assert other.requests == []


@pytest.mark.parametrize("target", ["file:///etc/passwd", "javascript:alert(1)", "http://[bad", "ftp://example.org/"])
def test_a_redirect_to_something_else_than_a_web_address_is_refused(
    client: Client, server: Server, target: str
) -> None:
    server.play(fault.redirect(target), at="/hello")

    with pytest.raises(SourceError):
        client.get(f"{server.url}/hello", source="feeds")


def test_a_token_is_not_sent_to_another_host(server: Server) -> None:
    with Server({"/hello": hello}) as other, client_for(server, other) as client:
        server.play(fault.redirect(f"{other.url}/hello"), at="/hello")
        client.get(f"{server.url}/hello", source="x", headers={"Authorization": "Bearer planted"})

        assert server.requests[0].headers["authorization"] == "Bearer planted"
        assert "authorization" not in other.requests[0].headers


def test_a_log_in_is_never_sent_elsewhere(server: Server) -> None:
    with Server({"/hello": hello}) as other, client_for(server, other) as client:
        server.play(fault.status(307, {"Location": f"{other.url}/hello"}), at="/hello")
        with pytest.raises(UnexpectedShape):
            client.post(f"{server.url}/hello", source="bluesky", content={"password": "planted"})

        assert other.requests == []


def test_cookies_are_not_kept(client: Client, server: Server) -> None:
    server.play(fault.status(200, {"Set-Cookie": "id=1; Path=/"}), times=1)
    for _ in range(2):
        client.get(f"{server.url}/hello", source="feeds")

    assert "cookie" not in server.requests[1].headers


def test_a_compressed_body_is_read(client: Client, server: Server) -> None:
    server.routes["/hello"] = lambda _: gzipped(json_reply({"hello": "world"}))

    assert client.get(f"{server.url}/hello", source="feeds").json("feeds") == {"hello": "world"}


def test_a_bomb_in_a_small_compressed_body_is_not_unfolded(client: Client, server: Server) -> None:
    server.play(fault.gzip_bomb(50))

    with pytest.raises(UnexpectedShape, match="more than 1 MB"):
        client.get(f"{server.url}/hello", source="feeds")


def test_a_body_of_two_gigabytes_is_cut_off_in_flat_memory(client: Client, server: Server) -> None:
    server.play(fault.endless(2_000))
    tracemalloc.start()
    with pytest.raises(UnexpectedShape, match="more than 1 MB"):
        client.get(f"{server.url}/hello", source="feeds")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 20_000_000


def test_a_compressed_body_that_breaks_off_is_no_answer(client: Client, server: Server) -> None:
    server.play(fault.truncated_gzip())

    with pytest.raises(Unreachable, match="breaks off"):
        client.get(f"{server.url}/hello", source="feeds")


def test_a_body_that_is_not_what_its_encoding_says_is_no_answer(client: Client, server: Server) -> None:
    server.play(fault.status(200, {"Content-Encoding": "gzip"}, b"plain"))

    with pytest.raises(Unreachable, match="damaged"):
        client.get(f"{server.url}/hello", source="feeds")


def test_an_encoding_that_was_not_asked_for_is_refused(client: Client, server: Server) -> None:
    server.play(fault.status(200, {"Content-Encoding": "br"}, b"x"))

    with pytest.raises(UnexpectedShape, match="encoding"):
        client.get(f"{server.url}/hello", source="feeds")


def test_a_connection_that_breaks_is_no_answer(client: Client, server: Server) -> None:
    server.play(fault.reset())

    with pytest.raises(Unreachable):
        client.get(f"{server.url}/hello", source="feeds")


def test_a_body_that_drips_is_cut_off(server: Server) -> None:
    server.play(fault.dripping(0.05))
    with client_for(server, total_seconds=0.3) as client, pytest.raises(Unreachable, match="too slow"):
        client.get(f"{server.url}/hello", source="feeds")


def test_a_silent_server_is_given_up(server: Server) -> None:
    server.play(fault.dripping(5))
    with client_for(server, read_seconds=0.2) as client, pytest.raises(Unreachable, match="in time"):
        client.get(f"{server.url}/hello", source="feeds")


def test_headers_that_drip_are_cut_off() -> None:
    def drip(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while not stop.wait(0.05):
                connection.sendall(b"x")

    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        answering = threading.Thread(target=lambda: drip(listener.accept()[0]), daemon=True)
        answering.start()
        reading = Reading(private_hosts=("127.0.0.1",), total_seconds=0.5)
        with Client(reading, Federation(), lambda: NOW) as client, pytest.raises(Unreachable):
            client.get(url, source="feeds")
        stop.set()
        answering.join()

    assert not answering.is_alive()


@pytest.mark.parametrize("kind", ["image/png", "video/mp4", "audio/mpeg"])
def test_pictures_films_and_sounds_are_never_read(client: Client, server: Server, kind: str) -> None:
    server.play(fault.status(200, {"Content-Type": kind}, b"media"))

    with pytest.raises(UnexpectedShape, match="never read"):
        client.get(f"{server.url}/hello", source="pages")


def test_a_name_that_does_not_resolve_is_unreachable(client: Client) -> None:
    with pytest.raises(Unreachable, match="nowhere"):
        client.get("http://nowhere.invalid/", source="feeds")


@pytest.mark.parametrize("url", ["", "hello", "http://", "http://[bad", "file:///etc/passwd"])
def test_what_is_no_web_address_is_refused(client: Client, url: str) -> None:
    with pytest.raises(AccessRefused):
        client.get(url, source="feeds")


def test_a_problem_never_shows_the_query_where_a_token_may_stand(client: Client, server: Server) -> None:
    server.play(fault.status(403))

    with pytest.raises(AccessRefused) as caught:
        client.get(f"{server.url}/hello", source="facebook", params={"access_token": "planted"})

    assert server.requests[0].query == {"access_token": "planted"}
    assert "planted" not in str(caught.value)


def test_the_same_status_means_the_same_whatever_client_met_it() -> None:
    assert isinstance(status_error("x", 429, {}, "api.example", NOW), RateLimited)
    assert isinstance(status_error("x", 500, {}, "api.example", NOW), Unreachable)


def test_a_page_comes_with_its_words(client: Client, server: Server) -> None:
    server.routes["/page"] = lambda _: html_reply("<p>Grüße</p>")

    assert client.get(f"{server.url}/page", source="pages").body.decode() == "<p>Grüße</p>"
