"""SQLite, the default: one file in the state directory (WAL; readers never wait for the writer)."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from runner.database.database import Database, Row, Value, make_conflict, quote

PREFIX = "sqlite:///"
# Wrong SQL or wrong values are ours, not the site's. "no such table" is not among them: sqlite3 calls it operational.
_BUGS = (sqlite3.ProgrammingError, sqlite3.IntegrityError, sqlite3.DataError, sqlite3.NotSupportedError)
_RETRY_S = 0.01


class SqliteDatabase(Database):
    """A SQLite file; it is created if it is not there."""

    def __init__(self, url: str, patience_s: float) -> None:
        super().__init__(url)
        self._path = url.removeprefix(PREFIX)
        self._patience_s = patience_s
        with self._translating():
            self._connection = self.open_connection()

    def read(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """Return all rows of a query."""
        with self._translating():
            return self._connection.execute(sql, values).fetchall()

    def stream(self, sql: str, values: Sequence[Value] = ()) -> Iterator[Row]:
        """Yield the rows of a query; sqlite3 fetches them as they are asked for."""
        with self._translating():
            yield from self._connection.execute(sql, values)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold one transaction; it is the only writer from its beginning."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def execute(self, sql: str, values: Sequence[Value] = ()) -> None:
        """Execute one statement."""
        with self._translating():
            self._connection.execute(sql, values)

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Value]], conflict: str) -> None:
        """Insert rows in bulk."""
        places = ", ".join("?" * len(columns))
        with self._translating():
            self._connection.executemany(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places}) {conflict}", rows
            )

    def upsert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Value]], key: Sequence[str]) -> None:
        """Insert rows in bulk, each in the place of what has its key; sqlite3 makes null of a NaN by itself.

        What is null in all rows is left out: sqlite3 looks for an adapter of each None, which costs it more than the
        rest of a value.
        """
        if not rows:
            return
        filled = {
            name: values
            for name, values in zip(columns, zip(*rows, strict=True), strict=True)
            if values.count(None) < len(rows)
        }
        places = ", ".join("?" * len(filled))
        with self._translating():
            self._connection.executemany(
                f"INSERT INTO {table} ({quote(filled)}) VALUES ({places}) {make_conflict(columns, key)}",
                zip(*filled.values(), strict=True),
            )

    def has_table(self, name: str) -> bool:
        """Whether there is a table of that name."""
        return bool(self.read("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)))

    def read_types(self, table: str) -> dict[str, str]:
        """Return the declared SQL type of each column of a table, in capitals."""
        return dict(self.read("SELECT name, upper(type) FROM pragma_table_info(?)", (table,)))

    def lock(self, table: str) -> None:
        """Do nothing: whoever is `writing` is the only one."""

    def open_connection(self) -> sqlite3.Connection:
        """Return a new connection in autocommit mode, without Python's own idea of transactions."""
        connection = sqlite3.connect(self._path, timeout=self._patience_s, isolation_level=None)
        _use_wal(connection, time.monotonic() + self._patience_s)
        # NORMAL may lose the last transactions to a power loss, the offset of the journal with its rows:
        # they are drained again.
        for pragma in ("synchronous = NORMAL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
        if not _has_functions(connection):
            add_functions(connection)
        return connection

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except _BUGS:
            raise
        except sqlite3.Error as error:
            raise self.trouble(error) from error


def add_functions(connection: sqlite3.Connection) -> None:
    """Add the functions of mathematics that a SQLite may have been built without."""
    for function in (math.sin, math.cos):
        connection.create_function(function.__name__, 1, _pass_null(function), deterministic=True)


def _use_wal(connection: sqlite3.Connection, until: float) -> None:
    """Switch a file to its write-ahead log; the one thing for which SQLite itself does not wait while others are in it.

    Two that begin a new file at once meet here.
    """
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            time.sleep(_RETRY_S)
        else:
            return


def _has_functions(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT sin(0), cos(0)")
    except sqlite3.OperationalError:
        return False
    return True


def _pass_null(function: Callable[[float], float]) -> Callable[[float | None], float | None]:
    return lambda value: None if value is None else function(value)
