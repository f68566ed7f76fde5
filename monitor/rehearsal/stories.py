"""What is said in the rehearsal town (stories.toml), and what the monitor must make of each story."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from monitor.tables import Table, read_toml, validated

FILE: Final = Path(__file__).with_suffix(".toml")


class Story(Table):
    """One invented post or article.

    Attributes:
        name: short and unique; its page is `https://{host of its feed}/{name}`.
        feed: name of the feed in which it stands (`monitor.rehearsal.feeds.FEEDS`), or "village" for a page.
        hours: how many hours before now it was published.
        title: headline, "" where its kind of post has none.
        text: plain words.
        schools: codes of the schools it is about; none if it is not ours and must be dropped.
        category: what it must be taken for, where only one answer is right; "" where readers may differ.
        also_in: further feeds that carry the same article, with tracking parameters in its link.
    """

    name: str
    feed: str
    hours: float
    title: str = ""
    text: str
    schools: tuple[str, ...]
    category: str = ""
    also_in: tuple[str, ...] = ()


class _File(Table):
    """The whole file."""

    stories: tuple[Story, ...]


@cache
def stories() -> tuple[Story, ...]:
    """Return every story, in the file's order."""
    content, text = read_toml(FILE)
    return validated(_File, content, file=FILE, text=text).stories
