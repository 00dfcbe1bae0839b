"""What becomes of processes whose parent has ended: a run is told of those of its job, and collects them (RUN-33)."""

from __future__ import annotations

import posix

_PR_SET_CHILD_SUBREAPER = 36


def become_subreaper(*, is_one: bool = True) -> None:
    """Let orphans of the job become children of this process, or no longer."""
    import _ctypes  # 0.5 ms; ctypes with its type machinery is 2.9

    prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type]
    _ctypes.call_function(prctl, (_PR_SET_CHILD_SUBREAPER, int(is_one), 0, 0, 0))


def reap_orphans(*, but: int = 0) -> bool:
    """Collect children that ended, except `but`, whose waiter wants its status; return whether any child lives on."""
    while True:
        try:
            ended = posix.waitid(posix.P_ALL, 0, posix.WEXITED | posix.WNOHANG | posix.WNOWAIT)
        except ChildProcessError:
            return False
        if ended is None or ended.si_pid == but:
            return True
        posix.waitpid(ended.si_pid, 0)
