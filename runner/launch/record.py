"""A small file that one process changes in place under ``flock`` while others may read it.

It is never replaced and never unlinked, so that a lock on it always means the same file (RUN-8). The last
line is ``.``: what stands behind it was left by a longer record and does not count.
"""

from __future__ import annotations

import posix

from runner.launch import lines
from runner.launch.state import open_own

_MAX_BYTES = 65536
_END = b".\n"


def open_record(path: str) -> int:
    """Open or create a record for reading and writing, as `open_own`; return its descriptor."""
    return open_own(path, posix.O_RDWR)


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
