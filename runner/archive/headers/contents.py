"""The bytes of a file, plain or compressed with gzip: no more is read than headers need (ARCH-23, ARCH-26)."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from abc import ABC, abstractmethod
from typing import Final

BLOCK: Final = 2880
GZIP_MAGIC: Final = b"\x1f\x8b\x08"
# A file that unpacks to more is given up: a bomb of a few MB would keep an index busy for hours.
MOST_UNPACKED_BYTES: Final = 8 << 30
_PIECE = 1 << 20


class Contents(ABC):
    """What is in a file.

    Attributes
    ----------
    damage
        Why it cannot be read on from some byte; None if nothing was found.
    is_packed
        Whether the size of the file is not that of its contents.
    """

    damage: str | None = None
    is_packed = False

    @abstractmethod
    def read(self, offset: int, count: int) -> bytes:
        """Return `count` bytes from `offset` on, fewer at the end or before damage; never called backward."""

    @abstractmethod
    def find_size(self, wanted: int) -> int:
        """Return how many bytes there are: any number from `wanted` on if the file has as many."""


class Plain(Contents):
    """A file as it lies on the disk."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def read(self, offset: int, count: int) -> bytes:
        """Return bytes of the file."""
        return os.pread(self._fd, count, offset)

    def find_size(self, wanted: int) -> int:
        """Return the size of the file."""
        return os.fstat(self._fd).st_size


class Gzip(Contents):
    """A file that was compressed as a whole: unpacked forward only, and nothing kept but the last piece."""

    is_packed = True

    def __init__(self, fd: int, most_bytes: int = MOST_UNPACKED_BYTES) -> None:
        self._most_bytes = most_bytes
        # RFC 1952, section 2.3.1: the last four bytes are the size modulo 2^32.
        size = os.fstat(fd).st_size
        self._announced = int.from_bytes(os.pread(fd, 4, max(size - 4, 0)), "little")
        os.lseek(fd, 0, os.SEEK_SET)
        self._stream = gzip.GzipFile(fileobj=io.FileIO(fd, closefd=False))
        self._last = b""
        self._at = 0  # where `_last` ends
        self._end: int | None = None

    def read(self, offset: int, count: int) -> bytes:
        """Return unpacked bytes; none where the file says that it ends there.

        What follows the last unit could only be known for certain by unpacking all of its pixels.
        """
        if self._at <= offset and offset and offset % 2**32 == self._announced:
            self._end = offset
            return b""
        self.find_size(offset)
        begin = offset - self._at + len(self._last)
        missing = offset + count - self._at
        if missing > 0:
            self._last = self._last[begin:] + self._unpack(missing)
            begin = 0
        return self._last[begin : begin + count]

    def find_size(self, wanted: int) -> int:
        """Return how many bytes there are up to `wanted`, and unpack to there."""
        if self._end is not None:
            return self._end
        while self._at < wanted and (piece := self._unpack(min(_PIECE, wanted - self._at))):
            self._last = piece
        return self._at

    def _unpack(self, count: int) -> bytes:
        pieces: list[bytes] = []
        while count > 0 and self.damage is None and (piece := self._unpack_some(count)):
            pieces.append(piece)
            self._at, count = self._at + len(piece), count - len(piece)
        return b"".join(pieces)

    def _unpack_some(self, count: int) -> bytes:
        if self._at + count > self._most_bytes:
            self.damage = f"given up after {self._at} unpacked bytes"
            return b""
        try:
            # read would lose what it has when the stream breaks off
            return self._stream.read1(count)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self.damage = f"its gzip stream is damaged after {self._at} bytes: {error}"
            return b""
