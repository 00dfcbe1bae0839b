"""One run of a plan at a time: ``locks/<plan>``, who holds it, and which slots were started (RUN-8 to RUN-10).

The lock is the kernel's (``flock``) and is inherited by the job, so it cannot go stale and cannot be lost
while any part of the job lives. What the file says serves three purposes: it names the holder to people;
it tells a job that dropped the descriptor (tcsh closes all above 2) from one that ended; and it carries
the run's ``start`` event, so that a run can be closed truthfully even if nothing else was written.
"""

from __future__ import annotations

import fcntl
import posix
import time

from runner.launch.process import Identity, is_alive, parse_identity
from runner.launch.record import decode_record, open_record, read_record, write_record
from runner.launch.state import read_file

KEPT_SLOTS = 16
# Further lock files of a plan: ``<plan>+wait`` of who waits, ``<plan>+1``, ``+2`` ... of runs beside each other. No
# name of a plan has a plus.
BESIDE, WAITING = "+", "wait"
_NAMELESS_S = 5.0


class LockRecord:
    """What a lock file says.

    ``slots`` are the newest 16 scheduled slots that were started, oldest first. All else belongs to the run
    that holds it and is empty after its end: ``boot_id``, ``wrapper`` and ``job`` (None before the spawn),
    ``since`` and ``start``, the JSON text of its ``start`` event.
    """

    __slots__ = ("boot_id", "job", "run_id", "since", "slots", "start", "wrapper")

    def __init__(self) -> None:
        self.slots: list[str] = []
        self.run_id = ""
        self.boot_id = ""
        self.wrapper: Identity | None = None
        self.job: Identity | None = None
        self.since = ""
        self.start = ""


def try_lock(path: str) -> tuple[int, bool]:
    """Open a lock file and try to take it; return its descriptor and whether it is ours now.

    OSError if the file cannot be opened or trusted, or its file system knows no locks (RUN-12).
    """
    descriptor = open_record(path)
    return descriptor, take_lock(descriptor)


def take_lock(descriptor: int) -> bool:
    """Try to take the lock of an open lock file; return whether it is ours now."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def await_holder(descriptor: int) -> tuple[LockRecord, bool]:
    """Return what the file of a busy lock says once it names a run, and whether the lock has become ours meanwhile.

    Who has just taken the lock has still to write its name, and which slot it started; who is about to free
    it has wiped that out already. Neither lasts: after `_NAMELESS_S` the record is returned as it is.
    """
    until = time.monotonic() + _NAMELESS_S
    while not (record := read_lock(descriptor)).run_id and time.monotonic() < until:
        time.sleep(0.002)
        if take_lock(descriptor):
            return read_lock(descriptor), True
    return record, False


def unlock(descriptor: int) -> None:
    """Free the lock for all who inherited it, so that a survivor never blocks the next run (RUN-33)."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)


def hold_release(home: str) -> bool:
    """Keep a release from being removed while this run or a process of its job lives (RUN-26); whether that worked."""
    try:
        descriptor = posix.open(home, posix.O_RDONLY | posix.O_DIRECTORY)
        posix.set_inheritable(descriptor, True)
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def read_lock(descriptor: int) -> LockRecord:
    """Return what an open lock file says."""
    return _parse_lock(read_record(descriptor))


def find_lock(path: str) -> LockRecord | None:
    """Return what a lock file says without opening it for the lock; None if there is none."""
    data = read_file(path)
    return None if data is None else _parse_lock(decode_record(data))


def write_lock(descriptor: int, record: LockRecord) -> None:
    """Write what the lock file says; the caller holds the lock."""
    pairs = [("slots", " ".join(record.slots[-KEPT_SLOTS:]))]
    if record.run_id:
        pairs += [("run", record.run_id), ("boot", record.boot_id), ("since", record.since)]
        pairs += [("wrapper", str(record.wrapper))] if record.wrapper else []
        pairs += [("job", str(record.job))] if record.job else []
        pairs.append(("start", record.start))
    write_record(descriptor, pairs)


def clear_lock(descriptor: int, record: LockRecord) -> None:
    """Say that no run holds the lock any more; the slots stay."""
    ended = LockRecord()
    ended.slots = record.slots
    write_lock(descriptor, ended)


def is_held(record: LockRecord, boot_id: str) -> bool:
    """Whether a process of the recorded run still lives in this boot, lock or no lock (RUN-10, RUN-17)."""
    if not record.run_id or record.boot_id != boot_id:
        return False
    return any(who is not None and is_alive(who) for who in (record.job, record.wrapper))


def describe_holder(record: LockRecord) -> str:
    """Return who holds a lock, for people: run, since when, pids."""
    named = (("wrapper", record.wrapper), ("job", record.job))
    pids = ", ".join([f"{name} pid {who.pid}" for name, who in named if who])
    return f"run {record.run_id or 'unknown'} since {record.since or 'just now'}, {pids or 'pid unknown'}"


def _parse_lock(pairs: list[tuple[str, str]]) -> LockRecord:
    record = LockRecord()
    for key, value in pairs:
        if key == "slots":
            record.slots = value.split()
        elif key == "run":
            record.run_id = value
        elif key == "boot":
            record.boot_id = value
        elif key == "since":
            record.since = value
        elif key == "wrapper":
            record.wrapper = _parse_process(value)
        elif key == "job":
            record.job = _parse_process(value)
        elif key == "start":
            record.start = value
    return record


def _parse_process(text: str) -> Identity | None:
    """Return the process of a record; None if a crash or a reader in mid-write left nonsense."""
    try:
        return parse_identity(text)
    except ValueError:
        return None
