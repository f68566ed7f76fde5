"""How far careful readers agree on the held-out posts: `python -m benchmarks.readers`, beside the product.

Three readers labelled every held-out post with the policy's matrix before them, each alone, without the labels, the
rules or the product's answers (`posts/held_out_readings.csv`). What they miss cannot be asked of a product. They were
of the same workshop as the writers, so their agreement says that the labels follow the matrix consistently, not that
every school would decide alike. Only figures come out of the held-out part.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

from analysis import pipeline
from analysis.encoder import Encoder
from benchmarks.accuracy import Judged, figures, judge
from benchmarks.labelled import POSTS, Labelled, held_out
from monitor.policy import folder
from monitor.records import Judgement, Relevance, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

FILE: Final = POSTS / "held_out_readings.csv"
TOLD: Final = (
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


def readings(posts: Sequence[Labelled]) -> dict[str, list[Judged]]:
    """Return what each reader said of some posts, by reader, in the order of the file."""
    by_id = {post.id: post for post in posts}
    said: dict[str, list[Judged]] = {}
    with FILE.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            judgement = Judgement(
                relevant=Relevance(row["relevant"]),
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
            said.setdefault(f"reader {row['reader']}", []).append(Judged(post=by_id[row["id"]], judgement=judgement))
    return said


def main() -> None:
    """Print the table."""
    posts = held_out()
    columns = readings(posts) | {"product": judge(posts, pipeline.judges_of(folder.load(), Encoder.load()))}
    table = {name: figures(judged) for name, judged in columns.items()}
    print(f"| figure | {' | '.join(table)} |")
    print(f"|---|{'---:|' * len(table)}")
    for name in TOLD:
        print(f"| {name} | {' | '.join(f'{column[name]:.3f}' for column in table.values())} |")


if __name__ == "__main__":
    main()
