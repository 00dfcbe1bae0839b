"""A home to sweep: no wrapper and no jobs, only what they would have left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from journals import NOW, Journal, make_journal, start_of

from runner.errors import DONE
from runner.launch.gates import Place, read_place
from runner.launch.journal import encode_event
from runner.launch.lock import LockRecord, find_lock, write_lock
from runner.launch.plan import HOME_PLAN, PLANS, HomePlan, Plan
from runner.launch.plan_encode import encode_home_plan, encode_plan
from runner.launch.process import Identity, read_boot_id
from runner.launch.record import open_record
from runner.sweep.chores import Result, Round, do_chore

# No process has it: it is beyond the largest pid of any Linux.
NOBODY = Identity(1 << 23, 1)


@dataclass(frozen=True, slots=True)
class House:
    """One home, its state and its journal."""

    home: Path
    journal: Journal

    @property
    def state(self) -> Path:
        return self.journal.state

    @property
    def place(self) -> Place:
        return read_place(str(self.home))

    def sweep(self, chore: str, now: float = NOW, worked_at: dict[str, float] | None = None) -> Result:
        """Do one chore; fail the test if it failed."""
        result = do_chore(chore, Round(self.place, now, worked_at or {}))
        assert result.code == DONE, result.detail
        return result

    def settle(self, **fields: object) -> None:
        """Compile what is known of the home."""
        plan = HomePlan("house")
        plan.mail_ops = ["ops@example.org"]
        for key, value in fields.items():
            setattr(plan, key, value)
        (self.home / HOME_PLAN).write_bytes(encode_home_plan(plan))

    def run_sweep(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Sweep as cron does."""
        command = [sys.executable, "-I", "-m", "runner.sweep", "--home", str(self.home), *options]
        return subprocess.run(command, capture_output=True, text=True, env={})

    def plan(self, name: str, **fields: object) -> None:
        """Compile a plan."""
        plan = Plan(name, name.partition("@")[0], "dsoc-prod")
        for key, value in fields.items():
            setattr(plan, key, value)
        (self.home / PLANS / f"{name}.plan").write_bytes(encode_plan(plan))

    def leave_run(
        self, plan: str, job: Identity | None = NOBODY, at: float = NOW, suffix: str = "", **fields: object
    ) -> dict[str, Any]:
        """Leave the lock file of a run whose wrapper was killed; return its start event, which is in no journal yet."""
        host = os.uname().nodename
        start = start_of(plan, at, **{"host": host, "boot_id": read_boot_id(), **fields})
        record = LockRecord()
        record.run_id, record.boot_id, record.since = start["run_id"], start["boot_id"], start["started_at"]
        record.wrapper, record.job, record.slots = NOBODY, job, [start["slot"]]
        record.start = encode_event(start).decode().strip()
        descriptor = open_record(str(self.state / "locks" / f"{plan}{suffix}"))
        write_lock(descriptor, record)
        os.close(descriptor)
        return start

    def lock(self, plan: str) -> LockRecord:
        record = find_lock(str(self.state / "locks" / plan))
        assert record
        return record

    def events(self) -> list[dict[str, Any]]:
        """Return all events of the journal."""
        files = sorted((self.state / "journal").glob("????-??-??.jsonl"))
        return [json.loads(line) for file in files for line in file.read_bytes().split(b"\n") if line]


def make_house(home: Path) -> House:
    (home / PLANS).mkdir(parents=True)
    house = House(home, make_journal(home / "state"))
    house.settle()
    return house
