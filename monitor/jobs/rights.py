"""What a person may ask about themselves: find, export, erase, restrict, object (UK GDPR Arts 15, 17, 18, 21; PR16).

The requester gives a URL, or their own handle and the source; a handle is hashed at once and never stored or
logged. Erasing leaves the tombstone that keeps the post from coming back; an objection keeps every later post of
that handle out, before anything of it is stored. What is held (PR08) goes when its hold ends, and the answer says so.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from monitor.addresses import canonical
from monitor.errors import ConfigError
from monitor.jobs import copies
from monitor.jobs.audit import audited, note
from monitor.jobs.erasing import Erased
from monitor.jobs.erasing import erase as wipe
from monitor.store import mentions, rights
from monitor.store.audit import Deed

if TYPE_CHECKING:
    from datetime import date

    import sqlalchemy as sa

    from monitor.jobs.workplace import Workplace
    from monitor.records import StoredMention

ACKNOWLEDGE: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked about: a web address, or a handle at a source. Exactly one of the two."""

    url: str = ""
    source: str = ""
    handle: str = ""

    @property
    def about(self) -> str:
        """The request as the audit may have it: an address as its SHA-256, a handle not at all."""
        if self.url:
            return f"address {hashlib.sha256(canonical(self.url).encode('utf-8', 'replace')).hexdigest()}"
        return f"a handle at {self.source}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objected:
    """What came of an objection: whether it is new, and what of the poster's own went or is held."""

    fresh: bool
    erased: Erased


def find(place: Workplace, request: Request, *, deed: Deed = Deed.FOUND) -> tuple[StoredMention, ...]:
    """Return what is stored about a request, oldest first, and record that somebody saw it.

    Raises:
        ConfigError: neither or both of URL and handle are given, or the source is not known.
    """
    _check(place, request)
    with audited(place) as connection:
        found = _found(place, connection, request)
        note(place, connection, deed, f"{request.about}: {len(found)} found")
    return found


def erase(place: Workplace, request: Request) -> Erased:
    """Erase what is stored about a request; return how many mentions went, and what is held. Raises as `find` does."""
    _check(place, request)
    with audited(place) as connection:
        return _erase(place, connection, request, why="the poster asked for it")


def object_to(place: Workplace, request: Request) -> Objected:
    """Remember an objection by handle, and erase what is stored.

    Raises:
        ConfigError: an objection needs a handle and its source; see `find`.
    """
    _check(place, request)
    if not request.handle:
        raise ConfigError("an objection needs the handle", cure="give --source and --handle")
    with audited(place) as connection:
        fresh = rights.object_to(connection, place.handles.lasting(request.source, request.handle), at=place.clock())
        note(place, connection, Deed.OBJECTED, request.about)
        return Objected(fresh=fresh, erased=_erase(place, connection, request, why="the poster objected"))


def restrict(place: Workplace, request: Request) -> int:
    """Keep what is stored about a request from being used (Art 18); return of how many posts.

    Their words leave every report, and no later one has them. Retention goes on; a hold keeps them for a claim.
    Raises as `find` does.
    """
    _check(place, request)
    with audited(place) as connection:
        numbers = [stored.id for stored in _found(place, connection, request)]
        copies.redact(place, connection, numbers, why="restricted at the poster's request")
        done = mentions.restrict(connection, numbers, at=place.clock())
        note(place, connection, Deed.RESTRICTED, f"{request.about}: {done} posts")
    return done


def lift(place: Workplace, request: Request) -> int:
    """Let what was restricted be used again; return of how many posts. Raises as `find` does."""
    _check(place, request)
    with audited(place) as connection:
        numbers = [stored.id for stored in _found(place, connection, request)]
        done = mentions.restrict(connection, numbers, at=None)
        note(place, connection, Deed.LIFTED, f"{request.about}: {done} posts")
    return done


def complaint(place: Workplace, *, received: date) -> date:
    """Record that a complaint came, and return the day by which its receipt must be confirmed.

    Thirty days (Data Protection Act 2018 s.164A, from June 2026; to be confirmed by the Data Protection Officer).
    """
    due = received + ACKNOWLEDGE
    with audited(place) as connection:
        note(place, connection, Deed.COMPLAINT, f"received {received:%Y-%m-%d}, to be confirmed by {due:%Y-%m-%d}")
    return due


def _erase(place: Workplace, connection: sa.Connection, request: Request, *, why: str) -> Erased:
    """Erase what is stored about a request."""
    return wipe(place, connection, [stored.id for stored in _found(place, connection, request)], why=why)


def _found(place: Workplace, connection: sa.Connection, request: Request) -> tuple[StoredMention, ...]:
    """Return what is stored about a request, oldest first."""
    if request.url:
        found = rights.by_address(connection, request.url)
    else:
        found = rights.by_own_keys(connection, place.handles.all_keys(request.source, request.handle))
    return tuple(sorted(found, key=lambda stored: stored.id))


def _check(place: Workplace, request: Request) -> None:
    """Refuse a request that says too little or too much."""
    if bool(request.url) == bool(request.handle):
        raise ConfigError("give either a web address or a handle", cure="--url URL, or --source NAME --handle NAME")
    if request.handle and request.source not in place.policy.sources:
        raise ConfigError(
            f"unknown source {request.source!r}", cure=f"known sources: {', '.join(place.policy.sources.names)}"
        )
