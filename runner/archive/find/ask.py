"""Asking the index of a home: from the words of a question to its rows (ARCH-40)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.archive.find.fields import Fields, is_each, list_fields
from runner.archive.find.parse import parse_columns, parse_expression, parse_sort
from runner.archive.find.query import Question, Statement, plan_count, plan_rows
from runner.archive.find.rows import Row, read_rows
from runner.archive.find.tree import list_asked
from runner.archive.here import open_database
from runner.archive.schema import add_columns
from runner.archive.settings import Archive, read_archive
from runner.archive.tables import FILES
from runner.database.database import Database


class Index:
    """The index of a home, open to be asked.

    Attributes
    ----------
    archive
        The settings of the home.
    fields
        What can be asked.
    """

    def __init__(self, database: Database, archive: Archive) -> None:
        self.archive = archive
        self.fields = list_fields(archive)
        self._database = database
        self._is_sqlite = database.shown.startswith("sqlite")

    def read(self, question: Question) -> Iterator[Row]:
        """Yield the rows of a question, as values of its columns."""
        return read_rows(self._run(plan_rows(question, is_sqlite=self._is_sqlite)), question.columns)

    def count(self, question: Question) -> int:
        """Return how many files or HDUs a question is about."""
        ((count,),) = self._run(plan_count(question, is_sqlite=self._is_sqlite))
        return int(count)

    def is_empty(self) -> bool:
        """Whether nothing has ever been indexed."""
        return not self._database.read(f"SELECT 1 FROM {FILES} LIMIT 1")

    def _run(self, statement: Statement) -> Iterator[Row]:
        return self._database.stream(statement.sql, statement.values)


@contextmanager
def open_index(home: Path, config: Path | None = None) -> Iterator[Index]:
    """Open the index of a home; one that has never been written is made, and is empty.

    Parameters
    ----------
    config
        The settings that it was made with, if not the home's own.

    Raises
    ------
    UserError
        The settings are wrong, or no column of the index has the type that they say.
    TryLater
        The database does not answer.
    """
    archive = read_archive(home, config)
    with open_database(home) as database:
        add_columns(database, archive.all_columns)
        yield Index(database, archive)


def make_question(
    fields: Fields,
    expression: str = "",
    columns: str = "",
    sort: str = "",
    *,
    limit: int = 0,
    hdus: bool = False,
    every_state: bool = False,
) -> Question:
    """Return what is asked with these words; UserError says where one of them is wrong.

    Parameters
    ----------
    expression
        Empty: all files.
    columns, sort
        Lists of names; with a ``-`` before it a name of `sort` falls.
    limit
        How many rows at most; 0 is all.
    hdus
        A row for each HDU, and not only where a column of each HDU is asked for.
    every_state
        Bad and vanished files too, and not only where the expression asks for their state.
    """
    condition = parse_expression(expression, fields)
    asked = list_asked(condition) if condition else set()
    order = parse_sort(sort, fields) if sort else ()
    shown = parse_columns(columns, fields) if columns else ()
    each = hdus or is_each([*asked, *shown, *(field for field, _ in order)])
    return Question(
        condition,
        shown or fields.list_shown(is_each=each),
        order,
        limit,
        each,
        every_state or any(field.name == "state" for field in asked),
    )
