"""Rows of mentions as records: the one place in which a post comes out of the store, and restricted ones lose words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from monitor.records import Judgement, Mention, Reason, Relevance, Sentiment, Severity, StoredMention
from monitor.store.batches import batched
from monitor.store.schema import judgements, sightings

if TYPE_CHECKING:
    from collections.abc import Sequence


def stored_of(
    connection: sa.Connection, rows: Sequence[Any], *, restricted_too: bool = False
) -> tuple[StoredMention, ...]:
    """Turn rows of `mentions` into records, with judgements and further places, in the rows' order.

    Here, where every reader gets its posts, restricted ones lose their words and addresses (UK GDPR Art 18).
    """
    found = _whole(connection, rows)
    closed = set() if restricted_too else {row.id for row in rows if row.restricted_at}
    return tuple(_wordless(stored) if stored.id in closed else stored for stored in found)


def _wordless(stored: StoredMention) -> StoredMention:
    """Return a mention without words and addresses, its reasons without what they quote."""
    judgement = stored.judgement
    if judgement:
        silent = tuple(replace(reason, start=0, end=0, text="") for reason in judgement.reasons)
        judgement = replace(judgement, reasons=silent)
    mention = replace(stored.mention, text="", title="", url="")
    return replace(stored, mention=mention, judgement=judgement, also_in=())


def _whole(connection: sa.Connection, rows: Sequence[Any]) -> tuple[StoredMention, ...]:
    """Turn rows of `mentions` into records with all they have."""
    numbers = [row.id for row in rows]
    judged: dict[int, Judgement] = {}
    places: dict[int, list[tuple[str, str, str]]] = {}
    versions = {row.id: row.judged_under for row in rows}
    for chunk in batched(numbers):
        for row in connection.execute(sa.select(judgements).where(judgements.c.mention_id.in_(chunk))):
            if row.policy_version == versions[row.mention_id]:
                judged[row.mention_id] = _judgement(row)
        for row in connection.execute(
            sa.select(sightings)
            .where(sightings.c.mention_id.in_(chunk))
            .order_by(sightings.c.first_seen, sightings.c.source, sightings.c.channel)
        ):
            places.setdefault(row.mention_id, []).append((row.source, row.channel, row.url))
    return tuple(
        StoredMention(
            id=row.id,
            mention=Mention(
                source=row.source,
                native_id=row.native_id,
                url=row.url,
                text=row.text,
                published=row.published,
                title=row.title,
                community=row.community,
                channel=row.channel,
                language=row.language,
                in_reply_to=row.in_reply_to,
                repost_of=row.repost_of,
                edited=row.edited,
            ),
            author_key=row.author_key,
            first_seen=row.first_seen,
            last_seen=row.last_seen,
            sha256=row.sha256,
            also_in=tuple(p for p in places.get(row.id, []) if p[:2] != (row.source, row.channel)),
            story=row.story or row.id,
            story_began=row.story_began,
            judgement=judged.get(row.id),
        )
        for row in rows
    )


def _judgement(row: Any) -> Judgement:  # noqa: ANN401 - a database row
    """Turn a row of `judgements` into a record."""
    return Judgement(
        relevant=Relevance(row.relevant),
        schools=tuple(row.schools),
        sentiment=Sentiment(row.sentiment) if row.sentiment else None,
        sentiment_score=row.sentiment_score,
        sentiment_sure=row.sentiment_sure,
        category=row.category,
        also=tuple(row.also),
        severity=Severity(row.severity) if row.severity else None,
        owner=row.owner,
        clauses=tuple(row.clauses),
        reasons=tuple(Reason(**reason) for reason in row.reasons),
        policy_version=row.policy_version,
    )
