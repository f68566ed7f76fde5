"""Every source at once against local servers that play the vendors' faults: each planted post is found exactly once.

The vendors' own libraries and ours, over real HTTP, by the clock's own jobs, from the first reading to the delivered
digest.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

import pytest

from monitor.jobs.checkup import State, check
from monitor.jobs.daily import gather, window_for
from monitor.jobs.workplace import open_workplace
from monitor.records import Outcome, Purpose, Sight, Window
from monitor.rehearsal import (
    bluesky,
    gdelt,
    linkedin,
    mastodon,
    meta,
    reddit,
    tiktok,
    x,
    youtube,
)
from monitor.rehearsal.everywhere import everywhere
from monitor.rehearsal.server import error_page, repeating, status, truncated_gzip
from monitor.rehearsal.stands import KINDS, Said, Stand
from monitor.settings import Secrets
from monitor.store import mentions, runs
from reports.daily import build
from tests.saying import sentence
from tests.test_main_job import Hands, post_office, run_job, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from monitor.jobs.checkup import Finding
    from monitor.jobs.workplace import Workplace
    from monitor.records import Run, StoredMention
    from monitor.rehearsal.server import Fault
    from tests.test_main_job import Postbox

SATURDAY: Final = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DIGEST: Final = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
TWO_HOURS: Final = timedelta(hours=2)
EACH: Final = 4
"""Posts planted on each platform."""
ASKED_DAILY: Final = (
    "reddit",
    "x",
    "facebook",
    "instagram",
    "threads",
    "tiktok",
    "linkedin",
    "bluesky",
    "mastodon",
)
"""Sources whose terms have every post asked for again within a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A fault that strikes one run, and the kind of failure that must be recorded; "" where nothing may fail.

    Attributes:
        fault: now (zone-aware) -> what is played.
        at: where. times: how often, until the run is over if None.
    """

    fault: Callable[[datetime], Fault]
    kind: str = ""
    at: str = "*"
    times: int | None = None


def wait(headers: Callable[[datetime], Fault], at: str = "*") -> Act:
    """Return an act in which a platform asks us to wait, in its own words."""
    return Act(fault=headers, kind="rate_limited", at=at)


def always(fault: Fault, kind: str = "", at: str = "*", times: int | None = None) -> Act:
    """Return an act whose fault does not ask what time it is."""
    return Act(fault=lambda _now: fault, kind=kind, at=at, times=times)


def later(now: datetime) -> int:
    """Return the epoch second two hours from now."""
    return int((now + TWO_HOURS).timestamp())


TAGGED: Final = f"{meta.VERSION}/101/tagged"
TAGS: Final = f"{meta.VERSION}/301/tags"
PLAY: Final[dict[str, tuple[Act, ...]]] = {
    "feeds": (
        always(status(429, {"Retry-After": "7200"}), "rate_limited"),
        always(truncated_gzip(), "unreachable", "/rss"),
        always(error_page(), "unexpected_shape", "/rss"),
    ),
    "pages": (
        always(status(429, {"Retry-After": "7200"}), "rate_limited", "/village*"),
        always(error_page(), "unexpected_shape", "/sitemap.xml"),
    ),
    "reddit": (
        always(reddit.rate_limited(seconds="7199.5"), "rate_limited", reddit.SEARCH),
        always(reddit.expired_token(), "access_refused", reddit.SEARCH),
        always(reddit.same_cursor(), "unexpected_shape", reddit.SEARCH),
        always(reddit.empty_page(), at=reddit.SEARCH, times=1),
        always(repeating("data", "children"), at=reddit.SEARCH),
    ),
    "x": (
        wait(lambda now: x.rate_limited(reset=later(now)), x.SEARCH),
        always(x.expired_token(), "access_refused", x.SEARCH),
        always(x.same_cursor(), "unexpected_shape", x.SEARCH),
        always(x.empty_page(), at=x.SEARCH, times=1),
        always(repeating("data"), at=x.SEARCH),
    ),
    "youtube": (
        always(youtube.too_fast(), "rate_limited", youtube.SEARCH),
        always(youtube.wrong_key(youtube.YouTube().key), "access_refused"),
        always(youtube.same_cursor(), "unexpected_shape", youtube.THREADS),
        always(repeating("items"), at=youtube.THREADS),
    ),
    "facebook": (
        always(meta.rate_limited(32, minutes=120), "rate_limited"),
        always(meta.expired_token("a token"), "access_refused"),
        always(meta.same_cursor(), "unexpected_shape", TAGGED),
        always(meta.empty_page(), at=TAGGED, times=1),
        always(repeating("data"), at=TAGGED),
    ),
    "instagram": (
        always(meta.rate_limited(4, status=403, minutes=120), "rate_limited"),
        always(meta.expired_token("a token"), "access_refused"),
        always(error_page(), "unexpected_shape"),
        always(repeating("data"), at=TAGS),
    ),
    "threads": (
        always(meta.rate_limited(4, status=403, minutes=120), "rate_limited"),
        always(meta.expired_token("a token"), "access_refused"),
        always(truncated_gzip(), "unreachable"),
        always(repeating("data")),
    ),
    "tiktok": (
        always(tiktok.refuses(40100, "Too many requests"), "rate_limited"),
        always(tiktok.expired_token(), "access_refused"),
        always(tiktok.same_cursor(), "unexpected_shape"),
        always(repeating("data", "videos"), at=tiktok.VIDEOS),
    ),
    "linkedin": (
        always(linkedin.rate_limited(seconds=7200), "rate_limited"),
        always(linkedin.expired_token(), "access_refused"),
        always(error_page(), "unexpected_shape"),
        always(linkedin.endless(), at=linkedin.NOTIFICATIONS),
    ),
    "bluesky": (
        wait(lambda now: bluesky.rate_limited(reset=later(now)), bluesky.SEARCH),
        always(bluesky.expired_token(), "access_refused", bluesky.SEARCH),
        always(bluesky.same_cursor(), "unexpected_shape", bluesky.SEARCH),
        always(bluesky.empty_page(), at=bluesky.SEARCH, times=1),
        always(repeating("posts"), at=bluesky.SEARCH),
    ),
    "mastodon": (
        wait(lambda now: mastodon.rate_limited(reset=now + TWO_HOURS), mastodon.TAGS),
        always(mastodon.members_only(), "access_refused", mastodon.TAGS),
        always(mastodon.same_cursor(), "unexpected_shape", mastodon.TAGS),
        always(mastodon.empty_page(), at=mastodon.TAGS, times=1),
        always(repeating(), at=mastodon.TAGS),
    ),
    "gdelt": (
        always(gdelt.rate_limited_with_status_200(), "rate_limited", gdelt.SEARCH),
        always(gdelt.refused_in_words(), "unexpected_shape", gdelt.SEARCH),
        always(truncated_gzip(), "unreachable", gdelt.SEARCH),
    ),
    "reported": (),
}
"""What each source plays, one act for each time it is read."""


@dataclass(slots=True, kw_only=True)
class Theatre:
    """Every platform with its planted posts, the workplace that reads them, and the acts that are still to come."""

    stands: dict[str, Stand]
    said: dict[str, tuple[Said, ...]]
    place: Workplace
    hands: Hands
    box: Postbox

    def say(self, source: str, said: tuple[Said, ...]) -> None:
        """Have something else stand on one platform."""
        self.said[source] = said
        self.stands[source].say(said)

    def job(self, name: str) -> tuple[Run, ...]:
        """Run one of the clock's own jobs now; return the runs that it recorded."""
        run_job(self.place, name)
        now = self.hands.now
        with self.place.store.read() as connection:
            return runs.between(connection, Window(start=now, end=now + timedelta(seconds=1)))

    def latest(self, source: str, purpose: Purpose = Purpose.COLLECT) -> Run:
        """Return the newest run of a source."""
        with self.place.store.read() as connection:
            run = runs.latest(connection, source, purpose=purpose)
        assert run is not None
        return run

    @property
    def stored(self) -> tuple[StoredMention, ...]:
        """Everything that is in the store."""
        with self.place.store.read() as connection:
            return mentions.between(connection, Window(start=SATURDAY - timedelta(days=9), end=DIGEST))

    def standing(self) -> Counter[tuple[str, str]]:
        """Return (source, native id) of everything that stands on the platforms; reports by their words."""
        return Counter(
            (source, stand.key(one) or one.text)
            for source, stand in self.stands.items()
            for one in self.said[source]
            if not one.gone
        )

    def found(self) -> Counter[tuple[str, str]]:
        """Return the same of everything in the store."""
        return Counter(
            (one.mention.source, one.mention.text if one.mention.source == "reported" else one.mention.native_id)
            for one in self.stored
        )

    def digest(self) -> str:
        """Return the words of the digest that was delivered last."""
        body = self.box.to("owner@school.example", "daily")[-1].get_body(("plain",))
        assert body is not None
        return " ".join(str(body.get_content()).split())

    def finding(self, source: str) -> Finding | None:
        """Return what `doctor` has to say of a source."""
        findings = check(self.place, timedelta(days=2)).findings
        return next((one for one in findings if one.subject == f"source {source}"), None)


@contextmanager
def theatre(tmp_path: Path, x_names: Literal["tweet", "post"] = "tweet") -> Iterator[Theatre]:
    """Plant four posts on each platform, and open a workplace that reads them all, with every approval recorded."""
    hands = Hands(SATURDAY)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    with everywhere(hands, inbox, page=2, x_names=x_names) as stands, post_office() as (box, port):
        sources = {name: stand.table for name, stand in stands.items()}
        hosts = tuple(stand.server.host for stand in stands.values())
        secrets = {name: value for stand in stands.values() for name, value in stand.secrets.items()}
        settings = settings_for(tmp_path, port=port, sources=sources, hosts=hosts)
        with open_workplace(settings, secrets=Secrets(secrets), clock=hands) as place:
            made = Theatre(stands=stands, said={}, place=place, hands=hands, box=box)
            for row, (source, kinds) in enumerate(KINDS.items()):
                said = (
                    Said(
                        number=column + 1,
                        text=sentence(EACH * row + column),
                        at=SATURDAY - timedelta(hours=column + 1),
                        kind=kinds[column % len(kinds)],
                        named=column != 1,
                    )
                    for column in range(EACH)
                )
                made.say(source, tuple(said))
            yield made


def played(theatre: Theatre, acts: dict[str, list[Act]]) -> dict[str, Run]:
    """Run the collect job while each source plays its next act; return the runs, and drop the acts that were played."""
    now = theatre.hands.now
    for source, stand in theatre.stands.items():
        stand.server.mend()
        for act in acts[source][:1]:
            stand.server.play(act.fault(now), at=act.at, times=act.times)
    done = {run.source: run for run in theatre.job("collect")}
    for source, run in done.items():
        kind = acts[source].pop(0).kind if acts[source] else ""
        assert run.error_kind == kind, (source, run)
        assert (run.outcome is Outcome.COMPLETE) == (not kind), (source, run)
    for stand in theatre.stands.values():
        stand.server.mend()
    return done


def test_every_planted_post_is_found_exactly_once_whatever_the_platforms_play(tmp_path: Path) -> None:
    """Two days of faults, waits, edits and deletions on fourteen platforms; then store and digest are counted."""
    acts = {source: list(play) for source, play in PLAY.items()}
    with theatre(tmp_path) as house:
        first = played(house, acts)
        assert first.keys() == PLAY.keys()
        assert first["reported"].outcome is Outcome.COMPLETE, "others failed, and it did not go on"

        house.hands.forward(hours=1)
        resting = {source for source, run in first.items() if run.retry_at and run.retry_at > house.hands.now}
        asked = {source: len(house.stands[source].server.requests) for source in resting}
        assert {"feeds", "pages", "reddit", "x", "bluesky", "mastodon", "linkedin"} < resting
        second = played(house, acts)
        assert second
        assert resting.isdisjoint(second)
        assert asked == {source: len(house.stands[source].server.requests) for source in resting}

        for _ in range(6):
            house.hands.forward(hours=5, minutes=30)
            played(house, acts)
        assert not any(acts.values()), "some acts were never played"
        assert house.found() == house.standing()

        for source in ASKED_DAILY:
            changed, gone, *others = house.said[source]
            new = replace(changed, text=f"{changed.text} Mended now, thank you.", edited=house.hands.now)
            house.say(source, (new, replace(gone, gone="deleted"), *others))
        house.hands.now = DIGEST - timedelta(minutes=30)
        again = {run.source: run for run in house.job("recheck")}
        assert {source: run.gone for source, run in again.items() if run.gone} == {
            source: 1 + (source == "instagram") for source in ASKED_DAILY
        }
        # a post under a hashtag cannot be asked for by id, and what cannot be checked is not kept
        house.said["instagram"] = tuple(one for one in house.said["instagram"] if one.kind != "hashtag")
        assert {source for source, run in again.items() if run.changed == 1} >= set(ASKED_DAILY) - {"linkedin"}
        played(house, acts)
        assert house.found() == house.standing()
        assert sum("Mended now" in one.mention.text for one in house.stored) == len(ASKED_DAILY) - 1

        house.hands.now = DIGEST + timedelta(minutes=1)
        with house.place.store.read() as connection:
            material = gather(house.place, connection, window_for(house.place, DIGEST))
        view = build(material)
        house.job("daily")
        digest = house.digest()

        total = sum(house.standing().values())
        assert total == EACH * len(KINDS) - len(ASKED_DAILY) - 1
        assert f"{total} new public mentions" in digest
        shown = [*(item.reference for item in view.items), *view.items_rest, *(case.reference for case in view.open)]
        assert max(Counter(shown).values()) == 1
        assert all(reference in digest for reference in shown)
        # the case of a post that went stays open, without its words
        stays = {case.reference for case in material.cases if case.mention_id in material.case_mentions}
        assert len(stays.intersection(shown)) + len(view.stories) + len(view.stories_rest) == total
        assert "1 post edited at the source: judged again" in digest
        assert "1 post wiped: gone at the source" in digest
        assert len(house.box.to("owner@school.example", "daily")) == 1
        for source in KINDS:
            assert house.latest(source).outcome is Outcome.COMPLETE
            assert house.finding(source) is None
        _ledger_is_true(house)


def _ledger_is_true(house: Theatre) -> None:
    """Compare what the ledger says of sources with a cap with what their servers were asked for."""
    with house.place.store.read() as connection:
        spent = {source: runs.spent(connection, source, SATURDAY) for source in ("youtube", "x", "threads")}
    tube = house.stands["youtube"].server
    assert spent["youtube"].calls == tube.count(youtube.SEARCH)
    assert spent["youtube"].units == tube.count(youtube.READING) - tube.count(youtube.SEARCH)
    assert spent["x"].pence == pytest.approx(spent["x"].units * 0.4)
    assert 0 < spent["x"].calls <= house.stands["x"].server.count("*")
    assert 0 < spent["threads"].calls <= house.stands["threads"].server.count("*")
    policy = house.place.policy.sources
    assert spent["x"].pence <= policy["x"].monthly_pence


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that goes wrong at one source, and how people must be told.

    Attributes:
        source, act: what is played where.
        digest: words of the digest. doctor, cure: words of `doctor`: what it saw, and what a person must do.
        state: how bad `doctor` finds it.
    """

    source: str
    act: Act
    digest: str
    doctor: str
    cure: tuple[str, ...]
    state: State = State.WRONG


TROUBLES: Final = {
    "bad credentials": Trouble(
        source="youtube",
        act=always(youtube.wrong_key(youtube.YouTube().key), "access_refused"),
        digest="it no longer lets us in (Google does not accept the API key)",
        doctor="Google does not accept the API key",
        cure=("MONITOR_YOUTUBE_API_KEY", "renew"),
    ),
    "revoked approval": Trouble(
        source="x",
        act=always(x.not_enrolled(), "access_refused", x.SEARCH),
        digest="it no longer lets us in (127.0.0.1 refuses us (403))",
        doctor="refuses us (403)",
        cure=(
            "ask whether the approval still stands (Agreement 7 of 1 October 2026)",
            "enabled = false",
            "[sources.x]",
        ),
    ),
    "changed shape": Trouble(
        source="mastodon",
        act=always(error_page(), "unexpected_shape", mastodon.TAGS),
        digest="it answers in a way that the monitor does not know",
        doctor="does not know",
        cure=("newer version of the monitor",),
    ),
    "exhausted quota": Trouble(
        source="youtube",
        act=always(youtube.quota_spent(), "rate_limited", youtube.SEARCH),
        digest="it asked us to wait (Google's quota of the day is spent)",
        doctor="quota of the day is spent",
        cure=("wait; it is read again by itself",),
        state=State.NOTE,
    ),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_what_goes_wrong_at_a_source_is_told_to_those_who_can_mend_it(tmp_path: Path, trouble: Trouble) -> None:
    """The run is recorded, the others go on, the digest says it in plain words, and `doctor` says what to do.

    X speaks in its new names here.
    """
    with theatre(tmp_path, "post") as house:
        assert all(run.outcome is Outcome.COMPLETE for run in house.job("collect"))
        assert house.found() == house.standing()
        house.hands.now = DIGEST - timedelta(minutes=30)
        house.stands[trouble.source].server.play(trouble.act.fault(house.hands.now), at=trouble.act.at)
        done = {run.source: run for run in house.job("collect")}
        house.hands.now = DIGEST
        house.job("daily")
        found = house.finding(trouble.source)
        others = [house.finding(source) for source in KINDS if source != trouble.source]
        digest = house.digest()

    assert done.keys() == set(KINDS)
    run = done.pop(trouble.source)
    assert (run.outcome is Outcome.COMPLETE, run.error_kind) == (False, trouble.act.kind)
    assert all(other.outcome is Outcome.COMPLETE for other in done.values())
    assert trouble.digest in digest
    assert "NOT SEEN" in digest.upper()
    assert found is not None
    assert found.state is trouble.state
    assert found.seen.startswith(Sight.BEHIND)
    assert trouble.doctor in found.seen
    assert all(words in found.cure for words in trouble.cure)
    assert others == [None] * len(others)


def test_our_own_cap_stops_a_source_before_it_is_passed_and_is_told_as_such(tmp_path: Path) -> None:
    """X has money for one more page: it is read as far as that goes, the rest waits for the next month."""
    with theatre(tmp_path) as house:
        house.job("collect")
        house.hands.now = DIGEST - timedelta(minutes=30)
        _spend_all_but(house, pence=3.9)
        (run,) = [run for run in house.job("collect") if run.source == "x"]
        house.hands.now = DIGEST
        house.job("daily")
        found = house.finding("x")
        digest = house.digest()

    assert (run.outcome, run.error_kind) == (Outcome.FAILED, "quota_spent")
    assert run.retry_at == datetime(2026, 12, 1, tzinfo=UTC)
    assert run.spent.calls == 0
    assert "our own limit for it is used up (what is left of this month's cap does not pay for another page)" in digest
    assert "next try" in digest
    assert found is not None
    assert (found.state, "sources.toml" in found.cure) == (State.NOTE, True)


def _spend_all_but(house: Theatre, *, pence: float) -> None:
    """Put a run into the ledger that leaves so much of X's money of the month."""
    last = house.latest("x")
    with house.place.store.write() as connection:
        left = house.place.policy.sources["x"].monthly_pence - runs.spent(connection, "x", SATURDAY).pence
        now = house.hands.now - timedelta(hours=1)
        cost = replace(last.spent, pence=left - pence)
        runs.add(connection, replace(last, started=now, ended=now, spent=cost))
