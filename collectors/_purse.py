"""What a run may still spend: asked before each call, so that our own caps hold in the middle of a run too."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from monitor.errors import QuotaSpent

if TYPE_CHECKING:
    from monitor.records import Clock, Spent


class Purse:
    """Holds the allowance of one run.

    Args:
        source: the collector's name, for errors.
        allowance: calls and units that are left today; None where there is no cap.
        clock: tells the time.
    """

    def __init__(self, source: str, allowance: Spent | None, clock: Clock) -> None:
        self._source = source
        self._left = allowance
        self._clock = clock

    def need(self, cost: Spent) -> None:
        """Refuse a call that would cost more than is left.

        Raises:
            QuotaSpent: until the next day in UTC; the ledger, which counts 24 hours back, knows then whether that
                was long enough.
        """
        if self._left is not None and (cost.calls > self._left.calls or cost.units > self._left.units):
            today = self._clock().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            raise QuotaSpent(
                self._source, "what is left of today's cap does not pay for another call", retry_at=today + timedelta(1)
            )

    def pay(self, cost: Spent) -> Spent:
        """Take the cost of a call that was made out of the purse, and return it for the ledger."""
        if self._left is not None:
            self._left -= cost
        return cost
