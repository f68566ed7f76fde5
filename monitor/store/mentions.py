"""Mentions and their judgements: taken in, given back, erased. Functions over an open connection."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from monitor.addresses import canonical
from monitor.records import (
    Judgement,
    Mention,
    Severity,
    StoredMention,
    as_plain,
)
from monitor.store import holds
from monitor.store.batches import batched
from monitor.store.numbers import fresh
from monitor.store.rows import stored_of
from monitor.store.schema import judgements, mentions, sightings, tombstones

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime, timedelta

    from monitor.records import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of the mentions of one run: not known before, known but edited, known and unchanged."""

    new: int = 0
    changed: int = 0
    known: int = 0

    def __add__(self, other: Taken) -> Taken:
        return Taken(new=self.new + other.new, changed=self.changed + other.changed, known=self.known + other.known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A mention on its way in: masked, its handle already a keyed hash, `sha256` of what was captured."""

    mention: Mention
    author_key: str
    sha256: str


def take(connection: sa.Connection, arrivals: Iterable[Arrival], *, now: datetime, articles: frozenset[str]) -> Taken:
    """Store mentions: new ones once, known ones refreshed, edited ones to be judged again.

    Args:
        connection: inside a write.
        arrivals: any number; they are read in batches.
        now: first seen for new ones, last seen for all. Zone-aware.
        articles: names of sources whose mentions are one where their canonical URL is one.
    """
    total = Taken()
    for batch in _batches(arrivals):
        total += _take_batch(connection, batch, now, articles)
    return total


def _batches(arrivals: Iterable[Arrival]) -> Iterator[tuple[Arrival, ...]]:
    """Give batches in which each (source, native id, channel) stands once, the last one winning."""
    for chunk in batched(arrivals):
        yield tuple({(a.mention.source, a.mention.native_id, a.mention.channel): a for a in chunk}.values())


def _take_batch(connection: sa.Connection, batch: Sequence[Arrival], now: datetime, articles: frozenset[str]) -> Taken:
    """Store one batch."""
    erased = _erased(connection, batch, articles)
    by_id, by_url = _known(connection, batch, articles)
    numbers = fresh(connection)
    new = changed = known = 0
    met: set[str] = set()
    unchanged: set[int] = set()
    places: dict[tuple[int, str, str], str] = {}
    for arrival in batch:
        mention = arrival.mention
        address = _address(mention, articles)
        graves = erased.intersection(_graves(mention.source, mention.native_id, address))
        if graves:
            met |= graves
            continue
        found = by_id.get((mention.source, mention.native_id))
        if found is None and address:
            found = by_url.get(address)
        if found is None:
            number = _insert(connection, arrival, address, now, next(numbers))
            row = _Known(id=number, place=_place(mention, articles), sha256=arrival.sha256)
            by_id[mention.source, mention.native_id] = row
            if address:
                by_url[address] = row
            new += 1
        else:
            number = found.id
            # two feeds cut the same article differently: only the one it was taken from can show an edit
            edited = found.place == _place(mention, articles) and found.sha256 != arrival.sha256
            if edited:
                refresh(connection, number, arrival, now)
                by_id[mention.source, mention.native_id] = replace(found, sha256=arrival.sha256)
                changed += 1
            else:
                unchanged.add(number)
                known += 1
        places.setdefault((number, mention.source, mention.channel), mention.url)
    if met:
        connection.execute(sa.update(tombstones).where(tombstones.c.key.in_(met)).values(last_met=now))
    if unchanged:
        connection.execute(sa.update(mentions).where(mentions.c.id.in_(unchanged)).values(last_seen=now))
    _sight(connection, places, now)
    return Taken(new=new, changed=changed, known=known)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is needed of a mention that is already here."""

    id: int
    place: tuple[str, ...]
    sha256: str


def _place(post: Any, articles: frozenset[str]) -> tuple[str, ...]:  # noqa: ANN401 - a mention, or a row of one
    """Return where a post's words were taken from: for an article its feed as well."""
    return (post.source, post.native_id, post.channel if post.source in articles else "")


def _known(
    connection: sa.Connection, batch: Sequence[Arrival], articles: frozenset[str]
) -> tuple[dict[tuple[str, str], _Known], dict[str, _Known]]:
    """Return what is here already, by key and, for articles, by canonical URL."""
    columns = (mentions.c.id, mentions.c.source, mentions.c.native_id, mentions.c.channel, mentions.c.sha256)
    keys = [(a.mention.source, a.mention.native_id) for a in batch]
    rows = connection.execute(sa.select(*columns).where(sa.tuple_(mentions.c.source, mentions.c.native_id).in_(keys)))
    by_id = {
        (row.source, row.native_id): _Known(id=row.id, place=_place(row, articles), sha256=row.sha256) for row in rows
    }
    addresses = {_address(a.mention, articles) for a in batch} - {""}
    if not addresses:
        return by_id, {}
    rows = connection.execute(
        sa.select(*columns, mentions.c.canonical_url).where(mentions.c.canonical_url.in_(addresses))
    )
    by_url = {row.canonical_url: _Known(id=row.id, place=_place(row, articles), sha256=row.sha256) for row in rows}
    return by_id, by_url


def _erased(connection: sa.Connection, batch: Sequence[Arrival], articles: frozenset[str]) -> set[str]:
    """Return the tombstones that forbid some of the batch."""
    keys = {key for a in batch for key in _graves(a.mention.source, a.mention.native_id, _address(a.mention, articles))}
    return set(connection.scalars(sa.select(tombstones.c.key).where(tombstones.c.key.in_(keys))))


def _address(mention: Mention, articles: frozenset[str]) -> str:
    """Return the canonical address of an article, "" for other posts: two of them may share a link."""
    return canonical(mention.url) if mention.source in articles else ""


def _graves(source: str, native_id: str, address: str) -> tuple[str, ...]:
    """Return the tombstones that would forbid a mention: its own, and an article's through any feed."""
    own = tombstone(source, native_id)
    return (own, tombstone("", address)) if address else (own,)


def tombstone(source: str, native_id: str) -> str:
    """Return the key under which an erased post is remembered: a hash of its id, nothing of its content.

    Articles are remembered by their canonical address as well, under the source "".
    """
    return hashlib.sha256(f"{source}\0{native_id}".encode("utf-8", "surrogatepass")).hexdigest()


_INSERT: Final = sa.insert(mentions)


def _insert(connection: sa.Connection, arrival: Arrival, address: str, now: datetime, number: int | None) -> int:
    """Insert a mention, under a number if one is given, and return its number."""
    mention = arrival.mention
    # as parameters of one statement: to build it anew for each row would cost more than the database does
    values = {
        **({} if number is None else {"id": number}),
        "source": mention.source,
        "native_id": mention.native_id,
        "url": mention.url,
        "canonical_url": address,
        "title": mention.title,
        "text": mention.text,
        "community": mention.community,
        "channel": mention.channel,
        "author_key": arrival.author_key,
        "language": mention.language,
        "in_reply_to": mention.in_reply_to,
        "repost_of": mention.repost_of,
        "published": mention.published,
        "edited": mention.edited,
        "first_seen": now,
        "last_seen": now,
        "sha256": arrival.sha256,
    }
    result = connection.execute(_INSERT, values)
    key = result.inserted_primary_key
    assert key is not None  # noqa: S101 - an INSERT of one row has one key
    return int(key[0])


def refresh(connection: sa.Connection, number: int, edited: Arrival | None, now: datetime) -> None:
    """Note that a mention was seen again; take an edit over and have it judged again, unless it is held (PR08)."""
    values: dict[str, Any] = {"last_seen": now}
    if edited is not None and not holds.held(connection, [number], now):
        mention = edited.mention
        values |= {
            "title": mention.title,
            "text": mention.text,
            "edited": mention.edited or now,
            "sha256": edited.sha256,
            "judged_under": None,
        }
        connection.execute(sa.delete(judgements).where(judgements.c.mention_id == number))
    connection.execute(sa.update(mentions).where(mentions.c.id == number).values(**values))


def _sight(connection: sa.Connection, places: dict[tuple[int, str, str], str], now: datetime) -> None:
    """Note in which sources and channels a batch's mentions stood, and under which address; the first time counts.

    Args:
        connection: inside a write.
        places: (number, source, channel) -> address.
        now: zone-aware.
    """
    columns = (sightings.c.mention_id, sightings.c.source, sightings.c.channel)
    numbers = {number for number, _, _ in places}
    known = {tuple(row) for row in connection.execute(sa.select(*columns).where(columns[0].in_(numbers)))}
    rows = [
        {"mention_id": number, "source": source, "channel": channel, "url": url, "first_seen": now}
        for (number, source, channel), url in places.items()
        if (number, source, channel) not in known
    ]
    if rows:
        connection.execute(sa.insert(sightings), rows)


def pending(connection: sa.Connection, limit: int) -> tuple[StoredMention, ...]:
    """Return up to `limit` mentions that nobody judged yet, restricted ones left out; by when they were published.

    A search gives the newest first: an original is judged before its copies, and its story and case begin with it.
    """
    waiting = sa.and_(mentions.c.judged_under.is_(None), mentions.c.restricted_at.is_(None))
    rows = connection.execute(
        sa.select(mentions).where(waiting).order_by(mentions.c.published, mentions.c.id).limit(limit)
    ).all()
    return stored_of(connection, rows)


def still_pending(connection: sa.Connection, stored: Sequence[StoredMention]) -> frozenset[int]:
    """Return the numbers of those mentions that still wait to be judged, with the very words that these have."""
    words = {item.id: item.sha256 for item in stored}
    return frozenset(
        row.id
        for chunk in batched(sorted(words))
        for row in connection.execute(
            sa.select(mentions.c.id, mentions.c.sha256).where(
                mentions.c.id.in_(chunk), mentions.c.judged_under.is_(None)
            )
        )
        if row.sha256 == words[row.id]
    )


def strays(connection: sa.Connection, *, after: int, window: Window, now: datetime) -> tuple[StoredMention, ...]:
    """Return the mentions numbered after one that `window` (its end past) misses and no later window will have.

    Their dates are older than the window, or lie after now: the clock was wrong when they came.
    """
    rows = connection.execute(
        sa.select(mentions)
        .where(mentions.c.id > after, sa.or_(mentions.c.first_seen < window.start, mentions.c.first_seen > now))
        .order_by(mentions.c.id)
    ).all()
    return stored_of(connection, rows)


def record(connection: sa.Connection, judged: Iterable[tuple[int, Judgement]], *, now: datetime) -> None:
    """Store judgements, (mention number, judgement), as the current ones."""
    for number, judgement in judged:
        connection.execute(
            sa.delete(judgements).where(
                judgements.c.mention_id == number,
                judgements.c.policy_version == judgement.policy_version,
            )
        )
        connection.execute(
            sa.insert(judgements).values(
                mention_id=number,
                policy_version=judgement.policy_version,
                judged_at=now,
                relevant=judgement.relevant.value,
                schools=list(judgement.schools),
                sentiment=judgement.sentiment.value if judgement.sentiment else None,
                sentiment_score=judgement.sentiment_score,
                sentiment_sure=judgement.sentiment_sure,
                category=judgement.category,
                also=list(judgement.also),
                severity=judgement.severity.value if judgement.severity else None,
                owner=judgement.owner,
                clauses=list(judgement.clauses),
                reasons=as_plain(judgement.reasons),
            )
        )
        connection.execute(
            sa.update(mentions).where(mentions.c.id == number).values(judged_under=judgement.policy_version)
        )


def blank(connection: sa.Connection, numbers: Sequence[int]) -> None:
    """Take the words of mentions out, where no more than id and link may be kept, or needs to be (PR21)."""
    for chunk in batched(numbers):
        connection.execute(sa.update(mentions).where(mentions.c.id.in_(chunk)).values(text="", title=""))


def with_words(connection: sa.Connection, source: str, severity: Severity, window: Window) -> int:
    """Return how many mentions of a source, first seen in `window` and judged `severity`, are kept with their words."""
    current = sa.and_(judgements.c.mention_id == mentions.c.id, judgements.c.policy_version == mentions.c.judged_under)
    found = connection.scalar(
        sa.select(sa.func.count())
        .select_from(mentions.join(judgements, current))
        .where(
            mentions.c.first_seen >= window.start,
            mentions.c.first_seen < window.end,
            mentions.c.source == source,
            judgements.c.severity == severity.value,
            sa.or_(mentions.c.text != "", mentions.c.title != ""),
        )
    )
    return int(found or 0)


def between(connection: sa.Connection, window: Window, *, limit: int = 10_000) -> tuple[StoredMention, ...]:
    """Return the mentions first seen in `window`, oldest first, with their current judgements."""
    rows = connection.execute(
        sa.select(mentions)
        .where(mentions.c.first_seen >= window.start, mentions.c.first_seen < window.end)
        .order_by(mentions.c.first_seen, mentions.c.id)
        .limit(limit)
    ).all()
    return stored_of(connection, rows)


def by_number(
    connection: sa.Connection, numbers: Sequence[int], *, restricted_too: bool = False
) -> dict[int, StoredMention]:
    """Return mentions by their numbers; those that were erased are missing.

    With `restricted_too` restricted ones have their words: for the poster's own request, and to take them out.
    """
    out: dict[int, StoredMention] = {}
    for chunk in batched(numbers):
        rows = connection.execute(sa.select(mentions).where(mentions.c.id.in_(chunk))).all()
        out |= {stored.id: stored for stored in stored_of(connection, rows, restricted_too=restricted_too)}
    return out


def counts(connection: sa.Connection, windows: Sequence[Window]) -> tuple[int, ...]:
    """Return how many mentions were first seen in each window; an index answers, whatever the history."""
    return tuple(
        connection.scalar(
            sa.select(sa.func.count())
            .select_from(mentions)
            .where(mentions.c.first_seen >= window.start, mentions.c.first_seen < window.end)
        )
        or 0
        for window in windows
    )


def counts_by_source(connection: sa.Connection, window: Window) -> dict[str, int]:
    """Return how many mentions of each source were first seen in `window`."""
    rows = connection.execute(
        sa.select(mentions.c.source, sa.func.count())
        .where(mentions.c.first_seen >= window.start, mentions.c.first_seen < window.end)
        .group_by(mentions.c.source)
    )
    return {row[0]: row[1] for row in rows}


def numbers_of(connection: sa.Connection, keys: Sequence[tuple[str, str]]) -> tuple[int, ...]:
    """Return the numbers of the mentions with these (source, native id) keys; unknown keys are left out."""
    found: list[int] = []
    for chunk in batched(keys):
        found += connection.scalars(
            sa.select(mentions.c.id).where(sa.tuple_(mentions.c.source, mentions.c.native_id).in_(chunk))
        )
    return tuple(found)


def erase(connection: sa.Connection, numbers: Sequence[int], *, now: datetime, why: str, forget: frozenset[str]) -> int:
    """Wipe mentions with their judgements and sightings; return how many.

    A tombstone keeps them from coming back, except for the sources in `forget`, of which nothing may stay.
    """
    erased = 0
    for chunk in batched(numbers):
        rows = connection.execute(
            sa.select(mentions.c.source, mentions.c.native_id, mentions.c.canonical_url).where(mentions.c.id.in_(chunk))
        ).all()
        graves = {
            key: {"key": key, "source": source, "at": now, "why": why}
            for row in rows
            if row.source not in forget
            # an article's second tombstone has no source: it is one post that went
            for key, source in zip(
                _graves(row.source, row.native_id, row.canonical_url), (row.source, ""), strict=False
            )
        }
        if graves:
            connection.execute(sa.delete(tombstones).where(tombstones.c.key.in_(graves)))
            connection.execute(sa.insert(tombstones), list(graves.values()))
        erased += connection.execute(sa.delete(mentions).where(mentions.c.id.in_(chunk))).rowcount
    return erased


def forget_tombstones(connection: sa.Connection, *, before: datetime) -> None:
    """Drop the tombstones that kept nothing out since a moment: what they stand for comes no more."""
    met = sa.func.coalesce(tombstones.c.last_met, tombstones.c.at)
    connection.execute(sa.delete(tombstones).where(met < before))


def expired(
    connection: sa.Connection,
    *,
    now: datetime,
    by_severity: dict[Severity, timedelta],
    by_source: dict[str, timedelta],
) -> tuple[int, ...]:
    """Return the numbers of mentions whose time is over: by severity, or sooner by their source's terms.

    What was judged not to be about our schools goes at once (PR07); what nobody judged, after the longest
    time.
    """
    judged = mentions.c.judged_under.is_not(None)
    age = [
        sa.and_(judged, judgements.c.severity.is_(None)),
        sa.and_(~judged, mentions.c.first_seen < now - max(by_severity.values())),
    ]
    age += [
        sa.and_(judgements.c.severity == severity.value, mentions.c.first_seen < now - kept)
        for severity, kept in by_severity.items()
    ]
    age += [
        sa.and_(mentions.c.source == source, mentions.c.first_seen < now - kept) for source, kept in by_source.items()
    ]
    current = sa.and_(judgements.c.mention_id == mentions.c.id, judgements.c.policy_version == mentions.c.judged_under)
    return tuple(
        connection.scalars(
            sa.select(mentions.c.id).select_from(mentions.outerjoin(judgements, current)).where(sa.or_(*age))
        )
    )


def restrict(connection: sa.Connection, numbers: Sequence[int], *, at: datetime | None) -> int:
    """Keep words from being used from a moment on, or let them be used again (None); return of how many posts."""
    changed = 0
    for chunk in batched(numbers):
        waiting = mentions.c.restricted_at.is_(None) if at else mentions.c.restricted_at.is_not(None)
        changed += connection.execute(
            sa.update(mentions).where(mentions.c.id.in_(chunk), waiting).values(restricted_at=at)
        ).rowcount
    return changed
