"""What of a post may stand in an e-mail, and links that are safe to follow.

Posts are hostile input, and an e-mail cannot be called back. So an urgent or restricted item is a reference
number only (escalation process 1.1, P1: "digest carries a reference number only"; 1.3, restricted rows); what
is about one person is described, never quoted; all else is a short quotation with personal details masked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from monitor.masking import masked
from monitor.records import Severity

if TYPE_CHECKING:
    from monitor.policy.escalation import Escalation
    from monitor.records import Case, StoredMention

URGENT: Final = frozenset({Severity.P0, Severity.P1})
"""Severities whose words never travel by e-mail."""

LONGEST_LINK: Final = 500
READ: Final = 2000
"""Characters of a post that are looked at for a quotation; it shows fewer."""

_UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]"
)
"""Control characters, and those that turn the direction of writing so that text shows as what it is not."""
_SURROGATE: Final = re.compile("[\ud800-\udfff]")

_ADDRESS: Final = re.compile(r"(?i)\b(?:https?://|www\.)\S{1,300}|\b[\w-]{1,60}(?:\.[\w-]{1,60}){1,4}/\S{0,300}")
_ACCOUNT: Final = re.compile(r"(?i)\bu/[\w-]{2,30}|\b[\w-]{1,60}(?:\.[\w-]{1,60}){0,3}\.bsky\.social\b")
_DOUBLE_QUOTES: Final = str.maketrans(dict.fromkeys('“”"„«»\u201f\u301d\u301e\uff02', "'"))
_FORBIDDEN_IN_LINKS: Final = re.compile(r"[\x00-\x20\x7f\\<>\"`{}|^]")


def harmless(text: str) -> str:
    """Return `text` without control characters, bidirectional overrides and broken surrogates."""
    return _SURROGATE.sub("\ufffd", _UNPRINTABLE.sub("", text))


def clean(text: str) -> str:
    """Return `text` on one line: harmless, white space collapsed."""
    return " ".join(harmless(re.sub("[\u2028\u2029\x85]", " ", text)).split())


def shortened(text: str, limit: int) -> str:
    """Return `text`, cut between words with "…" if it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    return (head.rsplit(" ", 1)[0] if " " in head[limit // 2 :] else head).rstrip(" ,.;:-") + "…"


def unnamed(text: str) -> str:
    """Return `text` on one line with personal details, accounts, addresses and names masked."""
    text = clean(text[:READ])
    text = _ADDRESS.sub("[link]", text)
    text = _ACCOUNT.sub("[account]", text)
    return masked(text)


def quoted(text: str, limit: int = 160) -> str:
    """Return the beginning of a post's words in quotation marks, personal details masked; "" for no words.

    Quotation marks inside become single ones, so that nobody can write his way out of the quotation.
    """
    words = shortened(unnamed(text).translate(_DOUBLE_QUOTES), limit)
    return f"“{words}”" if words else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link that is safe to print: `url` is http(s) in plain ASCII, `says` tells where it goes."""

    url: str
    says: str


def link(url: str, says: str = "Open the post") -> Link | None:
    """Return a link to a post, its text naming the site: "Open the post on bsky.app".

    None where there is none that a person should follow: another scheme than http(s), a user name or password
    before the host, blanks, quotes or backslashes, or more than 500 characters.
    """
    if not url or len(url) > LONGEST_LINK or _FORBIDDEN_IN_LINKS.search(url):
        return None
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = f":{parts.port}" if parts.port else ""
        path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._")
        query = quote(parts.query, safe="/?%:@!$&'()*+,;=~-._")
        fragment = quote(parts.fragment, safe="/?%:@!$&'()*+,;=~-._")
    except (ValueError, UnicodeError):
        return None
    if parts.scheme not in {"http", "https"} or not re.fullmatch(r"[a-z0-9.-]+", host) or "@" in parts.netloc:
        return None
    tail = (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")
    address = f"{parts.scheme}://{host}{port}{path}{tail}"
    return Link(url=address, says=f"{says} on {shortened(host.removeprefix('www.'), 60)}")


def mailbox(address: str) -> str:
    """Return `address` if it is one plain e-mail address, "" if not."""
    return address if re.fullmatch(r"[\w.+-]{1,64}@[\w.-]{1,200}", address, re.ASCII) else ""


def is_restricted(stored: StoredMention | None, case: Case | None, escalation: Escalation) -> bool:
    """Whether only named roles may see more than reference, category, school, time and owner (PR18).

    A category that the matrix does not know counts as restricted: nobody has said that it is not.
    """
    judgement = stored.judgement if stored else None
    named = [
        *((case.category,) if case else ()),
        *((judgement.category, *judgement.also) if judgement else ()),
    ]
    rows = [escalation.categories.get(category) for category in named]
    return bool(case and case.restricted) or any(row is None or row.restricted for row in rows)


def may_be_quoted(stored: StoredMention, case: Case | None, escalation: Escalation) -> bool:
    """Whether words of the post may stand in an e-mail: P2 to P4, unrestricted, and not about one person."""
    judgement = stored.judgement
    if judgement is None or is_restricted(stored, case, escalation):
        return False
    severities = {judgement.severity, case.severity if case else judgement.severity}
    categories = {judgement.category, *judgement.also, case.category if case else judgement.category}
    also = {row.severity for name in judgement.also if (row := escalation.categories.get(name))}
    return not (severities | also) & URGENT and not any(map(escalation.about_a_person, categories))
