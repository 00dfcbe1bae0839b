"""The state directory: every name in it, declared once, and how its files are replaced.

The directory is ``state:`` of ``envs/site.yaml``, on a local disk, mode 0700. Only names stand here;
who owns the format of a file says so in its own module.
"""

from __future__ import annotations

import posix

JOURNAL = "journal"
LOCKS = "locks"
LOGS = "logs"
HEALTH = "health"
OUTBOX = "outbox"
PAUSES = "pauses"
STOPS = "stops"
SNAPSHOTS = "snapshots"
WORK = "work"
BACKUPS = "backups"
PRODUCTS = "products"

DIRECTORIES = (JOURNAL, LOCKS, LOGS, HEALTH, OUTBOX, PAUSES, STOPS, SNAPSHOTS, WORK, BACKUPS, PRODUCTS)

INSTALLED = "installed"
SWEEP_ALIVE = "sweep.alive"
DATABASE = "runner.db"
REJECTED = "rejected.jsonl"
RESERVE = "reserve"
DRAINED = "drained"
OPEN_RUNS = "open"
COUNTED_RUNS = "counted"
LATEST_LOG = "latest.log"
# The end of a name that is about to be replaced: what a killed writer leaves of it the sweep removes.
TEMPORARY = ".tmp"


def make_state(root: str) -> None:
    """Create the state directory and what stands in it, private to its owner (SEC-6); idempotent."""
    missing = []
    parent = root
    while parent and not _is_there(parent):
        missing.append(parent)
        parent = parent.rpartition("/")[0]
    for path in reversed(missing):
        make_directory(path)
    for name in DIRECTORIES:
        make_directory(f"{root}/{name}")


def with_state(root: str, act: Callable[[], T]) -> T:
    """Return what `act` returns; where a part of the state directory was missing, that is made first."""
    try:
        return act()
    except FileNotFoundError:
        make_state(root)
        return act()


def make_directory(path: str, mode: int = 0o700) -> None:
    """Create one directory, private to its owner, unless it is there."""
    try:
        posix.mkdir(path, mode)
    except FileExistsError:
        pass


def open_own(path: str, flags: int) -> int:
    """Open or create a file of ours that is changed where it is; return its descriptor.

    PermissionError if it is not a regular file of this user with one link: somebody planted it (SEC-6, SEC-18).
    """
    kept = posix.O_CREAT | posix.O_NOFOLLOW | posix.O_CLOEXEC | posix.O_NONBLOCK
    descriptor = posix.open(path, flags | kept, 0o600)
    status = posix.fstat(descriptor)
    if status.st_mode >> 12 != 0o10 or status.st_nlink != 1 or status.st_uid != posix.geteuid():
        posix.close(descriptor)
        raise PermissionError(1, "not a regular file of this user with one link", path)
    return descriptor


def read_file(path: str) -> bytes | None:
    """Return the bytes of a file, or None if there is none; every other trouble is an OSError."""
    try:
        descriptor = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NOFOLLOW | posix.O_NONBLOCK)
    except FileNotFoundError:
        return None
    try:
        data = posix.read(descriptor, 65536)
        while len(data) % 65536 == 0 and (more := posix.read(descriptor, 65536)):
            data += more
        return data
    finally:
        posix.close(descriptor)


def write_file(path: str, data: bytes, mode: int = 0o600, *, sync: bool = True) -> None:
    """Replace a file by rename, so that a reader sees the old bytes or the new ones and never a part.

    Without `sync` a power loss (but no crash of ours) may leave either, or an empty file.
    """
    temporary = f"{path}.{posix.getpid()}{TEMPORARY}"
    flags = posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_CLOEXEC | posix.O_NOFOLLOW
    try:
        descriptor = posix.open(temporary, flags, mode)
    except FileExistsError:
        posix.unlink(temporary)  # of a process that was killed and had our pid, or planted
        descriptor = posix.open(temporary, flags, mode)
    try:
        try:
            write_all(descriptor, data)
            if sync:
                posix.fsync(descriptor)
        finally:
            posix.close(descriptor)
        posix.rename(temporary, path)
    except OSError:
        posix.unlink(temporary)
        raise


def lock_directory(path: str) -> int:
    """Return the descriptor of a locked directory: of two who change what is in it one waits until it is closed."""
    import fcntl

    directory = posix.open(path, posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC)
    fcntl.flock(directory, fcntl.LOCK_EX)
    return directory


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of `data`, however many calls the kernel wants for it."""
    written = posix.write(descriptor, data)
    while written < len(data):
        data = data[written:]
        written = posix.write(descriptor, data)


def _is_there(path: str) -> bool:
    try:
        posix.stat(path)
    except FileNotFoundError:
        return False
    return True


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")
