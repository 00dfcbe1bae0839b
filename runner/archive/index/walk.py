"""The files below a directory, in the order in which the database has their paths (ARCH-24).

No symbolic link is followed: a file is indexed where it is, and no loop is walked for ever.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter

# Path below the root, size in bytes, mtime in ns, inode, and what is wrong with its name (None if nothing is).
Found = tuple[str, int, int, int, str | None]
# What tells a version of a file from the next: size in bytes, mtime in ns, inode.
Signature = tuple[int, int, int]

NOT_UTF8 = "its name is not UTF-8"
_PART = ".part"
_LARGEST = (1 << 63) - 1


def make_signature(status: os.stat_result) -> Signature:
    """Return what tells a version of a file from the next, as signed numbers of 64 bits, which both databases have."""
    size, mtime, inode = status.st_size, status.st_mtime_ns, status.st_ino
    if mtime > _LARGEST or inode > _LARGEST:
        mtime, inode = (number - (1 << 64) if number > _LARGEST else number for number in (mtime, inode))
    return size, mtime, inode


def make_name_test(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return what tells whether a file of a name is to be indexed; the case of letters does not matter.

    Hidden files and those that are still being fetched (``.part``) never are.
    """
    lowered = [pattern.lower() for pattern in patterns]
    # Nearly all patterns are an ending; asking for those is ten times as fast as a regular expression.
    endings = tuple(one[1:] for one in lowered if one[:1] == "*" and not set(one[1:]) & set("*?["))
    rest = [fnmatch.translate(one) for one in lowered if one[1:] not in endings]
    matches = re.compile("|".join(rest)).match if rest else None

    def is_wanted(name: str) -> bool:
        lower = name.lower()
        if not (lower.endswith(endings) or (matches and matches(lower))):
            return False
        return name[0] != "." and not lower.endswith(_PART)

    return is_wanted


def is_gone(root: str, path: str, is_wanted: Callable[[str], bool]) -> bool:
    """Whether a file that was not found is really not there, or none that is indexed any more.

    A walk may miss what is renamed meanwhile, and it does not see what lies in a directory that it cannot read.
    """
    *above, name = path.split("/")
    if any(part.startswith(".") for part in above) or not is_wanted(name):
        return True
    try:
        return not stat.S_ISREG(os.lstat(f"{root}/{path}").st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False


def can_read(path: str) -> bool:
    """Whether the system gives us the first byte of a file."""
    try:
        with open(path, "rb", buffering=0) as file:
            file.read(1)
    except OSError:
        return False
    return True


def is_utf8(name: str) -> bool:
    """Whether the bytes of a file's name, as the system gave it, are UTF-8."""
    if name.isascii():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def escape(name: str) -> str:
    r"""Return a name with the bytes that are not UTF-8 as ``\xNN``."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


class Walk:
    """A walk over one root, or over a part of it: an iterable of `Found`, in the order of their paths' bytes.

    Attributes
    ----------
    unread
        Real path and reason of each directory and file that could not be looked at: what is there is not known.
    """

    def __init__(self, root: str, below: str, is_wanted: Callable[[str], bool]) -> None:
        """`below` is empty, a directory below `root` that ends in a slash, or one file, whatever its name."""
        self.unread: list[tuple[str, str]] = []
        self._root = root
        self._below = below
        self._is_wanted = is_wanted

    def __iter__(self) -> Iterator[Found]:
        if self._below and not self._below.endswith("/"):
            yield from self._look_at(self._below)
            return
        directories = [iter(self._list(self._below, self._below))]
        while directories:
            for entry in directories[-1]:
                if len(entry) == 2:
                    directories.append(iter(self._list(*entry)))
                    break
                yield entry
            else:
                directories.pop()

    def _list(self, shown: str, real: str) -> list[Found | tuple[str, str]]:
        """Return the files and directories of one directory, in their order.

        Of a directory that is its path as it is shown, and as it is on the disk. It sorts as its name with a slash:
        so do the paths of all that is in it.
        """
        found: list[Found | tuple[str, str]] = []
        flaw = None if shown == real else NOT_UTF8
        is_wanted = self._is_wanted
        try:
            with os.scandir(f"{self._root}/{real}") as entries:
                for entry in entries:
                    name = entry.name
                    if entry.is_dir(follow_symlinks=False):
                        if name[0] != ".":
                            found.append((f"{shown}{_show(name)}/", f"{real}{name}/"))
                    elif is_wanted(name) and entry.is_file(follow_symlinks=False):
                        path, wrong = (shown + name, flaw) if is_utf8(name) else (shown + escape(name), NOT_UTF8)
                        try:
                            found.append((path, *make_signature(entry.stat(follow_symlinks=False)), wrong))
                        except FileNotFoundError:
                            pass  # it went between two looks
                        except OSError as error:
                            self._note(path, error)
        except OSError as error:
            self._note(shown, error)
        found.sort(key=itemgetter(0))
        return found

    def _look_at(self, path: str) -> Iterator[Found]:
        try:
            yield (path, *make_signature(os.lstat(f"{self._root}/{path}")), None)
        except OSError as error:
            self._note(path, error)

    def _note(self, path: str, error: OSError) -> None:
        self.unread.append((f"{self._root}/{path}".rstrip("/"), error.strerror or str(error)))


def _show(name: str) -> str:
    return name if is_utf8(name) else escape(name)
