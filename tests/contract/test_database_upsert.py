"""Rows in bulk, each in the place of what has its key, over every database (ARCH-28)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.archive.schema import add_columns
from runner.archive.settings import Column
from runner.archive.tables import HDU_COLUMNS
from runner.database.connect import connect
from runner.database.database import Database
from runner.database.migrate import prepare_schema
from runner.errors import UserError

COLUMNS = ("id", "word", "size", "share", "flag")
NASTY = [
    '"',
    '""',
    "",
    " ",
    "a\nb",
    "a\r\nb",
    "\n\\.\n",
    "\\.",
    "\\N",
    "NULL",
    "a,b",
    "'; DROP TABLE odd; --",
    "é€😀",
    "\t",
]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with connect(database_url) as database:
        database.execute(
            'CREATE TABLE odd (id BIGINT PRIMARY KEY, "word" TEXT, size BIGINT, share DOUBLE PRECISION, flag BOOLEAN)'
        )
        yield database


def _column(type: str) -> Column:
    return Column(("KEYWORD",), type, "", "first")


def _upsert(database: Database, rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    with database.writing():
        database.upsert("odd", COLUMNS, rows, ("id",))
    return database.read("SELECT * FROM odd ORDER BY id")


def test_a_row_takes_the_place_of_that_with_its_key_and_others_stay(database: Database) -> None:
    _upsert(database, [(1, "one", 1, 0.5, True), (2, "two", 2, 0.25, False)])

    assert _upsert(database, [(2, "TWO", None, None, None), (3, "three", 3, 0.1, True)]) == [
        (1, "one", 1, 0.5, True),
        (2, "TWO", None, None, None),
        (3, "three", 3, 0.1, True),
    ]


def test_text_comes_back_as_it_went_in(database: Database) -> None:
    rows = [(number, word, None, None, None) for number, word in enumerate(NASTY)]

    assert _upsert(database, rows) == rows


def test_null_is_not_empty_text(database: Database) -> None:
    assert _upsert(database, [(1, "", 0, 0.0, False), (2, None, None, None, None)]) == [
        (1, "", 0, 0.0, False),
        (2, None, None, None, None),
    ]


def test_a_number_that_is_none_is_null_and_the_largest_are_themselves(database: Database) -> None:
    """SQLite has no NaN: both databases answer alike."""
    largest = 2**63 - 1
    rows = [
        (1, None, largest, float("nan"), None),
        (2, None, -largest - 1, float("-inf"), None),
        (3, None, 0, 1e-320, None),
    ]

    assert _upsert(database, rows) == [(1, None, largest, None, None), *rows[1:]]


@given(words=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_any_text_comes_back(database: Database, words: list[str]) -> None:
    database.execute("DELETE FROM odd")
    rows = [(number, word, None, None, None) for number, word in enumerate(words)]

    assert _upsert(database, rows) == rows


def test_nothing_is_there_of_a_transaction_that_fails(database: Database) -> None:
    def fail() -> None:
        with database.writing():
            database.upsert("odd", COLUMNS, [(1, "one", 1, 1.0, True)], ("id",))
            database.upsert("odd", COLUMNS, [(2, "two", 1, 1.0, True)], ("id",))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert database.read("SELECT * FROM odd") == []


def test_no_rows_are_no_trouble(database: Database) -> None:
    assert _upsert(database, []) == []


# The columns that a home configures


def test_text_of_a_configured_column_sorts_by_its_bytes(database: Database) -> None:
    prepare_schema(database)
    add_columns(database, {"object": _column("text")})
    database.execute("INSERT INTO roots (id, path) VALUES (1, '/')")
    values = "1, 1, 'a', 0, 0, 0, 4, 'ok', '', '', ''"
    names = "id, root_id, path, size_bytes, mtime_ns, inode, hdu_count, state, layout, first_seen_at, indexed_at"
    database.execute(f"INSERT INTO files ({names}) VALUES ({values})")
    rows = [(1, number, "", 1, "", "", None, word) for number, word in enumerate(["b", "B", "é", "a-c", "a.b"])]
    with database.writing():
        database.upsert("hdus", (*HDU_COLUMNS, "object"), rows, ("file_id", "number"))

    assert [row[0] for row in database.read("SELECT object FROM hdus ORDER BY object")] == ["B", "a-c", "a.b", "b", "é"]


def test_columns_are_added_once_with_their_indexes(database: Database, database_url: str) -> None:
    prepare_schema(database)
    place = {"ra": _column("ra"), "dec": _column("dec")}
    add_columns(database, place)
    add_columns(database, {**place, "obs_at": _column("time")})
    add_columns(database, place)

    catalog = "sqlite_master WHERE type = 'index'" if database_url.startswith("sqlite") else "pg_indexes"
    name = "name" if database_url.startswith("sqlite") else "indexname"
    indexes = {row[0] for row in database.read(f"SELECT {name} FROM {catalog}")}
    assert {"hdus_place", "hdus_obs_at"} <= indexes


def test_a_column_does_not_change_its_type(database: Database) -> None:
    prepare_schema(database)
    add_columns(database, {"gain": _column("int")})

    with pytest.raises(UserError, match=r'"gain" is BIGINT in .*, DOUBLE PRECISION in the settings; give'):
        add_columns(database, {"gain": _column("float")})
