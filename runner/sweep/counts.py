"""How many runs of each plan ended how, and how the last one did, from the journal alone.

``journal/counted`` remembers that, and how far each file was read, so that each sweep reads only what is new. Counts
begin where the journal does, and begin again if a power loss takes the memory: Prometheus knows that of counters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from runner.launch import lines
from runner.launch.instant import format_instant, parse_instant
from runner.launch.outcome import SKIPPED
from runner.launch.state import COUNTED_RUNS, JOURNAL, read_file, write_file
from runner.ledger.files import read_on

_END, _SKIP = b'"event": "end"', b'"event": "skip"'


@dataclass(frozen=True, slots=True)
class Last:
    """How the last run of a plan ended, when (POSIX seconds) and after how long; None where nobody knows."""

    outcome: str
    ended_at: float
    duration_s: float | None


@dataclass(frozen=True, slots=True)
class Counts:
    """What is known so far: by plan and outcome, and by plan; skipped slots are counted, but are no last run."""

    runs: dict[tuple[str, str], int] = field(default_factory=dict)
    last: dict[str, Last] = field(default_factory=dict)


def count_runs(state: str) -> Counts:
    """Return the counts, after reading what is new in the journal."""
    read_bytes, counts = _read_memory(state)
    before = dict(read_bytes)
    enter_records(read_on(state, read_bytes), counts)
    if read_bytes != before:
        _write_memory(state, read_bytes, counts)
    return counts


def enter_records(records: Iterable[bytes], counts: Counts) -> None:
    """Count what ended; of a torn record nothing is known."""
    for record in records:
        if _END not in record and _SKIP not in record:
            continue  # to parse all would take ten times as long
        try:
            event = json.loads(record)
            plan, at = str(event["plan"]), parse_instant(event["at"])
            outcome = str(event["outcome"]) if event["event"] == "end" else SKIPPED
            duration_s = event.get("duration_s")
        except (ValueError, LookupError, TypeError):
            continue
        counts.runs[plan, outcome] = counts.runs.get((plan, outcome), 0) + 1
        if outcome != SKIPPED:
            counts.last[plan] = Last(outcome, at, None if duration_s is None else float(duration_s))


def _read_memory(state: str) -> tuple[dict[str, int], Counts]:
    read_bytes: dict[str, int] = {}
    counts = Counts()
    try:
        for key, value in lines.decode(read_file(f"{state}/{JOURNAL}/{COUNTED_RUNS}") or b""):
            words = value.split(" ")
            if key == "read":
                read_bytes[words[0]] = int(words[1])
            elif key == "runs":
                counts.runs[words[0], words[1]] = int(words[2])
            elif key == "last":
                duration_s = None if words[3] == "-" else float(words[3])
                counts.last[words[0]] = Last(words[1], parse_instant(words[2]), duration_s)
    except (OSError, ValueError, IndexError):
        return {}, Counts()
    return read_bytes, counts


def _write_memory(state: str, read_bytes: dict[str, int], counts: Counts) -> None:
    pairs = [("read", f"{name} {size}") for name, size in read_bytes.items()]
    pairs += [("runs", f"{plan} {outcome} {number}") for (plan, outcome), number in counts.runs.items()]
    for plan, last in counts.last.items():
        duration = "-" if last.duration_s is None else repr(last.duration_s)
        pairs.append(("last", f"{plan} {last.outcome} {format_instant(last.ended_at)} {duration}"))
    write_file(f"{state}/{JOURNAL}/{COUNTED_RUNS}", lines.encode(pairs), sync=False)
