"""The account whose crontab we keep: its rights, and one lock for all who write its crontab (CRON-47)."""

from __future__ import annotations

import fcntl
import os
import pwd
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.errors import TryLater, UserError
from runner.launch.state import LOCKS, make_state

LOCK = ".runner-crontab.lock"
LOCK_WAIT_S = 10.0


def get_account(user: str) -> pwd.struct_passwd:
    """Return the account of that name; UserError if the password database has none."""
    try:
        return pwd.getpwnam(user)
    except KeyError:
        raise UserError(f"this host has no user {user}") from None


def get_owner(directory: Path, otherwise: pwd.struct_passwd) -> pwd.struct_passwd:
    """Return the account that a directory belongs to: what root writes there must be its, not the crontab's user's."""
    try:
        return pwd.getpwuid(directory.stat().st_uid)
    except KeyError:
        return otherwise


@contextmanager
def acting_as(account: pwd.struct_passwd) -> Iterator[None]:
    """Create files as `account` where root keeps another user's crontab, else change nothing.

    What root left in a state directory (a journal file of today) the user's own jobs could not write to;
    and a link planted there would lead root astray.
    """
    if os.geteuid() != 0 or account.pw_uid == 0:
        yield
        return
    groups, group = os.getgroups(), os.getegid()
    os.setgroups(os.getgrouplist(account.pw_name, account.pw_gid))
    os.setegid(account.pw_gid)
    os.seteuid(account.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def lock_crontab(account: pwd.struct_passwd, state: Path | None) -> int:
    """Return the descriptor of the one lock of an account's crontab, in its home, which all its homes of ours share.

    The state directory serves an account that has no home to write in; two homes of such an account have
    only the second reading between them (FAULT-47). Raises as `take_lock` does.
    """
    with acting_as(account):
        if state is None or os.access(account.pw_dir, os.W_OK | os.X_OK, effective_ids=True):
            return take_lock(Path(account.pw_dir))
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
