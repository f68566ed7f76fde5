"""Judge posts that come as JSON Lines, for `federation-monitor tag`: nothing is stored or sent.

The contract: one line out for each line in, in order; a line that cannot be read keeps its place as an error.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from analysis import pipeline
from analysis.matching import Post
from monitor.records import as_plain
from monitor.store.batches import batched

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analysis.pipeline import Judges
    from monitor.policy.escalation import Escalation
    from monitor.records import Judgement

BATCH: Final = 128
OPTIONAL: Final = ("title", "source", "community", "url")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One line that could be read: its id, as it was given, and the post."""

    id: Any
    post: Post


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """One line that could not be read: its id where it had one, and why."""

    id: Any
    error: str

    def as_json(self) -> dict[str, Any]:
        """Return the line that stands in its place."""
        return {"id": self.id, "error": self.error}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """One line and its judgement."""

    id: Any
    post: Post
    judgement: Judgement

    def as_json(self, escalation: Escalation) -> dict[str, Any]:
        """Return the line of the contract (docs/tag.md); the owner's role is given in words."""
        judgement = as_plain(self.judgement)
        judgement.pop("sentiment_sure")
        owner = self.judgement.owner
        for reason in judgement["reasons"]:
            if not reason["note"]:
                del reason["note"]
        return {
            "id": self.id,
            **judgement,
            "owner": escalation.roles[owner].name if owner else "",
        }


def tagged(lines: Iterable[str], judges: Judges) -> Iterator[Tagged | Failed]:
    """Judge JSON Lines in batches, in order; blank lines are passed over. Memory stays flat."""
    for batch in batched((read(line) for line in lines if line.strip()), BATCH):
        good = [line for line in batch if isinstance(line, Asked)]
        frame = pipeline.frame_of([line.post for line in good], [True] * len(good))
        judged = iter(pipeline.judge(frame, judges) if good else ())
        for line in batch:
            if isinstance(line, Failed):
                yield line
            else:
                yield Tagged(id=line.id, post=line.post, judgement=next(judged))


def read(line: str) -> Asked | Failed:
    """Return what one line asks for."""
    try:
        content = json.loads(line.removeprefix("\ufeff"), parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        return Failed(id=None, error=f"not JSON: {type(error).__name__}")
    if not isinstance(content, dict):
        return Failed(id=None, error="not a JSON object")
    if "id" not in content:
        return Failed(id=None, error="'id' is missing")
    if not isinstance(content.get("text"), str):
        return Failed(id=content["id"], error="'text' is missing or is not a string")
    values = {name: "" if content.get(name) is None else content[name] for name in OPTIONAL}
    wrong = [name for name, value in values.items() if not isinstance(value, str)]
    if wrong:
        return Failed(id=content["id"], error=f"{wrong[0]!r} is not a string")
    return Asked(id=content["id"], post=Post(text=content["text"], **values))


def _finite(digits: str) -> float:
    """Return a number; one too large for a float would be written back as something that is no JSON."""
    number = float(digits)
    return number if math.isfinite(number) else _no_number(digits)


def _no_number(name: str) -> float:
    """Refuse NaN and Infinity, which Python reads and JSON does not know."""
    raise ValueError(f"{name} is no number")
