"""Ending runs on request (RUN-35): saying who asks and why, the TERM, and waiting until they are gone.

A run whose wrapper lives is ended by that, as at every other TERM. What a killed wrapper left behind is ended
here, and recorded by the next sweep.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from runner.errors import TryLater
from runner.launch.gates import Place, read_plan
from runner.launch.lock import LockRecord, is_held
from runner.launch.process import is_alive, read_boot_id
from runner.launch.stops import write_stop
from runner.launch.tree import describe, terminate
from runner.ledger.locks import LockFile, read_locks
from runner.sweep.outliving import find_processes, kill

# How long after the grace of its job a run may take to end (RUN-35).
EXTRA_S = 5.0


def find_running(state: str, name: str) -> list[LockFile]:
    """Return the runs of a job or plan that live or wait on this host, by their lock files."""
    boot_id = read_boot_id()
    named = [lock for lock in read_locks(state) if name in (lock.plan, lock.plan.partition("@")[0])]
    return [lock for lock in named if _lives(lock.record, boot_id)]


def request_stop(state: str, running: Iterable[LockFile], author: str, reason: str, now: float) -> None:
    """Write down who stops these runs and why, for each of them to record."""
    runs: dict[str, list[str]] = {}
    for lock in running:
        runs.setdefault(lock.plan, []).append(lock.record.run_id)
    for plan, run_ids in runs.items():
        write_stop(state, plan, " ".join(run_ids), author, reason, now)


def end_runs(place: Place, running: list[LockFile]) -> None:
    """End the runs and return when they are gone; TryLater names what still lives after grace and `EXTRA_S`."""
    for lock in running:
        wrapper = lock.record.wrapper
        terminate([wrapper] if wrapper and is_alive(wrapper) else find_processes(lock.record))
    grace_s = max(read_plan(place.home, lock.plan)[0].grace_s for lock in running)
    left = _await_end(running, grace_s)
    for lock in left:
        if not (lock.record.wrapper and is_alive(lock.record.wrapper)):
            kill(lock.record)
    if left := _await_end(left, EXTRA_S):
        raise TryLater("; ".join(f"run {lock.record.run_id} is still there: {_name(lock.record)}" for lock in left))


def _await_end(running: list[LockFile], within_s: float) -> list[LockFile]:
    """Return the runs that still live when all are gone or the time is over."""
    boot_id = read_boot_id()
    until = time.monotonic() + within_s
    while (running := [lock for lock in running if _lives(lock.record, boot_id)]) and time.monotonic() < until:
        time.sleep(0.02)
    return running


def _lives(record: LockRecord, boot_id: str) -> bool:
    if not record.run_id or record.boot_id != boot_id:
        return False
    return is_held(record, boot_id) or bool(find_processes(record))


def _name(record: LockRecord) -> str:
    wrapper = [record.wrapper] if record.wrapper and is_alive(record.wrapper) else []
    return ", ".join(map(describe, wrapper or find_processes(record)))
