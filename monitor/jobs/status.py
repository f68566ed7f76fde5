"""How the clock is doing, in one small file: for a service manager, a container's health check, and a glance.

The clock writes it after every job and twice a minute; whoever looks reads the file alone, so that a look never
waits for the store. It holds names of jobs, counts and times: nothing of a post, a person or a secret.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from monitor.errors import StoreError
from monitor.records import as_plain
from monitor.store import journal, outbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from monitor.jobs.workplace import Workplace

FILE: Final = "status.json"
STALE: Final = timedelta(minutes=2)
"""Without a new status for so long, the clock has stopped: it writes one twice a minute."""
LATE_MAIL: Final = timedelta(hours=1)
"""How long a message may wait before somebody should look at the mail relay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """The newest run of one job: when it began, what became of it, and why if that was nothing good."""

    name: str
    started: datetime
    outcome: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the clock is doing.

    Attributes:
        at: when this was written (UTC).
        jobs: the newest run of every job that has run.
        waiting: messages that wait to be sent, and since when the oldest of them does.
        troubles: what a person should look at, in sentences; none if all is well.
    """

    at: datetime
    jobs: tuple[JobStatus, ...]
    waiting: int
    waiting_since: datetime | None
    troubles: tuple[str, ...]

    @property
    def well(self) -> bool:
        """Whether nobody needs to look."""
        return not self.troubles


def status_of(place: Workplace, names: Sequence[str]) -> Status:
    """Return how the named jobs and the outbox are doing."""
    now = place.clock()
    with place.store.read() as connection:
        newest = tuple(run for name in names if (run := journal.newest(connection, name)))
        waiting, since = outbox.waiting(connection)
    failed = (journal.FAILED, journal.MISSED)
    troubles = [f"{run.job}: {run.outcome}: {run.error}" for run in newest if run.outcome in failed]
    if since is not None and now - since > LATE_MAIL:
        troubles.append(
            f"{waiting} messages wait, the oldest since {since:%d %b %H:%M} UTC: see federation-monitor doctor"
        )
    return Status(
        at=now,
        jobs=tuple(
            JobStatus(name=run.job, started=run.started, outcome=run.outcome, error=run.error) for run in newest
        ),
        waiting=waiting,
        waiting_since=since,
        troubles=tuple(troubles),
    )


def write(status: Status, folder: Path) -> None:
    """Put the status into a data folder in one move, for its owner alone: a reader never sees half of it."""
    half = folder / f"{FILE}.half"
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        json.dump({"well": status.well, **as_plain(status)}, out, ensure_ascii=False, indent=1)
    half.replace(folder / FILE)


def read(folder: Path, now: datetime) -> Status:
    """Return what the clock wrote last; if that was too long ago, that is its trouble.

    Raises:
        StoreError: there is no status, or it is none of ours.
    """
    file = folder / FILE
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        status = Status(
            at=datetime.fromisoformat(content["at"]),
            jobs=tuple(
                JobStatus(**{**job, "started": datetime.fromisoformat(job["started"])}) for job in content["jobs"]
            ),
            waiting=content["waiting"],
            waiting_since=datetime.fromisoformat(content["waiting_since"]) if content["waiting_since"] else None,
            troubles=tuple(content["troubles"]),
        )
    except FileNotFoundError as error:
        raise StoreError(f"no clock has run here yet ({file.name} is missing); start scheduler.py") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{file.name} cannot be read ({type(error).__name__}); the clock writes it anew") from error
    if now - status.at <= STALE:
        return status
    stopped = f"the clock has stopped: it wrote last at {status.at:%d %b %H:%M} UTC; start scheduler.py"
    return Status(
        at=status.at,
        jobs=status.jobs,
        waiting=status.waiting,
        waiting_since=status.waiting_since,
        troubles=(stopped, *status.troubles),
    )
