"""The schema over every database: made, upgraded, shared, and refused when a newer runner made it (FAULT-43)."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import runner.database
from runner.database.connect import connect
from runner.database.database import Database
from runner.database.migrate import VERSIONS, prepare_schema, read_version
from runner.errors import TryLater
from runner.ledger.tables import EVENT_COLUMNS, RUN_COLUMNS

PREPARE = (
    "import sys; from runner.database import connect, migrate; migrate.prepare_schema(connect.connect(sys.argv[1]))"
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with connect(database_url) as database:
        yield database


def test_a_new_database_has_no_version_and_then_the_newest(database: Database) -> None:
    assert read_version(database) is None
    prepare_schema(database)
    assert read_version(database) == VERSIONS[-1]
    prepare_schema(database)


def test_every_version_is_a_migration_and_every_migration_a_version() -> None:
    files = (Path(runner.database.__path__[0]) / "migrations" / "versions").glob("*.py")

    assert tuple(sorted(file.name[:4] for file in files)) == VERSIONS


def test_the_tables_have_the_columns_that_the_ledger_writes(database: Database) -> None:
    prepare_schema(database)

    for table, columns in (("runs", RUN_COLUMNS), ("events", EVENT_COLUMNS)):
        database.insert(table, columns, [["0"] * len(columns)], "")
        assert len(database.read(f"SELECT * FROM {table}")[0]) == len(columns)


def test_many_who_upgrade_at_once_do_it_once(database: Database, database_url: str) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", PREPARE, database_url], stderr=subprocess.PIPE) for _ in range(4)
    ]

    assert [(process.communicate()[1], process.returncode) for process in processes] == [(b"", 0)] * 4
    assert read_version(database) == VERSIONS[-1]


def test_a_newer_schema_is_left_alone_and_both_versions_are_named(database: Database) -> None:
    prepare_schema(database)
    database.execute("UPDATE alembic_version SET version_num = '0999'")

    with pytest.raises(TryLater, match=f"its schema is version 0999, this runner knows up to {VERSIONS[-1]}"):
        prepare_schema(database)


def test_what_fails_inside_a_transaction_leaves_nothing(database: Database) -> None:
    prepare_schema(database)

    def fail() -> None:
        with database.writing():
            database.execute("INSERT INTO last_runs (plan, run_id) VALUES (?, ?)", ("download", "x"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert database.read("SELECT * FROM last_runs") == []
    with database.writing():
        database.execute("INSERT INTO last_runs (plan, run_id) VALUES (?, ?)", ("download", "y"))
    assert database.read("SELECT run_id FROM last_runs WHERE plan = ?", ("download",)) == [("y",)]


def test_who_waits_too_long_for_anothers_lock_is_told_to_try_later(database: Database, database_url: str) -> None:
    prepare_schema(database)
    database.execute("INSERT INTO last_runs (plan, run_id) VALUES ('download', 'x')")

    with connect(database_url, patience_s=0.05) as other, database.writing():
        database.execute("UPDATE last_runs SET run_id = 'y'")
        assert other.read("SELECT run_id FROM last_runs") == [("x",)], "readers never wait"
        with pytest.raises(TryLater, match=r"^ledger \S+: .*lock"), other.writing():
            other.execute("UPDATE last_runs SET run_id = 'z'")


def test_sqlite_keeps_what_it_is_told_in_a_file_of_its_own(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runner.db"
    with connect(url) as database:
        prepare_schema(database)

    assert sqlite3.connect(tmp_path / "runner.db").execute("PRAGMA journal_mode").fetchone() == ("wal",)
