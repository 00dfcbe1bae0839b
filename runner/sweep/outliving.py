"""A job that outlived its wrapper has nobody to watch its time: the sweep ends it at start + timeout (RUN-17)."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from runner.launch.instant import parse_instant
from runner.launch.lock import LockRecord
from runner.launch.process import Identity, is_alive, read_stat
from runner.launch.tree import find_session, signal_all, terminate

_SIGKILL, _SIGSTOP = 9, 19
# How long one sweep waits for a job to end, and then for the kernel to kill it; the next one goes on.
_MOST_GRACE_S, _KILL_S = 10.0, 5.0


def end_if_over(record: LockRecord, timeout_s: float, grace_s: float, now: float) -> None:
    """End what is left of a run whose wrapper is gone and whose time is over: TERM, and after `grace_s` KILL.

    Parameters
    ----------
    timeout_s
        0: it may run for ever.
    now
        POSIX seconds.
    """
    is_watched = record.wrapper is not None and is_alive(record.wrapper)
    deadline = parse_instant(record.since) + timeout_s
    if is_watched or not timeout_s or now < deadline:
        return
    terminate(find_processes(record))
    begun = time.monotonic()
    while find_processes(record) and (waited_s := time.monotonic() - begun) < min(grace_s, _MOST_GRACE_S):
        time.sleep(min(0.05, grace_s - waited_s))
    if now + time.monotonic() - begun >= deadline + grace_s:
        kill(record)


def find_processes(record: LockRecord) -> list[Identity]:
    """Return the living processes of a run: its job, all below it, its session, and whoever has its environment.

    The environment finds those that left the session after the job had ended; nobody else carries the run id.
    """
    found = {one.pid: one for one in _find_marked(record.run_id)}
    if record.job and is_alive(record.job):
        found |= {one.pid: one for one in find_session(record.job)}
    return list(found.values())


def _find_marked(run_id: str) -> list[Identity]:
    mark = f"RUNNER_RUN_ID={run_id}".encode()
    found = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdecimal() and mark in _read_environment(directory):
            with suppress(ProcessLookupError):
                found.append(Identity(int(directory.name), read_stat(int(directory.name))[1]))
    return [one for one in found if is_alive(one)]


def _read_environment(directory: Path) -> list[bytes]:
    try:
        return (directory / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def kill(record: LockRecord) -> None:
    """Kill what is left of a run; all are stopped before any is killed: no fork bomb can outrun it (RUN-31)."""
    until = time.monotonic() + _KILL_S
    while (left := find_processes(record)) and time.monotonic() < until:
        signal_all(left, _SIGSTOP)
        signal_all(find_processes(record), _SIGKILL)
        time.sleep(0.01)
