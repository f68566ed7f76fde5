"""Takes the network off the shelf again: from the shipped int8 file back to weights that can be learned on.

In: ``common.onnx`` and ``topics.onnx``. Out: the state of a ``Network``, but for the head that hears tone, which is
shipped apart. What was rounded stays rounded: exported again, it gives the same bytes. For those who have no weights of
an earlier run; a run from the start needs none of this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx
import torch
from onnx import numpy_helper

from analysis.encoder import COMMON, TOPICS
from training.export import TOPIC_HEADS
from training.tone import SHARED

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from training.network import Network

PARTS = ("query", "key", "value")


class _File:
    """One shipped file: its numbers by name, and which of them each product is made with."""

    def __init__(self, path: Path) -> None:
        graph = onnx.load(path).graph
        self.kept = {tensor.name: torch.tensor(numpy_helper.to_array(tensor)) for tensor in graph.initializer}
        self._makers = {name: node for node in graph.node for name in node.output}

    def linear(self, name: str) -> Tensor:
        """What a linear layer multiplies with."""
        return self.plain(self._makers[f"/{name}/MatMul_output_0_output_quantized"].input[1])

    def plain(self, name: str) -> Tensor:
        """Rounded weights as numbers, a row an output."""
        return (self.kept[name].float() * self.kept[name.replace("_quantized", "_scale")]).T.contiguous()


def restore(network: Network, folder: Path) -> None:
    """Give a network, in place, the weights that ship; positions behind the longest text keep theirs."""
    common, topics = _File(folder / COMMON), _File(folder / TOPICS)
    state = network.state_dict()
    kept = common.kept
    state["encoder.embeddings.word_embeddings.weight"] = kept["words.words"].float() * kept["words.scale"]
    state["encoder.embeddings.position_embeddings.weight"][: len(kept["words.positions"])] = kept["words.positions"]
    state["encoder.embeddings.token_type_embeddings.weight"].zero_()
    _norm(state, "encoder.embeddings.LayerNorm", kept, "words.norm")
    for number in range(len(network.encoder.encoder.layer)):
        file, place = (common, number) if number < SHARED else (topics, number - SHARED)
        _layer(state, f"encoder.encoder.layer.{number}", file, f"layers.{place}")
    for name in TOPIC_HEADS:
        state[f"heads.{name}.weight"] = topics.plain(f"heads.{name}.weight_Transposed_quantized")
        state[f"heads.{name}.bias"] = topics.kept[f"heads.{name}.bias"]
    network.load_state_dict(state)


def _layer(state: dict[str, Tensor], here: str, file: _File, there: str) -> None:
    """Copy one layer."""
    weights, biases = file.plain(f"{there}.weight_quantized").chunk(3), file.kept[f"{there}.bias"].chunk(3)
    for part, weight, bias in zip(PARTS, weights, biases, strict=True):
        state[f"{here}.attention.self.{part}.weight"] = weight
        state[f"{here}.attention.self.{part}.bias"] = bias
    for place, name in (("attention.output", "joined"), ("intermediate", "wide"), ("output", "narrow")):
        state[f"{here}.{place}.dense.weight"] = file.linear(f"{there}/{name}")
        state[f"{here}.{place}.dense.bias"] = file.kept[f"{there}.{name}.bias"]
    _norm(state, f"{here}.attention.output.LayerNorm", file.kept, f"{there}.first_norm")
    _norm(state, f"{here}.output.LayerNorm", file.kept, f"{there}.second_norm")


def _norm(state: dict[str, Tensor], here: str, kept: dict[str, Tensor], there: str) -> None:
    """Copy the two vectors of a layer norm."""
    for name in ("weight", "bias"):
        state[f"{here}.{name}"] = kept[f"{there}.{name}"]
