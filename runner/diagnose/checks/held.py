"""No lock is held for too long: by a run beyond all its time, by a sweep that hangs, by who is no run at all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from runner.diagnose.check import WARNING, Finding
from runner.diagnose.context import Context
from runner.diagnose.holders import find_holders
from runner.diagnose.words import show_span
from runner.launch.gates import read_plan
from runner.launch.lock import BESIDE, WAITING, describe_holder, is_held
from runner.launch.plan import Plan
from runner.launch.process import read_boot_id, read_command
from runner.launch.state import LOCKS, SWEEP_ALIVE
from runner.ledger.locks import LockFile, is_lock_name, measure_age, read_locks

ID = "DIAG019"
LEVEL = WARNING
TITLE = "no lock is held for too long"

_CLOCK_BOOTTIME = 7
# Beyond what a run may take at most, and for a file that its holder has not written to since.
SLACK_S = 120.0
_SWEEP_S = 600.0
_NOBODYS_S = 60.0
# A retry waits no longer (RUN-25).
_MOST_DELAY_S = 3600.0


def find(context: Context) -> Iterator[Finding]:
    """Yield what holds which lock. No lock is tried: a run that starts just then would take it for another's."""
    # Who holds a lock is looked at before the runs: one that starts in between is a run by then.
    holders = find_holders([context.state / SWEEP_ALIVE, *sorted((context.state / LOCKS).glob("*"))])
    boot_id = read_boot_id()
    runs = [lock for lock in read_locks(str(context.state)) if is_held(lock.record, boot_id)]
    yield from _find_long(context, runs)
    yield from _find_strangers(context, holders, {lock.name for lock in runs})


def _find_long(context: Context, runs: list[LockFile]) -> Iterator[Finding]:
    uptime_s = time.clock_gettime(_CLOCK_BOOTTIME)
    for lock in runs:
        most_s = sum_time_s(read_plan(str(context.home), lock.plan)[0])
        age_s = measure_age(lock.record, context.now, uptime_s)
        if most_s and age_s > most_s + SLACK_S and not lock.name.endswith(f"{BESIDE}{WAITING}"):
            message = f"{lock.plan} runs for {show_span(age_s)}, at most {show_span(most_s)} are allowed"
            yield Finding(ID, LEVEL, message, f"runner stop {lock.plan}", describe_holder(lock.record))


def _find_strangers(context: Context, holders: dict[Path, int], runs: set[str]) -> Iterator[Finding]:
    """Yield who holds a lock and has not written to its file for long: a sweep that hangs, or no run at all."""
    for path, pid in holders.items():
        is_sweep = path.name == SWEEP_ALIVE
        if not is_sweep and (path.name in runs or not is_lock_name(path.name)):
            continue
        still_s = context.now - path.stat().st_mtime
        if still_s > (_SWEEP_S if is_sweep else _NOBODYS_S):
            who = "a sweep hangs" if is_sweep else f"the lock of {path.name} is held by no run"
            message = f"{who}, since at least {show_span(still_s)}: nobody else can do its work"
            yield Finding(ID, LEVEL, message, f"see what it is: ps -fp {pid}", f'pid {pid} "{read_command(pid)}"')


def sum_time_s(plan: Plan) -> float:
    """Return how long a run of a plan can take at most, with all its attempts; 0 without a timeout."""
    if not plan.timeout_s:
        return 0.0
    delays = (plan.retry_delay_s * plan.retry_backoff**number for number in range(plan.retry_times))
    return (plan.timeout_s + plan.grace_s) * (plan.retry_times + 1) + sum(min(one, _MOST_DELAY_S) for one in delays)
