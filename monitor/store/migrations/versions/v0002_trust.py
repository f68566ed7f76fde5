"""What the reports, the audit and the privacy rules need beyond the first tables."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from monitor.store.schema import Moment

revision = "0002"
down_revision = "0001"

# A line of the audit is never changed, and goes only when a later line says that it may (monitor.store.audit.prune).
_GUARDS: Final = {
    "sqlite": (
        """CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END""",
        """CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit
        WHEN OLD.number > COALESCE((SELECT MAX(pruned_to) FROM audit), 0)
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF OLD.number <= COALESCE((SELECT MAX(pruned_to) FROM audit), 0) THEN
                    RETURN OLD;
                END IF;
            END IF;
            RAISE EXCEPTION 'the audit is append-only';
        END $$""",
        """CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE ON audit
        FOR EACH ROW EXECUTE FUNCTION audit_refuses()""",
        """CREATE TRIGGER audit_is_not_cut BEFORE TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()""",
    ),
}


def upgrade() -> None:
    """Apply."""
    op.add_column("mentions", sa.Column("story", sa.BigInteger(), nullable=True))
    op.add_column("mentions", sa.Column("story_began", Moment(timezone=True), nullable=True))
    op.create_index(op.f("ix_mentions_story"), "mentions", ["story"], unique=False)
    op.create_table(
        "day_counts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_day_counts")),
    )
    op.create_table(
        "canaries",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("published", Moment(timezone=True), nullable=False),
        sa.Column("seen", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "published", name=op.f("pk_canaries")),
    )
    op.create_table(
        "spending",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("started", Moment(timezone=True), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("pence", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("source", "purpose", "started", name=op.f("pk_spending")),
    )
    _audit()
    _holds()
    op.add_column("mentions", sa.Column("restricted_at", Moment(timezone=True), nullable=True))
    op.add_column("tombstones", sa.Column("last_met", Moment(timezone=True), nullable=True))
    op.create_index(op.f("ix_case_events_at"), "case_events", ["at"], unique=False)
    op.add_column("messages", sa.Column("carrier", sa.Text(), server_default="mail", nullable=False))
    _spikes()


def _audit() -> None:
    """Make the audit, and let the database itself refuse to change it."""
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("pruned_to", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit")),
    )
    for guard in _GUARDS[op.get_context().dialect.name]:
        op.execute(guard)


def _holds() -> None:
    """Make the table of holds."""
    op.create_table(
        "holds",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mention_id", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed", Moment(timezone=True), nullable=False),
        sa.Column("until", Moment(timezone=True), nullable=False),
        sa.Column("released", Moment(timezone=True), nullable=True),
        sa.Column("owed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    op.create_index(op.f("ix_holds_mention_id"), "holds", ["mention_id"], unique=False)
    op.create_index(op.f("ix_holds_until"), "holds", ["until"], unique=False)


def _spikes() -> None:
    """Make what small numbers are compared with, and what was unusual about them."""
    op.create_table(
        "read_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_read_days")),
    )
    op.create_table(
        "topic_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("voices", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "school", "category", name=op.f("pk_topic_days")),
    )
    op.create_table(
        "outlets",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("first_seen", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_outlets")),
    )
    op.create_table(
        "spikes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("schools", sa.JSON(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spikes")),
        sa.UniqueConstraint("day", "kind", "about", name=op.f("uq_spikes_day_kind_about")),
    )
    op.create_index(op.f("ix_spikes_at"), "spikes", ["at"], unique=False)
