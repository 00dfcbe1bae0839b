"""What the rooms above ask of a database, whichever it is.

The ledger is read by ``status`` within half a second and written by a sweep that starts every minute, so it
speaks to the drivers themselves: importing SQLAlchemy costs more than all of that together
(``deploy/decisions/0006-ledger-on-drivers.md``). SQLAlchemy and alembic own the schema (`migrate`).

Statements are written once, with ``?`` for values, in what SQLite 3.24 and PostgreSQL 9.5 have in common.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from runner.errors import TryLater

Value = str | int | float | None
Row = tuple[Any, ...]


class Database(ABC):
    """One open connection. What the driver raises because of the site comes out as `TryLater`.

    Attributes
    ----------
    shown
        The URL for people and for files, without a password.
    text_type
        The SQL type of text that sorts by its bytes.
    """

    text_type = "TEXT"

    def __init__(self, url: str) -> None:
        self.shown = hide_password(url)

    @abstractmethod
    def read(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """Return all rows of a query."""

    @abstractmethod
    def stream(self, sql: str, values: Sequence[Value] = ()) -> Iterator[Row]:
        """Yield the rows of a query that may have very many."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[None]:
        """Hold one transaction for what is inside: all of it is kept or nothing."""

    @abstractmethod
    def execute(self, sql: str, values: Sequence[Value] = ()) -> None:
        """Execute one statement."""

    @abstractmethod
    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Value]], conflict: str) -> None:
        """Insert rows in bulk, none twice; `conflict` is the ``ON CONFLICT`` clause."""

    @abstractmethod
    def upsert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Value]], key: Sequence[str]) -> None:
        """Insert rows in bulk; a row whose key is there already takes the place of what is there.

        Inside the transaction of the caller (`writing`). A NaN becomes null in both databases: SQLite has none.

        Parameters
        ----------
        key
            Columns with a unique index; no two of `rows` have the same there.
        """

    @abstractmethod
    def has_table(self, name: str) -> bool:
        """Whether there is a table of that name."""

    @abstractmethod
    def read_types(self, table: str) -> dict[str, str]:
        """Return the declared SQL type of each column of a table, in capitals."""

    @abstractmethod
    def lock(self, table: str) -> None:
        """Let no other transaction change a table until this one ends."""

    @abstractmethod
    def open_connection(self) -> Any:
        """Return a new connection of the driver, set up like this one, that commits each statement by itself."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def trouble(self, error: Exception) -> TryLater:
        """Return the driver's error as one line that names the database and no password."""
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return TryLater(f"ledger {self.shown}: {lines[0]}")


def quote(names: Iterable[str]) -> str:
    """Return a list of column names for SQL."""
    return ", ".join('"' + name.replace('"', '""') + '"' for name in names)


def make_conflict(columns: Sequence[str], key: Sequence[str]) -> str:
    """Return the clause by which a row takes the place of that with the same key."""
    rest = [f"{name} = excluded.{name}" for name in (quote([column]) for column in columns if column not in key)]
    deed = f"UPDATE SET {', '.join(rest)}" if rest else "NOTHING"
    return f"ON CONFLICT ({quote(key)}) DO {deed}"


def hide_password(url: str) -> str:
    """Return a database URL without its password."""
    url = re.sub(r"//([^:/@]*):.*@", r"//\1:***@", url)
    return re.sub(r"(password=)[^&]*", r"\1***", url)
