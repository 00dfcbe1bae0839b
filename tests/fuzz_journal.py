"""Damaged lines and files of the journal, drained for real."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from functools import lru_cache
from random import Random

from fuzz_kind import Kind, make_directory, mutate, split_words
from journals import NOW, end_of, make_journal, run_of, skip_of, start_of

from runner.database.database import Database
from runner.database.migrate import prepare_schema
from runner.database.sqlite import SqliteDatabase
from runner.launch.journal import encode_event
from runner.launch.state import JOURNAL
from runner.ledger.drain import Drained, drain_journal
from runner.ledger.record import parse_event
from runner.ledger.tail import read_tail
from runner.sweep.named import find_named
from runner.sweep.open_runs import find_open_runs

_FIRST = run_of()
_LAST = start_of("last", NOW + 1, pid=7)
_OTHERS = (
    {"event": "step", "at": "2026-11-21T12:00:01Z", "run_id": _LAST["run_id"], "seq": 3, "step": 1, "exit_code": 0},
    {"event": "audit", "at": "2026-11-21T12:00:01Z", "run_id": _LAST["run_id"], "seq": 4, "detail": "\u00e4\0\ud800"},
)
_EVENTS = (*_FIRST, *run_of("index@prod", NOW - 60, "failed", exit_code=3), skip_of(at=NOW - 5))
_LINES = (
    *map(encode_event, (*_EVENTS, end_of(start_of("lost"), "lost", seq=1_000_000))),
    *(f"\n{json.dumps(other)}\n".encode() for other in _OTHERS),
)
_WORDS = (
    *split_words(
        'null¦true¦1e400¦-0¦NaN¦Infinity¦9223372036854775808¦"start"¦"end"¦'
        '"skip"¦"seq": 1.5¦"seq": true¦{¦}¦": ¦\\u0000¦\\ud800¦'
        '"mailto": [[]]¦"mailto": [1, null]¦"at": "2026-02-30T25:00:00Z"¦'
        '"run_id": ""¦"plan": "../x"¦, ¦\n¦\n\n¦"pid": 1, '
    ),
    b"[" * 3000,
)


def _make_line(chance: Random) -> bytes:
    return mutate(chance, _LINES, _WORDS)


def _read_line(data: bytes) -> None:
    for line in data.split(b"\n"):
        with suppress(ValueError):
            assert isinstance(parse_event(line)["seq"], int)


def _make_journal(chance: Random) -> bytes:
    """Return a file whose first records and last are whole, and between them anything."""
    damaged = [mutate(chance, _LINES, _WORDS) + b"\n" * chance.randrange(2) for _ in range(chance.randrange(1, 6))]
    return b"".join([*map(encode_event, _FIRST), *damaged, encode_event(_LAST)])


class _Ledger:
    """A state directory and a ledger, used for one journal after the other."""

    def __init__(self) -> None:
        directory = make_directory()
        self.state = directory / "state"
        self.journal = make_journal(self.state)
        self.database: Database = SqliteDatabase(f"sqlite:///{directory}/runner.db", 1.0)
        prepare_schema(self.database)

    def drain(self, data: bytes) -> Drained:
        """Drain a journal of one file into an empty ledger."""
        for table in ("runs", "last_runs", "events", "journals"):
            self.database.execute(f"DELETE FROM {table}")
        shutil.rmtree(self.state / JOURNAL)
        (self.state / JOURNAL).mkdir()
        self.journal.append(data)
        return drain_journal(self.database, str(self.state), NOW)


@lru_cache
def _get_ledger() -> _Ledger:
    return _Ledger()


def _read_journal(data: bytes) -> None:
    """Drain it: what is no event is set aside, all else arrives; and whoever else reads it gets through."""
    ledger = _get_ledger()
    drained = ledger.drain(data)
    placed = _place(data)
    assert drained.events + len(drained.rejected) == len(placed), drained
    aside = [json.loads(line)["position"] for line in ledger.journal.rejected().splitlines() if line]
    assert aside == [at for at, line in placed if not _is_event(line)]
    arrived = {run_id for (run_id,) in ledger.database.read("SELECT run_id FROM runs")}
    assert {_FIRST[0]["run_id"], _LAST["run_id"]} <= arrived
    state = str(ledger.state)
    assert set(read_tail(state, {}, lambda _: False).runs) == arrived
    find_open_runs(state, "boot")
    find_named(state, {"download": {_FIRST[0]["slot"]}})


def _place(data: bytes) -> list[tuple[int, bytes]]:
    """Return each line with its position."""
    position, placed = 0, []
    for line in data.split(b"\n"):
        placed += [(position, line)] if line else []
        position += len(line) + 1
    return placed


def _is_event(line: bytes) -> bool:
    try:
        return bool(parse_event(line))
    except ValueError:
        return False


KINDS = (Kind("line", 11, _make_line, _read_line), Kind("journal", 6, _make_journal, _read_journal))
