"""Runs, the events beside them, and how far each journal file is drained.

Instants are text as in the journal, UTC with a ``Z``: they sort as they stand, in both databases.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Bytes in order of their codes, as SQLite compares by itself: run ids and instants are ordered by time.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BAD = "outcome IN ('warned', 'failed', 'timed_out', 'cannot_start', 'lost')"
OPEN = "outcome IS NULL"


def upgrade() -> None:
    """Create the tables."""
    _create_runs()
    op.create_table(
        "last_runs",
        sa.Column("plan", TEXT, primary_key=True),
        sa.Column("run_id", TEXT, nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("run_id", TEXT, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("record", TEXT, nullable=False),
    )
    op.create_table(
        "journals",
        sa.Column("host", TEXT, primary_key=True),
        sa.Column("state", TEXT, primary_key=True),
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("drained_bytes", sa.BigInteger, nullable=False),
    )


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", TEXT, primary_key=True),
        sa.Column("plan", TEXT, nullable=False),
        sa.Column("job", TEXT, nullable=False),
        sa.Column("profile", TEXT, nullable=False),
        sa.Column("slot", TEXT, nullable=False),
        sa.Column("host", TEXT, nullable=False),
        sa.Column("trigger", TEXT, nullable=False),
        sa.Column("release", TEXT, nullable=False),
        sa.Column("started_at", TEXT, nullable=False),
        sa.Column("log", TEXT),
        sa.Column("boot_id", TEXT),
        sa.Column("pid", sa.BigInteger),
        sa.Column("plan_digest", TEXT),
        sa.Column("mailto", TEXT),
        sa.Column("timeout_s", sa.Double),
        sa.Column("end_seq", sa.BigInteger),
        sa.Column("ended_at", TEXT),
        sa.Column("duration_s", sa.Double),
        sa.Column("outcome", TEXT),
        sa.Column("reason", TEXT),
        sa.Column("detail", TEXT),
        sa.Column("exit_code", sa.BigInteger),
        sa.Column("signal", sa.BigInteger),
        sa.Column("attempts", sa.BigInteger),
        sa.Column("cpu_s", sa.Double),
        sa.Column("max_rss_bytes", sa.BigInteger),
        sa.Column("stdout_bytes", sa.BigInteger),
        sa.Column("stderr_bytes", sa.BigInteger),
        sa.Column("alerted", TEXT),
    )
    # PERF-7: a plain index on started_at helps none of the questions.
    op.create_index("runs_job_started_at", "runs", ["job", "started_at"])
    op.create_index("runs_bad", "runs", ["started_at"], sqlite_where=sa.text(BAD), postgresql_where=sa.text(BAD))
    op.create_index("runs_open", "runs", ["job"], sqlite_where=sa.text(OPEN), postgresql_where=sa.text(OPEN))
