"""Look for what is unusual in small numbers, tell the response owner, and remember what days were like.

A day is written down as numbers when it is over and its late posts are in: the posts themselves are erased sooner
than twelve such weekdays pass. Restricted categories are left out: their cases are alerted to those who may know.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from analysis.spikes import KnownDay, TooLittleKnown, Unusual, comparable, pace, weigh
from monitor.hours import SATURDAY, is_school_day
from monitor.jobs.judge import CASE_SEVERITIES
from monitor.mail import compose
from monitor.records import Relevance, Window
from monitor.store import alerts, cases, figures, mentions, outbox
from monitor.store import spikes as kept
from monitor.store.spikes import Spike
from reports import spikes as words
from reports.quoting import is_restricted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    import sqlalchemy as sa

    from monitor.jobs.workplace import Workplace
    from monitor.records import Case, Judgement, StoredMention
    from monitor.store.figures import Reading
    from monitor.store.spikes import Topic

DAY: Final = timedelta(days=1)
LOOK_BACK: Final = 28
"""Days that are written down late, at the first start or after an outage: their posts are all still stored."""
COMPARED: Final = timedelta(days=400)
"""How long ago a comparable day may lie: a year, for holidays come once in it."""
TOLERATED: Final = timedelta(hours=4)
"""How much of a day may be unread before it is no day to compare with."""
MOST_MENTIONS: Final = 20_000

ACCOUNTS, PACE, OUTLET, UNKNOWN = "accounts", "pace", "outlet", "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Post:
    """One unrestricted post about our schools."""

    stored: StoredMention
    judgement: Judgement
    voice: str
    outlet: str


def look_for_spikes(place: Workplace) -> int:
    """Find what is unusual now, and queue one message with what was not told today; return how many things it holds."""
    _write_days_down(place)
    now = place.clock()
    with place.store.read() as connection:
        found = mentions.between(
            connection, Window(start=now - DAY, end=now + timedelta(seconds=1)), limit=MOST_MENTIONS
        )
        arrived = list(_posts(place, found))
        lately = [post for post in arrived if now - DAY <= post.stored.mention.published <= now]
        unusual = [*_accounts(place, connection, lately), *_paces(place, connection, lately)]
    with place.store.write() as connection:
        fresh = kept.learn(connection, {post.outlet for post in arrived if post.outlet}, now)
        unusual += _outlets(place, connection, [post for post in arrived if post.outlet in fresh])
        told = [spike for spike in unusual if kept.add(connection, spike) and spike.kind != UNKNOWN]
        recipient = place.settings.roles.response_owner
        if told and recipient:
            outbox.queue(connection, _message(place, told, recipient, now))
    return len(told)


def unusual(place: Workplace, connection: sa.Connection, window: Window, open_cases: Iterable[Case]) -> tuple[str, ...]:
    """Return what the digest of `window` says: the causes, and of alerted cases how many more came unalerted."""
    ladders = place.policy.escalation.severities
    alerted = [case for case in open_cases if ladders[case.severity].ladder]
    stored = mentions.by_number(connection, [case.mention_id for case in alerted])
    held = [
        words.held(case.reference, more)
        for case in alerted
        if case.mention_id in stored
        and (more := alerts.told_in(connection, stored[case.mention_id].story, window, but=case.mention_id))
    ]
    return (*(spike.cause for spike in kept.between(connection, window) if spike.kind != UNKNOWN), *held)


def unsaid(connection: sa.Connection, window: Window) -> tuple[str, ...]:
    """Return the counts of `window` of which nobody can say yet whether they are unusual, in sentences."""
    return tuple(spike.cause for spike in kept.between(connection, window) if spike.kind == UNKNOWN)


def _message(place: Workplace, told: Sequence[Spike], recipient: str, now: datetime) -> outbox.OutMessage:
    """Return the message with these things."""
    first = told[0]
    view = words.build(
        [spike.cause for spike in told],
        name=f"spike-{now:%Y%m%dT%H%M%S}",
        short_name=place.settings.federation.short_name,
        about=f"{_category(place, first.category)}, {_school(place, first.schools)}",
        made_at=now,
        zone=place.settings.federation.zone,
    )
    return compose(
        words.render(view),
        kind="spike",
        recipient=recipient,
        mail=place.settings.mail,
        federation=place.settings.federation,
        now=now,
    )


def _posts(place: Workplace, found: Iterable[StoredMention]) -> Iterator[_Post]:
    """Give what may be counted: posts about our schools whose category is not restricted."""
    for stored in found:
        judgement = stored.judgement
        if judgement is None or judgement.relevant is not Relevance.YES or judgement.severity is None:
            continue
        if not is_restricted(stored, None, place.policy.escalation):
            outlet = _outlet(place, stored)
            voice = stored.author_key or outlet or stored.mention.source
            yield _Post(stored=stored, judgement=judgement, voice=voice, outlet=outlet)


def _outlet(place: Workplace, stored: StoredMention) -> str:
    """Return the web domain of an article, or the community of a post; "" for an account's own page."""
    mention = stored.mention
    if place.policy.sources[mention.source].kind == "article":
        return (urlsplit(mention.url).hostname or "").removeprefix("www.")
    return f"{mention.community.casefold()} ({mention.source})" if mention.community else ""


def _topics(posts: Iterable[_Post]) -> dict[Topic, list[_Post]]:
    """Return posts by school and category."""
    out: dict[Topic, list[_Post]] = {}
    for post in posts:
        for school in post.judgement.schools:
            out.setdefault((school, post.judgement.category), []).append(post)
    return out


def _voices(posts: Iterable[_Post]) -> int:
    """Return how many different accounts and outlets spoke."""
    return len({post.voice for post in posts})


def _accounts(place: Workplace, connection: sa.Connection, lately: Sequence[_Post]) -> Iterator[Spike]:
    """Give the topics of which unusually many accounts spoke in 24 hours.

    These 24 hours lie on two days, so they have to be unusual for both kinds of day.
    """
    now, zone = place.clock(), place.settings.federation.zone
    rule = place.policy.escalation.spikes
    today, yesterday = now.astimezone(zone).date(), (now - DAY).astimezone(zone).date()
    since = today - COMPARED
    read = {day: sources for day, sources in kept.read_on(connection, since).items() if day < yesterday}
    for (school, category), posts in _topics(lately).items():
        count = _voices(posts)
        if count < rule.least_accounts:
            continue
        voices = kept.voices_on(connection, (school, category), since)
        sources = frozenset(post.stored.mention.source for post in posts)
        verdicts = []
        for kind in dict.fromkeys(_kind(place, day) for day in (today, yesterday)):
            known = (
                KnownDay(day=day, sources=names, voices=voices.get(day, 0))
                for day, names in read.items()
                if _kind(place, day) == kind
            )
            verdicts.append((weigh(count, comparable(known, sources, rule.most_days), rule), kind))
        topic = _topic(place, category, (school,))
        told = _weighed(verdicts, topic)
        if told:
            yield _spike(place, told[0], f"{school} {category}", category, (school,), told[1])


def _weighed(verdicts: Sequence[tuple[Unusual | TooLittleKnown | None, str]], topic: str) -> tuple[str, str] | None:
    """Return kind and cause of what is unusual on each of the days, None if it is not."""
    unusual = [(verdict, kind) for verdict, kind in verdicts if isinstance(verdict, Unusual)]
    if len(unusual) == len(verdicts):
        likelier, kind = max(unusual, key=lambda pair: pair[0].chance)
        return ACCOUNTS, words.of_accounts(
            count=likelier.count,
            topic=topic,
            most=likelier.most,
            days=likelier.days,
            kind=kind,
            chance=likelier.chance,
        )
    unknown = [(verdict, kind) for verdict, kind in verdicts if isinstance(verdict, TooLittleKnown)]
    if unknown and len(unusual) + len(unknown) == len(verdicts):
        least, kind = min(unknown, key=lambda pair: pair[0].days)
        return UNKNOWN, words.of_too_little(
            count=least.count, topic=topic, days=least.days, needed=least.needed, kind=kind
        )
    return None


def _paces(place: Workplace, connection: sa.Connection, lately: Sequence[_Post]) -> Iterator[Spike]:
    """Give the stories that gather pace."""
    now = place.clock()
    stories: dict[int, list[_Post]] = {}
    for post in lately:
        stories.setdefault(post.stored.story, []).append(post)
    for story, posts in stories.items():
        fast = pace((post.stored.mention.published for post in posts), now, place.policy.escalation.spikes)
        if fast:
            span = timedelta(hours=fast.hours)
            judgement = posts[0].judgement
            of_story = cases.of_mentions(connection, [story, *(post.stored.id for post in posts)])
            cause = words.of_pace(
                count=fast.count,
                before=fast.before,
                hours=fast.hours,
                accounts=_voices(post for post in posts if now - post.stored.mention.published < span),
                topic=_topic(place, judgement.category, judgement.schools),
                reference=min((case.reference for case in of_story.values()), default=""),
            )
            yield _spike(place, PACE, str(story), judgement.category, judgement.schools, cause)


def _outlets(place: Workplace, connection: sa.Connection, posts: Iterable[_Post]) -> Iterator[Spike]:
    """Give the outlets that never mentioned us before, where somebody should act and their source is not new."""
    now, rule = place.clock(), place.policy.escalation.spikes
    for outlet, post in {post.outlet: post for post in posts}.items():
        since = figures.first_run(connection, post.stored.mention.source)
        read_for = (now - since) // DAY if since else 0
        if post.judgement.severity in CASE_SEVERITIES and read_for >= rule.outlet_days:
            topic = _topic(place, post.judgement.category, post.judgement.schools)
            cause = words.of_outlet(outlet=outlet, topic=topic, days=read_for)
            yield _spike(place, OUTLET, outlet, post.judgement.category, post.judgement.schools, cause)


def _spike(place: Workplace, kind: str, about: str, category: str, schools: tuple[str, ...], cause: str) -> Spike:
    """Return something unusual, found now."""
    now = place.clock()
    return Spike(
        day=now.astimezone(place.settings.federation.zone).date(),
        at=now,
        kind=kind,
        about=about,
        category=category,
        schools=schools,
        cause=cause,
    )


def _write_days_down(place: Workplace) -> None:
    """Write down what the days that are over were like, each once, when the posts that come late are in."""
    now, zone = place.clock(), place.settings.federation.zone
    today = now.astimezone(zone).date()
    with place.store.read() as connection:
        written = kept.read_on(connection, today - timedelta(days=LOOK_BACK))
        firsts = (figures.first_run(connection, source) for source in place.policy.sources.names)
        began = min((first for first in firsts if first), default=now)
    for back in range(LOOK_BACK, 0, -1):
        day = today - timedelta(days=back)
        start = datetime.combine(day, datetime.min.time(), zone)
        window = Window(start=start, end=datetime.combine(day + DAY, datetime.min.time(), zone))
        if day in written or window.end + DAY > now or day < began.astimezone(zone).date():
            continue
        with place.store.read() as connection:
            late = Window(start=window.start, end=window.end + DAY)
            found = mentions.between(connection, late, limit=MOST_MENTIONS)
            readings = figures.readings(connection, late)
        posts = [post for post in _posts(place, found) if post.stored.mention.published in window]
        with place.store.write() as connection:
            voices = {topic: _voices(of_topic) for topic, of_topic in _topics(posts).items()}
            kept.write_down(connection, day, _read_whole(readings, window), voices)
            kept.learn(connection, {post.outlet for post in posts if post.outlet}, now)


def _read_whole(readings: Iterable[Reading], window: Window) -> list[str]:
    """Return the sources that were read on a day, and of which hardly an hour of it is missing."""
    of: dict[str, list[Reading]] = {}
    for reading in readings:
        of.setdefault(reading.source, []).append(reading)
    return [
        source
        for source, own in of.items()
        if any(reading.started in window for reading in own) and _missing(own, window) <= TOLERATED
    ]


def _missing(readings: Iterable[Reading], window: Window) -> timedelta:
    """Return how much of a day no reading covers."""
    missing, reached = timedelta(), window.start
    for reading in sorted(readings, key=lambda one: one.window.start):
        start, end = reading.window.start, min(reading.window.end, window.end)
        if end > reached:
            missing += max(start - reached, timedelta())
            reached = end
    return missing + (window.end - reached)


def _kind(place: Workplace, day: date) -> str:
    """Return the days that one is compared with: same weekday, in term or not. A weekend has its week's term."""
    calendar = place.settings.calendar
    if day.weekday() < SATURDAY:
        return words.kind_of_day(day, in_term=is_school_day(day, calendar))
    week = (day - timedelta(days=back) for back in range(1, 8))
    return words.kind_of_day(day, in_term=any(is_school_day(other, calendar) for other in week))


def _topic(place: Workplace, category: str, schools: Sequence[str]) -> str:
    """Return a topic in words."""
    return words.topic_of(_category(place, category), _school(place, schools))


def _category(place: Workplace, category: str) -> str:
    """Return a category's name; its id if the matrix no longer has it."""
    row = place.policy.escalation.categories.get(category)
    return row.name if row else category


def _school(place: Workplace, schools: Sequence[str]) -> str:
    """Return schools by their codes."""
    known = {school.code: school.name for school in place.policy.schools.schools}
    return " and ".join(known.get(code, code) for code in schools)
