"""A cron daemon runs: found among the processes, or known by the sweep that it starts each minute."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from runner.diagnose.check import ERROR, Finding
from runner.diagnose.checks.firing import find_silence_s
from runner.diagnose.context import Context

ID = "DIAG005"
LEVEL = ERROR
TITLE = "a cron daemon runs"

PID_FILE = Path("/run/crond.pid")
_NAMES = frozenset({"cron", "crond"})
_FRESH_S = 150.0


def find(context: Context) -> Iterator[Finding]:
    """Yield that no daemon is there to read what is installed."""
    if context.target is None or not context.is_installed() or find_daemons():
        return
    silence_s = find_silence_s(context)
    # Where /proc shows only our own processes (hidepid), or other programs do cron's work, its deeds tell.
    if context.get_settings().housekeeping == "cron" and silence_s is not None and silence_s < _FRESH_S:
        return
    seen = f"{PID_FILE} names pid {PID_FILE.read_text().strip()}" if PID_FILE.is_file() else f"no {PID_FILE}"
    hint = "as root: systemctl start cron (crond on Red Hat's), and enable it"
    yield Finding(ID, LEVEL, "no cron daemon runs on this host: no job is started", hint, seen)


def find_daemons() -> list[int]:
    """Return the processes that are called as a cron daemon and belong to root."""
    found = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdecimal():
            try:
                is_named = (directory / "comm").read_text().rstrip("\n") in _NAMES
                found += [int(directory.name)] if is_named and os.stat(directory).st_uid == 0 else []  # noqa: PTH116
            except OSError:
                continue  # it has ended meanwhile
    return found
