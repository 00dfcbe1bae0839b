"""From a URL to a database."""

from __future__ import annotations

from runner.database.database import Database, hide_password
from runner.errors import UserError

PATIENCE_S = 10.0


def connect(url: str, patience_s: float = PATIENCE_S) -> Database:
    """Return an open database; the driver of its kind is imported now.

    Parameters
    ----------
    url
        ``sqlite:////absolute/path``, ``postgresql+psycopg2://...`` or ``postgresql://...``.
    patience_s
        How long to wait for another's lock.

    Raises
    ------
    UserError
        The URL is of no kind we know.
    TryLater
        The database does not answer.
    """
    scheme = url.partition("://")[0]
    if scheme == "sqlite":
        from runner.database.sqlite import SqliteDatabase

        return SqliteDatabase(url, patience_s)
    if scheme in ("postgresql", "postgresql+psycopg2"):
        from runner.database.postgresql import PostgresqlDatabase

        return PostgresqlDatabase(url, patience_s)
    raise UserError(
        f"ledger {hide_password(url)}: neither sqlite:////ABSOLUTE/PATH nor postgresql+psycopg2://USER@HOST/NAME"
    )
