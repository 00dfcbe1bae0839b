"""A question to the index as one SQL statement, built by SQLAlchemy (ARCH-40).

It is run by our own connection (`runner.database.database`), which streams, waits for no lock for ever and says
in one line what is wrong with the database: so there is no engine here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from runner.archive.find.cards import PostgresqlCards, SqliteCards
from runner.archive.find.conditions import Column, Conditions, Dialect, Postgresql, Sqlite
from runner.archive.find.tree import CARD, FILE, HDU, Condition, Field, list_asked
from runner.archive.tables import FILE_COLUMNS, FILES, HDU_COLUMNS, HDUS, OK, ROOTS

_TYPES: dict[str, sa.types.TypeEngine[Any]] = {"int": sa.BigInteger(), "float": sa.Float(), "bool": sa.Boolean()}
_WHOLE = frozenset({"id", "root_id", "size_bytes", "mtime_ns", "inode", "hdu_count", "file_id", "number", "version"})


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the index.

    Attributes
    ----------
    condition
        None: all.
    columns
        What is answered, in this order.
    sort
        Fields, and whether each falls; what has no value comes last. Equals are in the order of their paths.
    limit
        How many rows at most; 0 is all.
    is_each
        Whether there is a row for each HDU, or for each file.
    has_every_state
        Whether bad and vanished files count too.
    """

    condition: Condition | None
    columns: tuple[Field, ...]
    sort: tuple[tuple[Field, bool], ...] = ()
    limit: int = 0
    is_each: bool = False
    has_every_state: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement for `Database.stream`, and its values."""

    sql: str
    values: tuple[str | int | float | None, ...]


def plan_rows(question: Question, *, is_sqlite: bool) -> Statement:
    """Return the statement for the rows of a question."""
    tables = _Tables(question, is_sqlite=is_sqlite)
    select = tables.restrict(sa.select(*[tables.find_answer(field) for field in question.columns]))
    return _compile(select.order_by(*tables.list_order()), question.limit, is_sqlite=is_sqlite)


def plan_count(question: Question, *, is_sqlite: bool) -> Statement:
    """Return the statement that says how many rows the files or HDUs of a question are."""
    tables = _Tables(question, is_sqlite=is_sqlite)
    return _compile(tables.restrict(sa.select(sa.func.count())), 0, is_sqlite=is_sqlite)


class _Tables:
    """The tables of one question, joined."""

    def __init__(self, question: Question, *, is_sqlite: bool) -> None:
        self._question = question
        self._files = sa.table(FILES, *_make_columns(FILE_COLUMNS))
        self._roots = sa.table(ROOTS, *_make_columns(("id", "path")))
        hdus = sa.table(HDUS, *_make_columns(HDU_COLUMNS), *_make_own_columns(_list_own(question)))
        self._primary = hdus.alias("primary_hdu")
        # Not bound: only so does SQLite see that an index of the first HDUs serves.
        self._is_first = self._primary.c.number == sa.literal_column("0")
        self._hdu = hdus.alias("hdu") if question.is_each else self._primary
        self._cards = (SqliteCards if is_sqlite else PostgresqlCards)(self._hdu.c.header)
        self._dialect: Dialect = Sqlite() if is_sqlite else Postgresql()

    def find_answer(self, field: Field) -> Column:
        """Return what is selected for a field; `runner.archive.find.rows` makes its value of it."""
        return self._cards.card(field.keyword) if field.type == CARD else self._find_column(field)

    def restrict(self, select: sa.Select[Any]) -> sa.Select[Any]:
        """Return a select from these tables, of the rows that are asked for."""
        select = select.select_from(self._join())
        if not self._question.has_every_state:
            select = select.where(self._files.c.state == OK)
        if self._question.condition is None:
            return select
        conditions = Conditions(self._find_column, self._is_first, self._cards, self._dialect)
        return select.where(conditions.tell(self._question.condition))

    def list_order(self) -> Iterable[Column]:
        """Yield what the rows are sorted by."""
        for field, falls in self._question.sort:
            # What has no value would be first in one database and last in the other; NULLS LAST is new to SQLite.
            yield self._find_column(field).is_(None)
            column = self._dialect.by_codes(self._find_column(field))
            yield column.desc() if falls else column
        yield self._files.c.root_id
        yield self._files.c.path
        if self._question.is_each:
            yield self._hdu.c.number

    def _join(self) -> sa.FromClause:
        """Return the tables of a question. A bad file may have no HDU at all, a good one has a first."""
        is_outer = self._question.has_every_state
        tables: sa.FromClause = self._files.join(self._roots, self._roots.c.id == self._files.c.root_id)
        if self._question.is_each:
            tables = tables.join(self._hdu, self._hdu.c.file_id == self._files.c.id, isouter=is_outer)
        same_file = self._primary.c.file_id == self._files.c.id
        return tables.join(self._primary, sa.and_(same_file, self._is_first), isouter=is_outer)

    def _find_column(self, field: Field) -> Column:
        if field.place != FILE:
            return (self._hdu if field.place == HDU else self._primary).c[field.name]
        match field.name:
            case "root":
                return self._roots.c.path
            case "file":
                return self._roots.c.path + "/" + self._files.c.path
            case "mtime":
                return self._files.c.mtime_ns
            case name:
                return self._files.c[name]


def _make_columns(names: Iterable[str]) -> list[sa.ColumnClause[Any]]:
    return [sa.column(name, sa.BigInteger() if name in _WHOLE else sa.Text()) for name in names]


def _make_own_columns(fields: Iterable[Field]) -> list[sa.ColumnClause[Any]]:
    return [sa.column(field.name, _TYPES.get(field.type, sa.Text())) for field in fields]


def _list_own(question: Question) -> list[Field]:
    """Return the configured columns that a question speaks of, in a fixed order."""
    asked = {*question.columns, *(field for field, _ in question.sort)}
    asked |= list_asked(question.condition) if question.condition else set()
    own = (one for one in asked if one.place != FILE and one.type != CARD and one.name not in HDU_COLUMNS)
    return sorted(own, key=lambda field: field.name)


def _compile(select: sa.Select[Any], limit: int, *, is_sqlite: bool) -> Statement:
    """Return a select as text and values."""
    compiled = (select.limit(limit) if limit else select).compile(
        dialect=_make_dialect(is_sqlite=is_sqlite), compile_kwargs={"render_postcompile": True}
    )
    values = compiled.params  # made anew each time it is asked for
    return Statement(str(compiled), tuple(values[name] for name in compiled.positiontup or ()))


def _make_dialect(*, is_sqlite: bool) -> sa.Dialect:
    """Return how the text is to be written: with ``?`` for values, as `Database` takes it in both."""
    if is_sqlite:
        from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

        return SQLiteDialect_pysqlite(paramstyle="qmark")
    # Only where it is needed: it brings asyncio with it.
    from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

    return PGDialect_psycopg2(paramstyle="qmark")  # type: ignore[no-untyped-call]
