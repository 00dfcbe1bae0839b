"""The account that jobs run as: its rights, taken on by root, who acts for it (SEC-6)."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.errors import UserError


def get_account(user: str) -> pwd.struct_passwd:
    """Return the account of that name; UserError if the password database has none."""
    try:
        return pwd.getpwnam(user)
    except KeyError:
        raise UserError(f"this host has no user {user}") from None


def find_owner(directory: Path) -> pwd.struct_passwd:
    """Return the account that a directory belongs to; UserError if the password database does not know it."""
    uid = directory.stat().st_uid
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise UserError(f"{directory} belongs to uid {uid}, of which the password database knows nothing") from None


def get_owner(directory: Path, otherwise: pwd.struct_passwd) -> pwd.struct_passwd:
    """Return the account that a directory belongs to: what root writes there must be its, not the crontab's user's."""
    try:
        return pwd.getpwuid(directory.stat().st_uid)
    except KeyError:
        return otherwise


@contextmanager
def acting_as(account: pwd.struct_passwd) -> Iterator[None]:
    """Create files as `account` where root does another user's work, else change nothing.

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
