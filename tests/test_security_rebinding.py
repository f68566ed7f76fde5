"""A name server that answers differently the second time gains nothing: there is no second time."""

from __future__ import annotations

import sys
from ipaddress import ip_address

from monitor.http import Client
from monitor.rehearsal.server import Server, text_reply
from monitor.settings import Federation, Reading

HEARD: list[tuple[str, str]] = []
"""What the interpreter's audit told: (event, host). Its hooks cannot be taken off, so this one only listens."""


def listen(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.getaddrinfo":
        HEARD.append(("asked", str(arguments[0])))
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        HEARD.append(("connected", str(arguments[1][0])))


def test_a_name_that_changes_its_mind_is_asked_once_and_the_checked_address_is_used() -> None:
    """Rebinding needs two look-ups: one that is checked and one that is connected to. There is one of each request."""
    sys.addaudithook(listen)
    with Server({"/": lambda _: text_reply("hello")}) as server:
        reading = Reading(private_hosts=("localhost",))
        with Client(reading, Federation()) as client:
            for visit in (1, 2):
                HEARD.clear()
                answer = client.get(f"http://localhost:{server.port}/", source="feeds")
                assert answer.body == b"hello", visit
                assert HEARD.count(("asked", "localhost")) == 1
                reached = [host for event, host in HEARD if event == "connected"]
                assert reached
                assert all(ip_address(host).is_loopback for host in reached)
