"""Who is misread: `python -m benchmarks.bias` prints false alarms and misses by how people write.

Invented pairs, a file for each group: the same message in the group's way of writing and in plain English, which has
to be judged the same (PR27; Equality Act 2010 s.149). Nothing is learned and no rule is written from these posts. Of
thirty posts one moves a figure by three points.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from analysis import pipeline
from analysis.encoder import Encoder
from analysis.matching import Post
from benchmarks.labelled import POSTS
from monitor.policy import folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.records import Judgement

GROUPS: Final = {
    "yorkshire": "Yorkshire dialect",
    "youth": "multicultural London and youth English",
    "additional": "English as a later language",
    "reclaimed": "reclaimed words",
    "send": "special needs: parents, carers, pupils",
    "quoting": "quoting abuse to report or discuss it",
}
"""A file of `posts/bias` and what stands in it."""
URGENT: Final = frozenset({"P0", "P1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Misread:
    """How many posts of one wording were misread: harmless ones raised, urgent ones missed, any taken as not ours."""

    false_alarms: int
    missed: int
    dropped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one group's posts were taken for, and the same messages in plain English."""

    group: str
    harmless: int
    urgent: int
    own: Misread
    plain: Misread


def pairs(file: str) -> list[dict[str, Any]]:
    """Return the pairs of a group: `text`, `plain`, and the `schools`, `severity` and `category` of both."""
    return [json.loads(line) for line in (POSTS / "bias" / f"{file}.jsonl").read_text(encoding="utf-8").splitlines()]


def measured() -> tuple[Row, ...]:
    """Judge every pair and count, group by group; the last row is of all."""
    judges = pipeline.judges_of(folder.load(), Encoder.load())
    rows = []
    for file, group in GROUPS.items():
        posts = pairs(file)
        urgent = [post["severity"] in URGENT for post in posts]
        own, plain = (_misread(_judged([post[key] for post in posts], judges), urgent) for key in ("text", "plain"))
        rows.append(Row(group=group, harmless=urgent.count(False), urgent=urgent.count(True), own=own, plain=plain))
    every = Row(
        group="all",
        harmless=sum(row.harmless for row in rows),
        urgent=sum(row.urgent for row in rows),
        own=_together([row.own for row in rows]),
        plain=_together([row.plain for row in rows]),
    )
    return (*rows, every)


def _judged(texts: Sequence[str], judges: pipeline.Judges) -> list[Judgement]:
    frame = pipeline.frame_of([Post(text=text, source="facebook") for text in texts], [True] * len(texts))
    return list(pipeline.judge(frame, judges))


def _misread(judged: Sequence[Judgement], urgent: Sequence[bool]) -> Misread:
    raised = [judgement.severity in URGENT for judgement in judged]
    return Misread(
        false_alarms=sum(alarm and not due for alarm, due in zip(raised, urgent, strict=True)),
        missed=sum(due and not alarm for alarm, due in zip(raised, urgent, strict=True)),
        dropped=sum(judgement.relevant == "no" for judgement in judged),
    )


def _together(counts: Sequence[Misread]) -> Misread:
    return Misread(
        false_alarms=sum(count.false_alarms for count in counts),
        missed=sum(count.missed for count in counts),
        dropped=sum(count.dropped for count in counts),
    )


def main() -> None:
    """Print the table; in brackets the same messages in plain English."""
    print(
        "| how it is written (in brackets: the same in plain English)"
        " | raised, of harmless | missed, of urgent | not taken as ours |"
    )
    print("|---|---:|---:|---:|")
    for row in measured():
        print(
            f"| {row.group} | {row.own.false_alarms} ({row.plain.false_alarms}) of {row.harmless}"
            f" | {row.own.missed} ({row.plain.missed}) of {row.urgent} | {row.own.dropped} ({row.plain.dropped}) |"
        )


if __name__ == "__main__":
    main()
