"""Personal details are masked in stored text: handles, e-mail addresses, phone numbers, addresses, names (PR06).

A person who must act opens the original link; the monitor keeps only what it needs to judge. What belongs to
the schools themselves (names, official handles, postcodes, domains) stays, because it says which school is meant.
"""

from __future__ import annotations

import re
from typing import Final

from monitor.names import without_names

EMAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
HANDLE: Final = re.compile(r"(?<!\w)[@\uff20]{1,9}\w[\w.-]{0,252}(?:@[\w.-]{1,253})?|(?<!\w)/?(?:u|user)/[\w-]{3,20}")
"""`@name`, `@name.bsky.social`, `@name@mastodon.host`, and Reddit's `u/name`."""
PHONE: Final = re.compile(r"(?<![\w£])(?:(?:\+|00)44[\s()0-]{0,4}|\(?0)(?:[\s().\u2013-]{0,3}\d){8,10}(?!\d)")
POSTCODE: Final = re.compile(r"\b(?:[BEGLMNSW]|[A-Z]{2})\d[A-Z\d]?\s?\d[ABD-HJLNP-UW-Z]{2}\b", re.IGNORECASE)
"""Royal Mail's form: eight areas have one letter, and the last two are never C, I, K, M, O or V."""
STREET: Final = re.compile(
    r"\b\d{1,4}[a-z]?,?\s+(?:[A-Z][\w'\u2019-]{1,30}\s+){1,3}"
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Close|Drive|Dr|Crescent|Cres|Terrace|Gardens|Grove|Court|Way|Row|Mews)\b"
)
STREET_IN_SMALL_LETTERS: Final = re.compile(
    r"(?i)\b\d{1,4}[a-z]?,?\s+"
    r"(?:(?!(?:the|an?|of|on|in|at|up|by|to|for|from|down|off|along|my|our|your|his|her|their|that|this|and)\b)"
    r"[a-z][a-z'\u2019-]{1,30}\s+){1,2}(?:street|road|avenue|lane|crescent|terrace)\b"
)
"""As people type it: fewer kinds of street, because "close", "way" and "drive" are words as well."""
# each is bounded, so that no input can make it slow

_MASKS: Final = (
    (HANDLE, "@[account]"),  # first: @name@host holds what looks like an e-mail address
    (EMAIL, "[e-mail]"),
    (PHONE, "[phone]"),
    (STREET, "[address]"),
    (STREET_IN_SMALL_LETTERS, "[address]"),
    (POSTCODE, "[postcode]"),
)

_ROUNDS: Final = 8
"""Looks at one text, at most: what is run together with a detail may show as one when that is gone."""


def masked(text: str, keep: frozenset[str] = frozenset()) -> str:
    """Return `text` with personal details replaced by what they are.

    Args:
        text: any text.
        keep: what belongs to the schools and stays: "@bhs_official", "hg5 8eb", "King James"; in small letters also
            words that no mask may hide (see `monitor.policy.left_alone`).
    """
    ours = {_plain(detail) for detail in keep}

    def replace(found: re.Match[str], mask: str) -> str:
        words = found.group()
        return words if _plain(words) in ours else mask

    for _ in range(_ROUNDS):
        before = text
        for pattern, mask in _MASKS:
            text = pattern.sub(lambda found, mask=mask: replace(found, mask), text)  # type: ignore[misc]
        text = without_names(text, keep)
        if text == before:
            break
    return text


def _plain(detail: str) -> str:
    """Return a detail without case, spaces, and the full stop or dash of the sentence around it."""
    return "".join(detail.casefold().rstrip(".-").split())


def holds_details(text: str, keep: frozenset[str] = frozenset()) -> bool:
    """Whether `text` still holds something that should have been masked; for checks of reports."""
    return masked(text, keep) != text
