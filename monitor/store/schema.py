"""The tables, drawn once for both databases. migrations/ builds them; a test proves that the two agree.

There is no table of authors and no index over `author_key`: the school is the topic, never a person
(PR04, PR05). `author_key` is a keyed hash, to count distinct accounts inside one window.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(sa.types.TypeDecorator[datetime]):
    """A zone-aware time, kept in UTC. A time without a zone is refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn a time into UTC for the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            problem = f"a time without a zone: {value!r}"
            raise ValueError(problem)
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _id() -> sa.Column[Any]:
    """Return a numbered primary key; SQLite numbers only plain INTEGER keys."""
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True)


def _mention() -> sa.Column[Any]:
    """Return a reference to a mention; it goes when the mention goes."""
    return sa.Column("mention_id", sa.ForeignKey("mentions.id", ondelete="CASCADE"), nullable=False)


mentions = sa.Table(
    "mentions",
    metadata,
    _id(),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("native_id", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    # of an article; "" for posts, of which two may share a link
    sa.Column("canonical_url", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("community", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("author_key", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("in_reply_to", sa.Text),
    sa.Column("repost_of", sa.Text),
    sa.Column("published", Moment, nullable=False),
    sa.Column("edited", Moment),
    sa.Column("first_seen", Moment, nullable=False),
    sa.Column("last_seen", Moment, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    # version of the policy under which the current judgement was made; NULL: to be judged
    sa.Column("judged_under", sa.Text),
    # number of its story, which is the id of the mention that began it, and when that was; NULL until it is judged
    sa.Column("story", sa.BigInteger),
    sa.Column("story_began", Moment),
    # since when nobody may use its words (UK GDPR Art 18): kept, but in no report; NULL: they may be used
    sa.Column("restricted_at", Moment),
    sa.UniqueConstraint("source", "native_id"),
    sa.Index(None, "first_seen", "source"),
    sa.Index(None, "canonical_url"),
    sa.Index(None, "story"),
    sa.Index(
        "ix_mentions_unjudged",
        "id",
        sqlite_where=sa.text("judged_under IS NULL"),
        postgresql_where=sa.text("judged_under IS NULL"),
    ),
)

sightings = sa.Table(
    "sightings",
    metadata,
    _mention(),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("first_seen", Moment, nullable=False),
    sa.PrimaryKeyConstraint("mention_id", "source", "channel"),
)

judgements = sa.Table(
    "judgements",
    metadata,
    _mention(),
    sa.Column("policy_version", sa.Text, nullable=False),
    sa.Column("judged_at", Moment, nullable=False),
    sa.Column("relevant", sa.Text, nullable=False),
    sa.Column("schools", sa.JSON, nullable=False),
    sa.Column("sentiment", sa.Text),
    sa.Column("sentiment_score", sa.Float),
    sa.Column("sentiment_sure", sa.Boolean, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("also", sa.JSON, nullable=False),
    sa.Column("severity", sa.Text),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("clauses", sa.JSON, nullable=False),
    sa.Column("reasons", sa.JSON, nullable=False),
    sa.PrimaryKeyConstraint("mention_id", "policy_version"),
)

runs = sa.Table(
    "runs",
    metadata,
    _id(),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("started", Moment, nullable=False),
    sa.Column("ended", Moment, nullable=False),
    sa.Column("window_start", Moment, nullable=False),
    sa.Column("window_end", Moment, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("seen", sa.Integer, nullable=False),
    sa.Column("new", sa.Integer, nullable=False),
    sa.Column("changed", sa.Integer, nullable=False),
    sa.Column("gone", sa.Integer, nullable=False),
    sa.Column("dropped", sa.JSON, nullable=False),
    sa.Column("malformed", sa.JSON, nullable=False),
    sa.Column("calls", sa.Integer, nullable=False),
    sa.Column("units", sa.Integer, nullable=False),
    sa.Column("pence", sa.Float, nullable=False),
    sa.Column("error_kind", sa.Text, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("retry_at", Moment),
    sa.Index(None, "source", "started"),
    sa.Index(None, "ended"),
)

spending = sa.Table(
    "spending",
    metadata,
    # what a run that is not recorded yet has cost so far; the row of one that died stays, and counts as spent
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("started", Moment, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("calls", sa.Integer, nullable=False),
    sa.Column("units", sa.Integer, nullable=False),
    sa.Column("pence", sa.Float, nullable=False),
    sa.PrimaryKeyConstraint("source", "purpose", "started"),
)

bookmarks = sa.Table(
    "bookmarks",
    metadata,
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("source", "channel"),
)

tombstones = sa.Table(
    "tombstones",
    metadata,
    # hash of source and native id, or of an article's address: it does not come back, nothing of it stays
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    # when it last kept something out; NULL: never. It goes only when nothing comes any more
    sa.Column("last_met", Moment),
    sa.Index(None, "at"),
)

objections = sa.Table(
    "objections",
    metadata,
    # keyed hash of a handle whose bearer objects to being read (PR16); its posts are dropped at the door
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("at", Moment, nullable=False),
)

cases = sa.Table(
    "cases",
    metadata,
    _id(),
    sa.Column("reference", sa.Text, nullable=False, unique=True),
    # no foreign key: a case outlives the words that opened it
    sa.Column("mention_id", sa.BigInteger, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("schools", sa.JSON, nullable=False),
    sa.Column("opened", Moment, nullable=False),
    sa.Column("due", Moment),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("restricted", sa.Boolean, nullable=False),
    sa.Column("readers", sa.JSON, nullable=False),
    sa.Index(None, "state", "due"),
    sa.Index(None, "mention_id"),
    sa.Index(None, "opened"),
)

case_events = sa.Table(
    "case_events",
    metadata,
    _id(),
    sa.Column("case_id", sa.ForeignKey("cases.id"), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Index(None, "case_id"),
    sa.Index(None, "at"),
)

messages = sa.Table(
    "messages",
    metadata,
    # deterministic: the same report to the same person has the same id, so it can be sent only once
    sa.Column("message_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    # an address; or for a channel the name of the secret that holds its address, never the address
    sa.Column("recipient", sa.Text, nullable=False),
    # who takes it there: "mail" or "channel"
    sa.Column("carrier", sa.Text, nullable=False, server_default="mail"),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("queued", Moment, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_try", Moment, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Index(None, "state", "next_try"),
)

sent = sa.Table(
    "sent",
    metadata,
    sa.Column("message_id", sa.Text, primary_key=True),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("how", sa.Text, nullable=False),
    sa.Index(None, "at"),
)

canaries = sa.Table(
    "canaries",
    metadata,
    # a public post of our own, planted in a source: when it was published, and when it was first seen
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("published", Moment, nullable=False),
    sa.Column("seen", Moment, nullable=False),
    sa.PrimaryKeyConstraint("source", "published"),
)

day_counts = sa.Table(
    "day_counts",
    metadata,
    # a day from digest to digest, by its local date; written down before its mentions are erased
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
)

job_runs = sa.Table(
    "job_runs",
    metadata,
    _id(),
    sa.Column("job", sa.Text, nullable=False),
    # the moment the schedule meant; one finished run for each
    sa.Column("planned", Moment, nullable=False),
    sa.Column("started", Moment, nullable=False),
    sa.Column("ended", Moment),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Index(None, "job", "planned"),
    sa.Index(None, "outcome", "started"),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("until", Moment, nullable=False),
)

audit = sa.Table(
    "audit",
    metadata,
    # counted by monitor.store.audit, which links each line to the one before; triggers refuse any change
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    # in the line that says so: up to which number older lines may go (PR07, twelve months)
    sa.Column("pruned_to", sa.BigInteger),
)

holds = sa.Table(
    "holds",
    metadata,
    _id(),
    # no foreign key: the hold is remembered when the post is gone
    sa.Column("mention_id", sa.BigInteger, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("placed", Moment, nullable=False),
    sa.Column("until", Moment, nullable=False),
    sa.Column("released", Moment),
    # why the post should have been erased while it was held; "" if it should not. It goes when the hold ends
    sa.Column("owed", sa.Text, nullable=False),
    sa.Index(None, "mention_id"),
    sa.Index(None, "until"),
)

read_days = sa.Table(
    "read_days",
    metadata,
    # a local day that is over, with the sources that were read on it; a day that is not here is no zero
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("sources", sa.JSON, nullable=False),
)

topic_days = sa.Table(
    "topic_days",
    metadata,
    # how many accounts and outlets spoke of a topic on a day: a number, which outlives their posts
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("school", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("voices", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("day", "school", "category"),
)

outlets = sa.Table(
    "outlets",
    metadata,
    # hash of a web domain or community that mentioned us
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("first_seen", Moment, nullable=False),
)

spikes = sa.Table(
    "spikes",
    metadata,
    _id(),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    # what it is about: school and topic, a story's or an outlet's key; each is said once a day
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("schools", sa.JSON, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.UniqueConstraint("day", "kind", "about"),
    sa.Index(None, "at"),
)
