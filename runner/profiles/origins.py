"""The files of a replica and of its origin: how they are looked at, and fetched from there (PROF-90).

What is at the origin is in others' hands: names are taken only if a profile can have them, links are never followed.
"""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from runner.errors import TryLater, UserError
from runner.launch.state import read_file, write_file
from runner.profiles.properties.files import SUFFIX, Stamp, get_stamp
from runner.profiles.replicas import is_property_file

# Nobody is there to be asked for a password; who needs another way to the host sets RSYNC_RSH.
_SSH = "ssh -oBatchMode=yes -oConnectTimeout=30"
# Without recursion, times and owners; links and the like as such, so that they are seen and never followed.
_RSYNC = ("rsync", "--dirs", "--links", "--specials", "--chmod=F600,D700", "--protect-args", "--timeout=60")
_ONLY = ("--exclude=.*", f"--include=/*{SUFFIX}", "--exclude=*")


@dataclass(frozen=True, slots=True)
class Seen:
    """A file that was looked at: its SHA-256, empty if it is no plain file that we can read."""

    digest: str
    stamp: Stamp


def look(directory: Path) -> dict[str, Seen]:
    """Return the property files of a directory, by name, and whatever else is called as one."""
    names = [name for name in os.listdir(directory) if is_property_file(name)]  # noqa: PTH208
    return {name: _look_at(directory / name) for name in names}


def _look_at(path: Path) -> Seen:
    stamp = get_stamp(path.lstat())  # before the bytes, so that a change in between is one later on
    data = read_plain(path)
    return Seen("" if data is None else hashlib.sha256(data).hexdigest(), stamp)


def read_plain(path: Path) -> bytes | None:
    """Return a file's bytes, None if it is no plain file or closed to us."""
    try:
        return read_file(str(path)) if stat.S_ISREG(path.lstat().st_mode) else None
    except PermissionError:
        return None


def read_own_stamp(path: Path) -> Stamp | None:
    """Return the stamp of what has a name, be it a link; None if nothing has."""
    try:
        return get_stamp(path.lstat())
    except FileNotFoundError:
        return None


def fetch(origin: str, staging: Path) -> None:
    """Bring the property files of an origin into an empty directory; what is no plain file comes as no plain file.

    Raises
    ------
    TryLater
        There is no way to it, or not all of it came.
    """
    if ":" in origin:
        _fetch_by_rsync(origin, staging)
    else:
        for path in Path(origin).iterdir():
            if path.name.endswith(SUFFIX) and not path.name.startswith("."):
                _copy(path, staging / path.name)


def _copy(path: Path, staged: Path) -> None:
    """Copy a plain file; what is none, or none of ours, is only marked by its name."""
    stamp = get_stamp(path.lstat())
    if not is_property_file(path.name):
        staged.touch()
    elif not stat.S_ISREG(path.lstat().st_mode):
        staged.mkdir()
    else:
        data = read_file(str(path))
        if data is None or read_own_stamp(path) != stamp:
            raise TryLater(f"{path}: somebody changes it just now; the next pull looks again")
        write_file(str(staged), data, sync=False)


def _fetch_by_rsync(origin: str, staging: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C", "RSYNC_RSH": os.environ.get("RSYNC_RSH") or _SSH}
    words = [*_RSYNC, *_ONLY, "--", f"{origin}/", f"{staging}/"]
    try:
        done = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except FileNotFoundError:
        raise UserError(f"no program rsync to pull from {origin}; install it") from None
    if done.returncode:
        said = _choose_line(done.stderr.decode("utf-8", "replace"))
        raise TryLater(f"{origin}: {said or f'rsync ended with {done.returncode}'}")


def _choose_line(said: str) -> str:
    """Return the line that has the cause: rsync's own from there, else the last of ssh, whose host may greet first."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    there = [line for line in lines if line.startswith("rsync: [sender]")]
    of_ssh = [line for line in reversed(lines) if not line.startswith("rsync")]
    return next(iter([*there, *of_ssh, *lines]), "")
