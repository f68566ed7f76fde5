"""How far careful readers agree with the labels: `python -m benchmarks.readers`, beside the product.

Three readers labelled every held-out post with the policy's matrix before them, each alone, without the labels, the
rules or the product's answers (`posts/held_out_readings.csv`). What they miss cannot be asked of a product. One reader
each read, in the same way, about half of the seen posts and the unread ones (`posts/seen_readings.csv`,
`posts/unread_readings.csv`), taking every name as ours; for the seen posts there is no column of the product, which
has learned from them. They were of the same workshop as the writers, so their agreement says that the labels follow
the matrix consistently, not that every school would decide alike. Only figures come out of the held-out part.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

from analysis import pipeline
from analysis.encoder import Encoder
from benchmarks.accuracy import Judged, figures, judge
from benchmarks.labelled import POSTS, Labelled, held_out, seen, unread
from monitor.policy import folder
from monitor.records import Judgement, Relevance, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TOLD: Final = (
    "posts",
    "relevance F1",
    "P0 recall",
    "P0 seen as urgent",
    "urgent recall (P0+P1)",
    "false urgent (of harmless relevant)",
    "severity right",
    "category right",
    "category macro-F1",
)
"""What the readers were asked; they were not asked for the school or the tone."""


def readings(posts: Sequence[Labelled], file: Path) -> dict[str, list[Judged]]:
    """Return what each reader said of some posts, by reader, in the order of the file.

    A file without a column `relevant` is of readers who took every name as ours; for them a post that speaks of
    another school is not relevant. A file without a column `reader` is of one reading a post.
    """
    by_id = {post.id: post for post in posts}
    said: dict[str, list[Judged]] = {}
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            judgement = Judgement(
                relevant=Relevance(row.get("relevant", "yes" if row["severity"] else "no")),
                schools=(),
                sentiment=None,
                sentiment_score=None,
                category=row["category"],
                also=(),
                severity=Severity(row["severity"]) if row["severity"] else None,
                owner="",
                clauses=(),
                reasons=(),
                policy_version="",
            )
            name = f"reader {row['reader']}" if "reader" in row else "a reader"
            said.setdefault(name, []).append(Judged(post=by_id[row["id"]], judgement=judgement))
    return said


def main() -> None:
    """Print the table."""
    judges = pipeline.judges_of(folder.load(), Encoder.load())
    parts = {"held_out": held_out(), "unread": unread(), "seen": seen()}
    table = {}
    for part, posts in parts.items():
        for name, judged in readings(posts, POSTS / f"{part}_readings.csv").items():
            table[f"{part}: {name}"] = figures(judged)
        if part != "seen":
            table[f"{part}: product"] = figures(judge(posts, judges))
    print(f"| figure | {' | '.join(table)} |")
    print(f"|---|{'---:|' * len(table)}")
    for name in TOLD:
        cells = (f"{figure[name]:.0f}" if name == "posts" else f"{figure[name]:.3f}" for figure in table.values())
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
