"""The one line of schema versions, and bringing a database to its end.

Each version is a file of ``migrations/versions``. Which one a database has is asked in plain SQL, so that
alembic (and SQLAlchemy below it) is imported only when there is something to upgrade.
"""

from __future__ import annotations

from runner.database.database import Database
from runner.errors import TryLater

VERSIONS = ("0001", "0002", "0003", "0004", "0005")
VERSION_TABLE = "alembic_version"


def prepare_schema(database: Database) -> None:
    """Create the tables of a new database or upgrade those of an older runner; idempotent and safe when many do it.

    Raises
    ------
    TryLater
        A newer runner upgraded it: this one must not touch it.
    """
    version = read_version(database)
    if version == VERSIONS[-1]:
        return
    if version is not None and version not in VERSIONS:
        raise TryLater(
            f"ledger {database.shown}: its schema is version {version}, this runner knows up to {VERSIONS[-1]};"
            " upgrade this runner"
        )
    from runner.database.upgrade import upgrade_schema

    upgrade_schema(database)


def read_version(database: Database) -> str | None:
    """Return the version of a database's schema, None if it has none yet."""
    if not database.has_table(VERSION_TABLE):
        return None
    rows = database.read(f"SELECT version_num FROM {VERSION_TABLE}")
    return str(rows[0][0]) if rows else None
