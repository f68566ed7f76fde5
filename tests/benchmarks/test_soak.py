"""The soak's books balance: what was published is stored, dropped or erased, day after day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from benchmarks.soak import BEGIN, Hands, World, books, settings, soak
from monitor.jobs.workplace import open_workplace
from monitor.rehearsal.server import Server

if TYPE_CHECKING:
    from pathlib import Path


def test_after_three_days_of_the_clocks_own_jobs_every_post_is_accounted_for(tmp_path: Path) -> None:
    """Two hundred posts a day, read twice a day; half of those on Bluesky are deleted there and then here."""
    world, hands = World(per_day=200), Hands(BEGIN)
    with Server(world.routes) as server:
        own = settings(tmp_path, server)
        with open_workplace(own, secrets=world.secrets, clock=hands) as place:
            days = list(soak(place, hands, world, 3, every=timedelta(hours=12)))
            balance = books(place, world)
    assert world.posted == {"namesake": 510, "news": 60, "chat": 30}
    assert [(what, said) for what, said, found in balance if said != found] == []
    assert [day.stored + day.erased for day in days] == [30, 60, 90]
    assert days[-1].erased > 0
    assert len(list((own.folder / "backups").iterdir())) == 3
