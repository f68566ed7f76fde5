"""A post's words as they came, less what is no text."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator


def _whole(text: str) -> str:
    """Return text without NUL, and with "?" for half characters; lines stay as they are."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


Words = Annotated[str, AfterValidator(_whole)]
"""The type of a field that holds what somebody wrote."""
