"""One sentence and one error for a source of several parts, some of which failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from monitor.errors import AccessRefused, QuotaSpent, RateLimited, SourceError, UnexpectedShape, Unreachable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_TELLING: Final = (RateLimited, QuotaSpent, AccessRefused, UnexpectedShape, Unreachable)
"""Most telling first: who asked us to wait, what a person must look at, what may pass by itself."""

_NAMED: Final = 5
LONGEST_WAIT: Final = timedelta(hours=1)
"""One part's wish to wait must not blind us to the others for longer than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What failed, by its configured name, and how."""

    what: str
    error: SourceError


def worst(source: str, failures: Sequence[Failure], *, of: int, things: str, now: datetime) -> SourceError:
    """Return the most telling of several errors, in a sentence that counts and names all that failed.

    Args:
        source: the collector's name.
        failures: at least one.
        of: how many parts were asked for in all.
        things: what they are, "feeds".
        now: zone-aware.
    """
    named = [f"{failure.what} ({failure.error.problem})" for failure in failures[:_NAMED]]
    more = len(failures) - len(named)
    rest = f" and {more} more" if more else ""
    sentence = f"{len(failures)} of {of} {things} failed: {'; '.join(named)}{rest}"
    first = min((failure.error for failure in failures), key=lambda error: _TELLING.index(type(error)))
    if isinstance(first, RateLimited | QuotaSpent):
        waits = [f.error.retry_at for f in failures if isinstance(f.error, RateLimited | QuotaSpent)]
        wait = max(waits) if len(waits) == of else min(max(waits), now + LONGEST_WAIT)
        return type(first)(source, sentence, retry_at=wait)
    return type(first)(source, sentence)
