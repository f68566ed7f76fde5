"""The labelled texts as one table.

In: the folder of public data (``--data``, ``$FEDERATION_TRAINING_DATA`` or ``../shared/data``) and, for triage, this
repository's invented posts. Out: frozen ``Corpus`` records. Texts stay where they are; only hashes are recorded.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from analysis.encoder import preprocess

if TYPE_CHECKING:
    from collections.abc import Collection

REPOSITORY: Final = Path(__file__).resolve().parent.parent
NEITHER: Final = 2
SENTIMENTS: Final = ("negative", "neutral", "positive")
SEVERITIES: Final = ("P0", "P1", "P2", "P3", "P4")
POSITIVE: Final = frozenset(
    [
        "admiration",
        "amusement",
        "approval",
        "caring",
        "desire",
        "excitement",
        "gratitude",
        "joy",
        "love",
        "optimism",
        "pride",
        "relief",
    ]
)
NEGATIVE: Final = frozenset(
    [
        "anger",
        "annoyance",
        "disappointment",
        "disapproval",
        "disgust",
        "embarrassment",
        "fear",
        "grief",
        "nervousness",
        "remorse",
        "sadness",
    ]
)
INPUTS: Final = (
    "sentiment/train.tsv",
    "sentiment/val.tsv",
    "offensive/train.tsv",
    "offensive/val.tsv",
    "edos/train_dev.csv",
    "hatemojibuild/train.csv",
    "hatemojibuild/validation.csv",
    "goemotions/train.tsv",
    "goemotions/dev.tsv",
    "goemotions/labels.txt",
    "davidson/labeled_data.csv",
)


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled text; a label that its source does not give is None.

    Attributes: text (preprocessed), source, split ("train" or "val"), sentiment (0 negative, 1 neutral, 2 positive),
    offensive and hate (0 or 1), emotions (indices into labels.txt).
    """

    text: str
    source: str
    split: str
    sentiment: int | None = None
    offensive: int | None = None
    hate: int | None = None
    emotions: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """One invented post.

    Attributes: id, text (preprocessed), category and also (category ids), severity (0 to 4 for P0 to P4, None where it
    is not about the schools), sentiment (0 to 2).
    """

    id: str
    text: str
    category: str
    also: tuple[str, ...]
    severity: int | None
    sentiment: int

    @property
    def urgent(self) -> bool:
        """Whether it is P0 or P1."""
        return self.severity in {0, 1}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a second reader said of a post, who saw neither its labels nor its category's name.

    Attributes: category, severity (0 to 4; None for a post that speaks of another school), other_category and
    other_severity (what fits nearly as well, or None).
    """

    category: str
    severity: int | None
    other_category: str | None
    other_severity: int | None


def data_folder() -> Path:
    """Where the public data lies unless an argument says otherwise."""
    return Path(os.environ.get("FEDERATION_TRAINING_DATA", REPOSITORY.parent / "shared" / "data"))


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_corpus(folder: Path) -> list[Example]:
    """Every text of the six corpora, in a fixed order, without texts that are also in a validation split."""
    examples = [
        *_sentiment(folder / "sentiment"),
        *_offensive(folder / "offensive"),
        *_edos(folder / "edos"),
        *_hatemoji(folder / "hatemojibuild"),
        *_goemotions(folder / "goemotions"),
        *_davidson(folder / "davidson"),
    ]
    kept_back = {_letters(example.text) for example in examples if example.split == "val"}
    return [example for example in examples if example.split == "val" or _letters(example.text) not in kept_back]


def read_posts(folder: Path, files: Collection[str] | None = None) -> list[Post]:
    """The invented posts of ``benchmarks/posts/seen``, or of some of its files; never those of ``held_out``."""
    rows = [
        json.loads(line)
        for path in sorted(folder.glob("*.jsonl"))
        if files is None or path.name in files
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
    return [
        Post(
            row["id"],
            preprocess(row["text"]),
            row["category"],
            tuple(row["also"]),
            _severity(row["severity"] or ""),
            SENTIMENTS.index(row["sentiment"]),
        )
        for row in rows
    ]


def read_readings(path: Path) -> dict[str, Reading]:
    """The second readings of a file, by the post's id."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["id"]: Reading(
                row["category"],
                _severity(row["severity"]),
                row["other_category"] or None,
                _severity(row["other_severity"]),
            )
            for row in csv.DictReader(file)
        }


def _severity(name: str) -> int | None:
    return SEVERITIES.index(name) if name else None


def folds(examples: list[Example], count: int) -> np.ndarray:
    """A fold number a text, drawn from the text itself, so that equal texts never fall on both sides."""
    return draw([example.text for example in examples], count)


def draw(words: list[str], count: int) -> np.ndarray:
    """A number below ``count`` for each of some words, always the same for the same word."""
    return np.array([int(hashlib.sha256(word.encode()).hexdigest()[:8], 16) % count for word in words])


def _letters(text: str) -> str:
    """The text's letters and digits alone, in lower case: two texts with the same are one."""
    return "".join(filter(str.isalnum, text.lower()))


def _tsv(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n") if line]


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _sentiment(folder: Path) -> list[Example]:
    train = [
        Example(preprocess(text), "tweeteval", "train", sentiment=int(label))
        for _, label, text, _ in _tsv(folder / "train.tsv")
    ]
    validation = [
        Example(preprocess(text), "tweeteval", "val", sentiment=int(label)) for label, text in _tsv(folder / "val.tsv")
    ]
    return train + validation


def _offensive(folder: Path) -> list[Example]:
    """OLID; what is not offensive is not hate either (its hate is a kind of offence)."""
    return [
        Example(preprocess(text), "olid", split, offensive=int(label), hate=None if int(label) else 0)
        for split in ("train", "val")
        for label, text in _tsv(folder / f"{split}.tsv")
    ]


def _edos(folder: Path) -> list[Example]:
    return [
        Example(
            preprocess(row["text"].replace("[USER]", "@user").replace("[URL]", "http")),
            "edos",
            "val" if row["split"] == "dev" else "train",
            hate=int(row["label_sexist"] == "sexist"),
        )
        for row in _csv(folder / "train_dev.csv")
    ]


def _hatemoji(folder: Path) -> list[Example]:
    return [
        Example(preprocess(row["text"]), "hatemoji", split, hate=int(row["label_gold"]))
        for split, name in (("train", "train.csv"), ("val", "validation.csv"))
        for row in _csv(folder / name)
    ]


def _goemotions(folder: Path) -> list[Example]:
    names = (folder / "labels.txt").read_text(encoding="utf-8").split()
    examples = []
    for split, file in (("train", "train.tsv"), ("val", "dev.tsv")):
        for text, labels, _ in _tsv(folder / file):
            emotions = tuple(int(label) for label in labels.split(","))
            mood = polarity({names[index] for index in emotions})
            examples.append(Example(preprocess(text), "goemotions", split, sentiment=mood, emotions=emotions))
    return examples


def polarity(emotions: set[str]) -> int | None:
    """The sentiment that GoEmotions labels agree on; None where they are mixed or only ambiguous (surprise, ...)."""
    if emotions == {"neutral"}:
        return 1
    signs = {2 if name in POSITIVE else 0 if name in NEGATIVE else None for name in emotions}
    return signs.pop() if len(signs) == 1 else None


def _davidson(folder: Path) -> list[Example]:
    """Davidson's tweets: hate 1, merely offensive or neither 0; a tenth, by text, is kept for validation."""
    examples = [(preprocess(row["tweet"]), int(row["class"])) for row in _csv(folder / "labeled_data.csv")]
    bucket = folds([Example(text, "davidson", "train") for text, _ in examples], 10)
    return [
        Example(
            text, "davidson", "val" if tenth == 0 else "train", offensive=int(label != NEITHER), hate=int(label == 0)
        )
        for (text, label), tenth in zip(examples, bucket, strict=True)
    ]
