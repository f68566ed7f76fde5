"""An encoder with one linear head a task, and the loop that fits it.

In: token ids and soft targets with a weight a row and head (weight 0: this text has no such label). Out: a fitted
``Network``. One loop serves teacher, student and triage: only the targets differ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm
from transformers import AutoModel

from analysis.encoder import without_apostrophes

if TYPE_CHECKING:
    from pathlib import Path

MAXIMUM_TOKENS: Final = 128
DEVICE: Final = torch.device("cuda" if torch.cuda.is_available() else "cpu")
MIXED: Final = DEVICE.type == "cuda" or torch.cpu._is_avx512_bf16_supported()  # noqa: SLF001


@dataclass(frozen=True, slots=True)
class Head:
    """A task: its number of outputs and whether they exclude each other (softmax) or not (sigmoid)."""

    size: int
    exclusive: bool


@dataclass(frozen=True, slots=True)
class Targets:
    """What a head should say: probabilities (rows, size) and a weight a row."""

    probabilities: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast to learn, and what share of the words is hidden at each reading."""

    epochs: float
    batch: int
    rate: float
    head_rate: float = 1e-3
    warm_up: float = 0.06
    decay: float = 0.01
    hidden: float = 0.0
    seed: int = 0


class Network(nn.Module):
    """Encoder, mean over tokens, one linear layer a head; ``forward`` gives the logits by head and the vector."""

    def __init__(self, folder: Path, heads: dict[str, Head], dropout: float = 0.1, inner_dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(
            folder,
            add_pooling_layer=False,
            attn_implementation="eager",
            hidden_dropout_prob=inner_dropout,
            attention_probs_dropout_prob=inner_dropout,
        )
        self.encoder.float()
        self.specification = heads
        self.dropout = nn.Dropout(dropout)
        generator = torch.Generator().manual_seed(0)
        self.heads = nn.ModuleDict()
        for name, head in sorted(heads.items()):
            layer = nn.Linear(self.encoder.config.hidden_size, head.size)
            layer.weight.data.normal_(0.0, 0.02, generator=generator)
            layer.bias.data.zero_()
            self.heads[name] = layer

    def forward(self, identifiers: Tensor, mask: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        states = self.encoder(input_ids=identifiers, attention_mask=mask).last_hidden_state
        share = mask.unsqueeze(-1).to(states.dtype)
        vector = (states * share).sum(1) / share.sum(1)
        dropped = self.dropout(vector)
        return {name: head(dropped) for name, head in self.heads.items()}, vector


@dataclass(frozen=True, slots=True)
class Tokens:
    """Padded token ids on the device, with their lengths on the CPU; ``gap`` is the id of a hidden word."""

    identifiers: Tensor
    lengths: np.ndarray
    padding: int
    gap: int
    special: Tensor

    def batch(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Ids and mask of some rows, cut to the longest."""
        longest = int(self.lengths[rows].max())
        identifiers = self.identifiers[torch.as_tensor(rows, device=self.identifiers.device), :longest].long()
        return identifiers, (identifiers != self.padding).long()

    def hide(self, identifiers: Tensor, share: float) -> Tensor:
        """The same ids with some words hidden, others at each reading: what is learned by heart does not carry far."""
        if not share:
            return identifiers
        drawn = torch.rand(identifiers.shape, device=identifiers.device) < share
        return torch.where(drawn & ~torch.isin(identifiers, self.special), self.gap, identifiers)


def tokenize(folder: Path, texts: list[str]) -> Tokens:
    """The texts as ids of the tokenizer in an encoder's folder, cut to 128."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    padding, gap = (
        next(index for name in names if (index := tokenizer.token_to_id(name)) is not None)
        for names in (("[PAD]", "<pad>"), ("[MASK]", "<mask>"))
    )
    special = torch.tensor(sorted(tokenizer.get_added_tokens_decoder()), device=DEVICE)
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAXIMUM_TOKENS)
    encodings = tokenizer.encode_batch([without_apostrophes(text) for text in texts])
    lengths = np.array([len(encoding.ids) for encoding in encodings])
    identifiers = torch.full((len(texts), int(lengths.max())), padding, dtype=torch.int32)
    for row, encoding in enumerate(encodings):
        identifiers[row, : len(encoding.ids)] = torch.tensor(encoding.ids, dtype=torch.int32)
    return Tokens(identifiers.to(DEVICE), lengths, padding, gap, special)


def fit(network: nn.Module, texts: Tokens, targets: dict[str, Targets], rows: np.ndarray, schedule: Schedule) -> None:
    """Train in place on some rows: AdamW, linear warm-up and decay, bf16 where the machine has it."""
    torch.manual_seed(schedule.seed)
    generator = np.random.default_rng(schedule.seed)
    network.to(DEVICE).train()
    heads = {
        name: (torch.tensor(target.probabilities).float().to(DEVICE), torch.tensor(target.weights).float().to(DEVICE))
        for name, target in targets.items()
    }
    optimizer = torch.optim.AdamW(
        [
            {"params": network.encoder.parameters(), "lr": schedule.rate},
            {"params": network.heads.parameters(), "lr": schedule.head_rate},
        ],
        weight_decay=schedule.decay,
        fused=True,
    )
    batches = _batches(texts.lengths, rows, schedule, generator)
    total = len(batches)
    warm_up = max(1, int(total * schedule.warm_up))
    plan = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm_up, max(0.0, (total - step) / max(1, total - warm_up)))
    )
    for batch in tqdm(batches, unit="batch", disable=None):
        index = torch.as_tensor(batch, device=DEVICE)
        identifiers, mask = texts.batch(batch)
        with torch.autocast(DEVICE.type, dtype=torch.bfloat16, enabled=MIXED):
            logits, _ = network(texts.hide(identifiers, schedule.hidden), mask)
        loss = sum(
            _loss(
                logits[name].float(),
                probabilities[index],
                weights[index],
                exclusive=network.specification[name].exclusive,
            )
            for name, (probabilities, weights) in heads.items()
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        plan.step()
    network.eval()


def predict(network: nn.Module, texts: Tokens, batch: int = 256) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Logits by head and the pooled vectors, in the order of the texts."""
    network.to(DEVICE).eval()
    order = np.argsort(texts.lengths, kind="stable")
    collected: dict[str, list[np.ndarray]] = {}
    with torch.inference_mode(), torch.autocast(DEVICE.type, dtype=torch.bfloat16, enabled=MIXED):
        for start in range(0, len(order), batch):
            logits, vector = network(*texts.batch(order[start : start + batch]))
            for name, values in [*logits.items(), ("vector", vector)]:
                collected.setdefault(name, []).append(values.float().cpu().numpy())
    back = np.argsort(order, kind="stable")
    arrays = {name: np.concatenate(values)[back] for name, values in collected.items()}
    return arrays, arrays.pop("vector")


def _loss(logits: Tensor, probabilities: Tensor, weights: Tensor, *, exclusive: bool) -> Tensor:
    if exclusive:
        row = -(probabilities * functional.log_softmax(logits, -1)).sum(-1)
    else:
        row = functional.binary_cross_entropy_with_logits(logits, probabilities, reduction="none").mean(-1)
    return (row * weights).mean()


def _batches(
    lengths: np.ndarray, rows: np.ndarray, schedule: Schedule, generator: np.random.Generator
) -> list[np.ndarray]:
    """Batches of like length: rows are shuffled, sorted within blocks of 50 batches, and the batches shuffled."""
    batches: list[np.ndarray] = []
    for _ in range(math.ceil(schedule.epochs)):
        order = generator.permutation(rows)
        block = schedule.batch * 50
        epoch: list[np.ndarray] = []
        for start in range(0, len(order), block):
            part = order[start : start + block]
            part = part[np.argsort(lengths[part], kind="stable")]
            epoch += [part[first : first + schedule.batch] for first in range(0, len(part), schedule.batch)]
        batches += [epoch[index] for index in generator.permutation(len(epoch))]
    return batches[: int(len(batches) * schedule.epochs / math.ceil(schedule.epochs))]
