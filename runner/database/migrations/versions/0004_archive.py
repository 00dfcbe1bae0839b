"""The index of files: roots, files, and their header and data units (ARCH-20).

The columns of ``hdus`` for keywords are added by ``runner/archive/schema.py``, as each home wants them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Bytes in order of their codes, as SQLite compares by itself.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
# SQLite gives ids by itself to what it calls INTEGER, and to nothing else.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BAD = "state = 'bad'"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "roots",
        sa.Column("id", ID, primary_key=True),
        sa.Column("path", TEXT, nullable=False, unique=True),
    )
    op.create_table(
        "files",
        sa.Column("id", ID, primary_key=True),
        sa.Column("root_id", sa.BigInteger, sa.ForeignKey("roots.id"), nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("mtime_ns", sa.BigInteger, nullable=False),
        sa.Column("inode", sa.BigInteger, nullable=False),
        sa.Column("digest", TEXT),
        sa.Column("digest_state", TEXT),
        sa.Column("hdu_count", sa.BigInteger, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("reason", TEXT),
        sa.Column("layout", TEXT, nullable=False),
        sa.Column("first_seen_at", TEXT, nullable=False),
        sa.Column("indexed_at", TEXT, nullable=False),
        sa.Column("run_id", TEXT),
        sa.UniqueConstraint("root_id", "path"),
    )
    op.create_index("files_bad", "files", ["root_id"], sqlite_where=sa.text(BAD), postgresql_where=sa.text(BAD))
    op.create_table(
        "hdus",
        sa.Column("file_id", sa.BigInteger, sa.ForeignKey("files.id"), primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("dimensions", TEXT, nullable=False),
        sa.Column("header", TEXT),
    )
