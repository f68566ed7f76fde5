"""Web addresses: one form for each page, whatever link led to it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit, urlunsplit

from courlan import normalize_url

_REDIRECTORS = {
    ("www.google.com", "/url"): ("url", "q"),
    ("www.google.co.uk", "/url"): ("url", "q"),
    ("www.bing.com", "/news/apiclick.aspx"): ("url",),
}
"""Hosts and paths whose links only wrap another address, and the parameters that hold it."""


def unwrapped(url: str) -> str:
    """Return the address inside an alert's or search engine's redirecting link, or `url` itself."""
    if not is_web(url):
        return url
    parts = urlsplit(url)
    names = _REDIRECTORS.get((parts.hostname or "", parts.path), ())
    query = parse_qs(parts.query)
    for name in names:
        target = query.get(name, [""])[0]
        if is_web(target):
            return target
    return url


def canonical(url: str) -> str:
    """Return the one form of a page's address: no tracking parameters, no fragment, sorted query, https.

    Two links to one article give one result. What is no web address, or cannot be read, stays as it is.
    """
    target = unwrapped(url)
    if not is_web(target):
        return url
    try:
        parts = urlsplit(normalize_url(target.encode("utf-8", "replace").decode(), strict=False))
    except ValueError:
        return url
    scheme = "https" if parts.scheme == "http" else parts.scheme
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/"), parts.query, ""))


def is_web(url: str) -> bool:
    """Whether `url` is an http(s) address with a host; `javascript:` and the like are not."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
