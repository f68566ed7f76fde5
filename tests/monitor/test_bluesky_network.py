"""A real Bluesky on this machine (PLC directory, PDS, AppView): posted, found, deleted, wiped. See .ci/bluesky.sh."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final, Self
from uuid import uuid4

import pytest
from atproto import Client, Request, models  # type: ignore[import-untyped]

from monitor.jobs.collect import collect
from monitor.jobs.recheck import recheck
from monitor.records import Outcome, Window, utc_now
from monitor.store import mentions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from monitor.jobs.workplace import Workplace
    from monitor.records import StoredMention
    from tests.monitor.conftest import Hands

NETWORK = "MONITOR_TEST_BLUESKY"
"""Environment variable: the address of a PDS on this machine that lets anybody make an account."""
PATIENCE: Final = 60
"""Seconds after which the network is broken rather than slow: the AppView learns of a post a moment later."""


@pytest.fixture
def service() -> str:
    """The address of a PDS that tests may fill."""
    if not os.environ.get(NETWORK):
        pytest.skip(f"{NETWORK} names no Bluesky of our own (npm, PostgreSQL or Redis is missing: see .ci/bluesky.sh)")
    return os.environ[NETWORK]


class Person:
    """Somebody new on the network."""

    def __init__(self, service: str) -> None:
        self.handle = f"p{uuid4().hex[:12]}.test"
        self._http = Request(timeout=PATIENCE)
        self.client = Client(service, self._http)
        account = self.client.com.atproto.server.create_account(
            models.ComAtprotoServerCreateAccount.Data(
                handle=self.handle, email=f"{self.handle}@mail.test", password=uuid4().hex
            )
        )
        self.did = account.did
        # not `login`, which asks for a profile that the AppView does not have yet
        self._http.add_additional_header("Authorization", f"Bearer {account.access_jwt}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()

    def app_password(self) -> str:
        data = models.ComAtprotoServerCreateAppPassword.Data(name="monitor")
        return str(self.client.com.atproto.server.create_app_password(data).password)

    def say(self, text: str) -> str:
        record = models.AppBskyFeedPost.Record(text=text, created_at=self.client.get_current_time_iso(), langs=["en"])
        return str(self.client.app.bsky.feed.post.create(self.did, record).uri)

    def take_back(self, uri: str) -> None:
        self.client.app.bsky.feed.post.delete(self.did, uri.rpartition("/")[2])

    def sees(self, uri: str) -> bool:
        page = self.client.app.bsky.feed.get_posts(models.AppBskyFeedGetPosts.Params(uris=[uri]))
        return bool(page.posts)


def until(wanted: Callable[[], bool]) -> None:
    """Wait for the AppView."""
    deadline = time.monotonic() + PATIENCE
    while not wanted():
        assert time.monotonic() < deadline, "the AppView does not keep up"
        time.sleep(0.2)


@pytest.fixture
def place(service: str, opened: Callable[..., Workplace], hands: Hands) -> Iterator[Workplace]:
    """A workplace that reads the network, whose clock is set by the network's."""
    with Person(service) as monitor:
        hands.now = utc_now()
        yield opened(
            sources={"bluesky": {"service": service, "handle": monitor.handle}},
            secrets={"MONITOR_BLUESKY_APP_PASSWORD": monitor.app_password()},
        )


@pytest.fixture
def parent(service: str) -> Iterator[Person]:
    """Somebody who posts."""
    with Person(service) as person:
        yield person


def here(place: Workplace, since: datetime) -> list[StoredMention]:
    with place.store.read() as connection:
        return list(mentions.between(connection, Window(start=since, end=place.clock() + (place.clock() - since))))


def test_a_post_is_found_once_and_wiped_after_it_was_deleted(place: Workplace, parent: Person, hands: Hands) -> None:
    began = hands.now
    told = parent.say("No heating at Boroughbridge High School again, third day running")
    kept = parent.say("Boroughbridge High School concert tonight, do come")
    until(lambda: parent.sees(told) and parent.sees(kept))

    hands.now = utc_now()
    (first,) = collect(place)
    (again,) = collect(place)
    found = here(place, began)

    assert (first.outcome, again.outcome) == (Outcome.COMPLETE, Outcome.COMPLETE)
    assert {told, kept} <= {stored.mention.native_id for stored in found}
    assert again.new == 0
    assert parent.handle not in "".join(f"{stored.mention.text}{stored.author_key}" for stored in found)

    parent.take_back(told)
    until(lambda: not parent.sees(told))
    hands.forward(days=1)
    done = recheck(place)

    assert done.wiped == 1
    assert done.incomplete == 0
    left = {stored.mention.native_id for stored in here(place, began)}
    assert told not in left
    assert kept in left
