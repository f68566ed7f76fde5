"""Reads a post with the shipped encoder: mood, offence, hate, category, urgency, and a vector.

In: texts as they were posted. Out: calibrated probabilities and a unit vector a text, as numpy arrays. Source: the
files in ``analysis/model``, made by ``training/`` and described in ``analysis/model/manifest.json``. Nothing is
downloaded; onnxruntime and tokenizers are imported only when a model is loaded.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

_ADDRESS: Final = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_HANDLE: Final = re.compile(r"(?<![\w@])@\w+(?:[.\-@]\w+)*")
_EMOJI: Final = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u231a-\u23ff]")
_JOINERS: Final = re.compile("[\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff]")
_STRETCHED: Final = re.compile(r"(.)\1{3,}")
_QUOTES: Final = str.maketrans("‘’“”", "''\"\"")
_SKIN_TONES: Final = {
    "\U0001f3fb": "light skin",
    "\U0001f3fc": "medium light skin",
    "\U0001f3fd": "medium skin",
    "\U0001f3fe": "medium dark skin",
    "\U0001f3ff": "dark skin",
}


def preprocess(text: str) -> str:
    """The text as the encoder reads it, in training and at run time.

    Addresses become ``http`` and handles ``@user`` (as in TweetEval, and so that no name is learned), emoji become
    their Unicode names (the vocabulary has none), curly quotes straight; HTML entities, compatibility forms, joiners, stretched letters and
    runs of blanks are made plain.
    """
    text = unicodedata.normalize("NFKC", html.unescape(text))
    text = _JOINERS.sub("", text).translate(_QUOTES)
    text = _HANDLE.sub("@user", _ADDRESS.sub("http", text))
    text = _EMOJI.sub(_emoji_name, text)
    return " ".join(_STRETCHED.sub(r"\1\1\1", text).split())


def _emoji_name(match: re.Match[str]) -> str:
    sign = match.group()
    return f" {_SKIN_TONES.get(sign) or unicodedata.name(sign, '').lower()} "
