"""kill -9 of the sweep at each step of draining and upgrading, finished by the next one (FAULT-43)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from journals import NOW, end_of, make_journal, run_of, skip_of, start_of

PROGRAM = Path(__file__).with_name("kills.py")


def _kill_at_each_step(work: str, url: str, state: Path, every: int) -> list[dict[str, Any]]:
    command = [sys.executable, str(PROGRAM), work, url, str(state), str(every)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def test_fault_43_a_drain_that_is_killed_at_any_step_is_finished_exactly_once(
    database_url: str, tmp_path: Path
) -> None:
    journal = make_journal(tmp_path / "state")
    start = start_of("index", NOW - 60)
    journal.append(*run_of("download", NOW - 86400), start, day="2026-11-20")
    journal.append(end_of(start), b"\nnonsense\n", skip_of(at=NOW - 5), *run_of("download", NOW - 3))

    tries = _kill_at_each_step("drain", database_url, journal.state, every=7)

    assert len(tries) > 20
    assert {one["left"] for one in tries} == {0, 2, 4}, "a file is drained wholly or not at all"
    assert len({one["ledger"] for one in tries}) == 1
    assert all(one["rejected"] == ["nonsense"] for one in tries)


def test_fault_43_an_upgrade_that_is_killed_at_any_step_leaves_the_old_schema(
    database_url: str, tmp_path: Path
) -> None:
    journal = make_journal(tmp_path / "state")

    tries = _kill_at_each_step("upgrade", database_url, journal.state, every=5)

    assert len(tries) > 10
    assert {(len(one["left"]), one["version"]) for one in tries} == {(0, None), (4, "0001")}
    assert all(one["finished"] for one in tries)
