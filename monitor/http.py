"""One polite way out: says who we are, asks robots.txt, never reads more than it should, follows no trick.

Every request names the product and a contact address. A body is capped after decompression, a slow source
is cut off, each redirect is checked like a first address, and an address that leads into a private network
is refused unless the configuration names it: the check and the connection use the same DNS answer.
There are no retries here: a source that asks us to wait raises `RateLimited`, and the scheduler moves on.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import socket
import threading
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urljoin, urlsplit

import httpx
from protego import Protego

from monitor.addresses import is_web
from monitor.errors import AccessRefused, RateLimited, SourceError, UnexpectedShape, Unreachable
from monitor.records import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.records import Clock
    from monitor.settings import Federation, Reading

    Params = dict[str, str | int]

MAX_REDIRECTS: Final = 5
ROBOTS_KEPT: Final = timedelta(hours=1)
MEDIA: Final = ("image/", "video/", "audio/")
"""Kinds of body that are never read: the monitor handles text only (PR09)."""

logging.getLogger("httpx").setLevel(logging.WARNING)  # at INFO it writes whole addresses, tokens included


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A complete answer.

    Attributes:
        url: the final address, after redirects.
        status: 200, 304 or another status the caller allowed.
        headers: names in lower case.
        body: decompressed, never longer than the cap.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def not_modified(self) -> bool:
        """Whether the source says nothing changed since our last visit."""
        return self.status == httpx.codes.NOT_MODIFIED

    def json(self, source: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return the body as JSON.

        Raises:
            UnexpectedShape: it is not JSON, such as an HTML error page with status 200.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            kind = self.headers.get("content-type", "no content type").split(";")[0]
            raise UnexpectedShape(source, f"expected JSON, got {kind}") from error


class Client:
    """The polite HTTP client. One instance a run; `close` it, or use it as a context manager.

    Args:
        reading: patience, caps and the private hosts that may be read.
        federation: who we are.
        clock: tells the time, for Retry-After and robots.txt.

    Attributes:
        reading, federation: as given: what a child process needs to be as polite.
        user_agent: who we are, as every request says.
    """

    def __init__(self, reading: Reading, federation: Federation, clock: Clock = utc_now) -> None:
        self.reading = reading
        self.federation = federation
        self._clock = clock
        self.user_agent = user_agent(federation)
        self._robots: dict[str, tuple[datetime, Protego | None]] = {}
        self._client = httpx.Client(
            transport=_Guarded(frozenset(reading.private_hosts), reading.total_seconds),
            timeout=httpx.Timeout(reading.read_seconds, connect=reading.connect_seconds),
            headers={"User-Agent": self.user_agent, "Accept-Encoding": "gzip, deflate"},
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=())),
            follow_redirects=False,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(
        self,
        url: str,
        *,
        source: str,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        robots: bool = False,
        allow: tuple[int, ...] = (200, 304),
    ) -> Answer:
        """Read one address.

        Args:
            url: http or https.
            source: the collector's name, for errors.
            params: query parameters.
            headers: further headers, such as If-None-Match or a token; sent to the first origin only.
            robots: ask robots.txt first; for pages and feeds, not for documented APIs.
            allow: the statuses that come back as an `Answer`; every other one raises.

        Raises:
            Unreachable, RateLimited, AccessRefused, UnexpectedShape: see `monitor.errors`.
        """
        return self._request("GET", url, source, params=params, headers=headers, robots=robots, allow=allow)

    def post(
        self,
        url: str,
        *,
        source: str,
        content: Any,  # noqa: ANN401 - any JSON value
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send JSON, such as a log-in to a documented API. Raises as `get` does."""
        return self._request("POST", url, source, content=content, headers=headers, allow=(200, 201))

    def _request(
        self,
        verb: str,
        url: str,
        source: str,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        content: Any = None,  # noqa: ANN401 - any JSON value
        robots: bool = False,
        allow: tuple[int, ...],
    ) -> Answer:
        """Send one request and follow redirects, each checked like a first address."""
        deadline = time.monotonic() + self.reading.total_seconds
        first = _origin(url)
        for _ in range(MAX_REDIRECTS + 1):
            if not is_web(url):
                raise AccessRefused(source, "led to something that is not a web address")
            if robots and not self._robots_allow(url, source):
                raise AccessRefused(source, f"robots.txt of {urlsplit(url).hostname} closes this address")
            own = dict(headers or {}) if _origin(url) == first else {}
            try:
                request = self._client.build_request(
                    verb, url, params=httpx.QueryParams(params) if params else None, headers=own, json=content
                )
                response = self._client.send(request, stream=True)
                try:
                    if response.has_redirect_location:
                        if verb != "GET":
                            raise UnexpectedShape(source, f"{response.url.host} sends a log-in elsewhere")
                        url, params = urljoin(url, response.headers["location"]), None
                        continue
                    return self._answer(response, source, deadline, allow)
                finally:
                    response.close()
            except httpx.TimeoutException as error:
                raise Unreachable(source, f"no answer from {urlsplit(url).hostname} in time") from error
            except PrivateAddress as error:
                raise AccessRefused(source, str(error)) from error
            except (httpx.TransportError, httpx.InvalidURL, ValueError) as error:
                raise Unreachable(
                    source, f"cannot be reached at {urlsplit(url).hostname} ({type(error).__name__})"
                ) from error
        raise Unreachable(source, f"more than {MAX_REDIRECTS} redirects")

    def _answer(self, response: httpx.Response, source: str, deadline: float, allow: tuple[int, ...]) -> Answer:
        """Return the answer, or raise what its status means."""
        host = response.url.host
        if response.status_code in allow:
            kind = response.headers.get("content-type", "")
            if kind.startswith(MEDIA):
                raise UnexpectedShape(source, f"{host} sent {kind.split(';')[0]}, which is never read")
            return Answer(
                url=str(response.url),
                status=response.status_code,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=self._body(response, source, deadline),
            )
        raise status_error(source, response.status_code, response.headers, host, self._clock())

    def _body(self, response: httpx.Response, source: str, deadline: float) -> bytes:
        """Read the body up to the cap, which counts what comes out of the decompressor."""
        cap = int(self.reading.max_megabytes * 1_000_000)
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"identity", "", "gzip", "x-gzip", "deflate"}:
            raise UnexpectedShape(source, f"answered in the encoding {encoding!r}, which was not asked for")
        inflate = zlib.decompressobj(47) if "gzip" in encoding or encoding == "deflate" else None
        body = bytearray()
        for chunk in response.iter_raw():
            if time.monotonic() > deadline:
                raise Unreachable(source, f"too slow: not complete in {self.reading.total_seconds:g} s")
            try:
                body += inflate.decompress(chunk, cap + 1 - len(body)) if inflate else chunk
            except zlib.error as error:
                raise Unreachable(source, "the compressed answer is damaged") from error
            if len(body) > cap:
                raise UnexpectedShape(source, f"more than {self.reading.max_megabytes:g} MB in one answer")
        if inflate and not inflate.eof and body:
            raise Unreachable(source, "the compressed answer breaks off")
        return bytes(body)

    def _robots_allow(self, url: str, source: str) -> bool:
        """Whether robots.txt of the address's host lets us in (RFC 9309: unreachable: no, absent: yes)."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        known = self._robots.get(origin)
        if known is None or self._clock() - known[0] > ROBOTS_KEPT:
            absent = tuple(range(400, 429)) + tuple(range(430, 500))
            answer = self._request("GET", f"{origin}/robots.txt", source, allow=(200, *absent))
            rules = Protego.parse(answer.body.decode("utf-8", "replace")) if answer.status == httpx.codes.OK else None
            known = (self._clock(), rules)
            self._robots[origin] = known
        return known[1] is None or known[1].can_fetch(url, self.user_agent)


class _Guarded(httpx.BaseTransport):
    """Connects only to addresses that were checked: public ones, or private ones the configuration names.

    Connections are not kept, so that each has one request, whose headers must be there in `patience` seconds.
    """

    def __init__(self, private_hosts: frozenset[str], patience: float) -> None:
        self._private_hosts = private_hosts
        self._patience = patience
        self._inner = httpx.HTTPTransport(http2=False, retries=0, limits=httpx.Limits(max_keepalive_connections=0))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Resolve once, check, and connect to that very address; TLS still proves the name."""
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        lines: list[socket.socket] = []

        def note(event: str, told: Mapping[str, Any]) -> None:
            if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
                lines.append(told["return_value"].get_extra_info("socket"))

        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=self._checked(host, port)),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host, "trace": note},
        )
        # a read may take its time, and so may the next: only a clock ends headers that drip in byte by byte
        clock = threading.Timer(self._patience, _hang_up, [lines])
        clock.daemon = True
        clock.start()
        try:
            return self._inner.handle_request(pinned)
        finally:
            clock.cancel()

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()

    def _checked(self, host: str, port: int) -> str:
        """Return the IP address to connect to.

        Raises:
            httpx.ConnectError: the name does not resolve, or leads into a private network.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpx.ConnectError(f"{host} does not resolve") from error
        address = str(found[0][4][0])
        named = host in self._private_hosts or f"{host}:{port}" in self._private_hosts
        if not named and not all(_public(str(entry[4][0])) for entry in found):
            raise PrivateAddress(f"{host} leads into a private network; name it in private_hosts")
        return address


def _hang_up(lines: list[socket.socket]) -> None:
    """End the newest of a request's connections, whatever waits on it."""
    with suppress(OSError, IndexError):
        lines[-1].shutdown(socket.SHUT_RDWR)


class PrivateAddress(httpx.ConnectError):
    """The name leads to an address that is not public."""


def _public(address: str) -> bool:
    """Whether an IP address belongs to the public internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_global and not ip.is_multicast


def user_agent(federation: Federation) -> str:
    """Return who we are: product, purpose and a contact address."""
    contact = f"; {federation.contact}" if federation.contact else ""
    return f"FederationMonitor/0.1 (school mentions, no profiling{contact})"


def status_error(source: str, status: int, headers: Mapping[str, str], host: str, now: datetime) -> SourceError:
    """Return the error that an HTTP status means, whatever client met it."""
    if status == httpx.codes.TOO_MANY_REQUESTS or (
        status == httpx.codes.SERVICE_UNAVAILABLE and "retry-after" in headers
    ):
        return RateLimited(source, f"{host} asks us to wait", retry_at=retry_at(headers, now))
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.UNAVAILABLE_FOR_LEGAL_REASONS}:
        return AccessRefused(source, f"{host} refuses us ({status})")
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
        return Unreachable(source, f"{host} has a fault of its own ({status})")
    return UnexpectedShape(source, f"{host} answers {status}")


def retry_at(headers: Mapping[str, str], now: datetime, default: timedelta = timedelta(minutes=15)) -> datetime:
    """Return when to come back: Retry-After in seconds or as a date (RFC 9110 10.2.3), else `now + default`.

    Never in the past, and never more than a day ahead: a wrong header must not switch a source off.
    """
    value = headers.get("retry-after", headers.get("Retry-After", "")).strip()
    moment = now + default
    if value.isdecimal():
        moment = now + timedelta(seconds=int(value[:6]))
    elif value:
        try:
            parsed = parsedate_to_datetime(value)
        except ValueError:
            return moment
        moment = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return min(max(moment, now), now + timedelta(days=1))


def _origin(url: str) -> tuple[str, str]:
    """Return scheme, host and port of an address: what must not change for a token to be sent again."""
    return (urlsplit(url).scheme, urlsplit(url).netloc) if is_web(url) else ("", "")
