"""What one FITS file says, as rows for the index: each header and data unit, and the configured keywords (ARCH-20..27).

``HeaderReader(columns, keep_header=False).read(path)`` returns a `Reading`. No pixel is read. A damaged file is a
reading too, with the units that could be read and the reason why it is bad.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from runner.archive.headers.columns import Columns
from runner.archive.headers.contents import BLOCK, GZIP_MAGIC, Contents, Gzip, Plain
from runner.archive.headers.follow import Follower, Found, Row, check_end, guess_bytes
from runner.archive.settings import Column
from runner.archive.tables import BAD, OK
from runner.errors import TryLater, clean

# Part of a layout: to be raised when the same file gives other values than before.
VERSION: Final = 1
_MOST_SAID = 5
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ESTALE})
_SHORT_OF = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


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


class HeaderReader:
    """Reads files for one set of columns, one at a time; it gets faster with each instrument that it has seen.

    Attributes
    ----------
    layout
        Short digest of the columns, of `keep_header` and of how this reader works: what was read under another one
        is read again.
    """

    def __init__(self, columns: Mapping[str, Column], *, keep_header: bool) -> None:
        self._follower = Follower(Columns(columns), keep_header=keep_header)
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
        contents: Contents = Plain(fd)
        begun = contents.read(0, guess_bytes(contents, self._follower.start))
        if begun.startswith(GZIP_MAGIC):
            contents = Gzip(fd)
            begun = contents.read(0, BLOCK)
        found = self._follower.follow(contents, begun)
        status = os.fstat(fd)
        if not found.rows and not found.troubles:
            found.troubles.append("it is empty")
        if found.end is not None and (contents.is_packed or status.st_size < found.end):
            check_end(found, contents.find_size(found.end))
        if contents.damage:
            found.troubles.insert(0, contents.damage)
        if found.troubles or found.findings:
            return Reading(BAD if found.troubles else OK, _join(found), found.rows, status)
        return Reading(OK, None, found.rows, status)


def _join(found: Found) -> str:
    """Return what is wrong and odd in one line."""
    said = list(dict.fromkeys([*found.troubles, *found.findings]))
    if len(said) > _MOST_SAID:
        said[_MOST_SAID:] = [f"and {len(said) - _MOST_SAID} more"]
    return clean("; ".join(said))


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
