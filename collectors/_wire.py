"""What every reader of JSON needs: what is wrong with an item, said without its content."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


def what_is_wrong(error: ValidationError) -> str:
    """Return place and kind of the first thing that is wrong, never its content."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'item'}: {first['type']}"
