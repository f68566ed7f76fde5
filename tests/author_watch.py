"""Looks at every statement that the tests send to a database: none may find, list, count or rank posts by author.

It reads the words that the database gets, so it sees through every way of writing a query. A statement may give a
post's hash back with the post, and may store it. One module may compare it: `monitor.store.rights`, for a person's
own request (PR16).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

COLUMN: Final = "author_key"
RIGHTS: Final = Path("monitor", "store", "rights.py").parts
"""The one module that may compare the hash."""
_LIST: Final = re.compile(r"SELECT (?P<columns>.*?)\s+FROM\s(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_PLAIN: Final = re.compile(rf"(?:\w+\.)?\"?{COLUMN}\"?(?: AS \w*{COLUMN}\w*)?", re.IGNORECASE)
_INSERT: Final = re.compile(r"INSERT INTO \"?mentions\"? \(", re.IGNORECASE)
_OWN_REQUEST: Final = re.compile(
    rf"SELECT mentions\.id\s+FROM mentions\s+WHERE mentions\.{COLUMN} IN "
    r"\((?:\?|%\(\w+\)s(?:::VARCHAR)?|[, ])+\)",
    re.IGNORECASE,
)


class FoundByAuthorError(AssertionError):
    """A statement would find, list, count or rank posts by who wrote them (PR04, PR05)."""


def watch(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
    """Refuse a statement that does more with an author's hash than to store it or give it back with its post.

    A listener for SQLAlchemy's `before_cursor_execute`.
    """
    if COLUMN in statement.lower() and not is_harmless(statement) and not _is_own_request(statement):
        raise FoundByAuthorError(statement)


def is_harmless(statement: str) -> bool:
    """Whether a statement stores the hash, defines its column, or gives it back as it is, and nothing else."""
    words = statement.strip()
    if words.upper().startswith(("CREATE TABLE", "ALTER TABLE")):
        return True
    if _INSERT.match(words):
        return words.lower().count(COLUMN) <= 2 and "select" not in words.lower()
    found = _LIST.fullmatch(words)
    if not found or COLUMN in found["rest"].lower() or "distinct" in found["columns"].lower():
        return False
    wanted = [part.strip() for part in found["columns"].split(",")]
    named = [part for part in wanted if COLUMN in part.lower()]
    return all(_PLAIN.fullmatch(part) for part in named) and len(wanted) > len(named)


def _is_own_request(statement: str) -> bool:
    """Whether `monitor.store.rights` asks for the posts of the person who asks."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if Path(frame.f_code.co_filename).parts[-len(RIGHTS) :] == RIGHTS:
            return bool(_OWN_REQUEST.fullmatch(statement.strip()))
        frame = frame.f_back
    return False
