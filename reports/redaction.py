"""Take the words and addresses of erased posts out of reports that were written already.

Whatever stands in a report of a post's words is a quotation made by `reports.quoting.quoted`, and every address is
a link made by `reports.quoting.link`; both are found again here, in HTML and in plain text, and nothing else is
touched. A report is therefore the same report afterwards, with "erased" in the place of the words.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from reports.quoting import READ, link, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.records import StoredMention

ERASED: Final = "[erased]"
NOWHERE: Final = "about:blank"
_QUOTATION: Final = re.compile(r"“([^“”]{1,4000})”")
_LINK: Final = re.compile(r"https?://[^\s\"'<>“”]{1,2000}")
_CUT: Final = "…"


class Redaction:
    """The words and addresses of erased posts, ready to be looked for."""

    def __init__(self, posts: Iterable[StoredMention]) -> None:
        whole: set[str] = set()
        parts: set[str] = set()
        self._links: set[str] = set()
        for post in posts:
            mention = post.mention
            whole.add(_plain(mention.text, READ))
            if mention.title:
                whole |= {_plain(text, READ) for text in (mention.title, f"{mention.title}. {mention.text}")}
            parts |= {_plain(reason.text, 60) for reason in (post.judgement.reasons if post.judgement else ())}
            addresses = (mention.url, *(url for _, _, url in post.also_in))
            self._links |= {address for url in addresses if (found := link(url)) for address in (found.url, url)}
        self._whole = sorted(whole - {""})
        self._parts = frozenset((whole | parts) - {""})

    def __call__(self, page: str) -> str:
        """Return a report, HTML or text, without them."""
        page = _QUOTATION.sub(lambda found: self._quotation(found.group(), found.group(1)), page)
        return _LINK.sub(lambda found: self._address(found.group()), page)

    def _quotation(self, as_it_stands: str, content: str) -> str:
        """Return a quotation, or what stands in its place."""
        words = " ".join(html.unescape(content).split())
        if words in self._parts or (words.endswith(_CUT) and self._begins(words.removesuffix(_CUT))):
            return ERASED
        return as_it_stands

    def _begins(self, beginning: str) -> bool:
        """Whether an erased post begins so."""
        place = bisect_left(self._whole, beginning)
        return place < len(self._whole) and self._whole[place].startswith(beginning)

    def _address(self, as_it_stands: str) -> str:
        """Return an address, or what stands in its place."""
        return NOWHERE if html.unescape(as_it_stands) in self._links else as_it_stands


def _plain(text: str, limit: int) -> str:
    """Return words as a quotation has them, without its marks."""
    return quoted(text, limit)[1:-1]
