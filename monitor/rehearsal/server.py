"""A small HTTP server on this machine: routes are plain functions, and any fault can be played by a switch.

::

    def hello(request: Request) -> Reply:
        return json_reply({"hello": request.query.get("name", "")})

    with Server({"/hello": hello}) as server:
        ...                                    # read server.url + "/hello?name=you"
        server.play(status(429, {"Retry-After": "60"}), at="/hello", times=1)
        ...                                    # the next reading meets the fault, the one after does not
        assert server.count("/hello") == 2

A fake of a platform is a module beside this one that offers routes. A fault is a function
`(Request, Reply) -> Reply` over the reply that would have been sent.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Protocol, Self
from urllib.parse import parse_qs, parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType

MEGABYTE: Final = 1_000_000
ERROR_PAGE: Final = b"<!doctype html><html><head><title>Oops</title></head><body>We will be back.</body></html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asked.

    Attributes:
        verb: "GET", "POST", ...
        path: without the query, as it was sent (percent-encoded).
        query: decoded parameters; the last value of a repeated name. queries: every value of each.
        headers: names in lower case.
        body: what was posted.
    """

    verb: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    queries: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def base(self) -> str:
        """The server's own address as the client wrote it, "http://127.0.0.1:40123"."""
        return f"http://{self.headers.get('host', '127.0.0.1')}"

    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """Return the posted JSON."""
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        """Return the posted form fields."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the server answers.

    Attributes:
        status: HTTP status.
        headers: further headers; Content-Length is added where the body is bytes.
        body: bytes, or pieces that are sent as they come, without a Content-Length.
        reset: break the connection off after the body instead of ending it.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""
    reset: bool = False

    def whole(self) -> bytes:
        """Return the body in one piece."""
        return self.body if isinstance(self.body, bytes) else b"".join(self.body)


class Route(Protocol):
    """Answers one path."""

    def __call__(self, request: Request, /) -> Reply:
        """Return the answer."""


class Fault(Protocol):
    """Spoils a reply."""

    def __call__(self, request: Request, reply: Reply, /) -> Reply:
        """Return what is sent instead."""


@dataclass(slots=True)
class _Playing:
    """A fault that is switched on, and how often it still strikes (None: until it is switched off)."""

    fault: Fault
    at: str
    left: int | None


class Server:
    """Serves routes on 127.0.0.1 at a free port; a context manager, or `start` and `stop`.

    Args:
        routes: path -> function. A path that ends in "*" answers everything that begins like it;
            the longest that fits wins. Other paths answer 404.

    Attributes:
        requests: everything that was asked, in order.
    """

    def __init__(self, routes: Mapping[str, Route] | None = None) -> None:
        self.routes: dict[str, Route] = dict(routes or {})
        self.requests: list[Request] = []
        self._faults: list[_Playing] = []
        self._lock = threading.Lock()
        self._http = _Listener(self.answer)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Begin to answer; return the server itself."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering and free the port."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._http.server_address[1])

    @property
    def host(self) -> str:
        """Host and port, "127.0.0.1:PORT", as `private_hosts` in monitor.toml names them."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The base address, "http://127.0.0.1:PORT"."""
        return f"http://{self.host}"

    def count(self, path: str) -> int:
        """Return how often a path (or, with "*" at the end, what begins like it) was asked for."""
        return len(self.asked(path))

    def asked(self, path: str) -> tuple[Request, ...]:
        """Return the requests for a path (or, with "*" at the end, for what begins like it)."""
        with self._lock:
            return tuple(request for request in self.requests if _fits(path, request.path))

    def play(self, fault: Fault, *, at: str = "*", times: int | None = None) -> None:
        """Switch a fault on.

        Args:
            fault: one of this module's faults, or a function of your own.
            at: the path it strikes; "*" at the end for everything that begins like it.
            times: how often; None until `mend`.
        """
        with self._lock:
            self._faults.append(_Playing(fault=fault, at=at, left=times))

    def mend(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._faults.clear()

    def answer(self, request: Request) -> Reply:
        """Note a request and return the reply, spoilt by the faults that strike it."""
        with self._lock:
            self.requests.append(request)
            striking = [playing for playing in self._faults if _fits(playing.at, request.path)]
            for playing in striking:
                if playing.left is not None:
                    playing.left -= 1
            self._faults = [playing for playing in self._faults if playing.left != 0]
        fitting = [path for path in self.routes if _fits(path, request.path)]
        reply = self.routes[max(fitting, key=len)](request) if fitting else text_reply("not here", status=404)
        for playing in striking:
            reply = playing.fault(request, reply)
        return reply


def _fits(pattern: str, path: str) -> bool:
    """Whether a path is `pattern`, or begins like a pattern that ends in "*"."""
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern


class _Listener(ThreadingHTTPServer):
    """Accepts connections; one thread each, none of which keeps the process alive."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self.reply_to = answer
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    """Turns wire bytes into a `Request` and a `Reply` into wire bytes."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes: the second must not wait for a receipt of the first
    timeout = 30
    server: _Listener

    def handle(self) -> None:
        """Serve one connection; a client that hangs up is no fault of ours."""
        with suppress(OSError):
            super().handle()

    def finish(self) -> None:
        """Close the streams; what a client no longer wants is dropped."""
        with suppress(OSError):
            super().finish()

    def _serve(self) -> None:
        """Answer one request."""
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            verb=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            queries=parse_qs(parts.query, keep_blank_values=True),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
        )
        self._send(self.server.reply_to(request))

    def _send(self, reply: Reply) -> None:
        """Send a reply."""
        whole = isinstance(reply.body, bytes)
        pieces = (reply.body,) if isinstance(reply.body, bytes) else reply.body
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if not whole:
            self.send_header("Connection", "close")
        elif "Content-Length" not in reply.headers:
            self.send_header("Content-Length", str(len(reply.whole())))
        self.end_headers()
        if self.command != "HEAD":
            for piece in pieces:
                self.wfile.write(piece)
        if reply.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        self.close_connection = self.close_connection or reply.reset or not whole

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815 - http.server looks for these names

    def version_string(self) -> str:
        """Name the server without its Python version."""
        return "rehearsal"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Stay quiet: `Server.requests` is the log."""


def text_reply(text: str, *, status: int = 200, kind: str = "text/plain", charset: str = "utf-8") -> Reply:
    """Return text as a reply of media type `kind`."""
    return Reply(
        status=status,
        headers={"Content-Type": f"{kind}; charset={charset}"},
        body=text.encode(charset, "xmlcharrefreplace"),
    )


def html_reply(html: str, *, status: int = 200) -> Reply:
    """Return a web page."""
    return text_reply(html, status=status, kind="text/html")


def json_reply(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:  # noqa: ANN401
    """Return any JSON value as a reply."""
    return Reply(
        status=status,
        headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})},
        body=json.dumps(content, ensure_ascii=False).encode("utf-8"),
    )


def gzipped(reply: Reply) -> Reply:
    """Return the reply with its body compressed."""
    return replace(
        reply,
        headers={**reply.headers, "Content-Encoding": "gzip"},
        body=gzip.compress(reply.whole(), mtime=0),
    )


def unless_known(request: Request, reply: Reply, *, etag: str = "", modified: str = "") -> Reply:
    """Return 304 where the client already has this state, else the reply with its validators."""
    validators = {"ETag": etag} if etag else {}
    validators |= {"Last-Modified": modified} if modified else {}
    asked = request.headers
    known = (etag and asked.get("if-none-match") == etag) or (
        modified and "if-none-match" not in asked and asked.get("if-modified-since") == modified
    )
    if known:
        return Reply(status=304, headers=validators)
    return replace(reply, headers={**reply.headers, **validators})


def status(code: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Fault:
    """Answer with a status, headers and body of your choice."""
    return lambda _request, _reply: Reply(status=code, headers=dict(headers or {}), body=body)


def json_status(code: int, content: Any, headers: Mapping[str, str] | None = None) -> Fault:  # noqa: ANN401
    """Answer with a status and a JSON body, as vendors describe their errors."""
    return lambda _request, _reply: json_reply(content, status=code, headers=headers)


def body(content: bytes, kind: str | None = None) -> Fault:
    """Replace the body, and the media type where one is given."""

    def spoilt(_request: Request, reply: Reply) -> Reply:
        headers = {**reply.headers, **({"Content-Type": kind} if kind else {})}
        return replace(reply, headers=headers, body=content)

    return spoilt


def error_page() -> Fault:
    """Answer status 200 with a web page that says sorry."""
    return lambda _request, _reply: Reply(headers={"Content-Type": "text/html"}, body=ERROR_PAGE)


def truncated_gzip() -> Fault:
    """Compress the body and send the first half of it."""

    def spoilt(_request: Request, reply: Reply) -> Reply:
        whole = gzipped(reply)
        return replace(whole, body=whole.whole()[: len(whole.whole()) // 2])

    return spoilt


def gzip_bomb(megabytes: int = 200) -> Fault:
    """Send a small compressed body that unfolds to `megabytes`."""

    def spoilt(_request: Request, reply: Reply) -> Reply:
        return gzipped(replace(reply, body=bytes(megabytes * MEGABYTE)))

    return spoilt


def repeating(*keys: str) -> Fault:
    """Show the last item of each page once more at the head of the next.

    Args:
        keys: the way to the list of items in an answer's JSON; none where the answer is the list.
    """
    before: list[Any] = []

    def spoilt(_request: Request, reply: Reply) -> Reply:
        content = json.loads(reply.whole())
        items = content
        for key in keys:
            items = items.get(key) if isinstance(items, dict) else None
        if not isinstance(items, list):
            return reply
        again, before[:] = before[:1], items[-1:]
        items[:0] = again
        return replace(reply, body=json.dumps(content).encode())

    return spoilt


def dripping(seconds: float = 1.0) -> Fault:
    """Send the body one byte at a time, with a pause after each."""

    def spoilt(_request: Request, reply: Reply) -> Reply:
        return replace(reply, body=_drops(reply.whole(), seconds))

    return spoilt


def _drops(content: bytes, seconds: float) -> Iterator[bytes]:
    """Give single bytes, slowly."""
    for number in range(len(content)):
        yield content[number : number + 1]
        time.sleep(seconds)


def endless(megabytes: int = 2_000) -> Fault:
    """Send a body of `megabytes` without ever holding more than one of them."""

    def spoilt(_request: Request, reply: Reply) -> Reply:
        piece = b" " * MEGABYTE
        return replace(reply, body=(piece for _ in range(megabytes)))

    return spoilt


def redirect(to: str) -> Fault:
    """Send the client elsewhere."""
    return status(302, {"Location": to})


def redirect_loop() -> Fault:
    """Send the client round in circles."""
    return lambda request, _reply: Reply(status=302, headers={"Location": f"{request.base}{request.path}"})


def reset() -> Fault:
    """Break the connection off in the middle of the body."""

    def spoilt(_request: Request, reply: Reply) -> Reply:
        whole = reply.whole()
        return replace(
            reply,
            headers={**reply.headers, "Content-Length": str(len(whole) + 1)},
            body=whole[: len(whole) // 2],
            reset=True,
        )

    return spoilt
