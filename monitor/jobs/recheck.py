"""Ask the sources again for what we hold: what was deleted there is wiped here, what was edited is judged again.

policy/sources.toml says how soon after it was last seen each source's post must be asked for again (PR08). No
assessment is asked for first: where collection has stopped because it is overdue, people's deletions still count.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from monitor.errors import QuotaSpent, RateLimited, SourceError, StoreError
from monitor.jobs.collect import arrival_of, wipe
from monitor.jobs.sources import allowance, make_collector, standings
from monitor.jobs.spending import booked
from monitor.records import Gone, Malformed, Mention, Outcome, Purpose, Run, Spent, Window
from monitor.store import rechecks, runs
from monitor.store.clock import AHEAD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from collectors import Rechecker
    from monitor.jobs.sources import Standing
    from monitor.jobs.workplace import Workplace
    from monitor.store.rechecks import Waiting

BATCH: Final = 100
"""Posts asked for at once, and stored or wiped in one transaction."""
TURNS: Final = 4
"""A source is asked four times in the interval that its terms give, and each time for what would be overdue by
the next: nothing waits longer than the interval, and a post of which a source says nothing is asked for no
more often than that."""
GRACE: Final = timedelta(minutes=1)
"""So that an hourly clock does not skip every other turn."""
MOST_FAILURES: Final = 3
"""Failed batches after which a source is left alone for this time; one instance that is down must not keep the
posts of the others waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rechecked:
    """What came of asking again.

    Attributes:
        asked: posts that their sources were asked for.
        wiped: posts that are gone at the source, and now here.
        changed: posts that were edited, and wait to be judged again.
        incomplete: sources that could not be asked for all of theirs.
    """

    asked: int = 0
    wiped: int = 0
    changed: int = 0
    incomplete: int = 0


@dataclass(slots=True)
class _Tally:
    """What one source has answered so far."""

    asked: int = 0
    answered: int = 0
    wiped: int = 0
    changed: int = 0
    malformed: Counter[str] = field(default_factory=Counter)
    spent: Spent = field(default_factory=Spent)


def recheck(place: Workplace) -> Rechecked:
    """Ask every source that is on, and can be asked by id, for the posts whose time has come.

    A source that fails is recorded as failed, and the others go on. Each source's turn is a `Run`, with its cost
    and with what went; where nothing was due there is none.

    Raises:
        ExceptionGroup: a collector has a fault of its own; every other source was asked first.
    """
    total = Rechecked()
    faults: list[Exception] = []
    for standing in standings(place):
        if not standing.on or not standing.policy.recheck_hours or not _is_due(place, standing):
            continue
        rechecker = cast("Rechecker", make_collector(place, standing))
        tally = _Tally()
        try:
            run = _turn(place, standing, rechecker, tally)
        except StoreError:
            raise  # no source's fault, and none of the others could be stored either
        except Exception as fault:  # noqa: BLE001 - recorded in the store by _turn; raised again below
            faults.append(fault)
            continue
        total = Rechecked(
            asked=total.asked + tally.asked,
            wiped=total.wiped + tally.wiped,
            changed=total.changed + tally.changed,
            incomplete=total.incomplete + (run.outcome is not Outcome.COMPLETE),
        )
    if faults:
        raise ExceptionGroup("collectors with a fault of their own", faults)
    return total


def _is_due(place: Workplace, standing: Standing) -> bool:
    """Whether it is a source's turn, it does not want us to wait, and a post of it waits."""
    now = place.clock()
    with place.store.read() as connection:
        last = runs.latest(connection, standing.source, before=now + AHEAD, purpose=Purpose.RECHECK)
        waits = runs.waits_until(connection, standing.source)
        if waits and now < waits:
            return False
        if last and last.outcome is Outcome.COMPLETE and now < last.started + _interval(standing) / TURNS - GRACE:
            return False
        return bool(rechecks.waiting(connection, standing.source, seen_before=_overdue(standing, now), limit=1))


def _interval(standing: Standing) -> timedelta:
    """Return how long a source's post may go without being asked for."""
    return timedelta(hours=standing.policy.recheck_hours)


def _overdue(standing: Standing, now: datetime) -> datetime:
    """Return the moment before which a post was last seen that would be overdue by the source's next turn."""
    return now - _interval(standing) * (TURNS - 1) / TURNS


def _turn(place: Workplace, standing: Standing, rechecker: Rechecker, tally: _Tally) -> Run:
    """Ask one source for everything that is due and record it; a fault of the collector's own is raised."""
    started = place.clock()
    run = Run(
        source=standing.source,
        started=started,
        ended=started,
        window=Window(start=started, end=started),
        purpose=Purpose.RECHECK,
        outcome=Outcome.COMPLETE,
    )
    try:
        _ask_for_all(place, standing, rechecker, run, tally)
    except StoreError:
        raise  # no source's fault; what was booked stands
    except SourceError as error:
        run = replace(
            run,
            outcome=Outcome.PARTIAL if tally.answered else Outcome.FAILED,
            error_kind=error.kind,
            error=error.problem,
            retry_at=getattr(error, "retry_at", None),
        )
    except Exception as fault:
        problem = f"a fault in the collector ({type(fault).__name__})"
        _record(place, replace(run, outcome=Outcome.FAILED, error_kind="fault", error=problem), tally)
        raise
    return _record(place, run, tally)


def _record(place: Workplace, run: Run, tally: _Tally) -> Run:
    """Write a turn down."""
    run = replace(
        run,
        ended=place.clock(),
        seen=tally.answered,
        changed=tally.changed,
        gone=tally.wiped,
        malformed=dict(sorted(tally.malformed.items())),
        spent=tally.spent,
    )
    with place.store.write() as connection:
        runs.add(connection, run)
    return run


def _ask_for_all(place: Workplace, standing: Standing, rechecker: Rechecker, run: Run, tally: _Tally) -> None:
    """Ask batch by batch, oldest first.

    Raises:
        SourceError: the source, or our own cap, stopped us; or some batches failed, and this is the first failure.
    """
    with place.store.read() as connection:
        allowed = allowance(connection, standing, place.clock())
    failures: list[SourceError] = []
    for batch in _batches(place, standing):
        try:
            _ask_for(place, standing, rechecker, batch, run, allowed - tally.spent if allowed else None, tally)
        except (RateLimited, QuotaSpent):
            raise
        except SourceError as error:
            failures.append(error)
            if len(failures) == MOST_FAILURES:
                break
    if failures:
        raise failures[0]


def _batches(place: Workplace, standing: Standing) -> Iterator[tuple[Waiting, ...]]:
    """Give the posts that are due, oldest first, each once."""
    seen_before, last = _overdue(standing, place.clock()), None
    while True:
        with place.store.read() as connection:
            batch = rechecks.waiting(connection, standing.source, seen_before=seen_before, after=last, limit=BATCH)
        if not batch:
            return
        yield batch
        last = batch[-1]


def _ask_for(
    place: Workplace,
    standing: Standing,
    rechecker: Rechecker,
    batch: tuple[Waiting, ...],
    run: Run,
    left: Spent | None,
    tally: _Tally,
) -> None:
    """Ask for one batch, and make the store say what the source says, in one transaction."""
    standing_there: list[Mention] = []
    gone: list[Gone] = []
    tally.asked += len(batch)
    try:
        yielded = rechecker.recheck([post.native_id for post in batch], left)
        for item in booked(place, run, yielded, before=tally.spent) if left else yielded:
            match item:
                case Mention():
                    standing_there.append(item)
                case Gone():
                    gone.append(item)
                case Malformed(reason=reason):
                    tally.malformed[reason] += 1
                case Spent():
                    tally.spent += item
    finally:
        # what was said before a source failed counts
        _store(place, standing, standing_there, gone, tally)


def _store(place: Workplace, standing: Standing, there: list[Mention], gone: list[Gone], tally: _Tally) -> None:
    """Wipe what is gone, take edits over, and note what stands; a post of an open case is wiped like any other.

    The case stays, with its reference and its history, which hold none of the post's words.
    """
    now = place.clock()
    words = standing.policy.keep_text
    arrivals = [arrival_of(place, mention, words=words) for mention in there]
    tally.answered += len(there) + len(gone)
    with place.store.write() as connection:
        tally.changed += rechecks.confirm(connection, arrivals, now=now)
        tally.wiped += wipe(place, connection, gone)
