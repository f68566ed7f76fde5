"""The labelled posts, as records."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

POSTS: Final = Path(__file__).parent / "posts"
EXAMPLES: Final = Path(__file__).parents[2] / "shared" / "examples" / "posts.jsonl"
"""The policy draft's own examples; they lie beside the project, not in it."""

SCHOOLS: Final = {"BHS": ("BHS",), "KJS": ("KJS",), "FED": ("BHS", "KJS")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One labelled post.

    Attributes:
        tests: the category it is a positive or a hard negative of.
        kind: "positive" or "hard_negative".
        schools, sentiment: None where the person who labelled it did not say.
        severity: "P0".."P4", or None where it is not about our schools.
    """

    id: str
    text: str
    source: str
    community: str
    relevant: str
    schools: tuple[str, ...] | None
    sentiment: str | None
    category: str
    severity: str | None
    tests: str = ""
    kind: str = ""

    @property
    def urgent(self) -> bool:
        """Whether somebody must act at once."""
        return self.severity in {"P0", "P1"}


def seen() -> tuple[Labelled, ...]:
    """Return the posts rules are written against."""
    return _folder(POSTS / "seen")


def unread() -> tuple[Labelled, ...]:
    """Return the posts, written like the last of the seen ones, that neither the network nor the rules learned from."""
    return _folder(POSTS / "unread")


def ordinary() -> tuple[Labelled, ...]:
    """Return posts as a normal year brings them, three quarters of them harmless; nothing is learned from them."""
    return _folder(POSTS / "ordinary")


def held_out() -> tuple[Labelled, ...]:
    """Return the posts that nobody who writes rules looks at."""
    return _folder(POSTS / "held_out")


def examples() -> tuple[Labelled, ...]:
    """Return the policy draft's examples, none where they do not lie beside the project."""
    if not EXAMPLES.is_file():
        return ()
    return tuple(_example(json.loads(line)) for line in EXAMPLES.read_text(encoding="utf-8").splitlines())


def labelled_by_people(file: Path) -> tuple[Labelled, ...]:
    """Return the corrections that `case wrong-tag` and `case not-about-us` wrote into a data folder's labels.jsonl.

    They say nothing about schools and tone; `figures` leaves those out for them.
    """
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return tuple(
        Labelled(**{**row, "community": row["community"] or "", "schools": None, "sentiment": None}) for row in rows
    )


def _folder(folder: Path) -> tuple[Labelled, ...]:
    """Return every post of a folder, file by file."""
    return tuple(
        _post(json.loads(line))
        for file in sorted(folder.glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    )


def _post(row: dict[str, Any]) -> Labelled:
    """Return one line of ours."""
    return Labelled(
        id=row["id"],
        text=row["text"],
        source=row["source"],
        community=row["community"] or "",
        relevant=row["relevant"],
        schools=tuple(sorted(row["schools"])),
        sentiment=row["sentiment"],
        category=row["category"],
        severity=row["severity"],
        tests=row["for"],
        kind=row["kind"],
    )


def _example(row: dict[str, Any]) -> Labelled:
    """Return one of the draft's examples; "mixed" tone counts as any."""
    source, _, community = row["platform"].partition(":")
    return Labelled(
        id=f"example-{row['id']}",
        text=row["text"],
        source=source,
        community=community,
        relevant=row["relevant"],
        schools=SCHOOLS.get(row["school"], ()),
        sentiment=row["sentiment"],
        category=row["category"],
        severity=None if row["severity"] == "-" else row["severity"],
    )
