"""The second half of the shipped network: what a post is about, beside how it sounds.

In: the distilled student, whose weights stay as they are, and the layers of the general sentence encoder that it
started from. Out: a network with the student's heads untouched and a branch of its own for triage. Learning mood
costs an encoder its knowledge of topics, and learning topics costs it its mood; so each has its own upper layers.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from training.network import Head, Network

if TYPE_CHECKING:
    from collections.abc import Sequence


class Branch(nn.Module):
    """A frozen student and a branch off its layer ``shared``; the branch's heads read both vectors."""

    def __init__(self, student: Network, general: Sequence[nn.Module], shared: int, heads: dict[str, Head]) -> None:
        super().__init__()
        self.student = student.requires_grad_(requires_grad=False)
        self.shared = shared
        self.encoder = nn.ModuleList(copy.deepcopy(layer) for layer in general[shared:]).requires_grad_()
        self.specification = heads
        self.dropout = nn.Dropout(0.1)
        self.heads = nn.ModuleDict()
        generator = torch.Generator().manual_seed(0)
        for name, head in sorted(heads.items()):
            layer = nn.Linear(2 * student.encoder.config.hidden_size, head.size)
            layer.weight.data.normal_(0.0, 0.02, generator=generator)
            layer.bias.data.zero_()
            self.heads[name] = layer

    def train(self, mode: bool = True) -> Branch:  # noqa: FBT001, FBT002
        """Training mode for the branch alone."""
        super().train(mode)
        self.student.eval()
        return self

    def forward(self, identifiers: Tensor, mask: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Every head's logits, and the branch's vector."""
        blocked = (1.0 - mask[:, None, None, :].float()) * -1e4
        states = self.student.encoder.embeddings(input_ids=identifiers)
        forked = states
        for depth, layer in enumerate(self.student.encoder.encoder.layer, start=1):
            states = _apply(layer, states, blocked)
            if depth == self.shared:
                forked = states
        for layer in self.encoder:
            forked = _apply(layer, forked, blocked)
        tone, topic = _mean(states, mask), _mean(forked, mask)
        both = self.dropout(torch.cat([nn.functional.normalize(tone), nn.functional.normalize(topic)], -1) * 4)
        logits = {name: head(tone) for name, head in self.student.heads.items()}
        return {**logits, **{name: head(both) for name, head in self.heads.items()}}, topic


def _apply(layer: nn.Module, states: Tensor, blocked: Tensor) -> Tensor:
    """One transformer layer; its answer is a tensor or, in older releases of transformers, a tuple."""
    answer = layer(states, blocked.to(states.dtype))
    return answer[0] if isinstance(answer, tuple) else answer


def _mean(states: Tensor, mask: Tensor) -> Tensor:
    share = mask.unsqueeze(-1).to(states.dtype)
    return (states * share).sum(1) / share.sum(1)
