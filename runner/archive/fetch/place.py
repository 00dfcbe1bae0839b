"""Where a file comes to stand: its directory below the destination, and the ``.part`` in which it grows.

Every directory on the way is opened from the one above it and never through a symbolic link, so that none that
is planted there, before or meanwhile, leads out of the destination (ARCH-12).
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from runner.archive.fetch.names import PART
from runner.archive.fetch.source import Refused

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def open_destination(path: Path, *, is_made: bool) -> int:
    """Return the descriptor of a destination, which may be a link; its last directory is made where that is wanted."""
    if is_made:
        path.mkdir(exist_ok=True)
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


class Place:
    """The place of one file; to be closed.

    Attributes
    ----------
    base
        The last part of its name.
    """

    def __init__(self, destination: int, name: str, *, is_made: bool) -> None:
        """Open the directory of `name`, and make it where that is wanted.

        Raises
        ------
        Refused
            Something else stands in the way.
        FileNotFoundError
            It is not there, and not to be made.
        """
        *directories, self.base = name.split("/")
        self._directory = os.dup(destination)
        try:
            for directory in directories:
                self._descend(directory, is_made=is_made)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the directory go."""
        os.close(self._directory)

    def read_size(self) -> int | None:
        """Return the size of the file that stands there, None if there is none; `Refused` if it is no file."""
        try:
            status = os.stat(self.base, dir_fd=self._directory, follow_symlinks=False)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(status.st_mode):
            raise Refused(f"{self.base} is there, and is no regular file", is_permanent=True)
        return status.st_size

    def open(self) -> BinaryIO:
        """Return the file that stands there, to be read."""
        return os.fdopen(os.open(self.base, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._directory), "rb")

    def open_part(self) -> Part | None:
        """Return the ``.part``, which nobody else writes until it is closed; None if somebody does."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            file = os.open(self.base + PART, flags, 0o666, dir_fd=self._directory)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
                raise Refused(f"{self.base}{PART} is there, and is no regular file", is_permanent=True) from None
            raise
        part = Part(file, self._directory, self.base)
        if part.is_ours():
            return part
        part.close()
        return None

    def _descend(self, directory: str, *, is_made: bool) -> None:
        if is_made:
            self._make(directory)
        try:
            below = os.open(directory, _DIRECTORY, dir_fd=self._directory)
        except NotADirectoryError:  # of a link too, as O_DIRECTORY is looked at first
            raise Refused(f"{directory} is there, and is no directory", is_permanent=True) from None
        os.close(self._directory)
        self._directory = below

    def _make(self, directory: str) -> None:
        try:
            os.mkdir(directory, dir_fd=self._directory)
        except FileExistsError:
            return
        os.fsync(self._directory)


class Part:
    """A file that grows; ``NAME.part`` until it is whole (ARCH-1).

    Attributes
    ----------
    descriptor
        To be written to.
    """

    def __init__(self, descriptor: int, directory: int, base: str) -> None:
        self.descriptor = descriptor
        self._directory = directory
        self._base = base

    def is_ours(self) -> bool:
        """Whether we hold its lock, and it still has its name: who held it before may have renamed it."""
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            named = os.stat(self._base + PART, dir_fd=self._directory, follow_symlinks=False)
        except (BlockingIOError, FileNotFoundError):
            return False
        ours = os.fstat(self.descriptor)
        if (named.st_dev, named.st_ino) != (ours.st_dev, ours.st_ino):
            return False
        if not stat.S_ISREG(ours.st_mode) or ours.st_nlink != 1:
            raise Refused(f"{self._base}{PART} is there, and is no regular file of one name", is_permanent=True)
        return True

    def read_size(self) -> int:
        """Return how many bytes it has."""
        return os.fstat(self.descriptor).st_size

    def truncate(self, size_bytes: int) -> None:
        """Throw away what is behind so many bytes."""
        os.ftruncate(self.descriptor, size_bytes)

    def finish(self, modified_at: float | None) -> None:
        """Give it its final name, when it is whole and on the disk."""
        if modified_at is not None:
            os.utime(self.descriptor, (modified_at, modified_at))
        os.fsync(self.descriptor)
        os.rename(self._base + PART, self._base, src_dir_fd=self._directory, dst_dir_fd=self._directory)
        os.fsync(self._directory)

    def remove(self) -> None:
        """Remove it: there is nothing to go on with."""
        with suppress(FileNotFoundError):
            os.unlink(self._base + PART, dir_fd=self._directory)

    def close(self) -> None:
        """Let it go, as it is."""
        os.close(self.descriptor)
