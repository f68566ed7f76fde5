"""From fitted weights to the files that ship.

In: the fitted network, on the CPU. Out: ``model.onnx`` (int8), with an output a head and a vector of unit length.
Attention is written as onnxruntime's own operator; linear layers are quantised a column, word vectors a row.
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

from training.network import MAXIMUM_TOKENS

if TYPE_CHECKING:
    from training.network import Network

OUTPUTS: Final = ("sentiment", "offensive", "hate", "emotions", "mood", "categories", "severity")
ATTENTION_HEADS: Final = 12


class _Attention(torch.autograd.Function):
    """A stand-in that the exporter turns into ``com.microsoft.Attention``; only its shape matters here."""

    @staticmethod
    def forward(_context: Any, states: Tensor, _weight: Tensor, _bias: Tensor, _mask: Tensor) -> Tensor:
        return states.clone()

    @staticmethod
    def symbolic(graph: Any, states: Any, weight: Any, bias: Any, mask: Any) -> Any:
        attention = graph.op("com.microsoft::Attention", states, weight, bias, mask, num_heads_i=ATTENTION_HEADS)
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

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        attended = _Attention.apply(states, self.weight, self.bias, mask)
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


class Graph(nn.Module):
    """The network as a graph sees it: two tensors in, logits and vector out, in a fixed order."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.words = _Words(network.encoder.embeddings)
        self.layers = nn.ModuleList(map(_Layer, network.encoder.encoder.layer))
        self.heads = network.heads

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        mask = attention_mask.to(torch.int32)
        states = self.words(input_ids)
        for layer in self.layers:
            states = layer(states, mask)
        share = attention_mask.unsqueeze(-1).float()
        vector = (states * share).sum(1) / share.sum(1)
        return (*(self.heads[name](vector) for name in OUTPUTS), functional.normalize(vector))


def export(network: Network, out: Path) -> None:
    """Write float32 ``model-fp32.onnx`` (word vectors already bytes) and int8 ``model.onnx`` into ``out``."""
    identifiers = torch.tensor([[101, 2023, 2003, 2204, 102], [101, 2919, 102, 0, 0]])
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        torch.onnx.export(
            Graph(network).eval(),
            (identifiers, (identifiers != 0).long()),
            str(plain),
            dynamo=False,
            opset_version=17,
            input_names=["input_ids", "attention_mask"],
            output_names=[*OUTPUTS, "embedding"],
            custom_opsets={"com.microsoft": 1},
            dynamic_axes={name: {0: "texts", 1: "tokens"} for name in ("input_ids", "attention_mask")}
            | {name: {0: "texts"} for name in (*OUTPUTS, "embedding")},
        )
        fused = optimizer.optimize_model(
            str(plain),
            model_type="bert",
            num_heads=ATTENTION_HEADS,
            hidden_size=384,
            opt_level=0,
            optimization_options=_fusions(),
        )
        fused.save_model_to_file(str(out / "model-fp32.onnx"))
    quantize_dynamic(
        out / "model-fp32.onnx",
        out / "model.onnx",
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
