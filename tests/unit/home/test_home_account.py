"""What root does for an account belongs to that account."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from runner.errors import UserError
from runner.home.account import acting_as, find_owner, get_account, get_owner


def test_an_unknown_user_is_the_users_mistake():
    with pytest.raises(UserError, match="no user no-such-user"):
        get_account("no-such-user")


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


def test_what_is_written_into_a_directory_shall_belong_to_its_owner(tmp_path: Path):
    assert get_owner(tmp_path, get_account("nobody")).pw_uid == os.getuid()


@pytest.mark.skipif(os.geteuid() != 0, reason="root")
def test_a_directory_whose_owner_has_no_login_is_written_by_the_crontabs_user(tmp_path: Path):
    os.chown(tmp_path, 54321, 54321)
    assert get_owner(tmp_path, get_account("nobody")).pw_name == "nobody"
    with pytest.raises(UserError, match=f"^{tmp_path} belongs to uid 54321, of which the password database"):
        find_owner(tmp_path)
