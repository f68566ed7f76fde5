"""Personal details are masked in stored text: handles, e-mail addresses, phone numbers, addresses (PR06).

A person who must act opens the original link; the monitor keeps only what it needs to judge. What belongs to
the schools themselves (official handles, postcodes, domains) stays, because it says which school is meant.
"""

from __future__ import annotations

import re
from typing import Final

EMAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
HANDLE: Final = re.compile(r"(?<![\w@])@[\w.]{1,60}(?:@[\w.-]{1,80})?")
PHONE: Final = re.compile(r"(?<![\w£])(?:\+44[\s()0-]{0,4}|0)(?:[\s().-]?\d){8,10}(?!\d)")
POSTCODE: Final = re.compile(r"\b[a-z]{1,2}\d[a-z\d]?\s?\d[a-z]{2}\b", re.IGNORECASE)
STREET: Final = re.compile(
    r"\b\d{1,4}[a-z]?\s+(?:[A-Z][\w'-]{1,30}\s+){1,3}"
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Close|Drive|Dr|Crescent|Cres|Terrace|Gardens|Grove|Court|Way|Row|Mews)\b"
)
"""Each is bounded, so that no input can make it slow."""

_MASKS: Final = (
    (EMAIL, "[e-mail]"),
    (HANDLE, "@[account]"),
    (PHONE, "[phone]"),
    (STREET, "[address]"),
    (POSTCODE, "[postcode]"),
)


def masked(text: str, keep: frozenset[str] = frozenset()) -> str:
    """Return `text` with personal details replaced by what they are.

    Args:
        text: any text.
        keep: lower-case details that belong to the schools and stay: "@bhs_official", "hg5 8eb".
    """

    def replace(found: re.Match[str], mask: str) -> str:
        words = found.group()
        return words if " ".join(words.casefold().rstrip(".").split()) in keep else mask

    for pattern, mask in _MASKS:
        text = pattern.sub(lambda found, mask=mask: replace(found, mask), text)  # type: ignore[misc]
    return text


def holds_details(text: str, keep: frozenset[str] = frozenset()) -> bool:
    """Whether `text` still holds something that should have been masked; for checks of reports."""
    return masked(text, keep) != text
