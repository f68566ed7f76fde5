"""Small numbers over a simulated autumn: what is unusual is told once, with its cause, and blindness is no quiet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import pytest

from monitor.jobs.daily import gather
from monitor.jobs.judge import open_for
from monitor.jobs.spikes import look_for_spikes
from monitor.records import Mention, Outcome, Run, Severity, Window
from monitor.store import cases, mentions, outbox, runs, spikes, stories
from tests.monitor.conftest import OFF, judgement, record

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.jobs.workplace import Workplace
    from tests.monitor.conftest import Hands

MONDAY = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
SCHOOL = "King James's School"


@pytest.fixture
def place(opened: Callable[..., Workplace], hands: Hands) -> Workplace:
    """A workplace that reads Bluesky, in term, on a Monday evening."""
    hands.now = MONDAY
    closures = [{"name": "Half-term", "first": "2026-10-26", "last": "2026-10-30"}]
    return opened(
        sources={"feeds": OFF, "pages": OFF, "bluesky": {"handle": "monitor.test"}}, calendar={"closures": closures}
    )


def say(place: Workplace, number: int, account: str = "", **more: object) -> int:
    """Store a judged post of an account, published and seen now; return its number."""
    fields: dict[str, object] = {
        "source": "bluesky",
        "native_id": f"{place.clock():%Y%m%d%H%M}-{number}",
        "url": "https://social.example/1",
        "text": "zqinvented words",
        "published": place.clock(),
    }
    judged = judgement(**{key: more.pop(key) for key in ("category", "severity", "schools") if key in more})
    mention = Mention(**(fields | more))  # type: ignore[arg-type]
    with place.store.write() as connection:
        arrival = mentions.Arrival(mention=mention, author_key=account or f"account{number}", sha256=mention.sha256)
        mentions.take(connection, [arrival], now=place.clock(), articles=frozenset({"feeds"}))
        (found,) = mentions.numbers_of(connection, [(mention.source, mention.native_id)])
    record(place, found, judged)
    return found


def read(place: Workplace, source: str = "bluesky", hours: float = 25) -> None:
    """Note that a source was read completely just now, as far back as `hours`."""
    now = place.clock()
    window = Window(start=now - timedelta(hours=hours), end=now)
    with place.store.write() as connection:
        runs.add(connection, Run(source=source, started=now, ended=now, window=window, outcome=Outcome.COMPLETE))


def remember(place: Workplace) -> None:
    """Write down what the quiet days of the last fourteen weeks were like."""
    topic = ("KJS", "COMPLAINT_SERVICE")
    with place.store.write() as connection:
        for back in range(1, 100):
            day = place.clock() - timedelta(days=back)
            spikes.write_down(connection, day.date(), ["bluesky"], {topic: count} if (count := quiet(day)) else {})


def live(place: Workplace, hands: Hands, until: datetime, voices: Callable[[datetime], int], **more: bool) -> None:
    """Let every evening pass: the source is read, so many accounts spoke, and what is unusual is looked for."""
    while hands.now < until:
        for number in range(voices(hands.now)):
            say(place, number)
        if not more.get("blind"):
            read(place)
        look_for_spikes(place)
        hands.forward(days=1)


def quiet(day: datetime) -> int:
    """Nobody to three accounts, the same every run."""
    return (0, 1, 3, 0, 2, 1, 1)[day.toordinal() % 13 % 7]


def told(place: Workplace, kind: str = "accounts") -> list[str]:
    with place.store.read() as connection:
        found = spikes.between(
            connection, Window(start=place.clock() - timedelta(days=2), end=place.clock() + timedelta(days=1))
        )
    return [spike.cause for spike in found if spike.kind == kind]


def mails(place: Workplace) -> list[str]:
    """The texts of the messages about unusual things, each on one line."""
    with place.store.read() as connection:
        waiting = [m for m in outbox.due(connection, place.clock()) if m.kind == "spike"]
    bodies = [message_from_bytes(m.content, policy=policy.default).get_body(("plain",)) for m in waiting]
    assert {m.recipient for m in waiting} <= {"owner@school.example"}
    return [" ".join(body.get_content().split()) for body in bodies if body]


def test_an_ordinary_autumn_is_silent_and_eleven_accounts_are_told_once_with_their_cause(
    place: Workplace, hands: Hands
) -> None:
    hands.now = MONDAY - timedelta(weeks=14)
    live(place, hands, MONDAY, quiet)
    assert mails(place) == []

    for number in range(11):
        say(place, number)
    assert look_for_spikes(place) == 1
    hands.forward(minutes=15)
    say(place, 11)
    assert look_for_spikes(place) == 0

    (cause,) = told(place)
    assert cause.startswith(
        f"11 accounts and outlets in 24 hours on “General complaint” ({SCHOOL}); the most on any of the last 12 "
    )
    assert " in term was 3; a chance of about 1 in " in cause or "less than 1 in 1,000,000" in cause
    (mail,) = mails(place)
    assert cause in mail
    assert "zqinvented" not in mail
    assert "account1" not in mail


def test_one_busy_account_is_one_account(place: Workplace) -> None:
    remember(place)
    for number in range(30):
        say(place, number, account="the same")
    look_for_spikes(place)
    assert told(place) == []


def test_a_new_monitor_says_that_too_little_is_known_and_alerts_nobody(place: Workplace) -> None:
    for number in range(11):
        say(place, number)
    read(place)

    assert look_for_spikes(place) == 0
    assert told(place) == []
    (said,) = told(place, "unknown")
    assert "nobody can say yet" in said
    assert "none are known, and six are needed" in said
    assert mails(place) == []


def test_days_that_were_not_looked_at_are_no_zeros(place: Workplace, hands: Hands) -> None:
    """Thirteen blind weeks are thirteen weeks of nothing known: eleven accounts are no alert against them."""
    hands.now = MONDAY - timedelta(weeks=13)
    read(place)
    hands.forward(days=1)
    live(place, hands, MONDAY, lambda _: 0, blind=True)
    for number in range(11):
        say(place, number)
    read(place)
    look_for_spikes(place)

    assert told(place) == []
    assert len(told(place, "unknown")) == 1


def test_holidays_are_compared_with_holidays(place: Workplace, hands: Hands) -> None:
    """In half-term nothing of the weeks in term counts; so little is known of Thursdays outside term."""
    hands.now = datetime(2026, 10, 29, 20, 0, tzinfo=UTC)
    remember(place)
    for number in range(8):
        say(place, number)
    look_for_spikes(place)
    assert told(place) == []
    assert "outside term" in told(place, "unknown")[0]


def test_what_is_restricted_is_never_counted(place: Workplace) -> None:
    remember(place)
    for number in range(20):
        say(place, number, category="CHILD_PROTECTION", severity=Severity.P1)
    look_for_spikes(place)
    assert told(place) + told(place, "pace") + told(place, "unknown") == []


def test_each_topic_and_school_is_weighed_by_itself(place: Workplace) -> None:
    remember(place)
    for number in range(4):
        say(place, number)
        say(place, number + 10, schools=("BHS",))
        say(place, number + 20, category="QUESTION")
    look_for_spikes(place)
    assert told(place) == []
    for number in range(4, 9):
        say(place, number)
    look_for_spikes(place)
    assert len(told(place)) == 1


def test_what_arrives_late_after_an_outage_is_no_storm(place: Workplace, hands: Hands) -> None:
    """Eleven posts of as many days, found at once: none of them is of the last 24 hours but one."""
    remember(place)
    for number in range(11):
        say(place, number, published=hands.now - timedelta(days=number, minutes=1))
    look_for_spikes(place)
    assert told(place) + told(place, "pace") == []


def test_a_story_that_gathers_pace_is_told_once_a_day_with_its_case(place: Workplace, hands: Hands) -> None:
    read(place)
    numbers = []
    for number in range(9):
        hands.forward(minutes=10)
        numbers.append(say(place, number))
    with place.store.write() as connection:
        stories.assign(connection, dict.fromkeys(numbers, (numbers[0], hands.now)))
        case = cases.open_case(
            connection,
            mention_id=numbers[0],
            category="COMPLAINT_SERVICE",
            severity=Severity.P3,
            owner="lead_staff",
            schools=("KJS",),
            opened=hands.now,
            due=None,
            readers=("lead_staff",),
            restricted=False,
            why="",
        )
    look_for_spikes(place)
    hands.forward(minutes=1)
    look_for_spikes(place)

    (cause,) = told(place, "pace")
    assert cause == (
        f"One story on “General complaint” ({SCHOOL}) (case {case.reference}) was told 9 times within two hours, "
        "by 9 accounts and outlets; none before that."
    )
    assert len(mails(place)) == 1


def test_the_first_outlet_ever_is_told_once_and_not_while_everything_is_new(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    hands.now = MONDAY - timedelta(days=40)
    table = {"feeds": [{"name": "Paper", "url": "https://paper.example/rss"}]}
    place = opened(sources={"feeds": table, "pages": OFF})

    def article(number: int, host: str, **more: Any) -> None:  # noqa: ANN401 - any field
        say(place, number, source="feeds", url=f"https://{host}/{number}", **more)

    read(place, "feeds")
    article(1, "www.york-paper.example")
    assert look_for_spikes(place) == 0, "at first everything is new"
    hands.now = MONDAY
    article(2, "york-paper.example")
    article(3, "fixtures.example", severity=Severity.P4, category="NEUTRAL")
    assert look_for_spikes(place) == 0
    article(4, "national.example")
    article(5, "national.example")
    assert look_for_spikes(place) == 1
    hands.forward(days=2)
    article(6, "national.example")
    article(7, "fixtures.example")
    assert look_for_spikes(place) == 0

    (mail,) = mails(place)
    assert f"First mention ever at national.example, on “General complaint” ({SCHOOL})." in mail
    assert "40 days" in mail


def test_nobody_is_written_to_where_nobody_is_named_and_it_is_remembered_all_the_same(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    hands.now = MONDAY
    place = opened(roles={}, sources={"feeds": OFF, "pages": OFF})
    numbers = [say(place, number) for number in range(9)]
    with place.store.write() as connection:
        stories.assign(connection, dict.fromkeys(numbers, (numbers[0], hands.now)))
    assert look_for_spikes(place) == 1
    assert mails(place) == []
    assert len(told(place, "pace")) == 1


def test_the_digest_says_what_was_unusual_and_what_did_not_alert_anybody_again(place: Workplace, hands: Hands) -> None:
    remember(place)
    for number in range(11):
        say(place, number)
    numbers = [say(place, 100 + number, category="DATA_EXPOSURE", severity=Severity.P1) for number in range(4)]
    with place.store.write() as connection:
        stories.assign(connection, dict.fromkeys(numbers, (numbers[0], hands.now)))
        case = open_for(
            place,
            connection,
            mentions.by_number(connection, numbers)[numbers[0]],
            judgement(category="DATA_EXPOSURE", severity=Severity.P1),
        )
    look_for_spikes(place)
    hands.forward(hours=12)
    with place.store.read() as connection:
        said = gather(place, connection, Window(start=hands.now - timedelta(days=1), end=hands.now)).unusual

    assert said == (*told(place), f"{case.reference}: 3 more like it, not alerted one by one.")
