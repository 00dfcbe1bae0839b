"""An index of the runs of each host: of a silent one the last sign is found at once, among a million of others'."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index("runs_host_run_id", "runs", ["host", "run_id"])
