"""Which process is meant by a pid: pids are reused, so its start time and the boot it belongs to count too (RUN-34)."""

from __future__ import annotations

import posix

_BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Identity:
    """A process that may be gone: ``started`` is field 22 of ``/proc/PID/stat``, in clock ticks since boot."""

    __slots__ = ("pid", "started")

    def __init__(self, pid: int, started: int) -> None:
        self.pid = pid
        self.started = started

    def __str__(self) -> str:
        return f"{self.pid} {self.started}"


def parse_identity(text: str) -> Identity:
    """Return what ``str(identity)`` wrote; ValueError for all else."""
    pid, _, started = text.partition(" ")
    return Identity(int(pid), int(started))


def read_boot_id() -> str:
    """Return the id of this boot: a record of another boot names no living process."""
    return _read(_BOOT_ID).decode().strip()


def identify(pid: int) -> Identity:
    """Return the identity of a process; ProcessLookupError if it is gone."""
    return Identity(pid, read_stat(pid)[1])


def is_alive(identity: Identity) -> bool:
    """Whether that very process still runs; a zombie does not."""
    try:
        state, started, _ = read_stat(identity.pid)
    except ProcessLookupError:
        return False
    return started == identity.started and state != "Z"


def read_stat(pid: int) -> tuple[str, int, int]:
    """Return state letter, start time in ticks and parent pid; ProcessLookupError if it is gone.

    The name of a process stands in parentheses and may hold any character: everything is counted from
    the last one (proc(5)).
    """
    try:
        text = _read(f"/proc/{pid}/stat")
    except FileNotFoundError:
        raise ProcessLookupError(3, "No such process", str(pid)) from None
    fields = text[text.rindex(b")") + 2 :].split(b" ", 20)
    return fields[0].decode(), int(fields[19]), int(fields[1])


def read_command(pid: int) -> str:
    """Return the command line of a process, for people; empty if it is gone."""
    try:
        return _read(f"/proc/{pid}/cmdline").rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "backslashreplace")
    except OSError:
        return ""


def count_oom_kills() -> int | None:
    """Return how often the kernel has killed for memory in this process's cgroup; None where it does not say."""
    try:
        group = _read("/proc/self/cgroup").decode().rpartition("0::")[2].strip()
        events = _read(f"/sys/fs/cgroup{group}/memory.events").decode().split()
        return int(events[events.index("oom_kill") + 1])
    except (OSError, ValueError):
        return None


def _read(path: str) -> bytes:
    descriptor = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    try:
        return posix.read(descriptor, 4096)
    finally:
        posix.close(descriptor)
