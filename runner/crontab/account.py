"""One lock for all who write the crontab of an account (CRON-47)."""

from __future__ import annotations

import fcntl
import os
import pwd
import time
from pathlib import Path

from runner.errors import TryLater
from runner.home.account import acting_as
from runner.launch.state import LOCKS, make_state

LOCK = ".runner-crontab.lock"
LOCK_WAIT_S = 10.0


def lock_crontab(account: pwd.struct_passwd, state: Path | None) -> int | None:
    """Return the descriptor of the one lock of an account's crontab, in its home, which all its homes of ours share.

    The state directory serves an account that has no home to write in; two homes of such an account have
    only the second reading between them (FAULT-47), and so has one whose state directory is gone: None, since
    an uninstall needs nothing but the crontab (CRON-64). Raises as `take_lock` does.
    """
    with acting_as(account):
        if os.access(account.pw_dir, os.W_OK | os.X_OK, effective_ids=True):
            return take_lock(Path(account.pw_dir))
        if state is None:
            return None
        try:
            make_state(str(state))
        except OSError as error:
            raise TryLater(f"cannot lock the crontab: {state}: {error.strerror}") from error
        return take_lock(state / LOCKS)


def take_lock(directory: Path, wait_s: float = LOCK_WAIT_S) -> int:
    """Return the descriptor of the lock in that directory; closing it, or dying, frees the lock.

    Raises
    ------
    TryLater
        If another install holds it for `wait_s`, or there can be no lock.
    """
    path = directory / LOCK
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise TryLater(f"cannot lock the crontab: {path}: {error.strerror}") from error
    deadline = time.monotonic() + wait_s
    try:
        while not _try_lock(descriptor):
            if time.monotonic() >= deadline:
                raise TryLater(f"another install holds {path} since over {wait_s:g} s")
            time.sleep(0.05)
    except OSError as error:
        os.close(descriptor)
        raise TryLater(f"cannot lock the crontab: {path}: {error.strerror}") from error
    except TryLater:
        os.close(descriptor)
        raise
    return descriptor


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
