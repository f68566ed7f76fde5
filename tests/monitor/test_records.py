"""Records refuse what would be a guess, compare by value, and cannot be changed."""

from __future__ import annotations

import dataclasses
import inspect
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import records
from monitor.records import (
    CaseState,
    Mention,
    Outcome,
    Run,
    Severity,
    Spent,
    Window,
    as_plain,
    aware,
    utc_now,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NAIVE = datetime(2026, 11, 23, 12)  # noqa: DTZ001 - that is the point

RECORDS = [item for _, item in inspect.getmembers(records, inspect.isclass) if dataclasses.is_dataclass(item)]


def mention(**changes: object) -> Mention:
    fields: dict[str, object] = {
        "source": "feeds",
        "native_id": "1",
        "url": "https://a.example/1",
        "text": "t",
        "published": NOON,
    }
    return Mention(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_record_is_frozen_slotted_and_keyword_only(record: type) -> None:
    parameters = record.__dataclass_params__  # type: ignore[attr-defined]
    assert parameters.frozen
    assert "__slots__" in vars(record)
    assert all(field.kw_only for field in dataclasses.fields(record))


def test_a_record_cannot_be_changed_or_given_new_fields() -> None:
    made = mention()
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.text = "other"  # type: ignore[misc]
    assert not hasattr(made, "__dict__")


@pytest.mark.parametrize("field", ["published", "edited"])
def test_a_mention_refuses_a_time_without_zone(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field} has no time zone"):
        mention(**{field: NAIVE})


@pytest.mark.parametrize("field", ["started", "ended", "retry_at"])
def test_a_run_refuses_a_time_without_zone(field: str) -> None:
    times: dict[str, datetime] = {"started": NOON, "ended": NOON} | {field: NAIVE}
    with pytest.raises(ValueError, match=f"{field} has no time zone"):
        Run(source="x", window=Window(start=NOON, end=NOON), outcome=Outcome.FAILED, **times)  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["start", "end"])
def test_a_window_refuses_a_time_without_zone(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field} has no time zone"):
        Window(**({"start": NOON, "end": NOON} | {field: NAIVE}))


@given(st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_a_time_with_any_zone_is_the_same_moment_in_utc(moment: datetime) -> None:
    kept = aware("when", moment)
    assert kept.tzinfo is UTC
    assert kept.timestamp() == moment.timestamp()


def test_mentions_of_one_moment_in_two_zones_are_equal() -> None:
    east = timezone(timedelta(hours=5))
    assert mention(published=NOON) == mention(published=NOON.astimezone(east))


def test_a_window_takes_its_start_and_leaves_its_end() -> None:
    window = Window(start=NOON, end=NOON + timedelta(hours=2))
    assert NOON in window
    assert window.end not in window
    assert window.end - timedelta(microseconds=1) in window
    assert NOON - timedelta(microseconds=1) not in window
    assert window.length == timedelta(hours=2)


def test_a_window_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ends .* before it starts"):
        Window(start=NOON, end=NOON - timedelta(seconds=1))


@pytest.mark.parametrize("changes", [{"source": ""}, {"native_id": ""}])
def test_a_mention_needs_its_key(changes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="source and a native id"):
        mention(**changes)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//host/a"])
def test_a_mention_refuses_what_is_no_web_address(url: str) -> None:
    with pytest.raises(ValueError, match="not a web address"):
        mention(url=url)


def test_a_mention_may_have_no_address() -> None:
    assert mention(url="").url == ""


def test_a_mention_never_shows_its_author_or_its_bytes() -> None:
    shown = repr(mention(author="@jane_doe", raw=b"captured"))
    assert "jane_doe" not in shown
    assert "captured" not in shown


def test_the_fingerprint_is_of_the_captured_bytes_or_else_of_the_text() -> None:
    assert mention(raw=b"t").sha256 == mention(text="t").sha256
    assert mention(raw=b"u").sha256 != mention(text="t").sha256
    assert len(mention(text="half a character \ud83c").sha256) == 64


def test_costs_add_up() -> None:
    total = Spent(calls=1, units=2, pence=0.5) + Spent(calls=3, units=4, pence=1.0)
    assert total == Spent(calls=4, units=6, pence=1.5)


def test_a_case_is_open_while_somebody_has_something_to_do() -> None:
    assert {state for state in CaseState if state.is_open} == {
        CaseState.NEW,
        CaseState.ACKNOWLEDGED,
        CaseState.WAITING,
    }


def test_the_live_clock_has_a_zone() -> None:
    assert utc_now().utcoffset() == timedelta(0)


def test_a_record_as_plain_data_is_json_with_times_in_utc() -> None:
    run = Run(
        source="x",
        started=NOON.astimezone(timezone(timedelta(hours=1))),
        ended=NOON,
        window=Window(start=NOON, end=NOON),
        outcome=Outcome.PARTIAL,
        dropped={"a namesake": 2},
        spent=Spent(calls=1),
    )
    plain = as_plain(run)
    assert plain["started"] == "2026-11-23T12:00:00Z"
    assert plain["outcome"] == "partial"
    assert plain["dropped"] == {"a namesake": 2}
    assert plain["spent"] == {"calls": 1, "units": 0, "pence": 0.0}
    assert json.loads(json.dumps(plain)) == plain


def test_plain_data_gives_a_fingerprint_for_bytes_and_lists_for_groups() -> None:
    assert as_plain((Severity.P0, [1], b"")) == [
        "P0",
        [1],
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ]
