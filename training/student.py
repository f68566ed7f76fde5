"""The small model that ships, taught by the teachers and the labels together.

In: the corpus, the teachers' recorded opinions, a MiniLM folder. Out: a fitted ``Network``. The opinions are kept in
``teacher_labels.npz`` (numbers only, one row a text), so that the student can be made again without a GPU.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from training.network import Network, Schedule, Targets, fit, tokenize
from training.teacher import HEADS, gold

if TYPE_CHECKING:
    from training.data import Example

LABELS: Final = Path(__file__).with_name("teacher_labels.npz")
SCHEDULE: Final = Schedule(epochs=4, batch=64, rate=1e-4)
GOLD_SHARE: Final = {"sentiment": 0.3, "offensive": 0.5, "hate": 0.5}
UNLABELLED_WEIGHT: Final = {"sentiment": 1.0, "offensive": 0.3, "hate": 0.3}


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Softmax of several columns, or the logistic function of one."""
    if logits.shape[-1] == 1:
        return 1 / (1 + np.exp(-logits))
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def record(opinions: dict[str, np.ndarray], path: Path) -> None:
    """Keep the opinions on sentiment, offence and hate as bytes (0 to 255)."""
    np.savez_compressed(
        path, **{name: np.round(probabilities(opinions[name]) * 255).astype(np.uint8) for name in GOLD_SHARE}
    )


def taught(corpus: list[Example], path: Path) -> dict[str, Targets]:
    """Targets: where a text has a label, a mixture of label and opinion; elsewhere the opinion alone."""
    targets = gold(corpus)
    with np.load(path) as opinions:
        for name, share in GOLD_SHARE.items():
            opinion = opinions[name].astype(np.float32) / 255
            if name == "sentiment":
                opinion /= opinion.sum(-1, keepdims=True)
            label = targets[name]
            labelled = (label.weights > 0)[:, None]
            mixed = np.where(labelled, share * label.probabilities + (1 - share) * opinion, opinion)
            weights = np.where(
                labelled[:, 0], np.maximum(label.weights, UNLABELLED_WEIGHT[name]), UNLABELLED_WEIGHT[name]
            )
            targets[name] = Targets(mixed, weights.astype(np.float32))
    return targets


def train_student(corpus: list[Example], folder: Path, schedule: Schedule, labels: Path | None = LABELS) -> Network:
    """Fit a student on every training text; without ``labels``, on the gold labels alone (to compare)."""
    network = Network(folder, HEADS)
    rows = np.array([row for row, example in enumerate(corpus) if example.split == "train"])
    tokens = tokenize(folder, [example.text for example in corpus])
    fit(network, tokens, taught(corpus, labels) if labels else gold(corpus), rows, schedule)
    return network
