"""From fitted weights to the files that ship.

In: the fitted network and its branch for tone, on the CPU. Out: three int8 files, for one text a call: ``common.onnx``
(words and lower layers), ``topics.onnx`` and ``tone.onnx`` (what is asked of them: an output a head, and a vector of
unit length). Attention is written as onnxruntime's own operator; linear layers are quantised a column, word vectors a
row.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions
from torch import Tensor, nn
from torch.nn import functional

from analysis.encoder import COMMON, EMBEDDING, SENTIMENT, STATES, TONE, TOPICS
from training.network import MAXIMUM_TOKENS
from training.tone import SHARED

if TYPE_CHECKING:
    from training.network import Network

TOPIC_HEADS: Final = ("offensive", "hate", "emotions", "mood", "categories", "severity")
ATTENTION_HEADS: Final = 12


class _Attention(torch.autograd.Function):
    """A stand-in that the exporter turns into ``com.microsoft.Attention``; only its shape matters here."""

    @staticmethod
    def forward(_context: Any, states: Tensor, _weight: Tensor, _bias: Tensor) -> Tensor:
        return states.clone()

    @staticmethod
    def symbolic(graph: Any, states: Any, weight: Any, bias: Any) -> Any:
        attention = graph.op("com.microsoft::Attention", states, weight, bias, num_heads_i=ATTENTION_HEADS)
        return attention.setType(states.type())


class _Layer(nn.Module):
    """One BERT layer with its three projections joined."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        attention = layer.attention.self
        parts = (attention.query, attention.key, attention.value)
        self.weight = nn.Parameter(torch.cat([part.weight for part in parts]).T.contiguous())
        self.bias = nn.Parameter(torch.cat([part.bias for part in parts]))
        self.joined, self.first_norm = layer.attention.output.dense, layer.attention.output.LayerNorm
        self.wide, self.narrow, self.second_norm = layer.intermediate.dense, layer.output.dense, layer.output.LayerNorm

    def forward(self, states: Tensor) -> Tensor:
        attended = _Attention.apply(states, self.weight, self.bias)
        states = self.first_norm(self.joined(attended) + states)
        return self.second_norm(self.narrow(functional.gelu(self.wide(states))) + states)


class _Words(nn.Module):
    """Word vectors as bytes with a scale a row, plus positions and the one segment."""

    def __init__(self, embeddings: nn.Module) -> None:
        super().__init__()
        words = embeddings.word_embeddings.weight.detach()
        scale = words.abs().amax(1, keepdim=True).clamp_min(1e-6) / 127
        self.register_buffer("words", torch.round(words / scale).to(torch.int8))
        self.register_buffer("scale", scale)
        rest = embeddings.position_embeddings.weight.detach()[:MAXIMUM_TOKENS]
        self.register_buffer("positions", rest + embeddings.token_type_embeddings.weight.detach()[0])
        self.norm = embeddings.LayerNorm

    def forward(self, identifiers: Tensor) -> Tensor:
        words = self.words[identifiers].float() * self.scale[identifiers]
        return self.norm(words + self.positions[: identifiers.shape[1]])


class _Common(nn.Module):
    """What is read of every text, whatever is asked: its words, through the lower layers."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.words = _Words(network.encoder.embeddings)
        self.layers = nn.ModuleList(map(_Layer, network.encoder.encoder.layer[:SHARED]))

    def forward(self, input_ids: Tensor) -> Tensor:
        states: Tensor = self.words(input_ids)
        for layer in self.layers:
            states = layer(states)
        return states


class _Upper(nn.Module):
    """The upper layers and some heads, on what the lower layers made of one text; ``vector`` is given on demand."""

    def __init__(self, network: Network, heads: tuple[str, ...], *, vector: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList(map(_Layer, network.encoder.encoder.layer[SHARED:]))
        self.heads = nn.ModuleDict({name: network.heads[name] for name in heads})
        self.vector = vector

    def forward(self, states: Tensor) -> tuple[Tensor, ...]:
        for layer in self.layers:
            states = layer(states)
        mean = states.mean(1)
        said = tuple(head(mean) for head in self.heads.values())
        return (*said, functional.normalize(mean)) if self.vector else said


def export_common(network: Network, work: Path) -> None:
    """Write words and lower layers as ``common.onnx``."""
    text = torch.tensor([[101, 2023, 2003, 2204, 102]])
    _export(_Common(network), text, "input_ids", [STATES], work / COMMON)


def export_topics(network: Network, work: Path) -> None:
    """Write the upper layers and all heads but the one for tone as ``topics.onnx``."""
    _export(
        _Upper(network, TOPIC_HEADS, vector=True), _states(network), STATES, [*TOPIC_HEADS, EMBEDDING], work / TOPICS
    )


def export_tone(heard: Network, work: Path) -> None:
    """Write the layers that hear tone, and their head, as ``tone.onnx``."""
    _export(_Upper(heard, (SENTIMENT,), vector=False), _states(heard), STATES, [SENTIMENT], work / TONE)


def _states(network: Network) -> Tensor:
    return torch.zeros(1, 5, network.encoder.config.hidden_size)


def _export(part: nn.Module, example: Tensor, given: str, answers: list[str], file: Path) -> None:
    """Write one part of the network as int8."""
    with tempfile.TemporaryDirectory() as folder:
        plain, whole = str(Path(folder) / "plain.onnx"), Path(folder) / "whole.onnx"
        torch.onnx.export(
            part.eval(),
            (example,),
            plain,
            dynamo=False,
            opset_version=17,
            input_names=[given],
            output_names=answers,
            custom_opsets={"com.microsoft": 1},
            dynamic_axes={given: {0: "texts", 1: "tokens"}},
        )
        fused = optimizer.optimize_model(
            plain,
            model_type="bert",
            num_heads=ATTENTION_HEADS,
            hidden_size=384,
            opt_level=0,
            optimization_options=_fusions(),
        )
        fused.save_model_to_file(str(whole))
        quantize_dynamic(
            whole,
            file,
            per_channel=True,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Attention", "MatMul"],
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT, "MatMulConstBOnly": True},
        )


def _fusions() -> FusionOptions:
    """The optimizer's own choice, less one: normalising apart from adding costs a sixth less time a post."""
    chosen = FusionOptions("bert")
    chosen.enable_skip_layer_norm = False
    return chosen
