"""The journal is drained: how much of it the ledger has not, since when, and what was no event (FAULT-43, RUN-16)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from runner.diagnose.check import WARNING, Finding
from runner.diagnose.context import Context
from runner.diagnose.words import show_bytes, show_span
from runner.launch.instant import parse_instant
from runner.launch.reserve import has_events
from runner.launch.state import JOURNAL, REJECTED
from runner.ledger.files import list_files, read_drained, read_piece

ID = "DIAG015"
LEVEL = WARNING
TITLE = "the journal is in the ledger"

# A sweep comes each minute.
_LATE_S = 900.0
_AT = re.compile(rb'"at": "([^"]*)"')


def find(context: Context) -> Iterator[Finding]:
    """Yield the depth and the age of what waits, and that damaged lines were set aside."""
    state = str(context.state)
    depth_bytes, oldest_at = _measure(state)
    age_s = context.now - oldest_at
    if depth_bytes and age_s > _LATE_S:
        message = f"{show_bytes(depth_bytes)} of the journal wait for the ledger, the oldest for {show_span(age_s)}"
        yield Finding(ID, LEVEL, message, "runner sweep --explain says why; nothing is lost meanwhile")
    rejected = context.state / JOURNAL / REJECTED
    if rejected.exists() and rejected.stat().st_size:
        message = f"damaged lines of the journal were set aside ({show_bytes(rejected.stat().st_size)})"
        hint = f"a disk or a program has spoilt them; read {rejected}, then remove it"
        yield Finding(ID, LEVEL, message, hint)
    if has_events(state):
        hint = "the disk was full; the next sweep moves them into the journal"
        yield Finding(ID, LEVEL, "records of a full disk wait in journal/reserve", hint)


def _measure(state: str) -> tuple[int, float]:
    """Return how many bytes wait, and from when the first event of them is, POSIX seconds."""
    drained = read_drained(state)[1]
    waiting = [(file, drained.get(file.name, 0)) for file in list_files(state)]
    waiting = [(file, position) for file, position in waiting if file.size_bytes > position]
    if not waiting:
        return 0, 0.0
    (first, position), depth = waiting[0], sum(file.size_bytes - position for file, position in waiting)
    for _, line in read_piece(state, first.name, position, is_final=False).lines:
        with suppress(ValueError):  # of a damaged line
            if found := _AT.search(line):
                return depth, parse_instant(found[1].decode())
    return depth, first.written_at
