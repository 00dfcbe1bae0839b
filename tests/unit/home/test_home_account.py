"""What root does for an account belongs to that account."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from runner.errors import UserError
from runner.home.account import acting_as, get_account


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
