"""Every error the monitor raises on purpose.

::

    MonitorError
    ├── ConfigError             configuration or policy is wrong; names file, key and cure (exit code 2)
    ├── SourceError             a source could not be read as it should; carries the source's name
    │   ├── Unreachable         no answer: DNS, connection, timeout, 5xx; tried again at the next run
    │   ├── RateLimited         the source asked us to wait; carries `retry_at`
    │   ├── QuotaSpent          our own cap (calls, units or money) is used up; carries `retry_at`
    │   ├── AccessRefused       401, 403, robots.txt, a revoked approval: a person must look
    │   └── UnexpectedShape     the answer is not what the platform documents; the platform changed
    ├── BundleError             a file is not an evidence bundle
    ├── CaseError               a case cannot be changed as asked; says what may be done instead
    ├── StoreError              the database is locked for too long, full, or from a newer version
    │   └── StoreDamaged        what the file holds is no longer a database; the next start restores a backup
    └── DeliveryError           a message was not accepted; it stays in the outbox
        └── DeliveryRefused     the server said no for good (5xx): a person must look

Exceptions carry data, not prose alone: the scheduler moves a source's next run to `retry_at`,
and a report says "not read since ..." from the recorded kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


class MonitorError(Exception):
    """Base of every error of this product."""


class ConfigError(MonitorError):
    """The configuration or the policy cannot be used.

    Args:
        problem: what is wrong, in one sentence.
        file: the file to open.
        key: the dotted key inside the file.
        line: the line of the key, where it is known.
        cure: what to write instead.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: Path | str | None = None,
        key: str | None = None,
        line: int | None = None,
        cure: str | None = None,
    ) -> None:
        self.problem = problem
        self.file = file
        self.key = key
        self.line = line
        self.cure = cure
        place = f"{file}:{line}" if file and line else str(file) if file else ""
        head = ": ".join(part for part in (place, key or "") if part)
        super().__init__(f"{head}: {problem}" if head else problem)

    def __str__(self) -> str:
        """Return the problem with its place, and the cure on a line of its own."""
        text = super().__str__()
        return f"{text}\n  cure: {self.cure}" if self.cure else text


class SourceError(MonitorError):
    """A source was not read as it should have been.

    Args:
        source: the collector's name.
        problem: one sentence without secrets, fit for a report.
    """

    kind: ClassVar[str] = "error"

    def __init__(self, source: str, problem: str) -> None:
        self.source = source
        self.problem = problem
        super().__init__(f"{source}: {problem}")


class Unreachable(SourceError):
    """The source gave no usable answer this time."""

    kind = "unreachable"


class _Wait(SourceError):
    """An error that ends by itself at a known time."""

    def __init__(self, source: str, problem: str, *, retry_at: datetime) -> None:
        self.retry_at = retry_at
        super().__init__(source, problem)


class RateLimited(_Wait):
    """The source asked us to wait until `retry_at` (zone-aware)."""

    kind = "rate_limited"


class QuotaSpent(_Wait):
    """Our own cap is used up until `retry_at` (zone-aware)."""

    kind = "quota_spent"


class AccessRefused(SourceError):
    """The source refused us: credentials, approval or robots.txt. Never retried in a loop."""

    kind = "access_refused"


class UnexpectedShape(SourceError):
    """The answer is not of the documented shape."""

    kind = "unexpected_shape"


class BundleError(MonitorError):
    """A file is not an evidence bundle."""


class CaseError(MonitorError):
    """A case cannot be changed as asked; says why and what may be done instead."""


class StoreError(MonitorError):
    """The store cannot be used as it is."""


class StoreDamaged(StoreError):
    """The store's file is damaged or gone: only a backup brings it back."""


class DeliveryError(MonitorError):
    """A message was not accepted this time; it stays in the outbox."""


class DeliveryRefused(DeliveryError):
    """A message was refused for good."""
