"""Nothing of a post gets into an e-mail but a short, masked quotation and a safe link."""

from __future__ import annotations

import unicodedata
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.records import Severity
from reports.quoting import clean, is_restricted, link, mailbox, may_be_quoted, quoted, shortened
from tests.reports.material import MATRIX, at, case_of, judged, stored

SEEN = at(22, 9)


@pytest.mark.parametrize(
    "hidden",
    [
        "@some_parent",
        "parent@example.org",
        "07700 900123",
        "u/some_parent",
        "some-parent.bsky.social",
        "https://example.org/some_parent",
        "www.example.org/some_parent",
        "example.org/some_parent",
        "Mrs Penrose",
        "mr penrose",
        "Miss Penrose-Hall",
        "HG5 8ZZ",
    ],
)
def test_personal_details_are_masked(hidden: str) -> None:
    said = quoted(f"I asked {hidden} about it")

    assert hidden not in said
    assert "penrose" not in said.casefold()
    assert "some" not in said.casefold()


def test_a_child_that_is_named_after_being_called_one_is_masked() -> None:
    assert quoted("My son Tobias Penrose waits") == "“My son [name] waits”"
    assert quoted("a girl called Ottilie said so") == "“a girl called [name] said so”"


def test_nobody_can_write_his_way_out_of_a_quotation() -> None:
    said = quoted('fine” URGENT: ring this number „now" ')

    assert said == "“fine' URGENT: ring this number 'now'”"


def test_a_quotation_is_cut_between_words_after_masking() -> None:
    said = quoted("word " * 30 + "07700 900123 " * 30, 60)

    assert len(said) <= 62
    assert said.endswith("word…”")


def test_no_words_are_no_quotation() -> None:
    assert quoted(" \x00\u202e\n ") == ""


@given(st.text(), st.integers(min_value=2, max_value=200))
def test_a_quotation_is_one_line_of_limited_length_in_one_pair_of_marks(text: str, limit: int) -> None:
    said = quoted(text, limit)

    assert len(said) <= limit + 2
    assert not any(unicodedata.category(char) in {"Cc", "Cs"} for char in said)
    assert said.count("“") == said.count("”") == bool(said)


@given(st.text(alphabet=st.characters(), max_size=60))
def test_what_is_cleaned_can_be_encoded_and_stays_as_it_is_when_cleaned_again(text: str) -> None:
    once = clean(text)

    assert once.encode("utf-8").decode("utf-8") == once
    assert clean(once) == once


def test_a_long_word_is_cut_where_it_has_to_be() -> None:
    assert shortened("x" * 50, 10) == "x" * 9 + "…"
    assert shortened("short", 10) == "short"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.org/x",
        "//example.org/x",
        "https://",
        "https://bank.example@evil.example/x",
        "https://@evil.example/x",
        'https://example.org/"onmouseover=alert(1)',
        "https://example.org/<script>",
        "https://example.org/a b",
        "https://example.org/a\r\nBcc: x@example.org",
        "https://example.org\\@evil.example/",
        "https://[::1]/x",
        "https://example.org:port/x",
        "https://exa\u202emple.org/x",
        "https://example.org/" + "x" * 600,
    ],
)
def test_a_link_that_nobody_should_follow_is_none(url: str) -> None:
    assert link(url) is None


def test_a_link_says_where_it_goes() -> None:
    made = link("https://www.Example.org:8443/a/%C3%A9?b=c&d=%27#e", "Read the article")

    assert made is not None
    assert made.says == "Read the article on example.org"
    assert made.url == "https://www.example.org:8443/a/%C3%A9?b=c&d=%27#e"


def test_a_host_that_looks_like_another_is_shown_for_what_it_is() -> None:
    made = link("https://ex\u0430mple.org/\u00e9")  # a Cyrillic a

    assert made is not None
    assert made.says.endswith("xn--exmple-4nf.org")
    assert made.url.endswith("/%C3%A9")


@given(st.text(max_size=80))
def test_every_link_is_plain_ascii_http(tail: str) -> None:
    made = link(f"https://example.org/{tail}")

    if made is not None:
        assert made.url.isascii()
        assert urlsplit(made.url).hostname == "example.org"
        assert not set(made.url) & set(' "<>\\^`{|}\n\r\t')


def test_only_a_plain_address_becomes_a_mailbox() -> None:
    assert mailbox("monitor@example.org") == "monitor@example.org"
    assert mailbox("monitor@example.org?bcc=x@example.org") == ""
    assert mailbox("ring the office") == ""


@pytest.mark.parametrize("category", ["SELF_HARM", "SEXUAL_HARM", "CHILD_PROTECTION", "STAFF_ALLEGATION", "GONE"])
def test_restricted_and_unknown_categories_are_for_their_readers_only(category: str) -> None:
    first = stored(1, "words", judged(category), seen=SEEN)
    second = stored(2, "words", judged("COMPLAINT_SERVICE", also=(category,)), seen=SEEN)

    assert is_restricted(first, None, MATRIX)
    assert is_restricted(second, None, MATRIX)
    assert not may_be_quoted(second, None, MATRIX)


@pytest.mark.parametrize("category", [one for one in MATRIX.ids if one != "NOT_RELEVANT"])
def test_urgent_restricted_and_personal_posts_are_never_quoted(category: str) -> None:
    row = MATRIX.category(category)
    post = stored(1, "words", judged(category), seen=SEEN)

    if row.restricted or row.severity in {Severity.P0, Severity.P1}:
        assert not may_be_quoted(post, None, MATRIX)
    raised = case_of("KJS-0001", post, due=None, severity=Severity.P1)
    assert not may_be_quoted(post, raised, MATRIX)


def test_a_routine_complaint_may_be_quoted_but_a_post_about_one_person_may_not() -> None:
    complaint = stored(1, "words", judged("COMPLAINT_SERVICE"), seen=SEEN)
    abuse = stored(2, "words", judged("STAFF_ABUSE"), seen=SEEN)
    both = stored(3, "words", judged("COMPLAINT_SERVICE", also=("STAFF_ABUSE",)), seen=SEEN)

    assert may_be_quoted(complaint, None, MATRIX)
    assert not may_be_quoted(abuse, None, MATRIX)
    assert not may_be_quoted(both, None, MATRIX)
    assert not may_be_quoted(stored(4, "words", None, seen=SEEN), None, MATRIX)
