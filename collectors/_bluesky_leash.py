"""The way out of Bluesky's client library: an httpx transport that is bounded, stays put and tells nothing.

The library waits as long as httpx lets it, reads without end and follows redirects; its exceptions carry the
whole answer. Behind this transport it has the manners of `collectors._vendor` and meets `SourceError`s.
"""

from __future__ import annotations

import json
import re
import time
import zlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import httpx

from collectors._vendor import CONNECT_SECONDS, MOST_BYTES, READ_SECONDS, THIS_MACHINE, TOTAL_SECONDS
from monitor.errors import AccessRefused, RateLimited, SourceError, UnexpectedShape, Unreachable
from monitor.http import retry_at, status_error

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.records import Clock

_DROPPED: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that are no longer true once the body has been read and decompressed."""

TIMEOUT: Final = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)


class SessionOver(AccessRefused):
    """The session has expired or was revoked: signing in again may help."""


class Leash(httpx.BaseTransport):
    """Sends one request and reads its answer, both within bounds; redirects count as a wrong status.

    Attributes:
        calls: how many requests were sent.
    """

    def __init__(self, source: str, clock: Clock) -> None:
        self.calls = 0
        self._source = source
        self._clock = clock
        # nobody closes a collector, so no connection outlives its answer
        self._inner = httpx.HTTPTransport(retries=0, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return a complete answer with a status of 2xx.

        Raises:
            SourceError: see `monitor.errors`.
        """
        host = request.url.host
        if request.url.scheme != "https" and host not in THIS_MACHINE:
            # a sign-in names the account's own server, which then gets the session's token
            raise AccessRefused(self._source, f"{host} would get credentials in the clear")
        self.calls += 1
        deadline = time.monotonic() + TOTAL_SECONDS
        try:
            response = self._inner.handle_request(request)
            try:
                body = self._body(response, deadline)
            finally:
                response.close()
        # from None: the library's exceptions hold the request, and with it the token
        except httpx.TimeoutException:
            raise Unreachable(self._source, f"no answer from {host} in time") from None
        except httpx.TransportError as error:
            raise Unreachable(self._source, f"cannot be reached at {host} ({type(error).__name__})") from None
        if not response.is_success:
            raise self._refused(response, body, host)
        headers = {name: value for name, value in response.headers.items() if name not in _DROPPED}
        return httpx.Response(response.status_code, headers=headers, content=body, request=request)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()

    def _body(self, response: httpx.Response, deadline: float) -> bytes:
        """Read the body up to the cap, which counts what comes out of the decompressor."""
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            raise UnexpectedShape(self._source, f"answered in the encoding {encoding[:20]!r}")
        inflate = zlib.decompressobj(47) if encoding not in {"", "identity"} else None
        body = bytearray()
        assert isinstance(response.stream, httpx.SyncByteStream)  # noqa: S101 - a synchronous transport
        for chunk in response.stream:
            if time.monotonic() > deadline:
                raise Unreachable(self._source, f"too slow: not complete in {TOTAL_SECONDS} s")
            try:
                body += inflate.decompress(chunk, MOST_BYTES + 1 - len(body)) if inflate else chunk
            except zlib.error:
                raise Unreachable(self._source, "the compressed answer is damaged") from None
            if len(body) > MOST_BYTES:
                raise UnexpectedShape(self._source, f"more than {MOST_BYTES // 1_000_000} MB in one answer")
        if inflate and body and not inflate.eof:
            raise Unreachable(self._source, "the compressed answer breaks off")
        return bytes(body)

    def _refused(self, response: httpx.Response, body: bytes, host: str) -> SourceError:
        """Return what Bluesky means by a status and the error's name in the body."""
        status, now = response.status_code, self._clock()
        if _error_name(body) in {"ExpiredToken", "InvalidToken"}:
            return SessionOver(self._source, f"{host} no longer knows our session")
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            wait = retry_at(_reset(response.headers, now), now)
            return RateLimited(self._source, f"{host} asks us to wait", retry_at=wait)
        return status_error(self._source, status, response.headers, host, now)


def _error_name(body: bytes) -> str:
    """Return the name of an XRPC error, "" if the body holds none (atproto.com/specs/xrpc)."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return str(content.get("error", "")) if isinstance(content, dict) else ""


def _reset(headers: Mapping[str, str], now: datetime) -> Mapping[str, str]:
    """Return the wait that `ratelimit-reset` (an epoch second) names, as Retry-After."""
    reset = headers.get("ratelimit-reset", "")
    if not re.fullmatch("[0-9]{1,11}", reset):
        return headers
    return {"retry-after": str(max(int(reset) - int(now.timestamp()), 0))}
