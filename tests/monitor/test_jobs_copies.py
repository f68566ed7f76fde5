"""When a post goes, its words go from reports, waiting mail, evidence and labels too."""

from __future__ import annotations

import email
import json
import os
import quopri
import zipfile
from datetime import timedelta
from email import policy
from typing import TYPE_CHECKING

import pytest

from monitor.errors import StoreError
from monitor.jobs import audit, copies, evidence
from monitor.jobs.casework import relabel
from monitor.jobs.collect import wipe
from monitor.jobs.daily import daily, window_for
from monitor.jobs.incident import watch
from monitor.jobs.incident_terms import Terms
from monitor.jobs.judge import open_for
from monitor.jobs.retention import retain
from monitor.jobs.rights import Request, erase
from monitor.records import Gone
from monitor.store import audit as chain
from monitor.store import mentions, outbox
from monitor.store.audit import Deed
from reports.quoting import quoted
from tests.monitor.conftest import Hands, judgement, record, stored

if TYPE_CHECKING:
    from monitor.jobs.workplace import Workplace

OURS = "The toilet protest at King James's School in Knaresborough was a shambles & badly run"
THEIRS = "The toilet protest at King James's School in Knaresborough has stopped, a parent writes elsewhere"
URL = "https://forum.example/post/1?a=1&b=2"


def posted(place: Workplace) -> tuple[str, str]:
    """Put two posts with a case each into the store; return the references."""
    out = []
    for number, (text, url) in enumerate(((OURS, URL), (THEIRS, "https://forum.example/post/2")), 1):
        mention = stored(place, number, text, source="bluesky", url=url)
        record(place, mention, judgement())
        with place.store.write() as connection:
            found = mentions.by_number(connection, [mention])[mention]
            assert found.judgement is not None
            out.append(open_for(place, connection, found, found.judgement).reference)
    return out[0], out[1]


def on_disk(place: Workplace) -> str:
    """Return everything that lies in the data folder beside the database, as a reader would see it."""
    parts = []
    for file in place.settings.folder.rglob("*"):
        if not file.is_file() or file.name.startswith("monitor.sqlite"):
            continue
        if file.suffix == ".zip":
            with zipfile.ZipFile(file) as archive:
                parts += [archive.read(name).decode() for name in archive.namelist()]
        elif file.suffix == ".eml":
            parts.append(quopri.decodestring(file.read_bytes()).decode("utf-8", "replace"))
        else:
            parts.append(file.read_bytes().decode("utf-8", "replace"))
    return " ".join(" ".join(parts).split()).replace("&amp;", "&")


def bodies(place: Workplace) -> str:
    """Return the bodies of the messages that wait."""
    with place.store.read() as connection:
        waiting = outbox.with_content(connection)
    found = []
    for one in waiting:
        message = email.message_from_bytes(one.content, policy=policy.default)
        found += [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    return " ".join(" ".join(found).split()).replace("&amp;", "&")


def gone(place: Workplace) -> None:
    """Let the source say that the first post is deleted."""
    with place.store.write() as connection:
        assert wipe(place, connection, [Gone(source="bluesky", native_id="n1")]) == 1


def test_a_deleted_posts_words_leave_digests_on_disk_and_mail_that_waits(place: Workplace, hands: Hands) -> None:
    posted(place)
    hands.forward(minutes=1)
    daily(place, window_for(place, place.clock()))
    assert "was a shambles" in on_disk(place)
    assert "was a shambles" in bodies(place)
    gone(place)
    for text in (on_disk(place), bodies(place)):
        assert "shambles" not in text
        assert "forum.example/post/1" not in text
        assert "has stopped" in text
        assert "forum.example/post/2" in text


def test_a_message_that_lost_words_is_the_same_message_and_is_sent_once(place: Workplace, hands: Hands) -> None:
    posted(place)
    hands.forward(minutes=1)
    daily(place, window_for(place, place.clock()))
    with place.store.read() as connection:
        (before,) = outbox.with_content(connection)
    gone(place)
    assert place.postman.deliver().filed == 1
    (filed,) = place.outbox_folder.glob("*.eml")
    message = email.message_from_bytes(filed.read_bytes(), policy=policy.default)
    assert message["Message-ID"] == before.message_id
    assert message["To"] == "owner@school.example"
    assert [part.get_content_type() for part in message.walk()][1:] == ["text/plain", "text/html"]
    assert place.postman.deliver().filed == 0


def test_mail_that_was_laid_into_the_folder_loses_them_too(place: Workplace, hands: Hands) -> None:
    posted(place)
    hands.forward(minutes=1)
    daily(place, window_for(place, place.clock()))
    place.postman.deliver()
    assert "shambles" in on_disk(place)
    erase(place, Request(url=URL))
    assert "shambles" not in on_disk(place)


def test_an_evidence_bundle_is_made_anew_and_still_verifies(place: Workplace, hands: Hands) -> None:
    """Numbers, times and hashes of what was captured stay; what changed stands in the audit."""
    posted(place)
    hands.forward(minutes=1)
    since = place.clock() - timedelta(hours=48)
    (page,) = watch(place, Terms.of(["toilet protest"]), since=since, judge=lambda _: None, tell=False)
    before = evidence.verify(page.evidence)
    assert "shambles" in on_disk(place)
    gone(place)
    after = evidence.verify(page.evidence)
    assert after.differences == ()
    assert (after.items, after.digits == before.digits) == (2, False)
    assert "shambles" not in on_disk(place)
    assert "forum.example/post/1" not in on_disk(place)
    assert after.digits in page.html.read_text()
    assert after.digits in (page.html.parent / "latest.html").read_text()
    with zipfile.ZipFile(page.evidence) as archive:
        items = {item["number"]: item for item in map(json.loads, archive.read("items.jsonl").splitlines())}
    (withheld,) = [item for item in items.values() if item["withheld"]]
    assert withheld["withheld"] == "erased on 23 November 2026: gone at the source"
    assert withheld["sha256"]
    with place.store.read() as connection:
        deeds = [(line.what, line.about) for line in chain.entries(connection)]
    redacted = [about for what, about in deeds if what == Deed.REDACTED]
    assert len(redacted) == 1
    name = page.evidence.parent.name
    assert redacted[0] == f"{name} evidence-01.zip: {before.digits} is now {after.digits}"


def test_a_label_lives_as_long_as_its_post(place: Workplace) -> None:
    ours, theirs = posted(place)
    file = relabel(place, ours, by="A", why="x", category="QUESTION", severity=None)
    relabel(place, theirs, by="A", why="x", category="QUESTION", severity=None)
    gone(place)
    assert [json.loads(line)["id"] for line in file.read_text().splitlines()] == [theirs]


def test_posts_that_are_not_there_change_no_file(place: Workplace) -> None:
    with place.store.write() as connection:
        copies.redact(place, connection, [99], why="test")
    assert not place.reports_folder.exists()


def test_a_copy_that_cannot_be_rewritten_keeps_the_post_so_that_it_is_tried_again(
    place: Workplace, hands: Hands
) -> None:
    posted(place)
    hands.forward(minutes=1)
    daily(place, window_for(place, place.clock()))
    (place.reports_folder / "locked.html").mkdir()
    with pytest.raises(StoreError, match=r"locked\.html cannot be read"):
        gone(place)
    (place.reports_folder / "locked.html").rmdir()
    gone(place)


def test_old_reports_go_in_the_night_and_the_weeks_counts_stay(place: Workplace, hands: Hands) -> None:
    daily(place, window_for(place, place.clock()))
    place.postman.deliver()
    counts = place.reports_folder / "weekly-counts-20261123T0745Z.json"
    counts.write_text("{}")
    written = hands.now.timestamp()
    for file in (*place.reports_folder.iterdir(), *place.outbox_folder.iterdir()):
        os.utime(file, (written, written))
    hands.forward(days=91)
    retain(place)
    assert [file.name for file in place.reports_folder.iterdir()] == [counts.name]
    assert list(place.outbox_folder.iterdir()) == []
    hands.forward(days=300)
    assert copies.forget_old(place) == 1


def test_mail_that_could_never_be_sent_is_emptied_in_the_end(place: Workplace, hands: Hands) -> None:
    daily(place, window_for(place, place.clock()))
    hands.forward(days=91)
    retain(place)
    with place.store.read() as connection:
        assert outbox.with_content(connection) == ()
    assert place.postman.deliver().filed == 0
    assert audit.verify(place).differences == ()


def test_a_message_for_a_channel_loses_them_too(place: Workplace) -> None:
    posted(place)
    now = place.clock()
    message = outbox.OutMessage(
        message_id="<c@x>",
        kind="alert",
        recipient="PUSH",
        subject="s",
        content=f"KJS-0001 {quoted(OURS)} {URL}".encode(),
        queued=now,
        next_try=now,
        carrier=outbox.CHANNEL,
    )
    with place.store.write() as connection:
        outbox.queue(connection, message)
    gone(place)
    with place.store.read() as connection:
        (kept,) = outbox.with_content(connection)
    assert kept.content == b"KJS-0001 [erased] about:blank"
