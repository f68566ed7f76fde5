"""The weekly job: counts what the store holds, keeps what retention will erase, sends one message, leaks no name."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.hours import after_staffed, staffed_between
from monitor.jobs.casetimes import times_of
from monitor.jobs.telling import Storyline
from monitor.jobs.weekly import gather, weekly, window_for
from monitor.jobs.workplace import Workplace, open_workplace
from monitor.records import (
    CaseState,
    Judgement,
    Mention,
    Outcome,
    Relevance,
    Run,
    Sentiment,
    Severity,
    Spent,
    Window,
)
from monitor.settings import Calendar, Closure, Secrets, Settings
from monitor.store import audit, cases, figures, mentions, outbox, runs
from monitor.store.mentions import Arrival
from monitor.store.schema import judgements
from monitor.store.schema import mentions as mention_table
from reports import printing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.records import Case
    from monitor.store.engine import Store
    from reports.week import WeeklyMaterial

ZONE = ZoneInfo("Europe/London")
NOW: Final = datetime(2026, 11, 23, 7, 45, tzinfo=UTC)
LEADER = "leader@school.example"
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)


@contextmanager
def workplace(folder: Path, now: datetime = NOW, **tables: object) -> Iterator[Workplace]:
    """Give a workplace that reads one feed and one Mastodon instance."""
    found = Settings.model_validate(
        {
            "file": folder / "monitor.toml",
            "storage": {"folder": "."},
            "federation": {"contact": "monitor@school.example"},
            "roles": {"senior_leader": LEADER},
            "sources": {
                "feeds": {"feeds": [{"name": "Gazette", "url": "https://gazette.example/feed"}]},
                "mastodon": {"instances": ["https://social.example"]},
            },
            **tables,
        }
    )
    with open_workplace(found, secrets=Secrets({}), clock=lambda: now) as place:
        yield place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    with workplace(tmp_path) as opened:
        yield opened


def judged(category: str, severity: Severity, schools: tuple[str, ...]) -> Judgement:
    return Judgement(
        relevant=Relevance.YES,
        schools=schools,
        sentiment=Sentiment.NEGATIVE,
        sentiment_score=None,
        category=category,
        also=(),
        severity=severity,
        owner="lead_staff",
        clauses=("2.7",),
        reasons=(),
        policy_version="v1",
    )


def tell(
    place: Workplace,
    key: str,
    seen: datetime,
    *,
    category: str = "COMPLAINT_SERVICE",
    severity: Severity = Severity.P3,
    schools: tuple[str, ...] = ("KJS",),
    words: str = "",
    source: str = "mastodon",
) -> int:
    """Store one judged post; return its number."""
    mention = Mention(
        source=source,
        native_id=key,
        url=f"https://{source}.example/{key}",
        text=words or f"an invented post called {key}, unlike any other: {key * 3}",
        title=words,
        community=words,
        published=seen,
    )
    with place.store.write() as connection:
        mentions.take(
            connection,
            [Arrival(mention=mention, author_key="k", sha256=mention.sha256)],
            now=seen,
            articles=frozenset({"feeds"}),
        )
        (number,) = mentions.numbers_of(connection, [(source, key)])
        mentions.record(connection, [(number, judged(category, severity, schools))], now=seen)
        Storyline(connection, seen).join(connection, list(mentions.by_number(connection, [number]).values()))
    return number


def open_a_case(place: Workplace, number: int, opened: datetime, category: str = "COMPLAINT_SERVICE") -> Case:
    row = place.policy.escalation.category(category)
    with place.store.write() as connection:
        return cases.open_case(
            connection,
            mention_id=number,
            category=category,
            severity=row.severity or Severity.P3,
            owner=row.owner,
            schools=("KJS",),
            opened=opened,
            due=None,
            readers=row.readers,
            restricted=row.restricted,
            why="",
        )


def act(
    place: Workplace,
    case: Case,
    at: datetime,
    what: str,
    state: CaseState | None = None,
    by: str = "A. Person",
    why: str = "because",
) -> Case:
    with place.store.write() as connection:
        return cases.add_event(connection, case.reference, at=at, by=by, what=what, why=why, state=state)


def read(place: Workplace, source: str, start: datetime, end: datetime, *, every: timedelta = HOUR) -> None:
    """Record complete runs of a source, each reading from the run before it."""
    with place.store.write() as connection:
        moment = start
        while moment <= end:
            runs.add(
                connection,
                Run(
                    source=source,
                    started=moment,
                    ended=moment,
                    window=Window(start=moment - every, end=moment),
                    outcome=Outcome.COMPLETE,
                    spent=Spent(calls=2, pence=1.5 if source == "mastodon" else 0.0),
                ),
            )
            moment += every


def material(place: Workplace) -> WeeklyMaterial:
    with place.store.read() as connection:
        return gather(place, connection, window_for(place, NOW))


# ---------------------------------------------------------------- the job


def test_the_window_is_the_seven_days_before_by_the_wall_clock(place: Workplace) -> None:
    """In the week of the clock change the week has 169 hours."""
    window = window_for(place, datetime(2026, 10, 26, 7, 45, tzinfo=ZONE))
    assert window.start == datetime(2026, 10, 19, 7, 45, tzinfo=ZONE)
    assert window.length == WEEK + HOUR


def test_the_report_is_written_and_queued_once_for_the_senior_leader(place: Workplace) -> None:
    tell(place, "one", NOW - DAY)
    rendered, files = weekly(place, window_for(place, NOW))
    again, _ = weekly(place, window_for(place, NOW))
    with place.store.read() as connection:
        (waiting,) = outbox.due(connection, NOW)
    assert again == rendered
    assert rendered.name == "weekly-2026-11-23"
    assert waiting.recipient == LEADER
    assert waiting.kind == "weekly"
    assert waiting.message_id.startswith("<weekly-2026-11-23.")
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    message = message_from_bytes(waiting.content, policy=policy.default)
    (attached,) = message.iter_attachments()
    wanted = files[1] if printing.can_print() else files[0]
    assert attached.get_filename() == wanted.name
    assert attached.get_payload(decode=True) == wanted.read_bytes()


def test_without_a_senior_leader_the_report_is_written_and_nothing_is_queued(tmp_path: Path) -> None:
    with workplace(tmp_path, roles={}) as place:
        _, files = weekly(place, window_for(place, NOW))
        with place.store.read() as connection:
            assert outbox.due(connection, NOW) == ()
    assert files[0].exists()


def test_a_store_that_is_empty_gives_a_report_that_admits_it(place: Workplace) -> None:
    rendered, _ = weekly(place, window_for(place, NOW))
    assert "We could not look" in rendered.html


@settings(max_examples=4, deadline=None)
@given(
    names=st.lists(
        st.text("abcdefghijklmnopqrstuvwxyz", min_size=7, max_size=12).map(lambda name: f"{name.title()}qzx"),
        min_size=3,
        max_size=3,
        unique=True,
    )
)
def test_no_word_of_a_post_and_nobody_who_acted_gets_into_what_is_written_or_sent(names: list[str]) -> None:
    """Names stand in texts, titles, communities, histories, run errors and erasures; none comes out."""
    person, handle, worker = names
    with TemporaryDirectory() as folder, workplace(Path(folder)) as place:
        read(place, "mastodon", NOW - 6 * DAY, NOW - 3 * DAY)
        words = f"{person} wrote that @{handle} said it"
        for line, category in enumerate(("COMPLAINT_SERVICE", "CHILD_PROTECTION", "STAFF_ABUSE", "PRAISE")):
            number = tell(place, f"{handle}-{line}", NOW - 3 * DAY, category=category, words=words)
            case = open_a_case(place, number, NOW - 3 * DAY, category)
            act(place, case, NOW - 2 * DAY, "ack", CaseState.ACKNOWLEDGED, by=worker, why=words)
            act(place, case, NOW - DAY, f"wrong tag: {person}", by=worker, why=words)
        with place.store.write() as connection:
            gone = mentions.numbers_of(connection, [("mastodon", f"{handle}-3")])
            audit.append(
                connection,
                at=NOW - DAY,
                who=worker,
                what=audit.Deed.ERASED,
                about=audit.of_erasure(len(gone), len(gone), f"asked by {person}"),
            )
            failed = Run(
                source="mastodon",
                started=NOW - HOUR,
                ended=NOW - HOUR,
                window=Window(start=NOW - DAY, end=NOW),
                outcome=Outcome.FAILED,
                error_kind="refused",
                error=f"{person} says no to @{handle}",
            )
            runs.add(connection, failed)
        rendered, files = weekly(place, window_for(place, NOW))
        with place.store.read() as connection:
            (waiting,) = outbox.due(connection, NOW)
        message = message_from_bytes(waiting.content, policy=policy.default)
        bodies = [part.get_content() for part in message.walk() if part.get_content_type().startswith("text/")]
        said = "\n".join(
            [rendered.subject, rendered.html, rendered.text, *bodies]
            + [file.read_text(encoding="utf-8") for file in files if file.suffix != ".pdf"]
        )
    assert "KJS-0001" in said
    for name in names:
        assert name.lower() not in said.lower()


# ---------------------------------------------------------------- what is counted


def test_a_week_counts_each_school_and_what_is_not_ours_is_left_out(place: Workplace) -> None:
    read(place, "mastodon", NOW - 2 * WEEK, NOW)
    tell(place, "a", NOW - DAY, schools=("KJS",))
    tell(place, "b", NOW - DAY, schools=("BHS", "KJS"))
    tell(place, "c", NOW - DAY, schools=())
    tell(place, "d", NOW - 8 * DAY, schools=("BHS",))
    stray = tell(place, "e", NOW - DAY)
    with place.store.write() as connection:
        connection.execute(sa.update(judgements).where(judgements.c.mention_id == stray).values(severity=None))
    found = material(place)
    assert found.week.total == 3
    assert found.week.schools == {"BHS": 1, "KJS": 2}
    assert found.weeks[-2].schools == {"BHS": 1, "KJS": 0}


def test_posts_that_nobody_judged_yet_are_counted_and_said_to_be_unjudged(place: Workplace) -> None:
    number = tell(place, "a", NOW - DAY)
    with place.store.write() as connection:
        connection.execute(sa.update(mention_table).where(mention_table.c.id == number).values(judged_under=None))
    found = material(place)
    assert (found.week.total, found.unjudged) == (1, 1)
    assert found.themes == ()


def test_copies_of_one_post_are_one_story_in_their_theme(place: Workplace) -> None:
    said = "The 8:05 bus from Boroughbridge to King James's is cancelled from today, the village page says"
    for line in range(4):
        tell(place, f"copy-{line}", NOW - DAY + line * HOUR, words=said)
    tell(place, "other", NOW - DAY, words="Lunch at King James's had no allergen marks on Friday, two of us asked")
    tell(place, "before", NOW - 9 * DAY)
    (theme,) = material(place).themes
    assert (theme.count, theme.stories, theme.largest, theme.before) == (5, 2, 4, 1)
    assert theme.tones == {"negative": 5}
    assert theme.earlier == 0


def test_a_story_of_the_week_before_that_goes_on_is_said_to_be_from_before(place: Workplace) -> None:
    said = "The 8:05 bus from Boroughbridge to King James's is cancelled from today, the village page says"
    tell(place, "old", NOW - 8 * DAY, words=said)
    for line in range(2):
        tell(place, f"copy-{line}", NOW - 6 * DAY + line * HOUR, words=said)
    (theme,) = material(place).themes
    assert (theme.count, theme.stories, theme.earlier, theme.before) == (2, 1, 1, 1)


def test_counts_outlive_the_posts_they_were_counted_from(tmp_path: Path) -> None:
    """Retention erases posts after a month; a later report still knows how many there were."""
    earlier = NOW - 5 * WEEK
    with workplace(tmp_path, earlier) as place:
        read(place, "mastodon", earlier - 8 * DAY, earlier)
        read(place, "feeds", earlier - 8 * DAY, earlier)
        number = tell(place, "a", earlier - DAY)
        weekly(place, window_for(place, earlier))
        with place.store.write() as connection:
            mentions.erase(connection, [number], now=earlier + 32 * DAY, why="kept long enough", forget=frozenset())
    with workplace(tmp_path) as place:
        counted = material(place).weeks[-6]
        assert (counted.total, counted.schools, counted.seen) == (1, {"BHS": 0, "KJS": 1}, True)
        for file in place.reports_folder.glob("weekly-counts-*.json"):
            file.write_text("{damaged", encoding="utf-8")
        faded = material(place).weeks[-6]
        assert (faded.total, faded.faded, faded.seen) == (0, True, False)


def test_the_written_counts_are_counts_alone(place: Workplace) -> None:
    tell(place, "a", NOW - DAY, words="words of a post")
    _, files = weekly(place, window_for(place, NOW))
    plain = json.loads(files[-1].read_text(encoding="utf-8"))
    assert set(plain) == {"window", "total", "schools", "unread", "faded"}


def test_weeks_before_the_monitor_was_there_are_unknown_not_zero(place: Workplace) -> None:
    read(place, "mastodon", NOW - 10 * DAY, NOW)
    totals = [week.total for week in material(place).weeks]
    assert totals == [None] * 10 + [0, 0]


# ---------------------------------------------------------------- what was not seen


def test_a_day_without_a_complete_run_is_blind_in_the_grid_and_in_its_week(place: Workplace) -> None:
    read(place, "feeds", NOW - 3 * WEEK, NOW)
    read(place, "mastodon", NOW - 3 * WEEK, NOW - 2 * DAY - 5 * HOUR)
    found = material(place)
    rows = {row.source: row for row in found.grid}
    assert all(day and day.whole and day.hours == 24 for day in rows["feeds"].days)
    assert [day.hours if day else None for day in rows["mastodon"].days] == [24, 24, 24, 24, 19, 0, 0]
    assert found.week.unread == {"Mastodon": 3}
    assert found.weeks[-2].unread == {}


def test_what_was_read_later_in_the_same_week_was_read(place: Workplace) -> None:
    """After two dark days one run reads them all; a week later it would be too late for this count."""
    read(place, "feeds", NOW - 2 * WEEK, NOW)
    read(place, "mastodon", NOW - 2 * WEEK, NOW - 4 * DAY)
    read(place, "mastodon", NOW - 2 * DAY, NOW - 2 * DAY, every=2 * DAY)
    read(place, "mastodon", NOW - 2 * DAY, NOW)
    assert material(place).week.unread == {}


def test_a_source_that_was_never_read_shows_in_the_grid_and_makes_no_week_differ(place: Workplace) -> None:
    read(place, "feeds", NOW - 3 * WEEK, NOW)
    found = material(place)
    assert [row.source for row in found.grid] == ["feeds", "mastodon"]
    assert not any(day and day.whole for day in found.grid[1].days)
    assert found.week.seen


# ---------------------------------------------------------------- response times


def test_a_decision_takes_staffed_time_and_an_acknowledgement_is_not_one(place: Workplace) -> None:
    friday = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
    case = open_a_case(place, tell(place, "a", friday), friday)
    act(place, case, friday + 30 * timedelta(minutes=1), "ack", CaseState.ACKNOWLEDGED)
    monday = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    case = act(place, case, monday, "answer", CaseState.ANSWERED)
    times = times_of(place, case, NOW + DAY)
    assert times.took == timedelta(hours=2, minutes=30)
    assert times.acknowledged == friday + 30 * timedelta(minutes=1)
    assert times.decided == monday
    assert times.in_time


@pytest.mark.parametrize("what", ["answer", "no-reply", "refer", "close", "not about us"])
def test_each_of_these_is_a_decision(place: Workplace, what: str) -> None:
    case = act(place, open_a_case(place, tell(place, "a", NOW - DAY), NOW - DAY), NOW - HOUR, what)
    assert times_of(place, case, NOW).decided == NOW - HOUR


def test_a_case_opened_again_is_undecided_and_its_clock_starts_anew(place: Workplace) -> None:
    case = open_a_case(place, tell(place, "a", NOW - 5 * DAY), NOW - 5 * DAY)
    act(place, case, NOW - 4 * DAY, "close", CaseState.CLOSED)
    case = act(place, case, NOW - DAY, "reopen", CaseState.NEW)
    times = times_of(place, case, NOW)
    assert (times.started, times.decided) == (NOW - DAY, None)


def test_what_happens_after_the_week_is_not_known_in_its_report(place: Workplace) -> None:
    case = open_a_case(place, tell(place, "a", NOW - DAY), NOW - DAY)
    case = act(place, case, NOW + HOUR, "answer", CaseState.ANSWERED)
    assert times_of(place, case, NOW).decided is None


def test_an_immediate_case_runs_by_the_clock_day_and_night(place: Workplace) -> None:
    sunday = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)
    case = open_a_case(place, tell(place, "a", sunday), sunday, "THREAT_VIOLENCE")
    case = act(place, case, sunday + timedelta(minutes=11), "refer", CaseState.REFERRED)
    times = times_of(place, case, NOW)
    assert (times.took, times.in_time) == (timedelta(minutes=11), True)


def test_an_old_case_that_is_decided_this_week_is_among_this_weeks_cases(place: Workplace) -> None:
    long_ago = NOW - 40 * WEEK
    case = open_a_case(place, tell(place, "a", long_ago), long_ago)
    act(place, case, NOW - DAY, "close", CaseState.CLOSED)
    assert [times.reference for times in material(place).cases] == [case.reference]


def test_corrections_are_counted_in_the_week_in_which_they_were_made(place: Workplace) -> None:
    for key, what, when in (
        ("a", "wrong tag: PRAISE", NOW - DAY),
        ("b", "not about us", NOW - DAY),
        ("c", "wrong tag: PRAISE", NOW - 8 * DAY),
    ):
        act(place, open_a_case(place, tell(place, key, NOW - 9 * DAY), NOW - 9 * DAY), when, what)
    found = material(place)
    assert (found.retagged, found.not_ours) == (1, 1)


# ---------------------------------------------------------------- spent


def test_what_was_spent_is_the_sum_of_the_weeks_runs(place: Workplace) -> None:
    read(place, "mastodon", NOW - 2 * DAY, NOW - HOUR)
    spent = {source.source: source.spent for source in material(place).coverage}["mastodon"]
    assert spent.calls == 96
    assert spent.pence == pytest.approx(72.0)


# ---------------------------------------------------------------- the store's own figures


def test_both_databases_count_alike(store: Store, now: datetime) -> None:
    window = Window(start=now - WEEK, end=now)
    with store.write() as connection:
        arrivals = [
            Arrival(mention=mention, author_key="", sha256=mention.sha256)
            for mention in (
                Mention(source="mastodon", native_id=str(line), url="", text=f"post {line}", published=now)
                for line in range(4)
            )
        ]
        mentions.take(connection, arrivals, now=now - DAY, articles=frozenset())
        both = judged("PRAISE", Severity.P4, ("BHS", "KJS"))
        mentions.record(connection, [(1, both), (2, both), (3, replace(both, severity=None))], now=now)
    with store.read() as connection:
        found = figures.tallies(connection, window)
        assert figures.tallies(connection, Window(start=now, end=now + DAY)) == ()
        assert audit.erased(connection, window) == {}
        assert figures.readings(connection, window) == ()
        assert figures.first_run(connection, "mastodon") is None
        assert figures.cases_touched(connection, window) == ()
    assert {(tally.schools, tally.category, tally.count) for tally in found} == {
        (("BHS", "KJS"), "PRAISE", 2),
        ((), "", 1),
    }


def test_counting_a_week_reads_the_index_and_not_the_whole_history(place: Workplace) -> None:
    asked: list[str] = []
    with place.store.read() as connection:
        sa.event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2]))
        figures.tallies(connection, Window(start=NOW - WEEK, end=NOW))
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0]}", ("2026-11-16", "2026-11-23")).all()
    said = " ".join(str(row) for row in plan)
    assert "SEARCH mentions USING INDEX ix_mentions_first_seen" in said
    assert "SCAN" not in said


# ---------------------------------------------------------------- staffed time

CALENDAR = Calendar(closures=(Closure(name="Christmas", first=date(2026, 12, 21), last=date(2027, 1, 4)),))


@pytest.mark.parametrize(
    ("start", "end", "length"),
    [
        ("2026-11-20T16:00", "2026-11-23T09:30", timedelta(hours=2, minutes=30)),
        ("2026-11-21T10:00", "2026-11-22T18:00", timedelta(0)),
        ("2026-11-23T05:00", "2026-11-23T23:00", timedelta(hours=9)),
        ("2026-12-18T16:00", "2027-01-05T09:00", timedelta(hours=2)),
        ("2026-11-23T12:00", "2026-11-23T11:00", timedelta(0)),
    ],
)
def test_time_stands_still_while_the_schools_are_closed(start: str, end: str, length: timedelta) -> None:
    begin, finish = (datetime.fromisoformat(moment).replace(tzinfo=ZONE) for moment in (start, end))
    assert staffed_between(begin, finish, CALENDAR, ZONE) == length


@given(
    start=st.integers(0, 365 * 24 * 60).map(
        lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    minutes=st.integers(0, 6000),
)
def test_the_staffed_time_until_a_due_moment_is_what_was_given(start: datetime, minutes: int) -> None:
    due = after_staffed(start, minutes, CALENDAR, ZONE)
    assert staffed_between(start, due, CALENDAR, ZONE) == timedelta(minutes=minutes)
