"""One lock for all who write a crontab, and files that belong to its user."""

from __future__ import annotations

import os
import pwd
import tempfile
from pathlib import Path

import pytest

from runner.crontab.account import LOCK, acting_as, get_account, get_owner, lock_crontab, take_lock
from runner.errors import TryLater, UserError


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


def test_all_homes_of_an_account_share_the_lock_in_its_home_directory(tmp_path: Path):
    """CRON-47: per user."""
    os.close(lock_crontab(make_account(tmp_path), tmp_path / "state"))
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_an_account_without_a_home_directory_is_locked_in_its_state(tmp_path: Path):
    os.close(lock_crontab(make_account(tmp_path / "nonexistent"), tmp_path / "state"))
    assert (tmp_path / "state/locks" / LOCK).exists()


def test_an_unknown_user_is_the_users_mistake():
    with pytest.raises(UserError, match="no user no-such-user"):
        get_account("no-such-user")


def test_what_is_written_into_a_directory_shall_belong_to_its_owner(tmp_path: Path):
    assert get_owner(tmp_path, make_account(tmp_path)).pw_uid == os.getuid()


@pytest.mark.skipif(os.geteuid() != 0, reason="root")
def test_a_directory_whose_owner_has_no_login_is_written_by_the_crontabs_user(tmp_path: Path):
    os.chown(tmp_path, 54321, 54321)
    assert get_owner(tmp_path, make_account(tmp_path)).pw_name == "ql"


@pytest.mark.skipif(os.geteuid() != 0, reason="root")
def test_what_root_leaves_for_another_user_is_that_users():
    """A journal file of root's would shut the user's own jobs out."""
    nobody = get_account("nobody")
    with tempfile.TemporaryDirectory() as directory:
        os.chown(directory, nobody.pw_uid, nobody.pw_gid)
        file = Path(directory, "journal")
        with acting_as(nobody):
            file.touch()
        assert file.stat().st_uid == nobody.pw_uid
    assert os.geteuid() == 0
