"""Upgrading a schema with alembic, under a lock of the database: all of it or nothing, once however many try."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from runner.database.database import Database

_MIGRATIONS = Path(__file__).parent / "migrations"
# Who takes this advisory lock of PostgreSQL is upgrading a ledger: "runner" as ASCII.
_LOCK = 0x72756E6E6572


def upgrade_schema(database: Database) -> None:
    """Bring the schema to the newest version; a process that is killed meanwhile leaves the old one."""
    dialect = "sqlite" if database.shown.startswith("sqlite") else "postgresql+psycopg2"
    engine = create_engine(f"{dialect}://", creator=database.open_connection, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            _begin(connection)
            # Alembic reads the version again, now under the lock: if another was faster it has nothing to do.
            command.upgrade(_configure(connection), "head")
            connection.exec_driver_sql("COMMIT")
    except DBAPIError as error:
        raise database.trouble(error.orig if isinstance(error.orig, Exception) else error) from error


def _begin(connection: Connection) -> None:
    """Begin a transaction that no other upgrade can be in; both databases have transactional DDL.

    The driver is in autocommit mode: what Python's sqlite3 would do by itself commits before each DDL.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


def _configure(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
