"""What the figures in README.md and recorded_run.json are made with.

In: logits for the corpus's validation texts. Out: numbers by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import f1_score, recall_score, roc_auc_score

if TYPE_CHECKING:
    from training.data import Example


def calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error: the mean gap between confidence and accuracy over equal-width bins."""
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(confidence[which == index].sum() - correct[which == index].sum()) for index in range(bins)]
    return float(sum(gaps) / len(confidence))


def scores(corpus: list[Example], logits: dict[str, np.ndarray]) -> dict[str, float]:
    """Each head on each source's validation texts: macro recall for mood, macro F1 and ROC AUC for the others."""
    figures: dict[str, float] = {}
    for source in ("tweeteval", "goemotions"):
        rows = [
            row for row, e in enumerate(corpus) if e.split == "val" and e.source == source and e.sentiment is not None
        ]
        truth = np.array([corpus[row].sentiment for row in rows])
        found = logits["sentiment"][rows].argmax(-1)
        figures[f"sentiment_{source}_macro_recall"] = float(recall_score(truth, found, average="macro"))
        figures[f"sentiment_{source}_macro_f1"] = float(f1_score(truth, found, average="macro"))
    for name, source in (
        ("offensive", "olid"),
        ("offensive", "davidson"),
        ("hate", "edos"),
        ("hate", "hatemoji"),
        ("hate", "davidson"),
    ):
        rows = [row for row, e in enumerate(corpus) if e.split == "val" and e.source == source]
        rows = [row for row in rows if getattr(corpus[row], name) is not None]
        truth = np.array([getattr(corpus[row], name) for row in rows])
        score = logits[name][rows, 0]
        figures[f"{name}_{source}_macro_f1"] = float(f1_score(truth, score > 0, average="macro"))
        figures[f"{name}_{source}_auc"] = float(roc_auc_score(truth, score))
    rows = [row for row, e in enumerate(corpus) if e.split == "val" and e.emotions]
    many = np.array([[index in (corpus[row].emotions or ()) for index in range(28)] for row in rows])
    figures["emotions_macro_f1"] = float(
        f1_score(many, logits["emotions"][rows] > -1, average="macro", zero_division=0)
    )
    return {name: round(value, 4) for name, value in figures.items()}
