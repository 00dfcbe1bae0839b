"""``close``: runs whose wrapper is gone get the end that it could not write (RUN-17).

Which runs are open is asked of the journal and of the lock files, never of a database. A run is closed only
under its plan's lock, when its boot is over or no process that the lock file names lives. Killed between any
two of its steps and started again, the sweep says the same once more: events have the same keys, and a health
file names the last run it was told of.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from runner.errors import TryLater
from runner.launch import lock
from runner.launch.gates import is_plan_name, read_plan
from runner.launch.incident import Health, judge
from runner.launch.installed import owe_rerun
from runner.launch.instant import format_instant
from runner.launch.journal import LOST_SEQ, make_end
from runner.launch.log import format_footer
from runner.launch.outcome import LOST
from runner.launch.pings import leave_end
from runner.launch.process import read_boot_id, read_command
from runner.launch.records import BY_CRON, BY_HAND, BY_MISSED
from runner.launch.reserve import has_events
from runner.launch.state import JOURNAL, LOCKS, LOGS, RESERVE
from runner.launch.stops import read_stop
from runner.ledger.files import list_files
from runner.ledger.locks import read_locks
from runner.ledger.record import Event, parse_event
from runner.sweep.chores import Round
from runner.sweep.health import append_synced, change_health
from runner.sweep.open_runs import find_open_runs
from runner.sweep.outliving import end_if_over, find_processes

IDLE = "no run is open"
_FLIP_SEQ = LOST_SEQ - 1
REBOOTED = "host rebooted"


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run without end: its ``start`` event, whether it is the journal that knows it as open, and its lock file."""

    start: Event
    is_recorded: bool
    lock_name: str


def has_work(round_: Round) -> bool:
    """Whether any run is open."""
    return bool(_find_open(round_.place.state))


def work(round_: Round) -> str:
    """Close what nobody owns; end what nobody watches and is over its time."""
    closed, troubles = [], []
    for run in _find_open(round_.place.state):
        # Another host's processes cannot be looked at: a state directory should not be shared, but may be.
        if run.start["host"] != round_.place.host:
            continue
        try:
            if _settle(run, round_):
                closed.append(run.start["plan"])
        except OSError as error:
            troubles.append(f"{run.start['run_id']}: {error.filename}: {error.strerror}")
    if troubles:
        raise TryLater("; ".join(troubles))
    return f"closed as lost: {', '.join(closed)}" if closed else ""


def _find_open(state: str) -> list[OpenRun]:
    """Return the runs that the journal or a lock file knows as open, the oldest first."""
    recorded = find_open_runs(state, read_boot_id())
    locks = {file.record.run_id: file for file in read_locks(state) if file.record.run_id}
    starts = {run_id: file.record.start for run_id, file in locks.items()} | recorded
    parsed = [(run_id, _parse_start(text)) for run_id, text in sorted(starts.items())]
    return [
        OpenRun(start, run_id in recorded, locks[run_id].name if run_id in locks else start["plan"])
        for run_id, start in parsed
        if start
    ]


def _parse_start(text: str) -> Event | None:
    """Return the ``start`` event of a record, None if a crash left something else."""
    event = _parse_any(text.encode())
    return event if event and event["event"] == "start" and is_plan_name(event["plan"]) else None


def _settle(run: OpenRun, round_: Round) -> bool:
    """Close one run if it is over, end its job if that is late; return whether it was lost."""
    plan = run.start["plan"]
    path = f"{round_.place.state}/{LOCKS}/{run.lock_name}"
    boot_id = read_boot_id()
    holder = lock.find_lock(path)
    if holder and holder.run_id == run.start["run_id"] and holder.boot_id == boot_id:
        grace_s = read_plan(round_.place.home, plan)[0].grace_s
        end_if_over(holder, run.start["timeout_s"] or 0.0, grace_s, round_.now)
    descriptor, is_ours = lock.try_lock(path)
    try:
        return is_ours and _close(run, descriptor, boot_id, round_)
    finally:
        if is_ours:
            lock.unlock(descriptor)
        os.close(descriptor)


def _close(run: OpenRun, descriptor: int, boot_id: str, round_: Round) -> bool:
    """Close one run under its lock, unless it lives; return whether it was lost."""
    holder = lock.read_lock(descriptor)
    is_holder = holder.run_id == run.start["run_id"]
    if _lives(holder, boot_id) if is_holder else _runs_without_lock(run.start, boot_id):
        return False
    state, run_id = round_.place.state, run.start["run_id"]
    known = _find_events(state, run_id)
    end = known.get("end")
    if not run.is_recorded and "start" not in known:
        append_synced(round_, run.start)
    is_owed = not end and _wants_rerun(run, round_) and owe_rerun(state, run.start["plan"], run.start["slot"])
    if is_owed:
        holder.slots = [slot for slot in holder.slots if slot != run.start["slot"]]
    if is_holder:
        # From here on the journal knows the run. Its next slot, which may be due in this very moment, waits for
        # a lock that names nobody, and would be skipped by one that still names a run.
        lock.clear_lock(descriptor, holder)
    elif is_owed:
        lock.write_lock(descriptor, holder)
    if is_owed:
        os.fsync(descriptor)  # the slot must be free before the end, which lets it be started, is on record
    if end:
        # The wrapper was killed just after; or its start came behind it, out of the reserve or since the clock was
        # set back. Said once more it is the same event, and who reads the journal on from here knows.
        if run.is_recorded:
            append_synced(round_, end)
        return False
    _record_lost(run.start, _explain(run, state, boot_id), round_)
    return True


def _explain(run: OpenRun, state: str, boot_id: str) -> str:
    """Return why the end of a run is unknown; who stopped what a killed wrapper had left is named."""
    if run.start["boot_id"] != boot_id:
        return REBOOTED
    is_waiter = run.lock_name.endswith(f"{lock.BESIDE}{lock.WAITING}")
    killed = "its wrapper was killed" + (" while it waited" if is_waiter else "")
    request = read_stop(state, run.start["plan"], run.start["run_id"])
    return f"{killed}, {request}" if request else killed


def _wants_rerun(run: OpenRun, round_: Round) -> bool:
    """Whether the slot of a lost run is to be run again: not if a person asked for it or stopped it, and only once."""
    start, state = run.start, round_.place.state
    if start["trigger"] not in (BY_CRON, BY_MISSED) or not read_plan(round_.place.home, start["plan"])[0].rerun_lost:
        return False
    return not read_stop(state, start["plan"], start["run_id"])


def _lives(holder: lock.LockRecord, boot_id: str) -> bool:
    """Whether the run that holds the lock lives; the job of one killed before it could note it is known by its mark."""
    if lock.is_held(holder, boot_id):
        return True
    return holder.job is None and holder.boot_id == boot_id and bool(find_processes(holder))


def _runs_without_lock(start: Event, boot_id: str) -> bool:
    """Whether the wrapper of a run lives that the lock does not name: it could not open the lock, and will say so."""
    command = read_command(start["pid"] or 0).split(" ")
    return start["boot_id"] == boot_id and start["plan"] in command


def _find_events(state: str, run_id: str) -> dict[str, Event]:
    """Return the events of a run by kind, in the journal and in its reserve; the clock may have put any day on them."""
    found: dict[str, Event] = {}
    names = [file.name for file in list_files(state)] + [RESERVE] * has_events(state)
    for name in names:
        with open(f"{state}/{JOURNAL}/{name}", "rb") as lines:
            events = [_parse_any(line) for line in lines if run_id.encode() in line]
        found |= {event["event"]: event for event in events if event and event["run_id"] == run_id}
    return found


def _parse_any(line: bytes) -> Event | None:
    try:
        return parse_event(line.strip())
    except ValueError:
        return None


def _record_lost(start: Event, reason: str, round_: Round) -> None:
    """Write everything that the wrapper would have written at the end, and tell ops."""
    state, plan, run_id = round_.place.state, start["plan"], start["run_id"]
    end = make_end(start, LOST_SEQ, format_instant(round_.now), outcome=LOST, reason=reason, attempts=1, alerted="")
    _write_footer(f"{state}/{LOGS}/{plan}/{run_id}.log", format_footer(end))
    by_hand = start["trigger"] == BY_HAND
    boot = read_boot_id() if reason == REBOOTED else ""

    def judge_lost(health: Health) -> str:
        return judge(health, run_id, LOST, reason, round_.now, by_hand=by_hand)

    end["alerted"] = change_health(round_, {**end, "mailto": start["mailto"]}, judge_lost, _FLIP_SEQ, boot)
    append_synced(round_, end)
    if url := read_plan(round_.place.home, plan)[0].ping:
        leave_end(state, url, end)


def _write_footer(path: str, footer: str) -> None:
    """Append the last line to the log of a run, which may never have been made."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    with open(descriptor, "r+b", buffering=0) as log:
        last = os.pread(descriptor, 1, max(os.fstat(descriptor).st_size - 1, 0))
        log.write(b"" if last in (b"", b"\n") else b"\n")
        log.write(f"# {footer}\n".encode("utf-8", "backslashreplace"))
