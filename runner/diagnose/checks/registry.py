"""Registry, settings and profiles can be read: what ``runner check`` says of them, in a word."""

from __future__ import annotations

from collections.abc import Iterator

from runner.diagnose.check import ERROR, NOTE, Finding
from runner.diagnose.context import Context

ID = "DIAG001"
LEVEL = ERROR
TITLE = "registry, settings and profiles have no mistakes"


def find(context: Context) -> Iterator[Finding]:
    """Yield that there are errors, with the first of them; warnings are a note."""
    for level, shown in (("error", ERROR), ("warning", NOTE)):
        faults = [str(fault) for fault in context.faults if fault.level == level]
        if faults:
            yield Finding(ID, shown, f"runner check has {len(faults)} {level}(s)", "runner check", faults[0])
