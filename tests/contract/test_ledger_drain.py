"""The journal into the ledger, exactly once, over every database (RUN-16, FAULT-43)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from journals import NOW, TODAY, Journal, end_of, make_journal, run_of, runs_of, skip_of, start_of

from runner.database.connect import connect
from runner.database.database import Database
from runner.database.migrate import prepare_schema
from runner.launch.journal import LOST_SEQ
from runner.ledger.drain import Drained, drain_journal
from runner.ledger.files import has_undrained

YESTERDAY, DAY_BEFORE = "2026-11-20", "2026-11-19"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with connect(database_url) as database:
        prepare_schema(database)
        yield database


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return make_journal(tmp_path / "state")


def _drain(database: Database, journal: Journal) -> Drained:
    return drain_journal(database, str(journal.state), NOW)


def _outcomes(database: Database) -> list[tuple[str, str | None]]:
    return [tuple(row) for row in database.read("SELECT plan, outcome FROM runs ORDER BY run_id")]


def _count(database: Database, table: str) -> int:
    return int(database.read(f"SELECT count(*) FROM {table}")[0][0])


def test_a_run_is_one_row_with_all_that_its_events_say(database: Database, journal: Journal) -> None:
    start = start_of("download@dsoc-prod")
    journal.append(start, end_of(start, "failed", exit_code=3, signal=None, cpu_s=0.125, reason="exit 3: é\n\\ \t'\""))

    assert _drain(database, journal) == Drained(2, ())

    columns = "job, slot, started_at, ended_at, outcome, exit_code, signal, cpu_s, reason, mailto, timeout_s, end_seq"
    assert database.read(f"SELECT {columns} FROM runs") == [
        ("download", "2026-11-21T12:00:00Z", "2026-11-21T12:00:00.000000Z", "2026-11-21T12:00:02.000000Z", "failed",
         3, None, 0.125, "exit 3: é\n\\ \t'\"", "ql@example.org ops@example.org", 21600.0, 5)
    ]  # fmt: skip


def test_draining_again_changes_nothing(database: Database, journal: Journal) -> None:
    journal.append(*runs_of("download", 3), skip_of(at=NOW + 900))
    _drain(database, journal)
    before = database.read("SELECT * FROM runs ORDER BY run_id")

    assert _drain(database, journal) == Drained(0, ())
    assert database.read("SELECT * FROM runs ORDER BY run_id") == before


def test_what_was_drained_and_comes_again_is_there_once(database: Database, journal: Journal) -> None:
    """A journal file copied back, or a start that the sweep wrote again."""
    events = runs_of("download", 3)
    journal.append(*events)
    _drain(database, journal)
    before = database.read("SELECT * FROM runs ORDER BY run_id")

    journal.append(*events, day=YESTERDAY)
    _drain(database, journal)

    assert database.read("SELECT * FROM runs ORDER BY run_id") == before


def test_start_and_end_may_come_with_days_between(database: Database, journal: Journal) -> None:
    start = start_of()
    journal.append(start)
    _drain(database, journal)
    assert _outcomes(database) == [("download", None)]

    journal.append(end_of(start), day="2026-11-23")
    _drain(database, journal)

    assert _outcomes(database) == [("download", "ok")]
    assert database.read("SELECT pid FROM runs") == [(4242,)]


@pytest.mark.parametrize("order", ["own end first", "lost first"])
def test_the_wrappers_own_end_counts_before_the_sweeps(database: Database, journal: Journal, order: str) -> None:
    start = start_of()
    ends = [end_of(start, "ok"), end_of(start, "lost", seq=LOST_SEQ)]
    for event in (start, *(ends if order == "own end first" else reversed(ends))):
        journal.append(event)
        _drain(database, journal)

    assert _outcomes(database) == [("download", "ok")]


def test_events_beside_the_runs_are_kept_once_each(database: Database, journal: Journal) -> None:
    start = start_of()
    attempt = {"event": "attempt", "at": start["at"], "run_id": start["run_id"], "seq": 2, "attempt": 1, "pid": 4243}
    audit = {
        "event": "audit",
        "at": start["at"],
        "run_id": start["run_id"],
        "seq": 3,
        "action": "install",
        "user": "a\0",
    }
    journal.append(start, attempt, attempt, audit)
    journal.append(attempt, day=YESTERDAY)
    _drain(database, journal)

    rows = database.read("SELECT run_id, seq, event, record FROM events ORDER BY seq")
    assert [row[:3] for row in rows] == [(start["run_id"], 2, "attempt"), (start["run_id"], 3, "audit")]
    assert '"action": "install"' in rows[1][3]


def test_a_torn_last_line_waits_for_its_rest(database: Database, journal: Journal) -> None:
    first, second = start_of(), start_of("index", NOW + 1)
    path = journal.append(first, second)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])

    assert _drain(database, journal) == Drained(1, ())
    path.write_bytes(whole)
    assert _drain(database, journal) == Drained(1, ())

    assert _outcomes(database) == [("download", None), ("index", None)]


def test_a_damaged_line_is_set_aside_once_and_the_rest_is_drained(database: Database, journal: Journal) -> None:
    journal.append(start_of(), b'\n{"event": "end", "at": "20', *run_of("index", NOW + 1), b"\nnonsense\n")

    drained = _drain(database, journal)
    again = _drain(database, journal)

    assert [one.line for one in drained.rejected] == ['{"event": "end", "at": "20', "nonsense"]
    assert drained.describe_rejected().startswith(
        "journal: 2 damaged lines set aside in journal/rejected.jsonl; the first: 2026-11-21.jsonl at byte "
    )
    assert (again, again.describe_rejected()) == (Drained(0, ()), "")
    assert _outcomes(database) == [("download", None), ("index", "ok")]
    assert len([line for line in journal.rejected().splitlines() if line]) == 2


def test_a_torn_line_at_the_end_of_an_old_file_is_set_aside(database: Database, journal: Journal) -> None:
    journal.append(*run_of(), b'\n{"event": "start", "a', day=DAY_BEFORE)

    drained = _drain(database, journal)

    assert [one.line for one in drained.rejected] == ['{"event": "start", "a']
    assert not has_undrained(str(journal.state), database.shown)


def test_zeros_that_a_power_loss_left_do_not_stop_the_rest(database: Database, journal: Journal) -> None:
    journal.append(b"\0" * 3_000_000, *run_of())

    drained = _drain(database, journal)

    assert drained.events == 2
    assert all(set(one.line) == {"\0"} for one in drained.rejected)


def test_many_pieces_are_drained_in_order(database: Database, journal: Journal) -> None:
    journal.append(*runs_of("download", 3000))

    assert _drain(database, journal).events == 6000
    assert _count(database, "runs") == 3000


def test_the_last_run_of_a_plan_is_known_and_a_skipped_slot_is_none(database: Database, journal: Journal) -> None:
    journal.append(*runs_of("download", 2), skip_of(at=NOW + 900), skip_of("index"))
    _drain(database, journal)
    journal.append(*run_of("download", NOW - 3600), day=YESTERDAY)
    _drain(database, journal)

    newest = start_of(at=NOW + 60)["run_id"]
    assert database.read("SELECT plan, run_id FROM last_runs") == [("download", newest)]


def test_journals_of_several_states_share_a_ledger(database: Database, tmp_path: Path) -> None:
    for number in range(3):
        journal = make_journal(tmp_path / f"state-{number}")
        journal.append(*run_of("download", NOW + number))
        _drain(database, journal)

    assert _count(database, "runs") == 3
    assert _count(database, "journals") == 3


def test_nothing_to_drain_is_known_without_the_database(database: Database, journal: Journal) -> None:
    state = str(journal.state)
    assert not has_undrained(state, database.shown)
    journal.append(*run_of())
    assert has_undrained(state, database.shown)
    _drain(database, journal)
    assert not has_undrained(state, database.shown)
    assert has_undrained(state, "sqlite:////another.db")


def test_a_new_ledger_gets_all_that_the_journal_still_has(database: Database, journal: Journal) -> None:
    """The memory beside the journal is only a hint: a ledger that was lost is filled again."""
    journal.append(*run_of())
    _drain(database, journal)
    for table in ("runs", "journals", "last_runs"):
        database.execute(f"DELETE FROM {table}")

    journal.append(*run_of("index", NOW + 1))
    _drain(database, journal)

    assert _outcomes(database) == [("download", "ok"), ("index", "ok")]


def test_several_drains_at_once_are_one(database: Database, database_url: str, journal: Journal) -> None:
    """A sweep and whoever asks for the status."""
    journal.append(*runs_of("download", 2500), b"\nnonsense\n")
    program = (
        "import sys; from runner.database.connect import connect as c; from runner.ledger.drain import drain_journal;"
        " done = drain_journal(c(sys.argv[1]), sys.argv[2], float(sys.argv[3])); print(done.events, len(done.rejected))"
    )
    command = [sys.executable, "-c", program, database_url, str(journal.state), str(NOW)]

    drains = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    counts = [[int(word) for word in drain.communicate()[0].split()] for drain in drains]

    assert [sum(column) for column in zip(*counts, strict=True)] == [5000, 1]
    assert _count(database, "runs") == 2500
    assert journal.rejected().count("nonsense") == 1
    assert _drain(database, journal) == Drained(0, ())


def test_a_drain_meets_what_is_written_meanwhile_later(database: Database, journal: Journal) -> None:
    journal.append(*run_of(), day=TODAY)
    _drain(database, journal)
    journal.append(*run_of("index", NOW + 5), day=TODAY)

    assert _drain(database, journal) == Drained(2, ())
