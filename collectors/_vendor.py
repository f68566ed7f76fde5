"""Vendors' libraries on a leash: a `requests` session that is bounded, stays put and tells nothing.

tweepy and praw come with `requests`, which waits for ever, reads without end, follows redirects and takes
proxies and passwords from the surroundings; and their exceptions carry the request with its token. The
session made here has the manners of `monitor.http.Client` instead and raises `SourceError`s.
"""

from __future__ import annotations

import io
import time
import zlib
from typing import TYPE_CHECKING, Annotated, Final, Protocol
from urllib.parse import urlsplit

import requests
import urllib3
from pydantic import AfterValidator
from requests.adapters import HTTPAdapter

from monitor.errors import SourceError, UnexpectedShape, Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.records import Clock

CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 20
TOTAL_SECONDS: Final = 120
MOST_BYTES: Final = 10_000_000
THIS_MACHINE: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class StatusError(Protocol):
    """Says what an HTTP status other than 2xx means at one vendor."""

    def __call__(self, status: int, headers: Mapping[str, str], host: str, now: datetime, /) -> SourceError:
        """Return the error to raise."""


def _base(value: str) -> str:
    """Accept the base address of an API; credentials go there, so never in the clear to another machine."""
    parts = urlsplit(value)
    if not parts.hostname or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        problem = "not a base address like https://api.example.org"
        raise ValueError(problem)
    if parts.scheme == "http" and parts.hostname not in THIS_MACHINE:
        problem = "http would send credentials in the clear; write https"
        raise ValueError(problem)
    return value.rstrip("/")


BaseAddress = Annotated[str, AfterValidator(_base)]


def leashed(source: str, clock: Clock, status_error: StatusError, *, base: str | None = None) -> requests.Session:
    """Return a session to hand to a vendor's library.

    Args:
        source: the collector's name, for errors.
        clock: tells the time, for waits that the vendor asks for.
        status_error: what the vendor means by a status other than 2xx.
        base: where every request goes, whatever host the library has written into itself.

    What the session raises: `Unreachable` for no, slow or broken answers, `UnexpectedShape` for answers that
    are too large or oddly encoded, and what `status_error` says.
    """
    session = requests.Session()
    session.trust_env = False  # no proxy, .netrc or certificate store from the environment
    session.headers["Accept-Encoding"] = "gzip, deflate"
    leash = _Leash(source, clock, status_error, base)
    session.mount("https://", leash)
    session.mount("http://", leash)
    return session


class _Leash(HTTPAdapter):
    """Sends one request and reads its answer, both within bounds; redirects count as a wrong status."""

    def __init__(self, source: str, clock: Clock, status_error: StatusError, base: str | None) -> None:
        super().__init__(max_retries=0)
        self._source = source
        self._clock = clock
        self._status_error = status_error
        self._base = base

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002 - the base class's signature
        timeout: object = None,  # noqa: ARG002 - ours counts
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: str | tuple[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Return a complete answer with a status of 2xx."""
        if self._base is not None:
            request.url = self._base + request.path_url
        host = urlsplit(str(request.url)).hostname or ""
        deadline = time.monotonic() + TOTAL_SECONDS
        try:
            response = super().send(
                request,
                stream=True,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                verify=verify,
                cert=cert,
                proxies=dict(proxies or {}),
            )
            with response:
                if not response.ok or response.is_redirect:
                    raise self._status_error(response.status_code, response.headers, host, self._clock())
                body = self._body(response, deadline)
        # from None: the library's exceptions hold the request, and with it the token
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            raise Unreachable(self._source, f"no answer from {host} in time") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(self._source, f"cannot be reached at {host} ({type(error).__name__})") from None
        finally:
            # the time until the next page belongs to our caller: a connection kept so long may have died
            self.close()
        response.raw = io.BytesIO(body)
        return response

    def _body(self, response: requests.Response, deadline: float) -> bytes:
        """Read the body up to the cap, which counts what comes out of the decompressor."""
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            raise UnexpectedShape(self._source, f"answered in the encoding {encoding[:20]!r}")
        inflate = zlib.decompressobj(47) if encoding not in {"", "identity"} else None
        body = bytearray()
        for chunk in response.raw.stream(65_536, decode_content=False):
            if time.monotonic() > deadline:
                raise Unreachable(self._source, f"too slow: not complete in {TOTAL_SECONDS} s")
            try:
                body += inflate.decompress(chunk, MOST_BYTES + 1 - len(body)) if inflate else chunk
            except zlib.error:
                raise Unreachable(self._source, "the compressed answer is damaged") from None
            if len(body) > MOST_BYTES:
                raise UnexpectedShape(self._source, f"more than {MOST_BYTES // 1_000_000} MB in one answer")
        if inflate and not inflate.eof:
            raise Unreachable(self._source, "the compressed answer breaks off")
        return bytes(body)
