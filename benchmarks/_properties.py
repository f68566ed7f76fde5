"""What must be true whatever comes in: one function a target of `benchmarks.fuzz`; it asserts, and returns nothing."""

from __future__ import annotations

import email
import re
import tempfile
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from email import policy as email_policy
from functools import cache
from pathlib import Path
from typing import Any, Final

from analysis.matching import Gate, Post
from analysis.text import fold
from analysis.triage import Triage
from collectors import _entries, _reports
from collectors._text import excerpt, plain
from monitor import masking
from monitor.addresses import canonical, is_web
from monitor.cli.options import safe
from monitor.cli.times import parsed as parsed_moment
from monitor.errors import BundleError, ConfigError
from monitor.jobs import evidence
from monitor.jobs.incident_terms import Terms
from monitor.mail import compose
from monitor.policy import folder
from monitor.policy.vocabulary import parsed as parsed_pattern
from monitor.records import Malformed, Mention, Relevance, Rendered, Sentiment
from monitor.settings import Federation, Mail, Settings, load
from reports import quoting
from reports.daily import build, render
from tests.reports.material import mixed_day

NOW: Final = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HIDDEN: Final = "@nobody-may-see-me-7"


@cache
def gate() -> Gate:
    """Return the gate of the shipped rules, made once."""
    return Gate(folder.load().schools)


@cache
def triage() -> Triage:
    """Return the triage of the shipped rules, made once."""
    rules = folder.load()
    return Triage(rules.vocabulary, rules.escalation)


def about(said: str) -> tuple[Relevance, tuple[str, ...]]:
    """Return what the gate says of a text: relevance and schools."""
    decision = gate().decide(Post(text=said))
    return decision.relevant, decision.schools


def mention_is_whole(fields: dict[str, Any]) -> None:
    """A mention is refused, or has its hash, a time in UTC and an author that never shows."""
    try:
        made = Mention(**fields)
    except ValueError:
        return
    assert made.published.tzinfo is UTC
    assert re.fullmatch("[0-9a-f]{64}", made.sha256)
    assert HIDDEN not in repr(replace(made, author=HIDDEN))


def configuration_is_read_or_explained(content: bytes) -> None:
    """A configuration file becomes settings, or an error that names the file and a cure."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "monitor.toml"
        file.write_bytes(content)
        try:
            assert isinstance(load(file, {}), Settings)
        except ConfigError as error:
            assert error.file == file  # noqa: PT017 - either end is right
            assert error.cure  # noqa: PT017


def feed_is_read_or_refused(body: bytes) -> None:
    """Bytes become entries with zoned times, or are no feed."""
    try:
        entries = _entries.parse(body, {"content-type": "application/xml"}, "https://news.example/feed", NOW)
    except _entries.NotAFeed:
        return
    for entry in entries:
        if not isinstance(entry, Malformed):
            assert entry.published.tzinfo


def html_becomes_words(content: str) -> None:
    """HTML becomes words on one line that a database takes."""
    said = plain(content)
    assert said == " ".join(said.split())
    said.encode("utf-8")
    assert len(excerpt(said, ("King James's School",), 200)) <= 200


def decoration_changes_nothing(drawn: tuple[str, str, str, str, str]) -> None:
    """Case, apostrophes, spacing and emoji leave relevance and schools as they are."""
    name, rest, emoji, apostrophe, space = drawn
    said = f"{name} {rest}"
    plainly = about(said)
    assert about(said.upper().lower()) == about(said.lower())
    assert about(said.replace("'", apostrophe)) == plainly
    assert about(said.replace(" ", space)) == plainly
    assert about(f"{said} {emoji}") == plainly


def places_are_in_the_text(post: Post) -> None:
    """Reasons point into the text that they are about, whatever the tone."""
    for said in (post.text, post.title):
        folded = fold(said)
        first, last = folded.span(0, len(folded.text))
        assert 0 <= first <= last <= len(said)
    for tone in Sentiment:
        found = triage().judge(post, Relevance.YES, sentiment=tone)
        assert found.severity is not None
        for reason in found.reasons:
            assert 0 <= reason.start <= reason.end <= max(len(post.text), len(post.title))


def details_are_masked(said: str) -> None:
    """Twice: what stood between two details may make a third when they are gone."""
    twice = masking.masked(masking.masked(said))
    assert masking.masked(twice) == twice
    assert not re.search(r"(?<![\w.+-])[a-z]{2,20}@[a-z]{2,20}\.example(?![\w.-])", masking.masked(f"{said} a")), said


def link_is_safe(url: str) -> None:
    """A link is plain ASCII, goes to the web, and has no user before its host."""
    made = quoting.link(url)
    if made is not None:
        assert made.url.isascii()
        assert made.url.startswith(("http://", "https://"))
        assert not re.search(r"[\x00-\x20\"'<>`\\]", made.url.replace("'", ""))
        assert "@" not in made.url.split("/")[2]


def address_has_one_form(url: str) -> None:
    """The form of a form is itself, and a web address stays one."""
    once = canonical(url)
    assert canonical(once) == once
    assert is_web(once) == is_web(url)


def sheet_is_read_or_refused(drawn: tuple[bytes, str]) -> None:
    """Rows of a file are reports whose words begin no formula, or are malformed, or the file is refused."""
    try:
        rows = _reports.read(*drawn)
    except _reports.Unreadable:
        return
    for row in rows:
        if not isinstance(row, Malformed):
            assert row.text
            assert not row.text.startswith(("=", "+", "-", "@", "\t", "\r"))


def digest_shows_mere_words(said: str) -> None:
    """Words of posts add no element, no header and no control character to a digest."""
    day = mixed_day()
    spoilt = tuple(
        replace(one, mention=replace(one.mention, text=said, title=said, community=said)) for one in day.mentions
    )
    plainly = tuple(
        replace(one, mention=replace(one.mention, text="plain", title="plain", community="plain"))
        for one in day.mentions
    )
    shown, usual = render(build(replace(day, mentions=spoilt))), render(build(replace(day, mentions=plainly)))
    tags = re.compile(r"<(?!!)/?([a-z0-9]+)", re.IGNORECASE)
    assert set(tags.findall(shown.html)) <= set(tags.findall(usual.html))
    assert shown.subject == usual.subject
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown.html + shown.text)


def message_has_its_own_headers(drawn: tuple[str, str, str]) -> None:
    """A message that is read back has one To, no Bcc, one line of subject and its two parts."""
    subject, body, name = drawn
    message = compose(
        Rendered(name="daily-2026-11-23", subject=subject, html=f"<p>{name}</p>", text=quoting.harmless(body)),
        kind="daily",
        recipient="owner@school.example",
        mail=Mail(host="127.0.0.1", sender="monitor@school.example"),
        federation=Federation(),
        now=NOW,
    )
    back = email.message_from_bytes(message.content, policy=email_policy.default)
    assert back.get_all("To") == ["owner@school.example"]
    assert back["Bcc"] is None
    assert back.get_all("Subject") is not None
    assert "\n" not in str(back["Subject"])
    assert [part.get_content_type() for part in back.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


def terminal_is_not_driven(said: str) -> None:
    """What is printed is printable."""
    shown = safe(said)
    assert all(char.isprintable() or char in " \n\N{REPLACEMENT CHARACTER}" for char in shown)


def bundle_is_checked_or_refused(drawn: tuple[str, list[tuple[int, int]], int]) -> None:
    """A bundle with changed bytes or a lost end is checked, or refused with the error meant for it."""
    said, changes, cut = drawn
    exhibits = evidence.bundle(
        (_exhibit(said),),
        (),
        lambda digits: f"<p>{digits}</p>",
    )
    content = bytearray(exhibits.content)
    for at, value in changes:
        content[at % len(content)] = value
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "evidence.zip"
        file.write_bytes(bytes(content)[: len(content) - cut])
        with suppress(BundleError):
            evidence.verify(file)


def _exhibit(said: str) -> evidence.Exhibit:
    return evidence.Exhibit(
        number=1,
        source="feeds",
        native_id="1",
        url="https://a.example/1",
        published=NOW,
        captured=NOW,
        last_seen=NOW,
        edited=None,
        sha256="0" * 64,
        title="",
        text=said,
        copy_of=None,
        withheld="",
    )


def pattern_is_read_or_refused(said: str) -> None:
    """A pattern has chains, or is refused."""
    with suppress(ValueError):
        assert parsed_pattern(said).chains


def terms_are_words_or_refused(said: list[str]) -> None:
    """Terms have words and can be looked for, or are refused."""
    with suppress(ConfigError):
        terms = Terms.of(said)
        assert terms.words
        terms.find(" ".join(said))


def moment_has_a_zone(said: str) -> None:
    """A time has a zone, or is refused."""
    with suppress(ValueError):
        assert parsed_moment(said).tzinfo
