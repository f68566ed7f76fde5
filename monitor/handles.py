"""Handles become keyed hashes the moment they arrive, and the keys rotate and go (PR06).

A hash counts distinct accounts inside one window. Each period of 30 days has a random key of its own, kept
beside the database in a file that only its owner can read; keys older than the longest retention, but for the
one under which objections are remembered, are destroyed, after which nobody, ourselves included, can say whether a
handle was ever here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from monitor.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PERIOD: Final = timedelta(days=30)
KEPT_PERIODS: Final = 4
"""Ninety days of retention touch four periods at most."""

KEY_BYTES: Final = 32
LASTING: Final = -1
"""Stands for the key that does not rotate: for the objections of people who asked not to be read (PR16)."""

PATIENCE: Final = 100
PAUSE: Final = 0.05
"""How often, and after how many seconds each, a process that finds another one writing looks again: five seconds."""

_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)


class Handles:
    """Keys handles; `file` holds the keys, by period number."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._keys = self._read()

    def key(self, source: str, handle: str, moment: datetime) -> str:
        """Return the hash of `handle` at `source` for the period of `moment` (zone-aware), "" for no handle.

        The source is part of the hash: nothing links an account across platforms (PR04).
        """
        if not handle:
            return ""
        return self._hashed((moment - _EPOCH) // PERIOD, source, handle)

    def _hashed(self, period: int, source: str, handle: str) -> str:
        """Return the hash of a handle under one key."""
        name = f"{source}\0{handle.casefold().lstrip('@')}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key_of(period), name, hashlib.sha256).hexdigest()[:32]

    def lasting(self, source: str, handle: str) -> str:
        """Return the hash of `handle` at `source` under the key that lasts, "" for no handle.

        Only an objection is kept under it: it must still hold when the other keys have rotated.
        """
        return self._hashed(LASTING, source, handle) if handle else ""

    def all_keys(self, source: str, handle: str) -> tuple[str, ...]:
        """Return the hashes of `handle` under every key that is left: for a person's own request (PR16)."""
        return tuple(self._hashed(period, source, handle) for period in sorted(self._keys) if period != LASTING)

    def forget_old(self, now: datetime) -> None:
        """Destroy the keys past their time, even where no new one was made; `now` is zone-aware."""
        oldest = (now - _EPOCH) // PERIOD - KEPT_PERIODS

        def kept(keys: dict[int, bytes]) -> dict[int, bytes]:
            return {period: key for period, key in keys.items() if period > oldest or period == LASTING}

        if kept(self._keys) != self._keys:
            self._change(kept)

    def _key_of(self, period: int) -> bytes:
        """Return the key of a period, making it on its first use.

        Nothing is destroyed here, where a clock that is a year ahead for a minute would do it: see `forget_old`.
        """
        if period not in self._keys:
            self._keys = self._read()  # another process may have made it meanwhile
        if period not in self._keys:
            self._change(lambda keys: {period: secrets.token_bytes(KEY_BYTES), **keys})
        return self._keys[period]

    def _read(self) -> dict[int, bytes]:
        """Return the keys on disk, none if there is no file yet."""
        try:
            stored = json.loads(self._file.read_text(encoding="ascii"))
            keys = {int(period): bytes.fromhex(key) for period, key in stored.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError, OSError) as error:
            raise StoreError(f"the key file {self._file} cannot be read ({type(error).__name__})") from error
        if any(len(key) != KEY_BYTES for key in keys.values()):
            raise StoreError(f"the key file {self._file} is damaged: a key has the wrong length")
        return keys

    def _change(self, change: Callable[[dict[int, bytes]], dict[int, bytes]]) -> None:
        """Change the keys on disk in one step, readable by their owner alone, while no other process does.

        Two that made a key at once would hash one account in two ways: who comes second finds the key of the first.
        """
        fresh = self._file.with_suffix(".new")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            claimed = _claimed(fresh)
            try:
                with os.fdopen(claimed, "w") as out:
                    self._keys = change(self._read())
                    json.dump({str(period): key.hex() for period, key in self._keys.items()}, out)
                    out.flush()
                    os.fsync(out.fileno())
                fresh.replace(self._file)
            except BaseException:
                fresh.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise StoreError(f"the key file {self._file} cannot be written: {error.strerror}") from error


def _claimed(fresh: Path) -> int:
    """Open a file that is not there: while it is, another process writes it, or died over it."""
    for _ in range(PATIENCE):
        try:
            return os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            time.sleep(PAUSE)
    fresh.unlink(missing_ok=True)
    return os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
