"""The layers that hear tone alone, above those that they share with the rest of the network.

In: the network that ships and the public corpora with the larger networks' opinions. Out: a ``Network`` with one head,
whose word vectors and lower layers are those of the network that ships. Learning posts moves the upper layers away from
under the tone of public posts; layers of its own keep it, and cost time only where they are asked.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final

import numpy as np

from analysis.encoder import SENTIMENT
from training.network import Network, Schedule, fit, tokenize
from training.student import taught
from training.teacher import HEADS

if TYPE_CHECKING:
    from pathlib import Path

    from training.data import Example

SHARED: Final = 2
"""Of the six layers, so many are read once for everything."""
SCHEDULE: Final = Schedule(epochs=1, batch=64, rate=1e-4, hidden=0.15)
TWEET_READINGS: Final = 3
"""How often each tweet is read for its tone; the other corpora's texts are read once."""


def hold(network: Network) -> None:
    """What tone and the rest share learns no more: the words and the lower layers."""
    shared = [network.encoder.embeddings, *network.encoder.encoder.layer[:SHARED]]
    for weights in chain.from_iterable(part.parameters() for part in shared):
        weights.requires_grad_(requires_grad=False)


def branch(network: Network, folder: Path) -> Network:
    """A network for tone alone that starts where another one stands; what it shares with it learns no more."""
    tone = Network(folder, {SENTIMENT: HEADS[SENTIMENT]}, inner_dropout=0.0)
    tone.encoder.load_state_dict(network.encoder.state_dict())
    tone.heads[SENTIMENT].load_state_dict(network.heads[SENTIMENT].state_dict())
    hold(tone)
    return tone


def train(tone: Network, corpus: list[Example], folder: Path, labels: Path, seed: int) -> int:
    """Fit the tone's own layers in place; the number of texts read."""
    readings = [_readings(example) for example in corpus]
    rows = np.repeat(np.arange(len(corpus)), readings)
    tokens = tokenize(folder, [example.text for example in corpus])
    fit(tone, tokens, {SENTIMENT: taught(corpus, labels)[SENTIMENT]}, rows, replace(SCHEDULE, seed=seed))
    return len(rows)


def _readings(example: Example) -> int:
    if example.split != "train":
        return 0
    return TWEET_READINGS if example.source == "tweeteval" else 1
