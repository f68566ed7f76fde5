"""The world of the fault matrix: sources to read and a mail server, both of which can kill whoever calls them.

The mail server is aiosmtpd's, a real one. Each of its replies is two steps: the moment before it is sent (for the
message itself: accepted, and nobody told) and the moment after.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import TYPE_CHECKING, Any, Final, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from monitor.rehearsal.feeds import Item, rss
from monitor.rehearsal.mastodon import Mastodon, Status
from monitor.rehearsal.server import Reply, Request, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

NOW: Final = datetime(2026, 11, 23, 7, 20, tzinfo=UTC)
"""A Monday in term, ten minutes before the digest."""

PAPER: Final = (
    ("toilets", "Toilets at King James's School in Knaresborough are locked again", "Parents complain to the paper."),
    (
        "threat",
        "KJS Knaresborough",
        "I am going to stab the headteacher of King James's School, Knaresborough tomorrow.",
    ),
    ("praise", "Choir of Boroughbridge High School sings", "Well done Boroughbridge High School, what a concert."),
    ("council", "Council meets", "Nothing about any school was said at the council meeting."),
)
FORUM: Final = (
    ("toilets", "Toilets at King James's School in Knaresborough are locked again", "Parents complain to the paper."),
    ("bus", "Bus to Boroughbridge High School late", "The bus to Boroughbridge High School was late again today."),
)
"""The forum tells the paper's first story too: one article in two feeds."""

POSTS: Final = ("no heating again", "the choir was lovely", "my son is being bullied every day and nobody helps")


@dataclass(slots=True)
class Reaper:
    """Kills one process when the servers have counted far enough.

    Attributes:
        counted: what was counted so far, by name.
        at: the number at which it strikes, from 1; 0 for never.
        on: words of the name at which it strikes; "" for none.
    """

    counted: list[str] = field(default_factory=list)
    at: int = 0
    on: str = ""
    _victim: int = 0
    _known: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, at: int = 0, *, on: str = "") -> None:
        """Count anew, and strike at a number, or once at a name."""
        self.counted, self.at, self.on, self._victim = [], at, on, 0
        self._known.clear()

    def aim(self, victim: int) -> None:
        """Say whom it will be."""
        self._victim = victim
        self._known.set()

    def count(self, name: str) -> None:
        """Count one step, and strike if it is the one."""
        with self._lock:
            self.counted.append(name)
            due = len(self.counted) == self.at or bool(self.on and self.on in name)
            self.on = "" if due else self.on
        if due:
            self._known.wait(30)
            os.kill(self._victim, signal.SIGKILL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message that the mail server accepted."""

    id: str
    recipient: str
    content: bytes


@dataclass(slots=True)
class Postbox:
    """What the mail server accepted; `refuses` is what it answers instead, "" to accept."""

    received: list[Received] = field(default_factory=list)
    refuses: str = ""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ANN401, N802
        """Take a message in."""
        del server, session
        if self.refuses:
            return self.refuses
        content = bytes(envelope.content)
        self.received.append(
            Received(id=str(message_from_bytes(content)["Message-ID"]), recipient=envelope.rcpt_tos[0], content=content)
        )
        return "250 taken"


class _Counted(SMTP):
    """aiosmtpd's protocol, each reply of which is counted before and after it is sent."""

    reaper: Reaper

    async def push(self, status: Any) -> None:  # noqa: ANN401 - str or bytes, as aiosmtpd has it
        """Send one reply."""
        words = status.decode() if isinstance(status, bytes) else status
        self.reaper.count(f"mail server, before it answers {words[:24]!r}")
        await super().push(status)
        self.reaper.count(f"mail server, after it answered {words[:24]!r}")


class _Office(Controller):
    """aiosmtpd's controller on a free port."""

    def __init__(self, box: Postbox, reaper: Reaper) -> None:
        self._protocol = type("_Reaping", (_Counted,), {"reaper": reaper})
        super().__init__(box, hostname="127.0.0.1", port=0)

    def factory(self) -> SMTP:
        """Make the protocol of one connection."""
        made: SMTP = self._protocol(self.handler, hostname="post.example", loop=self.loop)
        return made

    def _trigger_server(self) -> None:
        """Make the first connection to the port that the operating system gave."""
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


class Town:
    """Two feeds, a Mastodon instance and a mail server; a context manager. `reset` between scenarios."""

    def __init__(self) -> None:
        self.reaper = Reaper()
        self.box = Postbox()
        self.mastodon = Mastodon()
        self.reset()
        self.server = Server(
            {
                "/paper": lambda _: rss("Paper", _items("paper.example", PAPER)),
                "/forum": lambda _: rss("Forum", _items("paper.example", FORUM)),
                **self.mastodon.routes,
            }
        )
        self._office = _Office(self.box, self.reaper)

    def __enter__(self) -> Self:
        self.server.play(self._counted)
        self.server.start()
        self._office.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._office.stop()
        self.server.stop()

    def reset(self) -> None:
        """Put everything back as it was."""
        self.box.refuses = ""
        self.box.received = []
        self.mastodon.statuses = [
            Status(
                id=str(number),
                html=f"<p>Boroughbridge High School: {words} #BoroughbridgeHigh</p>",
                created=NOW - timedelta(hours=number),
                uri=f"https://mastodon.example/statuses/{number}",
                url=f"https://mastodon.example/@invented/{number}",
            )
            for number, words in enumerate(POSTS, start=1)
        ]

    def take_back(self, number: int, *, words: str = "") -> None:
        """Delete one Mastodon post at its source, or give it other words."""
        post = self.mastodon.statuses[number - 1]
        changed = replace(post, html=f"<p>{words}</p>", edited=NOW) if words else replace(post, deleted=True)
        self.mastodon.statuses[number - 1] = changed

    def config(self, database: str) -> str:
        """Return the monitor.toml of a monitor that reads this town; `database` "" for SQLite."""
        school = 'dsl = "dsl@school.example"\n'
        return (
            '[federation]\ncontact = "monitor@school.example"\n'
            f'[storage]\ndatabase = "{database}"\n'
            '[privacy.dpia]\nreference = "none"\nowner = "nobody"\nsigned = 2026-01-01\nreview_due = 2030-01-01\n'
            '[roles]\nresponse_owner = "owner@school.example"\nsenior_leader = "leader@school.example"\n'
            '[schedule]\nweekly_day = "thu"\n'
            f"[roles.schools.BHS]\n{school}[roles.schools.KJS]\n{school}"
            f'[mail]\nhost = "127.0.0.1"\nport = {self._office.port}\nsecurity = "none"\n'
            'sender = "monitor@school.example"\n'
            f'[reading]\nprivate_hosts = ["{self.server.host}"]\n'
            f'[sources.mastodon]\ninstances = ["{self.server.url}"]\n'
            "[sources.pages]\nenabled = false\n"
            f'[[sources.feeds.feeds]]\nname = "Paper"\nurl = "{self.server.url}/paper"\n'
            f'[[sources.feeds.feeds]]\nname = "Forum"\nurl = "{self.server.url}/forum"\n'
        )

    def _counted(self, request: Request, reply: Reply) -> Reply:
        """Count the moment before an answer and the moment in its middle."""
        self.reaper.count(f"source, before it answers {request.path}")
        whole = reply.whole()

        def pieces() -> Iterator[bytes]:
            yield whole[: len(whole) // 2]
            self.reaper.count(f"source, half-way through {request.path}")
            yield whole[len(whole) // 2 :]

        return replace(reply, body=pieces())


def _items(host: str, told: tuple[tuple[str, str, str], ...]) -> list[Item]:
    """Return the entries of a feed."""
    return [
        Item(
            id=f"{host}/{name}",
            link=f"https://{host}/{name}",
            title=title,
            text=text,
            published=NOW - timedelta(hours=2 + number),
        )
        for number, (name, title, text) in enumerate(told)
    ]
