"""An index of the few events that say who did what, so that ``why`` need not read those of every attempt."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

AUDITS = "event = 'audit'"


def upgrade() -> None:
    """Create the index."""
    where = sa.text(AUDITS)
    op.create_index("events_audits", "events", ["run_id"], sqlite_where=where, postgresql_where=where)
