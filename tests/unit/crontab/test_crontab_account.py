"""One lock for all who write a crontab."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from runner.crontab.account import LOCK, lock_crontab, take_lock
from runner.errors import TryLater


def test_a_second_install_waits_and_gives_up(tmp_path: Path):
    """CRON-47."""
    held = take_lock(tmp_path)
    with pytest.raises(TryLater, match="another install holds"):
        take_lock(tmp_path, wait_s=0.1)
    os.close(held)


def test_a_freed_lock_can_be_had_at_once(tmp_path: Path):
    os.close(take_lock(tmp_path))
    os.close(take_lock(tmp_path, wait_s=0))


def test_a_killed_holder_leaves_no_lock(tmp_path: Path):
    """CRON-52."""
    child = os.fork()
    if child == 0:
        take_lock(tmp_path)
        os.kill(os.getpid(), 9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
    os.close(take_lock(tmp_path, wait_s=0))


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path):
    """SEC-6."""
    (tmp_path / LOCK).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TryLater, match="cannot lock the crontab"):
        take_lock(tmp_path)
    assert not (tmp_path / "elsewhere").exists()


def make_account(home: Path) -> pwd.struct_passwd:
    return pwd.struct_passwd(("ql", "x", os.getuid(), os.getgid(), "", str(home), "/bin/sh"))


def close(lock: int | None) -> None:
    assert lock is not None
    os.close(lock)


def test_all_homes_of_an_account_share_the_lock_in_its_home_directory(tmp_path: Path):
    """CRON-47: per user."""
    close(lock_crontab(make_account(tmp_path), tmp_path / "state"))
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_an_account_without_a_home_directory_is_locked_in_its_state(tmp_path: Path):
    close(lock_crontab(make_account(tmp_path / "nonexistent"), tmp_path / "state"))
    assert (tmp_path / "state/locks" / LOCK).exists()
