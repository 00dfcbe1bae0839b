"""What people ask of the history, over every database and without one (PERF-7, FAULT-43)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from journals import NOW, Journal, end_of, make_journal, run_of, runs_of, skip_of, start_of

from runner.database.connect import connect
from runner.database.migrate import prepare_schema
from runner.errors import UserError
from runner.launch.instant import format_instant
from runner.launch.lock import read_lock, try_lock, write_lock
from runner.launch.plan import Plan, decode_schedule
from runner.launch.process import identify, read_boot_id
from runner.ledger.drain import drain_journal
from runner.ledger.history import History, open_history
from runner.ledger.status import read_status

DOWN = "sqlite:////nonexistent/directory/runner.db"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return make_journal(tmp_path / "state")


@pytest.fixture(params=["drained", "half drained", "down"])
def url(request: pytest.FixtureRequest, database_url: str, journal: Journal) -> Iterator[str]:
    """The URL of a ledger that has everything, a part of it while another holds it, or does not answer.

    The journal holds three runs of download, the last of them running, and one each of two plans of index.
    """
    start = start_of("download", NOW - 60)
    journal.append(*run_of("download", NOW - 90_000), day="2026-11-20")
    journal.append(*run_of("index@a", NOW - 300, "failed", exit_code=3), *run_of("download", NOW - 240), start)
    with connect(database_url) as database:
        prepare_schema(database)
        if request.param != "drained":
            drain_journal(database, str(journal.state), NOW)
    journal.append(end_of(start), *run_of("index@b", NOW - 30), start_of("download", NOW - 10), skip_of(at=NOW - 5))
    if request.param != "half drained":
        yield database_url if request.param == "drained" else DOWN
        return
    with connect(database_url) as holder, holder.writing():
        holder.execute("UPDATE journals SET drained_bytes = drained_bytes")
        yield database_url


@pytest.fixture
def history(url: str, journal: Journal) -> Iterator[History]:
    with open_history(url, str(journal.state), NOW, patience_s=0.05) as history:
        yield history


def _name(history: History, name: str = "", limit: int = 100) -> list[str]:
    return [f"{run.plan} {run.outcome or run.state}" for run in history.read_runs(name, limit)]


ALL = [
    "download skipped", "download running", "index@b ok", "download ok", "download ok", "index@a failed", "download ok",
]  # fmt: skip


def test_all_runs_come_newest_first(history: History) -> None:
    assert _name(history) == ALL
    assert _name(history, limit=0) == ALL


def test_a_limit_keeps_the_newest(history: History) -> None:
    for limit in range(1, 8):
        assert _name(history, limit=limit) == ALL[:limit]


def test_runs_of_one_job_or_one_plan_can_be_asked_for(history: History) -> None:
    assert _name(history, "index") == ["index@b ok", "index@a failed"]
    assert _name(history, "index@a") == ["index@a failed"]
    assert _name(history, "download", 2) == ["download skipped", "download running"]
    assert _name(history, "nobody") == []


def test_a_run_that_waited_is_one_run_and_stands_where_it_began(journal: Journal, database_url: str) -> None:
    """RUN-11: its id is of the instant at which it was asked for."""
    waited = start_of("wait", NOW - 100, started_at=format_instant(NOW - 20))
    journal.append(*run_of("wait", NOW - 90), waited)
    with connect(database_url) as database:
        prepare_schema(database)
        drain_journal(database, str(journal.state), NOW)
    journal.append(end_of(waited), *run_of("wait", NOW - 50))
    with connect(database_url) as holder, holder.writing():
        holder.execute("UPDATE journals SET drained_bytes = drained_bytes")
        with open_history(database_url, str(journal.state), NOW, patience_s=0.05) as history:
            runs = list(history.read_runs("wait"))

    assert [run.run_id for run in runs] == [waited["run_id"], *(run_of("wait", NOW - s)[0]["run_id"] for s in (50, 90))]
    assert [run.outcome for run in runs] == ["ok", "ok", "ok"]


def test_the_last_run_of_each_plan_is_found_and_a_skipped_slot_is_none(history: History) -> None:
    last = history.read_last_runs(["download", "index@a", "never"])

    assert {plan: (run.state, run.outcome) for plan, run in last.items()} == {
        "download": ("running", None),
        "index@a": ("ended", "failed"),
    }


def test_the_runs_of_a_slot_are_found_however_late_they_began(history: History) -> None:
    (run,) = history.read_runs_due("download", int(NOW - 60), int(NOW - 59))
    assert (run.state, run.outcome) == ("ended", "ok")
    assert [run.plan for run in history.read_runs_due("index@a", int(NOW - 400), int(NOW))] == ["index@a"]
    assert history.read_runs_due("index", int(NOW - 400), int(NOW)) == []


def test_the_runs_around_an_instant_are_those_of_one_host(history: History) -> None:
    around = history.read_runs_around("ops1.example.org", int(NOW - 100))
    assert [f"{run.plan} {run.outcome or run.state}" for run in around] == ALL
    assert history.read_runs_around("ops2.example.org", int(NOW)) == []


def test_who_did_what_is_found_the_newest_first(url: str, journal: Journal) -> None:
    """SEC-20: in the ledger and in the journal beyond it."""
    deeds = [{**start_of("x", NOW + second), "event": "audit", "action": f"a{second}"} for second in (1, 2, 3)]
    journal.append(*deeds)
    with open_history(url, str(journal.state), NOW, patience_s=0.05) as history:
        assert [deed["action"] for deed in history.read_audits(int(NOW + 3))] == ["a2", "a1"]


def test_what_ledger_and_journal_know_of_a_run_is_put_together(history: History) -> None:
    (run,) = (run for run in history.read_runs("download") if run.run_id == start_of(at=NOW - 60)["run_id"])

    assert (run.outcome, run.pid, run.exit_code, run.mailto) == ("ok", 4242, 0, "ql@example.org ops@example.org")


def test_a_run_reads_as_it_was_written(history: History) -> None:
    (run,) = history.read_runs("index@a")

    assert run.describe() == {
        "run_id": "20261121T115500.000000Z-ops1-4242",
        "job": "index",
        "profile": "dsoc-prod",
        "slot": "2026-11-21T11:55:00Z",
        "started_at": "2026-11-21T11:55:00.000000Z",
        "ended_at": "2026-11-21T11:55:02.000000Z",
        "duration_s": 2.0,
        "outcome": "failed",
        "reason": "",
        "exit_code": 3,
        "signal": None,
        "attempts": 1,
        "host": "ops1.example.org",
        "release": "-",
        "log": "/state/logs/index@a/x.log",
        "cpu_s": 0.25,
        "max_rss_bytes": 4096,
        "stdout_bytes": 10,
        "stderr_bytes": 0,
        "alerted": "",
        "plan": "index@a",
        "state": "ended",
        "trigger": "cron",
        "detail": None,
        "account": "wfc3ql",
        "command": "jobs/download.py wfc3",
        "profile_rule": "of the job's entry",
        "plan_digest": "0123456789abcdef",
        "environment_digest": "00000000000000e1",
        "packages_digest": None,
    }


def test_who_answers_without_the_ledger_says_so(url: str, history: History, request: pytest.FixtureRequest) -> None:
    """DESIGN section 7: status and history drain first; if they cannot, they say so and read the tail too."""
    if url == DOWN:
        (warning,) = history.warnings
        assert warning == f"ledger {DOWN}: unable to open database file; answered from the journal of the last days"
    elif "half drained" in request.node.name:
        (warning,) = history.warnings
        assert warning.endswith("; the journal's tail is read as well")
    else:
        assert history.warnings == []


def test_status_is_of_the_plans_that_are_asked_for(history: History, journal: Journal) -> None:
    plans = [Plan(name, name.partition("@")[0], "dsoc-prod") for name in ("download", "index@a", "never")]
    plans[0].schedules = [decode_schedule("0,30 * * * *")]
    (journal.state / "pauses" / "index").write_text("author ana\nsince 2026-11-21T10:00:00Z\nreason disk full\n")

    download, index, never = read_status(history, plans, str(journal.state), "UTC", NOW)

    assert list(download.describe().values()) == [
        "download", "running", None, start_of("download", NOW - 10)["run_id"], "2026-11-21T11:59:50Z",
        "2026-11-21T12:30:00Z", None, None,
    ]  # fmt: skip
    assert (index.state, index.outcome, index.next_slot) == ("ended", "failed", None)
    assert index.paused == "by ana since 2026-11-21T10:00:00Z: disk full"
    assert set(never.describe().values()) == {"never", None}


def test_a_run_that_waits_is_the_status_of_its_plan_while_it_lives(history: History, journal: Journal) -> None:
    """RUN-11."""
    waiting = start_of("download", NOW - 3)
    path = journal.state / "locks" / "download+wait"
    descriptor, _ = try_lock(str(path))
    record = read_lock(descriptor)
    record.run_id, record.boot_id, record.start = waiting["run_id"], read_boot_id(), json.dumps(waiting)
    record.wrapper = identify(os.getpid())
    write_lock(descriptor, record)
    plans = [Plan("download", "download", "x")]
    (status,) = read_status(history, plans, str(journal.state), "UTC", NOW)
    assert (status.state, status.outcome, status.run_id, status.last_slot, status.behind) == (
        "waiting", None, waiting["run_id"], "2026-11-21T11:59:57Z", start_of("download", NOW - 10)["run_id"],
    )  # fmt: skip
    record.boot_id = "another"
    write_lock(descriptor, record)
    os.close(descriptor)
    assert read_status(history, plans, str(journal.state), "UTC", NOW)[0].state == "running"


def test_an_incident_is_shown_with_the_run_that_opened_it(history: History, journal: Journal) -> None:
    (journal.state / "health" / "download").write_text("incident 20261121T110000.000000Z-ops1-1\n.\n")

    (status,) = read_status(history, [Plan("download", "download", "x")], str(journal.state), "UTC", NOW)

    assert status.incident == "20261121T110000.000000Z-ops1-1"


def test_a_history_that_drains_reports_damaged_lines(database_url: str, journal: Journal) -> None:
    journal.append(*run_of(), b"\nnonsense\n")

    with open_history(database_url, str(journal.state), NOW) as history:
        assert [warning.partition(";")[0] for warning in history.warnings] == [
            "journal: 1 damaged line set aside in journal/rejected.jsonl"
        ]


def test_a_home_that_never_ran_anything_has_an_empty_history(database_url: str, tmp_path: Path) -> None:
    with open_history(database_url, str(tmp_path / "new" / "state"), NOW) as history:
        assert (_name(history), history.read_last_runs(["download"]), history.warnings) == ([], {}, [])


def test_a_very_long_history_is_not_held_in_memory(database_url: str, journal: Journal) -> None:
    journal.append(*runs_of("download", 4500))

    with open_history(database_url, str(journal.state), NOW) as history:
        runs = history.read_runs(limit=0)
        assert next(runs).started_at > next(runs).started_at
        assert sum(1 for _ in runs) == 4498


def test_a_url_of_no_kind_is_the_users_mistake(journal: Journal) -> None:
    with pytest.raises(UserError, match="neither sqlite:////ABSOLUTE/PATH nor postgresql"):
        open_history("mysql://u:secret@h/x", str(journal.state), NOW)
