"""The last stage: teach the student which category of the policy a post belongs to, and whether it is urgent.

In: the distilled student's weights, this repository's invented posts (``benchmarks/posts/seen``) and, so that nothing
is forgotten, a sample of the public texts with their targets. Out: the weights that ship, the mean of three seeds;
before them an honest estimate, cross-validated over groups of posts that resemble each other.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import numpy as np
import torch
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import TfidfVectorizer

from training.data import Example, Post
from training.network import Head, Network, Schedule, Targets, Tokens, fit, predict, tokenize
from training.student import taught
from training.teacher import HEADS

SEEDS: Final = (0, 1, 2)
FOLDS: Final = 5
REPEATS: Final = 10
REPLAY: Final = 20_000
SCHEDULE: Final = Schedule(epochs=1, batch=64, rate=5e-5)
ALIKE: Final = 0.35


def category_ids(matrix: Path) -> list[str]:
    """The policy's category ids, in the order of matrix.json."""
    return [category["id"] for category in json.loads(matrix.read_text(encoding="utf-8"))["categories"]]


def heads(categories: list[str]) -> dict[str, Head]:
    """The heads that ship: the student's and the two of triage."""
    return {**HEADS, "categories": Head(len(categories), exclusive=True), "urgent": Head(1, exclusive=False)}


def groups(posts: list[Post], count: int = FOLDS) -> np.ndarray:
    """A fold a post; posts alike in their letters, also through a third one, share a fold."""
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    vectors = letters.fit_transform([post.text for post in posts])
    alike = (vectors @ vectors.T) > ALIKE
    _, group = connected_components(alike, directed=False)
    fold_of_group = np.random.default_rng(0).permutation(group.max() + 1) % count
    return fold_of_group[group]


class Material:
    """Public texts and posts in one table, posts last, with every head's targets."""

    def __init__(self, corpus: list[Example], posts: list[Post], categories: list[str], labels: Path, folder: Path) -> None:
        self.corpus = corpus
        self.posts = np.arange(len(corpus), len(corpus) + len(posts))
        self.public = np.array([row for row, example in enumerate(corpus) if example.split == "train"])
        self.tokens: Tokens = tokenize(folder, [*(e.text for e in corpus), *(post.text for post in posts)])
        self.targets = _extended(taught(corpus, labels), posts, categories)

    def rows(self, posts: np.ndarray, seed: int) -> np.ndarray:
        """The rows of one training: the posts many times, and a sample of the public texts."""
        replay = np.random.default_rng(seed).choice(self.public, min(REPLAY, len(self.public)), replace=False)
        return np.concatenate([np.repeat(posts, REPEATS), replay])


def fine_tune(material: Material, start: Path, folder: Path, specification: dict[str, Head], posts: np.ndarray, seed: int) -> Network:
    """Fit one seed, from the distilled student, on some of the posts."""
    network = Network(folder, specification)
    missing, unexpected = network.load_state_dict(torch.load(start, map_location="cpu"), strict=False)
    if unexpected or any(not name.startswith(("heads.categories", "heads.urgent")) for name in missing):
        message = f"{start} does not fit: missing {missing}, unexpected {unexpected}"
        raise ValueError(message)
    schedule = Schedule(SCHEDULE.epochs, SCHEDULE.batch, SCHEDULE.rate, seed=seed)
    fit(network, material.tokens, material.targets, material.rows(posts, seed), schedule)
    return network


def average(networks: list[Network]) -> Network:
    """The mean of the weights, put into the first network."""
    states = [network.state_dict() for network in networks]
    networks[0].load_state_dict(
        {key: torch.stack([state[key].float() for state in states]).mean(0).to(value.dtype) for key, value in states[0].items()}
    )
    return networks[0]


def cross_validate(material: Material, posts: list[Post], start: Path, folder: Path, specification: dict[str, Head], fold: int) -> dict[str, np.ndarray]:
    """Logits for the posts of one fold from networks that saw the others: by seed, then of the mean of the seeds."""
    fold_of = groups(posts)
    unseen = material.posts[fold_of == fold]
    networks = [
        fine_tune(material, start, folder, specification, material.posts[fold_of != fold], seed) for seed in SEEDS
    ]
    collected: dict[str, np.ndarray] = {"rows": np.flatnonzero(fold_of == fold)}
    for name, network in [*((str(seed), n) for seed, n in zip(SEEDS, networks, strict=True)), ("mean", None)]:
        logits, vectors = predict(network or average(networks), material.tokens)
        for head, values in {**logits, "vector": vectors}.items():
            collected[f"{name}/{head}"] = values[material.posts] if head == "vector" else values[unseen]
    return collected


def _extended(targets: dict[str, Targets], posts: list[Post], categories: list[str]) -> dict[str, Targets]:
    """The public texts' targets with the posts' rows below, and the two triage heads."""
    public = len(targets["hate"].weights)
    found = {
        name: (np.zeros((len(posts), head.size), np.float32), np.zeros(len(posts), np.float32))
        for name, head in heads(categories).items()
    }
    counts = {post.category: sum(other.category == post.category for other in posts) for post in posts}
    for row, post in enumerate(posts):
        chosen, weight = found["categories"]
        chosen[row, categories.index(post.category)] = 1.0 if not post.also else 0.8
        for other in post.also:
            chosen[row, categories.index(other)] += 0.2 / len(post.also)
        weight[row] = (len(posts) / len(categories) / counts[post.category]) ** 0.5
        for name, label in (("urgent", post.urgent), ("hate", "HATE_DISCRIMINATION" in {post.category, *post.also})):
            found[name][0][row, 0] = label
            found[name][1][row] = 1
        found["sentiment"][0][row, post.sentiment] = 1
        found["sentiment"][1][row] = 1
    extended = {}
    for name, (probabilities, weights) in found.items():
        head = targets.get(name) or Targets(np.zeros((public, probabilities.shape[1]), np.float32), np.zeros(public, np.float32))
        extended[name] = Targets(np.concatenate([head.probabilities, probabilities]), np.concatenate([head.weights, weights]))
    return extended
