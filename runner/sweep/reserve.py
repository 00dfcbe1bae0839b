"""``reserve``: the records of a full disk go into the journal, and room is kept for the next time (RUN-15)."""

from __future__ import annotations

from runner.launch.instant import format_instant
from runner.launch.journal import append_record
from runner.launch.reserve import empty_reserve, has_events, make_reserve, needs_reserve
from runner.launch.state import JOURNAL
from runner.sweep.chores import Round

IDLE = "nothing waits in the reserve of the journal"


def has_work(round_: Round) -> bool:
    """Whether records wait in the reserve, or there is none yet."""
    return needs_reserve(round_.place.state) or has_events(round_.place.state)


def work(round_: Round) -> str:
    """Move the records; a kill in between leaves them in both places, where their keys tell that they are the same."""
    moved: list[bytes] = []

    def keep(events: bytes) -> None:
        moved.extend(line for line in events.split(b"\n") if line)
        directory, today = f"{round_.place.state}/{JOURNAL}", format_instant(round_.now)[:10]
        for line in moved:
            append_record(directory, today, b"\n%s\n" % line, sync=line is moved[-1])

    empty_reserve(round_.place.state, keep)
    make_reserve(round_.place.state)
    return f"{len(moved)} events out of the reserve" if moved else ""
