"""Invented days to make reports from: a mixed weekend, a quiet day, a day with a blind source, a busy day."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.policy.escalation import Escalation
from monitor.policy.folder import FOLDER
from monitor.policy.sources import Sources
from monitor.records import (
    Case,
    CaseEvent,
    CaseState,
    Coverage,
    DayCount,
    Judgement,
    Mention,
    Reason,
    Relevance,
    Sentiment,
    Severity,
    Sight,
    Spent,
    StoredMention,
    Window,
)
from reports.day import DailyMaterial

ZONE = ZoneInfo("Europe/London")
MATRIX = Escalation.read(FOLDER / "escalation.toml")
SOURCES = Sources.read(FOLDER / "sources.toml")
SCHOOLS = {"BHS": "Boroughbridge High School", "KJS": "King James’s School"}  # noqa: RUF001
MONDAY = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
MADE_AT = MONDAY + timedelta(minutes=20)
FRIDAY = MONDAY - timedelta(days=3)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Return a moment of November 2026, when London keeps UTC."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def judged(  # noqa: PLR0913 - a judgement has this many sides
    category: str,
    *,
    schools: tuple[str, ...] = ("KJS",),
    words: str = "",
    rule: str = "",
    note: str = "",
    sentiment: Sentiment | None = Sentiment.NEUTRAL,
    severity: Severity | None = None,
    also: tuple[str, ...] = (),
    relevant: Relevance = Relevance.YES,
    more: tuple[Reason, ...] = (),
) -> Judgement:
    """Return what the pipeline would say of a post of that category."""
    row = MATRIX.categories.get(category)
    reason = Reason(
        about="category",
        rule=rule or "default",
        start=4 if words else 0,
        end=4 + len(words),
        text=words,
        note=note,
    )
    return Judgement(
        relevant=relevant,
        schools=schools,
        sentiment=sentiment,
        sentiment_score=None,
        category=category,
        also=also,
        severity=severity or (row.severity if row else None),
        owner=row.owner if row else "lead_staff",
        clauses=row.clauses if row else (),
        reasons=(*more, reason),
        policy_version="0123456789ab",
    )


def stored(  # noqa: PLR0913 - a stored mention has this many sides
    number: int,
    text: str,
    judgement: Judgement | None,
    *,
    seen: datetime,
    source: str = "bluesky",
    community: str = "",
    title: str = "",
    url: str | None = None,
    repost_of: str | None = None,
    also_in: tuple[tuple[str, str, str], ...] = (),
    story: StoredMention | None = None,
) -> StoredMention:
    """Return a mention as the store gives it back; `story` is the one that began its story, itself by default."""
    if url is None:
        url = f"https://{source}.example.org/post/{number}"
    return StoredMention(
        id=number,
        mention=Mention(
            source=source,
            native_id=f"native-{number}",
            url=url,
            text=text,
            title=title,
            community=community,
            published=seen - timedelta(minutes=12),
            repost_of=repost_of,
        ),
        author_key=f"key-{number}",
        first_seen=seen,
        last_seen=seen,
        sha256=hashlib.sha256(f"{number} {text}".encode("utf-8", "surrogatepass")).hexdigest(),
        also_in=also_in,
        story=story.id if story else number,
        story_began=story.first_seen if story else seen,
        judgement=judgement,
    )


def case_of(
    reference: str,
    mention: StoredMention,
    *,
    due: datetime | None,
    opened: datetime | None = None,
    state: CaseState = CaseState.NEW,
    history: tuple[CaseEvent, ...] = (),
    severity: Severity | None = None,
) -> Case:
    """Return the case that a mention opened."""
    judgement = mention.judgement
    assert judgement is not None
    row = MATRIX.categories.get(judgement.category)
    return Case(
        reference=reference,
        mention_id=mention.id,
        category=judgement.category,
        severity=severity or judgement.severity or Severity.P3,
        owner=judgement.owner,
        schools=judgement.schools,
        opened=opened or mention.first_seen,
        due=due,
        state=state,
        restricted=bool(row and row.restricted),
        readers=row.readers if row else (),
        history=history
        or (CaseEvent(at=opened or mention.first_seen, by="monitor", what="opened", why="by the matrix"),),
    )


def read(
    source: str, new: int, *, last: datetime = MONDAY - timedelta(minutes=4), spent: Spent | None = None
) -> Coverage:
    """Return a source that was read."""
    policy = SOURCES[source]
    return Coverage(
        source=source,
        name=policy.name,
        sight=Sight.READ,
        last_read=last,
        new=new,
        spent=spent or Spent(calls=40),
        never_sees=policy.never_sees,
    )


def off(source: str) -> Coverage:
    """Return a source that is switched off, with the reason of policy/sources.toml."""
    policy = SOURCES[source]
    return Coverage(source=source, name=policy.name, sight=Sight.OFF, why=policy.why, never_sees=policy.never_sees)


WEEK = tuple(DayCount(start=at(16 + place, 7), count=count) for place, count in enumerate((4, 5, 2, 3, 2, 1, 14)))

BUS = "The village page says the 8:05 from Boroughbridge is cancelled from today, so no bus to King James's"
LUNCH = "Why did Friday's menu at King James's have no allergen marks? Two of us asked. Call 07700 900123."


def mixed_day() -> DailyMaterial:
    """Return a weekend with a late complaint, a rumour, a restricted item, a doubtful one and praise."""
    lunch = stored(
        101,
        LUNCH,
        judged(
            "COMPLAINT_SERVICE",
            words="no allergen marks",
            rule="complaint.food",
            note="something about the canteen or food is wrong (policy 2.7, 2.9)",
            sentiment=Sentiment.NEGATIVE,
        ),
        seen=at(20, 9, 12),
        source="mastodon",
        community="#knaresborough",
    )
    bus = stored(
        102,
        BUS,
        judged(
            "MISINFORMATION",
            schools=("BHS", "KJS"),
            words="cancelled from today",
            rule="misinformation.rumour",
            note="a rumour about closures, transport or rules (policy 2.7, 2.10)",
            sentiment=Sentiment.NEGATIVE,
        ),
        seen=at(22, 19, 48),
    )
    copies = tuple(
        stored(
            110 + place,
            BUS,
            bus.judgement,
            seen=at(22, 21) + timedelta(minutes=70 * place),
            repost_of="native-102",
            story=bus,
        )
        for place in range(8)
    )
    risk = stored(
        120,
        "words that must never stand in an e-mail",
        judged(
            "CHILD_PROTECTION",
            schools=("BHS",),
            words="never stand",
            rule="child.risk",
            sentiment=Sentiment.NEGATIVE,
        ),
        seen=at(22, 20, 5),
    )
    doubtful = stored(
        121,
        "That school in Boroughbridge wants looking into, the parking is a nightmare every single day",
        judged(
            "UNCERTAIN",
            schools=(),
            rule="uncertain",
            note="cannot tell whether this is about our schools: one person reads it once",
            relevant=Relevance.UNCERTAIN,
            sentiment=Sentiment.NEGATIVE,
            more=(
                Reason(
                    about="relevance",
                    rule="BHS: generic name",
                    start=5,
                    end=27,
                    text="school in Boroughbridge",
                ),
            ),
        ),
        seen=at(21, 11, 30),
        source="pages",
        community="Village noticeboard",
    )
    fair = stored(
        130,
        "Lovely winter fair at Boroughbridge High School on Saturday, thank you to everyone who ran a stall!",
        judged("PRAISE", schools=("BHS",), words="thank you", rule="praise.thanks", sentiment=Sentiment.POSITIVE),
        seen=at(21, 18, 2),
        source="mastodon",
    )
    article = stored(
        131,
        "The governing body's published minutes describe one library catalogue for both schools from autumn.",
        judged("PUBLIC_DEBATE", schools=("BHS", "KJS")),
        seen=at(20, 12, 40),
        source="feeds",
        community="The Valley Gazette",
        title="Federation plans a shared library",
        url="https://gazette.example.org/news/shared-library",
        also_in=(("feeds", "county", "https://county.example.org/shared-library"),),
    )
    parking = stored(
        90,
        "Parking outside King James's at pick-up is dangerous again",
        judged("COMPLAINT_SERVICE", words="parking", rule="complaint.parking", sentiment=Sentiment.NEGATIVE),
        seen=at(14, 9),
    )
    trip = stored(91, "How much is the Year 9 trip?", judged("QUESTION"), seen=at(19, 15))
    mentions = (lunch, article, doubtful, fair, bus, risk, *copies)
    waiting = CaseEvent(at=at(17, 14), by="lead_staff", what="waiting", why="the council has not answered")
    return DailyMaterial(
        federation="Boroughbridge High School and King James’s School Federation",  # noqa: RUF001
        short_name="BHS & KJS",
        zone=ZONE,
        window=Window(start=FRIDAY, end=MONDAY),
        made_at=MADE_AT,
        mentions=mentions,
        earlier=(),
        likeness=0.6,
        cases=(
            case_of("KJS-0412", lunch, due=at(20, 16)),
            case_of("FED-0415", bus, due=at(23, 12)),
            case_of("BHS-0416", risk, due=at(23, 9)),
            case_of("FED-0414", doubtful, due=at(24, 17)),
            case_of(
                "KJS-0398",
                parking,
                due=at(17, 9),
                state=CaseState.WAITING,
                history=(
                    CaseEvent(at=at(14, 9), by="monitor", what="opened", why="by the matrix"),
                    waiting,
                ),
            ),
            case_of("KJS-0407", trip, due=at(25, 9), state=CaseState.ACKNOWLEDGED),
        ),
        settled=(),
        case_mentions={one.id: one for one in (lunch, bus, risk, doubtful, parking, trip)},
        coverage=(
            replace(
                read("feeds", 1),
                dropped={"King James's School, Almondbury": 14, "British Horse Society": 3},
                malformed=2,
            ),
            read("pages", 1, last=MONDAY - timedelta(minutes=40)),
            read("bluesky", 10),
            replace(read("mastodon", 2), gone=1),
            Coverage(
                source="youtube",
                name=SOURCES["youtube"].name,
                sight=Sight.BEHIND,
                last_read=at(22, 14, 10),
                next_try=at(23, 8, 30),
                why="the daily quota is used up",
                never_sees=SOURCES["youtube"].never_sees,
                spent=Spent(calls=9, units=900, pence=41.5),
            ),
            off("reddit"),
            off("x"),
        ),
        days=(*WEEK[:-1], replace(WEEK[-1], blind=True)),
        usual=(1, 5),
        troubles=(),
        escalation=MATRIX,
        school_names=SCHOOLS,
        contact="monitor@example.org",
    )


def next_day() -> DailyMaterial:
    """Return the day after the mixed weekend: two stories go on, one complaint was answered, nothing else is new."""
    before = mixed_day()
    told = {one.id: one for one in before.mentions}
    bus, article, lunch = told[102], told[131], told[101]
    copies = tuple(
        stored(140 + place, BUS, bus.judgement, seen=at(23, 9 + place), repost_of="native-102", story=bus)
        for place in range(2)
    )
    again = stored(
        143,
        article.mention.text,
        article.judgement,
        seen=at(23, 15),
        source="feeds",
        community="The Dales Herald",
        title="Shared library for both schools",
        url="https://herald.example.org/library",
        story=article,
    )
    answered = CaseEvent(at=at(23, 10, 5), by="lead_staff", what="answer", why="the menu was put right")
    cases = {case.reference: case for case in before.cases}
    return replace(
        before,
        window=Window(start=at(23, 7), end=at(24, 7)),
        made_at=at(24, 7, 20),
        mentions=(*copies, again),
        earlier=tuple(one for one in before.mentions if one.story in {bus.id, article.id}),
        cases=(replace(cases["FED-0415"], state=CaseState.ACKNOWLEDGED), cases["KJS-0398"]),
        settled=(replace(cases["KJS-0412"], state=CaseState.ANSWERED, history=(*cases["KJS-0412"].history, answered)),),
        case_mentions={one.id: one for one in (lunch, bus, before.case_mentions[90])},
        coverage=tuple(
            replace(one, last_read=at(24, 6, 56)) if one.sight is Sight.READ else one for one in before.coverage
        ),
        days=(*WEEK[1:], DayCount(start=at(23, 7), count=3, blind=True)),
    )


def quiet_day() -> DailyMaterial:
    """Return a day on which nothing was said and everything was read."""
    return replace(
        mixed_day(),
        window=Window(start=at(23, 7), end=at(24, 7)),
        made_at=at(24, 7, 20),
        mentions=(),
        cases=(),
        case_mentions={},
        coverage=(
            replace(read("feeds", 0, last=at(24, 6, 56)), dropped={"King James's School, Almondbury": 2}),
            read("bluesky", 0, last=at(24, 6, 58)),
            read("mastodon", 0, last=at(24, 6, 58)),
            off("x"),
        ),
        days=(*WEEK[1:], DayCount(start=at(23, 7), count=0)),
    )


def gap_day() -> DailyMaterial:
    """Return a day on which nothing was said where we could look, and two sources could not be read."""
    quiet = quiet_day()
    return replace(
        quiet,
        coverage=(
            *quiet.coverage[:1],
            Coverage(
                source="bluesky",
                name="Bluesky",
                sight=Sight.BEHIND,
                last_read=at(22, 14, 10),
                next_try=at(24, 8),
                why="the service did not answer",
            ),
            Coverage(
                source="mastodon",
                name="Mastodon",
                sight=Sight.NEVER,
                why="the access token was refused",
            ),
            *quiet.coverage[3:],
        ),
        troubles=("The weekly report of 20 November could not be sent: the mail server did not answer.",),
        usual=None,
    )


def busy_day(mentions: int = 60, cases: int = 11, reposts: int = 0) -> DailyMaterial:
    """Return a day of `mentions` posts, the first `cases` of them open cases, and `reposts` of the second."""
    categories = (
        "THREAT_VIOLENCE",
        "COMPLAINT_SERVICE",
        "MISINFORMATION",
        "QUESTION",
        "PRESS_MEDIA",
        "CAMPAIGN",
        "SEND_INCLUSION",
        "STAFF_ALLEGATION",
        "COPYRIGHT_BRAND",
    )
    said = (
        "The toilets at King James's Knaresborough have been shut for three weeks and nobody answers us. "
        "My daughter waits until she is home. We wrote twice, were told it would be seen to, and it is not. "
    )
    opening = tuple(
        stored(
            1000 + place,
            said * 3,
            judged(
                categories[place % len(categories)],
                words="shut for three weeks",
                rule="complaint.toilets",
                note="something about the buildings is wrong (policy 2.7, 2.9)",
                sentiment=Sentiment.NEGATIVE,
            ),
            seen=at(22, 8) + timedelta(minutes=place % 1200),
            community="Knaresborough chat",
        )
        for place in range(cases)
    )
    copies = tuple(
        stored(
            2_000_000 + place,
            said,
            opening[1].judgement,
            seen=at(23, 1) + timedelta(seconds=place),
            repost_of="native-1001",
            story=opening[1],
        )
        for place in range(reposts)
    )
    others = tuple(
        stored(
            100_000 + place,
            f"Number {place}: a good evening at the school concert, well worth the drive through the rain. " * 4,
            judged(("PRAISE", "NEUTRAL", "PUBLIC_DEBATE")[place % 3], sentiment=Sentiment.POSITIVE),
            seen=at(22, 9) + timedelta(seconds=place),
        )
        for place in range(mentions - cases)
    )
    return replace(
        mixed_day(),
        mentions=(*opening, *copies, *others),
        cases=tuple(
            case_of(f"KJS-{place:04d}", mention, due=at(23, 8) + timedelta(minutes=30 * (place % 40)))
            for place, mention in enumerate(opening)
        ),
        case_mentions={mention.id: mention for mention in opening},
    )
