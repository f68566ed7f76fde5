"""Hostile HTML becomes short plain text: what several collectors share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lxml import html as markup  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EXCERPT: Final = 500
"""Characters of an article that are kept: headline, link, short excerpt (policy/sources.toml, copyright)."""

LONGEST: Final = 200_000
"""Characters of one entry that are looked at."""

_WITHIN_A_LINE: Final = frozenset(
    {
        "a",
        "abbr",
        "b",
        "cite",
        "code",
        "em",
        "font",
        "i",
        "mark",
        "q",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "u",
    }
)
_SILENT: Final = frozenset({"script", "style", "noscript", "template", "iframe", "object", "head", "title"})
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
"""What no database or XML tree takes: control characters, and the two that are none (Unicode 23.7)."""


def clean(text: str) -> str:
    """Return text that any database takes: no lone surrogates, no control characters, single spaces."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return " ".join(_CONTROL.sub(" ", whole).split())


def plain(content: str, *, without: Iterable[str] = ()) -> str:
    """Return the words of an HTML fragment: tags gone, entities decoded, blocks apart, scripts dropped.

    Args:
        content: HTML or plain text, of any quality.
        without: class names of elements that are dropped with everything in them.
    """
    content = clean(content[:LONGEST])
    if "<" not in content and "&" not in content:
        return content
    root = markup.fragment_fromstring(f"<div>{content}</div>", create_parent="div")
    dropped = set(without)
    for element in list(root.iter()):
        # entities may stand for signs that the tree gives out but does not take back
        element.tail = _CONTROL.sub(" ", element.tail or "")
        if not isinstance(element.tag, str) or element.tag in _SILENT or dropped & set(element.classes):
            element.drop_tree()
            continue
        element.text = _CONTROL.sub(" ", element.text or "")
        if element.tag not in _WITHIN_A_LINE:
            element.text = f" {element.text}"
            element.tail = f" {element.tail}"
    return clean(root.text_content())


def alternates(page: bytes) -> Iterator[tuple[str, str]]:
    """Give (media type, address) of each `<link rel="alternate">` of a web page."""
    for link in markup.document_fromstring(b"<html>" + page).iter("link"):
        if "alternate" in link.get("rel", "").lower().split():
            yield link.get("type", "").lower(), link.get("href", "")


def excerpt(text: str, names: Iterable[str] = (), limit: int = EXCERPT) -> str:
    """Return at most `limit` characters of `text`: the part that says most of what is looked for.

    An article's first lines need not name the school that it is about further down.

    Args:
        text: plain text.
        names: names to look for; the part with the most of their words wins, the first of equals.
        limit: the most characters, ellipses included.
    """
    if len(text) <= limit:
        return text
    wanted = {word.casefold() for name in names for word in _WORD.findall(name)}
    hits = [(m.start(), m.group().casefold()) for m in _WORD.finditer(text) if m.group().casefold() in wanted]
    room = limit - 2
    best, start = 0, 0
    for number, (place, _) in enumerate(hits):
        begin = max(place - room // 4, 0)
        near = {word for at, word in hits[number : number + room // 4] if at < begin + room}
        if len(near) > best:
            best, start = len(near), begin
    return _cut(text, start, room)


def _cut(text: str, start: int, room: int) -> str:
    """Return the whole words of `text[start : start + room]`, with ellipses where text is missing."""
    end = min(start + room, len(text))
    if start and not text[start - 1].isspace():
        start = text.find(" ", start, end) + 1 or start
    if end < len(text) and not text[end].isspace():
        space = text.rfind(" ", start, end)
        end = space if space > start else end
    return f"{'…' if start else ''}{text[start:end].strip()}{'…' if end < len(text) else ''}"
