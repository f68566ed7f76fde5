"""What an incident is about: terms that find posts in plain spelling, and never a person."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analysis.text import fold
from monitor.errors import ConfigError
from reports.quoting import clean, unnamed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST: Final = 80
MOST: Final = 12
WHOLE: Final = 4
"""Letters below which only the very word is found: "bus" is not the beginning of "business" here."""

_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_AUTHOR_SEARCH: Final = re.compile(r"(?i)\b(?:from|author|by|user|account)\s*:")
_HANDLE: Final = re.compile(r"(?<![#\w])\w+(?:_\w+)+")
CURE: Final = 'the school is the topic, never a person: name what is said to happen, for example "toilet protest"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is looked for. A post has a term if it has every word of it, or a longer form of each.

    Attributes:
        given: the terms as they were typed, on one line.
        words: of each term, in plain spelling.
    """

    given: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, given: Sequence[str]) -> Terms:
        """Check terms and return them, doubles left out.

        Raises:
            ConfigError: there is none, there are too many, or one looks like a person or an account (PR22, PR30).
        """
        terms = tuple(dict.fromkeys(cleaned for term in given if (cleaned := clean(term))))
        if not terms or len(terms) > MOST:
            raise ConfigError(f"give one to {MOST} terms, each in quotation marks", cure='"toilet protest" "lockdown"')
        for term in terms:
            if (why := _refused(term)) is not None:
                raise ConfigError(f"{term[:LONGEST]!r} is not searched for: {why}", cure=CURE)
        return cls(given=terms, words=tuple(_words(term) for term in terms))

    def find(self, text: str) -> bool:
        """Whether a text has one of the terms."""
        said = _Said(text)
        return any(all(said.has(word) for word in words) for words in self.words)

    def parts(self, text: str) -> frozenset[str]:
        """Return the words of the terms that a text has."""
        said = _Said(text)
        return frozenset(word for words in self.words for word in words if said.has(word))


def nearby(terms: Terms, texts: Iterable[str]) -> dict[str, int]:
    """Return word -> how many of `texts`, none of which has a whole term, have that word of a term."""
    return dict(Counter(word for text in texts for word in terms.parts(text)))


class _Said:
    """The words of one text."""

    def __init__(self, text: str) -> None:
        self._words = frozenset(_words(text))

    def has(self, word: str) -> bool:
        """Whether the text has the word or, from four letters, one that begins like it."""
        if word in self._words:
            return True
        return len(word) >= WHOLE and any(said.startswith(word) for said in self._words)


def _words(text: str) -> tuple[str, ...]:
    """Return the words of a text in plain spelling, hashtags split."""
    return tuple(_WORD.findall(fold(text).text))


def _refused(term: str) -> str | None:
    """Return why a term is refused, None if it is not."""
    if "@" in term or _AUTHOR_SEARCH.search(term) or _HANDLE.search(term):
        return "it looks like an account"
    if unnamed(term) != term:
        return "it looks like a person's name, an account, an address or a number"
    if len(term) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    if not _words(term):
        return "it has no word"
    return None
