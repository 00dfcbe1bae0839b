"""Whether locks work where the state directory is (FAULT-20)."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from runner.home.locks import find_file_system, find_lock_trouble

MOUNTS = """\
21 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 21 0:40 / /data rw shared:5 - nfs4 server:/data rw
31 30 0:41 / /data/local rw - tmpfs tmpfs rw
32 21 0:42 / /with\\040blank rw - xfs /dev/vdb rw
33 21 0:43 / /hidden rw - ext4 /dev/vdc rw
34 33 0:44 / /hidden rw - cifs //server/x rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home", "ext4"),
        ("/data", "nfs4"),
        ("/data/x/y", "nfs4"),
        ("/database", "ext4"),
        ("/data/local/state", "tmpfs"),
        ("/with blank/x", "xfs"),
        ("/hidden/x", "cifs"),
    ],
)
def test_the_innermost_and_last_mount_says_the_type(path: str, kind: str) -> None:
    assert find_file_system(MOUNTS, path) == kind


def test_locks_work_here_whether_or_not_the_directory_is_there(tmp_path: Path) -> None:
    assert find_lock_trouble(tmp_path / "state" / "locks") == ""
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_is_held_is_a_lock_that_works(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert find_lock_trouble(tmp_path) == ""
    os.close(descriptor)


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"])
def test_a_file_system_of_another_host_is_refused(tmp_path: Path, kind: str) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 0 0:1 / / rw - {kind} server rw\n")
    assert find_lock_trouble(tmp_path, mounts) == f"it is on {kind}"


def test_a_file_system_that_knows_no_locks_is_refused(tmp_path: Path) -> None:
    def flock(descriptor: int, how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    assert find_lock_trouble(tmp_path, flock=flock) == "No locks available"
