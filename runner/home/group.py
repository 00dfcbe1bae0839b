"""Letting a group read the logs, and nothing else of the state directory (RUN-43)."""

from __future__ import annotations

import os
from pathlib import Path

from runner.errors import TryLater
from runner.launch.state import DATABASE, LOGS

_PRIVATE, _SHARED, _INHERITED = 0o700, 0o750, 0o2750


def find_group(name: str) -> int | None:
    """Return the number of a group, None if this host has none of that name."""
    import grp

    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def share_logs(state: str, group: str) -> None:
    """Let `group` read the logs, those to come too, which inherit it; without a group the state is its owner's alone.

    Raises
    ------
    TryLater
        If there is no such group, or its owner may not give files to it.
    """
    root = Path(state)
    if not group:
        if root.stat().st_mode & 0o7777 == _SHARED:
            root.chmod(_PRIVATE)
        return
    number = find_group(group)
    if number is None:
        raise TryLater(f"group {group}, who are to read the logs, does not exist on this host")
    for path in root.glob(f"{DATABASE}*"):
        path.chmod(0o600)  # SQLite makes it by the umask; behind the private root that did not matter
    try:
        # The root comes last: until then nobody of the group gets in.
        for path in (*(root / LOGS).glob("*/*.log"), *(root / LOGS).glob("*/"), root / LOGS, root):
            if not path.is_symlink():
                _set(path, _choose_mode(path, root), number)
    except PermissionError as error:
        raise TryLater(f"{error.filename} cannot be given to group {group}: is its owner in it?") from error


def _choose_mode(path: Path, root: Path) -> int:
    if path == root:
        return _SHARED
    return _INHERITED if path.is_dir() else 0o640


def _set(path: Path, mode: int, group: int) -> None:
    """Change what differs; a change of group takes setgid away, so the mode comes after it."""
    found = path.lstat()
    if group != found.st_gid:
        os.chown(path, -1, group, follow_symlinks=False)
        found = path.lstat()
    if found.st_mode & 0o7777 != mode:
        path.chmod(mode)
