"""What every collector keeps, whatever it reads. A new one is covered when its rehearsal is written."""

from __future__ import annotations

import importlib.util
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

import collectors
from monitor.errors import AccessRefused, RateLimited, SourceError, UnexpectedShape
from monitor.http import Client
from monitor.policy.folder import FOLDER
from monitor.policy.sources import Sources
from monitor.records import Ask, Bookmark, Malformed, Mention, Window
from monitor.rehearsal.server import Server, error_page, reset
from monitor.settings import Federation, Reading, Secrets
from monitor.store import mentions
from monitor.store.engine import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collectors import Collector
    from monitor.records import Yielded
    from monitor.rehearsal import Rehearsal
    from monitor.rehearsal.server import Fault, Reply, Request
    from monitor.store.engine import Store

REHEARSALS = Path(__file__).parent / "rehearsals"
NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
PHRASES = ("Boroughbridge High", "King James's School Knaresborough")
TAGS = ("BoroughbridgeHigh", "KJSKnaresborough")

SOURCES = Sources.read(FOLDER / "sources.toml")
every_collector = pytest.mark.parametrize("name", collectors.names())
every_platform = pytest.mark.parametrize(
    "name", [name for name in collectors.names() if name not in SOURCES or SOURCES[name].kind != "manual"]
)
"""What people type in has no server that could fail; tests/collectors/test_reported.py covers it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A started fake of one platform, and the collector that reads it."""

    name: str
    rehearsal: Rehearsal
    server: Server
    collector: Collector

    def play(self, fault: Fault) -> None:
        """Have a fault strike where the platform is read."""
        self.server.play(fault, at=self.rehearsal.at)

    def read(self, *, bookmarks: dict[str, str] | None = None) -> Iterator[Yielded]:
        """Read the last seven days."""
        window = Window(start=NOW - timedelta(days=7), end=NOW)
        return self.collector.collect(Ask(window=window, phrases=PHRASES, tags=TAGS, bookmarks=bookmarks or {}))

    def error(self) -> SourceError:
        """Return what reading raises."""
        with pytest.raises(SourceError) as caught:
            list(self.read())
        return caught.value


def rehearsal_of(name: str) -> Rehearsal:
    """Return the rehearsal of one collector."""
    file = REHEARSALS / f"{name}.py"
    assert file.exists(), f"write {file.name} in tests/collectors/rehearsals: see monitor.rehearsal.Rehearsal"
    spec = importlib.util.spec_from_file_location(f"rehearsal_of_{name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast("Rehearsal", module.REHEARSAL)


@contextmanager
def staged(name: str) -> Iterator[Stage]:
    """Start the fake of one platform and make the collector that reads it."""
    rehearsal = rehearsal_of(name)
    with (
        Server(rehearsal.routes(NOW)) as server,
        Client(Reading(private_hosts=(server.host,)), Federation(), lambda: NOW) as http,
    ):
        tools = collectors.Tools(
            http=http, secrets=Secrets(rehearsal.secrets), clock=lambda: NOW, user_agent=http.user_agent
        )
        module = collectors.module(name)
        options = module.Options.model_validate(rehearsal.table(server.url))
        yield Stage(name=name, rehearsal=rehearsal, server=server, collector=module.collector(options, tools))


@pytest.fixture
def stage(name: str) -> Iterator[Stage]:
    with staged(name) as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'monitor.sqlite'}")
    yield opened
    opened.close()


def keys(items: list[Yielded]) -> set[str]:
    """Return the native ids of the mentions among what was yielded."""
    return {item.native_id for item in items if isinstance(item, Mention)}


def taken(store: Store, items: list[Yielded], name: str) -> mentions.Taken:
    """Give what was yielded to the real store."""
    arrivals = [
        mentions.Arrival(mention=replace(item, author="", raw=b""), author_key="", sha256=item.sha256)
        for item in items
        if isinstance(item, Mention)
    ]
    articles = frozenset({name} if SOURCES[name].kind == "article" else ())
    with store.write() as connection:
        return mentions.take(connection, arrivals, now=NOW, articles=articles)


def from_the_second(fault: Fault) -> Fault:
    """Spare the first request, strike every later one."""
    met: list[Request] = []

    def strike(request: Request, reply: Reply) -> Reply:
        met.append(request)
        return reply if len(met) == 1 else fault(request, reply)

    return strike


@every_collector
def test_says_what_it_is_and_has_a_source_policy(name: str) -> None:
    module = collectors.module(name)

    assert module.__doc__
    assert issubclass(module.Options, collectors.SourceOptions)
    assert all(secret == secret.upper() for secret in module.SECRETS)
    assert name in SOURCES


@every_platform
def test_gives_mentions_that_any_reader_can_trust(stage: Stage) -> None:
    found = [item for item in stage.read() if isinstance(item, Mention)]

    assert len({mention.native_id for mention in found}) == stage.rehearsal.finds
    for mention in found:
        assert mention.source == stage.name == stage.collector.name
        assert mention.published.utcoffset() == timedelta(0)
        assert NOW - timedelta(days=7) <= mention.published <= NOW
        assert mention.url == "" or mention.url.startswith(("http://", "https://"))
        assert mention.text
        assert "\0" not in mention.text
        assert mention.text.encode("utf-8")


@every_platform
def test_a_second_run_adds_nothing(stage: Stage, store: Store) -> None:
    first = list(stage.read())
    bookmarks = {item.channel: item.value for item in first if isinstance(item, Bookmark)}
    again, from_bookmarks = list(stage.read()), list(stage.read(bookmarks=bookmarks))

    assert taken(store, first, stage.name).new == stage.rehearsal.finds
    assert keys(again) == keys(first)
    assert taken(store, again, stage.name).new == 0
    assert taken(store, from_bookmarks, stage.name) == mentions.Taken(
        known=sum(isinstance(item, Mention) for item in from_bookmarks)
    )


@every_platform
def test_a_wish_to_wait_is_told_as_the_moment_it_ends(stage: Stage) -> None:
    stage.play(stage.rehearsal.rate_limited(NOW))
    error = stage.error()

    assert isinstance(error, RateLimited)
    until = NOW + stage.rehearsal.waits
    assert until <= error.retry_at <= until + timedelta(minutes=1)


@every_platform
def test_a_refusal_waits_for_a_person_and_shows_no_secret(name: str) -> None:
    rehearsal = rehearsal_of(name)
    assert rehearsal.refusals

    for refusal in rehearsal.refusals:
        with staged(name) as stage:
            stage.play(refusal)
            error = stage.error()

            assert isinstance(error, AccessRefused)
            assert not any(secret in str(error) for secret in rehearsal.secrets.values())


@every_platform
def test_an_error_page_with_status_200_is_no_answer(stage: Stage) -> None:
    stage.server.play(error_page(), at=stage.rehearsal.error_page_at or stage.rehearsal.at)

    assert isinstance(stage.error(), UnexpectedShape)


@every_platform
def test_an_item_that_cannot_be_read_is_counted_and_the_rest_goes_on(stage: Stage) -> None:
    stage.play(stage.rehearsal.spoil)
    items = list(stage.read())

    assert any(isinstance(item, Malformed) and item.reason for item in items)
    assert keys(items)


@every_platform
def test_a_source_that_breaks_off_between_requests_loses_nothing(stage: Stage) -> None:
    whole = keys(list(stage.read()))
    stage.play(reset() if stage.rehearsal.one_request else from_the_second(reset()))
    some: list[Yielded] = []
    with pytest.raises(SourceError):
        some.extend(stage.read())
    stage.server.mend()

    assert keys(some) <= whole
    assert keys(list(stage.read())) == whole


@every_platform
def test_a_reader_that_dies_after_its_first_post_loses_nothing(stage: Stage) -> None:
    reading = stage.read()
    begun = list(islice((item for item in reading if isinstance(item, Mention)), 1))
    reading.close()  # type: ignore[attr-defined]  # every collector is a generator

    assert len(begun) == 1
    assert len(keys(list(stage.read()))) == stage.rehearsal.finds


def test_no_rehearsal_is_left_over_from_a_collector_that_went() -> None:
    assert {file.stem for file in REHEARSALS.glob("*.py")} <= set(collectors.names())
