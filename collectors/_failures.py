"""One sentence and one error for a source of several parts, some of which failed."""

from __future__ import annotations

import re
from collections import Counter
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
"""So many failures are told one by one; more are counted by their kind."""
_KINDS: Final = 4
_FIRST: Final = 2
_HOST: Final = re.compile(r"(?!robots\.txt)\b(?:\d+(?:\.\d+){3}|(?:[\w-]+\.)+[a-z]{2,})\b(?::\d+)?")
"""What differs between two failures of one kind: whose answer it was."""
LONGEST_WAIT: Final = timedelta(hours=1)
"""One part's wish to wait must not blind us to the others for longer than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What failed, by its configured name, and how."""

    what: str
    error: SourceError


def worst(source: str, failures: Sequence[Failure], *, of: int, things: str, now: datetime) -> SourceError:
    """Return the most telling of several errors, in a sentence that counts what failed, and how.

    Args:
        source: the collector's name.
        failures: at least one.
        of: how many parts were asked for in all.
        things: what they are, "feeds".
        now: zone-aware.
    """
    told = _by_kind(failures) if len(failures) > _NAMED else [f"{one.what} ({one.error.problem})" for one in failures]
    sentence = f"{len(failures)} of {of} {things} failed: {'; '.join(told)}"
    first = min((failure.error for failure in failures), key=lambda error: _TELLING.index(type(error)))
    if isinstance(first, RateLimited | QuotaSpent):
        waits = [f.error.retry_at for f in failures if isinstance(f.error, RateLimited | QuotaSpent)]
        wait = max(waits) if len(waits) == of else min(max(waits), now + LONGEST_WAIT)
        return type(first)(source, sentence, retry_at=wait)
    return type(first)(source, sentence)


def _by_kind(failures: Sequence[Failure]) -> list[str]:
    """Return how many failed in each way, the most common first, and which were the first of them."""
    kinds = [_HOST.sub("the site", failure.error.problem) for failure in failures]
    common = Counter(kinds).most_common(_KINDS)
    told = []
    for kind, count in common:
        named = [failure.what for failure, its in zip(failures, kinds, strict=True) if its == kind][:_FIRST]
        told.append(f"{count} with “{kind}” ({'first ' if count > len(named) else ''}{' and '.join(named)})")
    rest = len(failures) - sum(count for _, count in common)
    return [*told, f"{rest} in other ways"] if rest else told
