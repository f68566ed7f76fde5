"""What a page folds away is there when it is opened, when it is looked for, and on paper."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from tests.reports import test_incident

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

CHROMIUM = os.environ.get("MONITOR_TEST_CHROMIUM", "")
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
SEEN = "[...document.querySelectorAll('details .proof')].filter(proof => proof.checkVisibility()).length"


@pytest.fixture
def page() -> Iterator[Page]:
    """Yield the page of an incident with four hundred posts, in a Chromium that runs no script of the page's own."""
    if not CHROMIUM:
        pytest.skip("MONITOR_TEST_CHROMIUM names no browser")
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        opened = running.new_page(viewport={"width": 900, "height": 900})
        opened.set_content(test_incident.page(test_incident.flood(400)))
        yield opened
        running.close()


def test_a_storm_is_a_page_of_a_dozen_screens_and_not_of_thirty(page: Page) -> None:
    assert page.evaluate(SEEN) == 0
    assert page.evaluate("document.documentElement.scrollHeight") < 12 * 900


def test_a_click_opens_the_rest(page: Page) -> None:
    page.get_by_text("The other 375, by number").click()

    assert page.evaluate(SEEN) == 375


@pytest.mark.parametrize("opened", [False, True])
def test_folded_or_not_everybody_can_read_it_on_a_phone(page: Page, *, opened: bool) -> None:
    page.set_viewport_size({"width": 375, "height": 800})
    if opened:
        for summary in page.locator("summary").all():
            summary.click()

    found = Axe().run(page, options=WCAG).response["violations"]

    assert [(each["id"], each["nodes"][0]["html"][:120]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_paper_shows_everything(page: Page) -> None:
    page.emulate_media(media="print")

    assert page.evaluate(SEEN) == 375
