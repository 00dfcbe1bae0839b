"""``journal/reserve``: room set aside while there was some, for the records of a full disk (RUN-15).

A file of `SIZE_BYTES`, all of it allocated: events are written over its NULs, which takes no new block. The sweep
moves them into the journal when that can be written again; an event that is in both is one event, by its keys.
"""

from __future__ import annotations

import fcntl
import posix

from runner.launch.record import open_record
from runner.launch.state import JOURNAL, RESERVE, write_all

SIZE_BYTES = 1 << 20
# No space left, and none left of our quota.
FULL = (28, 122)
_CHUNK_BYTES = 65536

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def make_reserve(state: str) -> None:
    """Allocate the reserve unless it is there; OSError if there is no room for it."""
    if not needs_reserve(state):
        return
    descriptor = open_record(f"{state}/{JOURNAL}/{RESERVE}")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        posix.posix_fallocate(descriptor, 0, SIZE_BYTES)
    finally:
        posix.close(descriptor)


def needs_reserve(state: str) -> bool:
    """Whether the reserve is still to be allocated."""
    try:
        return posix.stat(f"{state}/{JOURNAL}/{RESERVE}").st_size < SIZE_BYTES
    except FileNotFoundError:
        return True


def append_to_reserve(state: str, record: bytes) -> None:
    """Write an encoded event behind those that are there, synced; OSError if there is no room."""
    descriptor = open_record(f"{state}/{JOURNAL}/{RESERVE}")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        end = len(_read_events(descriptor))
        if end + len(record) > posix.fstat(descriptor).st_size:
            raise OSError(FULL[0], "No space left on device", f"{JOURNAL}/{RESERVE}")
        posix.pwrite(descriptor, record, end)
        posix.fdatasync(descriptor)
    finally:
        posix.close(descriptor)


def has_events(state: str) -> bool:
    """Whether something waits in the reserve."""
    try:
        descriptor = posix.open(f"{state}/{JOURNAL}/{RESERVE}", posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        return posix.pread(descriptor, 1, 0) not in (b"", b"\0")
    finally:
        posix.close(descriptor)


def empty_reserve(state: str, keep: Callable[[bytes], None]) -> None:
    """Give the events to `keep` and then wipe them out; what `keep` raises leaves them where they are."""
    descriptor = open_record(f"{state}/{JOURNAL}/{RESERVE}")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if events := _read_events(descriptor):
            keep(events)
            posix.lseek(descriptor, 0, 0)
            write_all(descriptor, bytes(len(events)))
            posix.fdatasync(descriptor)
    finally:
        posix.close(descriptor)


def _read_events(descriptor: int) -> bytes:
    """Return what stands before the first NUL: an encoded event has none (JSON in ASCII)."""
    data = b""
    while chunk := posix.pread(descriptor, _CHUNK_BYTES, len(data)):
        data += chunk
        if b"\0" in chunk:
            break
    return data.partition(b"\0")[0]
