"""No client of the house talks to a server that cannot prove who it is, and nowhere is that proof switched off."""

from __future__ import annotations

import ast
import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from collectors._vendor import leashed
from monitor.errors import SourceError, Unreachable
from monitor.http import Client, status_error
from monitor.records import utc_now
from monitor.settings import Federation, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[1]
SOURCES = [file for room in ("monitor", "collectors", "analysis", "reports") for file in (ROOT / room).rglob("*.py")]
LOOSE = {
    "_create_unverified_context",
    "_create_default_https_context",
    "CERT_NONE",
    "CERT_OPTIONAL",
    "disable_warnings",
    "disable_ssl_certificate_validation",
    "check_hostname",
    "verify_mode",
}
"""Names with which Python and the vendors' libraries take a server at its word."""


def loose(source: str) -> list[str]:
    """Return what in a module's source switches the proof off."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.keyword(arg="verify" | "verify_ssl" | "verify_certs", value=ast.Constant(value=False)):
                found.append("verify=False")
            case ast.Attribute(attr=name) | ast.Name(id=name) | ast.keyword(arg=str(name)) if name in LOOSE:
                found.append(name)
            case ast.Assign(targets=[ast.Attribute(attr="verify")]):
                found.append("verify = ...")
            case _:
                continue
    return found


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_module_switches_the_proof_off(file: Path) -> None:
    assert loose(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "httpx.get(url, verify=False)",
        "session.verify = False",
        "context.check_hostname = False",
        "context.verify_mode = ssl.CERT_NONE",
        "ssl._create_unverified_context()",
    ],
)
def test_a_module_that_would_is_found_out(source: str) -> None:
    assert loose(source)


class Impostor(BaseHTTPRequestHandler):
    """Answers everybody, with a certificate that it signed itself."""

    heard: list[str]

    def do_GET(self) -> None:
        self.heard.append(self.headers.get("Authorization", "") + self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[tuple[int, list[str]]]:
    """Run a server for 127.0.0.1 whose certificate nobody vouches for; give its port and what it heard."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "impostor.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    heard: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Impostor,), {"heard": heard}))
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1], heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_houses_own_client_refuses_an_impostor(impostor: tuple[int, list[str]]) -> None:
    port, heard = impostor
    reading = Reading(private_hosts=("127.0.0.1",))
    with Client(reading, Federation()) as client, pytest.raises(Unreachable):
        client.get(f"https://127.0.0.1:{port}/", source="feeds", headers={"Authorization": "Bearer token"})
    assert heard == []


def test_the_session_of_the_vendors_libraries_refuses_an_impostor(impostor: tuple[int, list[str]]) -> None:
    """YouTube's, Reddit's, X's and Mastodon's libraries send through it."""
    port, heard = impostor
    session = leashed("x", utc_now, status_error_of)
    with pytest.raises(Unreachable, match="SSLError"):
        session.get(f"https://127.0.0.1:{port}/", headers={"Authorization": "Bearer token"})
    assert heard == []


def status_error_of(status: int, headers: Mapping[str, str], host: str, now: datetime) -> SourceError:
    return status_error("x", status, headers, host, now)
