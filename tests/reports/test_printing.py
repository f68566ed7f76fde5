"""A report is printed as tagged PDF: the same bytes each time, and nothing is fetched for it."""

from __future__ import annotations

import re
import zlib

import pytest

from reports import printing
from reports.weekly import build, render
from tests.reports.weekly_material import eventful_week

pytestmark = pytest.mark.skipif(
    not printing.can_print(), reason="WeasyPrint is not installed: pip install 'federation-monitor[pdf]'"
)

PAGE = "<!DOCTYPE html><html lang='en-GB'><head><title>A title</title></head><body><h1>A head</h1>{}</body></html>"


def inside(pdf: bytes) -> bytes:
    """Return a PDF with its streams unpacked."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    unpacked = []
    for stream in streams:
        try:
            unpacked.append(zlib.decompress(stream))
        except zlib.error:
            unpacked.append(stream)
    return pdf + b"\n".join(unpacked)


def test_the_weekly_report_prints_as_pdf_ua_with_a_title_a_language_and_tags() -> None:
    rendered = render(build(eventful_week()))
    content = inside(printing.pdf(rendered.html))
    assert content.startswith(b"%PDF-")
    assert re.search(rb"pdfuaid:part[>=\"' ]*1", content)
    assert b"/StructTreeRoot" in content
    assert b"/Lang (en-GB)" in content
    assert b"/DisplayDocTitle true" in content
    for tag in (b"/H1", b"/H2", b"/Table", b"/TH", b"/Figure", b"/Caption"):
        assert tag in content
    assert content.count(b"/Alt ") >= 2


def test_the_same_page_gives_the_same_bytes() -> None:
    page = PAGE.format("<p>One</p>")
    assert printing.pdf(page) == printing.pdf(page)
    assert printing.pdf(page) != printing.pdf(PAGE.format("<p>Other</p>"))


@pytest.mark.parametrize("address", ["https://tracker.example/pixel.png", "file:///etc/passwd", "relative.png"])
def test_nothing_is_fetched_for_a_page(address: str) -> None:
    with_image = inside(printing.pdf(PAGE.format(f'<img src="{address}" alt="an image">')))
    assert b"/Subtype /Image" not in with_image


def test_what_a_page_folds_away_is_printed() -> None:
    folded = "<details><summary>More</summary><table><tr><th>No.</th></tr></table></details>"
    assert b"/TH" in inside(printing.pdf(PAGE.format(folded)))
