"""The run that waits for its turn: ``locks/<plan>+wait`` has the form of a lock file and names it (RUN-11)."""

from __future__ import annotations

import json
from dataclasses import dataclass

from runner.launch.lock import BESIDE, WAITING, LockRecord, find_lock, is_held
from runner.launch.state import LOCKS


@dataclass(frozen=True, slots=True)
class Waiting:
    """A living run that waits, and its slot; None where the file does not say it."""

    run_id: str
    slot: str | None


def find_waiting(state: str, plan: str, boot_id: str) -> Waiting | None:
    """Return the run of a plan that waits now; a file that cannot be read names none: the next run says what it is."""
    try:
        record = find_lock(f"{state}/{LOCKS}/{plan}{BESIDE}{WAITING}")
    except OSError:
        return None
    return Waiting(record.run_id, _find_slot(record)) if record and is_held(record, boot_id) else None


def _find_slot(record: LockRecord) -> str | None:
    try:
        return str(json.loads(record.start)["slot"])
    except (ValueError, LookupError, TypeError):
        return record.slots[-1] if record.slots else None
