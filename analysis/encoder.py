"""Reads a post with the shipped encoder: mood, offence, hate, category, urgency, and a vector.

In: texts as they were posted. Out: calibrated probabilities and a unit vector a text, as numpy arrays. Source: the
files in ``analysis/model``, made by ``training/`` and described in ``analysis/model/manifest.json``. Nothing is
downloaded; onnxruntime and tokenizers are imported only when a model is loaded.
"""

from __future__ import annotations

import html
import json
import os
import re
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenizers import Encoding, Tokenizer

Floats = NDArray[np.float32]

MODEL_FOLDER: Final = Path(__file__).with_name("model")
MAXIMUM_WORDS: Final = 40
SENTIMENT: Final = "sentiment"
EMBEDDING: Final = "embedding"
STATES: Final = "states"
COMMON: Final = "common.onnx"
"""Reads a text's words; what it makes of them is read on by one of the other two, so that nobody pays for both."""
TOPICS: Final = "topics.onnx"
TONE: Final = "tone.onnx"
GROUP: Final = 8
"""Texts that one thread reads before it takes the next."""
_WORD: Final = re.compile(r"\S+")
_ADDRESS: Final = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_HANDLE: Final = re.compile(r"(?<![\w@])@(?:\w+(?:[.\-@]\w+)*|\[account\])")
"""A handle as it was written, or as `monitor.masking` leaves it."""
_EMOJI: Final = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u231a-\u23ff]")
_ORNAMENT: Final = re.compile(
    "[\U0001f600-\U0001f64f\U0001f910-\U0001f92f\U0001f970-\U0001f97a\U0001f480\U0001f4af\U0001f525\U0001f493-\U0001f49f\u2728\u2764\u2665]"
)
"""Faces, hearts, skull and fire say how somebody feels; a pistol or a calendar says what is meant."""
_JOINERS: Final = re.compile("[\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff]")
_STRETCHED: Final = re.compile(r"(.)\1{3,}")
_QUOTES: Final = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")
_APOSTROPHES: Final = str.maketrans("", "", "'\u2018\u2019\u02bc\u2032`")
_SKIN_TONES: Final = {
    "\U0001f3fb": "light skin",
    "\U0001f3fc": "medium light skin",
    "\U0001f3fd": "medium skin",
    "\U0001f3fe": "medium dark skin",
    "\U0001f3ff": "dark skin",
}


def preprocess(text: str) -> str:
    """The text as the encoder reads it, in training and at run time.

    Addresses become ``http`` and handles ``@user`` (as in TweetEval, and so that no name is learned), emoji become
    their Unicode names (the vocabulary has none), curly quotes straight; HTML entities, compatibility forms, joiners,
    stretched letters and runs of blanks are made plain.
    """
    text = unicodedata.normalize("NFKC", html.unescape(text).encode("utf-8", "replace").decode())
    text = _JOINERS.sub("", text).translate(_QUOTES)
    text = _HANDLE.sub("@user", _ADDRESS.sub("http", text))
    text = _EMOJI.sub(_emoji_name, text)
    return " ".join(_STRETCHED.sub(r"\1\1\1", text).split())


def without_apostrophes(text: str) -> str:
    """The text as it is cut into tokens: half the posts leave apostrophes out, and it must not matter."""
    return text.translate(_APOSTROPHES)


def undecorated(text: str) -> tuple[str, str]:
    """The text without web addresses and ornament, and without any emoji: what it says, whatever it wears."""
    words = _ADDRESS.sub(" ", text)
    return " ".join(_ORNAMENT.sub(" ", words).split()), " ".join(_EMOJI.sub(" ", words).split())


def _emoji_name(match: re.Match[str]) -> str:
    sign = match.group()
    return f" {_SKIN_TONES.get(sign) or unicodedata.name(sign, '').lower()} "


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the encoder found in n texts, row by row in their order; every probability is calibrated.

    Attributes:
        mood: (n, 3) negative, neutral, positive, for a post known to be about a school: there plain words can be bad
            news. How any other post sounds is a question of its own, see `Encoder.tones`.
        offensive: (n,) rude or abusive words.
        hate: (n,) hateful words by public corpora; see training/README.md for how badly such labels travel.
        categories: (n, C) one probability a category id.
        category_ids: the C ids of the policy's matrix, in the columns' order.
        severity: (n, 5) that the policy would say P0, P1, P2, P3, P4.
        embedding: (n, d) a vector of length 1 for the nearest labelled example.
    """

    mood: Floats
    offensive: Floats
    hate: Floats
    categories: Floats
    category_ids: tuple[str, ...]
    severity: Floats
    embedding: Floats


class WordWeight(NamedTuple):
    """How much the answer's probability falls when the word at start:end is left out."""

    start: int
    end: int
    weight: float


class Graph(Protocol):
    """What an onnxruntime session does for us."""

    def run(self, names: Sequence[str], inputs: Mapping[str, NDArray[Any]]) -> list[Floats]:
        """Return the named outputs for one text."""


class Encoder:
    """The shipped model, ready to read. Make one with ``Encoder.load()``."""

    def __init__(
        self, graphs: Mapping[str, Graph], tokenizer: Tokenizer, manifest: Mapping[str, Any], threads: int = 1
    ) -> None:
        self.graphs = graphs
        self._tokenizer = tokenizer
        self._readers = ThreadPoolExecutor(threads, thread_name_prefix="encoder")
        self._heads: Mapping[str, Mapping[str, Any]] = manifest["heads"]
        self.category_ids: tuple[str, ...] = tuple(manifest["heads"]["categories"]["labels"])
        self.run: str = manifest["run"]

    @staticmethod
    def load(folder: Path | None = None, threads: int = 2) -> Encoder:
        """The encoder of a folder (the shipped one), loaded once a process and folder."""
        return _load((folder or MODEL_FOLDER).resolve(), threads)

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Read the texts, each for itself and cut to 128 tokens: its company never changes what is said of it."""
        names = [name for name in self._heads if name != SENTIMENT]
        return self._calibrated(self.logits(texts, [*names, EMBEDDING], TOPICS))

    def tones(self, texts: Sequence[str]) -> Floats:
        """Return (n, 3) probabilities: negative, neutral, positive, as public posts of any kind sound.

        Other layers hear this than those that `encode` asks, so it costs time of its own.
        """
        return self._probabilities(SENTIMENT, self.logits(texts, [SENTIMENT], TONE))

    def word_weights(self, text: str, about: Literal["category", "mood", "tone"]) -> tuple[WordWeight, ...]:
        """Which words carried the answer: each of the first 40 left out in turn, with offsets into ``text``."""
        spans = [match.span() for match in _WORD.finditer(text)][:MAXIMUM_WORDS]
        if not spans:
            return ()
        texts = [text, *(text[:start] + text[end:] for start, end in spans)]
        if about == "tone":
            probabilities = self.tones(texts)
        else:
            found = self.encode(texts)
            probabilities = found.mood if about == "mood" else found.categories
        answer = int(probabilities[0].argmax())
        falls = probabilities[0, answer] - probabilities[1:, answer]
        return tuple(WordWeight(*span, float(fall)) for span, fall in zip(spans, falls, strict=True))

    def logits(self, texts: Sequence[str], names: Sequence[str], graph: str) -> dict[str, Floats]:
        """A graph's raw outputs by name, in the order of the texts: what calibration starts from."""
        groups = [texts[first : first + GROUP] for first in range(0, len(texts), GROUP)] or [()]
        found = list(self._readers.map(lambda group: self._logits(group, names, graph), groups))
        return {name: np.concatenate([part[name] for part in found]) for name in names}

    def _logits(self, texts: Sequence[str], names: Sequence[str], graph: str) -> dict[str, Floats]:
        """Read texts one by one: int8 activations are scaled a call, so posts in a batch would blur each other."""
        answers = [self._read(names, graph, encoding.ids) for encoding in self._encodings(texts or [""])]
        return {
            name: np.concatenate(parts)[: len(texts)]
            for name, parts in zip(names, zip(*answers, strict=True), strict=True)
        }

    def _encodings(self, texts: Sequence[str]) -> list[Encoding]:
        """The texts' token ids."""
        return self._tokenizer.encode_batch([without_apostrophes(preprocess(text)) for text in texts])

    def _read(self, names: Sequence[str], graph: str, tokens: Sequence[int]) -> list[Floats]:
        """A graph's outputs for one text."""
        (states,) = self.graphs[COMMON].run([STATES], {"input_ids": np.array([tokens], np.int64)})
        return self.graphs[graph].run(names, {STATES: states})

    def _calibrated(self, found: Mapping[str, Floats]) -> Encoded:
        """Raw outputs as probabilities."""
        return Encoded(
            mood=self._probabilities("mood", found),
            offensive=self._probabilities("offensive", found)[:, 0],
            hate=self._probabilities("hate", found)[:, 0],
            categories=self._probabilities("categories", found),
            category_ids=self.category_ids,
            severity=self._probabilities("severity", found),
            embedding=found[EMBEDDING],
        )

    def _probabilities(self, head: str, found: Mapping[str, Floats]) -> Floats:
        """A head's logits, shifted and cooled as its manifest entry says, as probabilities."""
        calibration = self._heads[head]
        logits = (found[head] + np.array(calibration["shift"], np.float32)) / np.float32(calibration["temperature"])
        if calibration["kind"] == "binary":
            logits = np.concatenate([logits, np.zeros_like(logits)], axis=1)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: Floats = powers / powers.sum(axis=1, keepdims=True)
        return probabilities


@cache
def _load(folder: Path, threads: int) -> Encoder:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # else it sends to its maker; read while it is imported, not later
    import onnxruntime  # type: ignore[import-untyped]  # noqa: PLC0415 -- heavy: only for those who read posts
    from tokenizers import Tokenizer  # noqa: PLC0415

    onnxruntime.disable_telemetry_events()  # Windows knows no such variable
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # texts side by side share nothing, and are faster than halves of one
    graphs = {
        name: onnxruntime.InferenceSession(
            folder / name,
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=["SkipLayerNormFusion"],  # normalising apart from adding costs a sixth less time
        )
        for name in (COMMON, TOPICS, TONE)
    }
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(manifest["maximum_tokens"])
    return Encoder(graphs, tokenizer, manifest, threads)
