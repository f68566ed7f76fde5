"""Signs that no tree of elements takes, written as entities: a post with one is words like any other."""

from __future__ import annotations

import pytest

from collectors._text import plain


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("<p>&#xffff;x</p>y&#xfffe;", "x y"),
        ("<p>&#1;x", "x"),
        ("<script>a</script>&#1;b", "b"),
        ("a <b>x&#2;</b><script>q</script>&#3;y <!-- c -->&#4;z", "a x y z"),
        ("<p>\uffff\x00", ""),
        ("<p>&#xd800;x", "\N{REPLACEMENT CHARACTER}x"),
    ],
)
def test_an_entity_for_a_sign_that_is_none_does_not_bring_the_reader_down(content: str, words: str) -> None:
    assert plain(content) == words
