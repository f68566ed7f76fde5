"""${message}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from monitor.store.schema import Moment

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Apply."""
    ${upgrades if upgrades else "pass"}
