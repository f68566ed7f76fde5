"""From fitted weights to the files that ship.

In: a ``Branch`` on the CPU. Out: ``model.onnx`` (dynamic int8), with an output a head and a vector of unit length.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions
from torch import Tensor, nn

from training.network import MAXIMUM_TOKENS

if TYPE_CHECKING:
    from training.branch import Branch

OUTPUTS: Final = ("sentiment", "offensive", "hate", "emotions", "mood", "categories", "urgent")


class Graph(nn.Module):
    """The network as a graph sees it: two tensors in, logits and vector out, in a fixed order."""

    def __init__(self, network: Branch) -> None:
        super().__init__()
        self.network = network.eval()
        position = network.student.encoder.embeddings.position_embeddings
        position.weight.data = position.weight.data[:MAXIMUM_TOKENS]

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        logits, vector = self.network(input_ids, attention_mask)
        return (*(logits[name] for name in OUTPUTS), nn.functional.normalize(vector))


def export(network: Branch, out: Path) -> None:
    """Write float32 ``model-fp32.onnx`` and int8 ``model.onnx`` into ``out``."""
    identifiers = torch.tensor([[101, 2023, 2003, 2204, 102], [101, 2919, 102, 0, 0]])
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        torch.onnx.export(
            Graph(network),
            (identifiers, (identifiers != 0).long()),
            str(plain),
            dynamo=False,
            opset_version=17,
            input_names=["input_ids", "attention_mask"],
            output_names=[*OUTPUTS, "embedding"],
            dynamic_axes={name: {0: "texts", 1: "tokens"} for name in ("input_ids", "attention_mask")}
            | {name: {0: "texts"} for name in (*OUTPUTS, "embedding")},
        )
        options = FusionOptions("bert")
        fused = optimizer.optimize_model(
            str(plain), model_type="bert", num_heads=12, hidden_size=384, optimization_options=options, opt_level=0
        )
        print(fused.get_fused_operator_statistics())
        fused.save_model_to_file(str(out / "model-fp32.onnx"))
    heads = [node.name for node in fused.model.graph.node if node.op_type == "Gemm"]
    quantize_dynamic(
        out / "model-fp32.onnx",
        out / "model.onnx",
        per_channel=True,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=heads,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )
    onnx.checker.check_model(str(out / "model.onnx"), full_check=False)
