"""Channels: an urgent alert also goes by Teams, SMS gateway or push, through whatever Apprise knows.

Every message waits in the outbox beside the e-mails and has their guarantee: one that a channel took and that we
recorded is never sent again; if the process dies in between, it is sent once more; nothing is lost. Mail goes
first, and all channels together get a few seconds a round, so that one that hangs never holds an e-mail up.

A channel's Apprise address carries its token. It is read from a secret when it is needed, and stands in no log,
no error and no record: the outbox knows the secret's name alone.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self

from monitor.errors import ConfigError, DeliveryError
from monitor.mail import BACKOFF, CLAIM, Delivered, message_id, one_line
from monitor.store import audit, outbox
from monitor.store.audit import Deed

if TYPE_CHECKING:
    from datetime import datetime

    from apprise import NotifyBase

    from monitor.records import Clock
    from monitor.settings import Secrets
    from monitor.store.engine import Store

PATIENCE: Final = timedelta(seconds=20)
"""How long all channels together may take in one round; what did not answer by then counts as failed."""

AT_ONCE: Final = 16
"""Messages that one round takes at most; the others are due again in a minute."""

_ANSWERED: Final = re.compile(r"\berror=(\d{3})\b")
_TELL_TOKENS: Final = ("apprise", "urllib3", "requests_oauthlib", "oauthlib")
"""Libraries whose finer logs hold addresses, and so tokens."""


def channel_message(name: str, *, kind: str, channel: str, title: str, body: str, now: datetime) -> outbox.OutMessage:
    """Return a message over a channel, ready for the outbox.

    Args:
        name: of the report, as for an e-mail.
        kind: "alert".
        channel: name of the secret that holds the channel's address.
        title: one line of plain text.
        body: plain text. Neither holds a word of a post, a handle or a link.
        now: zone-aware.
    """
    return outbox.OutMessage(
        message_id=channel_id(name, channel),
        kind=kind,
        recipient=channel,
        subject=one_line(title),
        content=body.encode(),
        queued=now,
        next_try=now,
        carrier=outbox.CHANNEL,
    )


def channel_id(name: str, channel: str) -> str:
    """Return the id of one report over one channel: always the same."""
    return message_id(name, channel, outbox.CHANNEL)


@dataclass(slots=True)
class _Try:
    """One message on its way; `error` is None until it is known, and "" when it arrived."""

    message: outbox.OutMessage
    error: str | None = None
    thread: threading.Thread = field(init=False)


class Courier:
    """Takes what waits in the outbox to the channels.

    Args:
        store: holds the outbox.
        secrets: hold the channels' addresses.
        clock: tells the time.
        patience: how long one round waits for all channels together.
    """

    def __init__(self, store: Store, secrets: Secrets, clock: Clock, patience: timedelta = PATIENCE) -> None:
        self._store = store
        self._secrets = secrets
        self._clock = clock
        self._patience = patience

    def deliver(self) -> Delivered:
        """Try every message that is due, once, all at the same time. Failures are recorded and come back later."""
        with self._store.read() as connection:
            waiting = outbox.due(connection, self._clock(), carrier=outbox.CHANNEL)[:AT_ONCE]
        tries = [self._begin(message) for message in waiting if self._claim(message)]
        patience_ends = time.monotonic() + self._patience.total_seconds()
        for one in tries:
            one.thread.join(max(0.0, patience_ends - time.monotonic()))
            self._record(
                one.message, f"{one.message.recipient} did not answer in time" if one.error is None else one.error
            )
        sent = sum(one.error == "" for one in tries)
        return Delivered(sent=sent, delayed=len(tries) - sent)

    def check(self, channel: str) -> str:
        """Return what kind of service stands behind a channel; nothing is sent.

        Raises:
            DeliveryError: the channel cannot be used; the sentence holds no part of its address.
        """
        return str(self._service(channel).service_name)

    def send(self, channel: str, title: str, body: str) -> None:
        """Send one message over a channel, now.

        Raises:
            DeliveryError: it did not arrive; the sentence holds no part of the channel's address.
        """
        service = self._service(channel)
        with _Answers() as answers:
            arrived = service.notify(title=title, body=body)
        if not arrived:
            raise DeliveryError(f"{channel} did not take it{answers.said}")

    def _claim(self, message: outbox.OutMessage) -> bool:
        """Take a message for one try; another process may have it."""
        now = self._clock()
        with self._store.write() as connection:
            return outbox.claim(connection, message, now=now, until=now + CLAIM)

    def _begin(self, message: outbox.OutMessage) -> _Try:
        """Send a message in a thread of its own, which nobody has to wait for at the end."""
        one = _Try(message)

        def attempt() -> None:
            try:
                self.send(message.recipient, message.subject, message.content.decode())
            except DeliveryError as error:
                one.error = str(error)
            except Exception as fault:  # noqa: BLE001 - recorded below; its words may hold the address
                one.error = f"{message.recipient} failed with a fault of its own ({type(fault).__name__})"
            else:
                one.error = ""

        one.thread = threading.Thread(target=attempt, name=message.message_id, daemon=True)
        one.thread.start()
        return one

    def _record(self, message: outbox.OutMessage, error: str) -> None:
        """Write down what became of a try."""
        now = self._clock()
        with self._store.write() as connection:
            if not error:
                outbox.mark_sent(connection, message, at=now, how=outbox.CHANNEL)
                name = message.message_id.strip("<>").rpartition("@")[0].rpartition(".")[0]
                about = f"{message.kind} {name} over {message.recipient}"
                audit.append(connection, at=now, who=audit.CLOCK, what=Deed.SENT, about=about)
                return
            wait = timedelta(minutes=BACKOFF[min(message.attempts, len(BACKOFF) - 1)])
            outbox.mark_failed(connection, message, error=error, next_try=now + wait, final=False)

    def _service(self, channel: str) -> NotifyBase:
        """Return the service behind a channel.

        Raises:
            DeliveryError: Apprise is not installed, or the secret is missing or holds no address it can use.
        """
        try:
            from apprise import Apprise, AppriseAsset  # noqa: PLC0415 - an extra, and large
        except ImportError as error:
            raise DeliveryError("channels need the extra: pip install 'federation-monitor[channels]'") from error
        _keep_quiet()
        try:
            address = self._secrets.need(channel, "it holds the Apprise address of a channel")
        except ConfigError as error:
            raise DeliveryError(error.problem) from error
        asset = AppriseAsset(secure_logging=True, storage_mode="memory")
        service = Apprise.instantiate(address.get_secret_value(), asset=asset)
        if service is None:
            raise DeliveryError(f"the secret {channel} holds no address that Apprise can use")
        return service


def _keep_quiet() -> None:
    """Let no library log an address: warnings of theirs go nowhere, and their finer lines are not made."""
    for name in _TELL_TOKENS:
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


class _Answers(logging.Handler):
    """Listens to what Apprise logs in this thread, and keeps no more of it than an HTTP status.

    Attributes:
        said: ": it answered 503", "" where no status was heard.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said = ""
        self._own = threading.get_ident()

    def __enter__(self) -> Self:
        logging.getLogger("apprise").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("apprise").removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the status, if there is one."""
        found = _ANSWERED.search(record.getMessage())
        if found and record.thread == self._own:
            self.said = f": it answered {found.group(1)}"
