"""A reading that dies has cost what it has cost: no cap is passed, however often it happens."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.handles import Handles
from monitor.jobs.collect import collect
from monitor.jobs.recheck import recheck
from monitor.jobs.sources import allowance, standings
from monitor.jobs.spending import booked
from monitor.records import Outcome, Purpose, Run, Spent, Window
from monitor.rehearsal import x, youtube
from monitor.rehearsal.everywhere import everywhere
from monitor.rehearsal.server import status
from monitor.rehearsal.stands import Said
from monitor.store import forgetting, runs
from tests.monitor.conftest import OFF, Hands
from tests.saying import sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from monitor.jobs.workplace import Workplace
    from monitor.rehearsal.stands import Stand

SOURCES = ("x", "youtube")
MANY = 60
"""Deaths that cost more than any cap allows."""


class Died(BaseException):
    """Stands for the end of a process: nothing in the house catches it."""


class Dying(Handles):
    """A process that ends when the first post is on its way to the store, after it was paid for."""

    def key(self, *_: object) -> str:
        raise Died


@pytest.fixture(params=SOURCES)
def stand(request: pytest.FixtureRequest, tmp_path: Path, hands: Hands) -> Iterator[Stand]:
    """A platform with three posts about us, that has a cap."""
    with everywhere(hands, tmp_path) as stands:
        one = stands[request.param]
        one.say([Said(number=n, text=sentence(n), at=hands.now - timedelta(hours=n)) for n in (1, 2, 3)])
        yield one


@pytest.fixture
def source(request: pytest.FixtureRequest) -> str:
    name: str = request.node.callspec.params["stand"]
    return name


@pytest.fixture
def reading(stand: Stand, source: str, opened: Callable[..., Workplace]) -> Workplace:
    return opened(
        secrets=dict(stand.secrets),
        sources={"feeds": OFF, "pages": OFF, source: stand.table},
        reading={"private_hosts": [stand.server.host]},
    )


def spent(place: Workplace, source: str) -> Spent:
    with place.store.read() as connection:
        return runs.spent(connection, source, place.clock() - timedelta(hours=1))


def dies(place: Workplace) -> None:
    with pytest.raises(Died):
        collect(replace(place, handles=Dying(place.settings.folder / "handles.json")))


def test_what_a_reading_spent_before_it_died_is_spent(reading: Workplace, source: str) -> None:
    dies(reading)

    cost = spent(reading, source)
    (standing,) = [one for one in standings(reading) if one.on]
    with reading.store.read() as connection:
        assert runs.latest(connection, source) is None
        assert runs.first_cost(connection, source, reading.clock() - timedelta(days=1)) == reading.clock()
        left = allowance(connection, standing, reading.clock())
    assert left is not None
    assert cost.calls > runs.UNDER_WAY.calls
    assert cost.units > runs.UNDER_WAY.units
    if source == "x":
        assert cost.pence == pytest.approx(3 * 0.4 + runs.UNDER_WAY.pence)
        assert left.pence == pytest.approx(reading.policy.sources["x"].monthly_pence - cost.pence)
    else:
        assert left.calls == reading.policy.sources["youtube"].daily_calls - cost.calls


def test_a_reading_that_ends_counts_once_whether_it_succeeded_or_failed(
    reading: Workplace, stand: Stand, source: str, hands: Hands
) -> None:
    (run,) = collect(reading)
    assert run.outcome is Outcome.COMPLETE
    assert spent(reading, source) == run.spent
    hands.forward(hours=reading.policy.sources[source].recheck_hours)
    stand.server.play(status(503))
    (failed,) = collect(reading)
    recheck(reading)
    with reading.store.read() as connection:
        again = runs.latest(connection, source, purpose=Purpose.RECHECK)
        assert connection.exec_driver_sql("SELECT count(*) FROM spending").scalar() == 0
    assert failed.outcome is not Outcome.COMPLETE
    assert again is not None
    assert spent(reading, source) == failed.spent + again.spent


def test_no_cap_is_passed_however_often_it_dies(reading: Workplace, stand: Stand, source: str, hands: Hands) -> None:
    policy, server, deaths = reading.policy.sources[source], stand.server, 0
    for _ in range(MANY):
        with suppress(Died):
            collect(replace(reading, handles=Dying(reading.settings.folder / "handles.json")))
            continue  # too little was left for a whole reading
        deaths += 1
        hands.forward(minutes=1)
    made = len(server.requests)

    assert 5 <= deaths < MANY
    if source == "x":
        assert server.count(x.SEARCH) * 3 * 0.4 <= policy.monthly_pence
    else:
        assert server.count(youtube.SEARCH) <= policy.daily_calls
        assert server.count(youtube.READING) <= policy.daily_units
    (run,) = collect(reading)
    assert run.error_kind == "quota_spent"
    assert len(server.requests) == made


def test_each_cost_is_in_the_store_before_the_next_call_and_the_first_before_any(reading: Workplace) -> None:
    now = reading.clock()
    source = next(one.source for one in standings(reading) if one.on)
    run = Run(source=source, started=now, ended=now, window=Window(start=now, end=now), outcome=Outcome.COMPLETE)

    def calls() -> Iterator[Spent | str]:
        assert spent(reading, source) == runs.UNDER_WAY
        yield Spent(calls=2, units=7, pence=3.0)
        assert spent(reading, source) == Spent(calls=2, units=7, pence=3.0) + runs.UNDER_WAY
        yield "a post"
        yield Spent(calls=1)

    assert len(list(booked(reading, run, calls()))) == 3
    assert spent(reading, source) == Spent(calls=3, units=7, pence=3.0) + runs.UNDER_WAY
    with reading.store.write() as connection:
        runs.add(connection, replace(run, spent=Spent(calls=3)))
    assert spent(reading, source) == Spent(calls=3)


def test_what_was_booked_goes_with_the_runs_of_its_year(reading: Workplace) -> None:
    dies(reading)
    with reading.store.write() as connection:
        forgetting.metadata(connection, before=reading.clock() + timedelta(seconds=1))
        assert connection.exec_driver_sql("SELECT count(*) FROM spending").scalar() == 0
