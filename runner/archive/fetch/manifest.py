"""``DEST/.manifest.jsonl``: what came from where, with its digest, and what cannot be had (ARCH-6, ARCH-11).

One JSON line a result. Of each name the last line counts that says that it is whole, and one that it failed since.
A line ``begun`` says what the ``.part`` of a name is part of; it stands there before the first byte does.

Lines are appended by any number of processes: each in one ``write()`` under the lock of the file. A line that was
torn spoils only itself. What is lost with the power is no loss: a file
that is there without its line is looked at again, and then recorded.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from typing import Final

from runner.archive.fetch.names import MANIFEST
from runner.archive.fetch.results import FAILED, FETCHED, PRESENT
from runner.launch.state import TEMPORARY, write_all

BEGUN: Final = "begun"
# A manifest is written anew when it has more lines than that for each one that counts.
_SLACK_LINES = 1000


@dataclass(frozen=True, slots=True)
class Record:
    """A line of the manifest.

    Attributes
    ----------
    url, name
        Whence, without a password; what it is called below the destination.
    result
        ``fetched``; ``present``: it was there and fits; ``failed``; ``begun``.
    size_bytes, sha256
        Of the whole file, as it is here.
    checksum, version
        As the source says it.
    fetched_at, run_id
        When, and in which run; empty outside of one.
    reason, is_permanent
        Why it failed; whether it is asked for again.
    calls
        How many calls in a row ended with bytes that are not those that the source announces.
    boot_id
        Of what has begun: bytes that no disk was asked to keep do not outlive it.
    announced_bytes
        Of what failed: the size that the source gave it, which tells whether it has changed.
    """

    url: str
    name: str
    result: str
    size_bytes: int | None = None
    sha256: str = ""
    checksum: str | None = None
    version: str = ""
    fetched_at: str = ""
    run_id: str = ""
    reason: str = ""
    is_permanent: bool = False
    calls: int = 0
    boot_id: str = ""
    announced_bytes: int | None = None

    def says_the_same(self, other: Record | None) -> bool:
        """Whether another line says the same, if at another time."""
        return other is not None and replace(self, fetched_at=other.fetched_at, run_id=other.run_id) == other


_TYPES: dict[str, type] = dict.fromkeys((field.name for field in fields(Record)), str)
_TYPES |= {"size_bytes": int, "announced_bytes": int, "calls": int, "is_permanent": bool}


class Manifest:
    """The manifest of a destination; several threads may use it."""

    def __init__(self, directory: int, *, is_kept: bool = True) -> None:
        """Read what is there; `directory` is the descriptor of the destination.

        With `is_kept` false nothing is created, nor can anything be appended.
        """
        self._directory = directory
        self._is_kept = is_kept
        self._whole: dict[str, Record] = {}
        self._failed: dict[str, Record] = {}
        self._begun: dict[str, Record] = {}
        self._read_bytes = self._lines = 0
        self._mutex = threading.Lock()
        self._file = -1
        if is_kept:
            self._file = self._open(os.O_RDWR | os.O_CREAT | os.O_APPEND)
            self._compact_if_grown()
        else:
            try:
                self._file = self._open(os.O_RDONLY)
            except FileNotFoundError:
                return
            self._read_on()

    def find_whole(self, name: str) -> Record | None:
        """Return what is known of the file of a name, None if it never was whole here."""
        return self._whole.get(name)

    def find_failed(self, name: str) -> Record | None:
        """Return why a name could not be had the last time, None if it could."""
        return self._failed.get(name)

    def find_begun(self, name: str) -> Record | None:
        """Return what the ``.part`` of a name is part of, None if nobody knows."""
        return self._begun.get(name)

    def refresh(self) -> None:
        """Read what others have appended."""
        with self._mutex:
            self._reopen_if_replaced()
            self._read_on()

    def append(self, record: Record) -> None:
        """Append a line; OSError if that cannot be, and then nothing of it is there."""
        line = encode_record(record)
        with self._mutex, self._locked():
            size_bytes = os.fstat(self._file).st_size
            if size_bytes and os.pread(self._file, 1, size_bytes - 1) != b"\n":
                line = b"\n" + line  # after one that was torn
            try:
                write_all(self._file, line)
            except OSError:
                os.ftruncate(self._file, size_bytes)
                raise
            self._read_on()

    def close(self) -> None:
        """Keep all lines on the disk, and let the file go."""
        if self._file >= 0:
            if self._is_kept:
                os.fsync(self._file)
            os.close(self._file)
            self._file = -1

    def _open(self, flags: int) -> int:
        return os.open(MANIFEST, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666, dir_fd=self._directory)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock of the file that has the name now: another process may have written it anew."""
        while True:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            if not self._reopen_if_replaced():
                break
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _reopen_if_replaced(self) -> bool:
        ours = os.fstat(self._file)
        try:
            named = os.stat(MANIFEST, dir_fd=self._directory, follow_symlinks=False)
        except FileNotFoundError:
            named = None
        if named and (named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino):
            return False
        os.close(self._file)
        self._file = self._open(os.O_RDWR | os.O_CREAT | os.O_APPEND)
        self._read_bytes = self._lines = 0
        self._read_on()
        return True

    def _read_on(self) -> None:
        """Take what was appended since; the end of a line that is not there yet is for the next time."""
        data = bytearray()
        while piece := os.pread(self._file, 1 << 20, self._read_bytes + len(data)):
            data += piece
        whole = bytes(data[: data.rfind(b"\n") + 1])
        self._read_bytes += len(whole)
        for line in whole.splitlines():
            self._lines += 1
            if record := parse_record(line):
                self._take(record)

    def _take(self, record: Record) -> None:
        kinds = {BEGUN: self._begun, FAILED: self._failed, FETCHED: self._whole, PRESENT: self._whole}
        if (kind := kinds.get(record.result)) is None:
            return
        kind[record.name] = record
        if kind is self._whole:
            self._begun.pop(record.name, None)
            self._failed.pop(record.name, None)

    def _compact_if_grown(self) -> None:
        with self._locked():
            self._read_on()
            records = [*self._whole.values(), *self._begun.values(), *self._failed.values()]
            if self._lines > 2 * len(records) + _SLACK_LINES:
                self._replace(b"".join(map(encode_record, records)))

    def _replace(self, data: bytes) -> None:
        temporary = f"{MANIFEST}{TEMPORARY}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(temporary, flags, 0o666, dir_fd=self._directory)
        try:
            write_all(file, data)
            os.fsync(file)
        finally:
            os.close(file)
        os.rename(temporary, MANIFEST, src_dir_fd=self._directory, dst_dir_fd=self._directory)


def encode_record(record: Record) -> bytes:
    """Return the line of a record; what is empty is left out."""
    facts = {name: value for name, value in asdict(record).items() if value not in (None, "")}
    return json.dumps(facts).encode() + b"\n"


def parse_record(line: bytes) -> Record | None:
    """Return the record of a line, None if it is none: torn, or written by something else."""
    try:
        facts = {name: value for name, value in json.loads(line).items() if name in _TYPES}
        return Record(**facts) if all(type(value) is _TYPES[name] for name, value in facts.items()) else None
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
