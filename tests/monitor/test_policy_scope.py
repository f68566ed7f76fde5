"""A configuration names sources, never persons (PR01, PR02, PR04, PR22)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitor.errors import ConfigError
from monitor.policy import folder
from monitor.policy.scope import keep_to_the_topic
from monitor.records import Ask

if TYPE_CHECKING:
    from monitor.policy.schools import Schools

FILE = Path("monitor.toml")
RULES = folder.load()


def with_handle(handle: str) -> Schools:
    first, *others = RULES.schools.schools
    return RULES.schools.model_copy(update={"schools": (first.model_copy(update={"handles": (handle,)}), *others)})


@pytest.mark.parametrize(
    "setting",
    [
        "https://www.reddit.com/user/jane_doe/.rss",
        "https://www.reddit.com/u/jane_doe/.rss",
        "https://mastodon.example/@jane.rss",
        "https://mastodon.example/users/jane/outbox",
        "https://bsky.app/profile/jane.bsky.social/rss",
        "https://www.youtube.com/feeds/videos.xml?user=jane",
        "https://www.linkedin.com/in/jane-doe",
        "https://search.example/rss?author=jane",
        "https://search.example/rss?q=from:jane",
        "from:@jane",
        "u_jane_doe",
        "@jane@mastodon.example",
    ],
)
def test_what_gathers_the_posts_of_one_account_is_refused_with_key_and_cure(setting: str) -> None:
    """PR01: a configuration with a handle other than an official account is refused."""
    table = {"feeds": {"feeds": [{"url": "https://paper.example/rss"}, {"url": setting}]}}
    with pytest.raises(ConfigError, match="never a person") as caught:
        keep_to_the_topic(table, RULES.schools, file=FILE)
    assert caught.value.key == "sources.feeds.feeds[1].url"
    assert "newspaper" in str(caught.value)
    assert "jane" not in str(caught.value)


@pytest.mark.parametrize(
    "setting",
    [
        "https://www.yorkpress.co.uk/news/rss/",
        "https://www.whatdotheyknow.com/feed/search/Boroughbridge%20High",
        "https://www.reddit.com/r/harrogate/.rss",
        "https://mastodon.example/tags/boroughbridge.rss",
        "https://www.northyorks.gov.uk/news?type=education",
        "https://mastodon.example",
        "harrogate",
    ],
)
def test_places_are_not_persons(setting: str) -> None:
    """A place is passed over, and the person after it is still found."""
    person = "https://mastodon.example/@somebody.rss"
    keep_to_the_topic({"feeds": {"feeds": [{"url": setting}]}}, RULES.schools, file=FILE)
    with pytest.raises(ConfigError):
        keep_to_the_topic({"feeds": {"feeds": [{"url": setting}, {"url": person}]}}, RULES.schools, file=FILE)


def test_the_schools_own_accounts_may_be_read() -> None:
    table = {"feeds": {"feeds": [{"url": "https://mastodon.example/@BHS_Official.rss"}]}}
    with pytest.raises(ConfigError):
        keep_to_the_topic(table, RULES.schools, file=FILE)
    keep_to_the_topic(table, with_handle("bhs_official"), file=FILE)


def test_what_collectors_are_asked_for_has_no_field_for_an_author() -> None:
    """PR01 and PR22: names of schools and hashtags, a window, bookmarks and an allowance; nothing else."""
    assert set(Ask.__slots__) == {"window", "phrases", "tags", "bookmarks", "allowance"}


def test_what_is_searched_for_is_made_of_schools_and_places_alone() -> None:
    """PR22: no personal name in any query; every word belongs to a school's own name, its town or the word school."""
    known = {"school", "high", "bhs", "bbhs", "kjs"}
    for school in RULES.schools.schools:
        for text in (school.name, school.code, *school.towns):
            known |= set(re.findall(r"[a-z]+", text.casefold().replace("'s", "s")))
    known |= {"king", "james", "jamess"}
    for phrase in (*RULES.schools.phrases, *RULES.schools.tags):
        words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", phrase.replace("'s", "s"))
        assert {word.casefold() for word in words} <= known, phrase
        assert not re.search(r"[@:]", phrase)
