"""Words and addresses of erased posts leave reports, and nothing else does."""

from __future__ import annotations

import html
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.records import Mention, StoredMention
from reports.quoting import link, quoted
from reports.redaction import ERASED, NOWHERE, Redaction
from reports.rendering import environment

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
URL = "https://forum.example/profile/somebody/post?a=1&b=2"
LONG = "The heating at Boroughbridge High School is off & nobody \u201canswers\u201d <again>, it's the third week " * 4


def post(text: str, *, title: str = "", url: str = URL) -> StoredMention:
    mention = Mention(source="feeds", native_id="1", url=url, text=text, title=title, published=NOW)
    return StoredMention(id=1, mention=mention, author_key="", first_seen=NOW, last_seen=NOW, sha256="0" * 64)


def as_html(text: str) -> str:
    return environment().from_string("<p>{{ text }}</p>").render(text=text)


@pytest.mark.parametrize("limit", [60, 110, 140, 160, 2000])
def test_a_quotation_of_any_length_goes_from_html_and_text(limit: int) -> None:
    without = Redaction([post(LONG)])
    words = quoted(LONG, limit)
    assert without(f"Before {words} after") == f"Before {ERASED} after"
    assert without(as_html(words)) == f"<p>{ERASED}</p>"
    wrapped = words.replace(" ", "\n   ")
    assert without(f"x\n   {wrapped}\ny") == f"x\n   {ERASED}\ny"


def test_headlines_go_alone_and_with_the_words() -> None:
    without = Redaction([post("The school said so.", title="Heating off")])
    for text in ("Heating off", "The school said so.", "Heating off. The school said so."):
        assert without(quoted(text, 140)) == ERASED


def test_the_address_goes_in_every_form_in_which_a_report_has_it() -> None:
    without = Redaction([post("Words.")])
    safe = link(URL)
    assert safe is not None
    assert without(f"Open the post: {safe.url}\n") == f"Open the post: {NOWHERE}\n"
    assert without(f'<a href="{html.escape(safe.url)}">Open</a>') == f'<a href="{NOWHERE}">Open</a>'


def test_the_other_addresses_of_an_article_go_too() -> None:
    other = replace(post("Words."), also_in=(("feeds", "b", "https://other.example/story"),))
    assert Redaction([other])("see https://other.example/story\n") == f"see {NOWHERE}\n"


def test_other_peoples_words_and_addresses_stay() -> None:
    page = f"{quoted('Quite another', 140)} https://forum.example/other \u201ctoilet protest\u201d The school said so."
    assert Redaction([post("The school said so.")])(page) == page


def test_a_short_post_takes_no_words_out_that_are_not_quoted() -> None:
    """A hostile post of our own headings must not empty a report."""
    page = "Needs a response (3)\nWhere we looked\n"
    assert Redaction([post("Needs a response"), post("Where we looked")])(page) == page


@given(st.text(max_size=300), st.integers(2, 300), st.text(max_size=50).filter(lambda text: "\u201c" not in text))
def test_whatever_was_written_leaves_whatever_report_quoted_it(text: str, limit: int, around: str) -> None:
    words = quoted(text, limit)
    page = as_html(f"{around.replace(chr(0x201D), '')} {words}")
    redacted = Redaction([post(text)])(page)
    if words:
        assert ERASED in redacted
        assert html.escape(words) not in redacted


def test_no_posts_change_nothing() -> None:
    assert Redaction([])(as_html(quoted(LONG))) == as_html(quoted(LONG))
