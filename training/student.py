"""The small network that ships: one encoder that learns how posts sound and what they are about, side by side.

In: the public corpora, the invented posts, the larger networks' recorded opinions of both, a MiniLM folder. Out: a
fitted ``Network``. The opinions are numbers only, one row a text, so that it can be made again without a GPU.
Learning mood first costs an encoder its knowledge of topics, and topics afterwards cost it its mood; learned together
from the start, neither is lost, and a post is read once instead of twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from analysis.encoder import SENTIMENT
from training import triage
from training.data import REPOSITORY, read_readings
from training.network import Network, Schedule, Targets, Tokens, fit, tokenize
from training.teacher import HEADS, gold

if TYPE_CHECKING:
    from torch import Tensor

    from training.data import Example, Post

LABELS: Final = Path(__file__).with_name("teacher_labels.npz")
POST_LABELS: Final = Path(__file__).with_name("triage_labels.npz")
READINGS: Final = REPOSITORY / "benchmarks" / "posts" / "seen_readings.csv"
SCHEDULE: Final = Schedule(epochs=1, batch=64, rate=1e-4, hidden=0.15)
CORPUS_READINGS: Final = 1
POST_READINGS: Final = 5
"""How often each text is read, with other words hidden each time; together they are the one epoch of the schedule."""
FURTHER: Final = Schedule(epochs=1, batch=64, rate=1e-4, head_rate=1e-4, hidden=0.15)
FRESH_READINGS: Final = 6
REMINDED: Final = 2
CORPUS_REMINDED: Final = 12
"""Learned afterwards: fresh posts six times, and of the known ones and the corpus so few that nothing is lost."""
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


@dataclass(frozen=True, slots=True)
class Labels:
    """Where the opinions lie: the larger networks' of the corpus and the posts, and second readers' of posts."""

    corpus: Path = LABELS
    posts: Path = POST_LABELS
    readings: Path = READINGS


@dataclass(frozen=True, slots=True)
class Lessons:
    """All texts, the corpus first and the posts behind it, what the heads are to say of each, and what may be learned.

    Attributes:
        corpus_rows: the corpus's training texts.
        first_post: the row of the first post.
    """

    tokens: Tokens
    targets: dict[str, Targets]
    corpus_rows: np.ndarray
    first_post: int


def lessons(corpus: list[Example], posts: list[Post], categories: list[str], folder: Path, labels: Labels) -> Lessons:
    """Put corpus and posts together; a head has weight 0 where a text is not of its kind."""
    tokens = tokenize(folder, [example.text for example in corpus] + [post.text for post in posts])
    public = taught(corpus, labels.corpus)
    own = triage.taught(posts, categories, labels.posts, read_readings(labels.readings))
    targets = {name: _padded(target, 0, len(posts)) for name, target in public.items()}
    targets |= {name: _padded(target, len(corpus), 0) for name, target in own.items()}
    training = np.flatnonzero([example.split == "train" for example in corpus])
    return Lessons(tokens, targets, training, len(corpus))


def untrained(folder: Path, categories: list[str]) -> Network:
    """MiniLM with a head for all that is asked of a post; hidden words take the place of dropout in its layers."""
    return Network(folder, {**HEADS, **triage.heads(categories)}, inner_dropout=0.0)


def train(network: Network, given: Lessons, posts: np.ndarray, seed: int) -> None:
    """Fit one seed in place on the corpus and on some of the posts (rows among the posts)."""
    rows = np.concatenate(
        [np.tile(given.corpus_rows, CORPUS_READINGS), np.tile(given.first_post + posts, POST_READINGS)]
    )
    fit(network, given.tokens, given.targets, rows, replace(SCHEDULE, seed=seed))


def train_further(network: Network, given: Lessons, fresh: np.ndarray, known: np.ndarray, seed: int) -> None:
    """Teach a fitted network, in place, posts that were written since (rows among the posts): half the way."""
    posts = np.concatenate([np.tile(fresh, FRESH_READINGS), known[seed % REMINDED :: REMINDED]])
    rows = np.concatenate([given.corpus_rows[seed % CORPUS_REMINDED :: CORPUS_REMINDED], given.first_post + posts])
    targets = {name: target for name, target in given.targets.items() if name != SENTIMENT}  # has layers of its own
    before = {name: weights.clone() for name, weights in network.state_dict().items()}
    fit(network, given.tokens, targets, rows, replace(FURTHER, seed=seed))
    network.load_state_dict(halfway(before, network.cpu().state_dict()))


def halfway(before: dict[str, Tensor], after: dict[str, Tensor]) -> dict[str, Tensor]:
    """The mean of two fitted networks' weights: it keeps what was known and has most of what was learned.

    Source: Wortsman et al. 2022, Robust fine-tuning of zero-shot models.
    """
    return {
        name: (weights + after[name]) / 2 if weights.is_floating_point() else weights
        for name, weights in before.items()
    }


def _padded(target: Targets, before: int, behind: int) -> Targets:
    """The same targets among rows of which this head knows nothing."""
    return Targets(np.pad(target.probabilities, ((before, behind), (0, 0))), np.pad(target.weights, (before, behind)))
