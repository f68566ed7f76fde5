"""What a person may ask about themselves: the one place where posts are found by whose they are.

A person who asks gives a URL or their own handle; the handle is hashed at once and compared with the hashes
whose keys still exist (PR16). Nothing here lists, counts or ranks people, and no report or job may import it but
`monitor.jobs.rights`; a test holds that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from monitor.addresses import canonical
from monitor.store import mentions as stored_mentions
from monitor.store.schema import mentions, objections

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from monitor.records import StoredMention


def by_address(connection: sa.Connection, url: str) -> tuple[StoredMention, ...]:
    """Return the mentions that stand at a web address."""
    numbers = connection.scalars(
        sa.select(mentions.c.id).where(sa.or_(mentions.c.canonical_url == canonical(url), mentions.c.url == url))
    ).all()
    return tuple(stored_mentions.by_number(connection, numbers, restricted_too=True).values())


def by_own_keys(connection: sa.Connection, keys: Sequence[str]) -> tuple[StoredMention, ...]:
    """Return the mentions whose handle has one of these hashes: the requester's own. No hash finds nothing."""
    if not keys:
        return ()
    numbers = connection.scalars(sa.select(mentions.c.id).where(mentions.c.author_key.in_(keys))).all()
    return tuple(stored_mentions.by_number(connection, numbers, restricted_too=True).values())


def object_to(connection: sa.Connection, key: str, *, at: datetime) -> bool:
    """Remember that the bearer of a handle objects to being read; return False if that was known."""
    if is_objected(connection, frozenset({key})):
        return False
    connection.execute(sa.insert(objections).values(key=key, at=at))
    return True


def is_objected(connection: sa.Connection, keys: frozenset[str]) -> frozenset[str]:
    """Return those of `keys` whose bearers object."""
    return frozenset(connection.scalars(sa.select(objections.c.key).where(objections.c.key.in_(sorted(keys)))))
