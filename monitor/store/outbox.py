"""The outbox: a message is written down before it is sent, and sent once.

A message's id is made from the report and the recipient, so queueing the same report twice is one message.
`sent` is the record that it left; a restart reads it and does not send again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from monitor.store.schema import messages, sent

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.records import Window

QUEUED, SENT, REFUSED = "queued", "sent", "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutMessage:
    """One message to one recipient.

    Attributes:
        message_id: with angle brackets, as in the header.
        kind: "daily", "weekly", "alert", "incident".
        content: the whole message as bytes, ready for SMTP.
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


def due(connection: sa.Connection, now: datetime) -> tuple[OutMessage, ...]:
    """Return the queued messages whose next try has come, oldest first."""
    rows = connection.execute(
        sa.select(messages)
        .where(messages.c.state == QUEUED, messages.c.next_try <= now)
        .order_by(messages.c.queued, messages.c.message_id)
    )
    return tuple(_message(row) for row in rows)


def claim(connection: sa.Connection, message: OutMessage, *, now: datetime, until: datetime) -> bool:
    """Take a due message for one try; return False if another process took or sent it meanwhile.

    It comes back at `until`, should the process die before it says what became of the try.
    """
    taken = connection.execute(
        sa.update(messages)
        .where(
            messages.c.message_id == message.message_id,
            messages.c.state == QUEUED,
            messages.c.next_try <= now,
        )
        .values(next_try=until)
    )
    return taken.rowcount == 1


def mark_sent(connection: sa.Connection, message: OutMessage, *, at: datetime, how: str) -> None:
    """Record that a message left, `how` being "smtp" or "file"; its content is kept no longer."""
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
    )
