"""No process of a run that has ended is left (RUN-33): it may hold files, memory, licences."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from runner.diagnose.check import WARNING, Finding
from runner.diagnose.context import Context
from runner.diagnose.words import sum_up
from runner.launch.gates import read_plan
from runner.launch.lock import is_held
from runner.launch.process import read_boot_id, read_command
from runner.ledger.locks import read_locks

ID = "DIAG022"
LEVEL = WARNING
TITLE = "no run has left a process behind"

_RUN, _STATE, _JOB, _PROFILE = "RUNNER_RUN_ID", "RUNNER_STATE", "RUNNER_JOB", "RUNNER_PROFILE"


def find(context: Context) -> Iterator[Finding]:
    """Yield what is left of each run, by the environment that its processes have; ``survivors: allow`` allows it."""
    boot_id = read_boot_id()
    open_runs = {lock.record.run_id for lock in read_locks(str(context.state)) if is_held(lock.record, boot_id)}
    left: dict[tuple[str, str], list[str]] = {}
    for pid, variables in _list_processes():
        run, job = variables.get(_RUN, ""), variables.get(_JOB, "")
        is_ours = run and variables.get(_STATE) == str(context.state)
        if is_ours and run not in open_runs and not _is_allowed(context, job, variables.get(_PROFILE, "")):
            left.setdefault((job, run), []).append(f'pid {pid} "{read_command(pid)[:100]}"')
    for (job, run), processes in sorted(left.items()):
        message = f"{job} has left {len(processes)} process(es) behind, of run {run}"
        yield Finding(ID, LEVEL, message, "end them; survivors: kill does that for each run", sum_up(processes))


def _list_processes() -> Iterator[tuple[int, dict[str, str]]]:
    """Yield this user's processes with their environments; of others nobody may see them."""
    for directory in Path("/proc").iterdir():
        if directory.name.isdecimal() and int(directory.name) != os.getpid():
            try:
                data = (directory / "environ").read_bytes().decode("utf-8", "replace")
            except OSError:
                continue
            yield int(directory.name), dict(pair.split("=", 1) for pair in data.split("\0") if "=" in pair)


def _is_allowed(context: Context, job: str, profile: str) -> bool:
    for name in (job, f"{job}@{profile}"):
        plan, fault = read_plan(str(context.home), name)
        if not fault:
            return plan.survivors == "allow"
    return False
