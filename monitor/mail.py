"""Mail: a report becomes one message a recipient, waits in the outbox, and is sent once.

The guarantee: a message that the server accepted and that we recorded is never sent again. If the process
or the server dies after the server took the message and before we wrote that down, it is sent once more with
the same Message-ID, so that a mail program shows it once. Nothing is ever lost in between.
"""

from __future__ import annotations

import hashlib
import re
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from typing import TYPE_CHECKING, Final

from monitor.errors import ConfigError, DeliveryError, DeliveryRefused
from monitor.store import audit, outbox
from monitor.store.audit import Deed

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    import sqlalchemy as sa

    from monitor.records import Clock, Rendered
    from monitor.settings import Federation, Mail, Roles, Secrets
    from monitor.store.engine import Store

CLAIM: Final = timedelta(minutes=15)
"""How long one process has a message to itself; longer than any conversation with a mail server."""

ANSWER_SECONDS: Final = 180
"""How long a server that has let us in may take for each answer: one that still looks a message over when we hang up
has it, and would get it again (RFC 5321 4.5.3.2). Its four answers fit into the time of a claim."""

BACKOFF: Final = (1, 5, 15, 60, 240)
"""Minutes until the next try, by the number of failed tries; the last one repeats."""

PERMANENT: Final = 500
"""SMTP replies from here on are final (RFC 5321 4.2.1)."""


_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line and paragraph separators, marks of direction, halves of characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that travels with a message."""

    name: str
    kind: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What one delivery did: messages sent, laid into a folder, put off, refused for good."""

    sent: int = 0
    filed: int = 0
    delayed: int = 0
    refused: int = 0


def message_id(name: str, recipient: str, domain: str) -> str:
    """Return the id of one report for one recipient: always the same, and no address in it."""
    digest = hashlib.sha256(recipient.casefold().encode()).hexdigest()[:12]
    return f"<{name}.{digest}@{domain}>"


def sender_of(mail: Mail, federation: Federation) -> str:
    """Return the address that messages come from."""
    return mail.sender or federation.contact or "monitor@localhost"


def mail_id(name: str, recipient: str, mail: Mail, federation: Federation) -> str:
    """Return the id that `compose` gives to the report `name` for `recipient`."""
    return message_id(name, recipient, sender_of(mail, federation).rpartition("@")[2])


def compose(
    rendered: Rendered,
    *,
    kind: str,
    recipient: str,
    mail: Mail,
    federation: Federation,
    now: datetime,
    thread: str = "",
    attachments: tuple[Attachment, ...] = (),
) -> outbox.OutMessage:
    """Return a report as a message, ready for the outbox.

    Args:
        rendered: the report.
        kind: "daily", "weekly", "alert", "spike" or "incident".
        recipient: one plain address.
        mail: whose sender stands in From.
        federation: names the subject line and the list.
        now: date of the message.
        thread: root of a thread, for updates that belong together; "" for a message of its own.
        attachments: files.
    """
    sender = sender_of(mail, federation)
    domain = sender.rpartition("@")[2]
    own_id = mail_id(rendered.name, recipient, mail, federation)
    message = EmailMessage(policy=policy.SMTP)
    message["Subject"] = one_line(f"[{federation.short_name}] {rendered.subject}")
    message["From"] = Address(f"{federation.short_name} monitor", addr_spec=sender)
    message["To"] = recipient
    if mail.reply_to:
        message["Reply-To"] = mail.reply_to
    message["Date"] = now
    message["Message-ID"] = own_id
    if thread:
        root = f"<{thread}@{domain}>"
        message["In-Reply-To"] = root
        message["References"] = root
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["List-Id"] = f"<{kind}.monitor.{domain}>"
    message["List-Unsubscribe"] = f"<mailto:{mail.reply_to or sender}?subject=unsubscribe%20{kind}>"
    message.set_content(rendered.text, cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    for attachment in attachments:
        main, _, sub = attachment.kind.partition("/")
        message.add_attachment(attachment.content, maintype=main, subtype=sub, filename=attachment.name)
    # last of all: setting a body takes earlier Content headers with it
    message["Content-Language"] = "en-GB"
    return outbox.OutMessage(
        message_id=own_id,
        kind=kind,
        recipient=recipient,
        subject=str(message["Subject"]),
        content=message.as_bytes(),
        queued=now,
        next_try=now,
    )


def one_line(text: str) -> str:
    """Return `text` fit for a header: what breaks a line or turns its direction becomes a single space."""
    return " ".join(_UNSEEN.sub(" ", text).split())


class Postman:
    """Sends what is due in the outbox, over SMTP or, without a relay, into a folder.

    Args:
        store: holds the outbox.
        mail: the relay.
        secrets: holds SMTP_PASSWORD.
        folder: where messages are laid when there is no relay.
        clock: tells the time.
    """

    def __init__(
        self, store: Store, mail: Mail, secrets: Secrets, folder: Path, clock: Clock, *, roles: Roles | None = None
    ) -> None:
        self._store = store
        self._mail = mail
        self._secrets = secrets
        self._folder = folder
        self._clock = clock
        self._roles = roles

    def deliver(self) -> Delivered:
        """Try every message that is due, once. Failures are recorded and come back later, never raised."""
        with self._store.read() as connection:
            waiting = outbox.due(connection, self._clock())
        sent = filed = delayed = refused = 0
        for message in waiting:
            now = self._clock()
            with self._store.write() as connection:
                if not outbox.claim(connection, message, now=now, until=now + CLAIM):
                    continue
            try:
                how = self._send(message)
            except DeliveryError as error:
                final = isinstance(error, DeliveryRefused)
                self._record_failure(message, str(error), final=final)
                refused += final
                delayed += not final
            else:
                with self._store.write() as connection:
                    outbox.mark_sent(connection, message, at=self._clock(), how=how)
                    self._note(connection, message)
                sent += how == "smtp"
                filed += how == "file"
        return Delivered(sent=sent, filed=filed, delayed=delayed, refused=refused)

    def _note(self, connection: sa.Connection, message: outbox.OutMessage) -> None:
        """Write into the audit which report went to which role; never an address."""
        roles = self._roles.held_by(message.recipient) if self._roles else ()
        name = message.message_id.strip("<>").rpartition("@")[0].rpartition(".")[0]
        audit.append(
            connection,
            at=self._clock(),
            who=audit.CLOCK,
            what=Deed.SENT,
            about=f"{message.kind} {name} to {' and '.join(roles) or 'a role that is no longer named'}",
        )

    def greet(self) -> None:
        """Connect, prove who the server is, log in and say goodbye; nothing is sent.

        Raises:
            DeliveryError: the relay cannot be used.
            ConfigError: the password is missing.
        """
        try:
            with self._connect() as server:
                server.noop()
        except (smtplib.SMTPException, OSError) as error:
            raise DeliveryError(
                f"the mail server {self._mail.host}:{self._mail.port} cannot be used ({type(error).__name__})"
            ) from error

    def _record_failure(self, message: outbox.OutMessage, error: str, *, final: bool) -> None:
        """Write a failure down, with the time of the next try."""
        wait = timedelta(minutes=BACKOFF[min(message.attempts, len(BACKOFF) - 1)])
        with self._store.write() as connection:
            outbox.mark_failed(connection, message, error=error, next_try=self._clock() + wait, final=final)

    def _send(self, message: outbox.OutMessage) -> str:
        """Send one message; return how it left.

        Raises:
            DeliveryError, DeliveryRefused: it did not.
        """
        if not self._mail.host:
            self._file(message)
            return "file"
        try:
            server = self._connect()
            try:
                if server.sock:
                    server.sock.settimeout(max(self._mail.timeout_seconds, ANSWER_SECONDS))
                server.sendmail(self._mail.sender, [message.recipient], message.content)
            finally:
                # the message is accepted or not by now: a rude goodbye must not count as a failure
                with suppress(smtplib.SMTPException, OSError):
                    server.quit()
        except ConfigError as error:
            raise DeliveryError(error.problem) from error
        except (smtplib.SMTPConnectError, smtplib.SMTPHeloError, smtplib.SMTPAuthenticationError) as error:
            # it refuses us, not the message: that waits until a person has mended the relay
            raise _answered(DeliveryError, error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPRecipientsRefused as error:
            code, reason = next(iter(error.recipients.values()))
            raise _answered(_meaning(code), code, reason) from error
        except smtplib.SMTPResponseException as error:
            raise _answered(_meaning(error.smtp_code), error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPException, OSError) as error:
            raise DeliveryError(f"the mail server cannot be used ({type(error).__name__})") from error
        return "smtp"

    def _connect(self) -> smtplib.SMTP:
        """Open a connection that proved who the server is and who we are."""
        mail = self._mail
        context = ssl.create_default_context(cafile=str(mail.ca_file) if mail.ca_file else None)
        server: smtplib.SMTP
        if mail.security == "tls":
            server = smtplib.SMTP_SSL(mail.host, mail.port, timeout=mail.timeout_seconds, context=context)
        else:
            server = smtplib.SMTP(mail.host, mail.port, timeout=mail.timeout_seconds)
        try:
            if mail.security == "starttls":
                server.starttls(context=context)
            if mail.username:
                password = self._secrets.need("SMTP_PASSWORD", f"to log in to {mail.host}")
                server.login(_ascii(mail.username), _ascii(password.get_secret_value()))
        except BaseException:
            server.close()
            raise
        return server

    def _file(self, message: outbox.OutMessage) -> None:
        """Lay a message into the folder as an .eml file that only its owner can read."""
        name = re.sub(r"[^\w.@-]", "_", message.message_id.strip("<>"))
        target = self._folder / f"{name}.eml"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = target.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_bytes(message.content)
            fresh.replace(target)
        except OSError as error:
            raise DeliveryError(f"the folder {self._folder} cannot be written: {error.strerror}") from error


def _ascii(credential: str) -> str:
    """Return a user name or password that smtplib can send; its own error would carry the password along."""
    if not credential.isascii():
        raise DeliveryError("the mail server's user name or password has characters outside ASCII")
    return credential


def _meaning(code: int) -> type[DeliveryError]:
    """Return the error that an SMTP reply to a message means."""
    return DeliveryRefused if code >= PERMANENT else DeliveryError


def _answered(kind: type[DeliveryError], code: int, reason: bytes | str) -> DeliveryError:
    """Return an error that quotes the server."""
    words = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
    return kind(one_line(f"the mail server answered {code}: {words}")[:200])
