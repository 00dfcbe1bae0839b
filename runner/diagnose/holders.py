"""Who holds a lock, seen without trying it: whoever wants it just then would take us for another."""

from __future__ import annotations

import os
from pathlib import Path


def find_holders(paths: list[Path]) -> dict[Path, int]:
    """Return which of these files are locked by flock(2), and by which process (proc_locks(5)).

    A process that inherited the lock is not named, and none that this user may not look at.
    """
    inodes = {os.stat(path).st_ino: path for path in paths if path.exists()}  # noqa: PTH116
    found = {}
    for line in Path("/proc/locks").read_text().splitlines():
        fields = line.split()
        if "->" in fields or fields[1] != "FLOCK":
            continue
        pid, inode = int(fields[4]), int(fields[5].rpartition(":")[2])
        # The device stands there as the file system has it, which is not that of stat(2) on each; so the file is asked.
        if inode in inodes and _has_open(pid, inodes[inode]):
            found[inodes[inode]] = pid
    return found


def _has_open(pid: int, path: Path) -> bool:
    try:
        links = list(Path(f"/proc/{pid}/fd").iterdir())
        return any(link.exists() and link.samefile(path) for link in links)
    except OSError:
        return False
