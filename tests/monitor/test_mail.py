"""A report becomes one message a recipient and leaves once, whatever the mail server does."""

from __future__ import annotations

import ssl
import stat
import threading
import traceback
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import ConfigError, DeliveryError
from monitor.mail import BACKOFF, CLAIM, Attachment, Delivered, Postman, compose, message_id, one_line
from monitor.records import Rendered, Window
from monitor.settings import Federation, Mail, Secrets
from monitor.store import outbox
from monitor.store.engine import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage

PASSWORD = "hunter2-hunter2"
FEDERATION = Federation(short_name="Federation", contact="office@school.example")
REPORT = Rendered(
    name="daily-2026-11-23",
    subject="2 need a reply, 1 overdue (Mon 23 Nov)",
    html="<p>Knaresborough &amp; Boroughbridge – all well 🏫</p>\n" + "<p>" + "long line " * 200 + "</p>\n",
    text="Knaresborough – all well 🏫\n.\nFrom here on\n" + "long line " * 200 + "\n",
)


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
        _session: Any,
        envelope: Any,
        address: str,
        _options: list[str],
    ) -> str:
        if self.rcpt:
            return self.rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: ANN401, N802
        if self.hold is not None:
            await server.loop.run_in_executor(None, self.hold.wait, 20)
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            self.accepted.append((list(envelope.rcpt_tos), envelope.content))
        if answer == "250 and gone":
            server.transport.abort()
        return answer

    def messages(self) -> list[EmailMessage]:
        """What was accepted, as mail programs read it."""
        return [message_from_bytes(content, policy=policy.default) for _, content in self.accepted]  # type: ignore[misc]


class AnyPort(Controller):  # type: ignore[misc]
    """aiosmtpd's controller on whatever port is free."""

    def _trigger_server(self) -> None:
        """Make the first connection to the port that the operating system gave."""
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


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
    running: list[Controller] = []

    def begin(relay: Relay, **options: object) -> int:
        controller = AnyPort(relay, hostname="127.0.0.1", port=0, **options)
        controller.start()
        running.append(controller)
        return int(controller.port)

    yield begin
    for controller in running:
        controller.stop()


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    opened = open_store(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def clock(now: datetime) -> SetClock:
    return SetClock(now)


@pytest.fixture
def send(store: Store, clock: SetClock, tmp_path: Path) -> Callable[..., Delivered]:
    """Delivers what is due, over a fresh postman as after a restart."""

    def deliver(mail: Mail, secrets: Secrets | None = None) -> Delivered:
        return Postman(store, mail, secrets or Secrets({}), tmp_path / "outbox", clock).deliver()

    return deliver


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


MAIL = plain(25, reply_to="office@school.example")


def letter(
    now: datetime,
    recipient: str = "owner@school.example",
    rendered: Rendered = REPORT,
    **more: Any,  # noqa: ANN401
) -> outbox.OutMessage:
    return compose(rendered, kind="daily", recipient=recipient, mail=MAIL, federation=FEDERATION, now=now, **more)


def put(store: Store, *letters: outbox.OutMessage) -> list[bool]:
    with store.write() as connection:
        return [outbox.queue(connection, letter) for letter in letters]


def troubled(store: Store, now: datetime) -> list[tuple[str, int, str]]:
    """(state, tries, error) of each message that the next digest must admit."""
    day = Window(start=now - timedelta(days=1), end=now + timedelta(days=1))
    with store.read() as connection:
        return [(m.state, m.attempts, m.error) for m in outbox.troubled(connection, day)]


def read(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=policy.default)  # type: ignore[return-value]


def test_the_headers_are_those_of_an_automatic_message_that_can_be_answered(now: datetime) -> None:
    message = read(letter(now).content)
    assert message["Subject"] == "[Federation] 2 need a reply, 1 overdue (Mon 23 Nov)"
    assert message["From"] == "Federation monitor <monitor@school.example>"
    assert message["To"] == "owner@school.example"
    assert message["Reply-To"] == "office@school.example"
    assert message["Date"].datetime == now
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["List-Id"] == "<daily.monitor.school.example>"
    assert message["List-Unsubscribe"] == "<mailto:office@school.example?subject=unsubscribe%20daily>"
    assert message["Content-Language"] == "en-GB"
    assert message["In-Reply-To"] is None
    assert message["Bcc"] is None


def test_both_bodies_survive_the_journey_in_seven_bits(now: datetime) -> None:
    made = letter(now)
    message = read(made.content)
    assert made.content.isascii()
    assert max(len(line) for line in made.content.splitlines()) <= 998
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text["Content-Transfer-Encoding"] == html["Content-Transfer-Encoding"] == "quoted-printable"
    assert text.get_content().replace("\r\n", "\n") == REPORT.text
    assert html.get_content().replace("\r\n", "\n") == REPORT.html
    assert message.get_content_type() == "multipart/alternative"


def test_the_id_is_the_reports_and_the_recipients_and_always_the_same(now: datetime) -> None:
    one, again = letter(now), letter(now + timedelta(hours=2))
    other = letter(now, "second@school.example")
    assert one.message_id == again.message_id == read(one.content)["Message-ID"]
    assert one.message_id != other.message_id
    assert one.message_id.startswith("<daily-2026-11-23.")
    assert "owner" not in one.message_id
    assert message_id("d", "A@b.c", "x.y") == message_id("d", "a@B.C", "x.y")


def test_updates_of_one_matter_stand_in_one_thread(now: datetime) -> None:
    message = read(letter(now, thread="incident.KJS-0042").content)
    assert message["In-Reply-To"] == message["References"] == "<incident.KJS-0042@school.example>"


def test_an_attachment_travels_along(now: datetime) -> None:
    file = Attachment(name="report.svg", kind="image/svg+xml", content=b"<svg/>")
    message = read(letter(now, attachments=(file,)).content)
    (found,) = message.iter_attachments()
    assert found.get_filename() == "report.svg"
    assert found.get_content_type() == "image/svg+xml"
    assert found.get_content() == b"<svg/>"


@pytest.mark.parametrize(
    ("mail", "federation", "sender"),
    [
        (Mail(), FEDERATION, "office@school.example"),
        (Mail(), Federation(), "monitor@localhost"),
        (Mail(sender="m@a.example"), FEDERATION, "m@a.example"),
    ],
)
def test_without_a_mailbox_of_its_own_the_contact_sends(
    now: datetime, mail: Mail, federation: Federation, sender: str
) -> None:
    made = compose(REPORT, kind="daily", recipient="o@a.example", mail=mail, federation=federation, now=now)
    message = read(made.content)
    assert message["From"].addresses[0].addr_spec == sender
    assert message["Reply-To"] is None
    assert f"mailto:{sender}?" in message["List-Unsubscribe"]


@pytest.mark.parametrize(
    "subject",
    [
        "all well\r\nBcc: everyone@else.example",
        "all well\nX-Evil: 1",
        "all\u2028well\u0085Bcc: x@y.z",
        "gpj.\u202elleW lla",
        "half a character \ud83c",
        "nul \0 and bell \a",
    ],
)
def test_no_subject_can_break_out_or_turn_round(now: datetime, subject: str) -> None:
    hostile = Rendered(name="n", subject=subject, html="h", text="t")
    made = letter(now, rendered=hostile)
    message = read(made.content)
    assert message["Bcc"] is None
    assert message["X-Evil"] is None
    assert len(message.get_all("Subject", [])) == 1
    assert not set(str(message["Subject"])) & set("\r\n\0\a\u202e\u2028\u0085")
    assert made.subject == str(message["Subject"])


@given(st.text())
def test_one_line_is_one_line_whatever_comes(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert line == line.strip() == one_line(line)
    assert line.isprintable() or not set(line) & set("\r\n\t\x1b\u202a\u202b\u202d\u202e\u2066\u2067\u2069\u200f")
    line.encode("utf-8")


def test_queueing_a_report_twice_is_one_message(store: Store, now: datetime) -> None:
    assert put(store, letter(now), letter(now + timedelta(minutes=1)), letter(now, "b@school.example")) == [
        True,
        False,
        True,
    ]


def test_each_recipient_gets_a_message_of_their_own_once(
    store: Store, now: datetime, start: Callable[..., int], send: Callable[..., Delivered], clock: SetClock
) -> None:
    relay = Relay()
    mail = plain(start(relay))
    put(store, letter(now), letter(now, "second@school.example"))
    assert send(mail) == Delivered(sent=2)
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
    clock.now += timedelta(days=1)
    assert put(store, letter(now)) == [False]
    assert send(mail) == Delivered()
    assert len(relay.accepted) == 2


def test_what_left_keeps_no_words_but_its_record(
    store: Store, now: datetime, start: Callable[..., int], send: Callable[..., Delivered]
) -> None:
    made = letter(now)
    put(store, made)
    with store.read() as connection:
        assert not outbox.was_sent(connection, made.message_id)
    send(plain(start(Relay())))
    with store.read() as connection:
        assert outbox.was_sent(connection, made.message_id)
        assert connection.exec_driver_sql("SELECT content FROM messages").scalar() == b""


def test_a_temporary_refusal_is_tried_again_later_and_admitted(
    store: Store, now: datetime, start: Callable[..., int], send: Callable[..., Delivered], clock: SetClock
) -> None:
    relay = Relay(answers=["451 try later", "452 still full", "250 OK"])
    mail = plain(start(relay))
    put(store, letter(now))
    assert send(mail) == Delivered(delayed=1)
    assert troubled(store, now) == [("queued", 1, "the mail server answered 451: try later")]
    assert send(mail) == Delivered()
    clock.now += timedelta(minutes=BACKOFF[0])
    assert send(mail) == Delivered(delayed=1)
    clock.now += timedelta(minutes=BACKOFF[1]) - timedelta(seconds=1)
    assert send(mail) == Delivered()
    clock.now += timedelta(seconds=1)
    assert send(mail) == Delivered(sent=1)
    assert troubled(store, now) == []
    assert len(relay.accepted) == 1


def test_the_wait_grows_and_then_stays(
    store: Store, now: datetime, send: Callable[..., Delivered], clock: SetClock
) -> None:
    put(store, letter(now))
    for tries in range(len(BACKOFF) + 2):
        assert send(plain(1)) == Delivered(delayed=1)
        clock.now += timedelta(minutes=BACKOFF[min(tries, len(BACKOFF) - 1)])
    assert troubled(store, now)[0][1] == len(BACKOFF) + 2


def test_a_refused_connection_is_tried_again(
    store: Store, now: datetime, start: Callable[..., int], send: Callable[..., Delivered], clock: SetClock
) -> None:
    put(store, letter(now))
    assert send(plain(1)) == Delivered(delayed=1)
    assert troubled(store, now) == [("queued", 1, "the mail server cannot be used (ConnectionRefusedError)")]
    clock.now += timedelta(minutes=BACKOFF[0])
    assert send(plain(start(Relay()))) == Delivered(sent=1)


def test_a_server_that_dies_after_taking_the_message_gets_it_again_under_the_same_id(
    store: Store, now: datetime, start: Callable[..., int], send: Callable[..., Delivered], clock: SetClock
) -> None:
    relay = Relay(answers=["250 and gone"])
    mail = plain(start(relay))
    put(store, letter(now))
    assert send(mail) == Delivered(delayed=1)
    clock.now += timedelta(minutes=BACKOFF[0])
    assert send(mail) == Delivered(sent=1)
    assert len(relay.accepted) == 2
    assert len({message["Message-ID"] for message in relay.messages()}) == 1


@pytest.mark.parametrize("relay", [Relay(answers=["554 not wanted"]), Relay(rcpt="550 nobody of that name")])
def test_a_permanent_refusal_is_final_and_admitted(
    store: Store,
    now: datetime,
    start: Callable[..., int],
    send: Callable[..., Delivered],
    clock: SetClock,
    relay: Relay,
) -> None:
    mail = plain(start(relay))
    put(store, letter(now))
    assert send(mail) == Delivered(refused=1)
    ((state, tries, error),) = troubled(store, now)
    assert (state, tries) == ("refused", 1)
    assert error.startswith("the mail server answered 55")
    clock.now += timedelta(days=1)
    assert send(mail) == Delivered()


def test_a_recipient_who_is_refused_for_now_is_tried_again(
    store: Store, now: datetime, start: Callable[..., int], send: Callable[..., Delivered]
) -> None:
    put(store, letter(now))
    assert send(plain(start(Relay(rcpt="450 mailbox busy")))) == Delivered(delayed=1)
    assert troubled(store, now)[0][2] == "the mail server answered 450: mailbox busy"


def test_one_refused_message_does_not_hold_the_others_up(
    store: Store, now: datetime, start: Callable[..., int], send: Callable[..., Delivered]
) -> None:
    relay = Relay(answers=["554 no", "250 OK"])
    put(store, letter(now), letter(now, "second@school.example"))
    assert send(plain(start(relay))) == Delivered(sent=1, refused=1)


def test_two_postmen_at_once_deliver_one_message(
    store: Store, now: datetime, start: Callable[..., int], tmp_path: Path, clock: SetClock
) -> None:
    relay = Relay(hold=threading.Event())
    mail = plain(start(relay))
    put(store, letter(now))
    results: list[Delivered] = []
    postmen = [Postman(store, mail, Secrets({}), tmp_path, clock) for _ in range(2)]
    slow = threading.Thread(target=lambda: results.append(postmen[0].deliver()))
    slow.start()
    try:
        while True:
            with store.read() as connection:
                if not outbox.due(connection, now):
                    break
        assert postmen[1].deliver() == Delivered()
    finally:
        assert relay.hold is not None
        relay.hold.set()
        slow.join()
    assert results == [Delivered(sent=1)]
    assert len(relay.accepted) == 1


def test_a_message_whose_postman_died_comes_back(
    store: Store, now: datetime, start: Callable[..., int], send: Callable[..., Delivered], clock: SetClock
) -> None:
    made = letter(now)
    put(store, made)
    with store.write() as connection:
        assert outbox.claim(connection, made, now=now, until=now + CLAIM)
        assert not outbox.claim(connection, made, now=now, until=now + CLAIM)
    mail = plain(start(Relay()))
    assert send(mail) == Delivered()
    clock.now += CLAIM
    assert send(mail) == Delivered(sent=1)


def test_without_a_relay_messages_are_laid_into_a_folder_for_its_owner_alone(
    store: Store, now: datetime, send: Callable[..., Delivered], tmp_path: Path
) -> None:
    made = letter(now)
    put(store, made)
    assert send(Mail()) == Delivered(filed=1)
    (file,) = (tmp_path / "outbox").iterdir()
    assert file.suffix == ".eml"
    assert file.read_bytes() == made.content
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert send(Mail()) == Delivered()


def test_a_folder_that_cannot_be_written_is_admitted(
    store: Store, now: datetime, send: Callable[..., Delivered], tmp_path: Path
) -> None:
    (tmp_path / "outbox").write_text("in the way")
    put(store, letter(now))
    assert send(Mail()) == Delivered(delayed=1)
    assert "cannot be written" in troubled(store, now)[0][2]


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
    store: Store,
    now: datetime,
    start: Callable[..., int],
    send: Callable[..., Delivered],
    certificate: Certificate,
) -> None:
    relay = Relay()
    port = start(relay, **authenticated(relay, certificate))
    mail = plain(port, security="starttls", username="monitor", ca_file=certificate.file)
    put(store, letter(now))
    assert send(mail, Secrets({"MONITOR_SMTP_PASSWORD": PASSWORD})) == Delivered(sent=1)
    assert relay.logins == [b"monitor"]
    assert relay.messages()[0]["To"] == "owner@school.example"


def test_encryption_from_the_first_byte_carries_the_message(
    store: Store,
    now: datetime,
    start: Callable[..., int],
    send: Callable[..., Delivered],
    certificate: Certificate,
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.file, certificate.key)
    relay = Relay()
    mail = plain(start(relay, ssl_context=context), security="tls", ca_file=certificate.file)
    put(store, letter(now))
    assert send(mail) == Delivered(sent=1)
    assert len(relay.accepted) == 1


def test_a_server_that_cannot_prove_who_it_is_gets_neither_password_nor_message(
    store: Store,
    now: datetime,
    start: Callable[..., int],
    send: Callable[..., Delivered],
    certificate: Certificate,
) -> None:
    relay = Relay()
    port = start(relay, **authenticated(relay, certificate))
    put(store, letter(now))
    mail = plain(port, security="starttls", username="monitor")
    assert send(mail, Secrets({"MONITOR_SMTP_PASSWORD": PASSWORD})) == Delivered(delayed=1)
    assert troubled(store, now)[0][2] == "the mail server cannot be used (SSLCertVerificationError)"
    assert relay.logins == []
    assert relay.accepted == []


def test_a_server_without_encryption_gets_neither_password_nor_message(
    store: Store, now: datetime, start: Callable[..., int], send: Callable[..., Delivered]
) -> None:
    relay = Relay()
    mail = plain(start(relay), security="starttls", username="monitor")
    put(store, letter(now))
    assert send(mail, Secrets({"MONITOR_SMTP_PASSWORD": PASSWORD})) == Delivered(delayed=1)
    assert troubled(store, now)[0][2] == "the mail server cannot be used (SMTPNotSupportedError)"
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
    store: Store,
    now: datetime,
    start: Callable[..., int],
    send: Callable[..., Delivered],
    certificate: Certificate,
    clock: SetClock,
    tmp_path: Path,
    secrets: dict[str, str],
    says: str,
) -> None:
    relay = Relay()
    port = start(relay, **authenticated(relay, certificate))
    mail = plain(port, security="starttls", username="monitor", ca_file=certificate.file)
    put(store, letter(now))
    assert send(mail, Secrets(secrets)) == Delivered(delayed=1)
    ((state, _, error),) = troubled(store, now)
    assert state == "queued"
    assert says in error
    with pytest.raises((DeliveryError, ConfigError)) as caught:
        Postman(store, mail, Secrets(secrets), tmp_path, clock).greet()
    shown = error + "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__)
    assert PASSWORD not in shown
    clock.now += timedelta(minutes=BACKOFF[0])
    assert send(mail, Secrets({"MONITOR_SMTP_PASSWORD": PASSWORD})) == Delivered(sent=1)


def test_a_greeting_sends_nothing(store: Store, start: Callable[..., int], tmp_path: Path, clock: SetClock) -> None:
    relay = Relay()
    Postman(store, plain(start(relay)), Secrets({}), tmp_path, clock).greet()
    assert relay.accepted == []
    with pytest.raises(DeliveryError, match=r"127\.0\.0\.1:1 cannot be used \(ConnectionRefusedError\)"):
        Postman(store, plain(1), Secrets({}), tmp_path, clock).greet()


def test_a_server_that_has_no_service_keeps_the_message_queued(
    store: Store, now: datetime, send: Callable[..., Delivered]
) -> None:
    import socketserver  # noqa: PLC0415 - this one test speaks SMTP by hand

    class Closed(socketserver.StreamRequestHandler):
        """Answers 554 to everybody."""

        def handle(self) -> None:
            self.wfile.write(b"554 no SMTP service here\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Closed) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        put(store, letter(now))
        assert send(plain(server.server_address[1])) == Delivered(delayed=1)
        server.shutdown()
        thread.join()
    assert troubled(store, now) == [("queued", 1, "the mail server answered 554: no SMTP service here")]
