"""Starting runs that the sweep owes: each ``run-job`` of its own, as cron's are, which outlives the sweep.

Its stderr is that of the sweep, so that cron mails its alert with the sweep's line; cron waits for it. Its session
is its own: who kills the sweep, or ends the terminal of ``runner sweep``, does not end it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from runner.launch.gates import Place
from runner.launch.lock import LockRecord, find_lock, is_held
from runner.launch.overdue import Start
from runner.launch.process import read_boot_id
from runner.launch.records import BY_MISSED, BY_RERUN
from runner.launch.state import LOCKS
from runner.ledger.locks import read_locks

WRAPPER = "wrappers/run-job"
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
# How long a run may take to be seen in its lock file; after that the next round may count one too few.
_SEEN_WITHIN_S = 5.0


def find_busy(state: str) -> dict[str, LockRecord]:
    """Return the plans of which a run lives or waits, and what one lock file of each says."""
    boot_id = read_boot_id()
    return {lock.plan: lock.record for lock in read_locks(state) if is_held(lock.record, boot_id)}


def count_running(records: Iterable[LockRecord]) -> int:
    """Return how many of these runs were started by a sweep."""
    marks = [f'"trigger": "{trigger}"' for trigger in (BY_MISSED, BY_RERUN)]
    return sum(any(mark in record.start for mark in marks) for record in records)


def start_runs(place: Place, starts: list[Start]) -> None:
    """Start the runs and return when each holds its lock, or is over: so the next round can count them."""
    left = {_spawn(place, start): start.plan for start in starts}
    until = time.monotonic() + _SEEN_WITHIN_S
    while left and time.monotonic() < until:
        left = {pid: plan for pid, plan in left.items() if not _is_seen(place.state, pid, plan)}
        time.sleep(0.005)


def _spawn(place: Place, start: Start) -> int:
    program = f"{place.home}/{WRAPPER}"
    words = [program, start.plan, "--slot", start.slot, f"--{start.trigger}"]
    nothing = [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_RDWR, 0) for descriptor in (0, 1)]
    return os.posix_spawn(program, words, _ENVIRONMENT, file_actions=nothing, setsid=True)


def _is_seen(state: str, pid: int, plan: str) -> bool:
    if os.waitpid(pid, os.WNOHANG)[0]:
        return True
    record = find_lock(f"{state}/{LOCKS}/{plan}")
    return bool(record and record.wrapper and record.wrapper.pid == pid)
