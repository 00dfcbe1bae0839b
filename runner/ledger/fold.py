"""Lines of the journal to rows: pure, and the same whatever the order and however often an event comes.

Of two ends of a run the one of smaller sequence number counts: the wrapper's own before the one that the
sweep wrote because it knew of none (`LOST_SEQ`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from runner.launch.scrub import scrub_text
from runner.ledger.files import NumberedLine, Rejected, make_rejected
from runner.ledger.record import CHECKED, Event, parse_event
from runner.ledger.tables import RUN_COLUMNS, SKIPPED, Run

# What is known of a run: values for columns of its row, and what else its events say.
Facts = dict[str, Any]
# Comes after the sequence number of every end.
NEVER_ENDED = 2**63 - 1


@dataclass(slots=True)
class Batch:
    """What some lines of the journal say.

    Attributes
    ----------
    count
        How many of them are events.
    runs
        By run id, what ``start``, ``end`` and ``skip`` events say.
    others
        Rows of ``events``: attempts, steps, flips, audit and what comes later, each with its line.
    rejected
        The lines that are no events.
    """

    count: int = 0
    runs: dict[str, Facts] = field(default_factory=dict)
    others: list[tuple[Any, ...]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


def fold_lines(file_name: str, numbered: Iterable[NumberedLine], batch: Batch) -> None:
    """Enter lines of a journal file into `batch`."""
    for position, line in numbered:
        try:
            event = parse_event(line)
        except ValueError as error:
            batch.rejected.append(make_rejected(file_name, position, line, error))
            continue
        batch.count += 1
        if event["event"] in CHECKED:
            fold_event(event, batch.runs)
        else:
            # A Python job has written it without any scrubber.
            text = scrub_text(event["text"]) if isinstance(event.get("text"), str) else None
            record = line.decode() if text is None else json.dumps({**event, "text": text})
            batch.others.append((event["run_id"], event["seq"], event["event"], event["at"], record))


def fold_event(event: Event, runs: dict[str, Facts]) -> None:
    """Enter the beginning or the end of a run into `runs`; the event is used up."""
    checked = CHECKED[event["event"]]
    if not checked.issuperset(event):
        event = {name: value for name, value in event.items() if name in checked}
    facts = _begin(event) if event["event"] == "start" else _end(event)
    run_id = facts["run_id"]
    runs[run_id] = merge_facts(runs[run_id], facts) if run_id in runs else facts


def merge_facts(first: Facts, second: Facts) -> Facts:
    """Return what two records together say of a run: where both speak, the one whose end counts is believed."""
    return {**first, **second} if _order(second) < _order(first) else {**second, **first}


def make_run(facts: Facts) -> Run:
    """Return the run that facts describe."""
    get: Callable[[str], Any] = facts.get
    return Run(*map(get, RUN_COLUMNS))


def _begin(start: Event) -> Facts:
    recipients = start.get("mailto")
    start["mailto"] = " ".join([one for one in recipients if isinstance(one, str)]) if recipients else None
    return start


def _end(event: Event) -> Facts:
    event["end_seq"] = event["seq"]
    if event["event"] == "skip":
        at = instant_of(event["run_id"])
        event.update(outcome=SKIPPED, started_at=at, ended_at=at, duration_s=0.0, attempts=0)
    return event


def instant_of(run_id: str) -> str:
    """Return the instant at which a run id was made (RUN-4): for a slot that was skipped, its only one."""
    return f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}T{run_id[9:11]}:{run_id[11:13]}:{run_id[13:23]}"


def _order(facts: Facts) -> int:
    end_seq = facts.get("end_seq")
    return end_seq if isinstance(end_seq, int) else NEVER_ENDED
