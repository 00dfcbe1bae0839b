"""Making a tree read-only, and taking one away."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

_READ, _SEARCH = 0o444, 0o555


def seal(tree: Path) -> None:
    """Let nobody write to a tree, and let those read it who get into the directory above it."""
    above = tree.parent.parent.stat().st_mode
    readers = 0o700 | (0o070 if above & 0o010 else 0) | (0o007 if above & 0o001 else 0)
    for path in _walk(tree):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode):
            is_open = stat.S_ISDIR(mode) or mode & 0o100
            path.chmod((_SEARCH if is_open else _READ) & readers)


def remove_tree(tree: Path) -> None:
    """Remove a tree, sealed or not, as far as it is there."""
    if tree.is_symlink() or not tree.exists():
        tree.unlink(missing_ok=True)
        return
    for directory, _, _ in os.walk(tree):
        Path(directory).chmod(0o700)
    shutil.rmtree(tree)


def _walk(tree: Path) -> Iterator[Path]:
    """Yield a tree from below, so that a directory is sealed after what is in it."""
    for directory, names, files in os.walk(tree, topdown=False):
        yield from (Path(directory, name) for name in (*names, *files))
    yield tree
