"""The questions asked of the history: past runs, and the last run of each plan (PERF-7).

`open_history` drains the journal first. If it cannot, it says so and answers from what it can read: the ledger
and the tail of the journal beyond it, or while the ledger is down the journal alone, which holds a week.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import reduce
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from runner.database.connect import connect
from runner.database.database import Database, Row
from runner.database.migrate import prepare_schema
from runner.errors import TryLater
from runner.launch.instant import format_slot
from runner.launch.journal import make_run_id
from runner.launch.state import make_state
from runner.ledger.drain import drain_journal, read_offsets
from runner.ledger.files import has_undrained
from runner.ledger.fold import Batch, Facts, make_run, merge_facts
from runner.ledger.notebook import Page, make_page
from runner.ledger.packages import find_packages
from runner.ledger.record import Event
from runner.ledger.tables import EVENTS, LAST_RUNS, RUN_COLUMNS, RUNS, SKIPPED, Run
from runner.ledger.tail import IsEnough, read_tail

Key = Callable[[Facts], Any]

# A person does not wait longer for another's lock.
PATIENCE_S = 2.0
# Between slot and start: how far a clock may be put back, and how long a run may wait or be missed.
_EARLY_S = 60
_LATE_S = 31 * 86400
# How many runs on either side of an instant tell whether a host was at work.
_NEAR = 50
_SELECT = f"SELECT {', '.join(f'{RUNS}.{name}' for name in RUN_COLUMNS)} FROM {RUNS}"
_run_id = itemgetter("run_id")
# A run that waited for another began later than its id says: of one job the start counts, in query and merge alike.
_start = itemgetter("started_at", "run_id")


class History:
    """What is known of past and present runs; a context manager.

    Attributes
    ----------
    warnings
        Lines for stderr: why the answer comes from the journal, which lines of it are damaged.
    """

    def __init__(self, database: Database | None, state: str, drained_bytes: dict[str, int] | None) -> None:
        """`drained_bytes` says where the ledger ends and the journal is to be asked; None: nowhere."""
        self.warnings: list[str] = []
        self._database = database
        self._state = state
        self._drained_bytes = drained_bytes
        self._tail: Batch | None = None

    def __enter__(self) -> History:
        return self

    def __exit__(self, *_: object) -> None:
        if self._database:
            self._database.close()

    def read_runs(self, name: str = "", limit: int = 100) -> Iterator[Run]:
        """Yield runs and skipped slots, the newest first.

        Parameters
        ----------
        name
            A job or a plan (``JOB@PROFILE``); empty for all.
        limit
            How many at most; 0 for all.
        """

        def is_wanted(facts: Facts) -> bool:
            return name in ("", facts["job"], facts["plan"])

        def is_enough(runs: Iterable[Facts]) -> bool:
            return 0 < limit <= sum(map(is_wanted, runs))

        where, values = _choose(name)
        order = "started_at DESC, run_id DESC" if name else "run_id DESC"  # the same order, each by its index
        sql = f"{_SELECT} {where} ORDER BY {order}" + (f" LIMIT {limit}" if limit else "")
        return islice(self._ask(sql, values, is_wanted, is_enough, _start if name else _run_id), limit or None)

    def find_page(self, run_id: str) -> Page | None:
        """Return all that is known of one run, None if it is not."""
        runs = self._ask(f"{_SELECT} WHERE run_id = ?", (run_id,), lambda facts: _run_id(facts) == run_id, None)
        run = next(runs, None)
        if run is None:
            return None
        sql = f"SELECT seq, record FROM {EVENTS} WHERE run_id = ?"
        records = dict(self._database.read(sql, (run_id,))) if self._database else {}
        others = self._read_whole_tail().others if self._drained_bytes is not None else []
        records.update({seq: record for one, seq, _, _, record in others if one == run_id})
        digest = run.packages_digest
        return make_page(run, find_packages(self._database, self._state, digest) if digest else [], records.values())

    def read_last_runs(self, plans: Collection[str]) -> dict[str, Run]:
        """Return the newest run of each of these plans that has one; a skipped slot is no run."""

        def is_wanted(facts: Facts) -> bool:
            return facts["plan"] in plans and facts.get("outcome") != SKIPPED

        def is_enough(runs: Iterable[Facts]) -> bool:
            return {facts["plan"] for facts in runs if is_wanted(facts)}.issuperset(plans)

        sql = f"{_SELECT} JOIN {LAST_RUNS} ON {LAST_RUNS}.run_id = {RUNS}.run_id ORDER BY {RUNS}.run_id DESC"
        newest: dict[str, Run] = {}
        for run in self._ask(sql, (), is_wanted, is_enough):
            if run.plan in plans:
                newest.setdefault(run.plan, run)
        return newest

    def read_runs_due(self, plan: str, since: int, until: int) -> list[Run]:
        """Return the runs and skips of a plan whose slot is in [since, until), the newest first.

        A run that begins more than a month after its slot is not found: of a job that runs each minute, more
        would be too many to look through.
        """
        first, stop = format_slot(since), format_slot(until)

        def is_wanted(facts: Facts) -> bool:
            return bool(facts["plan"] == plan and first <= facts["slot"] < stop)

        where = "WHERE job = ? AND plan = ? AND started_at BETWEEN ? AND ? AND slot >= ? AND slot < ?"
        started = (format_slot(since - _EARLY_S), format_slot(until + _LATE_S))
        values = (plan.partition("@")[0], plan, *started, first, stop)
        sql = f"{_SELECT} {where} ORDER BY started_at DESC, run_id DESC"
        return list(self._ask(sql, values, is_wanted, None, _start))

    def read_runs_around(self, host: str, at: int) -> list[Run]:
        """Return the runs and skips of all plans on a host that were asked for nearest to an instant, newest first."""

        def is_wanted(facts: Facts) -> bool:
            return bool(facts["host"] == host)

        middle = make_run_id(at, "", 0)
        near = f"SELECT run_id FROM {RUNS} WHERE host = ? AND run_id BETWEEN ? AND ? ORDER BY run_id"
        either = f"SELECT * FROM ({near} DESC LIMIT {_NEAR}) AS b UNION SELECT * FROM ({near} LIMIT {_NEAR}) AS a"
        sql = f"{_SELECT} WHERE run_id IN ({either}) ORDER BY run_id DESC"
        values = (host, make_run_id(at - _LATE_S, "", 0), middle, host, middle, make_run_id(at + _LATE_S, "", 0))
        return list(self._ask(sql, values, is_wanted, None))

    def read_audits(self, until: int) -> list[Event]:
        """Return who did what before an instant, the newest first (SEC-20)."""
        last = make_run_id(until, "", 0)
        sql = f"SELECT run_id, record FROM {EVENTS} WHERE event = 'audit' AND run_id < ?"
        records = dict(self._database.read(sql, (last,))) if self._database else {}
        others = self._read_whole_tail().others if self._drained_bytes is not None else []
        records.update({run_id: line for run_id, _, event, _, line in others if event == "audit" and run_id < last})
        return [json.loads(record) for _, record in sorted(records.items(), reverse=True)]

    def _ask(
        self,
        sql: str,
        values: tuple[str, ...],
        is_wanted: Callable[[Facts], bool],
        is_enough: IsEnough | None,
        key: Key = _run_id,
    ) -> Iterator[Run]:
        """Yield the runs that a query, descending by `key`, finds in the ledger and `is_wanted` in the journal.

        Of the journal as much is read as `is_enough` asks for; all of it if that is None.
        """
        rows = self._database.stream(sql, values) if self._database else iter(())
        if self._drained_bytes is None:
            return (Run(*row) for row in rows)
        tail = read_tail(self._state, self._drained_bytes, is_enough) if is_enough else self._read_whole_tail()
        wanted = sorted(filter(is_wanted, tail.runs.values()), key=key, reverse=True)
        return _merge(rows, wanted, key)

    def _read_whole_tail(self) -> Batch:
        """Return all that the journal says beyond the ledger, read once for all questions."""
        if self._tail is None:
            self._tail = read_tail(self._state, self._drained_bytes or {}, lambda _: False)
        return self._tail


def open_history(url: str, state: str, now: float, patience_s: float = PATIENCE_S) -> History:
    """Return the history of a state directory whose ledger is at `url`; drains the journal first, if it can.

    Parameters
    ----------
    now
        POSIX seconds.
    patience_s
        How long to wait for another who is writing.

    Raises
    ------
    UserError
        The URL is no database's.
    """
    make_state(state)
    try:
        database = connect(url, patience_s)
    except TryLater as trouble:
        return _answer_from_journal(state, trouble)
    try:
        prepare_schema(database)
        history = History(database, state, None)
        if has_undrained(state, database.shown):
            history.warnings += filter(None, [drain_journal(database, state, now).describe_rejected()])
        return history
    except TryLater as trouble:
        return _answer_beyond(database, state, trouble)


def _answer_beyond(database: Database, state: str, trouble: TryLater) -> History:
    """Return the history of a ledger that can perhaps be read but not written, and of the journal beyond it."""
    try:
        history = History(database, state, read_offsets(database, state))
    except TryLater:
        database.close()
        return _answer_from_journal(state, trouble)
    history.warnings.append(f"{trouble}; the journal's tail is read as well")
    return history


def _answer_from_journal(state: str, trouble: TryLater) -> History:
    history = History(None, state, {})
    history.warnings.append(f"{trouble}; answered from the journal of the last days")
    return history


def _choose(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the condition and its values that choose the runs of a job or of a plan."""
    if "@" in name:
        return "WHERE job = ? AND plan = ?", (name.partition("@")[0], name)
    return ("WHERE job = ?", (name,)) if name else ("", ())


def _merge(rows: Iterator[Row], tail: Sequence[Facts], key: Key) -> Iterator[Run]:
    """Yield the runs of rows and tail, both descending by `key`; what both know of a run is put together."""
    known = ({name: value for name, value in zip(RUN_COLUMNS, row, strict=True) if value is not None} for row in rows)
    for _, same in groupby(heapq.merge(known, tail, key=key, reverse=True), key):
        yield make_run(reduce(merge_facts, same))
