"""How right the judgements are: `python -m benchmarks.accuracy` prints one table.

Five columns: the policy draft's examples, the posts that rules are written against, the posts held out, which are
written to be hard, posts as a normal year brings them, and those that no network has learned from though they were
written like the last of the seen ones. Only figures come out of the held-out part and the ordinary one; `--misses`
lists those of the examples and the seen posts.
`--labels FILE` adds a column for the corrections that people made in their own cases.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sklearn.metrics import f1_score, precision_recall_fscore_support

from analysis import pipeline
from analysis.encoder import Encoder
from analysis.matching import Post
from benchmarks.labelled import Labelled, examples, held_out, labelled_by_people, ordinary, seen, unread
from monitor.policy import folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.records import Judgement

HARMLESS = {"P3", "P4"}
FLOORS = {"P0 recall": 1.0, "urgent recall (P0+P1)": 0.98}
CEILINGS = {"false urgent (of harmless relevant)": 0.03}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A labelled post and what the product says of it."""

    post: Labelled
    judgement: Judgement

    @property
    def found_urgent(self) -> bool:
        """Whether the product would act at once."""
        return self.judgement.severity in {"P0", "P1"}


def judge(posts: Sequence[Labelled], judges: pipeline.Judges) -> list[Judged]:
    """Judge labelled posts as `tag` would."""
    frame = pipeline.frame_of(
        [Post(text=p.text, source=p.source, community=p.community) for p in posts], [True] * len(posts)
    )
    return [
        Judged(post=post, judgement=judgement)
        for post, judgement in zip(posts, pipeline.judge(frame, judges), strict=True)
    ]


def figures(judged: Sequence[Judged]) -> dict[str, float]:
    """Return every figure of the table. Shares are of 1; a figure without cases is nan."""
    kept_gold = [j.post.relevant != "no" for j in judged]
    kept = [j.judgement.relevant != "no" for j in judged]
    precision, recall, f1, _ = precision_recall_fscore_support(kept_gold, kept, average="binary", zero_division=0)
    both = [j for j in judged if j.post.relevant == "yes" and j.post.schools is not None]
    emergencies = [j for j in judged if j.post.severity == "P0"]
    urgent = [j for j in judged if j.post.urgent]
    harmless = [j for j in judged if j.post.relevant == "yes" and j.post.severity in HARMLESS]
    about = [j for j in judged if j.post.relevant != "no"]
    toned = [j for j in judged if j.post.sentiment not in {None, "mixed"}]
    return {
        "posts": len(judged),
        "relevance precision": float(precision),
        "relevance recall": float(recall),
        "relevance F1": float(f1),
        "schools right": _share([j.judgement.schools == j.post.schools for j in both]),
        "P0 recall": _share([j.judgement.severity == "P0" for j in emergencies]),
        "P0 seen as urgent": _share([j.found_urgent for j in emergencies]),
        "urgent recall (P0+P1)": _share([j.found_urgent for j in urgent]),
        "false urgent (of harmless relevant)": _share([j.found_urgent for j in harmless]),
        "severity right": _share([j.judgement.severity == j.post.severity for j in about]),
        "category right": _share([j.judgement.category == j.post.category for j in judged]),
        "category macro-F1": float(
            f1_score(
                [j.post.category for j in judged],
                [j.judgement.category for j in judged],
                labels=sorted({j.post.category for j in judged}),
                average="macro",
                zero_division=0,
            )
        ),
        "sentiment macro-recall": _macro_recall(
            [str(j.post.sentiment) for j in toned], [str(j.judgement.sentiment) for j in toned]
        ),
    }


def _share(hits: Sequence[bool]) -> float:
    """Return the share of True."""
    return sum(hits) / len(hits) if hits else float("nan")


def _macro_recall(gold: Sequence[str], said: Sequence[str]) -> float:
    """Return the mean over the gold labels of the share that was recognised."""
    labels = sorted(set(gold))
    if not labels:
        return float("nan")
    return sum(_share([s == g for g, s in zip(gold, said, strict=True) if g == label]) for label in labels) / len(
        labels
    )


def misses(judged: Sequence[Judged]) -> list[str]:
    """Return what went wrong, worst first, one line each."""
    out = []
    for j in judged:
        said, gold = j.judgement, j.post
        wrong = [
            f"{name} {want}->{got}"
            for name, want, got in (
                ("relevant", gold.relevant, said.relevant.value),
                ("schools", "+".join(gold.schools or said.schools), "+".join(said.schools)),
                ("severity", gold.severity or "-", said.severity.value if said.severity else "-"),
                ("category", gold.category, said.category),
            )
            if want != got
        ]
        if wrong:
            rank = (gold.severity or "P9") if j.post.urgent and not j.found_urgent else "P9"
            out.append(f"{rank} {gold.id}: {'; '.join(wrong)} | {gold.text}")
    return sorted(out)


def main() -> int:
    """Print the table; return 1 if a floor does not hold on the held-out part."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--misses", action="store_true", help="list the misses on examples and seen posts")
    arguments.add_argument("--labels", type=Path, help="labels.jsonl of a data folder: people's own corrections")
    wanted = arguments.parse_args()
    judges = pipeline.judges_of(folder.load(), Encoder.load())
    parts = {
        "examples": examples(),
        "seen": seen(),
        "held out": held_out(),
        "ordinary": ordinary(),
        "unread": unread(),
    }
    if wanted.labels:
        parts["labels"] = labelled_by_people(wanted.labels)
    judged = {name: judge(posts, judges) for name, posts in parts.items() if posts}
    table = {name: figures(part) for name, part in judged.items()}
    print(f"| figure | {' | '.join(table)} |")
    print(f"|---|{'---:|' * len(table)}")
    for name in next(iter(table.values())):
        cells = (f"{f[name]:.0f}" if name == "posts" else f"{f[name]:.3f}" for f in table.values())
        print(f"| {name} | {' | '.join(cells)} |")
    if wanted.misses:
        for part in ("examples", "seen"):
            print(f"\n## {part}")
            print("\n".join(misses(judged.get(part, []))))
    final = table["held out"]
    broken = [name for name, floor in FLOORS.items() if final[name] < floor]
    broken += [name for name, ceiling in CEILINGS.items() if final[name] > ceiling]
    for name in broken:
        print(f"\nnot met on the held-out part: {name} = {final[name]:.3f}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
