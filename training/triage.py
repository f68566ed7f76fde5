"""The last stage: teach which category of the policy a post belongs to, whether it is urgent, and its mood here.

In: the distilled student's weights, the general encoder's folder and this repository's invented posts
(``benchmarks/posts/seen``). Out: the weights that ship, the mean of three seeds; before them an honest estimate,
cross-validated over groups of posts that resemble each other.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import TfidfVectorizer

from training.branch import Branch, Forked, fork
from training.network import Head, Network, Schedule, Targets, fit, tokenize
from training.teacher import HEADS

if TYPE_CHECKING:
    from pathlib import Path

    from training.data import Post

SEEDS: Final = (0, 1, 2)
FOLDS: Final = 5
ALIKE: Final = 0.35
SCHEDULE: Final = Schedule(epochs=15, batch=32, rate=2e-4)
CONTINUED: Final = Schedule(epochs=3, batch=32, rate=1e-4)
SHARED_LAYERS: Final = 2


def category_ids(matrix: Path) -> list[str]:
    """The policy's category ids, in the order of matrix.json."""
    return [category["id"] for category in json.loads(matrix.read_text(encoding="utf-8"))["categories"]]


def heads(categories: list[str]) -> dict[str, Head]:
    """The branch's heads: category, urgent (P0 or P1), and the mood of a post about a school."""
    return {
        "categories": Head(len(categories), exclusive=True),
        "urgent": Head(1, exclusive=False),
        "mood": Head(3, exclusive=True),
    }


def groups(posts: list[Post], count: int = FOLDS) -> np.ndarray:
    """A fold a post; posts alike in their letters, also through a third one, share a fold."""
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, dtype=np.float32)
    vectors = letters.fit_transform([post.text for post in posts])
    alike = sparse.vstack([(vectors[first : first + 500] @ vectors.T) > ALIKE for first in range(0, len(posts), 500)])
    _, group = connected_components(alike, directed=False)
    fold_of_group = np.random.default_rng(0).permutation(group.max() + 1) % count
    return fold_of_group[group]


@dataclass(frozen=True, slots=True)
class Material:
    """All that a fit needs: what the student makes of the posts, targets, and the layers to start from."""

    forked: Forked
    targets: dict[str, Targets]
    specification: dict[str, Head]
    general: list[torch.nn.Module]


def material(posts: list[Post], categories: list[str], student: Path, folder: Path) -> Material:
    """Prepare the posts: the only step here that runs the student."""
    network = Network(folder, HEADS)
    general = copy.deepcopy([*network.encoder.encoder.layer[SHARED_LAYERS:]])
    network.load_state_dict(torch.load(student, map_location="cpu"))
    forked = fork(network, tokenize(folder, [post.text for post in posts]), SHARED_LAYERS)
    return Material(forked, targets(posts, categories), heads(categories), general)


def targets(posts: list[Post], categories: list[str]) -> dict[str, Targets]:
    """What the heads should say. Rare categories weigh more, by the square root; a second category gets a fifth."""
    chosen = np.zeros((len(posts), len(categories)), np.float32)
    mood = np.zeros((len(posts), 3), np.float32)
    for row, post in enumerate(posts):
        chosen[row, categories.index(post.category)] = 0.8 if post.also else 1.0
        for other in post.also:
            chosen[row, categories.index(other)] += 0.2 / len(post.also)
        mood[row, post.sentiment] = 1
    counts = {name: sum(post.category == name for post in posts) for name in categories}
    weights = np.array([(len(posts) / len(categories) / counts[post.category]) ** 0.5 for post in posts], np.float32)
    even = np.ones(len(posts), np.float32)
    urgent = np.array([[post.urgent] for post in posts], np.float32)
    return {"categories": Targets(chosen, weights), "urgent": Targets(urgent, even), "mood": Targets(mood, even)}


def untrained(material: Material) -> Branch:
    """A branch as the general encoder gives it."""
    return Branch(material.general, material.forked.tone.shape[1], material.specification)


def fine_tune(material: Material, rows: np.ndarray, seed: int, start: Path | None = None) -> Branch:
    """Fit one seed on some of the posts, from the general encoder or from an earlier branch's weights."""
    branch = untrained(material)
    if start:
        branch.load_state_dict(torch.load(start, map_location="cpu"))
    fit(branch, material.forked, material.targets, rows, replace(CONTINUED if start else SCHEDULE, seed=seed))
    return branch


def mean(states: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The mean of several networks' weights; they started alike, so it is better than each."""
    return {
        key: torch.stack([state[key].float() for state in states]).mean(0).to(value.dtype).cpu()
        for key, value in states[0].items()
    }


def accuracy(posts: list[Post], categories: list[str], logits: np.ndarray, rows: np.ndarray) -> float:
    """The share of some posts whose category is found."""
    truth = np.array([categories.index(posts[row].category) for row in rows])
    return round(float((logits[rows].argmax(1) == truth).mean()), 4)
