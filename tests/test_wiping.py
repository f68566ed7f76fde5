"""What goes at its source goes here, in each vendor's own way: words, link, judgement, story, alerts and reports."""

from __future__ import annotations

import email
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import policy
from typing import TYPE_CHECKING, Final

import pytest
import sqlalchemy as sa

import collectors
from monitor.jobs.workplace import open_workplace
from monitor.policy.folder import FOLDER
from monitor.policy.sources import Sources
from monitor.records import Outcome, Purpose, Severity, Window
from monitor.rehearsal.everywhere import everywhere
from monitor.rehearsal.stands import KINDS, WAYS, Said
from monitor.settings import Secrets
from monitor.store import cases, mentions, runs
from monitor.store.schema import messages, metadata, tombstones
from tests.saying import sentence
from tests.test_main_job import Hands, post_office, run_job, settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monitor.jobs.workplace import Workplace
    from monitor.records import Case, StoredMention
    from monitor.rehearsal.stands import Stand
    from tests.test_main_job import Postbox

MONDAY: Final = datetime(2026, 11, 23, 7, 20, tzinfo=UTC)
FOREVER: Final = Window(start=MONDAY - timedelta(days=400), end=MONDAY + timedelta(days=400))
POLICIES: Final = Sources.read(FOLDER / "sources.toml")
UNCHECKABLE: Final = frozenset({("instagram", "hashtag")})
"""What cannot be asked for by id, and goes at the first re-check whether it stands or not."""
EDITED: Final = "the gates open at nine from now on"
every_source = pytest.mark.parametrize("source", WAYS)


@dataclass(slots=True, kw_only=True)
class Town:
    """One platform on which something stands in every kind, a post of each for every way in which it may go."""

    stand: Stand
    place: Workplace
    hands: Hands
    box: Postbox
    doomed: tuple[Said, ...]
    others: tuple[Said, ...]
    folder: Path

    @property
    def stored(self) -> dict[str, StoredMention]:
        """Everything in the store, by native id."""
        with self.place.store.read() as connection:
            return {one.mention.native_id: one for one in mentions.between(connection, FOREVER)}

    @property
    def cases(self) -> tuple[Case, ...]:
        """Every case."""
        with self.place.store.read() as connection:
            return cases.opened_in(connection, FOREVER)

    def rows(self) -> str:
        """Every row of every table as text, messages as people would read them."""
        with self.place.store.read() as connection:
            tables = [
                str(tuple(row)) for table in metadata.sorted_tables for row in connection.execute(sa.select(table))
            ]
            waiting = connection.scalars(sa.select(messages.c.content)).all()
        return "\n".join([*tables, *map(read, waiting)])

    def files(self) -> str:
        """Every file of the monitor as text, filed messages as people would read them; the database as it is."""
        found = [file for file in self.folder.rglob("*") if file.is_file()]
        return "\n".join(
            read(file.read_bytes()) if file.suffix == ".eml" else file.read_bytes().decode("latin-1") for file in found
        )


def read(content: bytes) -> str:
    """Return the words of a message."""
    message = email.message_from_bytes(content, policy=policy.default)
    return "\n".join(str(part.get_content()) for part in message.walk() if part.get_content_maintype() == "text")


def token(number: int) -> str:
    """Return a word that stands in one post and nowhere else."""
    return f"quillfeather{number:03d}x"


def threat(number: int) -> str:
    """Return a threat, whose words go into an alert at once."""
    return f"{token(number)} Boroughbridge High School: I will bring a knife tomorrow and stab him in the yard"


@pytest.fixture
def town(source: str, tmp_path: Path) -> Iterator[Town]:
    hands = Hands(MONDAY)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    kinds = [kind for kind in KINDS[source] if (source, kind) not in UNCHECKABLE]
    ends = [(kind, way) for kind in kinds for way in WAYS[source]]
    said = [
        Said(number=number, text=threat(number), at=MONDAY - timedelta(minutes=10 * number), kind=kind)
        for number, (kind, _) in enumerate(ends, start=1)
    ]
    others = [
        Said(number=number, text=sentence(number), at=MONDAY - timedelta(minutes=10 * number), kind=kinds[0])
        for number in (len(said) + 1, len(said) + 2)
    ]
    with everywhere(hands, inbox) as stands, post_office() as (box, port):
        stand = stands[source]
        stand.say([*said, *others])
        settings = settings_for(
            tmp_path / "house", port=port, sources={source: stand.table}, hosts=(stand.server.host,)
        )
        (tmp_path / "house").mkdir()
        with open_workplace(settings, secrets=Secrets(stand.secrets), clock=hands) as place:
            yield Town(
                stand=stand,
                place=place,
                hands=hands,
                box=box,
                doomed=tuple(replace(one, gone=way) for one, (_, way) in zip(said, ends, strict=True)),
                others=tuple(others),
                folder=tmp_path / "house",
            )


@every_source
def test_what_goes_at_its_source_leaves_no_word_behind(town: Town, source: str) -> None:
    """Planted, collected, judged, alerted, reported; taken down in every way the vendor knows; asked for again."""
    rules = POLICIES[source]
    town.box.refuses = "451 come back later"
    run_job(town.place, "collect")
    town.hands.forward(minutes=10)
    run_job(town.place, "daily")
    before = town.stored
    wiped = [before[town.stand.key(one)] for one in town.doomed]
    assert all(one.judgement and one.judgement.severity in {Severity.P0, Severity.P1} for one in wiped)
    opened = town.cases
    assert {case.mention_id for case in opened} & {one.id for one in wiped}
    tokens = [token(one.number) for one in town.doomed]
    rows = town.rows()
    assert [word in rows for word in tokens] == [rules.keep_text] * len(tokens)
    with town.place.store.read() as connection:
        alerts = connection.scalars(sa.select(messages.c.content).where(messages.c.kind == "alert")).all()
    assert alerts
    assert any(word in read(alert) for alert in alerts for word in tokens) == rules.keep_text

    changed, stays = town.others
    changed = replace(changed, text=f"Boroughbridge High School: {EDITED}", edited=town.hands.now)
    town.stand.say([*town.doomed, changed, stays])
    town.hands.forward(hours=rules.recheck_hours)
    run_job(town.place, "recheck")

    assert town.stored.keys() == {town.stand.key(one) for one in town.others}
    with town.place.store.read() as connection:
        run = runs.latest(connection, source, purpose=Purpose.RECHECK)
        stones = connection.scalar(
            sa.select(sa.func.count()).select_from(tombstones).where(tombstones.c.source == source)
        )
    assert run is not None
    assert (run.outcome, run.gone) == (Outcome.COMPLETE, len(wiped))
    assert stones == (0 if rules.on_deletion == "forget" else len(wiped))
    assert {case.reference for case in town.cases} == {case.reference for case in opened}

    traces = [*tokens, *(one.sha256 for one in wiped)]
    traces += [one.mention.url for one in wiped if one.mention.url]
    if rules.on_deletion == "forget":
        ids = [one.mention.native_id for one in wiped]
        traces += [*ids, *(mentions.tombstone(source, native_id) for native_id in ids)]
    left = town.rows()
    assert [trace for trace in traces if trace in left] == []
    town.place.store.close()
    files = town.files()
    assert [trace for trace in traces if trace in files] == []


@every_source
def test_what_went_does_not_come_back_and_what_was_edited_is_judged_again(town: Town, source: str) -> None:
    """The next reading finds nothing of it, even where the source's lists still do; the digest counts both."""
    rules = POLICIES[source]
    run_job(town.place, "collect")
    changed, stays = town.others
    before = town.stored[town.stand.key(changed)]
    changed = replace(changed, text=f"Boroughbridge High School: {EDITED}", edited=town.hands.now)
    town.stand.say([*town.doomed, changed, stays])
    town.hands.forward(hours=rules.recheck_hours)
    run_job(town.place, "recheck")
    run_job(town.place, "collect")
    town.hands.forward(minutes=10)
    run_job(town.place, "daily")

    (digest,) = town.box.to("owner@school.example", "daily")
    words = " ".join(read(digest.as_bytes()).split())
    gone = len(town.doomed)
    assert f"{gone} {'post' if gone == 1 else 'posts'} wiped: gone at the source" in words
    assert town.stored.keys() == {town.stand.key(one) for one in town.others}
    if rules.kind == "social" and rules.keep_text:
        after = town.stored[town.stand.key(changed)]
        assert EDITED in f"{after.mention.title} {after.mention.text}"
        assert (after.id, after.first_seen) == (before.id, before.first_seen)
        assert after.judgement is not None
        assert "1 post edited at the source: judged again" in words


def test_every_source_that_must_be_asked_again_is_among_these() -> None:
    """A source with `recheck_hours` says in monitor.rehearsal.stands in which ways a post of it goes."""
    assert {name for name in POLICIES.names if POLICIES[name].recheck_hours} == set(WAYS)
    assert set(WAYS) <= set(KINDS) <= set(collectors.names())
    assert not POLICIES["reported"].recheck_hours, "what people type in has no source that could be asked"
