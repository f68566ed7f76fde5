"""What is kept of a post that is one of many and needs nobody: that it came, and how it was judged (PR21)."""

from __future__ import annotations

from typing import Final

from monitor.records import Reason

COUNTED_ONLY: Final = Reason(
    about="words", rule="sample", note="one of many everyday posts of its source that day: counted, its words not kept"
)
"""Stands among the reasons of its judgement."""
