"""What a larger network makes of the invented posts: category, severity, mood.

In: the posts of ``benchmarks/posts/seen`` and an MPNet folder; a teacher learns from labels alone. Out:
``triage_labels.npz``: for each post (``ids``) the mean opinion, as bytes, of the teachers that had seen neither it
nor any post of its fold. A student that learns from label and opinion together reads better than from labels alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from training.network import Network, Schedule, fit, predict, tokenize
from training.student import probabilities
from training.triage import heads, targets

if TYPE_CHECKING:
    from pathlib import Path

    from training.data import Post

SCHEDULE: Final = Schedule(epochs=6, batch=64, rate=6e-5)


def file(fold: int, seed: int) -> str:
    """The name of the file that keeps the logits of the teacher that did not see a fold."""
    return f"triage-teacher-{fold}-{seed}.npz"


def train(
    posts: list[Post], categories: list[str], folds: np.ndarray, fold: int, folder: Path, seed: int
) -> dict[str, np.ndarray]:
    """Fit one teacher on the posts of all other folds; its logits for all posts."""
    tokens = tokenize(folder, [post.text for post in posts])
    network = Network(folder, heads(categories))
    fit(network, tokens, targets(posts, categories), np.flatnonzero(folds != fold), replace(SCHEDULE, seed=seed))
    logits, _ = predict(network, tokens)
    return logits


def opinions(files: list[Path], folds: np.ndarray) -> dict[str, np.ndarray]:
    """Probabilities from the mean logits of the teachers that did not see a post's fold.

    Raises:
        FileNotFoundError: some post has no such teacher.
    """
    sums: dict[str, np.ndarray] = {}
    counts = np.zeros((len(folds), 1), np.float32)
    for path in files:
        fits = (folds == int(path.stem.split("-")[2]))[:, None]
        counts += fits
        with np.load(path) as logits:
            for name in logits.files:
                sums[name] = sums.get(name, 0) + fits * logits[name].astype(np.float32)
    if not counts.all():
        message = "some posts have no teacher that did not see them: run `python -m training triage-teacher` a fold"
        raise FileNotFoundError(message)
    return {name: probabilities(total / counts) for name, total in sums.items()}


def record(posts: list[Post], found: dict[str, np.ndarray], path: Path) -> None:
    """Keep opinions as bytes (0 to 255) beside the posts' ids."""
    as_bytes = {name: np.round(values * 255).astype(np.uint8) for name, values in found.items()}
    np.savez_compressed(path, ids=np.array([post.id for post in posts]), **as_bytes)
