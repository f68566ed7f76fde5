"""Web addresses: one form for each page, whatever link led to it."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from url_normalize import url_normalize

_REDIRECTORS: Final = {
    ("www.google.com", "/url"): ("url", "q"),
    ("www.google.co.uk", "/url"): ("url", "q"),
    ("www.bing.com", "/news/apiclick.aspx"): ("url",),
}
"""Hosts and paths whose links only wrap another address, and the parameters that hold it."""

_TRACKERS: Final = re.compile(
    r"(?:utm|mtm|pk|mc|at|ns|itm|vero|hsa|ref)_.*"
    r"|(?:fb|g|d|ms|y|tw|tt)clk?id|[gw]braid|igsh(?:id)?|xtor|cmp|cmpid|ocid|ito|_hs(?:enc|mi)",
    re.IGNORECASE,
)
"""Parameters that say where a reader came from, never which page is meant. Whole names alone: a wider net
would take two articles for one, and one of them would be lost."""

_WRAPPED: Final = 5
"""Redirecting links inside redirecting links that are opened."""


def unwrapped(url: str) -> str:
    """Return the address inside an alert's or search engine's redirecting link, or `url` itself."""
    for _ in range(_WRAPPED):
        target = _inside(url)
        if target is None:
            return url
        url = target
    return url


def _inside(url: str) -> str | None:
    """Return the address that a redirecting link wraps, None if it wraps none."""
    if not is_web(url):
        return None
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    for name in _REDIRECTORS.get((parts.hostname or "", parts.path), ()):
        target = query.get(name, [""])[0]
        if is_web(target):
            return target
    return None


def canonical(url: str) -> str:
    """Return the one form of a page's address: no tracking parameters, no fragment, sorted query, https.

    Two links to one article give one result. What is no web address, or cannot be read, stays as it is.
    """
    target = unwrapped(url)
    if not is_web(target):
        return url
    try:
        parts = urlsplit(url_normalize(target.encode("utf-8", "replace").decode()) or target)
    except ValueError:
        return url
    if not parts.hostname:  # "https://../x" had one that is none
        return url
    query = urlencode(
        sorted(
            (name, value)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
            if not _TRACKERS.fullmatch(name)
        )
    )
    netloc = parts.netloc.removesuffix(":80") if parts.scheme == "http" else parts.netloc
    return urlunsplit(("https", netloc.removesuffix(":443"), parts.path.rstrip("/"), query, ""))


def is_web(url: str) -> bool:
    """Whether `url` is an http(s) address with a host; `javascript:` and the like are not."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
