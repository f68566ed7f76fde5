"""The public notice says what is really done, in words that its readers understand."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from lxml import etree  # type: ignore[import-untyped]

from monitor import settings
from monitor.cli import group
from monitor.errors import ConfigError
from monitor.jobs.notice import Form, Reader, gather, written
from monitor.jobs.workplace import open_workplace
from monitor.settings import Secrets
from monitor.store import audit
from reports.notice import BIO_LENGTH, NoticeView, for_children, for_everyone

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.jobs.workplace import Workplace

DOCS = Path(__file__).parents[2] / "docs"
OFFICER = "dpo@school.example"
ROLES = {"data_protection_officer": OFFICER}
PLAIN = 9.0
"""Grade of the Automated Readability Index: 9 is read at 14 to 15, the age that GOV.UK and the ICO write above."""
FOR_CHILDREN = 4.0
"""Read at 9 to 10: every pupil of a secondary school."""


@pytest.fixture
def ours(opened: Callable[..., Workplace]) -> Workplace:
    return opened(roles=ROLES, sources={"feeds": {"feeds": [{"url": "https://paper.example/rss", "name": "Paper"}]}})


def grade(view: NoticeView) -> float:
    """Return the Automated Readability Index of a notice's own sentences: Smith and Senter, 1967."""
    prose = [view.lead, *(one for section in view.sections for one in (section.heading, *section.text))]
    prose = [re.sub(r"\S+@\S+|\bico\.org\.uk\S*|\([^)]*\)|Act \d{4}", "", one) for one in prose]
    sentences = [one for text in prose for one in re.split(r"[.?!:](?:\s|$)", text) if one.strip()]
    words = [word for one in sentences for word in re.findall(r"[\w'-]+", one)]
    letters = sum(len(word) for word in words)
    return 4.71 * letters / len(words) + 0.5 * len(words) / len(sentences) - 21.43


def test_it_says_all_that_article_14_and_the_privacy_rules_ask_for(ours: Workplace) -> None:
    """PR14: what is searched, the platforms, the keywords, who reads, how long, rights, contact; PR11, PR12, PR17."""
    text = written(ours, Reader.EVERYONE, Form.MARKDOWN)
    for needed in (
        "Boroughbridge High School and King James's School Federation",
        OFFICER,
        "News, blogs, councils and alerts (feeds)",
        "King James's School Knaresborough",
        "#BoroughbridgeHigh",
        "Headteacher",
        "Designated Safeguarding Lead",
        "Routine (P3): 60 days",
        "Note (P4): 30 days",
        "12 months",
        "Article 6(1)(e)",
        "Education Act 2002",
        "Article 9(2)(g)",
        "Schedule 1, paragraph 18",
        "ico.org.uk/make-a-complaint",
        "within 30 days",
        "There is no age limit. What counts is that you understand.",
        "impact assessment R, O, signed on 01 January 2026",
        "by 01 January 2030",
        "A person always decides.",
        "call 999",
    ):
        assert needed in text, needed
    assert "legitimate" not in text


def test_it_names_what_is_on_and_nothing_that_is_off(opened: Callable[..., Workplace]) -> None:
    nothing = opened(roles=ROLES)
    assert "We do not look anywhere yet." in written(nothing, Reader.EVERYONE, Form.MARKDOWN)
    assert "We do not look anywhere yet." in written(nothing, Reader.CHILDREN, Form.MARKDOWN)
    youtube = opened(
        roles=ROLES, sources={"youtube": {"channels": []}}, secrets={"MONITOR_YOUTUBE_API_KEY": "a-planted-secret"}
    )
    text = written(youtube, Reader.EVERYONE, Form.MARKDOWN)
    assert "from YouTube" in text
    assert "no more than 30 days" in text
    assert "Reddit" not in text
    assert "a-planted-secret" not in text


def test_it_follows_the_configuration(opened: Callable[..., Workplace]) -> None:
    kept = opened(roles=ROLES, retention={"P3": 7})
    assert "Routine (P3): 7 days" in written(kept, Reader.EVERYONE, Form.MARKDOWN)


def test_without_an_assessment_it_says_that_nothing_is_read_yet(opened: Callable[..., Workplace]) -> None:
    unsigned = opened(roles=ROLES, privacy={})
    assert "Nothing is read yet." in written(unsigned, Reader.EVERYONE, Form.MARKDOWN)


def test_it_is_not_written_without_somebody_to_write_to(place: Workplace) -> None:
    with pytest.raises(ConfigError, match="whom people can write to"):
        written(place, Reader.EVERYONE, Form.MARKDOWN)


def test_the_general_contact_stands_in_for_the_officer(opened: Callable[..., Workplace]) -> None:
    assert gather(opened(federation={"contact": "office@school.example"})).officer == "office@school.example"


def test_it_reads_as_plain_english_and_a_child_can_read_theirs(ours: Workplace) -> None:
    material = gather(ours)
    assert grade(for_everyone(material)) <= PLAIN
    assert grade(for_children(material)) <= FOR_CHILDREN


def test_the_childrens_one_says_what_matters_to_a_child(ours: Workplace) -> None:
    """PR17: no age limit, and whom to ask."""
    text = written(ours, Reader.CHILDREN, Form.MARKDOWN)
    for needed in ("0800 1111", "You do not have to be a certain age.", OFFICER, "Delete it.", "ico.org.uk", "90 days"):
        assert needed in text, needed
    assert len(text.split()) < 400


@pytest.mark.parametrize("reader", [Reader.EVERYONE, Reader.CHILDREN])
def test_the_page_is_complete_well_formed_and_fetches_nothing(ours: Workplace, reader: Reader) -> None:
    page = written(ours, reader, Form.HTML)
    tree = etree.HTML(page)
    assert tree.get("lang") == "en-GB"
    assert next(heading.tag for heading in tree.iter("h1", "h2")) == "h1"
    assert not list(tree.iter("script", "img", "link", "iframe"))
    assert "noindex" not in page
    for line in written(ours, reader, Form.MARKDOWN).splitlines():
        if line.startswith("- "):
            assert line[2:] in " ".join(tree.itertext())


def test_the_line_for_a_profile_fits_and_says_that_nobody_watches_day_and_night(ours: Workplace) -> None:
    """Policy 2.3: not monitored 24/7."""
    line = written(ours, Reader.BIO, Form.MARKDOWN).strip()
    assert len(line) <= BIO_LENGTH
    assert "Not monitored 24/7" in line
    assert OFFICER in line


def test_that_it_was_written_stands_in_the_audit(ours: Workplace) -> None:
    written(ours, Reader.CHILDREN, Form.HTML)
    with ours.store.read() as connection:
        (line,) = audit.entries(connection)
    assert (line.what, line.about) == (audit.Deed.NOTICE, "for children")


@pytest.mark.parametrize(
    ("reader", "file"),
    [(Reader.EVERYONE, "privacy-notice.md"), (Reader.CHILDREN, "privacy-notice-for-children.md")],
)
def test_the_notices_in_the_documentation_are_those_of_its_configuration(
    tmp_path: Path, reader: Reader, file: str
) -> None:
    """PR14: they fail here when they differ. Write them again with `notice --config docs/privacy-notice.toml`."""
    config = tmp_path / "monitor.toml"
    config.write_text((DOCS / "privacy-notice.toml").read_text())
    with open_workplace(settings.load(config), secrets=Secrets({})) as place:
        assert written(place, reader, Form.MARKDOWN) == (DOCS / file).read_text()


def test_the_command_prints_writes_and_checks(tmp_path: Path) -> None:
    config = tmp_path / "monitor.toml"
    config.write_text((DOCS / "privacy-notice.toml").read_text())
    run = CliRunner().invoke
    printed = run(group, ["notice", "--config", str(config), "--for", "children"])
    assert printed.output == (DOCS / "privacy-notice-for-children.md").read_text()
    out = tmp_path / "notice.html"
    assert run(group, ["notice", "--config", str(config), "--format", "html", "--output", str(out)]).exit_code == 0
    check = ["notice", "--config", str(config), "--format", "html", "--check", str(out)]
    assert run(group, check).exit_code == 0
    config.write_text(config.read_text().replace("P3 = 60", "P3 = 59"))
    done = run(group, check)
    assert done.exit_code == 1
    assert "differs from what the configuration says" in done.output


def test_a_review_date_is_a_date(ours: Workplace) -> None:
    assert gather(ours).review_due == date(2030, 1, 1)
