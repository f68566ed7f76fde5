"""``python -m training STEP``: each step's command line; every step prints its figures as one line of JSON."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from training import data, student, teacher, triage, triage_teacher
from training.evaluate import scores
from training.network import Network, predict, tokenize
from training.ship import ship
from training.transfer import transfer

STEPS = (
    "teacher",
    "label",
    "student",
    "average",
    "transfer",
    "triage-teacher",
    "triage-label",
    "validate",
    "finish",
    "ship",
)
POSTS = data.REPOSITORY / "benchmarks" / "posts"


def main() -> None:
    """Run one step."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("--data", type=Path, default=data.data_folder(), help="the public corpora")
    parser.add_argument("--encoder", type=Path, help="folder of MPNet (teachers) or MiniLM (all other steps)")
    parser.add_argument("--posts", type=Path, default=POSTS / "seen")
    parser.add_argument("--matrix", type=Path, default=data.REPOSITORY.parent / "shared" / "policy" / "matrix.json")
    parser.add_argument(
        "--work", type=Path, default=Path("training-work"), help="where weights and logits lie between steps"
    )
    parser.add_argument("--labels", type=Path, default=student.LABELS, help="the teachers' recorded opinions")
    parser.add_argument(
        "--start", type=Path, help="validate, finish: a branch of the first batch of posts, to go on from"
    )
    parser.add_argument("--fold", type=int, default=0, help="left out by teacher and validate")
    parser.add_argument("--without", type=int, help="triage-teacher: another fold left out, for validation")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=float, default=student.SCHEDULE.epochs, help="student")
    parser.add_argument("--without-teacher", action="store_true", help="student: gold labels alone, to compare")
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
    return _triage(arguments) if arguments.step in {"validate", "finish", "ship"} else _public(arguments)


def _triage_teacher(arguments: argparse.Namespace) -> dict[str, float]:
    """The larger network's steps on the invented posts."""
    posts = data.read_posts(arguments.posts, POSTS / "unread")
    folds = triage.groups(posts)
    if arguments.step == "triage-label":
        files = sorted(arguments.work.glob("triage-teacher-*.npz"))
        triage_teacher.record(posts, triage_teacher.opinions(files, folds), triage_teacher.LABELS)
        return {"posts": len(posts)}
    unseen = triage_teacher.Unseen(arguments.fold, arguments.without)
    categories = triage.category_ids(arguments.matrix)
    logits = triage_teacher.train(posts, categories, folds, unseen, arguments.encoder, arguments.seed)
    kept = {name: values.astype(np.float16) for name, values in logits.items()}
    np.savez(arguments.work / unseen.file(arguments.seed), **kept)
    return {"posts": len(posts), "learned_from": int((~np.isin(folds, [arguments.fold, arguments.without])).sum())}


def _public(arguments: argparse.Namespace) -> dict[str, float]:
    """The steps on the public corpora."""
    corpus = data.read_corpus(arguments.data)
    encoder, work = arguments.encoder, arguments.work
    if arguments.step == "transfer":
        return transfer(corpus, encoder, arguments.seed)
    if arguments.step == "label":
        logits = teacher.opinions(corpus, work)
        student.record(logits, arguments.labels)
        return scores(corpus, logits)
    if arguments.step == "teacher":
        network = teacher.train_teacher(corpus, encoder, arguments.fold, arguments.seed, work)
    elif arguments.step == "student":
        labels = None if arguments.without_teacher else arguments.labels
        schedule = replace(student.SCHEDULE, epochs=arguments.epochs, seed=arguments.seed)
        network = student.train_student(corpus, encoder, schedule, labels)
        torch.save(network.state_dict(), work / f"student-{arguments.seed}.pt")
    else:
        states = [torch.load(path, map_location="cpu") for path in sorted(work.glob("student-[0-9].pt"))]
        network = Network(encoder, teacher.HEADS)
        network.load_state_dict(triage.mean(states))
        torch.save(network.state_dict(), work / "student-mean.pt")
    logits, _ = predict(network, tokenize(encoder, [example.text for example in corpus]))
    return scores(corpus, logits)


def _triage(arguments: argparse.Namespace) -> dict[str, float]:
    """The steps on the invented posts."""
    posts = data.read_posts(arguments.posts)
    categories = triage.category_ids(arguments.matrix)
    material = triage.material(posts, categories, arguments.work / "student-mean.pt", arguments.encoder)
    if arguments.step == "validate":
        unseen = triage.groups(posts) == arguments.fold
        branch = triage.fine_tune(material, np.flatnonzero(~unseen), arguments.seed, arguments.start)
        logits, vectors = predict(branch, material.forked)
        rows = np.array([row for row in np.flatnonzero(unseen) if not (arguments.start and posts[row].first)])
        np.savez(arguments.work / f"fold-{arguments.fold}.npz", vectors=vectors, rows=rows, **logits)
        return {"posts": len(rows), "category_accuracy": triage.accuracy(posts, categories, logits["categories"], rows)}
    if arguments.step == "finish":
        everything = np.arange(len(posts))
        seeds = triage.SEEDS[:1] if arguments.start else triage.SEEDS
        states = [triage.fine_tune(material, everything, seed, arguments.start).state_dict() for seed in seeds]
        torch.save(triage.mean(states), arguments.work / "branch.pt")
        return {"posts": len(posts)}
    branch = triage.untrained(material)
    branch.load_state_dict(torch.load(arguments.work / "branch.pt", map_location="cpu"))
    student_network = Network(arguments.encoder, teacher.HEADS)
    student_network.load_state_dict(torch.load(arguments.work / "student-mean.pt", map_location="cpu"))
    return ship(student_network, branch, arguments)


main()
