"""Archives of files, tar (plain, gz, bz2, xz) and zip, read as a row of members; nothing is believed (SEC-15)."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any, BinaryIO

from runner.archive.fetch.source import Refused

_NAME = re.compile(r"\.(tar(\.(gz|bz2|xz))?|tgz|tbz2?|txz|zip)\Z", re.IGNORECASE)
_ZIP = b"PK"
_OPENERS: dict[bytes, Callable[[BinaryIO], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
# All that the libraries raise on nonsense; found by feeding it to them.
_NONSENSE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, ValueError,
    LookupError, ArithmeticError, NotImplementedError, RuntimeError,
)  # fmt: skip
_ODDITIES = {
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a fifo",
}
# A header of a tar and the directory of a zip are held in memory, and no honest one comes near.
_LARGEST_HEADER_BYTES = 1 << 20
_LARGEST_DIRECTORY_BYTES = 32 << 20
# GNU tar fills its last record with zeros; records are of 10 KB, of some MB on a tape.
_LARGEST_END_BYTES = 16 << 20
# APPNOTE.TXT 6.3.10, 4.3.14 and 4.3.16: the end of a zip, before it that of 64 bits, behind it a comment.
_END, _END_64, _END_BYTES = b"PK\5\6", b"PK\6\6", 56 + 20 + 22 + 65535
# A time that a file system has: from 1970 on, in 34 bits (ext4).
_LATEST_AT = float(2**34)


class Hostile(Refused):
    """An archive that is not to be unpacked."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, is_permanent=True)


@dataclass(frozen=True, slots=True)
class Member:
    """What is in an archive under one name; to be read before the next one is asked for.

    Attributes
    ----------
    name
        As it stands there, without ``./`` before and ``/`` behind it; not yet confined.
    size_bytes
        As announced.
    modified_at
        POSIX seconds; None if a file cannot have them.
    stream
        Its bytes; None for a directory.
    oddity
        What else it is, or what is wrong with it; empty for files and directories.
    """

    name: str
    size_bytes: int
    modified_at: float | None
    stream: IO[bytes] | None
    oddity: str = ""

    def read(self, count: int) -> bytes:
        """Return the next bytes, none at the end; `Hostile` if they cannot be read."""
        with _translating():
            return self.stream.read(count) if self.stream else b""


def is_archive(name: str) -> bool:
    """Whether a file of that name can be unpacked."""
    return _NAME.search(name) is not None


def read_members(file: BinaryIO) -> Iterator[Member]:
    """Yield what is in an archive, whatever its name says that it is; `Hostile` if it cannot be read."""
    with _translating():
        file.seek(0)
        start = file.read(8)
        file.seek(0)
    members = _read_zip(file) if start.startswith(_ZIP) else _read_tar(file, start)
    while True:
        with _translating():
            member = next(members, None)
        if member is None:
            return
        yield member


@contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except _NONSENSE as error:
        raise Hostile(f"it cannot be read ({type(error).__name__}: {error})") from error


class _Guarded:
    """A tar as tarfile reads it, which would believe a header that says it is as large as the memory.

    Attributes
    ----------
    last
        What was read last.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.last = b""
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, count: int) -> bytes:
        if not 0 <= count <= _LARGEST_HEADER_BYTES:
            raise Hostile("a header in it is too large")
        self.last = self._stream.read(count)
        return self.last


def _read_tar(file: BinaryIO, start: bytes) -> Iterator[Member]:
    opener = next((opener for magic, opener in _OPENERS.items() if start.startswith(magic)), None)
    guarded: Any = _Guarded(opener(file) if opener else file)
    with tarfile.open(fileobj=guarded, mode="r:") as archive:
        while entry := archive.next():
            stream = archive.extractfile(entry) if entry.isreg() else None
            oddity = "" if entry.isreg() or entry.isdir() else _ODDITIES.get(entry.type, "of a kind that is unknown")
            yield Member(_strip(entry.name), entry.size, _limit_time(entry.mtime), stream, oddity)
    _read_end(guarded)


def _read_end(guarded: _Guarded) -> None:
    """See that zeros end a tar: tarfile takes any block that is no header for the end. So its checksum is read too."""
    read_bytes = 0
    while not guarded.last.strip(b"\0"):
        read_bytes += len(guarded.last)
        if read_bytes > _LARGEST_END_BYTES:
            break
        if not guarded.read(_LARGEST_HEADER_BYTES):
            return
    raise Hostile("something stands in it where there should be the next member or the end")


def _read_zip(file: BinaryIO) -> Iterator[Member]:
    if _read_directory_bytes(file) > _LARGEST_DIRECTORY_BYTES:
        raise Hostile("its directory is too large")
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            oddity = _find_oddity(entry)
            stream = None if oddity or entry.is_dir() else archive.open(entry)
            yield Member(_strip(entry.filename), entry.file_size, _find_time(entry), stream, oddity)


def _read_directory_bytes(file: BinaryIO) -> int:
    """Return how large a zip says that its directory is: zipfile would read it whole, before anything else."""
    end = file.seek(0, 2)
    file.seek(max(end - _END_BYTES, 0))
    tail = file.read()
    at, at_64 = tail.rfind(_END), tail.rfind(_END_64)
    size_bytes = int(struct.unpack_from("<L", tail, at + 12)[0])
    return int(struct.unpack_from("<Q", tail, at_64 + 40)[0]) if size_bytes == 0xFFFFFFFF else size_bytes


def _find_oddity(entry: zipfile.ZipInfo) -> str:
    if entry.flag_bits & 1:
        return "encrypted"
    mode = stat.S_IFMT(entry.external_attr >> 16)  # what Unix writes there; nothing, from others
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    return "" if mode in (0, stat.S_IFREG, stat.S_IFDIR) else "a device or a fifo"


def _find_time(entry: zipfile.ZipInfo) -> float | None:
    """Return when a member was changed: a zip has a local time and no zone."""
    try:
        return _limit_time(datetime(*entry.date_time, tzinfo=UTC).timestamp())
    except ValueError:
        return None


def _limit_time(at: float) -> float | None:
    return float(at) if 0 <= at < _LATEST_AT else None


def _strip(name: str) -> str:
    """Return a member's name as that of a file; nothing for the directory that all of them are in."""
    return re.sub(r"\A(\./)+|/\Z", "", name) if name not in (".", "./") else ""
