"""All rules of one folder, loaded and validated together, with their version.

Rules are data, so that a network manager can edit them. Their version (a hash over the files) stands on
every judgement, so that a day can be judged again under other rules and the difference shown.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from monitor.policy.escalation import Escalation
from monitor.policy.schools import Schools
from monitor.policy.sources import Sources
from monitor.policy.vocabulary import Vocabulary

FOLDER = Path(__file__).parents[2] / "policy"
"""The rules that come with the product."""

FILES = ("schools.toml", "escalation.toml", "vocabulary.toml", "sources.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All rules of one folder.

    Attributes:
        schools: who is watched, how the names are written, who the namesakes are.
        escalation: categories, severities, owners, clocks, clauses.
        vocabulary: the words that raise a category, and those that calm it.
        sources: which source may be read, scored and kept, and for how long.
        version: first 12 hex digits of a SHA-256 over the files.
    """

    schools: Schools
    escalation: Escalation
    vocabulary: Vocabulary
    sources: Sources
    version: str


@lru_cache(maxsize=4)
def load(folder: Path = FOLDER) -> Policy:
    """Return the rules in `folder`.

    Raises:
        ConfigError: a file is missing or wrong; names file, line, key and cure.
    """
    schools = Schools.read(folder / "schools.toml")
    escalation = Escalation.read(folder / "escalation.toml")
    vocabulary = Vocabulary.read(folder / "vocabulary.toml", escalation.ids)
    sources = Sources.read(folder / "sources.toml")
    digest = hashlib.sha256()
    for name in FILES:
        digest.update(name.encode() + b"\0" + (folder / name).read_bytes() + b"\0")
    return Policy(
        schools=schools,
        escalation=escalation,
        vocabulary=vocabulary,
        sources=sources,
        version=digest.hexdigest()[:12],
    )
