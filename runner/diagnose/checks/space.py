"""There is room on the disks of state, logs, home and data: for bytes, and for names (inodes)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from runner.diagnose.check import ERROR, WARNING, Finding
from runner.diagnose.context import Context
from runner.diagnose.words import show_bytes
from runner.launch.state import LOGS

ID = "DIAG016"
LEVEL = ERROR
TITLE = "there is room for state, logs and data"

# The variable of profiles that says where jobs keep their files.
_DATA = "DATA"
_FULL_BYTES, _LOW_BYTES = 64 << 20, 5 << 30
_FULL_NAMES, _LOW_NAMES = 1_000, 100_000
_LOW_PART = 0.05


def find(context: Context) -> Iterator[Finding]:
    """Yield which disks are full or soon will be, each once."""
    seen = set()
    for what, path in _list_places(context):
        there = next(one for one in (path, *path.parents) if one.exists())
        if (device := there.stat().st_dev) in seen:
            continue
        seen.add(device)
        disk = os.statvfs(there)
        free_bytes, size_bytes = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
        if level := judge(free_bytes, size_bytes, _FULL_BYTES, _LOW_BYTES):
            message = f"{show_bytes(free_bytes)} of {show_bytes(size_bytes)} are free for {what}"
            yield Finding(ID, level, message, "make room: a full disk loses output", str(there))
        if level := judge(disk.f_favail, disk.f_files, _FULL_NAMES, _LOW_NAMES):
            message = f"{disk.f_favail} of {disk.f_files} inodes are free for {what}"
            yield Finding(ID, level, message, "remove small files: df -i", str(there))


def judge(free: int, size: int, full: int, low: int) -> str:
    """Return how bad it is that so much of a size is free; empty if it is not, or the disk knows no such limit."""
    if not size:
        return ""
    if free < min(full, size / 2):
        return ERROR
    return WARNING if free < low and free < size * _LOW_PART else ""


def _list_places(context: Context) -> Iterator[tuple[str, Path]]:
    from runner.launch.environment import expand_path
    from runner.launch.outcome import CannotStart

    yield "the state", context.state
    yield "the logs", context.state / LOGS
    yield "the home", context.home
    for one in context.list_planned() if context.loaded else []:
        for change in one.plan.activation.changes:
            if change.name == _DATA and change.verb == "set":
                try:
                    path = Path(context.home, expand_path(change.value, str(context.home)))
                except CannotStart:
                    continue  # said of the profile
                yield f"the data of profile {one.profile.name}", path
