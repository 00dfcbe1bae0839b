"""Which runs began and did not end, from the journal alone: a lock file may have been taken over or lost.

A new run of a plan writes its name over that of a run whose wrapper was killed, and a power loss may take a
lock file back to what it said before, since only the journal is synced. ``journal/open`` remembers what was
read so far and which runs were open then, so that each sweep reads only what is new; after a boot the whole
journal is read again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from runner.launch import lines
from runner.launch.state import JOURNAL, OPEN_RUNS, read_file, write_file
from runner.ledger.files import read_on

# A whole record: a torn one is no event, even if its beginning tells what it was to be.
_RECORD = re.compile(rb'\{"event": "(start|end)", "at": "[^"]*", "run_id": "([^"]*)", .*\}')

Starts = dict[str, str]


def find_open_runs(state: str, boot_id: str) -> Starts:
    """Return the ``start`` records of the runs that have no ``end`` in the journal, by run id."""
    read_bytes, starts = _read_memory(state, boot_id)
    before = dict(read_bytes)
    note_records(read_on(state, read_bytes), starts)
    if read_bytes != before:
        _write_memory(state, boot_id, read_bytes, starts)
    return starts


def note_records(records: Iterable[bytes], starts: Starts) -> None:
    """Enter what begins and remove what ends."""
    for record in records:
        found = _RECORD.fullmatch(record)
        if not found:
            continue
        run_id = found[2].decode("ascii", "replace")
        if found[1] == b"start":
            starts[run_id] = record.decode("utf-8", "replace")
        else:
            starts.pop(run_id, None)


def _read_memory(state: str, boot_id: str) -> tuple[dict[str, int], Starts]:
    read_bytes: dict[str, int] = {}
    starts: Starts = {}
    try:
        boot, *pairs = lines.decode(read_file(f"{state}/{JOURNAL}/{OPEN_RUNS}") or b"")
        if boot != ("boot", boot_id):
            return {}, {}
        for key, value in pairs:
            if key == "start":
                note_records([value.encode()], starts)
            else:
                read_bytes[key] = int(value)
    except (OSError, ValueError):
        return {}, {}
    return read_bytes, starts


def _write_memory(state: str, boot_id: str, read_bytes: dict[str, int], starts: Starts) -> None:
    pairs = [("boot", boot_id), *((name, str(size)) for name, size in read_bytes.items())]
    pairs += [("start", start) for start in starts.values()]
    write_file(f"{state}/{JOURNAL}/{OPEN_RUNS}", lines.encode(pairs), sync=False)
