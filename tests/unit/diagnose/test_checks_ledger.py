"""Ledger and journal: DIAG014, 015."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from doctor import find, find_one
from homes import Home
from journals import end_of, make_journal, start_of
from postgres import Postgres

from runner.database.connect import connect
from runner.database.migrate import VERSIONS, prepare_schema
from runner.launch.instant import format_instant
from runner.launch.reserve import append_to_reserve, make_reserve
from runner.launch.state import make_state


def use(home: Home, url: str) -> None:
    home.write("envs/site.yaml", f'name: lab\nmail: {{via: cron, ops: ops@example.org}}\ndatabase: "{url}"\n')


@pytest.fixture
def ledger(home: Home, database_url: str) -> str:
    """The URL of a ledger with its schema."""
    use(home, database_url)
    with connect(database_url) as database:
        prepare_schema(database)
    return database_url


@pytest.fixture
def server() -> Iterator[Postgres]:
    """A server that may be broken."""
    server = Postgres()
    yield server
    server.stop()


def test_diag014_is_silent_on_a_ledger_that_answers(home: Home, ledger: str) -> None:
    assert find(home, "DIAG014") == []


@pytest.mark.parametrize(("version", "level"), [("9999", "error"), (VERSIONS[0], "note")])
def test_diag014_finds_a_schema_of_another_runner(home: Home, ledger: str, version: str, level: str) -> None:
    """FAULT-43."""
    with connect(ledger) as database:
        database.execute("UPDATE alembic_version SET version_num = ?", (version,))
    finding = find_one(home, "DIAG014")
    assert (finding.level, version in finding.message) == (level, True)


def test_diag014_finds_a_server_that_was_stopped(home: Home, server: Postgres) -> None:
    use(home, server.url())
    assert server._server
    server._server.send_signal(signal.SIGINT)
    server._server.wait(30)
    finding = find_one(home, "DIAG014")
    assert (finding.level, finding.message) == ("error", "the ledger cannot be written to")


def test_diag014_finds_a_ledger_that_another_keeps_locked(home: Home) -> None:
    """FAULT-43: ``BEGIN EXCLUSIVE``."""
    url = f"sqlite:///{home.path}/ledger.db"
    use(home, url)
    with connect(url) as database:
        prepare_schema(database)
    other = sqlite3.connect(home.path / "ledger.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        assert "locked" in find_one(home, "DIAG014").evidence
    finally:
        other.close()


def test_diag014_makes_no_ledger_where_there_is_none(home: Home) -> None:
    assert find(home, "DIAG014") == []
    assert not home.state.exists()


def test_diag014_says_no_password(home: Home, tmp_path: Path) -> None:
    use(home, f"postgresql+psycopg2://me:s3cr3t-canary@/x?host={tmp_path}")
    answer = home.runner("diagnose", "DIAG014", "--json")
    assert answer.code == 1
    assert "s3cr3t" not in answer.out


def leave_run(home: Home, age_s: float) -> None:
    """Leave a run of so long ago in the journal."""
    journal = make_journal(home.state)
    at = time.time() - age_s
    start = start_of("nightly", at)
    journal.append(start, end_of(start), day=format_instant(at)[:10])


def test_diag015_is_silent_on_a_journal_that_was_drained(home: Home) -> None:
    leave_run(home, 7200)
    home.compile()
    assert home.runner("history").code == 0
    assert find(home, "DIAG015") == []


def test_diag015_is_silent_on_what_the_next_sweep_drains(home: Home) -> None:
    leave_run(home, 60)
    assert find(home, "DIAG015") == []


def test_diag015_finds_depth_and_age_of_what_waits(home: Home) -> None:
    """FAULT-43."""
    leave_run(home, 7200)
    finding = find_one(home, "DIAG015")
    assert finding.message.startswith("1 KiB of the journal wait for the ledger, the oldest for 2 h")


def test_diag015_finds_lines_that_were_set_aside(home: Home) -> None:
    make_journal(home.state)
    day = time.strftime("%Y-%m-%d", time.gmtime())
    (home.state / "journal" / f"{day}.jsonl").write_text('\n{"event": "start", "torn\n')
    home.compile()
    home.runner("history")
    assert find_one(home, "DIAG015").message.startswith("damaged lines of the journal were set aside")


def test_diag015_finds_what_a_full_disk_left_in_the_reserve(home: Home) -> None:
    make_state(str(home.state))
    make_reserve(str(home.state))
    append_to_reserve(str(home.state), b'\n{"event": "note"}\n')
    assert "journal/reserve" in find_one(home, "DIAG015").message
