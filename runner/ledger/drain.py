"""The journal into the ledger, each event exactly once (RUN-16).

One transaction holds a piece of a file: the row that says how far the file is drained is locked, the piece
is read from there, its rows are written, the new offset with them. A process that is killed at any point
leaves all of that or nothing, and two at once wait for each other at the row. Should a piece come twice all
the same (a restored database, a file copied back), its rows have the same keys and say the same.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from runner.database.database import Database
from runner.launch.state import make_state
from runner.ledger.files import (
    JournalFile,
    Rejected,
    is_final,
    list_files,
    read_piece,
    set_aside,
    write_drained,
)
from runner.ledger.fold import NEVER_ENDED, Batch, fold_lines
from runner.ledger.packages import drain_packages
from runner.ledger.tables import (
    END_COLUMNS,
    EVENT_COLUMNS,
    EVENTS,
    JOURNALS,
    LAST_RUNS,
    RUN_COLUMNS,
    RUNS,
    SKIPPED,
    START_COLUMNS,
)


@dataclass(frozen=True, slots=True)
class Drained:
    """What one draining did: how many events went into the ledger, and which lines were none."""

    events: int
    rejected: tuple[Rejected, ...]

    def describe_rejected(self) -> str:
        """Return one line for a person about the bad lines, empty if there were none."""
        if not self.rejected:
            return ""
        first = self.rejected[0]
        return (
            f"journal: {len(self.rejected)} damaged line{'s' if len(self.rejected) > 1 else ''} set aside in"
            f" journal/rejected.jsonl; the first: {first.name} at byte {first.position}, {first.reason}"
        )


def drain_journal(database: Database, state: str, now: float) -> Drained:
    """Bring the journal of a state directory into the ledger, whose schema is prepared.

    Parameters
    ----------
    now
        POSIX seconds; decides when a torn last line has waited long enough.

    Raises
    ------
    TryLater
        The database does not answer or is busy; what was not drained waits.
    """
    make_state(state)
    count, rejected = 0, []
    drained_bytes = read_offsets(database, state)
    files = list_files(state)
    for file in files:
        position = drained_bytes.get(file.name, 0)
        while position != file.size_bytes:
            batch, end = _drain_piece(database, state, file, now)
            count += batch.count
            rejected += batch.rejected
            if end == position:
                break  # a torn last line waits
            position = end
        drained_bytes[file.name] = position
    drain_packages(database, state)
    write_drained(state, database.shown, {file.name: drained_bytes[file.name] for file in files})
    return Drained(count, tuple(rejected))


def read_offsets(database: Database, state: str) -> dict[str, int]:
    """Return how many bytes of each journal file of a state directory are in the ledger."""
    sql = f"SELECT name, drained_bytes FROM {JOURNALS} WHERE host = ? AND state = ?"
    return dict(database.read(sql, _name_state(state)))


def _drain_piece(database: Database, state: str, file: JournalFile, now: float) -> tuple[Batch, int]:
    """Drain the next piece of a file; return what it said and where the piece after it begins."""
    key = (*_name_state(state), file.name)
    batch = Batch()
    with database.writing():
        piece = read_piece(state, file.name, _lock_offset(database, key), is_final=is_final(file, now))
        fold_lines(file.name, piece.lines, batch)
        _write_batch(database, batch)
        set_aside(state, batch.rejected, now)
        sql = f"UPDATE {JOURNALS} SET drained_bytes = ? WHERE host = ? AND state = ? AND name = ?"
        database.execute(sql, (piece.end, *key))
    return batch, piece.end


def _lock_offset(database: Database, key: tuple[str, str, str]) -> int:
    """Return how many bytes of a file are drained; until the transaction ends nobody else drains it."""
    # In both databases an update locks the row, even one that changes nothing.
    clause = "ON CONFLICT (host, state, name) DO UPDATE SET name = excluded.name"
    database.insert(JOURNALS, ("host", "state", "name", "drained_bytes"), [(*key, 0)], clause)
    sql = f"SELECT drained_bytes FROM {JOURNALS} WHERE host = ? AND state = ? AND name = ?"
    return int(database.read(sql, key)[0][0])


def _write_batch(database: Database, batch: Batch) -> None:
    """Write rows in the order of their keys, so that two hosts cannot wait for each other in a circle."""
    runs = [facts for _, facts in sorted(batch.runs.items())]
    database.insert(RUNS, RUN_COLUMNS, [tuple(map(facts.get, RUN_COLUMNS)) for facts in runs], _MERGE)
    newest = {facts["plan"]: facts["run_id"] for facts in runs if facts.get("outcome") != SKIPPED}
    database.insert(LAST_RUNS, ("plan", "run_id"), sorted(newest.items()), _IF_LATER)
    database.insert(EVENTS, EVENT_COLUMNS, batch.others, "ON CONFLICT (run_id, seq) DO NOTHING")


def _merge_clause() -> str:
    """Return `fold.fold_event` in SQL."""
    counts = f"excluded.end_seq < coalesce({RUNS}.end_seq, {NEVER_ENDED})"
    begins = [f"{name} = coalesce({RUNS}.{name}, excluded.{name})" for name in START_COLUMNS[1:]]
    ends = [f"{name} = CASE WHEN {counts} THEN excluded.{name} ELSE {RUNS}.{name} END" for name in END_COLUMNS]
    return f"ON CONFLICT (run_id) DO UPDATE SET {', '.join(begins + ends)}"


_MERGE = _merge_clause()
_IF_LATER = f"ON CONFLICT (plan) DO UPDATE SET run_id = excluded.run_id WHERE excluded.run_id > {LAST_RUNS}.run_id"


def _name_state(state: str) -> tuple[str, str]:
    """Return what tells this state directory from those of other hosts that share the ledger."""
    return os.uname().nodename, os.path.realpath(state)
