"""Which source is on, which is off and why; and what may still be spent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from monitor.errors import ConfigError, QuotaSpent, StoreError
from monitor.jobs.collect import collect
from monitor.jobs.sources import allowance, standings
from monitor.records import Spent
from tests.monitor.conftest import Hands, ran

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.jobs.sources import Standing
    from monitor.jobs.workplace import Workplace

X = {"enabled": True, "approval": "Agreement 7, 1 October 2026"}


def standing(place: Workplace, source: str) -> Standing:
    return next(s for s in standings(place) if s.source == source)


def test_a_source_that_ships_off_says_why(place: Workplace) -> None:
    for name in ("x", "reddit"):
        found = standing(place, name)
        assert not found.on
        assert found.why == place.policy.sources[name].why


def test_a_source_cannot_be_switched_on_without_the_recorded_approval(opened: Callable[..., Workplace]) -> None:
    place = opened(sources={"x": {"enabled": True}}, secrets={"MONITOR_X_BEARER_TOKEN": "t"})

    assert standing(place, "x").why.startswith("needs a recorded approval: an Enterprise agreement")


def test_a_source_that_the_configuration_does_not_name_is_not_read(opened: Callable[..., Workplace]) -> None:
    place = opened(sources={})

    assert standing(place, "feeds").why == "not configured: add [sources.feeds] to monitor.toml"
    assert not any(s.on for s in standings(place))


def test_a_source_without_credentials_names_the_variable(opened: Callable[..., Workplace]) -> None:
    place = opened(sources={"x": X})

    assert standing(place, "x").why == "credentials missing: set MONITOR_X_BEARER_TOKEN"


def test_a_source_with_approval_and_credentials_is_on(opened: Callable[..., Workplace]) -> None:
    place = opened(sources={"x": X}, secrets={"MONITOR_X_BEARER_TOKEN": "t"})

    assert standing(place, "x").on


def test_a_wrong_key_of_a_source_names_file_key_and_cure(opened: Callable[..., Workplace]) -> None:
    place = opened(sources={"feeds": {"feed": []}})

    with pytest.raises(ConfigError, match=r"sources\.feeds\.feed: unknown key") as caught:
        standings(place)
    assert "feeds" in str(caught.value.cure)


def test_an_unknown_source_or_school_in_the_configuration_is_refused(opened: Callable[..., Workplace]) -> None:
    with pytest.raises(ConfigError, match="unknown source 'myspace'"):
        opened(sources={"myspace": {}})
    with pytest.raises(ConfigError, match="unknown school 'XYZ'"):
        opened(roles={"schools": {"XYZ": {"dsl": "a@b.example"}}})


def test_a_source_is_never_read_more_often_than_its_terms_allow(opened: Callable[..., Workplace]) -> None:
    place = opened(sources={"feeds": {"enabled": False, "every_minutes": 1}})

    assert standing(place, "feeds").every.total_seconds() == 15 * 60


def test_the_months_money_is_capped(opened: Callable[..., Workplace], hands: Hands) -> None:
    place = opened(sources={"x": X}, secrets={"MONITOR_X_BEARER_TOKEN": "t"})
    found = standing(place, "x")
    cap = place.policy.sources["x"].monthly_pence
    ran(place, "x", spent=Spent(calls=3, pence=cap - 1))
    with place.store.read() as connection:
        left = allowance(connection, found, hands())
    assert left is not None
    assert left.pence == pytest.approx(1)

    ran(place, "x", spent=Spent(pence=1))
    with place.store.read() as connection, pytest.raises(QuotaSpent) as caught:
        allowance(connection, found, hands())
    assert caught.value.retry_at == datetime(2026, 12, 1, tzinfo=UTC)


def test_a_new_month_brings_a_new_allowance(opened: Callable[..., Workplace], hands: Hands) -> None:
    place = opened(sources={"x": X}, secrets={"MONITOR_X_BEARER_TOKEN": "t"})
    cap = place.policy.sources["x"].monthly_pence
    ran(place, "x", spent=Spent(pence=cap))
    hands.forward(days=10)

    with place.store.read() as connection:
        left = allowance(connection, standing(place, "x"), hands())
    assert left is not None
    assert left.pence == cap


def test_a_source_without_a_cap_has_no_allowance(place: Workplace, hands: Hands) -> None:
    with place.store.read() as connection:
        assert allowance(connection, standing(place, "feeds"), hands()) is None


def test_a_store_that_fails_is_said_to_be_the_stores_fault_and_no_collectors(opened: Callable[..., Workplace]) -> None:
    place = opened(sources={"feeds": {"feeds": [{"name": "Paper", "url": "https://paper.example/rss"}]}})
    with place.store.write() as connection:
        connection.exec_driver_sql("DROP TABLE runs")

    with pytest.raises(StoreError, match="cannot be used"):
        collect(place)
