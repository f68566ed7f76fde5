"""The outbox: a message is written down before it is sent, and sent once.

A message's id is made from the report and the recipient, so queueing the same report twice is one message.
`sent` is the record that it left; a restart reads it and does not send again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from monitor.store.batches import batched
from monitor.store.schema import messages, sent

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from monitor.records import Window

QUEUED, SENT, REFUSED = "queued", "sent", "refused"

LONGEST_WAIT: Final = timedelta(hours=12)
"""No try is ever put off for so long: a next try further away was set while the clock was ahead."""

MAIL, CHANNEL = "mail", "channel"
"""Who carries a message: the mail relay, or a channel that Apprise knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutMessage:
    """One message to one recipient.

    Attributes:
        message_id: with angle brackets, as in the header.
        kind: "daily", "weekly", "alert", "incident", "spike".
        recipient: an address; for a channel the name of the secret that holds its address.
        content: the whole message as bytes, ready for SMTP; for a channel plain text in UTF-8.
        carrier: "mail" or "channel".
        attempts, next_try, error: how often it was tried, when again, and why it failed last.
    """

    message_id: str
    kind: str
    recipient: str
    subject: str
    content: bytes = field(repr=False)
    queued: datetime
    state: str = QUEUED
    attempts: int = 0
    next_try: datetime
    error: str = ""
    carrier: str = MAIL


def queue(connection: sa.Connection, message: OutMessage) -> bool:
    """Put a message in the outbox; return False if it is there already or was sent."""
    for table in (messages, sent):
        if connection.scalar(
            sa.select(sa.func.count()).select_from(table).where(table.c.message_id == message.message_id)
        ):
            return False
    connection.execute(
        sa.insert(messages).values(
            message_id=message.message_id,
            kind=message.kind,
            recipient=message.recipient,
            carrier=message.carrier,
            subject=message.subject,
            content=message.content,
            queued=message.queued,
            state=message.state,
            attempts=message.attempts,
            next_try=message.next_try,
            error=message.error,
        )
    )
    return True


def due(connection: sa.Connection, now: datetime, *, carrier: str = MAIL) -> tuple[OutMessage, ...]:
    """Return one carrier's queued messages whose next try has come, oldest first."""
    rows = connection.execute(
        sa.select(messages)
        .where(messages.c.state == QUEUED, _is_due(now), messages.c.carrier == carrier)
        .order_by(messages.c.queued, messages.c.message_id)
    )
    return tuple(_message(row) for row in rows)


def _is_due(now: datetime) -> sa.ColumnElement[bool]:
    """Return the condition that a message's next try has come, or lies so far off that the clock was ahead."""
    return sa.or_(messages.c.next_try <= now, messages.c.next_try > now + LONGEST_WAIT)


def claim(connection: sa.Connection, message: OutMessage, *, now: datetime, until: datetime) -> bool:
    """Take a due message for one try; return False if another process took or sent it meanwhile.

    It comes back at `until`, should the process die before it says what became of the try.
    """
    taken = connection.execute(
        sa.update(messages)
        .where(
            messages.c.message_id == message.message_id,
            messages.c.state == QUEUED,
            _is_due(now),
        )
        .values(next_try=until)
    )
    return taken.rowcount == 1


def mark_sent(connection: sa.Connection, message: OutMessage, *, at: datetime, how: str) -> None:
    """Record that a message left, `how` being "smtp", "file" or "channel"; its content is kept no longer."""
    connection.execute(
        sa.update(messages).where(messages.c.message_id == message.message_id).values(state=SENT, content=b"", error="")
    )
    connection.execute(
        sa.insert(sent).values(message_id=message.message_id, recipient=message.recipient, at=at, how=how)
    )


def mark_failed(connection: sa.Connection, message: OutMessage, *, error: str, next_try: datetime, final: bool) -> None:
    """Record a failed try: again at `next_try`, or never if the refusal is final."""
    connection.execute(
        sa.update(messages)
        .where(messages.c.message_id == message.message_id)
        .values(
            state=REFUSED if final else QUEUED,
            attempts=message.attempts + 1,
            next_try=next_try,
            error=error,
        )
    )


def troubled(connection: sa.Connection, window: Window) -> tuple[OutMessage, ...]:
    """Return messages queued in `window` that are refused or failed at least once and are not sent yet."""
    rows = connection.execute(
        sa.select(messages)
        .where(
            messages.c.queued >= window.start,
            messages.c.queued < window.end,
            messages.c.state != SENT,
            messages.c.attempts > 0,
        )
        .order_by(messages.c.queued, messages.c.message_id)
    )
    return tuple(_message(row) for row in rows)


def waiting(connection: sa.Connection) -> tuple[int, datetime | None]:
    """Return how many messages wait to be sent, whoever carries them, and since when the oldest of them does."""
    row = connection.execute(
        sa.select(sa.func.count(), sa.func.min(messages.c.queued)).where(messages.c.state == QUEUED)
    ).one()
    return int(row[0]), row[1]


def undelivered(connection: sa.Connection, *, carrier: str) -> tuple[OutMessage, ...]:
    """Return one carrier's messages that failed at least once and are not delivered, however old."""
    rows = connection.execute(
        sa.select(messages)
        .where(messages.c.carrier == carrier, messages.c.state != SENT, messages.c.attempts > 0)
        .order_by(messages.c.queued, messages.c.message_id)
    )
    return tuple(_message(row) for row in rows)


def queued_at(connection: sa.Connection, message_ids: Iterable[str]) -> dict[str, datetime]:
    """Return when each of these messages was put into the outbox; those that never were are missing."""
    out: dict[str, datetime] = {}
    for chunk in batched(sorted(set(message_ids))):
        rows = connection.execute(
            sa.select(messages.c.message_id, messages.c.queued).where(messages.c.message_id.in_(chunk))
        )
        out |= {row.message_id: row.queued for row in rows}
    return out


def with_content(connection: sa.Connection) -> tuple[OutMessage, ...]:
    """Return every message whose content is still here: it waits, or was refused."""
    return tuple(_message(row) for row in connection.execute(sa.select(messages).where(messages.c.content != b"")))


def replace_content(connection: sa.Connection, message: OutMessage, content: bytes) -> None:
    """Put another content in the place of a message's own; b"" for none."""
    connection.execute(sa.update(messages).where(messages.c.message_id == message.message_id).values(content=content))


def was_sent(connection: sa.Connection, message_id: str) -> bool:
    """Whether a message left."""
    return bool(connection.scalar(sa.select(sa.func.count()).select_from(sent).where(sent.c.message_id == message_id)))


def _message(row: Any) -> OutMessage:  # noqa: ANN401 - a database row
    """Turn a row into a record."""
    return OutMessage(
        message_id=row.message_id,
        kind=row.kind,
        recipient=row.recipient,
        subject=row.subject,
        content=row.content,
        queued=row.queued,
        state=row.state,
        attempts=row.attempts,
        next_try=row.next_try,
        error=row.error,
        carrier=row.carrier,
    )
