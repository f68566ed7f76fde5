"""A restoration stands in the audit of the store that was restored, and the chain goes on over it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import sqlalchemy as sa
from click.testing import CliRunner

from monitor.cli import group
from monitor.cli.options import account
from monitor.jobs import audit, routine
from monitor.jobs.judge import judge_pending
from monitor.store.audit import CLOCK, Deed
from monitor.store.schema import audit as audit_table
from tests.monitor.conftest import Hands, stored

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monitor.jobs.workplace import Workplace

KNIFE = "I'm bringing a knife to King James's School in Knaresborough tomorrow, just wait and see what happens"


def lines(place: Workplace) -> list[tuple[str, str, str]]:
    with place.store.read() as connection:
        return [
            (row.who, row.what, row.about)
            for row in connection.execute(sa.select(audit_table).order_by(audit_table.c.number))
        ]


def backed_up(place: Workplace, hands: Hands) -> Path:
    """Make a backup, let a case come after it, and close the store; return its file."""
    stored(place, 1, KNIFE)
    judge_pending(place)
    routine.backup_job(place, hands.now)
    hands.forward(minutes=10)
    stored(place, 2, KNIFE.replace("knife", "gun"))
    judge_pending(place)
    audit.write_head_down(place)
    place.store.close()
    assert place.store.file is not None
    return place.store.file


def test_a_store_that_was_restored_at_the_start_says_so_in_its_audit_after_all_that_it_kept(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    place = opened()
    file = backed_up(place, hands)
    before = hands.now
    file.write_bytes(b"")

    again = opened()

    *kept, (who, what, about) = lines(again)
    assert [deed for _, deed, _ in kept].count(Deed.OPENED) >= 1
    assert (who, what) == (CLOCK, Deed.RESTORED_STORE)
    assert about.startswith("from monitor-20261123T")
    assert f"what was there is monitor.sqlite.damaged-{before:%Y%m%dT%H%M}" in about
    found = audit.verify(again, ())
    assert found.differences == ()
    assert found.heads == 1
    again.store.close()
    assert [deed for _, deed, _ in lines(opened())].count(Deed.RESTORED_STORE) == 1


def test_who_restored_a_store_by_hand_stands_in_its_audit(tmp_path: Path) -> None:
    config = tmp_path / "monitor.toml"
    runner = CliRunner()
    for words in (["init", str(config)], ["case", "list", "--config", str(config)]):
        assert runner.invoke(group, words).exit_code == 0
    assert runner.invoke(group, ["store", "backup", "--config", str(config)]).exit_code == 0

    done = runner.invoke(group, ["store", "restore", "--yes", "--json", "--config", str(config)])

    assert done.exit_code == 0, done.output
    name = json.loads(done.stdout)["restored_from"]["file"].rpartition("/")[2]
    url = f"sqlite:///{tmp_path / 'monitor-data' / 'monitor.sqlite'}"
    with sa.create_engine(url).connect() as connection:
        last = connection.execute(sa.select(audit_table).order_by(audit_table.c.number.desc())).first()
    assert last is not None
    assert (last.who, last.what) == (account(), Deed.RESTORED_STORE)
    assert name in last.about
    assert runner.invoke(group, ["verify", "--config", str(config)]).exit_code == 0
