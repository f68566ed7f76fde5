"""Read the sources: each yields, the gate drops what is not about our schools, the store takes the rest.

Mentions, bookmarks and the `Run` go into the store in one transaction, bookmarks last. While a source is
being read nothing is locked: what passes the gate waits in a spool that grows onto disk, so memory stays
flat with the number of posts. A source that fails is recorded as failed, and the others go on.
"""

from __future__ import annotations

import pickle
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from analysis.matching import Gate, Post
from analysis.pipeline import gated, second_look
from monitor.errors import ConfigError, SourceError, StoreError
from monitor.jobs import canary
from monitor.jobs.erasing import erase
from monitor.jobs.sources import Standing, allowance, make_collector, standings
from monitor.jobs.spending import booked
from monitor.masking import masked
from monitor.names import MASK, STAND_IN
from monitor.records import (
    Ask,
    Bookmark,
    Gone,
    Malformed,
    Mention,
    Outcome,
    Relevance,
    Run,
    Spent,
    Window,
)
from monitor.store import canaries, mentions, rights, runs
from monitor.store.clock import AHEAD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from typing import IO

    import sqlalchemy as sa

    from monitor.jobs.workplace import Workplace
    from monitor.records import Yielded

OVERLAP: Final = timedelta(hours=2)
"""Windows overlap: what a source showed late is still found, and upserts keep it from counting twice."""

POSTS_PER_PASS: Final = 256
SPOOL_BYTES: Final = 2_000_000
LONGEST_TEXT: Final = 20_000
"""Characters of a post that are kept; a public post of our schools' size fits many times over."""
LONGEST_TITLE: Final = 500
LONGEST_NAME: Final = 200


@dataclass(slots=True)
class _Tally:
    """What a run has met so far."""

    seen: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    malformed: Counter[str] = field(default_factory=Counter)
    spent: Spent = field(default_factory=Spent)
    bookmarks: list[Bookmark] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)
    canaries: list[datetime] = field(default_factory=list)


def collect(
    place: Workplace,
    *,
    only: frozenset[str] | None = None,
    due_only: bool = False,
    progress: Callable[[str, Run | None], None] = lambda _source, _run: None,
) -> tuple[Run, ...]:
    """Read every source that is on, one after the other, and return what came of it.

    Args:
        place: the workplace.
        only: names of sources to read; all that are on by default.
        due_only: leave out sources whose interval, or a wait they asked for, is not over yet.
        progress: is called with (source, None) before and (source, run) after each.

    Raises:
        ConfigError: live collection is not allowed (no DPIA, or its review is overdue), or `only` names a
            source that is off.
        ExceptionGroup: a collector has a fault of its own; every other source was read first.
    """
    require_dpia(place)
    gate = Gate(place.policy.schools)
    done: list[Run] = []
    faults: list[Exception] = []
    for standing in _wanted(place, only, due_only=due_only):
        progress(standing.source, None)
        try:
            run = _read(place, standing, gate)
        except StoreError:
            raise  # no source's fault, and none of the others could be stored either
        except Exception as fault:  # noqa: BLE001 - recorded in the store by _read; raised again below
            faults.append(fault)
            continue
        done.append(run)
        progress(standing.source, run)
    if faults:
        raise ExceptionGroup("collectors with a fault of their own", faults)
    return tuple(done)


def require_dpia(place: Workplace) -> None:
    """Refuse live collection without a signed and current Data Protection Impact Assessment (PR10, PR29).

    Raises:
        ConfigError: it is missing, or its review date has passed.
    """
    dpia = place.settings.privacy.dpia
    if dpia is None:
        raise ConfigError(
            "collection needs a signed Data Protection Impact Assessment",
            file=place.settings.file,
            key="privacy.dpia",
            cure="add [privacy.dpia] with reference, owner, signed and review_due",
        )
    if overdue := why_stopped(place):
        raise ConfigError(
            overdue,
            file=place.settings.file,
            key="privacy.dpia.review_due",
            cure="review it with the Data Protection Officer and enter the new date",
        )


def why_stopped(place: Workplace) -> str:
    """Return why live collection has stopped, in a sentence for a report; "" if it has not (PR29)."""
    dpia = place.settings.privacy.dpia
    if dpia is None or place.clock().date() <= dpia.review_due:
        return ""
    return (
        f"the Data Protection Impact Assessment {dpia.reference} was due for review on "
        f"{dpia.review_due:%d %B %Y}: collection has stopped"
    )


def _wanted(place: Workplace, only: frozenset[str] | None, *, due_only: bool) -> Iterator[Standing]:
    """Give the sources to read.

    Raises:
        ConfigError: a source that was named is off or not known.
    """
    known = {standing.source: standing for standing in standings(place)}
    for name in only or ():
        if name not in known:
            raise ConfigError(f"there is no source {name!r}", cure=f"known sources: {', '.join(known)}")
        if not known[name].on:
            raise ConfigError(f"the source {name!r} is off: {known[name].why}", cure="see: doctor")
    now = place.clock()
    for standing in known.values():
        if not standing.on or (only and standing.source not in only):
            continue
        if due_only:
            with place.store.read() as connection:
                last = runs.latest(connection, standing.source, before=now + AHEAD)
                waits = runs.waits_until(connection, standing.source)
            # a minute of grace, so that a quarter-hourly clock does not skip every other turn
            if (last and now < last.started + standing.every - timedelta(minutes=1)) or (waits and now < waits):
                continue
        yield standing


def _read(place: Workplace, standing: Standing, gate: Gate) -> Run:
    """Read one source and store what came; a fault of the collector's own is recorded and raised."""
    source, started = standing.source, place.clock()
    tally = _Tally()
    with place.store.read() as connection:
        last = runs.latest_complete(connection, source, before=started + AHEAD)
        bookmarks = runs.bookmarks_of(connection, source)
    backfill = started - timedelta(days=place.settings.reading.backfill_days)
    start = max(backfill, last.window.end - OVERLAP) if last else backfill
    run = Run(
        source=source,
        started=started,
        ended=started,
        window=Window(start=min(start, started), end=started),
        outcome=Outcome.COMPLETE,
    )
    with _spool() as spool:
        try:
            with place.store.read() as connection:
                left = allowance(connection, standing, started)
            ask = Ask(
                window=run.window,
                phrases=place.policy.schools.phrases,
                tags=place.policy.schools.tags,
                bookmarks=bookmarks,
                allowance=left,
            )
            yielded = make_collector(place, standing).collect(ask)
            _drain(place, standing, gate, yielded if left is None else booked(place, run, yielded), tally, spool)
        except StoreError:
            raise  # no source's fault; what was booked stands, and the next run reads the window again
        except SourceError as error:
            run = replace(
                run,
                outcome=Outcome.PARTIAL if tally.seen else Outcome.FAILED,
                error_kind=error.kind,
                error=error.problem,
                retry_at=getattr(error, "retry_at", None),
            )
        except Exception as fault:
            failed = replace(
                run,
                outcome=Outcome.FAILED,
                error_kind="fault",
                error=f"a fault in the collector ({type(fault).__name__})",
            )
            _store(place, standing, failed, tally, spool)
            raise
        return _store(place, standing, run, tally, spool)


def _drain(
    place: Workplace,
    standing: Standing,
    gate: Gate,
    yielded: Iterable[Yielded],
    tally: _Tally,
    spool: IO[bytes],
) -> None:
    """Take what a collector yields to its end, gate its mentions in batches, and spool what is ours."""

    def ours() -> Iterator[Mention]:
        for item in yielded:
            match item:
                case Mention():
                    tally.seen += 1
                    yield item
                case Malformed(reason=reason):
                    tally.malformed[reason] += 1
                case Bookmark():
                    tally.bookmarks.append(item)
                case Spent():
                    tally.spent += item
                case Gone():
                    tally.gone.append(item)

    waiting: list[Mention] = []
    try:
        for mention in ours():
            waiting.append(mention)
            if len(waiting) == POSTS_PER_PASS:
                _gate(place, standing, gate, waiting, tally, spool)
                waiting.clear()
    finally:
        # what was read before a source failed is kept
        _gate(place, standing, gate, waiting, tally, spool)


def _gate(
    place: Workplace,
    standing: Standing,
    gate: Gate,
    waiting: list[Mention],
    tally: _Tally,
    spool: IO[bytes],
) -> None:
    """Drop what is not about our schools, counted with its reason; spool the rest, masked."""
    waiting = _canaries_aside(place, standing, _not_objected(place, waiting, tally), tally)
    decisions = gated(gate, [post_of(mention) for mention in waiting])
    doubtful = [number for number, decision in enumerate(decisions) if decision.doubtful]
    if doubtful:
        posts = [as_judged(arrival_of(place, waiting[number]).mention) for number in doubtful]
        first = [decisions[number] for number in doubtful]
        for number, again in zip(doubtful, second_look(posts, first, place.judges), strict=True):
            decisions[number] = again
    for mention, decision in zip(waiting, decisions, strict=True):
        if decision.relevant is Relevance.NO and standing.policy.kind != "manual":
            tally.dropped[decision.drop_reason] += 1
            continue
        pickle.dump(arrival_of(place, mention), spool)


def _not_objected(place: Workplace, waiting: list[Mention], tally: _Tally) -> list[Mention]:
    """Drop, counted, the posts of people who objected to being read (PR16)."""
    keys = [place.handles.lasting(mention.source, mention.author) for mention in waiting]
    with place.store.read() as connection:
        objected = rights.is_objected(connection, frozenset(keys) - {""})
    if objected:
        tally.dropped["the poster objected"] += sum(key in objected for key in keys)
    return [mention for mention, key in zip(waiting, keys, strict=True) if key not in objected]


def _canaries_aside(place: Workplace, standing: Standing, waiting: list[Mention], tally: _Tally) -> list[Mention]:
    """Note the planted posts of our own, and set aside, counted, those on which nobody has to act."""
    marked = [mention for mention in waiting if canary.carries(standing, mention)]
    if not marked:
        return waiting
    tally.canaries += [mention.published for mention in marked]
    judged = canary.harmless(place, [post_of(mention) for mention in marked])
    aside = {mention.native_id for mention, is_harmless in zip(marked, judged, strict=True) if is_harmless}
    tally.dropped.update([canary.SET_ASIDE] * len(aside))
    return [mention for mention in waiting if mention.native_id not in aside]


def post_of(mention: Mention) -> Post:
    """Return what the gate reads of a mention.

    Its channel is left out: a search for "KJS Knaresborough" must not make the town of what it found.
    """
    return Post(
        text=mention.text,
        title=mention.title,
        source=mention.source,
        community=mention.community,
        url=mention.url,
    )


def as_judged(mention: Mention) -> Post:
    """Return what is judged of a mention as the store has it: a common name in the place of each masked one."""
    post = post_of(mention)
    return replace(post, text=post.text.replace(MASK, STAND_IN), title=post.title.replace(MASK, STAND_IN))


def arrival_of(place: Workplace, mention: Mention, *, words: bool = True) -> mentions.Arrival:
    """Return a mention as the store may have it: masked, its handle a keyed hash, without raw bytes.

    Without `words` its text and title stay behind. A source whose terms forbid keeping them has them all the same
    until it is judged, in the same job (see `monitor.jobs.judge`): a threat must not pass unread.
    """
    keep = place.left_alone
    return mentions.Arrival(
        mention=replace(
            mention,
            author="",
            raw=b"",
            native_id=storable(mention.native_id),
            url=storable(mention.url),
            text=masked(storable(mention.text[:LONGEST_TEXT]), keep) if words else "",
            title=masked(storable(mention.title[:LONGEST_TITLE]), keep) if words else "",
            community=storable(mention.community[:LONGEST_NAME]),
            channel=storable(mention.channel[:LONGEST_NAME]),
            language=storable(mention.language),
            in_reply_to=storable(mention.in_reply_to) if mention.in_reply_to else None,
            repost_of=storable(mention.repost_of) if mention.repost_of else None,
        ),
        author_key=place.handles.key(mention.source, mention.author, place.clock()),
        sha256=mention.sha256,
    )


def storable(text: str) -> str:
    """Return `text` without what no database takes: NUL and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _store(place: Workplace, standing: Standing, run: Run, tally: _Tally, spool: IO[bytes]) -> Run:
    """Write everything a run brought in one transaction, bookmarks last."""
    articles = frozenset(name for name in place.policy.sources.names if place.policy.sources[name].kind == "article")
    spool.seek(0)
    with place.store.write() as connection:
        # only now: whoever waited here for the digest's writer must not date a post before that digest
        now = place.clock()
        taken = mentions.take(connection, _spooled(spool), now=now, articles=articles)
        gone = wipe(place, connection, tally.gone)
        canaries.note(connection, standing.source, tally.canaries, now=now)
        run = replace(
            run,
            ended=now,
            seen=tally.seen,
            new=taken.new,
            changed=taken.changed,
            gone=gone,
            dropped=dict(sorted(tally.dropped.items())),
            malformed=dict(sorted(tally.malformed.items())),
            spent=tally.spent,
        )
        runs.add(connection, run)
        if run.outcome is Outcome.COMPLETE:
            runs.keep_bookmarks(connection, standing.source, tally.bookmarks)
    return run


def wipe(place: Workplace, connection: sa.Connection, gone: Sequence[Gone]) -> int:
    """Erase what a source says is gone; return how many mentions that were here."""
    numbers = mentions.numbers_of(connection, [(item.source, item.native_id) for item in gone])
    return erase(place, connection, numbers, why="gone at the source").count


@contextmanager
def _spool() -> Iterator[IO[bytes]]:
    """Give a file that stays in memory while it is small, and that nobody else can open."""
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
        yield spool


def _spooled(spool: IO[bytes]) -> Iterator[mentions.Arrival]:
    """Give back what was spooled; only this process wrote it."""
    while True:
        try:
            yield pickle.load(spool)  # noqa: S301 - our own anonymous file, written moments ago
        except EOFError:
            return
