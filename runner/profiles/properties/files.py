"""Which files have the properties of a profile, and their bytes (CAPO-2, CAPO-3)."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_PATH = "/home/casa/capo:/home/ssa/capo"
SUFFIX = ".properties"

_PROFILE = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Stamp = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """A file's bytes, the mode of the file, and what changes when the file does."""

    data: bytes
    mode: int
    stamp: Stamp


def is_profile_name(name: str) -> bool:
    """Whether a profile may be called `name` (PROF-1): no other file than one of the path can be meant (CAPO-14)."""
    return _PROFILE.fullmatch(name) is not None


def choose_profile(given: str | None, environ: Mapping[str, str]) -> str:
    """Return the profile that is asked for, empty if none is (CAPO-2, CAPO-14)."""
    return given or environ.get("CAPO_PROFILE", "")


def choose_path(given: str | None, environ: Mapping[str, str]) -> str | None:
    """Return the search path that is asked for, without the caller's own directory; None if none is (CAPO-2)."""
    return given or environ.get("CAPO_PATH")


def add_own_directory(path: str) -> str:
    """Return a search path with the caller's own directory behind it, where no option can keep it away (CAPO-2)."""
    return f"{path}:{find_own_directory()}"


def find_own_directory() -> str:
    """Return ``~/.capo`` of the caller's HOME."""
    return os.path.join(os.path.expanduser("~"), ".capo")  # noqa: PTH111, PTH118  as pycapo, to the slash


def list_directories(path: str) -> list[str]:
    """Return the elements of a search path; the last one wins."""
    return [directory for directory in path.split(":") if directory]


def list_files(profile: str, path: str) -> list[str]:
    """Return the files that may have properties of `profile`, the last one winning."""
    return [os.path.join(directory, profile + SUFFIX) for directory in list_directories(path)]  # noqa: PTH118


def list_profiles(path: str) -> list[str]:
    """Return the profiles of which a file is on the path."""
    found: set[str] = set()
    for directory in list_directories(path):
        try:
            found.update(os.listdir(directory))  # noqa: PTH208
        except OSError:
            continue
    return sorted(name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX))


def get_stamp(status: os.stat_result) -> Stamp:
    """Return what tells a file from the same file changed, whatever its time was set back to (CAPO-12)."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def read_stamp(file: str) -> Stamp | None:
    """Return the stamp of a file; None where it cannot be looked at."""
    try:
        return get_stamp(os.stat(file))  # noqa: PTH116
    except OSError:
        return None


def read_content(file: str) -> Content:
    """Return a file's bytes; OSError if it cannot be read, or is no plain file."""
    with open(file, "rb", opener=_open_at_once) as opened:
        status = os.fstat(opened.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a plain file", file)
        return Content(opened.read(), status.st_mode, get_stamp(status))


def _open_at_once(file: str, flags: int) -> int:
    """Open a file without waiting for the other end of a pipe."""
    return os.open(file, flags | os.O_NONBLOCK)


def find_content(file: str) -> Content | None:
    """Return a file's bytes; None if there is none or it is closed to us, which pycapo passes over (CAPO-3)."""
    try:
        return read_content(file)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
