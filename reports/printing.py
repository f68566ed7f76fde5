"""A page as PDF/UA: tagged, with a title and a language, so that a screen reader can read it (ISO 14289-1).

WeasyPrint is an extra of the installation, because it needs Pango from the system; without it the HTML page
is sent instead.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from monitor.errors import ConfigError

CURE: Final = (
    "pip install 'federation-monitor[pdf]', and Pango from the system (Debian and Ubuntu: apt install libpango-1.0-0)"
)


def can_print() -> bool:
    """Whether WeasyPrint is installed; it is not loaded yet."""
    return find_spec("weasyprint") is not None


def pdf(html: str) -> bytes:
    """Return a complete page as PDF/UA-1; nothing is fetched for it, and the same page gives the same bytes.

    Raises:
        ConfigError: WeasyPrint is not installed, or Pango is missing; says what to install.
    """
    try:
        from weasyprint import HTML  # noqa: PLC0415 - an extra
        from weasyprint.urls import URLFetcher  # noqa: PLC0415
    except (ImportError, OSError) as error:  # OSError: it is there, the system's Pango is not
        raise ConfigError("PDF reports need WeasyPrint and Pango", cure=CURE) from error
    # a report is complete in itself, and printing one tells nobody: no protocol is allowed, not even file:
    nothing = URLFetcher(allowed_protocols=frozenset())
    return bytes(HTML(string=html, url_fetcher=nothing).write_pdf(pdf_variant="pdf/ua-1"))
