"""What a person may ask about themselves: find, export, erase, object (UK GDPR Arts 15, 17, 21; PR16).

The requester gives a URL, or their own handle and the source; a handle is hashed at once and never stored or
logged. Erasing leaves the tombstone that keeps the post from coming back; an objection keeps every later post of
that handle out, before anything of it is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import ConfigError
from monitor.jobs.collect import forgotten
from monitor.store import mentions, rights

if TYPE_CHECKING:
    from monitor.jobs.workplace import Workplace
    from monitor.records import StoredMention


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked about: a web address, or a handle at a source. Exactly one of the two."""

    url: str = ""
    source: str = ""
    handle: str = ""


def find(place: Workplace, request: Request) -> tuple[StoredMention, ...]:
    """Return what is stored about a request, oldest first.

    Raises:
        ConfigError: neither or both of URL and handle are given, or the source is not known.
    """
    _check(place, request)
    with place.store.read() as connection:
        if request.url:
            found = rights.by_address(connection, request.url)
        else:
            found = rights.by_own_keys(connection, place.handles.all_keys(request.source, request.handle))
    return tuple(sorted(found, key=lambda stored: stored.id))


def erase(place: Workplace, request: Request) -> int:
    """Erase what is stored about a request; return how many mentions went. Raises as `find` does."""
    found = find(place, request)
    with place.store.write() as connection:
        return mentions.erase(
            connection,
            [stored.id for stored in found],
            now=place.clock(),
            why="the poster asked for it",
            forget=forgotten(place.policy),
        )


def object_to(place: Workplace, request: Request) -> bool:
    """Remember an objection by handle, and erase what is stored; return False if it was known already.

    Raises:
        ConfigError: an objection needs a handle and its source; see `find`.
    """
    _check(place, request)
    if not request.handle:
        raise ConfigError("an objection needs the handle", cure="give --source and --handle")
    with place.store.write() as connection:
        fresh = rights.object_to(connection, place.handles.lasting(request.source, request.handle), at=place.clock())
    erase(place, request)
    return fresh


def _check(place: Workplace, request: Request) -> None:
    """Refuse a request that says too little or too much."""
    if bool(request.url) == bool(request.handle):
        raise ConfigError("give either a web address or a handle", cure="--url URL, or --source NAME --handle NAME")
    if request.handle and request.source not in place.policy.sources:
        raise ConfigError(
            f"unknown source {request.source!r}", cure=f"known sources: {', '.join(place.policy.sources.names)}"
        )
