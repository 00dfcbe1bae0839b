"""Whether locks work where the state directory is: without them two runs of a job could overlap (FAULT-20)."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")

# What another host holds is not seen there, or only if servers and options are right; and a server may go away.
_NETWORK = re.compile(r"nfs\d?|cifs|smb\d?|smbfs|afs|9p|ncpfs|coda|fuse\.sshfs")
_ESCAPE = re.compile(r"\\([0-7]{3})")


def find_lock_trouble(
    directory: Path, mounts: Path | None = None, flock: Callable[[int, int], None] = fcntl.flock
) -> str:
    """Return why locks below a directory, there or not yet, cannot be relied on; an empty text if they can."""
    there = next(path for path in (directory, *directory.parents) if path.is_dir()).resolve()
    kind = find_file_system((mounts or MOUNTS).read_text(errors="surrogateescape"), str(there))
    if _NETWORK.fullmatch(kind):
        return f"it is on {kind}"
    descriptor = os.open(there, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return ""
    except OSError as error:
        return error.strerror or str(error)
    finally:
        os.close(descriptor)
    return ""


def find_file_system(mountinfo: str, path: str) -> str:
    """Return the type of the file system that a real path is on, as ``/proc/self/mountinfo`` names it; may be empty."""
    best, kind = -1, ""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        point = _ESCAPE.sub(lambda match: chr(int(match[1], 8)), before.split(" ")[4]).rstrip("/")
        if (path == point or path.startswith(f"{point}/")) and len(point) >= best:  # a later mount hides an earlier
            best, kind = len(point), after.split(" ")[0]
    return kind
