"""The school is the topic, never a person: what may not be named in a configuration (PR01, PR02, PR04, PR22)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from monitor.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from monitor.policy.schools import Schools

_PERSONS_PAGE: Final = re.compile(
    r"(?i)/(?:u|user|users|author|authors|profile|in|people)/(?P<named>@?[\w.%-]+)|/(?P<at>@[\w.%-]+)|\bu_(?P<own>[\w-]+)"
    r"|[?&](?:user|author|from|screen_name|q=from:)=?@?(?P<asked>[\w.%-]+)|\bfrom:@?(?P<by>\w+)|^(?P<bare>@[\w.@-]+)$"
)
"""Pages, feeds and searches that gather what one account writes, on the platforms that we know."""


def keep_to_the_topic(sources: Mapping[str, Mapping[str, Any]], schools: Schools, *, file: Path) -> None:
    """Refuse a setting of a source that gathers what one person writes; the schools' official accounts may be read.

    Args:
        sources: `[sources.NAME]` tables as written.
        schools: with their official accounts.
        file: where they stand, for the error.

    Raises:
        ConfigError: names the key and says what may be written instead.
    """
    official = {handle.casefold().lstrip("@") for school in schools.schools for handle in school.handles}
    for source, table in sources.items():
        for key, text in _texts(table, f"sources.{source}"):
            found = _PERSONS_PAGE.search(text)
            if found and _named(found) not in official:
                raise ConfigError(
                    "this gathers what one account writes; the school is the topic, never a person",
                    file=file,
                    key=key,
                    cure="name a newspaper, council, forum or hashtag; the schools' own accounts go into [accounts]",
                )


def _named(found: re.Match[str]) -> str:
    """Return the account that a setting names."""
    named = next(part for part in found.groups() if part).casefold().lstrip("@")
    return re.sub(r"\.(?:rss|atom|json)$", "", named)


def _texts(value: Any, key: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - a TOML value
    """Give every text in a table, with its key."""
    match value:
        case str():
            yield key, value
        case dict():
            for name, inner in value.items():
                yield from _texts(inner, f"{key}.{name}")
        case list() | tuple():
            for place, inner in enumerate(value):
                yield from _texts(inner, f"{key}[{place}]")
