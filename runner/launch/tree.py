"""A whole tree of processes: finding it, ending it, and what it left behind (RUN-31, RUN-33).

The caller is a *child subreaper*: whatever a job starts, daemons with a session of their own included,
ends up below it when its parent dies. ``killpg`` alone missed three of five such trees.
"""

from __future__ import annotations

import posix
import time

from runner.launch.process import Identity, is_alive, read_command, read_stat

_SIGKILL, _SIGTERM, _SIGCONT, _SIGSTOP = 9, 15, 18, 19
# How long a kill may take before we stop waiting: a process in uninterruptible sleep dies when its disk answers.
_KILL_S = 5.0


def find_descendants(root: int) -> list[Identity]:
    """Return all living processes below `root`, parents before children; zombies do not count."""
    children: dict[int, list[Identity]] = {}
    for name in posix.listdir("/proc"):
        if name.isdecimal():
            try:
                state, started, parent = read_stat(int(name))
            except (ProcessLookupError, PermissionError):
                continue
            if state != "Z":
                children.setdefault(parent, []).append(Identity(int(name), started))
    found: list[Identity] = []
    parents = [root]
    while parents:
        below = [child for parent in parents for child in children.get(parent, [])]
        found += below
        parents = [child.pid for child in below]
    return found


def find_session(leader: Identity) -> list[Identity]:
    """Return `leader`, its descendants and all processes of its session: what is left of a job without its wrapper."""
    found = {one.pid: one for one in find_descendants(leader.pid)}
    for name in posix.listdir("/proc"):
        if name.isdecimal():
            try:
                if posix.getsid(int(name)) == leader.pid:
                    found[int(name)] = Identity(int(name), read_stat(int(name))[1])
            except (ProcessLookupError, PermissionError):
                continue
    return [one for one in found.values() if is_alive(one)]


def signal_all(processes: list[Identity], number: int) -> None:
    """Send a signal to each process that is still the one that was meant (RUN-34)."""
    for process in processes:
        try:
            descriptor = posix.pidfd_open(process.pid)
        except (ProcessLookupError, OSError):
            continue
        try:
            if is_alive(process):
                _send(descriptor, number)
        finally:
            posix.close(descriptor)


def terminate(processes: list[Identity]) -> None:
    """Ask the processes to end; a stopped one is continued, or it would not hear."""
    signal_all(processes, _SIGTERM)
    signal_all(processes, _SIGCONT)


def terminate_group(leader: int, processes: list[Identity]) -> None:
    """Ask the process group of `leader`, a child not yet waited for, and those `processes` that left it to end.

    To a group the kernel sends a signal in one step. A shell that forks in this very moment is ended with its
    child; among single processes that child would be missed.
    """
    terminate([one for one in processes if _read_group(one.pid) != leader])
    for number in (_SIGTERM, _SIGCONT):
        try:
            posix.killpg(leader, number)
        except (ProcessLookupError, PermissionError):
            pass  # all of it belongs to another user by now


def kill_below(root: int) -> None:
    """Kill every descendant of `root` until none is left.

    All are stopped before any is killed, so that a fork bomb cannot outrun it; what appears meanwhile is
    met in the next round. Whoever waits for them collects them.
    """
    until = time.monotonic() + _KILL_S
    while (processes := find_descendants(root)) and time.monotonic() < until:
        signal_all(processes, _SIGSTOP)
        signal_all(find_descendants(root), _SIGKILL)
        time.sleep(0.002)


def describe(process: Identity) -> str:
    """Return ``pid 4242 "sleep 999"``, on one line."""
    command = "".join([c if c.isprintable() else "?" for c in read_command(process.pid)[:200]])
    return f'pid {process.pid} "{command}"'


def _read_group(pid: int) -> int:
    try:
        return posix.getpgid(pid)
    except ProcessLookupError:
        return 0


def _send(descriptor: int, number: int) -> None:
    import _signal

    try:
        _signal.pidfd_send_signal(descriptor, number)
    except (ProcessLookupError, PermissionError):
        pass
