"""A fortnight in an invented town: what is said when, by whom it is served, and the clock that lives through it.

Every word, person and outlet is invented. The platforms are those of `monitor.rehearsal`, over real HTTP; mail goes
to a real SMTP server; nothing but the product's own jobs runs, each at the moment the schedule means.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from monitor.jobs import incident
from monitor.jobs.casework import Act, Doing, act
from monitor.jobs.incident_terms import Terms
from monitor.jobs.judge import judge_pending
from monitor.jobs.workplace import open_workplace
from monitor.rehearsal import bluesky, feeds, mastodon
from monitor.rehearsal.server import Reply, Server, status
from monitor.settings import Secrets, Settings
from scheduler import Clockwork
from tests.test_main_job import Hands, Postbox, post_office

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage
    from pathlib import Path

    from monitor.jobs.incident import Page
    from monitor.jobs.workplace import Workplace
    from monitor.rehearsal.server import Request, Route

BEGINS: Final = datetime(2026, 11, 9, 8, 0, tzinfo=UTC)
"""A Monday in term, when London keeps UTC; the fortnight ends with the weekly report of the Monday two weeks later."""
ENDS: Final = BEGINS + timedelta(days=14)
LOOKS_EVERY: Final = timedelta(hours=6)
LOOKS_AT: Final = timedelta(minutes=15)
"""How long after `BEGINS` the first reading is: one of them falls on the Sunday's 02:15."""
DELIVERS_EVERY: Final = timedelta(minutes=30)
WAKEFUL: Final = timedelta(hours=1)
"""How long after an alert delivery runs every minute, as it does all the time in life."""

HOSPICE = "Pupils of Boroughbridge High School walked through the night and brought the hospice £3,200. Well done all!"
HOSPICE_HEADLINE = "Pupils' moonlit walk brings hospice £3,200"
BUS = "Does the 8:05 bus to Boroughbridge High School still stop at Roecliffe? The timetable says no, the driver yes."
TOILETS = (
    "Half the toilets at King James's School in Knaresborough are locked AGAIN at break and lunch, we wrote twice "
    "and nobody answers our emails. What a joke"
)
TOILETS_HEADLINE = "Parents angry over locked toilets at Knaresborough school"
TOILETS_ARTICLE = (
    "Parents of pupils at King James's School, Knaresborough, say that half of the toilets are locked at break. "
    "A petition will be handed to the governors. The school said that it is looking into it."
)
THREAT = "I'm bringing a knife to King James's School in Knaresborough on Monday, just wait and see what happens"
NAMESAKE_HEADLINE = "Exam scandal shuts King James's School sixth form"
NAMESAKE = (
    "Police were called to King James's School, Almondbury, after exam papers were sold behind the bike sheds. "
    "The Huddersfield school has sent its sixth form home."
)
NAMESAKE_POST = "King James's School in Almondbury is a disgrace, exam papers sold by the bins, Huddersfield weeps"
PRAISE = "Thank you to the staff of Boroughbridge High School for a lovely winter fair, every stall was packed!"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Return a moment of November 2026."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One post or article: when, where, and what; articles have a headline."""

    at: datetime
    where: str
    text: str
    headline: str = ""


def storm() -> list[Said]:
    """Return one complaint and 400 who pass it on, word for word: 280 on its day, 117 on the next, 3 on the third."""
    began = at(11, 9, 40)
    moments = [began + timedelta(seconds=75 * number) for number in range(280)]
    moments += [at(12, 8, 0) + timedelta(minutes=4 * number) for number in range(117)]
    moments += [at(13, hour) for hour in (9, 11, 15)]
    return [Said(at=began, where="bluesky", text=TOILETS)] + [
        Said(
            at=moment + timedelta(minutes=2),
            where="mastodon" if number % 10 == 3 else "bluesky",
            text=f"{TOILETS} https://pics.example/{number}",
        )
        for number, moment in enumerate(moments)
    ]


SCRIPT: Final = tuple(
    sorted(
        (
            Said(at=at(10, 10, 5), where="courier", text=HOSPICE, headline=HOSPICE_HEADLINE),
            Said(at=at(10, 10, 45), where="gazette", text=HOSPICE, headline=HOSPICE_HEADLINE),
            Said(at=at(10, 16, 20), where="mastodon", text=BUS),
            *storm(),
            Said(at=at(12, 12, 30), where="courier", text=TOILETS_ARTICLE, headline=TOILETS_HEADLINE),
            Said(at=at(12, 13, 0), where="gazette", text=TOILETS_ARTICLE, headline=TOILETS_HEADLINE),
            Said(at=at(12, 15, 10), where="herald", text=f"{TOILETS_ARTICLE} More follows.", headline=TOILETS_HEADLINE),
            Said(at=at(15, 2, 10), where="bluesky", text=THREAT),
            Said(at=at(17, 9, 0), where="courier", text=NAMESAKE, headline=NAMESAKE_HEADLINE),
            Said(at=at(17, 11, 0), where="gazette", text=NAMESAKE, headline=NAMESAKE_HEADLINE),
            *(Said(at=at(17, 12, n), where="bluesky", text=f"{NAMESAKE_POST} {n}") for n in range(12)),
            Said(at=at(18, 17, 30), where="bluesky", text=PRAISE),
        ),
        key=lambda said: said.at,
    )
)

OUTLETS: Final = {
    "courier": ("Nidd Valley Courier", feeds.rss),
    "gazette": ("Vale Gazette", feeds.atom),
    "herald": ("Dales Herald", feeds.rss),
}
DEAD: Final = at(18, 5)
"""Since then Mastodon's only instance does not answer: a Wednesday, and it is not mended in the fortnight."""
NO_MAIL: Final = (at(19, 6), at(19, 11, 5))
"""While the mail server takes nothing: the Thursday's digest falls into it."""


def _done(moment: datetime, reference: str, act: Act, by: str, why: str = "") -> tuple[datetime, str, Doing]:
    """Return one act on a case, of somebody in school."""
    return moment, reference, Doing(act=act, by=by, why=why)


ACTS: Final = (
    _done(at(11, 9, 20), "BHS-0001", Act.ANSWER, "Lead member of staff", "told them that the bus still stops there"),
    _done(at(11, 15, 5), "KJS-0002", Act.ACK, "Lead member of staff"),
    _done(at(12, 16, 0), "KJS-0003", Act.REFER, "Lead member of staff", "the Headteacher speaks to the paper"),
    _done(at(13, 14, 10), "KJS-0002", Act.ANSWER, "Lead member of staff", "open again since noon; said so once"),
    _done(at(15, 2, 41), "KJS-0004", Act.ACK, "Headteacher"),
    _done(at(15, 3, 20), "KJS-0004", Act.REFER, "Headteacher", "with the police since 02:50"),
)
"""What people do about it: the moment, the case, and the act."""


class Town:
    """Serves what was said by now; a context manager."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._bluesky = bluesky.Bluesky()
        self._mastodon = mastodon.Mastodon()
        self.server = Server(
            {
                **self._bluesky.routes,
                **self._mastodon.routes,
                **{f"/{name}": self._outlet(name) for name in OUTLETS},
            }
        )

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    @property
    def sources(self) -> dict[str, dict[str, Any]]:
        """The `[sources.NAME]` tables that read the town, each every six hours; in life it is a quarter of one."""
        url = self.server.url
        often = int(LOOKS_EVERY / timedelta(minutes=1))
        papers = [{"name": title, "url": f"{url}/{name}"} for name, (title, _) in OUTLETS.items()]
        return {
            "feeds": {"feeds": papers, "every_minutes": often},
            "pages": {"enabled": False},
            "bluesky": {"service": url, "handle": self._bluesky.handle, "most_searches": 4, "every_minutes": often},
            "mastodon": {"instances": [url], "every_minutes": often},
        }

    @property
    def secrets(self) -> dict[str, str]:
        """What opens it."""
        return {"MONITOR_BLUESKY_APP_PASSWORD": self._bluesky.password}

    def catch_up(self) -> None:
        """Let the platforms show what was posted by now, and fail while they are dead."""
        said = [(number, one) for number, one in enumerate(SCRIPT) if one.at <= self._clock()]
        self._bluesky.posts = [
            bluesky.Post(
                rkey=f"3kinvented{number:04}",
                text=one.text,
                indexed=one.at,
                did=f"did:plc:inventedauthor{number:010}",
                handle=f"parent-{number}.test",
            )
            for number, one in said
            if one.where == "bluesky"
        ]
        self._mastodon.statuses = [
            mastodon.Status(
                id=f"{number + 1}",
                html=f"<p>{one.text}</p>",
                created=one.at,
                tags=("kjsknaresborough", "boroughbridgehigh"),
                url=f"https://mastodon.example/@parent{number}/{number}",
                acct=f"parent{number}",
            )
            for number, one in said
            if one.where == "mastodon"
        ]
        self.server.mend()
        if self._clock() >= DEAD:
            self.server.play(status(503), at="/api/*")

    def _outlet(self, name: str) -> Route:
        """Return the route of one paper's feed: what it has published by now."""
        title, form = OUTLETS[name]

        def answer(request: Request) -> Reply:
            del request
            items = [
                feeds.Item(
                    id=f"{name}-{number}",
                    link=f"https://{name}.example/news/{number}",
                    title=one.headline,
                    text=one.text,
                    published=one.at,
                )
                for number, one in enumerate(SCRIPT)
                if one.where == name and one.at <= self._clock()
            ]
            return form(title, items)

        return answer


def settings_for(folder: Path, town: Town, port: int) -> Settings:
    """Return settings in which every role has an address and everything is read and sent on this machine."""
    school = {role: f"{role}@school.example" for role in ("headteacher", "dsl", "deputy_dsl")}
    roles = ("response_owner", "senior_leader", "lead_staff", "network_manager", "chair", "data_protection_officer")
    return Settings.model_validate(
        {
            "file": folder / "monitor.toml",
            "federation": {"contact": "monitor@school.example"},
            "privacy": {
                "dpia": {
                    "reference": "DPIA-TEST",
                    "owner": "DPO",
                    "signed": date(2026, 1, 5),
                    "review_due": date(2030, 1, 1),
                }
            },
            "roles": {**{role: f"{role}@school.example" for role in roles}, "schools": {"BHS": school, "KJS": school}},
            "mail": {"host": "127.0.0.1", "port": port, "security": "none", "sender": "monitor@school.example"},
            "reading": {"private_hosts": (town.server.host,)},
            "sources": town.sources,
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fortnight:
    """The machine that lives through it. `mail`: what the SMTP server took, with the moment it did."""

    place: Workplace
    hands: Hands
    town: Town
    box: Postbox
    clockwork: Clockwork
    mail: list[tuple[datetime, str, EmailMessage]]

    def live(self, until: datetime) -> None:
        """Run every job that the schedule means up to `until`, at its moment."""
        while (due := self._next(self.hands.now))[0] <= until:
            before, (moment, name) = self.hands.now, due
            for acted, reference, doing in ACTS:
                if before < acted <= moment:
                    self.hands.now = acted
                    act(self.place, reference, doing)
            self.hands.now = moment
            self.run(name)

    def look_into(self, *terms: str, since: datetime) -> Page:
        """Start the incident run now, as whoever is on duty would, and return its last page."""
        self.town.catch_up()
        pages = incident.watch(self.place, Terms.of(terms), since=since, judge=judge_pending, pause=lambda _: None)
        return list(pages)[-1]

    def digest(self, day: int) -> str:
        """Return the text of the digest of a day of November, on one line."""
        return one_line(self.place.reports_folder / f"daily-2026-11-{day:02}.txt")

    def to(self, role: str, kind: str) -> list[tuple[datetime, EmailMessage]]:
        """Return what was delivered to a role, and when."""
        address = f"{role}@school.example"
        return [(moment, message) for moment, to, message in self.mail if to == address and is_kind(message, kind)]

    def run(self, name: str) -> None:
        """Run one job now, and note what was delivered."""
        self.town.catch_up()
        self.box.refuses = "451 come back later" if NO_MAIL[0] <= self.hands.now < NO_MAIL[1] else ""
        known = len(self.box.messages)
        line = self.clockwork.planned(name)
        self.clockwork.run(line, self.hands.now)
        self.mail.extend((self.hands.now, to, message) for to, message in self.box.messages[known:])

    def _next(self, now: datetime) -> tuple[datetime, str]:
        """Return the next job and its moment: the schedule's own times; reading and delivery in larger steps."""
        coming = [
            (moment, line.name)
            for line in self.clockwork.table
            if line.catch_up and (moment := line.trigger.get_next_fire_time(now, now))
        ]
        alerted = any(now - moment < WAKEFUL for moment, _, message in self.mail[-20:] if is_kind(message, "alert"))
        step = timedelta(minutes=1) if alerted else DELIVERS_EVERY
        coming.append((_next_step(now, LOOKS_EVERY, LOOKS_AT), "collect"))
        coming.append((_next_step(now, step, timedelta(minutes=1)), "deliver"))
        return min(coming)


def one_line(file: Path) -> str:
    """Return a text file with its line breaks gone."""
    return " ".join(file.read_text(encoding="utf-8").split())


def words(message: EmailMessage) -> str:
    """Return the text part of a message, on one line."""
    body = message.get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


def is_kind(message: EmailMessage, kind: str) -> bool:
    """Whether a message is a "daily", an "alert", ..."""
    return str(message["List-Id"]).startswith(f"<{kind}.")


def _next_step(now: datetime, step: timedelta, offset: timedelta) -> datetime:
    """Return the first moment after `now` that lies whole steps after the beginning and its offset."""
    return BEGINS + offset + ((now - BEGINS - offset) // step + 1) * step


@contextmanager
def fortnight(folder: Path) -> Iterator[Fortnight]:
    """Give the machine at the beginning of its first Monday."""
    hands = Hands(BEGINS)
    with Town(hands) as town, post_office() as (box, port):
        settings = settings_for(folder, town, port)
        with open_workplace(settings, secrets=Secrets(town.secrets), clock=hands) as place:
            yield Fortnight(place=place, hands=hands, town=town, box=box, clockwork=Clockwork(place), mail=[])
