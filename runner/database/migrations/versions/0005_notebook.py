"""The lab notebook: what was run, as whom, in which environment, and lists of packages, each once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Bytes in order of their codes, as SQLite compares by itself.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the columns, and create the table."""
    for name in ("account", "command", "profile_rule", "environment_digest", "packages_digest"):
        op.add_column("runs", sa.Column(name, TEXT))
    op.create_table(
        "package_lists",
        sa.Column("digest", TEXT, primary_key=True),
        sa.Column("packages", TEXT, nullable=False),
    )
