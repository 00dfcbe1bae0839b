"""Whether what comes fits on the file system of the destination (ARCH-15)."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

from runner.archive.fetch.retry import NoRoom

_FULL = (errno.ENOSPC, errno.EDQUOT)


class Disk:
    """The file system of a destination, and what is still to be written to it by the fetches of this call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mutex = threading.Lock()
        self._expected: dict[str, int] = {}

    def reserve(self, name: str, size_bytes: int) -> None:
        """Count with so many bytes more of a file; `NoRoom` if they will not fit beside those of the others."""
        status = os.statvfs(self._path)
        free_bytes = status.f_bavail * status.f_frsize
        with self._mutex:
            missing_bytes = size_bytes + sum(self._expected.values()) - free_bytes
            if size_bytes and missing_bytes > 0:
                raise NoRoom(self._describe(missing_bytes))
            self._expected[name] = size_bytes

    def note(self, name: str, left_bytes: int) -> None:
        """Say how many bytes of a file are still to come."""
        with self._mutex:
            self._expected[name] = left_bytes

    def release(self, name: str) -> None:
        """Count no more with a file."""
        with self._mutex:
            self._expected.pop(name, None)

    def explain(self, error: OSError, missing_bytes: int | None) -> NoRoom | None:
        """Return what to say of a write that failed, if it is for want of room: the disk's, or the user's share."""
        if error.errno not in _FULL:
            return None
        return NoRoom(self._describe(missing_bytes, "the quota on " * (error.errno == errno.EDQUOT)))

    def _describe(self, missing_bytes: int | None, what: str = "") -> str:
        missing = "" if missing_bytes is None else f": {missing_bytes} bytes are missing"
        return f"no space left for it: {what}{find_mount(self._path)}{missing}"


def find_mount(path: Path) -> Path:
    """Return where the file system of `path` is mounted."""
    path = path.resolve()
    return next(one for one in (path, *path.parents) if os.path.ismount(one))
