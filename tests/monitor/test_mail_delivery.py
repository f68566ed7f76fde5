"""A message leaves once, over an honest server, and what fails is tried again and admitted."""

from __future__ import annotations

import asyncio
import ssl
import stat
import threading
import traceback
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from monitor.errors import ConfigError, DeliveryError
from monitor.mail import BACKOFF, CLAIM, Delivered, Postman, compose
from monitor.records import Rendered, Window
from monitor.settings import Federation, Mail, Secrets
from monitor.store import outbox
from monitor.store.engine import Store, open_store
from tests.post_office import AnyPort

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage
    from pathlib import Path

PASSWORD = "hunter2-hunter2"
FEDERATION = Federation(short_name="Federation", contact="office@school.example")
REPORT = Rendered(name="daily-2026-11-23", subject="all well", html="<p>well 🏫</p>\n", text="well 🏫\n")
MAIL = Mail(sender="monitor@school.example", reply_to="office@school.example")


@dataclass(slots=True)
class SetClock:
    """A clock that stands still until it is moved."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Relay:
    """A mail server that answers as it is told and keeps what it accepted."""

    answers: list[str] = field(default_factory=list)
    rcpt: str = ""
    accepted: list[tuple[list[str], bytes]] = field(default_factory=list)
    hold: threading.Event | None = None
    logins: list[bytes] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's names
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if self.rcpt:
            return self.rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        hold, self.hold = self.hold, None
        if hold is not None:
            await server.loop.run_in_executor(None, hold.wait, 20)
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            self.accepted.append((list(envelope.rcpt_tos), envelope.original_content or b""))
        if answer == "250 and gone":
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return answer

    def messages(self) -> list[EmailMessage]:
        """What was accepted, as mail programs read it."""
        return [message_from_bytes(content, policy=policy.default) for _, content in self.accepted]


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A certificate for 127.0.0.1 that signed itself."""

    file: Path
    key: Path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    found = Certificate(file=folder / "certificate.pem", key=folder / "key.pem")
    found.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    found.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return found


@pytest.fixture
def start() -> Iterator[Callable[..., int]]:
    """Starts a relay on a free port, with what aiosmtpd's SMTP takes; returns the port."""
    running: list[AnyPort] = []

    def begin(relay: Relay, **options: Any) -> int:  # noqa: ANN401
        controller = AnyPort(relay, hostname="127.0.0.1", port=0, **options)
        controller.start()
        running.append(controller)
        return int(controller.port)

    yield begin
    for controller in running:
        controller.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A store with an outbox, a clock, and a postman who is a new one each time, as after a restart."""

    store: Store
    clock: SetClock
    folder: Path
    now: datetime

    def put(self, *letters: outbox.OutMessage) -> list[bool]:
        """Queue letters."""
        with self.store.write() as connection:
            return [outbox.queue(connection, letter) for letter in letters]

    def postman(self, mail: Mail, **secrets: str) -> Postman:
        """Return somebody who delivers."""
        return Postman(self.store, mail, Secrets(secrets), self.folder, self.clock)

    def send(self, mail: Mail, **secrets: str) -> Delivered:
        """Deliver what is due."""
        return self.postman(mail, **secrets).deliver()

    def troubled(self) -> list[tuple[str, int, str]]:
        """(state, tries, error) of each message that the next digest must admit."""
        day = Window(start=self.now - timedelta(days=1), end=self.now + timedelta(days=1))
        with self.store.read() as connection:
            return [(m.state, m.attempts, m.error) for m in outbox.troubled(connection, day)]


@pytest.fixture
def office(sqlite_url: str, now: datetime, tmp_path: Path) -> Iterator[Office]:
    store = open_store(sqlite_url)
    yield Office(store=store, clock=SetClock(now), folder=tmp_path / "outbox", now=now)
    store.close()


def plain(port: int, **changes: object) -> Mail:
    """A relay without encryption, as on the same machine."""
    fields: dict[str, object] = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "monitor@school.example",
        "timeout_seconds": 5,
    }
    return Mail(**(fields | changes))  # type: ignore[arg-type]


def letter(now: datetime, recipient: str = "owner@school.example") -> outbox.OutMessage:
    return compose(REPORT, kind="daily", recipient=recipient, mail=MAIL, federation=FEDERATION, now=now)


def test_queueing_a_report_twice_is_one_message(office: Office) -> None:
    assert office.put(
        letter(office.now), letter(office.now + timedelta(minutes=1)), letter(office.now, "b@school.example")
    ) == [
        True,
        False,
        True,
    ]


def test_each_recipient_gets_a_message_of_their_own_once(office: Office, start: Callable[..., int]) -> None:
    relay = Relay()
    mail = plain(start(relay))
    office.put(letter(office.now), letter(office.now, "second@school.example"))
    assert office.send(mail) == Delivered(sent=2)
    assert [recipients for recipients, _ in relay.accepted] == [
        ["owner@school.example"],
        ["second@school.example"],
    ] or [recipients for recipients, _ in relay.accepted] == [
        ["second@school.example"],
        ["owner@school.example"],
    ]
    assert {message["To"] for message in relay.messages()} == {"owner@school.example", "second@school.example"}
    text = relay.messages()[0].get_body(("plain",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == REPORT.text
    office.clock.now += timedelta(days=1)
    assert office.put(letter(office.now)) == [False]
    assert office.send(mail) == Delivered()
    assert len(relay.accepted) == 2


def test_what_left_keeps_no_words_but_its_record(office: Office, start: Callable[..., int]) -> None:
    made = letter(office.now)
    office.put(made)
    with office.store.read() as connection:
        assert not outbox.was_sent(connection, made.message_id)
    office.send(plain(start(Relay())))
    with office.store.read() as connection:
        assert outbox.was_sent(connection, made.message_id)
        assert connection.exec_driver_sql("SELECT content FROM messages").scalar() == b""


def test_a_temporary_refusal_is_tried_again_later_and_admitted(office: Office, start: Callable[..., int]) -> None:
    relay = Relay(answers=["451 try later", "452 still full", "250 OK"])
    mail = plain(start(relay))
    office.put(letter(office.now))
    assert office.send(mail) == Delivered(delayed=1)
    assert office.troubled() == [("queued", 1, "the mail server answered 451: try later")]
    assert office.send(mail) == Delivered()
    office.clock.now += timedelta(minutes=BACKOFF[0])
    assert office.send(mail) == Delivered(delayed=1)
    office.clock.now += timedelta(minutes=BACKOFF[1]) - timedelta(seconds=1)
    assert office.send(mail) == Delivered()
    office.clock.now += timedelta(seconds=1)
    assert office.send(mail) == Delivered(sent=1)
    assert office.troubled() == []
    assert len(relay.accepted) == 1


def test_the_wait_grows_and_then_stays(office: Office) -> None:
    office.put(letter(office.now))
    for tries in range(len(BACKOFF) + 2):
        assert office.send(plain(1)) == Delivered(delayed=1)
        office.clock.now += timedelta(minutes=BACKOFF[min(tries, len(BACKOFF) - 1)])
    assert office.troubled()[0][1] == len(BACKOFF) + 2


def test_a_refused_connection_is_tried_again(office: Office, start: Callable[..., int]) -> None:
    office.put(letter(office.now))
    assert office.send(plain(1)) == Delivered(delayed=1)
    assert office.troubled() == [("queued", 1, "the mail server cannot be used (ConnectionRefusedError)")]
    office.clock.now += timedelta(minutes=BACKOFF[0])
    assert office.send(plain(start(Relay()))) == Delivered(sent=1)


def test_a_server_that_dies_after_taking_the_message_gets_it_again_under_the_same_id(
    office: Office, start: Callable[..., int]
) -> None:
    relay = Relay(answers=["250 and gone"])
    mail = plain(start(relay))
    office.put(letter(office.now))
    assert office.send(mail) == Delivered(delayed=1)
    office.clock.now += timedelta(minutes=BACKOFF[0])
    assert office.send(mail) == Delivered(sent=1)
    assert len(relay.accepted) == 2
    assert len({message["Message-ID"] for message in relay.messages()}) == 1


@pytest.mark.parametrize("relay", [Relay(answers=["554 not wanted"]), Relay(rcpt="550 nobody of that name")])
def test_a_permanent_refusal_is_final_and_admitted(office: Office, start: Callable[..., int], relay: Relay) -> None:
    mail = plain(start(relay))
    office.put(letter(office.now))
    assert office.send(mail) == Delivered(refused=1)
    ((state, tries, error),) = office.troubled()
    assert (state, tries) == ("refused", 1)
    assert error.startswith("the mail server answered 55")
    office.clock.now += timedelta(days=1)
    assert office.send(mail) == Delivered()


def test_a_recipient_who_is_refused_for_now_is_tried_again(office: Office, start: Callable[..., int]) -> None:
    office.put(letter(office.now))
    assert office.send(plain(start(Relay(rcpt="450 mailbox busy")))) == Delivered(delayed=1)
    assert office.troubled()[0][2] == "the mail server answered 450: mailbox busy"


def test_one_refused_message_does_not_hold_the_others_up(office: Office, start: Callable[..., int]) -> None:
    relay = Relay(answers=["554 no", "250 OK"])
    office.put(letter(office.now), letter(office.now, "second@school.example"))
    assert office.send(plain(start(relay))) == Delivered(sent=1, refused=1)


def test_two_postmen_at_once_deliver_each_message_once(office: Office, start: Callable[..., int]) -> None:
    """One is kept waiting over the first message; the other takes the second, and the first leaves it alone."""
    waiting = threading.Event()
    relay = Relay(hold=waiting)
    mail = plain(start(relay))
    office.put(letter(office.now), letter(office.now, "second@school.example"))
    results: list[Delivered] = []
    slow = threading.Thread(target=lambda: results.append(office.postman(mail).deliver()))
    slow.start()
    try:
        while relay.hold is not None:
            slow.join(0.01)
        assert office.send(mail) == Delivered(sent=1)
    finally:
        waiting.set()
        slow.join()
    assert results == [Delivered(sent=1)]
    assert len({message["To"] for message in relay.messages()}) == len(relay.accepted) == 2


def test_a_message_whose_postman_died_comes_back(office: Office, start: Callable[..., int]) -> None:
    made = letter(office.now)
    office.put(made)
    with office.store.write() as connection:
        assert outbox.claim(connection, made, now=office.now, until=office.now + CLAIM)
        assert not outbox.claim(connection, made, now=office.now, until=office.now + CLAIM)
    mail = plain(start(Relay()))
    assert office.send(mail) == Delivered()
    office.clock.now += CLAIM
    assert office.send(mail) == Delivered(sent=1)


def test_without_a_relay_messages_are_laid_into_a_folder_for_its_owner_alone(office: Office) -> None:
    made = letter(office.now)
    office.put(made)
    assert office.send(Mail()) == Delivered(filed=1)
    (file,) = office.folder.iterdir()
    assert file.suffix == ".eml"
    assert file.read_bytes() == made.content
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert office.send(Mail()) == Delivered()


def test_a_folder_that_cannot_be_written_is_admitted(office: Office) -> None:
    office.folder.write_text("in the way")
    office.put(letter(office.now))
    assert office.send(Mail()) == Delivered(delayed=1)
    assert "cannot be written" in office.troubled()[0][2]


def authenticated(relay: Relay, certificate: Certificate) -> dict[str, object]:
    """What aiosmtpd needs to ask for STARTTLS and a login."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.file, certificate.key)

    def check(_server: object, _session: object, _envelope: object, _kind: str, data: LoginPassword) -> AuthResult:
        relay.logins.append(data.login)
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    return {
        "tls_context": context,
        "require_starttls": True,
        "authenticator": check,
        "auth_required": True,
    }


def test_encryption_and_login_carry_the_message(
    office: Office, start: Callable[..., int], certificate: Certificate
) -> None:
    relay = Relay()
    port = start(relay, **authenticated(relay, certificate))
    mail = plain(port, security="starttls", username="monitor", ca_file=certificate.file)
    office.put(letter(office.now))
    assert office.send(mail, MONITOR_SMTP_PASSWORD=PASSWORD) == Delivered(sent=1)
    assert relay.logins == [b"monitor"]
    assert relay.messages()[0]["To"] == "owner@school.example"


def test_encryption_from_the_first_byte_carries_the_message(
    office: Office, start: Callable[..., int], certificate: Certificate
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.file, certificate.key)
    relay = Relay()
    mail = plain(start(relay, ssl_context=context), security="tls", ca_file=certificate.file)
    office.put(letter(office.now))
    assert office.send(mail) == Delivered(sent=1)
    assert len(relay.accepted) == 1


def test_a_server_that_cannot_prove_who_it_is_gets_neither_password_nor_message(
    office: Office, start: Callable[..., int], certificate: Certificate
) -> None:
    relay = Relay()
    port = start(relay, **authenticated(relay, certificate))
    office.put(letter(office.now))
    mail = plain(port, security="starttls", username="monitor")
    assert office.send(mail, MONITOR_SMTP_PASSWORD=PASSWORD) == Delivered(delayed=1)
    assert office.troubled()[0][2] == "the mail server cannot be used (SSLCertVerificationError)"
    assert relay.logins == []
    assert relay.accepted == []


def test_a_server_without_encryption_gets_neither_password_nor_message(
    office: Office, start: Callable[..., int]
) -> None:
    relay = Relay()
    mail = plain(start(relay), security="starttls", username="monitor")
    office.put(letter(office.now))
    assert office.send(mail, MONITOR_SMTP_PASSWORD=PASSWORD) == Delivered(delayed=1)
    assert office.troubled()[0][2] == "the mail server cannot be used (SMTPNotSupportedError)"
    assert relay.accepted == []


@pytest.mark.parametrize(
    ("secrets", "says"),
    [
        ({"MONITOR_SMTP_PASSWORD": "wrong-" + PASSWORD}, "the mail server answered 535"),
        ({}, "the secret SMTP_PASSWORD is not set"),
        ({"MONITOR_SMTP_PASSWORD": PASSWORD + "£"}, "characters outside ASCII"),
        ({"MONITOR_SMTP_PASSWORD_FILE": "/nowhere/at/all"}, "cannot be read"),
    ],
)
def test_a_login_that_fails_keeps_the_message_until_it_is_mended_and_shows_no_password(
    office: Office, start: Callable[..., int], certificate: Certificate, secrets: dict[str, str], says: str
) -> None:
    relay = Relay()
    port = start(relay, **authenticated(relay, certificate))
    mail = plain(port, security="starttls", username="monitor", ca_file=certificate.file)
    office.put(letter(office.now))
    assert office.send(mail, **secrets) == Delivered(delayed=1)
    ((state, _, error),) = office.troubled()
    assert state == "queued"
    assert says in error
    with pytest.raises((DeliveryError, ConfigError)) as caught:
        office.postman(mail, **secrets).greet()
    shown = error + "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__)
    assert PASSWORD not in shown
    office.clock.now += timedelta(minutes=BACKOFF[0])
    assert office.send(mail, MONITOR_SMTP_PASSWORD=PASSWORD) == Delivered(sent=1)


def test_a_greeting_sends_nothing(office: Office, start: Callable[..., int]) -> None:
    relay = Relay()
    office.postman(plain(start(relay))).greet()
    assert relay.accepted == []
    with pytest.raises(DeliveryError, match=r"127\.0\.0\.1:1 cannot be used \(ConnectionRefusedError\)"):
        office.postman(plain(1)).greet()


def test_a_server_that_has_no_service_keeps_the_message_queued(office: Office) -> None:
    import socketserver  # noqa: PLC0415 - this one test speaks SMTP by hand

    class Closed(socketserver.StreamRequestHandler):
        """Answers 554 to everybody."""

        def handle(self) -> None:
            self.wfile.write(b"554 no SMTP service here\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Closed) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        office.put(letter(office.now))
        assert office.send(plain(server.server_address[1])) == Delivered(delayed=1)
        server.shutdown()
        thread.join()
    assert office.troubled() == [("queued", 1, "the mail server answered 554: no SMTP service here")]
