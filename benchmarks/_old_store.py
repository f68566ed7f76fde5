"""A store as the first version of the monitor left it, with something in every table: what an upgrade must keep."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import monitor.store
from benchmarks._town import NOW
from monitor.store.schema import Moment

FIRST: Final = "0001"
LETTER: Final = (
    b"From: monitor@school.example\r\nTo: owner@school.example\r\nSubject: waiting\r\n"
    b"Message-ID: <waiting.0@school.example>\r\nList-Id: <weekly.monitor.school.example>\r\n\r\nInvented words.\r\n"
)
"""A message that the first version queued and the new one must send."""


def old_store(url: str) -> None:
    """Make a store of the first version at an SQLAlchemy URL; its database is empty or not there."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(mode=0o700)
    config = Config()
    config.set_main_option("script_location", str(Path(monitor.store.__file__).parent / "migrations"))
    engine = sa.create_engine(parsed, poolclass=sa.NullPool)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, FIRST)
    tables = sa.MetaData()
    tables.reflect(engine)
    with engine.begin() as connection:
        for name, row in _rows():
            table = tables.tables[name]
            for column in table.columns:
                if isinstance(column.type, sa.DateTime):
                    column.type = Moment(timezone=True)
                if name == "cases" and column.name in {"schools", "readers"}:
                    column.type = sa.JSON()
            connection.execute(sa.insert(table).values(row))
        if engine.dialect.name == "postgresql":
            for name in ("mentions", "cases", "case_events", "job_runs"):
                connection.execute(
                    sa.text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name}")  # noqa: S608
                )
    engine.dispose()


def _rows() -> list[tuple[str, dict[str, Any]]]:
    """Return (table, row) of everything that is in it, in an order that foreign keys allow."""
    day_ago = NOW - timedelta(days=1)
    rows: list[tuple[str, dict[str, Any]]] = []
    for number in range(1, 6):
        key = "https://paper.example/toilets" if number == 1 else f"https://paper.example/old-{number}"
        rows += [
            (
                "mentions",
                {
                    "id": number,
                    "source": "feeds",
                    "native_id": key,
                    "url": key,
                    "canonical_url": key,
                    "title": "",
                    "text": f"Toilets at King James's School in Knaresborough were locked again, part {number}",
                    "community": "",
                    "channel": "Paper",
                    "author_key": "",
                    "language": "en",
                    "published": day_ago,
                    "first_seen": day_ago,
                    "last_seen": day_ago,
                    "sha256": "0" * 64,
                    "judged_under": "an older one",
                },
            ),
            (
                "judgements",
                {
                    "mention_id": number,
                    "policy_version": "an older one",
                    "judged_at": day_ago,
                    "relevant": "yes",
                    "schools": ["KJS"],
                    "sentiment": "negative",
                    "sentiment_score": -0.5,
                    "sentiment_sure": True,
                    "category": "COMPLAINT_SERVICE",
                    "also": [],
                    "severity": "P3",
                    "owner": "lead_staff",
                    "clauses": ["2.9"],
                    "reasons": [],
                },
            ),
            (
                "sightings",
                {"mention_id": number, "source": "feeds", "channel": "Paper", "url": key, "first_seen": day_ago},
            ),
        ]
    waiting = {"message_id": "<waiting.0@school.example>", "recipient": "owner@school.example"}
    rows += [
        (
            "cases",
            {
                "id": 1,
                "reference": "KJS-0001",
                "mention_id": 1,
                "category": "COMPLAINT_SERVICE",
                "severity": "P3",
                "owner": "lead_staff",
                "schools": ["KJS"],
                "opened": day_ago,
                "due": NOW + timedelta(days=1),
                "state": "new",
                "restricted": False,
                "readers": ["response_owner"],
            },
        ),
        ("case_events", {"id": 1, "case_id": 1, "at": day_ago, "by": "monitor", "what": "opened", "why": "complaint"}),
        ("tombstones", {"key": "1" * 64, "source": "feeds", "at": day_ago, "why": "the poster asked for it"}),
        ("objections", {"key": "2" * 32, "at": day_ago}),
        ("bookmarks", {"source": "mastodon", "channel": "old", "value": "1"}),
        (
            "messages",
            {
                **waiting,
                "kind": "weekly",
                "subject": "waiting",
                "content": LETTER,
                "queued": day_ago,
                "state": "queued",
                "attempts": 0,
                "next_try": day_ago,
                "error": "",
            },
        ),
        ("sent", {"message_id": "<gone.0@school.example>", "recipient": "x@y.example", "at": day_ago, "how": "smtp"}),
        (
            "job_runs",
            {
                "id": 1,
                "job": "deliver",
                "planned": day_ago,
                "started": day_ago,
                "ended": day_ago,
                "outcome": "done",
                "error": "",
            },
        ),
    ]
    return rows
