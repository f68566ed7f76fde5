"""What is remembered of an incident between its updates: a small file beside its reports, with no word of a post."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pydantic import AwareDatetime, ValidationError

from analysis.text import fold
from monitor.errors import ConfigError, StoreError
from monitor.jobs.workplace import write_private
from monitor.tables import Table

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from monitor.jobs.incident_terms import Terms
    from monitor.jobs.workplace import Workplace

FILE: Final = "incident.json"
LONGEST_SLUG: Final = 40


class Incident(Table):
    """One incident.

    Attributes:
        name: of its folder and the root of its e-mail thread.
        terms: as they were first given.
        opened: when its first run began. since: what its reports cover from.
        updates: how many pages were written.
        numbers: mention ids in the order of their evidence numbers, which never change.
        closed: when it was stood down, None while it goes on.
    """

    name: str
    terms: tuple[str, ...]
    opened: AwareDatetime
    since: AwareDatetime
    updates: int = 0
    numbers: tuple[int, ...] = ()
    closed: AwareDatetime | None = None


def folder(place: Workplace, incident: Incident) -> Path:
    """Return where an incident's reports lie."""
    return place.reports_folder / incident.name


def opened(place: Workplace, terms: Terms, since: datetime) -> Incident:
    """Return the open incident of these terms, or a new one; `since` (zone-aware) may reach further back."""
    now = place.clock()
    for incident in going_on(place):
        if _slug(incident.terms) == _slug(terms.given):
            return incident.model_copy(update={"since": min(incident.since, since)})
    name = f"incident-{_slug(terms.given)}-{now.astimezone(place.settings.federation.zone):%Y-%m-%d}"
    taken = {incident.name for incident in everything(place)}
    tries = (f"{name}-{turn}" if turn > 1 else name for turn in range(1, len(taken) + 2))
    free = next(name for name in tries if name not in taken)
    return Incident(name=free, terms=terms.given, opened=now, since=since)


def to_stand_down(place: Workplace, terms: Terms | None) -> Incident:
    """Return the open incident of these terms, or the only one that is open.

    Raises:
        ConfigError: there is none, or no terms were given and there are several.
    """
    found = [one for one in going_on(place) if terms is None or _slug(one.terms) == _slug(terms.given)]
    if len(found) == 1:
        return found[0]
    names = ", ".join('"' + '" "'.join(one.terms) + '"' for one in going_on(place))
    raise ConfigError(
        "several incidents are open" if found else "no such incident is open",
        cure=f"name one of: {names}" if names else "there is nothing to stand down",
    )


def everything(place: Workplace) -> tuple[Incident, ...]:
    """Return every incident that was ever opened here, by name.

    Raises:
        StoreError: one cannot be read.
    """
    return tuple(_read(file) for file in sorted(place.reports_folder.glob(f"incident-*/{FILE}")))


def going_on(place: Workplace) -> tuple[Incident, ...]:
    """Return the incidents that were not stood down."""
    return tuple(incident for incident in everything(place) if incident.closed is None)


def keep(place: Workplace, incident: Incident) -> None:
    """Write an incident down."""
    write_private(folder(place, incident) / FILE, incident.model_dump_json(indent=2) + "\n")


def forget_old(place: Workplace, held: frozenset[int] = frozenset()) -> int:
    """Remove the reports and bundles of incidents whose time is over; return how many went.

    They hold words of posts, and are kept as long as the words of the most urgent post may be, counted from the
    day on which the incident was stood down, or opened if it never was (PR07). One with a post in it that is
    `held` stays.
    """
    oldest = place.clock() - timedelta(days=place.settings.retention.P0)
    old = [incident for incident in everything(place) if (incident.closed or incident.opened) < oldest]
    over = [incident for incident in old if held.isdisjoint(incident.numbers)]
    for incident in over:
        try:
            shutil.rmtree(folder(place, incident))
        except OSError as error:
            raise StoreError(f"{folder(place, incident)} cannot be removed: {error.strerror}") from error
    return len(over)


def _read(file: Path) -> Incident:
    """Return one incident."""
    try:
        return Incident.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise StoreError(f"{file} cannot be read; move it away to go on without it") from error


def _slug(terms: tuple[str, ...]) -> str:
    """Return terms as part of a file's name, the same for any order, case and spelling."""
    plain = "-".join(sorted(re.sub(r"[^a-z0-9]+", "-", fold(term).text).strip("-") for term in terms))
    return plain[:LONGEST_SLUG].strip("-") or "terms"
