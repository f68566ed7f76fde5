"""``python -m training STEP``: each step's command line."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from training import data, student, teacher, triage
from training.evaluate import scores
from training.network import Network, Schedule, predict, tokenize
from training.transfer import transfer


def main() -> None:
    """Run one step and print its figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m training")
    parser.add_argument("step", choices=["teacher", "label", "student", "average", "transfer", "validate", "finish"])
    parser.add_argument("--data", type=Path, default=data.data_folder())
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--posts", type=Path, default=data.REPOSITORY / "benchmarks" / "posts" / "seen")
    parser.add_argument("--matrix", type=Path, default=data.REPOSITORY.parent / "shared" / "policy" / "matrix.json")
    parser.add_argument("--work", type=Path, default=Path("training-work"))
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=float, default=student.SCHEDULE.epochs)
    parser.add_argument("--rate", type=float, default=student.SCHEDULE.rate)
    parser.add_argument("--labels", type=Path, default=student.LABELS)
    parser.add_argument("--without-teacher", action="store_true")
    parser.add_argument("--subset", type=int, default=1)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    started = time.time()
    corpus = data.read_corpus(arguments.data)[:: arguments.subset]
    if arguments.step == "teacher":
        network = teacher.train_teacher(corpus, arguments.encoder, arguments.fold, arguments.seed, arguments.work)
        logits, _ = predict(network, tokenize(arguments.encoder, [e.text for e in corpus]))
    elif arguments.step == "label":
        logits = teacher.opinions(corpus, arguments.work)
        student.record(logits, arguments.labels)
    elif arguments.step == "transfer":
        print(json.dumps(transfer(corpus, arguments.encoder, arguments.seed), indent=1))
        return
    elif arguments.step in {"validate", "finish"}:
        posts = data.read_posts(arguments.posts)
        categories = triage.category_ids(arguments.matrix)
        material = triage.Material(corpus, posts, categories, arguments.labels, arguments.encoder)
        common = (arguments.work / "student-mean.pt", arguments.encoder, triage.heads(categories))
        if arguments.step == "validate":
            found = triage.cross_validate(material, posts, *common, arguments.fold)
            np.savez_compressed(arguments.work / f"fold-{arguments.fold}.npz", **found)
            return
        networks = [triage.fine_tune(material, *common, material.posts, seed) for seed in triage.SEEDS]
        for seed, network in zip(triage.SEEDS, networks, strict=True):
            logits, _ = predict(network, material.tokens)
            print(json.dumps({"step": "finish", "seed": seed, **scores(corpus, logits)}))
        network = triage.average(networks)
        logits, _ = predict(network, material.tokens)
        torch.save(network.state_dict(), arguments.work / "final.pt")
    elif arguments.step == "average":
        paths = sorted(arguments.work.glob("student-[0-9].pt"))
        states = [torch.load(path, map_location="cpu") for path in paths]
        mean = {key: sum(state[key].float() for state in states) / len(states) for key in states[0]}
        network = Network(arguments.encoder, teacher.HEADS)
        network.load_state_dict(mean)
        logits, _ = predict(network, tokenize(arguments.encoder, [e.text for e in corpus]))
        torch.save(network.state_dict(), arguments.work / "student-mean.pt")
    else:
        schedule = Schedule(arguments.epochs, student.SCHEDULE.batch, arguments.rate, seed=arguments.seed)
        network = student.train_student(corpus, arguments.encoder, schedule, None if arguments.without_teacher else arguments.labels)
        logits, _ = predict(network, tokenize(arguments.encoder, [e.text for e in corpus]))
        torch.save(network.state_dict(), arguments.work / f"student-{arguments.seed}.pt")
    figures = {"step": arguments.step, "fold": arguments.fold, "seed": arguments.seed, **scores(corpus, logits)}
    print(json.dumps({**figures, "seconds": round(time.time() - started, 1)}))


main()
