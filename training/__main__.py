"""``python -m training STEP``: each step's command line; every step prints its figures as one line of JSON."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from analysis.encoder import MODEL_FOLDER
from training import data, student, teacher, tone, triage, triage_teacher
from training.evaluate import scores
from training.network import Network, predict, tokenize
from training.shelf import restore
from training.ship import RUN, ship, ship_tone
from training.transfer import transfer

STEPS = (
    "teacher",
    "label",
    "student",
    "further",
    "transfer",
    "triage-teacher",
    "triage-label",
    "ship",
    "tone",
    "ship-tone",
)
POSTS = data.REPOSITORY / "benchmarks" / "posts" / "seen"
FITTED = "fitted.pt"
LEFT_OUT = 12
"""One in so many of the posts that no teacher read is not learned; those like no learned one serve for calibration."""


def main() -> None:
    """Run one step."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("--data", type=Path, default=data.data_folder(), help="the public corpora")
    parser.add_argument("--encoder", type=Path, help="folder of MPNet (teachers) or MiniLM (all other steps)")
    parser.add_argument("--posts", type=Path, default=POSTS)
    parser.add_argument("--matrix", type=Path, default=data.REPOSITORY.parent / "shared" / "policy" / "matrix.json")
    parser.add_argument(
        "--work", type=Path, default=Path("training-work"), help="where weights and logits lie between steps"
    )
    parser.add_argument("--labels", type=Path, default=student.LABELS, help="the teachers' opinions of the corpora")
    parser.add_argument("--post-labels", type=Path, default=student.POST_LABELS, help="the teachers' opinions of posts")
    parser.add_argument("--fold", type=int, default=0, help="left out by a teacher, or by the student")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    started = time.time()
    figures = _step(arguments)
    told = {"step": arguments.step, "fold": arguments.fold, "seed": arguments.seed, **figures}
    print(json.dumps({**told, "seconds": round(time.time() - started, 1)}))


def _step(arguments: argparse.Namespace) -> dict[str, float]:
    """The figures of one step."""
    if arguments.step in {"triage-teacher", "triage-label"}:
        return _triage_teacher(arguments)
    return _public(arguments) if arguments.step in {"teacher", "label", "transfer"} else _student(arguments)


def _triage_teacher(arguments: argparse.Namespace) -> dict[str, float]:
    """The larger network's steps on the invented posts."""
    posts = data.read_posts(arguments.posts)
    folds = triage.groups(posts)
    if arguments.step == "triage-label":
        files = sorted(arguments.work.glob("triage-teacher-*.npz"))
        triage_teacher.record(posts, triage_teacher.opinions(files, folds), arguments.post_labels)
        return {"posts": len(posts)}
    categories, fold, seed = triage.category_ids(arguments.matrix), arguments.fold, arguments.seed
    logits = triage_teacher.train(posts, categories, folds, fold, arguments.encoder, seed)
    kept = {name: values.astype(np.float16) for name, values in logits.items()}
    np.savez(arguments.work / triage_teacher.file(fold, seed), **kept)
    return {"posts": len(posts), "learned_from": int((folds != fold).sum())}


def _public(arguments: argparse.Namespace) -> dict[str, float]:
    """The larger network's steps on the public corpora."""
    corpus = data.read_corpus(arguments.data)
    if arguments.step == "transfer":
        return transfer(corpus, arguments.encoder, arguments.seed)
    if arguments.step == "label":
        logits = teacher.opinions(corpus, arguments.work)
        student.record(logits, arguments.labels)
        return scores(corpus, logits)
    network = teacher.train_teacher(corpus, arguments.encoder, arguments.fold, arguments.seed, arguments.work)
    logits, _ = predict(network, tokenize(arguments.encoder, [example.text for example in corpus]))
    return scores(corpus, logits)


def _student(arguments: argparse.Namespace) -> dict[str, float]:
    """The small network's steps, on corpora and posts together."""
    work, categories = arguments.work, triage.category_ids(arguments.matrix)
    network = student.untrained(arguments.encoder, categories)
    if arguments.step in {"tone", "ship-tone"}:
        return _tone(network, arguments)
    if arguments.step == "ship":
        network.load_state_dict(torch.load(work / FITTED, map_location="cpu"))
        return ship(network, arguments)
    corpus, posts = data.read_corpus(arguments.data), data.read_posts(arguments.posts)
    labels = student.Labels(arguments.labels, arguments.post_labels)
    lessons = student.lessons(corpus, posts, categories, arguments.encoder, labels)
    ids = [post.id for post in posts]
    aside = ~triage.read_by_teachers(posts, labels.posts) & (data.draw(ids, LEFT_OUT) == arguments.fold)
    learned = np.flatnonzero(~aside)
    if arguments.step == "further":
        restore(network, MODEL_FOLDER)
        tone.hold(network)
        recorded = json.loads(RUN.read_text(encoding="utf-8"))["posts"]
        known = np.isin(ids, [post.id for post in data.read_posts(arguments.posts, recorded)])[learned]
        student.train_further(network, lessons, learned[~known], learned[known], arguments.seed)
    else:
        student.train(network, lessons, learned, arguments.seed)
    torch.save(network.state_dict(), work / FITTED)
    logits, vectors = predict(network, tokenize(arguments.encoder, [post.text for post in posts]))
    rows = triage.unlike(posts, np.flatnonzero(aside), learned)
    np.savez(
        work / "unseen.npz", vectors=vectors, rows=rows, **{name: logits[name] for name in triage.heads(categories)}
    )
    found_right = triage.accuracy(posts, categories, logits["categories"], rows)
    return {"posts": len(learned), "category_accuracy": found_right}


def _tone(network: Network, arguments: argparse.Namespace) -> dict[str, float]:
    """The steps that give what ships, rounded as it is, layers of its own for tone."""
    restore(network, MODEL_FOLDER)
    heard, file = tone.branch(network, arguments.encoder), arguments.work / "tone.pt"
    if arguments.step == "ship-tone":
        heard.load_state_dict(torch.load(file, map_location="cpu"))
        return ship_tone(heard, arguments)
    corpus = data.read_corpus(arguments.data)
    texts = tone.train(heard, corpus, arguments.encoder, arguments.labels, arguments.seed)
    torch.save(heard.state_dict(), file)
    return {"texts": texts}


main()
