"""CHECKSUM, DATASUM and lengths of all HDUs of a FITS file, and its sha256, in one pass with little memory.

FITS Standard 4.0, section 4.4.2.7 and appendix J: the sum is of 32 bits, big-endian, with the carry added again
(ones' complement). DATASUM is that of the data, and CHECKSUM makes that of the whole HDU all ones.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from dataclasses import dataclass
from itertools import count
from math import prod
from typing import BinaryIO, Protocol

BLOCK_BYTES = 2880
_CARD_BYTES = 80
# A multiple of the block: a sum is of whole words.
_PIECE_BYTES = 400 * BLOCK_BYTES
_HEADER_BYTES = 10_000 * BLOCK_BYTES
_ALL_ONES = 0xFFFFFFFF
_GZIP = b"\x1f\x8b"
_CARD = re.compile(rb"([A-Z0-9_-]{1,8}) *= *('(?:[^']|'')*'|[^ /]+)")


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with an HDU: `kind` is ``checksum``, ``datasum`` or ``structure``."""

    hdu: int
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Sums:
    """What one pass over a file gave.

    Attributes
    ----------
    digest
        ``sha256:HEX`` of the bytes on the disk.
    checked
        How many CHECKSUM and DATASUM there were.
    """

    digest: str
    checked: int
    flaws: tuple[Flaw, ...]


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Hashing:
    """A file whose bytes are hashed as they are read."""

    def __init__(self, file: BinaryIO) -> None:
        self.hash = hashlib.sha256()
        self._file = file

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self.hash.update(data)
        return data


def read_sums(file: BinaryIO, *, is_fits: bool = True) -> Sums:
    """Read a file to its end; it may be compressed by gzip. OSError if the disk does not give it.

    Parameters
    ----------
    is_fits
        Otherwise there is nothing but its digest to be found.
    """
    hashing = _Hashing(file)
    checker = _Checker()
    if is_fits:
        is_gzip = file.read(2) == _GZIP
        file.seek(0)
        stream: _Readable = gzip.GzipFile(fileobj=hashing) if is_gzip else hashing  # type: ignore[call-overload]
        try:
            checker.check(stream)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            checker.flaws.append(Flaw(checker.number, "structure", f"gzip: {error}"))
    while hashing.read(_PIECE_BYTES):
        pass
    return Sums(f"sha256:{hashing.hash.hexdigest()}", checker.checked, tuple(checker.flaws))


class _Checker:
    """A walk over the HDUs of one file."""

    def __init__(self) -> None:
        self.number = 0
        self.checked = 0
        self.flaws: list[Flaw] = []

    def check(self, stream: _Readable) -> None:
        for self.number in count():
            header = self._read_header(stream)
            if header is None or not self._check_hdu(header, stream):
                return

    def _read_header(self, stream: _Readable) -> bytes | None:
        """Return the bytes of the next header; None where the file ends, or what comes is none."""
        header = b""
        while len(header) < _HEADER_BYTES:
            block = stream.read(BLOCK_BYTES)
            if not header and not block.startswith((b"SIMPLE  =", b"XTENSION=")):
                # FITS 4.0, section 3.5: special records may follow the last HDU, and are no matter of ours.
                if self.number == 0:
                    self._find("structure", "it does not begin with SIMPLE")
                return None
            header += block
            if len(block) < BLOCK_BYTES:
                self._find("structure", "the file ends within the header")
                return None
            if _has_end(block):
                return header
        self._find("structure", f"no END within {_HEADER_BYTES} bytes")
        return None

    def _check_hdu(self, header: bytes, stream: _Readable) -> bool:
        """Check one HDU; return whether another may follow."""
        values = parse_values(header)
        try:
            size = measure_data(values)
        except (KeyError, ValueError) as error:
            self._find("structure", f"size of the data: {error}")
            return False
        data_sum, missing = _sum_data(stream, -(-size // BLOCK_BYTES) * BLOCK_BYTES)
        if missing:
            self._find("structure", f"the file ends {missing} bytes before the data do")
            return False
        self._compare(values, data_sum, add(data_sum, sum_words(header)))
        return True

    def _compare(self, values: dict[str, str], data_sum: int, hdu_sum: int) -> None:
        if stated := values.get("DATASUM", ""):
            self.checked += 1
            if not stated.isdecimal() or int(stated) != data_sum:
                self._find("datasum", f"DATASUM is {stated}, the data have {data_sum}")
        if values.get("CHECKSUM"):  # an empty one is not computed yet
            self.checked += 1
            if hdu_sum != _ALL_ONES:
                self._find("checksum", f"CHECKSUM does not hold: the sum is {hdu_sum}")

    def _find(self, kind: str, message: str) -> None:
        self.flaws.append(Flaw(self.number, kind, message))


def parse_values(header: bytes) -> dict[str, str]:
    """Return the values of a header as text, of each keyword the first; strings lose quotes and blanks at their end."""
    values: dict[str, str] = {}
    for start in range(0, len(header), _CARD_BYTES):
        card = _CARD.match(header, start, start + _CARD_BYTES)
        if card:
            value = card[2].decode("latin-1")
            values.setdefault(card[1].decode(), value[1:-1].replace("''", "'").rstrip() if value[0] == "'" else value)
    return values


def measure_data(values: dict[str, str]) -> int:
    """Return how many bytes the data of an HDU have, without the fill (FITS 4.0, sections 4.4.1 and 6).

    Raises
    ------
    KeyError, ValueError
        A keyword that says so is not there, or no number.
    """
    axes = [int(values[f"NAXIS{number}"]) for number in range(1, int(values["NAXIS"]) + 1)]
    if int(values["NAXIS"]) < 0 or any(axis < 0 for axis in axes):
        raise ValueError("NAXIS or one of the axes is negative")
    if not axes:
        return 0
    if axes[0] == 0 and values.get("GROUPS") == "T":
        axes = axes[1:]
    groups, parameters = int(values.get("GCOUNT", "1")), int(values.get("PCOUNT", "0"))
    if groups < 0 or parameters < 0:
        raise ValueError("GCOUNT or PCOUNT is negative")
    return abs(int(values["BITPIX"])) // 8 * groups * (parameters + prod(axes))


def sum_words(data: bytes) -> int:
    """Return the ones' complement sum of data of whole words."""
    import numpy as np

    total = int(np.frombuffer(data, ">u4").sum(dtype=np.uint64))
    while total > _ALL_ONES:
        total = (total & _ALL_ONES) + (total >> 32)
    return total


def add(one: int, other: int) -> int:
    """Return the ones' complement sum of two sums."""
    total = one + other
    return (total & _ALL_ONES) + (total >> 32)


def _sum_data(stream: _Readable, size: int) -> tuple[int, int]:
    """Return the sum of the next bytes, and how many of them there are not."""
    total = 0
    while size > 0 and (piece := stream.read(min(size, _PIECE_BYTES))):
        size -= len(piece)
        total = add(total, sum_words(piece + b"\0" * (-len(piece) % 4)))
    return total, size


def _has_end(block: bytes) -> bool:
    return any(block[i : i + _CARD_BYTES].rstrip() == b"END" for i in range(0, BLOCK_BYTES, _CARD_BYTES))
