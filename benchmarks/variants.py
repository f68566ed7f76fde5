"""Variants of a post that mean the same: they may not change relevance, nor lower a P0.

Made when a test runs and never stored, so that the hand-written seeds stay apart from what is generated.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_APOSTROPHES: Final = "'\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}\N{PRIME}`"
_BOLD: Final = {ord(char): 0x1D5D4 + place for place, char in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {
    ord(char): 0x1D5EE + place for place, char in enumerate("abcdefghijklmnopqrstuvwxyz")
}


def upper(text: str) -> str:
    """Shout it."""
    return text.upper()


def lower(text: str) -> str:
    """Write it all small."""
    return text.lower()


def curly(text: str) -> str:
    """Use the apostrophe that phones write."""
    return re.sub(f"[{_APOSTROPHES}]", "\N{RIGHT SINGLE QUOTATION MARK}", text)


def bare(text: str) -> str:
    """Leave apostrophes out."""
    return re.sub(f"[{_APOSTROPHES}]", "", text)


def smiling(text: str) -> str:
    """Add emoji at both ends."""
    return f"\N{LOUDLY CRYING FACE} {text} \N{SKULL}\N{FIRE}"


def spaced(text: str) -> str:
    """Use two blanks and a line break where one blank was."""
    return text.replace(" ", "  ", 3).replace(". ", ".\n\n")


def linked(text: str) -> str:
    """Add a link that says nothing."""
    return f"{text} https://pic.example/a1b2c3"


def bold(text: str) -> str:
    """Write it in mathematical bold letters, as styled posts do."""
    return text.translate(_BOLD)


def hidden(text: str) -> str:
    """Put zero-width characters between words."""
    return text.replace(" ", " \N{ZERO WIDTH SPACE}")


def reported(text: str) -> str:
    """Say that somebody said so."""
    return f"Apparently: \N{LEFT DOUBLE QUOTATION MARK}{text}\N{RIGHT DOUBLE QUOTATION MARK}"


def sworn(text: str) -> str:
    """Swear about it: anger changes no severity."""
    return f"{text} Absolutely bloody furious about this, what a shambles."


SAME_MEANING: Final[tuple[Callable[[str], str], ...]] = (
    upper,
    lower,
    curly,
    bare,
    smiling,
    spaced,
    linked,
    bold,
    hidden,
)
"""May not change relevance, nor lower a P0."""

NEVER_LOWER: Final[tuple[Callable[[str], str], ...]] = (*SAME_MEANING, reported, sworn)
"""May not lower a P0."""
