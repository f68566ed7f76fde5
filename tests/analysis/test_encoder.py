from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from analysis.encoder import MODEL_FOLDER, Encoder, Floats, Graph, preprocess

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

REPOSITORY = Path(__file__).parents[2]
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load()


def test_the_shipped_files_are_those_of_the_recorded_run() -> None:
    recorded = json.loads((REPOSITORY / "training" / "recorded_run.json").read_text(encoding="utf-8"))["outputs"]
    manifest = json.loads((MODEL_FOLDER / "manifest.json").read_text(encoding="utf-8"))["files"]
    found = {name: hashlib.sha256((MODEL_FOLDER / name).read_bytes()).hexdigest() for name in recorded}

    assert recorded == manifest == found


def test_the_encoder_is_small_enough_to_live_in_the_repository() -> None:
    assert sum(file.stat().st_size for file in MODEL_FOLDER.iterdir()) < 35 * MEGABYTE


def test_importing_the_module_loads_neither_onnxruntime_nor_tokenizers() -> None:
    probe = (
        "import sys, analysis.encoder as _;"
        "print([name for name in ('onnxruntime', 'tokenizers', 'torch') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", probe], cwd=REPOSITORY, capture_output=True, check=True, text=True)  # noqa: S603

    assert answer.stdout.strip() == "[]"


def test_onnxruntime_reports_to_nobody(tmp_path: Path) -> None:
    """Since 1.29 its Linux wheels send their maker reports, under a number kept in the home, unless told not to.

    In continuous integration it keeps quiet by itself, so the variable that says so is taken away.
    """
    told = {name: value for name, value in os.environ.items() if name != "CI" and name[:4] not in {"ORT_", "XDG_"}}
    probe = "from analysis.encoder import Encoder; Encoder.load()"
    subprocess.run([sys.executable, "-c", probe], cwd=REPOSITORY, env=told | {"HOME": str(tmp_path)}, check=True)  # noqa: S603

    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize(
    ("posted", "read"),
    [
        ("see https://a.example/b and www.c.example", "see http and http"),
        ("@Pat.bsky.social hi @a@b.example", "@user hi @user"),
        ("mail office@school.example", "mail office@school.example"),
        ("nooooooo &amp; \u201cyes\u201d", 'nooo & "yes"'),
        ("\U0001f602\ufe0f", "face with tears of joy"),
        ("  \n ", ""),
    ],
)
def test_texts_are_made_plain_as_in_training(posted: str, read: str) -> None:
    assert read == preprocess(posted)


def test_an_apostrophe_more_or_less_or_of_another_shape_changes_no_answer(encoder: Encoder) -> None:
    found = encoder.encode(["I don't, we're", "I dont, were", "I don\u2019t, we\u2019re"])

    assert (found.severity == found.severity[0]).all()
    assert (found.embedding == found.embedding[0]).all()


def test_making_plain_twice_changes_nothing() -> None:
    once = preprocess("@bob LOOOOOL \U0001f44d\U0001f3ff https://x.example &lt;3")

    assert once == preprocess(once)


def test_probabilities_are_probabilities_and_vectors_have_length_one(encoder: Encoder) -> None:
    found = encoder.encode(["Thank you to every teacher", "", "\U0001f621" * 300, "word " * 500])

    for table in (found.mood, found.categories, found.severity):
        assert table.sum(axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    for column in (found.offensive, found.hate):
        assert ((column >= 0) & (column <= 1)).all()
    assert np.linalg.norm(found.embedding, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert found.categories.shape == (4, len(found.category_ids))
    assert found.severity.shape == (4, 5)


def test_category_ids_are_those_of_the_policy(encoder: Encoder) -> None:
    assert {"THREAT_VIOLENCE", "PRAISE", "NOT_RELEVANT"} <= set(encoder.category_ids)
    assert len(set(encoder.category_ids)) == len(encoder.category_ids)


def test_no_texts_give_empty_tables(encoder: Encoder) -> None:
    assert encoder.tones([]).shape == (0, 3)


def test_the_order_of_the_texts_is_kept_and_the_answer_is_the_same_twice(encoder: Encoder) -> None:
    texts = [f"post number {number} " * (number % 7 + 1) for number in range(80)]
    first, second = encoder.encode(texts), encoder.encode(texts)

    assert (first.severity == second.severity).all()
    assert encoder.encode([texts[5]]).embedding[0] @ first.embedding[5] > 0.97


def test_plain_praise_and_plain_scorn_are_told_apart(encoder: Encoder) -> None:
    found = encoder.tones(["What a wonderful concert, thank you all!", "Disgusting, the worst school I know."])

    assert found.argmax(axis=1).tolist() == [2, 0]


def test_tone_is_heard_by_layers_of_its_own_and_costs_what_is_asked_of_it_alone() -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []

    class Listened:
        """A real graph that also writes down what is asked of it."""

        def __init__(self, name: str, graph: Graph) -> None:
            self.name, self.graph = name, graph

        def run(self, names: Sequence[str], inputs: Mapping[str, NDArray[Any]]) -> list[Floats]:
            asked.append((self.name, tuple(names)))
            return self.graph.run(names, inputs)

    shipped = Encoder.load()
    manifest = json.loads((MODEL_FOLDER / "manifest.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(str(MODEL_FOLDER / "tokenizer.json"))
    tokenizer.no_padding()
    encoder = Encoder({name: Listened(name, graph) for name, graph in shipped.graphs.items()}, tokenizer, manifest)

    assert (encoder.tones(["What a day"]) == shipped.tones(["What a day"])).all()
    assert asked == [("common.onnx", ("states",)), ("tone.onnx", ("sentiment",))]


def test_word_weights_name_the_word_that_carries_the_mood(encoder: Encoder) -> None:
    text = "The concert tonight was wonderful"
    weights = encoder.word_weights(text, "tone")
    heaviest = max(weights, key=lambda word: word.weight)

    assert text[heaviest.start : heaviest.end] == "wonderful"


def test_word_weights_of_nothing_are_none(encoder: Encoder) -> None:
    assert encoder.word_weights("  ", "mood") == ()


def test_word_weights_look_at_forty_words_at_most(encoder: Encoder) -> None:
    assert len(encoder.word_weights("so " * 90, "category")) == 40


def test_a_masked_handle_reads_as_any_handle_does() -> None:
    """The store keeps `@[account]`: that must not make a complaint look like an impersonation."""
    assert preprocess("RT @[account]: toilets locked again") == preprocess("RT @parent37: toilets locked again")
