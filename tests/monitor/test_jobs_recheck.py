"""What was deleted at its source goes here too, what was edited is judged again, and looking is not reading."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from monitor.handles import Handles
from monitor.jobs.collect import collect
from monitor.jobs.coverage import coverage
from monitor.jobs.recheck import BATCH, Rechecked, recheck
from monitor.jobs.routine import recheck_job
from monitor.records import CaseState, Outcome, Purpose, Severity, Sight, Spent, Window
from monitor.rehearsal import linkedin, x
from monitor.rehearsal.server import Server, status
from monitor.store import cases, mentions, runs
from monitor.store.schema import metadata, tombstones
from tests.monitor.conftest import OFF, Hands, judgement, ran, record, stored
from tests.monitor.towns import EDITED, TOWNS, WORDS, Town

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from monitor.jobs.workplace import Workplace
    from monitor.records import Run, StoredMention

FOREVER = Window(start=datetime.fromisoformat("2000-01-01T00:00Z"), end=datetime.fromisoformat("2100-01-01T00:00Z"))
every_town = pytest.mark.parametrize("name", TOWNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A platform from which three posts were read, and the workplace that holds them."""

    town: Town
    server: Server
    place: Workplace
    hands: Hands

    @property
    def here(self) -> dict[str, StoredMention]:
        """The store's mentions, by the last sign of their words or "edited"."""
        with self.place.store.read() as connection:
            found = mentions.between(connection, FOREVER)
        return {"edited" if EDITED in one.mention.text else one.mention.text[-1]: one for one in found}

    @property
    def runs(self) -> list[Run]:
        """The re-checks that were recorded."""
        with self.place.store.read() as connection:
            return [run for run in runs.between(connection, FOREVER) if run.purpose is Purpose.RECHECK]

    def everything(self) -> str:
        """Every row of every table, as text."""
        with self.place.store.read() as connection:
            return "\n".join(
                str(tuple(row)) for t in metadata.sorted_tables for row in connection.execute(sa.select(t))
            )


@pytest.fixture
def stage(name: str, opened: Callable[..., Workplace], hands: Hands) -> Iterator[Stage]:
    town = TOWNS[name](hands.now)
    with Server(town.routes) as server:
        place = opened(
            secrets=town.secrets,
            sources={"feeds": OFF, "pages": OFF, town.source: town.table(server.url)},
            reading={"private_hosts": [server.host]},
        )
        (run,) = collect(place)
        assert (run.outcome, run.new) == (Outcome.COMPLETE, 3), run
        yield Stage(town=town, server=server, place=place, hands=hands)


@every_town
def test_nothing_is_asked_for_while_it_was_seen_lately(stage: Stage) -> None:
    stage.hands.forward(hours=17)
    asked = len(stage.server.requests)

    assert recheck(stage.place) == Rechecked()
    assert len(stage.server.requests) == asked
    assert stage.runs == []


@every_town
@pytest.mark.parametrize("how", ["deleted", "protected"])
def test_a_post_that_went_at_its_source_goes_with_its_judgement_and_does_not_come_back(stage: Stage, how: str) -> None:
    record(stage.place, stage.here["2"].id, judgement())
    stage.hands.forward(hours=24)
    stage.town.change("2", how)

    assert recheck(stage.place) == Rechecked(asked=3, wiped=1)
    assert set(stage.here) == {"1", "3"}
    assert "COMPLAINT_SERVICE" not in stage.everything()
    collect(stage.place)
    assert set(stage.here) == {"1", "3"}


@every_town
def test_an_edited_post_is_taken_over_and_judged_again(stage: Stage) -> None:
    before = stage.here["1"]
    record(stage.place, before.id, judgement())
    stage.hands.forward(hours=24)
    stage.town.change("1", "edited")

    assert recheck(stage.place) == Rechecked(asked=3, changed=1)
    after = stage.here["edited"]
    assert after.id == before.id
    assert after.judgement is None
    assert after.mention.edited is not None
    assert after.first_seen == before.first_seen
    with stage.place.store.read() as connection:
        assert after.id in {waiting.id for waiting in mentions.pending(connection, 10)}


@every_town
def test_a_post_that_stands_is_not_asked_for_again_before_its_time(stage: Stage) -> None:
    stage.hands.forward(hours=24)
    assert recheck(stage.place) == Rechecked(asked=3)
    assert {one.last_seen for one in stage.here.values()} == {stage.hands.now}

    stage.hands.forward(hours=17)
    assert recheck(stage.place) == Rechecked()
    stage.hands.forward(hours=1, seconds=1)
    assert recheck(stage.place) == Rechecked(asked=3)


@every_town
def test_a_recheck_is_recorded_with_its_cost_and_never_looks_like_a_reading(stage: Stage) -> None:
    stage.hands.forward(hours=24)
    stage.town.change("3", "deleted")
    recheck(stage.place)

    (run,) = stage.runs
    assert (run.outcome, run.seen, run.new, run.gone) == (Outcome.COMPLETE, 3, 0, 1)
    assert run.spent.calls
    with stage.place.store.read() as connection:
        day = Window(start=stage.hands.now - timedelta(hours=2), end=stage.hands.now + timedelta(seconds=1))
        (found,) = [one for one in coverage(stage.place, connection, day) if one.source == stage.town.source]
    assert found.sight is Sight.BEHIND
    assert found.new is None
    assert (found.gone, found.spent) == (1, run.spent)


@every_town
def test_a_source_that_cannot_be_asked_loses_nothing_and_is_asked_again_within_the_hour(stage: Stage) -> None:
    stage.hands.forward(hours=24)
    stage.town.change("1", "deleted")
    stage.server.play(status(503))

    assert recheck(stage.place) == Rechecked(asked=3, incomplete=1)
    assert len(stage.here) == 3
    assert stage.runs[-1].outcome is Outcome.FAILED
    assert stage.runs[-1].error

    stage.server.mend()
    stage.hands.forward(hours=1)
    assert recheck(stage.place) == Rechecked(asked=3, wiped=1)


@every_town
def test_a_wish_to_wait_is_kept(stage: Stage) -> None:
    stage.hands.forward(hours=24)
    stage.server.play(status(429, {"Retry-After": "7200"}))
    recheck(stage.place)
    stage.server.mend()
    asked = len(stage.server.requests)
    until = stage.runs[-1].retry_at
    assert until is not None

    stage.hands.now = until - timedelta(seconds=1)
    assert recheck(stage.place) == Rechecked()
    assert len(stage.server.requests) == asked
    stage.hands.now = until
    assert recheck(stage.place) == Rechecked(asked=3)


@every_town
def test_a_post_of_an_open_case_is_wiped_and_the_case_stays(stage: Stage) -> None:
    number = stage.here["1"].id
    record(stage.place, number, judgement())
    with stage.place.store.write() as connection:
        made = cases.open_case(
            connection,
            mention_id=number,
            category="COMPLAINT_SERVICE",
            severity=Severity.P3,
            owner="lead_staff",
            schools=("BHS",),
            opened=stage.hands.now,
            due=None,
            readers=(),
            restricted=False,
            why="rule",
        )
    stage.hands.forward(hours=24)
    stage.town.change("1", "deleted")
    recheck(stage.place)

    with stage.place.store.read() as connection:
        case = cases.get(connection, made.reference)
        assert mentions.by_number(connection, [number]) == {}
    assert case is not None
    assert case.state is CaseState.NEW


@pytest.mark.parametrize("name", ["reddit"])
def test_of_a_deleted_reddit_post_nothing_stays_not_even_a_hash(stage: Stage, tmp_path: Path) -> None:
    """Data API terms: deleted content goes whole, hashed or not."""
    post = stage.here["2"]
    record(stage.place, post.id, judgement())
    traces = (post.mention.native_id, post.sha256, mentions.tombstone("reddit", post.mention.native_id))
    assert post.sha256 in stage.everything()
    others = {one.author_key for text, one in stage.here.items() if text != "2"}
    stage.hands.forward(hours=24)
    stage.town.change("2", "deleted")
    recheck(stage.place)

    left = stage.everything()
    assert not [trace for trace in (*traces, "Any news? 2") if trace in left]
    assert post.author_key in others  # the one invented author of all three
    with stage.place.store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tombstones)) == 0
    stage.place.store.close()
    files = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert not [trace for trace in (*traces, "Any news? 2") if trace.encode() in files]


@pytest.mark.parametrize("name", ["bluesky"])
def test_of_any_other_deleted_post_a_hash_of_its_id_stays(stage: Stage) -> None:
    post = stage.here["2"]
    stage.hands.forward(hours=24)
    stage.town.change("2", "deleted")
    recheck(stage.place)

    left = stage.everything()
    assert mentions.tombstone("bluesky", post.mention.native_id) in left
    assert post.mention.native_id not in left


@pytest.mark.parametrize("name", ["mastodon"])
def test_an_instance_that_is_down_does_not_keep_the_posts_of_others_waiting(stage: Stage) -> None:
    """More than a batch of older posts stands on an instance that is no longer read, or does not answer."""
    for number in range(BATCH + 1):
        stored(stage.place, number, source="mastodon", native_id=f"gone.example/{number}")
    with stage.place.store.write() as connection:
        connection.execute(
            sa.update(metadata.tables["mentions"])
            .where(metadata.tables["mentions"].c.native_id.like("gone.example/%"))
            .values(last_seen=stage.hands.now - timedelta(hours=1))
        )
    stage.hands.forward(hours=24)
    stage.town.change("1", "deleted")

    assert recheck(stage.place) == Rechecked(asked=BATCH + 4, wiped=1)
    assert stage.runs[-1].malformed == {"asked for again, and its instance is no longer chosen": BATCH + 1}


@pytest.mark.parametrize("name", ["mastodon"])
def test_what_a_source_says_nothing_of_is_asked_for_at_its_next_turn_and_not_every_hour(stage: Stage) -> None:
    stored(stage.place, 1, source="mastodon", native_id="gone.example/1")
    stage.hands.forward(hours=24)
    assert recheck(stage.place) == Rechecked(asked=4)

    stage.hands.forward(hours=5)
    assert recheck(stage.place) == Rechecked()
    stage.hands.forward(hours=1)
    assert recheck(stage.place) == Rechecked(asked=1)


@pytest.mark.parametrize("name", ["x"])
def test_posts_are_not_asked_for_beyond_the_months_money(stage: Stage) -> None:
    cap = stage.place.policy.sources["x"].monthly_pence
    ran(stage.place, "x", spent=Spent(pence=cap))
    stage.hands.forward(hours=24)
    asked = stage.server.count(x.LOOKUP)

    assert recheck(stage.place) == Rechecked(incomplete=1)
    assert stage.server.count(x.LOOKUP) == asked
    assert stage.runs[-1].error_kind == "quota_spent"


@pytest.mark.parametrize("name", ["x"])
def test_asking_again_never_costs_more_than_what_is_left(stage: Stage) -> None:
    """The first reading cost three posts; what is left pays for two and a half: two are asked for, the third waits."""
    price = 0.4
    ran(stage.place, "x", spent=Spent(pence=stage.place.policy.sources["x"].monthly_pence - 5.5 * price))
    stage.hands.forward(hours=24)
    asked = stage.server.count(x.LOOKUP)

    assert recheck(stage.place) == Rechecked(asked=3, incomplete=1)
    assert stage.server.count(x.LOOKUP) == asked + 1
    (run,) = stage.runs
    assert (run.error_kind, run.outcome, run.seen) == ("quota_spent", Outcome.PARTIAL, 2)
    assert (run.spent.calls, run.spent.units) == (1, 2)
    assert run.spent.pence == pytest.approx(2 * price)
    assert run.retry_at == datetime.fromisoformat("2026-12-01T00:00Z")


@pytest.mark.parametrize("name", ["bluesky"])
def test_a_source_that_was_switched_off_is_not_asked(stage: Stage, opened: Callable[..., Workplace]) -> None:
    stage.hands.forward(hours=24)
    asked = len(stage.server.requests)
    off = opened(secrets=stage.town.secrets, sources={"bluesky": OFF})

    assert recheck(off) == Rechecked()
    assert len(stage.server.requests) == asked


class BrokenForBluesky(Handles):
    """Stands for a fault of our own that meets the posts of one source."""

    def key(self, source: str, handle: str, moment: datetime) -> str:
        if source == "bluesky":
            raise RuntimeError(source)
        return super().key(source, handle, moment)


def test_a_fault_of_our_own_is_recorded_and_the_other_sources_are_asked(
    opened: Callable[..., Workplace], hands: Hands, tmp_path: Path
) -> None:
    towns = [TOWNS[name](hands.now) for name in ("bluesky", "mastodon")]
    with Server(towns[0].routes) as first, Server(towns[1].routes) as second:
        place = opened(
            secrets=towns[0].secrets,
            sources={"bluesky": towns[0].table(first.url), "mastodon": towns[1].table(second.url)},
        )
        collect(place)
        hands.forward(hours=24)
        towns[1].change("1", "deleted")
        with pytest.raises(ExceptionGroup, match="a fault of their own"):
            recheck(replace(place, handles=BrokenForBluesky(tmp_path / "handles.json")))

    with place.store.read() as connection:
        broken = runs.latest(connection, "bluesky", purpose=Purpose.RECHECK)
        whole = runs.latest(connection, "mastodon", purpose=Purpose.RECHECK)
    assert broken is not None
    assert (broken.outcome, broken.error_kind) == (Outcome.FAILED, "fault")
    assert whole is not None
    assert (whole.outcome, whole.gone) == (Outcome.COMPLETE, 1)


@pytest.mark.parametrize("name", ["mastodon"])
def test_the_clocks_job_tells_what_was_done_in_figures(stage: Stage) -> None:
    stage.hands.forward(hours=24)
    stage.town.change("1", "deleted")
    stage.town.change("2", "edited")

    figures = recheck_job(stage.place, stage.hands.now).figures
    assert figures == {"asked": 3, "wiped": 1, "changed": 1, "incomplete": 0}


def test_words_that_may_not_be_kept_do_not_come_in_by_an_edit_and_are_not_judged_again(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    """LinkedIn's terms: id and link only; without its words a post would be judged to be about nothing."""
    share = linkedin.Post(urn="urn:li:share:71", text=WORDS, created=hands.now - timedelta(hours=1))
    platform = linkedin.LinkedIn([share])
    with Server(platform.routes) as server:
        table = {"enabled": True, "approval": "Standard tier", "api_url": server.url, "organizations": {"12345": "BHS"}}
        place = opened(
            secrets={"MONITOR_LINKEDIN_ACCESS_TOKEN": platform.token},
            sources={"feeds": OFF, "pages": OFF, "linkedin": table},
            reading={"private_hosts": [server.host]},
        )
        collect(place)
        with place.store.read() as connection:
            (number,) = mentions.numbers_of(connection, [("linkedin", share.urn)])
        record(place, number, judgement())
        with place.store.write() as connection:
            mentions.blank(connection, [number])
        hands.forward(hours=24)
        platform.posts = [replace(share, text=EDITED)]

        assert recheck(place) == Rechecked(asked=1)
    with place.store.read() as connection:
        (found,) = mentions.between(connection, FOREVER)
    assert (found.mention.text, found.mention.native_id, found.last_seen) == ("", share.urn, hands.now)
    assert found.judgement == judgement()


def test_an_article_whose_site_says_nothing_stays(opened: Callable[..., Workplace], hands: Hands) -> None:
    """A feed's own key instead of an address, and a site that is not there: neither is a word that it went."""
    place = opened(sources={"feeds": {"feeds": [{"name": "Courier", "url": "https://paper.example/rss"}]}})
    stored(place, 1)
    stored(place, 2, native_id="http://127.0.0.1:9/article")
    hands.forward(days=40)

    assert recheck(place) == Rechecked(asked=2)
    with place.store.read() as connection:
        assert len(mentions.between(connection, FOREVER)) == 2
        run = runs.latest(connection, "feeds", purpose=Purpose.RECHECK)
    assert run is not None
    assert sum(run.malformed.values()) == 2
