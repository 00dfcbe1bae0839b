"""``file:``: a file, or all files of a directory tree, of this machine (ARCH-10).

Every byte is read for its digest anyway, so a copy is written from what was read. Only where the file system can
share the bytes of both (btrfs, xfs) is nothing written. A hard link is never made: a file of an archive is its own.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from runner.archive.fetch.names import MANIFEST, PART
from runner.archive.fetch.source import Body, Refused, Remote, Source
from runner.errors import UserError, clean

_HOST = "this machine"
_SCHEME = "file:"
# ioctl_ficlonerange(2)
_FICLONE = 0x40049409


def find_path(text: str, home: Path | None) -> Path:
    """Return the path that a source names: that of ``file:`` relative to the home, another to where we are.

    ``file://`` begins an address of RFC 8089, with ``%20`` for a blank; all else is a path as it is.
    """
    if not text.lower().startswith(_SCHEME):
        return Path(text).absolute()
    rest = text[len(_SCHEME) :]
    if rest.startswith("//"):
        parts = urlsplit(text)
        if parts.netloc not in ("", "localhost"):
            raise UserError(f'"{clean(text)}": the files of another machine are not to be had; file: is for paths')
        rest = unquote(parts.path, errors="surrogateescape")
    if not rest:
        raise UserError(f'"{clean(text)}" names no file')
    return ((home or Path.cwd()) / rest).absolute()


class FileSource(Source):
    """A file, or a directory with all that is below it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.host = _HOST

    def list(self) -> Iterator[Remote]:
        """Yield the files; of links those that lead to a file of the tree. What is growing there is none yet."""
        try:
            root = self._path.resolve(strict=True)
            if root.is_dir():
                yield from self._walk(root, root)
            else:
                yield self._describe(root, self._path.name)
        except (OSError, RuntimeError) as error:
            raise _refuse(error) from None

    def open(self, remote: Remote, offset: int, version: str) -> FileBody:
        """Return the bytes of a file from `offset` on, from 0 on if it has changed."""
        try:
            file = os.open(to_path(remote.url), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise _refuse(error) from None
        return FileBody(file, offset, version)

    def _walk(self, root: Path, directory: Path) -> Iterator[Remote]:
        """Yield all below `directory`. To what a link to a directory of the tree leads one comes without it, too."""
        for entry in sorted(directory.iterdir()):
            if entry.name.endswith(PART) or entry.name == MANIFEST:
                continue
            if entry.is_dir() and not entry.is_symlink():
                yield from self._walk(root, entry)
            elif (target := entry.resolve()).is_relative_to(root) and target.is_file():
                yield self._describe(target, str(entry.relative_to(root)))

    def _describe(self, path: Path, name: str) -> Remote:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Refused(f"{path} is no regular file", is_permanent=True)
        return Remote(to_url(path), name, _HOST, status.st_size, version=_make_version(status))


class FileBody(Body):
    """An open file."""

    def __init__(self, file: int, offset: int, version: str) -> None:
        status = os.fstat(file)
        self._file = file
        self.version = _make_version(status)
        self.offset = offset if not version or version == self.version else 0
        self.size_bytes = status.st_size
        self.checksum = None
        self.modified_at = status.st_mtime
        os.lseek(file, self.offset, os.SEEK_SET)

    def clone(self, descriptor: int) -> bool:
        """Let an empty file share all bytes, where both are on a file system that can."""
        try:
            fcntl.ioctl(descriptor, _FICLONE, self._file)
        except OSError:
            return False
        os.lseek(self._file, 0, os.SEEK_END)
        return True

    def readinto(self, buffer: memoryview) -> int:
        """Fill `buffer` with what comes next."""
        try:
            count = os.readv(self._file, [buffer])
            if not count and _make_version(os.fstat(self._file)) != self.version:
                raise Refused("it was changed while it was read")
        except OSError as error:
            raise _refuse(error) from None
        return count

    def close(self) -> None:
        """Close it."""
        os.close(self._file)


def to_url(path: Path) -> str:
    """Return the address of a file; the bytes of its name, whatever they are, are quoted."""
    return f"file://{quote(os.fsencode(path))}"


def to_path(url: str) -> str:
    """Return the file that `to_url` gave an address."""
    return unquote(urlsplit(url).path, errors="surrogateescape")


def _make_version(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns}-{status.st_size}"


def _refuse(error: Exception) -> Refused:
    if isinstance(error, OSError):
        is_permanent = isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError | NotADirectoryError)
        return Refused(f"{error.strerror}: {os.fsdecode(error.filename or '')}", is_permanent=is_permanent)
    return Refused(str(error), is_permanent=True)  # a circle of links
