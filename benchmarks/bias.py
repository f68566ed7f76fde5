"""Who is misread: `python -m benchmarks.bias` prints false alarms and misses by how people write.

Invented posts of dialect, youth English, reclaimed words, parents of children with special needs, and people
who quote abuse in order to report it, beside plain English (PR27; Equality Act 2010 s.149). Nothing is learned
and no rule is written from these posts. Groups are small: one post moves a figure by several points.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from analysis import pipeline
from analysis.encoder import Encoder
from analysis.matching import Post
from benchmarks.labelled import POSTS
from monitor.policy import folder

FILE: Final = POSTS / "bias" / "posts.jsonl"
URGENT: Final = frozenset({"P0", "P1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one group's posts were taken for."""

    group: str
    harmless: int
    false_alarms: int
    urgent: int
    missed: int
    dropped: int


def measured() -> tuple[Row, ...]:
    """Judge the posts and count, group by group, in the file's order."""
    posts = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    judges = pipeline.judges_of(folder.load(), Encoder.load())
    frame = pipeline.frame_of([Post(text=p["text"], source="facebook") for p in posts], [True] * len(posts))
    judged = list(zip(posts, pipeline.judge(frame, judges), strict=True))
    rows = []
    for group in dict.fromkeys(post["group"] for post in posts):
        own = [(post, judgement) for post, judgement in judged if post["group"] == group]
        calm = [j for post, j in own if post["severity"] not in URGENT]
        grave = [j for post, j in own if post["severity"] in URGENT]
        rows.append(
            Row(
                group=group,
                harmless=len(calm),
                false_alarms=sum(j.severity in URGENT for j in calm),
                urgent=len(grave),
                missed=sum(j.severity not in URGENT for j in grave),
                dropped=sum(j.relevant == "no" for _, j in own),
            )
        )
    return tuple(rows)


def main() -> None:
    """Print the table."""
    print("| how it is written | false alarms | of harmless | missed | of urgent | not taken as ours |")
    print("|---|---:|---:|---:|---:|---:|")
    for row in measured():
        print(f"| {row.group} | {row.false_alarms} | {row.harmless} | {row.missed} | {row.urgent} | {row.dropped} |")


if __name__ == "__main__":
    main()
