"""A name that others bear too is dropped, counted; unless the words read as danger: then a person looks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.jobs.collect import collect
from monitor.jobs.judge import judge_pending
from monitor.records import Relevance, Severity
from monitor.rehearsal.everywhere import everywhere
from monitor.rehearsal.stands import Said
from monitor.store import mentions
from tests.monitor.conftest import OFF

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monitor.jobs.workplace import Workplace
    from tests.monitor.conftest import Hands

CRY = "whos awake from kjs. like actually awake. need someone to talk til its light or im going"
CHAT = "kjs hamster is surrounded by flapjack again"


@pytest.fixture
def place(opened: Callable[..., Workplace], hands: Hands, tmp_path: Path) -> Workplace:
    """A workplace that has just read a platform where both were said."""
    with everywhere(hands, tmp_path) as stands:
        stand = stands["mastodon"]
        hour = hands.now - timedelta(hours=1)
        stand.say([Said(number=number, text=text, at=hour) for number, text in enumerate((CRY, CHAT), start=1)])
        place = opened(
            secrets=dict(stand.secrets),
            sources={"feeds": OFF, "pages": OFF, "mastodon": stand.table},
            reading={"private_hosts": [stand.server.host]},
        )
        (run,) = collect(place)
    assert run.dropped == {"weak name without a local anchor": 1}
    judge_pending(place)
    return place


def test_a_cry_for_help_under_a_weak_name_reaches_a_person(place: Workplace) -> None:
    with place.store.read() as connection:
        (found,) = mentions.by_number(connection, [1]).values()

    assert found.judgement is not None
    assert found.judgement.relevant is Relevance.UNCERTAIN
    assert found.judgement.severity in {Severity.P0, Severity.P1}
    (why,) = [reason for reason in found.judgement.reasons if reason.about == "relevance"]
    assert "reads as danger" in why.note
