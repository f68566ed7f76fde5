"""Articles asked for again: is the page that one links to still there?

What a publisher takes down answers 404 or 410 and goes here too. A page that stands is not read again: its words
were an excerpt and stay as they are. robots.txt is asked, and a page that does not answer says nothing.

An article's key is its canonical address, which has neither "http" nor a last "/" where the page's own may have
them: only where none of these forms is there, the page is taken down.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from monitor.addresses import is_web
from monitor.errors import SourceError, Unreachable
from monitor.records import Gone, Malformed, Mention, Spent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collectors._purse import Purse
    from monitor.http import Client
    from monitor.records import Clock

CALL: Final = Spent(calls=1)
TAKEN_DOWN: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


def again(
    source: str, native_ids: Sequence[str], http: Client, clock: Clock, purse: Purse
) -> Iterator[Mention | Gone | Malformed | Spent]:
    """Yield `Gone` for each article whose page was taken down, and one without words for each that stands.

    Args:
        source: the collector's name.
        native_ids: keys of articles: their addresses, or what a feed without links gave them.
        http: the polite client.
        clock: tells the time.
        purse: what may still be spent.

    Raises:
        QuotaSpent: our own cap does not pay for the next page.
    """
    for native_id in native_ids:
        if not is_web(native_id):
            yield Malformed(reason="an article without an address cannot be asked for again")
            continue
        purse.need(CALL)
        yield purse.pay(CALL)
        try:
            there = _is_there(http, source, native_id)
        except SourceError as error:
            # one site that does not answer, or asks us to wait, must not keep the others waiting
            yield Malformed(reason=f"asked for again, and its site does not say whether it stands ({error.kind})")
            continue
        if there:
            yield Mention(source=source, native_id=native_id, url=native_id, text="", published=clock())
        else:
            yield Gone(source=source, native_id=native_id)


def _is_there(http: Client, source: str, address: str) -> bool:
    """Whether a page stands under one of the forms of its canonical address.

    Raises:
        SourceError: its site does not say.
    """
    try:
        return _answers(http, source, address)
    except Unreachable:
        return _answers(http, source, address.replace("https://", "http://", 1))


def _answers(http: Client, source: str, address: str) -> bool:
    """Whether a page stands under an address, with or without a "/" at its end."""
    forms = (address,) if "?" in address else (address, f"{address}/")
    allowed = (HTTPStatus.OK, *TAKEN_DOWN)
    return any(http.get(form, source=source, robots=True, allow=allowed).status == HTTPStatus.OK for form in forms)
