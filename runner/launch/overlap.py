"""What a run does that finds its plan busy: wait, replace, or run beside it (RUN-11). Skipping needs none of this.

Who waits holds ``locks/<plan>+wait``, so that one at most does; that file says of the waiter what a lock file says
of a runner, so that a wrapper killed in the queue is found like any other. Runs beside each other (``allow``)
hold ``locks/<plan>``, ``<plan>+1``, ``<plan>+2`` and so on.
"""

from __future__ import annotations

import posix
import time

from runner.launch import lock
from runner.launch.attempt import Stopper
from runner.launch.outcome import CODE_STOPPED, CODE_TRY_LATER, OK, REASON_SHUTDOWN, SKIPPED, STOPPED, Ending
from runner.launch.records import Run, keep_record, record_wait
from runner.launch.state import LOCKS

MOST_AT_ONCE = 100
# A replaced run has its grace to end in, and so long to write that down.
_REPLACE_MARGIN_S = 5.0
_LOOK_S, _LONGEST_LOOK_S = 0.02, 0.5


def wait_turn(run: Run, scheduled: str) -> Ending | None:
    """Wait for the plan's lock, under ``replace`` after asking its holder to end.

    Returns None when the lock is ours; else how this run has ended: ``skipped``, ``stopped``, or ``ok`` for a slot
    that another firing has taken care of. While it waits `run.queue` is its place.
    """
    busy = lock.describe_holder(run.holder)
    run.queue, is_first = lock.try_lock(f"{run.place.state}/{LOCKS}/{_name(run, lock.WAITING)}")
    if not is_first:
        waiter, is_first = lock.await_holder(run.queue)
    if not is_first:
        posix.close(run.queue)
        run.queue = -1
        if scheduled in waiter.slots:
            return Ending(OK, "", 0)
        return Ending(SKIPPED, f"{busy}; run {waiter.run_id} waits already", 0)
    run.stopper = Stopper()
    record_wait(run, scheduled, busy)
    ending = _wait(run, busy, run.stopper)
    if ending is None and scheduled in run.holder.slots:
        ending = Ending(OK, "", 0)
    if ending is None:
        run.begin(time.time())
    elif ending.outcome == STOPPED:
        _keep_place(run)
    else:
        leave_queue(run)
    return ending


def leave_queue(run: Run) -> None:
    """Let another wait."""
    keep_record(run, run.queue, lock.LockRecord(), lock.clear_lock)
    lock.unlock(run.queue)
    posix.close(run.queue)
    run.queue = -1


def find_room(run: Run, scheduled: str, *, is_free: bool) -> Ending | None:
    """Take the first lock of the plan that is free; returns as `wait_turn` does, and never waits.

    `is_free` says that the plan's own lock is ours: then it is only seen to that no run beside it has the slot.
    """
    busy = lock.describe_holder(run.holder)
    if not is_free and not run.holder.run_id:
        return Ending(SKIPPED, f"{busy}, which may have this very slot", 0)
    for number in range(1, MOST_AT_ONCE):
        name = _name(run, str(number))
        path = f"{run.place.state}/{LOCKS}/{name}"
        if is_free and lock.find_lock(path) is None:
            return None
        descriptor, is_ours = lock.try_lock(path)
        record, is_ours = (lock.read_lock(descriptor), True) if is_ours else lock.await_holder(descriptor)
        if scheduled in record.slots:
            return Ending(OK, "", 0)
        if not is_ours and not record.run_id:
            return Ending(SKIPPED, f"{lock.describe_holder(record)}, which may have this very slot", 0)
        if is_free or not is_ours or lock.is_held(record, run.boot_id):
            posix.close(descriptor)
            continue
        posix.close(run.lock)
        run.lock, run.lock_name, run.holder = descriptor, name, record
        is_free = True
    return None if is_free else Ending(SKIPPED, f"{MOST_AT_ONCE} runs of it go on, among them {busy}", 0)


def _wait(run: Run, busy: str, stopper: Stopper) -> Ending | None:
    """Look after the lock until it is ours (None), our patience is over or a signal has come."""
    plan = run.plan
    limit_s, code = plan.timeout_s or float("inf"), 0
    if plan.overlap == "replace":
        limit_s, code = plan.grace_s + _REPLACE_MARGIN_S, CODE_TRY_LATER
        _ask_to_end(run)
    begun, look_s = time.monotonic(), _LOOK_S
    while not _try_turn(run):
        left_s = begun + limit_s - time.monotonic()
        if left_s <= 0:
            return Ending(SKIPPED, f"waited {limit_s:g} s for {busy}", code)
        if not stopper.sleep(min(look_s, left_s)):
            return Ending(STOPPED, REASON_SHUTDOWN, CODE_STOPPED)
        look_s = min(look_s * 1.5, _LONGEST_LOOK_S)
    return None


def _try_turn(run: Run) -> bool:
    """Take the plan's lock if no process of its last holder lives; one that dropped it counts too (RUN-10)."""
    if not lock.take_lock(run.lock):
        return False
    run.holder = lock.read_lock(run.lock)
    if lock.is_held(run.holder, run.boot_id):
        lock.unlock(run.lock)
        return False
    return True


def _ask_to_end(run: Run) -> None:
    from runner.launch.stops import write_stop
    from runner.launch.tree import signal_all

    holder = run.holder
    try:
        write_stop(run.place.state, run.plan.name, holder.run_id, "", f"replaced by {run.id}", time.time())
    except OSError:
        pass  # it ends all the same, and its reason is the signal
    if holder.wrapper and holder.boot_id == run.boot_id:
        signal_all([holder.wrapper], 15)


def _keep_place(run: Run) -> None:
    """Make the place in the queue the lock of a run that ends there: that of the plan is another's."""
    posix.close(run.lock)
    run.lock, run.lock_name, run.queue = run.queue, _name(run, lock.WAITING), -1
    run.holder = lock.read_lock(run.lock)


def _name(run: Run, suffix: str) -> str:
    return f"{run.plan.name}{lock.BESIDE}{suffix}"
