"""The larger models whose opinion the student learns.

In: the corpus and an MPNet-base folder. Out: one file a teacher with its logits for every text. Teachers are
cross-fitted: each leaves one fold out, and a text is labelled only by teachers that never saw it, so that the
student learns doubt where the labels are doubtful and not what a teacher has by heart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from training.data import Example, folds
from training.network import Head, Network, Schedule, Targets, fit, predict, tokenize

if TYPE_CHECKING:
    from pathlib import Path

HEADS: Final = {
    "sentiment": Head(3, exclusive=True),
    "offensive": Head(1, exclusive=False),
    "hate": Head(1, exclusive=False),
    "emotions": Head(28, exclusive=False),
}
FOLDS: Final = 4
SCHEDULE: Final = Schedule(epochs=2, batch=64, rate=4e-5)
HATE_SHARE: Final = 0.3


def gold(corpus: list[Example]) -> dict[str, Targets]:
    """The labels as targets. In each source of hate labels both classes are weighted to the same share.

    Without that a hate head learns to tell the sources apart. Davidson's 'offensive' picks by a word list that errs
    on African American English, so it is used to check the offensive head, never to train it.
    """
    sentiment = _targets(corpus, [example.sentiment for example in corpus], 3)
    for row, example in enumerate(corpus):
        sentiment.weights[row] *= 0.5 if example.source == "goemotions" else 1.0
    offensive = [None if example.source == "davidson" else example.offensive for example in corpus]
    hate = _targets(corpus, [example.hate for example in corpus], 1)
    sources = np.array([example.source for example in corpus])
    positive = hate.probabilities[:, 0] > 0
    for source in sorted({*sources}):
        labelled = (sources == source) & (hate.weights > 0)
        share = positive[labelled].mean() if labelled.any() else 0.0
        if share == 0:
            hate.weights[labelled] = 0.25
        else:
            hate.weights[labelled & positive] = HATE_SHARE / share
            hate.weights[labelled & ~positive] = (1 - HATE_SHARE) / (1 - share)
    emotions = np.zeros((len(corpus), 28), np.float32)
    for row, example in enumerate(corpus):
        emotions[row, list(example.emotions or ())] = 1
    weights = np.array([8.0 if example.emotions else 0.0 for example in corpus], np.float32)
    return {
        "sentiment": sentiment,
        "offensive": _targets(corpus, offensive, 1),
        "hate": hate,
        "emotions": Targets(emotions, weights),
    }


def train_teacher(corpus: list[Example], folder: Path, fold: int, seed: int, out: Path) -> Network:
    """Fit one teacher on all folds but one and write its logits for every text to ``out``."""
    training = np.array([example.split == "train" for example in corpus])
    rows = np.flatnonzero(training & (folds(corpus, FOLDS) != fold))
    tokens = tokenize(folder, [example.text for example in corpus])
    network = Network(folder, HEADS)
    schedule = Schedule(SCHEDULE.epochs, SCHEDULE.batch, SCHEDULE.rate, seed=seed)
    fit(network, tokens, gold(corpus), rows, schedule)
    logits, _ = predict(network, tokens)
    np.savez_compressed(
        out / f"teacher-{fold}-{seed}.npz", **{name: values.astype(np.float16) for name, values in logits.items()}
    )
    return network


def opinions(corpus: list[Example], folder: Path) -> dict[str, np.ndarray]:
    """Each text's mean logits over the teachers that did not train on it (validation texts: over all)."""
    training = np.array([example.split == "train" for example in corpus])
    fold_of = folds(corpus, FOLDS)
    sums = {name: np.zeros((len(corpus), head.size), np.float32) for name, head in HEADS.items()}
    counts = np.zeros((len(corpus), 1), np.float32)
    for path in sorted(folder.glob("teacher-*.npz")):
        unseen = (~training | (fold_of == int(path.stem.split("-")[1])))[:, None]
        counts += unseen
        with np.load(path) as logits:
            for name, total in sums.items():
                np.add(total, unseen * logits[name].astype(np.float32), out=total)
    if not counts.all():
        message = f"{folder} lacks a teacher for some fold: run `python -m training teacher` for each"
        raise FileNotFoundError(message)
    return {name: total / counts for name, total in sums.items()}


def _targets(corpus: list[Example], labels: list[int | None], size: int) -> Targets:
    probabilities = np.zeros((len(corpus), size), np.float32)
    weights = np.zeros(len(corpus), np.float32)
    for row, label in enumerate(labels):
        if label is not None:
            weights[row] = 1
            probabilities[row, 0 if size == 1 else label] = label if size == 1 else 1
    return Targets(probabilities, weights)
