"""A workplace on a temporary folder, with a clock whose hands a test moves."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitor.jobs.workplace import Workplace, open_workplace
from monitor.records import Judgement, Mention, Outcome, Relevance, Run, Sentiment, Severity, Window
from monitor.settings import Secrets, Settings
from monitor.store import mentions, runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OFF = {"enabled": False}


class Hands:
    """A clock whose hands a test moves."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def hands() -> Hands:
    """A Monday morning in term: 23 November 2026, 09:00 UTC."""
    return Hands(datetime(2026, 11, 23, 9, 0, tzinfo=UTC))


@pytest.fixture
def opened(tmp_path: Path, hands: Hands) -> Iterator[Callable[..., Workplace]]:
    """Give a function that opens a workplace with further settings; each is closed at the end."""
    places: list[Workplace] = []

    def make(*, secrets: dict[str, str] | None = None, **more: Any) -> Workplace:  # noqa: ANN401 - any table
        dpia = {"reference": "R", "owner": "O", "signed": date(2026, 1, 1), "review_due": date(2030, 1, 1)}
        school = {
            "headteacher": "head@school.example",
            "dsl": "dsl@school.example",
            "deputy_dsl": "deputy@school.example",
        }
        settings = Settings.model_validate(
            {
                "file": tmp_path / "monitor.toml",
                "privacy": {"dpia": dpia},
                "roles": {
                    "response_owner": "owner@school.example",
                    "senior_leader": "leader@school.example",
                    "chair": "chair@school.example",
                    "schools": {"BHS": school, "KJS": school},
                },
                "sources": {"feeds": OFF, "pages": OFF},
                **more,
            }
        )
        places.append(open_workplace(settings, secrets=Secrets(secrets or {}), clock=hands))
        return places[-1]

    yield make
    for place in places:
        with place:
            pass


@pytest.fixture
def place(opened: Callable[..., Workplace]) -> Workplace:
    """Give a workplace in which no source reads the network."""
    return opened()


def stored(place: Workplace, number: int, text: str = "Invented words.", **more: Any) -> int:  # noqa: ANN401
    """Put a mention into the store, first seen now; return its number."""
    values: dict[str, Any] = {
        "source": "feeds",
        "native_id": f"n{number}",
        "url": f"https://paper.example/{number}",
        "text": text,
        "published": place.clock(),
    }
    mention = Mention(**{**values, **more})
    with place.store.write() as connection:
        mentions.take(
            connection,
            [mentions.Arrival(mention=mention, author_key="", sha256=mention.sha256)],
            now=place.clock(),
            articles=frozenset(),
        )
        (found,) = mentions.numbers_of(connection, [(mention.source, mention.native_id)])
    return found


def judgement(**more: Any) -> Judgement:  # noqa: ANN401 - any field
    """Return a judgement: a complaint about KJS, unless told otherwise."""
    values: dict[str, Any] = {
        "relevant": Relevance.YES,
        "schools": ("KJS",),
        "sentiment": Sentiment.NEGATIVE,
        "sentiment_score": -0.5,
        "category": "COMPLAINT_SERVICE",
        "also": (),
        "severity": Severity.P3,
        "owner": "lead_staff",
        "clauses": ("2.9",),
        "reasons": (),
        "policy_version": "test",
    }
    return Judgement(**{**values, **more})


def record(place: Workplace, number: int, judged: Judgement) -> None:
    """Store a judgement as the current one."""
    with place.store.write() as connection:
        mentions.record(connection, [(number, judged)], now=place.clock())


def ran(place: Workplace, source: str, outcome: Outcome = Outcome.COMPLETE, **more: Any) -> Run:  # noqa: ANN401
    """Store a run of a source that ended now."""
    now = place.clock()
    run = Run(
        source=source,
        started=now,
        ended=now,
        window=Window(start=now - timedelta(hours=1), end=now),
        outcome=outcome,
        **more,
    )
    with place.store.write() as connection:
        runs.add(connection, run)
    return run
