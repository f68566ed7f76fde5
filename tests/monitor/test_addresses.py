"""One form for each page, whatever link led to it; and never one form for two pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.addresses import canonical, is_web, unwrapped

PAGE = "https://news.example/story?id=7"

hosts = st.sampled_from(["news.example", "NEWS.example:443", "news.example:80", "xn--bcher-kva.example", "[::1]"])
urls = st.one_of(
    st.text(max_size=60),
    st.builds(
        "{}://{}/{}?{}#{}".format,
        st.sampled_from(["http", "https", "HTTPS", "ftp", "javascript"]),
        hosts,
        st.text(max_size=20),
        st.text(max_size=20),
        st.text(max_size=5),
    ),
    st.builds("https://www.google.com/url?rct=j&url={}".format, st.sampled_from([PAGE, "javascript:1", ""])),
)


@given(urls)
def test_the_form_of_a_form_is_itself(url: str) -> None:
    once = canonical(url)
    assert canonical(once) == once


@given(urls)
def test_what_is_no_web_address_stays_as_it_is(url: str) -> None:
    if not is_web(url):
        assert canonical(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://news.example/story?id=7",
        "https://NEWS.example:443/story?id=7",
        "http://news.example:80/story/?id=7",
        "https://news.example/story?id=7#comments",
        "https://news.example/story?utm_source=feed&id=7&utm_medium=rss",
        "https://news.example/story?fbclid=abc&id=7&gclid=1&msclkid=2&igshid=3",
        "https://news.example/story?id=7&at_medium=RSS&at_campaign=KARANGA",
        "https://news.example/story?id=7&CMP=share_btn_tw",
        "https://www.google.com/url?rct=j&sa=t&url=https://news.example/story%3Fid%3D7&ct=ga",
        "https://www.google.co.uk/url?q=https://news.example/story%3Fid%3D7",
        "https://www.bing.com/news/apiclick.aspx?ref=FexRss&url=https%3a%2f%2fnews.example%2fstory%3fid%3d7",
    ],
)
def test_links_to_one_page_have_one_form(url: str) -> None:
    assert canonical(url) == PAGE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://v.example/watch?v=a", "https://v.example/watch?v=b"),
        ("https://c.example/ieList.aspx?CId=5&MId=9", "https://c.example/ieList.aspx?CId=6&MId=9"),
        ("https://a.example/?gallery=1", "https://a.example/?gallery=2"),
        ("https://a.example/e?eid=1", "https://a.example/e?eid=2"),
        ("https://a.example/p?ref=21/01", "https://a.example/p?ref=21/02"),
        ("https://a.example/Story", "https://a.example/story"),
        ("https://a.example/a", "https://b.example/a"),
        ("https://a.example/a?x=1", "https://a.example/a?x="),
    ],
)
def test_two_pages_never_have_one_form(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


def test_the_order_of_parameters_does_not_matter() -> None:
    assert canonical("https://a.example/x?b=2&a=1") == canonical("https://a.example/x?a=1&b=2")


def test_a_redirecting_link_inside_another_is_opened() -> None:
    inner = "https://www.google.com/url?url=https://news.example/story"
    assert unwrapped(f"https://www.google.com/url?url={inner}") == "https://news.example/story"


def test_a_redirecting_link_that_leads_nowhere_stays() -> None:
    for url in ("https://www.google.com/url?url=javascript:alert(1)", "https://www.google.com/url"):
        assert unwrapped(url) == url


def test_links_that_wrap_one_another_without_end_come_to_an_end() -> None:
    url = PAGE
    for _ in range(12):
        url = f"https://www.google.com/url?q={url}"
    assert unwrapped(url).startswith("https://www.google.com/url?q=")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://a.example/x", "https://", "http://[", "", "a.example"])
def test_what_cannot_be_opened_in_a_browser_is_no_web_address(url: str) -> None:
    assert not is_web(url)
    assert canonical(url) == url


def test_an_address_that_cannot_be_read_stays() -> None:
    for url in (f"https://{'a' * 70}.example/x", "https://a.example:notaport/x", "https://xn--/x"):
        assert canonical(url) == url
