"""What the network is to say of this repository's invented posts: the policy's category, how urgent, and the mood.

In: the posts of ``benchmarks/posts/seen`` and the larger networks' recorded opinions of a third of them, second
readings of half of them. Out: soft targets, and folds of posts that resemble each other, for an honest estimate.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import TfidfVectorizer

from training.data import SENTIMENTS, SEVERITIES
from training.network import Head, Targets

if TYPE_CHECKING:
    from pathlib import Path

    from training.data import Post, Reading

FOLDS: Final = 5
ALIKE: Final = 0.35
GOLD_SHARE: Final = 0.5
"""How much a label counts beside the teachers' opinion of the same post, or beside a second reader's."""
SECOND_CHOICE: Final = 0.3
"""How much counts what the second reader thought nearly as right."""


def category_ids(matrix: Path) -> list[str]:
    """The policy's category ids, in the order of matrix.json."""
    return [category["id"] for category in json.loads(matrix.read_text(encoding="utf-8"))["categories"]]


def heads(categories: list[str]) -> dict[str, Head]:
    """Category, severity, and the mood of a post about a school."""
    return {
        "categories": Head(len(categories), exclusive=True),
        "severity": Head(len(SEVERITIES), exclusive=True),
        "mood": Head(len(SENTIMENTS), exclusive=True),
    }


def groups(posts: list[Post], count: int = FOLDS) -> np.ndarray:
    """A fold a post; posts alike in their letters, also through a third one, share a fold."""
    return folds_of(alike(posts), count)


def folds_of(group: np.ndarray, count: int = FOLDS) -> np.ndarray:
    """A fold a post, by the posts' groups."""
    fold_of_group = np.random.default_rng(0).permutation(group.max() + 1) % count
    folds: np.ndarray = fold_of_group[group]
    return folds


def alike(posts: list[Post]) -> np.ndarray:
    """The number of each post's group: posts alike in their letters, also through a third one, share it."""
    vectors = _letters(posts)
    pairs = sparse.vstack([(vectors[first : first + 500] @ vectors.T) > ALIKE for first in range(0, len(posts), 500)])
    group: np.ndarray
    _, group = connected_components(pairs, directed=False)
    return group


def unlike(posts: list[Post], some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which of some rows are like none of the others in their letters."""
    vectors = _letters(posts)
    theirs = vectors[others].T.tocsc()
    alone = [
        np.asarray(((vectors[some[first : first + 500]] @ theirs) > ALIKE).sum(axis=1)).ravel() == 0
        for first in range(0, len(some), 500)
    ]
    return some[np.concatenate(alone)]


def _letters(posts: list[Post]) -> sparse.csr_matrix:
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, dtype=np.float32)
    return letters.fit_transform([post.text for post in posts])


def targets(posts: list[Post], categories: list[str]) -> dict[str, Targets]:
    """What the labels say. Rare categories weigh more, by the square root; a second category gets a fifth.

    A post that is not about the schools has no severity.
    """
    chosen = np.zeros((len(posts), len(categories)), np.float32)
    severity = np.zeros((len(posts), len(SEVERITIES)), np.float32)
    mood = np.zeros((len(posts), len(SENTIMENTS)), np.float32)
    for row, post in enumerate(posts):
        chosen[row, categories.index(post.category)] = 0.8 if post.also else 1.0
        for other in post.also:
            chosen[row, categories.index(other)] += 0.2 / len(post.also)
        if post.severity is not None:
            severity[row, post.severity] = 1
        mood[row, post.sentiment] = 1
    counts = {name: sum(post.category == name for post in posts) for name in categories}
    weights = np.array([(len(posts) / len(categories) / counts[post.category]) ** 0.5 for post in posts], np.float32)
    return {
        "categories": Targets(chosen, weights),
        "severity": Targets(severity, severity.sum(1)),
        "mood": Targets(mood, np.ones(len(posts), np.float32)),
    }


def read_by_teachers(posts: list[Post], labels: Path) -> np.ndarray:
    """Whether there is a recorded opinion of each post."""
    with np.load(labels) as recorded:
        return np.isin([post.id for post in posts], recorded["ids"])


def taught(posts: list[Post], categories: list[str], labels: Path, readings: dict[str, Reading]) -> dict[str, Targets]:
    """What label and recorded opinion say together; what no teacher read, label and second reader; else the label."""
    rows = np.flatnonzero(read_by_teachers(posts, labels))
    with np.load(labels) as recorded:
        place = {post: row for row, post in enumerate(recorded["ids"].tolist())}
        places = [place[posts[row].id] for row in rows]
        opinions = {name: recorded[name][places].astype(np.float32) / 255 for name in heads(categories)}
    mixed = {name: _mixed(target, rows, opinions[name]) for name, target in targets(posts, categories).items()}
    for name, (read, said) in _second(posts, categories, readings, set(rows.tolist())).items():
        mixed[name] = _mixed(mixed[name], read, said)
    return mixed


def _second(
    posts: list[Post], categories: list[str], readings: dict[str, Reading], known: set[int]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What second readers said of posts that no teacher read, by head: the rows and what they say there."""
    read = [row for row, post in enumerate(posts) if post.id in readings and row not in known]
    graded = [row for row in read if None not in {posts[row].severity, readings[posts[row].id].severity}]
    topic = np.zeros((len(read), len(categories)), np.float32)
    level = np.zeros((len(graded), len(SEVERITIES)), np.float32)
    for place, row in enumerate(read):
        said = readings[posts[row].id]
        topic[place, categories.index(said.category)] = 1
        if said.other_category:
            topic[place] *= 1 - SECOND_CHOICE
            topic[place, categories.index(said.other_category)] += SECOND_CHOICE
    for place, row in enumerate(graded):
        said = readings[posts[row].id]
        level[place, said.severity] = 1
        if said.other_severity is not None:
            level[place] *= 1 - SECOND_CHOICE
            level[place, said.other_severity] += SECOND_CHOICE
    return {"categories": (np.array(read), topic), "severity": (np.array(graded), level)}


def _mixed(gold: Targets, rows: np.ndarray, opinion: np.ndarray) -> Targets:
    opinion = opinion / opinion.sum(-1, keepdims=True)
    mixed = gold.probabilities.copy()
    mixed[rows] = GOLD_SHARE * mixed[rows] + (1 - GOLD_SHARE) * opinion
    return Targets(mixed, gold.weights)


def accuracy(posts: list[Post], categories: list[str], logits: np.ndarray, rows: np.ndarray) -> float:
    """The share of some posts whose category is found."""
    truth = np.array([categories.index(posts[row].category) for row in rows])
    return round(float((logits[rows].argmax(1) == truth).mean()), 4)
