"""The reports as readers meet them: in a real browser, wide, on a phone, in the dark; and in mail programs.

Skipped, with the reason, where `.ci/pages.sh` has not found a browser or Node. Every post is invented.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Final, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from reports import alert, daily, incident, weekly
from tests.reports import material, test_alert, test_incident, weekly_material

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

CHROMIUM = os.environ.get("MONITOR_TEST_CHROMIUM", "")
EMAIL_LINT = os.environ.get("MONITOR_TEST_EMAIL_LINT", "")

WCAG: Final = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
"""Web Content Accessibility Guidelines 2.2, level AA."""


def _storm() -> incident.IncidentView:
    """Return an incident in full swing."""
    return incident.with_digits(incident.build(test_incident.storm()), "0" * 64)


EMAILS: Final[dict[str, Callable[[], str]]] = {
    "daily, mixed": lambda: daily.render(daily.build(material.mixed_day())).html,
    "daily, quiet": lambda: daily.render(daily.build(material.quiet_day())).html,
    "daily, gaps": lambda: daily.render(daily.build(material.gap_day())).html,
    "daily, busy": lambda: daily.render(daily.build(material.busy_day())).html,
    "weekly letter": lambda: weekly.letter(weekly.build(weekly_material.eventful_week())).html,
    "incident letter": lambda: (
        incident.letter(incident.with_digits(incident.build(test_incident.storm()), "0" * 64)).html
    ),
    "alert": lambda: alert.render(test_alert.alert("THREAT_VIOLENCE", "dsl")).html,
}

PAGES: Final[dict[str, Callable[[], str]]] = {
    **EMAILS,
    "weekly, eventful": lambda: weekly.render(weekly.build(weekly_material.eventful_week())).html,
    "weekly, dark": lambda: weekly.render(weekly.build(weekly_material.dark_week())).html,
    "incident, storm": lambda: test_incident.page(test_incident.storm()),
    "incident, nothing found": lambda: test_incident.page(test_incident.nothing()),
}

DEGRADES: Final = {
    "@media": "dark colours and the phone's layout; without them the light, wide layout stands",
    "color-scheme meta tag": "a hint; without it the mail program chooses",
    "<style> element": "dark, phone and print; every other rule stands on its element",
    "max-height property": "hides the preview line, which three other rules hide too",
    "overflow": "hides the preview line, which three other rules hide too",
    "opacity": "hides the preview line, which three other rules hide too",
    "display:none": "hides the preview line, which three other rules hide too",
    "white-space": "keeps a date on one line; wrapped it reads as well",
    "word-break": "breaks a long address; without it the line is long",
    "role attribute": "Windows Mail reads layout tables aloud as tables; words and order stay",
    "aria-label attribute": "the name of a landmark; its heading says the same",
    "<body> element": "its background; the tables inside have their own",
}
"""What some mail program cannot show, and why the reader loses nothing by it."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield a real Chromium."""
    if not CHROMIUM:
        pytest.skip("MONITOR_TEST_CHROMIUM names no browser")
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "colours"), [(1280, "light"), (900, "dark"), (375, "light"), (375, "dark")])
def test_a_report_can_be_read_by_everybody(
    name: str, width: int, colours: Literal["light", "dark"], browser: Browser
) -> None:
    """No violation of WCAG 2.2 AA, and nothing to scroll sideways for, at any width and in any light."""
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=colours)
    page.set_content(PAGES[name]())

    found = Axe().run(page, options=WCAG).response["violations"]

    assert [(each["id"], each["nodes"][0]["html"][:120]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


@pytest.mark.parametrize("name", EMAILS)
def test_mail_programs_of_schools_lose_nothing_that_matters(name: str, tmp_path: Path) -> None:
    """Outlook and Gmail, by caniemail's tables: what they cannot show is only what reads as well without."""
    if not EMAIL_LINT:
        pytest.skip("MONITOR_TEST_EMAIL_LINT names no lint")
    mail = tmp_path / "mail.html"
    mail.write_text(EMAILS[name](), encoding="utf-8")

    told = subprocess.run(["node", EMAIL_LINT, str(mail)], capture_output=True, check=True, text=True)  # noqa: S603, S607

    assert set(json.loads(told.stdout)) - set(DEGRADES) == set()
