"""Pack search terms into as few queries as a search engine's length limit allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

OR = " OR "


def quoted(phrases: Iterable[str]) -> tuple[str, ...]:
    """Return phrases as a search engine wants them: in quotation marks, without marks or breaks inside."""
    plain = (" ".join(phrase.replace('"', " ").split()) for phrase in phrases)
    return tuple(f'"{phrase}"' for phrase in plain if phrase)


def first_fit(terms: Iterable[str], *, room: int) -> tuple[str, ...]:
    """Return the terms joined with OR into queries of at most `room` characters.

    Each term goes into the first query that still has room for it; one that is given twice counts once.

    Raises:
        ConfigError: a single term is longer than `room`.
    """
    queries: list[str] = []
    for term in dict.fromkeys(terms):
        if len(term) > room:
            raise ConfigError(
                f"{term[:60]!r} is too long to search for ({len(term)} characters, {room} at most)",
                key="phrases",
                cure="shorten it in policy/schools.toml",
            )
        for number, query in enumerate(queries):
            if len(query) + len(OR) + len(term) <= room:
                queries[number] = f"{query}{OR}{term}"
                break
        else:
            queries.append(term)
    return tuple(queries)
