"""One plain spelling for everything people and evaders do with letters, and the way back to their words.

`fold` gives lower-case text without styled letters (mathematical bold, circled, full-width, small
capitals), look-alikes from other alphabets, zero-width characters, bidirectional controls or stacked
marks. Apostrophes, quotation marks, dashes and spaces have one form each; `_` is a space; hashtags and
handles are split where case or digits change; letters written one by one ("K J S", "k.j.s.") are joined.
`Folded.span` leads from there to the offsets of the text as it was given.

Every character is spelled plainly by itself, so the cost is linear; only joining and splitting look at
neighbours.
"""
# ruff: noqa: RUF001 - the look-alikes are the point

from __future__ import annotations

import re
import unicodedata
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ONE_FORM = {
    "'": "`´ʹʻʼʽˈ՚᾽᾿‘’‚‛′‵ꞌ＇",
    '"': "«»“”„‟″‶‹›❝❞＂",
    "-": "‐‑‒–—―⁃−﹘﹣－",
    "A": "АΑ🅐🅰", "B": "ВΒ🅑🅱", "C": "СϹ🅒🅲", "D": "🅓🅳Đ", "E": "ЕΕ🅔🅴", "F": "🅕🅵Ϝ", "G": "Ԍ🅖🅶",
    "H": "НΗ🅗🅷", "I": "ІΙ🅘🅸", "J": "ЈͿ🅙🅹", "K": "КΚ🅚🅺", "L": "🅛🅻Ł", "M": "МΜ🅜🅼", "N": "Ν🅝🅽",
    "O": "ОΟ🅞🅾Ø", "P": "РΡ🅟🅿", "Q": "Ԛ🅠🆀", "R": "🅡🆁", "S": "Ѕ🅢🆂", "T": "ТΤ🅣🆃", "U": "🅤🆄",
    "V": "Ѵ🅥🆅", "W": "Ԝ🅦🆆", "X": "ХΧ🅧🆇", "Y": "УΥҮ🅨🆈", "Z": "Ζ🅩🆉",
    "a": "аαᴀɑ", "b": "вβʙ", "c": "сϲᴄ", "d": "ԁᴅđ", "e": "еεᴇɛ", "f": "ꜰƒ", "g": "ɡɢ", "h": "һнʜ",
    "i": "іιɪıɩ", "j": "јϳᴊ", "k": "кκᴋ", "l": "ʟłӏⅼ", "m": "мᴍ", "n": "ηɴո", "o": "оοᴏøօ", "p": "рρᴘ",
    "q": "ԛ", "r": "ʀгꭇ", "s": "ѕꜱ", "t": "тτᴛ", "u": "υᴜսμµ", "v": "νᴠѵ", "w": "ԝωᴡ", "x": "хχ",
    "y": "уʏүγ", "z": "ᴢζ",
    " ": "\u2800",
    "": "\u115f\u1160\u3164\uffa0™℠ℹ",
}  # fmt: skip
"""Plain form -> what is read as it. The last row shows nothing, or is a sign and no letter."""

_SILENT = {"Mn", "Me", "Cf", "Cc"}
"""Unicode categories that show nothing of their own: stacked marks, joiners, directions, controls."""


class _Plain(dict[int, str]):
    """A table for `str.translate` that learns each character when it first meets it."""

    def __missing__(self, code: int) -> str:
        """Return the plain, still cased spelling of one character."""
        char = chr(code)
        if char.isspace():
            plain = " "
        elif unicodedata.category(char) == "Cs":
            plain = "\ufffd"
        else:
            parts = unicodedata.normalize("NFKD", char)
            plain = "".join(self._part(part) for part in parts)
        self[code] = plain
        return plain

    def _part(self, part: str) -> str:
        """Return the plain spelling of one character that cannot be taken apart further."""
        if part.isascii():
            return part if part.isprintable() else ""
        if unicodedata.category(part) in _SILENT:
            return ""
        return super().get(ord(part)) or part.casefold()


PLAIN = _Plain({ord(char): plain for plain, chars in _ONE_FORM.items() for char in chars})
"""Character -> its plain spelling, still cased, "" for what shows nothing; `_` stays until words are made."""

_TAG = re.compile(r"(?<![^\W_])[#@]\w+")
_SEAM = re.compile(
    r"(?<=[a-z])(?=[A-Z])"  # King|James
    r"|(?<=[A-Z])(?=[A-Z](?!s(?![a-z]))[a-z])"  # KJS|Knaresborough, but not KJ|Ss
    r"|(?<=[A-Za-z])(?=[0-9])"  # Year|11
    r"|(?<=[0-9])(?=[A-Za-z]{2})"  # 11|Prom, but not 11b
)
_ONE_BY_ONE = re.compile(r"(?<![a-z0-9'])[a-z](\.\ ?|[ *~·•+|👏-])[a-z](?:\1[a-z])+(?![a-z0-9])", re.IGNORECASE)
_CHAT = frozenset("aiurynxobcv")
"""Letters that stand for words in chat: "u r a ..." is three words and no spelling."""

_NEEDS_WORK = re.compile(r"[^ -~]|[_#@`]|  |\b[A-Za-z][. *~+|-]+[A-Za-z]\b")
"""What the quick way cannot do: anything but single-spaced printable ASCII without tags or lone letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """A text in its plain spelling.

    Attributes:
        text: lower case, one space between words, no control characters, no lone surrogates.
        original: the text as it was given.
        origins: for each character of `text` the offset in `original` it stems from; None if they agree.
    """

    text: str
    original: str
    origins: Sequence[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the offsets in `original` of `text[start:end]`, half-open as given."""
        if self.origins is None:
            return start, end
        if start >= len(self.origins):
            return len(self.original), len(self.original)
        first = self.origins[start]
        return first, self.origins[end - 1] + 1 if end > start else first


def fold(text: str) -> Folded:
    """Return `text` in its plain spelling, with the way back. Any text will do; the cost is linear."""
    if not _NEEDS_WORK.search(text):
        return Folded(text=text.lower(), original=text)
    plain, origins = _spelled_plainly(text)
    joints = _one_by_one(plain)
    seams = _seams(plain)
    chars: list[str] = []
    kept = array("L")
    blank = False
    for place, char in enumerate(plain):
        if place in joints:
            continue
        if place in seams and not blank:
            chars.append(" ")
            kept.append(origins[place])
        space = char in " _"
        if not (space and blank):
            chars.append(" " if space else char)
            kept.append(origins[place])
        blank = space
    return Folded(text="".join(chars).lower(), original=text, origins=kept)


def _spelled_plainly(text: str) -> tuple[str, array[int]]:
    """Return `text` character by character in plain, cased spelling, and where each one stems from."""
    pieces = [PLAIN[ord(char)] for char in text]
    origins = array("L")
    for place, piece in enumerate(pieces):
        origins.extend([place] * len(piece))
    return "".join(pieces), origins


def _one_by_one(plain: str) -> set[int]:
    """Return the places of what separates letters that are written one by one."""
    joints: set[int] = set()
    for run in _ONE_BY_ONE.finditer(plain):
        letters = [place for place in range(*run.span()) if plain[place].isalpha()]
        if not {plain[place].lower() for place in letters} <= _CHAT:
            joints.update(place for place in range(*run.span()) if not plain[place].isalpha())
    return joints


def _seams(plain: str) -> set[int]:
    """Return the places at which a new word begins inside a hashtag or handle."""
    return {tag.start() + seam.start() for tag in _TAG.finditer(plain) for seam in _SEAM.finditer(tag.group())}
