"""A small file that one process changes in place under ``flock`` while others may read it.

It is never replaced and never unlinked, so that a lock on it always means the same file (RUN-8). The last
line is ``.``: what stands behind it was left by a longer record and does not count.
"""

from __future__ import annotations

import posix

from runner.launch import lines

_MAX_BYTES = 65536
_END = b".\n"


def open_record(path: str) -> int:
    """Open or create a record for reading and writing; return its descriptor.

    PermissionError if it is not a regular file of ours with one link: somebody planted it (SEC-6, SEC-18).
    """
    flags = posix.O_RDWR | posix.O_CREAT | posix.O_NOFOLLOW | posix.O_CLOEXEC | posix.O_NONBLOCK
    descriptor = posix.open(path, flags, 0o600)
    stat = posix.fstat(descriptor)
    if stat.st_mode >> 12 != 0o10 or stat.st_nlink != 1 or stat.st_uid != posix.geteuid():
        posix.close(descriptor)
        raise PermissionError(1, "not a regular file of this user with one link", path)
    return descriptor


def read_record(descriptor: int) -> list[tuple[str, str]]:
    """Return the pairs of an open record; none if it is new or torn."""
    return decode_record(posix.pread(descriptor, _MAX_BYTES, 0))


def decode_record(data: bytes) -> list[tuple[str, str]]:
    """Return the pairs of a record's bytes."""
    body, end, _ = data.partition(b"\n" + _END)
    return lines.decode(body + b"\n") if end else []


def write_record(descriptor: int, pairs: list[tuple[str, str]]) -> None:
    """Replace the pairs of an open record."""
    data = lines.encode(pairs) + _END
    posix.pwrite(descriptor, data, 0)
    posix.ftruncate(descriptor, len(data))
