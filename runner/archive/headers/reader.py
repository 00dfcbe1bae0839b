"""What one FITS file says, as rows for the index: each header and data unit, and the configured keywords (ARCH-20..27).

``HeaderReader(columns, keep_header=False).read(path)`` returns a `Reading`. No pixel is read. A damaged file is a
reading too, with the units that could be read and the reason why it is bad.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from runner.archive.headers.columns import Columns
from runner.archive.headers.contents import BLOCK, Contents, open_contents
from runner.archive.headers.exact import NoEnd, Parsed, read_header
from runner.archive.headers.units import COMPRESSED, STRUCTURE, Unit, describe_unit, name_axes
from runner.archive.headers.values import Typed
from runner.archive.headers.whole import format_header
from runner.archive.settings import Column
from runner.archive.tables import BAD, OK
from runner.errors import TryLater, clean

# Part of a layout: to be raised when the same file gives other values than before.
VERSION: Final = 1
# A file of more is made to hurt, or no FITS file.
MOST_UNITS: Final = 65_536
_MOST_FINDINGS = 5
# As astropy looks whether it is FITS at all.
_SIMPLE = re.compile(rb"SIMPLE\s*=\s*[TF]")
_EXTENSION = re.compile(rb"XTENSION|SIMPLE  =", re.IGNORECASE)
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ESTALE})
_SHORT_OF = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})

Row = tuple[int, str, int, str, str, str | None, *tuple[Typed, ...]]


@dataclass(slots=True)
class Reading:
    """What one file says.

    Attributes
    ----------
    state
        ``ok`` or ``bad``.
    reason
        Why it is bad; or what is odd in a good one; one clean line.
    rows
        One for each unit that could be read: number, name, version, type, dimensions, header, and one value a column.
    status
        Of the open file after it was read: it is still being written if this differs from the walk's.
    """

    state: str
    reason: str | None
    rows: list[Row]
    status: os.stat_result


@dataclass(slots=True)
class _File:
    """A file while it is read."""

    rows: list[list[Typed]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def reason(self) -> str | None:
        """Return what is wrong and odd in one line."""
        said = list(dict.fromkeys([*self.troubles, *self.findings]))
        if len(said) > _MOST_FINDINGS:
            said[_MOST_FINDINGS:] = [f"and {len(said) - _MOST_FINDINGS} more"]
        return clean("; ".join(said)) or None


class HeaderReader:
    """Reads files for one set of columns.

    Attributes
    ----------
    layout
        Short digest of the columns, of `keep_header` and of how this reader works: what was read under another one
        is read again.
    """

    def __init__(self, columns: Mapping[str, Column], *, keep_header: bool) -> None:
        self._columns = Columns(columns)
        self._keep_header = keep_header
        self.layout = make_layout(columns, keep_header=keep_header)

    def read(self, path: bytes | str) -> Reading:
        """Return what a file says.

        Raises
        ------
        FileNotFoundError
            It is not there any more.
        TryLater
            This process has no more files or memory.
        """
        try:
            # A FIFO would wait for a writer without O_NONBLOCK.
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError as error:
            return _fail(path, error)
        try:
            return self._read_open(fd)
        except OSError as error:
            return _fail(path, error)
        finally:
            os.close(fd)

    def _read_open(self, fd: int) -> Reading:
        file = _File()
        contents = open_contents(fd)
        self._read_units(file, contents)
        if contents.damage:
            file.troubles.insert(0, contents.damage)
        rows: list[Row] = [tuple(row) for row in file.rows]  # type: ignore[misc]
        return Reading(BAD if file.troubles else OK, file.reason(), rows, os.fstat(fd))

    def _read_units(self, file: _File, contents: Contents) -> None:
        offset: int | None = 0
        while offset is not None:
            number = len(file.rows)
            begun = contents.read(offset, 4 * BLOCK)
            if not _is_header(file, contents, number, offset, begun):
                return
            if number >= MOST_UNITS:
                file.troubles.append(f"more than {MOST_UNITS} HDUs")
                return
            try:
                raw = read_header(contents, offset, begun)
            except NoEnd as error:
                file.troubles.append(f"HDU {number}: {error}")
                return
            offset = self._read_unit(file, contents, offset, raw)

    def _read_unit(self, file: _File, contents: Contents, offset: int, raw: bytes) -> int | None:
        """Add the row of a unit; return where the next one begins, None if that is not known."""
        number = len(file.rows)
        parsed = Parsed(raw)
        unit = _describe(number, parsed)
        file.rows.append([number, unit.name, unit.version, unit.type, unit.dimensions, None, *self._blank_values()])
        if self._keep_header:
            file.rows[number][5] = format_header(parsed.get_cards())
        self._fill(file, number, parsed)
        file.findings += [f"HDU {number}: {oddity}" for oddity in unit.oddities]
        if not raw.isascii():
            file.findings.append(f"HDU {number}: bytes in its header are not ASCII")
        troubles = [trouble for trouble in (unit.trouble, parsed.trouble) if trouble]
        file.troubles += [f"HDU {number}: {trouble}" for trouble in troubles]
        if len(raw) % BLOCK:
            file.troubles.append(
                f"HDU {number}: its header is cut off: {len(raw)} bytes are no whole blocks of {BLOCK}"
            )
        if unit.data_bytes is None:
            return None
        return _find_next(file, contents, number, offset + len(raw), unit.data_bytes)

    def _blank_values(self) -> list[Typed]:
        return [None] * len(self._columns.names)

    def _fill(self, file: _File, number: int, parsed: Parsed) -> None:
        columns, primary = self._columns, file.rows[0]
        wanted = [*columns.each, *(columns.primary if number == 0 else ())]
        wanted += [i for i in columns.first if primary[6 + i] is None]
        found, findings = columns.fill(wanted, parsed.get_values(columns.keywords))
        file.findings += [f"HDU {number}: {finding}" for finding in findings]
        for i, value in found.items():
            row = file.rows[number] if columns.columns[i].hdu == "each" else primary
            row[6 + i] = value


def _is_header(file: _File, contents: Contents, number: int, offset: int, begun: bytes) -> bool:
    """Whether a header begins here; what is wrong if none does."""
    if number == 0 and not begun:
        file.troubles.append("it is empty")
    elif number == 0 and not _SIMPLE.match(begun):
        file.troubles.append(f"not a FITS file: it begins with {begun[:16]!r}")
    elif number and begun and not _EXTENSION.match(begun):
        size = contents.find_size(offset + len(begun))
        if begun.strip(b"\0"):
            file.troubles.append(f"HDU {number}: no header at byte {offset}, but {begun[:16]!r}")
        else:
            file.findings.append(f"{max(size - offset, len(begun))} bytes or more follow the last HDU")
    else:
        return bool(begun)
    return False


def _describe(number: int, parsed: Parsed) -> Unit:
    """Return what a header says of its unit; of a compressed image the name and the dimensions of the image."""
    table = parsed.get_table_values(STRUCTURE)
    unit = describe_unit(number, table | parsed.get_table_values(name_axes(table.get("NAXIS"))))
    if not parsed.is_compressed:
        return unit
    image = parsed.get_values(STRUCTURE)
    shown = describe_unit(number, image | parsed.get_values(name_axes(image.get("NAXIS"))))
    return replace(shown, type=COMPRESSED, data_bytes=unit.data_bytes, trouble=unit.trouble)


def _find_next(file: _File, contents: Contents, number: int, start: int, data_bytes: int) -> int | None:
    """Return where the unit after `number` begins, None if the file ends before."""
    end = start + data_bytes
    padded = end + -end % BLOCK
    size = contents.find_size(padded)
    if size < end:
        file.troubles.append(
            f"HDU {number}: its data are cut off: {max(size - start, 0)} of {data_bytes} bytes are there"
        )
        return None
    if size < padded:
        file.findings.append(f"HDU {number}: its last block is not filled up: {size} of {padded} bytes")
        return None
    return padded


def _fail(path: bytes | str, error: OSError) -> Reading:
    """Return that a file could not be opened or read."""
    if error.errno in _GONE:
        raise FileNotFoundError(error.errno, error.strerror, path) from None
    if error.errno in _SHORT_OF:
        raise TryLater(f"{clean(os.fsdecode(path))}: {error.strerror}") from None
    reason = "not a regular file" if error.errno in (errno.ESPIPE, errno.ENXIO) else f"cannot be read: {error.strerror}"
    try:
        status = Path(os.fsdecode(path)).stat()
    except FileNotFoundError:
        raise
    except OSError:
        # Of a directory that may not be entered nothing is known.
        status = os.stat_result((0,) * 10)
    return Reading(BAD, reason, [], status)


def make_layout(columns: Mapping[str, Column], *, keep_header: bool) -> str:
    """Return the digest of what is read of a file."""
    said = [VERSION, keep_header, [(name, asdict(column)) for name, column in columns.items()]]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
