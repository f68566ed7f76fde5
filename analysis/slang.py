"""Read a folded post as plain words: slang, leetspeak, stretched and broken words in their usual form.

In: folded text (`analysis.text`) and the vocabulary's slang. Out: `Wording`, the words with the place each
came from, and the marks (emoji, question marks) between them. Fillers and swearing are passed over, so that
they can neither hide a pattern nor make one. What a machine wrote (hashes, UUIDs, keys) is taken as it stands.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Each alternative reads forward only and never gives back (possessive): linear in the length of the post.
_TOKEN: Final = re.compile(
    r"(?P<url>https?://\S++)"
    r"|(?P<number>[£$€]?\d++(?:[.:,/\-\u2013]\d++)*+(?:am|pm|st|nd|rd|th|k|p|s|ish)?+(?![^\W_]))"
    r"|(?P<word>[^\W_](?:[^\W_]|['\u2019](?=[^\W_])|[@$*!|](?=[^\W_*]))*+)"
    r"|(?P<mark>[^\w\s])"
)
_LEET: Final = str.maketrans(
    {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g"}
    | {"@": "a", "$": "s", "!": "i", "|": "l"}
)
_LEET_L: Final = str.maketrans({"1": "l"})
_STRETCHED: Final = re.compile(r"([^\W\d_])\1{2,}")
_STRETCHED_ONCE: Final = re.compile(r"([^\W\d_])\1+")
_SCORE: Final = re.compile(r"\d{1,2}[-\u2013]\d{1,2}")
_CLOCK: Final = re.compile(r"\d{1,2}(?:[.:]\d{2})?(?:am|pm)|(?:1?\d|2[0-3])[.:][0-5]\d")
_MONEY: Final = re.compile(r"[£$€]\d[\d.,]*k?|\d+p")
# What a machine wrote: a digest, a UUID, a key. Its pieces spell words by chance, so no disguise is sought in them.
_CHUNK: Final = re.compile(r"[0-9a-z][0-9a-z+/=.:~\-]{15,}+")
_PIECE: Final = re.compile(r"[0-9a-z]++")
_HEX: Final = re.compile(r"[0-9a-f]{8,}+")
_UNSPEAKABLE: Final = re.compile(r"[2bcdfghjklmnpqrstvwxz]{5}")
_YEAR: Final = re.compile(r"(?:y|yr|yrs|year|years)(?:[7-9]|1[0-3])s?")
_STUCK: Final = frozenset("aiu")
"""One-letter words that stick to a word spelled letter by letter: "a k n i f e"."""
_LONGEST_WORD: Final = 40
_MANY_LETTERS: Final = 3
_LONG_PIECE: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A post as words.

    Attributes:
        words: in their usual form.
        spans: (start, end) in the folded text, one for each word.
        marks: (mark, number of the word after it, start in the folded text): emoji and punctuation.
    """

    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    marks: tuple[tuple[str, int, int], ...]


def shape(word: str) -> str:
    """Return what a word with digits is by its form: "score", "clock", "money", "year group" or "number"."""
    if _SCORE.fullmatch(word):
        return "score"
    if _CLOCK.fullmatch(word):
        return "clock"
    if _MONEY.fullmatch(word):
        return "money"
    if _YEAR.fullmatch(word):
        return "year group"
    return "number" if word[0].isdigit() else ""


class Slang:
    """Reads folded text as usual words.

    Args:
        slang: one written form -> what it means, one or more words.
        fillers: words that are passed over.
        known: every word that some phrase of the vocabulary uses; a disguise is taken off only if a known
            word appears beneath it.
        disguised: known words that are also sought in pieces: "kn ife", "k n i f e".
    """

    def __init__(
        self,
        *,
        slang: Mapping[str, str],
        fillers: Iterable[str] = (),
        known: Iterable[str] = (),
        disguised: Iterable[str] = (),
    ) -> None:
        self._slang = {_bare(form): tuple(meaning.split()) for form, meaning in slang.items()}
        self._fillers = frozenset(_bare(word) for word in fillers)
        self._known = frozenset(known) | self._slang.keys() | self._fillers
        self._disguised = frozenset(word for word in disguised if len(word) >= _MANY_LETTERS)
        self._masked: dict[tuple[int, str], list[str]] = {}
        for word in self._disguised:
            self._masked.setdefault((len(word), word[0]), []).append(word)
        self._remembered = lru_cache(maxsize=8192)(self._looked_up)

    def usual(self, token: str) -> tuple[str, ...]:
        """Return the usual form of one token: no word for a filler, several for a contraction."""
        return self._remembered(token) if len(token) <= _LONGEST_WORD else self._looked_up(token)

    def _looked_up(self, token: str) -> tuple[str, ...]:
        bare = _bare(token)
        plain = bare if bare in self._known else self._unmasked(bare)
        if plain in self._fillers:
            return ()
        return self._slang.get(plain, (plain,))

    def read(self, folded: str) -> Wording:
        """Return the words and marks of a folded text."""
        words: list[str] = []
        spans: list[tuple[int, int]] = []
        marks: list[tuple[str, int, int]] = []
        noise = _noise(folded)
        tokens = [(_kind(match, noise), match.group(), match.start(), match.end()) for match in _TOKEN.finditer(folded)]
        for kind, token, start, end in self._joined(tokens):
            if kind == "mark":
                marks.append((token, len(words), start))
            elif kind in ("number", "noise"):
                words.append(token)
                spans.append((start, end))
            elif kind == "word":
                for word in self.usual(token):
                    words.append(word)
                    spans.append((start, end))
        return Wording(words=tuple(words), spans=tuple(spans), marks=tuple(marks))

    def _unmasked(self, token: str) -> str:
        """Return the known word beneath leetspeak, asterisks or stretching; else the token, unstretched."""
        if len(token) > _LONGEST_WORD:
            return token
        if "*" in token:
            return self._starred(token)
        candidates = [token]
        if not token.isalpha():
            if _YEAR.fullmatch(token):
                return token
            candidates = [token.translate(_LEET), token.translate(_LEET_L).translate(_LEET)]
        for candidate in candidates:
            for reading in (
                candidate,
                _STRETCHED.sub(r"\1\1", candidate),
                _STRETCHED.sub(r"\1", candidate),
                _STRETCHED_ONCE.sub(r"\1", candidate) if _STRETCHED.search(candidate) else candidate,
            ):
                if reading in self._known:
                    return reading
                if reading[:1] in _STUCK and reading[1:] in self._disguised:
                    return reading[1:]
        return _STRETCHED.sub(r"\1\1", token)

    def _starred(self, token: str) -> str:
        """Return the known word that fits a token with asterisks for letters ("r*pe")."""
        letters = token.translate(_LEET)
        for word in self._masked.get((len(letters), letters[0]), ()):
            if all(one in ("*", other) for one, other in zip(letters, word, strict=True)):
                return word
        return token

    def _joined(self, tokens: list[tuple[str | None, str, int, int]]) -> list[tuple[str | None, str, int, int]]:
        """Return the tokens with disguised words put together again ("k.n.i.f.e", "kn ife")."""
        out: list[tuple[str | None, str, int, int]] = []
        place = 0
        while place < len(tokens):
            kind, token, start, end = tokens[place]
            if kind == "word":
                joined = self._single_letters(tokens, place) or self._two_pieces(tokens, place)
                if joined:
                    word, end, place = joined
                    out.append(("word", word, start, end))
                    continue
            out.append((kind, token, start, end))
            place += 1
        return out

    def _single_letters(
        self, tokens: list[tuple[str | None, str, int, int]], place: int
    ) -> tuple[str, int, int] | None:
        """Return (word, end, next place) where single letters with anything between them spell a word."""
        if len(tokens[place][1]) != 1:
            return None
        letters, last, at = "", place, place
        while at < len(tokens) and len(letters) <= _LONGEST_WORD:
            kind, token, _, _ = tokens[at]
            if len(token) == 1 and kind in ("word", "number"):
                letters, last = letters + token, at
            elif kind != "mark" or token == "?":  # noqa: S105 - a token of text
                break
            at += 1
        plain = letters.translate(_LEET)
        if len(plain) >= _MANY_LETTERS and plain in self._disguised:
            return plain, tokens[last][3], last + 1
        return None

    def _two_pieces(self, tokens: list[tuple[str | None, str, int, int]], place: int) -> tuple[str, int, int] | None:
        """Return (word, end, next place) where two pieces that are no words make a disguised word."""
        following = place + 1
        while following < len(tokens) and following <= place + 2 and tokens[following][0] == "mark":
            if tokens[following][1] not in "-.*/_'":
                return None
            following += 1
        if following >= len(tokens) or tokens[following][0] != "word":
            return None
        first, second = tokens[place][1], tokens[following][1]
        whole = (first + second).translate(_LEET)
        if whole in self._disguised and (first not in self._known or second not in self._known):
            return whole, tokens[following][3], following + 1
        return None


def _noise(folded: str) -> list[tuple[int, int]]:
    """Return where (start, end) a machine wrote: a long run with a piece in it that nobody speaks."""
    return [
        chunk.span()
        for chunk in _CHUNK.finditer(folded)
        if any(_is_unspeakable(piece) for piece in _PIECE.findall(chunk.group()))
    ]


def _is_unspeakable(piece: str) -> bool:
    """Whether letters and digits are mixed as in hex, or in base64: no word has so many consonants in a row."""
    if piece.isalpha() or piece.isdigit():
        return False
    if _HEX.fullmatch(piece):
        return True
    return len(piece) >= _LONG_PIECE and _UNSPEAKABLE.search(piece.translate(_LEET)) is not None


def _kind(match: re.Match[str], noise: list[tuple[int, int]]) -> str | None:
    """Return what a token is: "url", "number", "word", "mark", or a word that is "noise"."""
    if match.lastgroup != "word":
        return match.lastgroup
    before = bisect_right(noise, match.start(), key=itemgetter(0)) - 1
    return "noise" if before >= 0 and match.start() < noise[before][1] else "word"


def _bare(token: str) -> str:
    """Return a token without apostrophes, and without the possessive."""
    if token.endswith(("'s", "\u2019s")) and len(token) > _MANY_LETTERS:
        token = token[:-2] if token[:-2] not in _IS else token
    return token.replace("'", "").replace("\u2019", "")


_IS: Final = frozenset({"he", "she", "it", "that", "what", "who", "there", "here", "where", "let", "how", "when"})
