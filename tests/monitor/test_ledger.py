"""The ledger: what reading and asking again cost is one sum, and no call is made that would pass a cap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

import collectors
from monitor.errors import QuotaSpent, SourceError
from monitor.http import Client
from monitor.jobs.collect import collect
from monitor.jobs.coverage import coverage
from monitor.jobs.recheck import recheck
from monitor.jobs.sources import allowance, standings
from monitor.policy.folder import FOLDER
from monitor.policy.sources import Sources
from monitor.records import Ask, Outcome, Purpose, Sight, Spent, Window
from monitor.rehearsal import x, youtube
from monitor.rehearsal.everywhere import everywhere
from monitor.rehearsal.server import status
from monitor.rehearsal.stands import WAYS, Said
from monitor.settings import Federation, Reading, Secrets
from monitor.store import runs
from tests.monitor.conftest import OFF, Hands, ran
from tests.saying import sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from monitor.jobs.workplace import Workplace
    from monitor.rehearsal.stands import Stand

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
POLICIES = Sources.read(FOLDER / "sources.toml")


def left(place: Workplace, source: str, now: datetime) -> Spent | None:
    standing = next(one for one in standings(place) if one.source == source)
    with place.store.read() as connection:
        return allowance(connection, standing, now)


@pytest.fixture
def stands(tmp_path: Path, hands: Hands) -> Iterator[dict[str, Stand]]:
    with everywhere(hands, tmp_path) as made:
        for stand in made.values():
            stand.say([Said(number=n, text=sentence(n), at=hands.now - timedelta(hours=n)) for n in (1, 2, 3)])
        yield made


@pytest.fixture
def reading(opened: Callable[..., Workplace], stands: dict[str, Stand]) -> Callable[..., Workplace]:
    """Give a function that opens a workplace which reads some of the platforms."""

    def make(*names: str) -> Workplace:
        tables: dict[str, Any] = {name: stands[name].table for name in names}
        return opened(
            secrets={key: value for name in names for key, value in stands[name].secrets.items()},
            sources={"feeds": OFF, "pages": OFF, **tables},
            reading={"private_hosts": [stands[name].server.host for name in names]},
        )

    return make


def test_asking_again_and_reading_draw_on_one_ledger(reading: Callable[..., Workplace], hands: Hands) -> None:
    place = reading("x")
    (run,) = collect(place)
    hands.forward(hours=24)
    recheck(place)
    with place.store.read() as connection:
        again = runs.latest(connection, "x", purpose=Purpose.RECHECK)
    cap = place.policy.sources["x"].monthly_pence

    assert again is not None
    assert run.spent.pence == again.spent.pence == pytest.approx(3 * 0.4)
    found = left(place, "x", hands.now)
    assert found is not None
    assert found.pence == pytest.approx(cap - 6 * 0.4)


def test_a_day_is_the_last_24_hours_whichever_midnight_the_platform_counts_from(
    reading: Callable[..., Workplace], hands: Hands
) -> None:
    """Ninety searches before midnight in UTC leave none after it: in California it is the same day."""
    place = reading("youtube")
    hands.now = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
    ran(place, "youtube", spent=Spent(calls=POLICIES["youtube"].daily_calls - 1))
    hands.forward(hours=1)
    ran(place, "youtube", spent=Spent(calls=1))

    hands.forward(hours=1)
    with pytest.raises(QuotaSpent) as caught:
        left(place, "youtube", hands.now)
    assert caught.value.retry_at == datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
    found = left(place, "youtube", caught.value.retry_at + timedelta(minutes=1))
    assert found is not None
    assert found.calls == POLICIES["youtube"].daily_calls - 1


def test_our_caps_of_youtube_lie_below_its_own_and_count_as_it_does(
    reading: Callable[..., Workplace], stands: dict[str, Stand]
) -> None:
    """100 searches and 10,000 units a day; a search that fails is counted like any other."""
    server = stands["youtube"].server
    place = reading("youtube")
    (good,) = collect(place)
    calls, units = server.count(youtube.SEARCH), server.count(youtube.READING) - server.count(youtube.SEARCH)
    assert good.spent == Spent(calls=calls, units=units)
    assert calls
    assert units

    server.play(status(503), at=youtube.SEARCH)
    (bad,) = collect(place)
    assert bad.outcome is not Outcome.COMPLETE
    assert bad.spent.calls == server.count(youtube.SEARCH) - calls == 1
    assert POLICIES["youtube"].daily_calls <= 100
    assert POLICIES["youtube"].daily_units <= 10_000


def test_a_wait_that_was_asked_of_a_recheck_holds_for_reading_too_and_is_told(
    reading: Callable[..., Workplace], stands: dict[str, Stand], hands: Hands
) -> None:
    place, server = reading("x"), stands["x"].server
    collect(place)
    hands.forward(hours=24)
    until = hands.now + timedelta(hours=2)
    server.play(x.rate_limited(reset=int(until.timestamp())), at=x.LOOKUP)
    recheck(place)
    asked = len(server.requests)

    hands.forward(hours=1, minutes=30)
    assert collect(place, due_only=True) == ()
    assert len(server.requests) == asked
    with place.store.read() as connection:
        day = Window(start=hands.now - timedelta(days=1), end=hands.now)
        (seen,) = [one for one in coverage(place, connection, day) if one.source == "x"]
    assert (seen.sight, seen.next_try, seen.kind) == (Sight.BEHIND, until, "rate_limited")
    assert seen.why.startswith("it asked us to wait (")

    hands.now = until
    assert [run.outcome for run in collect(place, due_only=True)] == [Outcome.COMPLETE]


@pytest.mark.parametrize("source", WAYS)
def test_a_recheck_without_anything_left_to_spend_asks_for_nothing(stands: dict[str, Stand], source: str) -> None:
    stand = stands[source]
    with Client(Reading(private_hosts=(stand.server.host,)), Federation(), lambda: NOW) as http:
        tools = collectors.Tools(
            http=http, secrets=Secrets(stand.secrets), clock=lambda: NOW, user_agent=http.user_agent
        )
        module = collectors.module(source)
        reader: Any = module.collector(module.Options.model_validate(stand.table), tools)
        ids = [stand.key(Said(number=1, text=sentence(1), at=NOW - timedelta(hours=1)))]
        with pytest.raises(QuotaSpent):
            list(reader.recheck(ids, Spent()))
        assert stand.server.requests == []
        assert [item for item in reader.recheck(ids) if isinstance(item, Spent)]


@pytest.mark.parametrize(
    "source", [name for name in WAYS if POLICIES[name].daily_calls or POLICIES[name].monthly_pence]
)
def test_no_reading_passes_its_cap(reading: Callable[..., Workplace], stands: dict[str, Stand], source: str) -> None:
    """With money or calls for one page, a reading makes no second one."""
    stand, place = stands[source], reading(source)
    standing = next(one for one in standings(place) if one.source == source)
    reader = collectors.module(source).collector(standing.options, _tools(place))
    spent = Spent()
    window = Window(start=NOW - timedelta(days=2), end=NOW)
    ask = Ask(window=window, phrases=place.policy.schools.phrases, allowance=Spent(calls=1, units=1, pence=4.0))
    try:
        for item in reader.collect(ask):
            spent += item if isinstance(item, Spent) else Spent()
    except SourceError as error:
        assert isinstance(error, QuotaSpent)  # noqa: PT017 - one page may be all there is
    assert spent.calls <= 1
    assert spent.units <= (10 if source == "x" else 1)  # of X these are posts
    assert spent.pence <= 4.0
    assert len(stand.server.requests) >= 1


def _tools(place: Workplace) -> collectors.Tools:
    return collectors.Tools(http=place.http, secrets=place.secrets, clock=place.clock, user_agent=place.user_agent)
