"""A source of many parts says in one sentence how many of them failed, and how."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from collectors._failures import Failure, worst
from monitor.errors import AccessRefused, RateLimited, UnexpectedShape, Unreachable

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def late(number: int) -> Failure:
    return Failure(what=f"Late {number}", error=Unreachable("feeds", f"no answer from late{number}.example in time"))


def lost(number: int) -> Failure:
    return Failure(what=f"Lost {number}", error=UnexpectedShape("feeds", f"127.0.0.1:80{number} answers 404"))


def test_a_few_failures_are_told_one_by_one() -> None:
    error = worst("feeds", [late(1), lost(2)], of=9, things="feeds", now=NOW)

    assert isinstance(error, UnexpectedShape)
    assert error.problem == (
        "2 of 9 feeds failed: Late 1 (no answer from late1.example in time); Lost 2 (127.0.0.1:802 answers 404)"
    )


def test_many_failures_are_counted_by_their_kind_with_the_first_of_each() -> None:
    failures = [late(1), *(lost(number) for number in range(200)), *(late(number) for number in range(2, 301))]

    assert worst("feeds", failures, of=2000, things="feeds", now=NOW).problem == (
        "500 of 2000 feeds failed: 300 with “no answer from the site in time” (first Late 1 and Late 2); "
        "200 with “the site answers 404” (first Lost 0 and Lost 1)"
    )


def test_a_single_failure_among_many_of_another_kind_is_named() -> None:
    robots = Failure(
        what="Paper", error=AccessRefused("feeds", "robots.txt of paper.example closes this address, more than 2.5 MB")
    )
    error = worst("feeds", [*(late(number) for number in range(9)), robots], of=10, things="feeds", now=NOW)

    assert isinstance(error, AccessRefused)
    assert error.problem.endswith("; 1 with “robots.txt of the site closes this address, more than 2.5 MB” (Paper)")


def test_failures_of_too_many_kinds_stay_one_short_sentence() -> None:
    odd = [Failure(what=f"Feed {n}", error=UnexpectedShape("feeds", f"line {n} is no XML")) for n in range(900)]
    problem = worst("feeds", odd, of=900, things="feeds", now=NOW).problem

    assert problem.endswith("; 896 in other ways")
    assert len(problem) < 250


def test_the_one_who_asks_to_wait_is_heard_among_many() -> None:
    wait = Failure(
        what="Slow", error=RateLimited("feeds", "slow.example asks us to wait", retry_at=NOW + timedelta(minutes=5))
    )
    error = worst("feeds", [*(late(number) for number in range(9)), wait], of=20, things="feeds", now=NOW)

    assert isinstance(error, RateLimited)
    assert error.retry_at == NOW + timedelta(minutes=5)
    assert "1 with “the site asks us to wait” (Slow)" in error.problem
