"""Puts the model on the shelf: exports, calibrates, measures, and writes what ships and what was done.

In: the network, or its layers for tone; ``unseen.npz`` (logits and vectors of all posts, and which of them it never
saw) and ``figures.jsonl`` (what each step printed) in the work folder. Out:
``analysis/model`` and ``recorded_run.json``.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

from analysis.encoder import COMMON, MODEL_FOLDER, SENTIMENT, TONE, TOPICS, Encoder
from training import data, student, teacher, tone, triage, triage_teacher
from training.evaluate import calibration_error, scores
from training.export import TOPIC_HEADS, export_common, export_tone, export_topics
from training.network import MAXIMUM_TOKENS
from training.student import probabilities

if TYPE_CHECKING:
    import argparse

    from training.network import Network

RUN: Final = Path(__file__).with_name("recorded_run.json")
FILES: Final = (COMMON, TOPICS, TONE, "tokenizer.json")
SHIFT: Final = 0.7
EVEN: Final = 0.5
URGENT: Final = data.SEVERITIES.index("P1")
LICENCES: Final = [
    "Weights start from sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), taught by all-mpnet-base-v2 (Apache-2.0).",
    "SemEval 2013-2017 Task 4 as in TweetEval (Barbieri et al. 2020): annotations CC BY 3.0.",
    "OLID / OffensEval 2019 (Zampieri et al.): research terms; no text is shipped.",
    "EDOS (Kirk et al. 2023): CC0 1.0.",
    "HatemojiBuild (Kirk et al. 2022): CC BY 4.0.",
    "GoEmotions (Demszky et al. 2020): Apache-2.0.",
    "Davidson et al. 2017: MIT.",
    "benchmarks/posts/seen: this repository's own.",
]


def temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """The temperature under which these logits explain the truth best."""

    def surprise(value: float) -> float:
        chance = probabilities(logits / value)[np.arange(len(truth)), truth]
        return float(-np.log(chance + 1e-9).mean())

    return round(float(minimize_scalar(surprise, bounds=(0.3, 5), method="bounded").x), 3)


def shift_and_temperature(logits: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Platt's two numbers for a head of one output: p = logistic((logit + shift) / temperature)."""
    fitted = LogisticRegression(C=100.0).fit(logits.reshape(-1, 1), truth)
    slope = float(fitted.coef_[0, 0])
    return round(float(fitted.intercept_[0]) / slope, 3), round(1 / slope, 3)


def ship(network: Network, arguments: argparse.Namespace) -> dict[str, float]:
    """Export, calibrate and record; the figures. Tone is heard by the common layers until `ship_tone`."""
    folder, work, source, posts_folder = arguments.encoder, arguments.work, arguments.data, arguments.posts
    MODEL_FOLDER.mkdir(exist_ok=True)
    before = common.read_bytes() if (common := MODEL_FOLDER / COMMON).exists() else b""
    export_common(network, MODEL_FOLDER)
    export_topics(network, MODEL_FOLDER)
    if common.read_bytes() != before:  # what tone was learned on is no more: until its step, the new layers hear it
        export_tone(tone.branch(network, folder), MODEL_FOLDER)
    shutil.copy(folder / "tokenizer.json", MODEL_FOLDER / "tokenizer.json")
    categories = triage.category_ids(arguments.matrix)
    names = {
        "sentiment": ("exclusive", data.SENTIMENTS),
        "mood": ("exclusive", data.SENTIMENTS),
        "offensive": ("binary", ("offensive",)),
        "hate": ("binary", ("hate",)),
        "emotions": ("many", tuple((source / "goemotions" / "labels.txt").read_text().split())),
        "categories": ("exclusive", tuple(categories)),
        "severity": ("exclusive", data.SEVERITIES),
    }
    heads: dict[str, Any] = {
        name: {"kind": kind, "labels": labels, "shift": [0.0] * len(labels), "temperature": 1.0}
        for name, (kind, labels) in names.items()
    }
    manifest: dict[str, Any] = {
        **_fingerprints(),
        "maximum_tokens": MAXIMUM_TOKENS,
        "licences": LICENCES,
        "heads": heads,
    }
    _write(MODEL_FOLDER / "manifest.json", manifest)
    figures = _public(heads, source)
    figures |= _invented(heads, posts_folder, categories, work)
    _write(MODEL_FOLDER / "manifest.json", manifest)
    _write(
        RUN,
        {
            "run": manifest["run"],
            "seeds": {"teachers": [0, 1], "folds": teacher.FOLDS, "post_teachers": [0], "student": arguments.seed},
            "schedules": {
                "teacher": asdict(teacher.SCHEDULE),
                "post_teacher": asdict(triage_teacher.SCHEDULE),
                "student": asdict(student.SCHEDULE),
                "further": asdict(student.FURTHER),
            },
            "readings": {
                "corpus": student.CORPUS_READINGS,
                "posts": student.POST_READINGS,
                "fresh": student.FRESH_READINGS,
            },
            "sentiment_shift": SHIFT,
            "data": {name: data.sha256(source / name) for name in data.INPUTS},
            "posts": {path.name: data.sha256(path) for path in sorted(posts_folder.glob("*.jsonl"))},
            "start": {"all-MiniLM-L6-v2/model.safetensors": data.sha256(folder / "model.safetensors")},
            "teacher_labels.npz": data.sha256(student.LABELS),
            "triage_labels.npz": data.sha256(student.POST_LABELS),
            "seen_readings.csv": data.sha256(student.READINGS),
            "outputs": manifest["files"],
            "shipped": figures,
            "steps": _steps(work),
        },
    )
    return figures


def ship_tone(heard: Network, arguments: argparse.Namespace) -> dict[str, float]:
    """Put layers for tone beside what ships, which stays as it is; the figures of the public heads."""
    work, run = arguments.work, json.loads(RUN.read_text())
    manifest = json.loads((MODEL_FOLDER / "manifest.json").read_text())
    export_tone(heard, MODEL_FOLDER)
    _write(MODEL_FOLDER / "manifest.json", manifest := {**manifest, **_fingerprints()})
    figures = _public(manifest["heads"], arguments.data)
    _write(MODEL_FOLDER / "manifest.json", manifest)
    run |= {"run": manifest["run"], "outputs": manifest["files"], "shipped": {**run["shipped"], **figures}}
    run["schedules"]["tone"], run["readings"]["tweets_for_tone"] = asdict(tone.SCHEDULE), tone.TWEET_READINGS
    _write(RUN, {**run, "steps": _steps(work)})
    return figures


def _fingerprints() -> dict[str, Any]:
    """Name the run by the weights that judge, and every file by its hash."""
    files = {name: data.sha256(MODEL_FOLDER / name) for name in FILES}
    return {"run": files[TOPICS][:12], "files": files}


def _steps(work: Path) -> list[dict[str, Any]]:
    """What each step printed, oldest first: those on record, and those of a work folder."""
    recorded = json.loads(RUN.read_text(encoding="utf-8"))["steps"]
    lines = (work / "figures.jsonl").read_text(encoding="utf-8").splitlines()
    told = [json.loads(line) for line in lines if line.strip()]
    return [*recorded, *(step for step in told if step not in recorded)]


def _public(heads: dict[str, Any], source: Path) -> dict[str, float]:
    """Calibrate the public heads on the even validation texts and measure all on the odd."""
    corpus = [example for example in data.read_corpus(source) if example.split == "val"]
    found = _logits([example.text for example in corpus])
    counts = np.bincount(
        [e.sentiment for e in data.read_corpus(source) if e.source == "tweeteval" and e.split == "train"]
    )
    shift = -SHIFT * np.log(counts / counts.sum())
    heads["sentiment"]["shift"] = [round(float(value), 3) for value in shift]
    found["sentiment"] = found["sentiment"] + np.array(heads["sentiment"]["shift"])
    sources = {"tweeteval": ("sentiment",), "goemotions": ("sentiment",), "olid": ("offensive",), "hate": ("hate",)}
    figures: dict[str, float] = {}
    for name, tasks in sources.items():
        for task in tasks:
            wanted = {"edos", "hatemoji", "davidson"} if name == "hate" else {name}
            rows = [row for row, e in enumerate(corpus) if e.source in wanted and getattr(e, task) is not None]
            truth = np.array([getattr(corpus[row], task) for row in rows])
            logits = found[task][rows]
            if task == "sentiment" and name == "tweeteval":
                heads[task]["temperature"] = temperature(logits[::2], truth[::2])
            elif task != "sentiment":
                moved, cooled = shift_and_temperature(logits[::2, 0], truth[::2])
                heads[task] |= {"shift": [moved], "temperature": cooled}
                logits = logits + moved
            chance = probabilities(logits / heads[task]["temperature"])
            if chance.shape[1] == 1:
                chance = np.concatenate([1 - chance, chance], 1)
            figures[f"{task}_{name}_ece"] = calibration_error(
                chance[1::2].max(1), chance[1::2].argmax(1) == truth[1::2]
            )
    figures |= scores(corpus, found)
    return {name: round(value, 4) for name, value in figures.items()}


def _invented(heads: dict[str, Any], folder: Path, categories: list[str], work: Path) -> dict[str, float]:
    """Calibrate the triage heads on logits that no post's own training made, and measure those."""
    posts = data.read_posts(folder)
    unseen = _unseen(work)
    rows, logits = unseen.rows, unseen.logits
    truth = np.array([categories.index(posts[row].category) for row in rows])
    mood = np.array([posts[row].sentiment for row in rows])
    ours = np.array([posts[row].severity is not None for row in rows])
    severity = np.array([posts[row].severity for row in rows[ours]])
    wanted = (("categories", slice(None), truth), ("mood", slice(None), mood), ("severity", ours, severity))
    for name, some, right in wanted:
        heads[name]["temperature"] = temperature(logits[name][some], right)
    chance = {name: probabilities(logits[name] / heads[name]["temperature"]) for name in logits}
    topics, levels = chance["categories"], chance["severity"][ours]
    urgent, alarm = severity <= URGENT, levels[:, : URGENT + 1].sum(1)
    three = (np.argsort(-topics, 1)[:, :3] == truth[:, None]).any(1)
    figures = {
        "unseen_posts": len(rows),
        "unseen_category_macro_f1": f1_score(truth, topics.argmax(1), average="macro"),
        "unseen_category_accuracy": (topics.argmax(1) == truth).mean(),
        "unseen_category_top3": three.mean(),
        "unseen_category_ece": calibration_error(topics.max(1), topics.argmax(1) == truth),
        "unseen_nearest_neighbour_accuracy": np.mean(
            [posts[near].category == posts[row].category for near, row in zip(unseen.neighbours, rows, strict=True)]
        ),
        "unseen_severity_accuracy": (levels.argmax(1) == severity).mean(),
        "unseen_severity_ece": calibration_error(levels.max(1), levels.argmax(1) == severity),
        "unseen_urgent_auc": roc_auc_score(urgent, alarm),
        "unseen_p0_auc": roc_auc_score(severity == 0, levels[:, 0]),
        "unseen_urgent_ece": calibration_error(np.maximum(alarm, 1 - alarm), (alarm > EVEN) == urgent),
        "unseen_mood_macro_recall": recall_score(mood, chance["mood"].argmax(1), average="macro"),
    }
    for threshold in (0.2, 0.3, 0.5):
        figures[f"unseen_urgent_recall_at_{threshold}"] = recall_score(urgent, alarm > threshold)
        figures[f"unseen_urgent_precision_at_{threshold}"] = precision_score(urgent, alarm > threshold)
    shipped = _logits([posts[row].text for row in rows])
    hateful = ["HATE_DISCRIMINATION" in {posts[row].category, *posts[row].also} for row in rows]
    figures["hate_head_on_hate_discrimination_auc"] = roc_auc_score(hateful, shipped["hate"][:, 0])
    return {name: round(float(value), 4) for name, value in figures.items()}


@dataclass(frozen=True, slots=True)
class _Unseen:
    """Logits of posts that their network never saw, and for each the row of the nearest post that it did see."""

    rows: np.ndarray
    logits: dict[str, np.ndarray]
    neighbours: np.ndarray


def _unseen(work: Path) -> _Unseen:
    """What the student's step wrote down."""
    with np.load(work / "unseen.npz") as found:
        rows, heads = found["rows"], [name for name in found.files if name not in {"rows", "vectors"}]
        vectors = found["vectors"] / np.linalg.norm(found["vectors"], axis=1, keepdims=True)
        logits = {name: found[name][rows].astype(np.float64) for name in heads}
    seen = np.setdiff1d(np.arange(len(vectors)), rows)
    return _Unseen(rows, logits, seen[(vectors[rows] @ vectors[seen].T).argmax(1)])


def _logits(texts: list[str]) -> dict[str, np.ndarray]:
    """The shipped graphs' raw outputs (its texts are preprocessed already; once more changes nothing)."""
    encoder = Encoder.load(MODEL_FOLDER)
    found = encoder.logits(texts, TOPIC_HEADS, TOPICS) | encoder.logits(texts, [SENTIMENT], TONE)
    return {name: values.astype(np.float64) for name, values in found.items()}


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
