"""A report becomes one message a recipient, with headers that cannot be broken and bodies that survive."""

from __future__ import annotations

from datetime import datetime, timedelta
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.mail import Attachment, compose, message_id, one_line
from monitor.records import Rendered
from monitor.settings import Federation, Mail

if TYPE_CHECKING:
    from email.message import EmailMessage

    from monitor.store.outbox import OutMessage

FEDERATION = Federation(short_name="Federation", contact="office@school.example")
MAIL = Mail(sender="monitor@school.example", reply_to="office@school.example")
REPORT = Rendered(
    name="daily-2026-11-23",
    subject="2 need a reply, 1 overdue (Mon 23 Nov)",
    html="<p>Knaresborough &amp; Boroughbridge – all well 🏫</p>\n" + "<p>" + "long line " * 200 + "</p>\n",  # noqa: RUF001
    text="Knaresborough – all well 🏫\n.\nFrom here on\n" + "long line " * 200 + "\n",  # noqa: RUF001
)


def letter(
    now: datetime,
    recipient: str = "owner@school.example",
    rendered: Rendered = REPORT,
    **more: Any,  # noqa: ANN401
) -> OutMessage:
    return compose(rendered, kind="daily", recipient=recipient, mail=MAIL, federation=FEDERATION, now=now, **more)


def read(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=policy.default)


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
