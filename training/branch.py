"""The second half of the shipped network: what a post is about, beside how it sounds.

In: the distilled student, whose weights stay as they are, and the layers of the general sentence encoder that it
started from. Out: a branch of its own for triage. Learning mood costs an encoder its knowledge of topics, and
learning topics costs it its mood; so each has its own upper layers. What the student makes of a post never changes
and is computed once: that keeps this stage fit for a CPU.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.network import DEVICE, Head, Network, Tokens

if TYPE_CHECKING:
    from collections.abc import Sequence


class Branch(nn.Module):
    """Layers of the general encoder above a student's layer, and heads that read both vectors."""

    def __init__(self, general: Sequence[nn.Module], width: int, heads: dict[str, Head]) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(copy.deepcopy(layer) for layer in general)
        self.specification = heads
        self.dropout = nn.Dropout(0.1)
        self.heads = nn.ModuleDict()
        generator = torch.Generator().manual_seed(0)
        for name, head in sorted(heads.items()):
            layer = nn.Linear(2 * width, head.size)
            layer.weight.data.normal_(0.0, 0.02, generator=generator)
            layer.bias.data.zero_()
            self.heads[name] = layer

    def forward(self, states: Tensor, mask: Tensor, tone: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """The branch's logits and vector from the student's states at the fork and its own vector."""
        topic = mean(through(self.encoder, states, mask), mask)
        both = self.dropout(torch.cat([functional.normalize(tone), functional.normalize(topic)], -1) * 4)
        return {name: head(both) for name, head in self.heads.items()}, topic


@dataclass(frozen=True, slots=True)
class Forked:
    """What the student makes of each text: its states at the fork, and its vector."""

    states: list[Tensor]
    tone: Tensor
    lengths: np.ndarray

    def batch(self, rows: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """States, mask and vectors of some rows, padded to the longest."""
        states = nn.utils.rnn.pad_sequence([self.states[row] for row in rows], batch_first=True).float()
        kept = torch.as_tensor(self.lengths[rows])[:, None] > torch.arange(states.shape[1])[None]
        return states.to(DEVICE), kept.long().to(DEVICE), self.tone[torch.as_tensor(rows)].to(DEVICE)


def fork(student: Network, tokens: Tokens, shared: int, batch: int = 64) -> Forked:
    """Read every text with the student, once."""
    student.to(DEVICE).eval()
    order = np.argsort(tokens.lengths, kind="stable")
    states: list[Tensor] = [torch.empty(0)] * len(order)
    tone = torch.zeros(len(order), student.encoder.config.hidden_size)
    layers = student.encoder.encoder.layer
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            identifiers, mask = tokens.batch(rows)
            forked = through(layers[:shared], student.encoder.embeddings(input_ids=identifiers), mask)
            tone[torch.as_tensor(rows)] = mean(through(layers[shared:], forked, mask), mask).cpu()
            for place, row in enumerate(rows):
                states[row] = forked[place, : tokens.lengths[row]].half().cpu().clone()
    return Forked(states, tone.clone(), tokens.lengths)


def through(layers: Sequence[nn.Module], states: Tensor, mask: Tensor) -> Tensor:
    """States after some transformer layers (older releases of transformers answer with a tuple)."""
    blocked = (1.0 - mask[:, None, None, :].float()) * -1e4
    for layer in layers:
        answer = layer(states, blocked.to(states.dtype))
        states = answer[0] if isinstance(answer, tuple) else answer
    return states


def mean(states: Tensor, mask: Tensor) -> Tensor:
    """The mean state of each text's tokens."""
    share = mask.unsqueeze(-1).float()
    return (states.float() * share).sum(1) / share.sum(1)
