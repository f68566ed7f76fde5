"""What a store and a postbox hold, as things that can be counted: what is missing, and what is there twice."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from monitor.store.schema import cases, judgements, mentions, objections, sent, sightings, tombstones

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks._town import Received

Thing = tuple[str, ...]
"""What it is, "mention", "case", "mail" or another kind, and then what makes it that one."""

_ADDRESS: Final = re.compile(r"https?://[^\s>)\"]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Everything there is, each with how often."""

    things: Counter[Thing]

    def missing(self, whole: Ledger, kind: str) -> int:
        """Return how many things of a kind are in `whole` and not here."""
        return sum(count for thing, count in (whole.things - self.things).items() if thing[0] == kind)

    def surplus(self, whole: Ledger, kind: str) -> int:
        """Return how many things of a kind are here more often than in `whole`."""
        return whole.missing(self, kind)

    def count(self, kind: str) -> int:
        """Return how many things of a kind there are."""
        return sum(count for thing, count in self.things.items() if thing[0] == kind)


def ledger(engine: sa.Engine, received: Iterable[Received]) -> Ledger:
    """Return what the store (of the newest migration) and the postbox hold.

    A mention is its key, its words, where it stood and how it was judged; a case its mention and what it is
    about; a mail its recipient and its id, the case's reference in it replaced by what the case is about, as
    numbers may be skipped. "told" is an address that stands in any digest, an open case's being told every day.
    """
    with engine.connect() as connection:
        stored = list(_stored(connection))
        own = {row.id: f"{row.source} {row.native_id}" for row in connection.execute(sa.select(mentions))}
        about = {
            row.reference: f"{own.get(row.mention_id, 'erased')} {row.category} {row.severity} {row.state}"
            for row in connection.execute(sa.select(cases))
        }
    letters = list(received)
    return Ledger(
        things=Counter(
            [
                *stored,
                *(("case", words) for words in about.values()),
                *(("mail", letter.recipient, _named(letter.id, about)) for letter in letters),
                *(("told", address) for address in {address for letter in letters for address in _told(letter)}),
            ]
        )
    )


def recorded(engine: sa.Engine) -> frozenset[str]:
    """Return the ids of the messages of which the store knows that they left."""
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table(sent.name):
            return frozenset()
        return frozenset(connection.scalars(sa.select(sent.c.message_id)))


def _stored(connection: sa.Connection) -> Iterator[Thing]:
    """Give mentions, tombstones and objections."""
    judged = {row.mention_id: row for row in connection.execute(sa.select(judgements))}
    for row in connection.execute(sa.select(mentions)):
        found = judged.get(row.id)
        places = connection.execute(
            sa.select(sightings.c.source, sightings.c.channel).where(sightings.c.mention_id == row.id)
        )
        words = hashlib.sha256(f"{row.title}\0{row.text}".encode()).hexdigest()
        yield (
            "mention",
            row.source,
            row.native_id,
            words,
            " ".join(sorted(f"{place.source}/{place.channel}" for place in places)),
            f"{found.category} {found.severity}" if found and row.judged_under else "not judged",
        )
    yield from (("tombstone", key) for key in connection.scalars(sa.select(tombstones.c.key)))
    yield from (("objection", key) for key in connection.scalars(sa.select(objections.c.key)))


def _named(name: str, about: dict[str, str]) -> str:
    """Return a message's id with what its case is about in place of the case's number."""
    for reference, words in about.items():
        name = re.sub(re.escape(reference), words, name, flags=re.IGNORECASE)
    return name


def _told(letter: Received) -> set[str]:
    """Return the addresses of posts that stand in a digest."""
    message = message_from_bytes(letter.content, policy=policy.default)
    if not str(message["List-Id"]).startswith("<daily."):
        return set()
    body = message.get_body(("plain",))
    return set(_ADDRESS.findall(body.get_content())) if body else set()
