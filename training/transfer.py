"""Does a hate head know hate, or the source? Trained on some sources, measured on one that it never saw.

In: the corpus and a MiniLM folder. Out: ROC AUC and macro F1 a held-out source, with and without equal class shares
in each training source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from sklearn.metrics import f1_score, roc_auc_score

from training.network import Network, Schedule, Targets, fit, predict, tokenize
from training.teacher import HEADS, gold

if TYPE_CHECKING:
    from pathlib import Path

    from training.data import Example

SPLITS: Final = (
    ({"edos", "hatemoji"}, {"davidson"}),
    ({"davidson"}, {"edos", "hatemoji"}),
    ({"edos", "davidson"}, {"hatemoji"}),
    ({"hatemoji", "davidson"}, {"edos"}),
)
SCHEDULE: Final = Schedule(epochs=2, batch=64, rate=1e-4)


def transfer(corpus: list[Example], folder: Path, seed: int) -> dict[str, float]:
    """The table: for each choice of sources, plain and with classes balanced a source (and OLID's clean tweets)."""
    tokens = tokenize(folder, [example.text for example in corpus])
    balanced = gold(corpus)["hate"]
    plain = Targets(balanced.probabilities, np.sign(balanced.weights))
    figures: dict[str, float] = {}
    for sources, unseen in SPLITS:
        for name, target, taught in (("plain", plain, sources), ("balanced", balanced, {*sources, "olid"})):
            rows = np.array([row for row, e in enumerate(corpus) if e.split == "train" and e.source in taught])
            rows = rows[target.weights[rows] > 0]
            network = Network(folder, {"hate": HEADS["hate"]})
            schedule = Schedule(SCHEDULE.epochs, SCHEDULE.batch, SCHEDULE.rate, seed=seed)
            fit(network, tokens, {"hate": target}, rows, schedule)
            logits, _ = predict(network, tokens)
            for source in sorted(unseen | sources):
                found = np.array([row for row, e in enumerate(corpus) if e.split == "val" and e.source == source])
                truth, score = balanced.probabilities[found, 0], logits["hate"][found, 0]
                key = f"{'+'.join(sorted(sources))} -> {source} ({name})"
                figures[f"{key} auc"] = round(float(roc_auc_score(truth, score)), 4)
                figures[f"{key} macro_f1"] = round(float(f1_score(truth, score > 0, average="macro")), 4)
    return figures
