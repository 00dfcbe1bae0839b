"""``close``: runs whose wrapper is gone get the end that it could not write (RUN-17).

Which runs are open is asked of the journal and of the lock files, never of a database. A run is closed only
under its plan's lock, when its boot is over or no process that the lock file names lives. Killed between any
two of its steps and started again, the sweep says the same once more: events have the same keys, and a health
file names the last run it was told of.
"""

from __future__ import annotations

import os
from pathlib import Path

from runner.errors import TryLater
from runner.launch import lock
from runner.launch.gates import is_plan_name, read_plan
from runner.launch.incident import SILENT, enter_outcome
from runner.launch.instant import format_instant
from runner.launch.journal import LOST_SEQ, Value, append_record, encode_event, make_end
from runner.launch.lock import LockRecord
from runner.launch.log import format_footer
from runner.launch.outcome import LOST
from runner.launch.process import read_boot_id, read_command
from runner.launch.report import compose
from runner.launch.state import HEALTH, JOURNAL, LOCKS, LOGS
from runner.ledger.files import list_files
from runner.ledger.record import Event, parse_event
from runner.sweep.chores import Round
from runner.sweep.late import end_if_late
from runner.sweep.open_runs import find_open_runs

_FLIP_SEQ = LOST_SEQ - 1
_NAMES = ("plan", "job", "profile", "slot", "host", "trigger", "release")


def has_work(round_: Round) -> bool:
    """Whether any run is open."""
    return bool(_find_open(round_.place.state))


def work(round_: Round) -> str:
    """Close what nobody owns; end what nobody watches and is over its time."""
    closed, troubles = [], []
    for _, text in sorted(_find_open(round_.place.state).items()):
        start = _parse_start(text)
        # Another host's processes cannot be looked at: a state directory should not be shared, but may be.
        if start is None or start["host"] != round_.place.host:
            continue
        try:
            if _settle(start, round_):
                closed.append(start["plan"])
        except OSError as error:
            troubles.append(f"{start['run_id']}: {error.filename}: {error.strerror}")
    if troubles:
        raise TryLater("; ".join(troubles))
    return f"closed as lost: {', '.join(closed)}" if closed else ""


def _find_open(state: str) -> dict[str, str]:
    """Return the ``start`` records of the runs that the journal or a lock file knows as open, by run id."""
    starts = find_open_runs(state, read_boot_id())
    for path in (Path(state) / LOCKS).iterdir():
        try:
            record = lock.find_lock(str(path)) if is_plan_name(path.name) else None
        except OSError:
            continue  # the next run of the plan will say what is wrong with it
        if record and record.run_id:
            starts.setdefault(record.run_id, record.start)
    return starts


def _parse_start(text: str) -> Event | None:
    """Return the ``start`` event of a record, None if a crash left something else."""
    try:
        event = parse_event(text.encode())
    except ValueError:
        return None
    return event if event["event"] == "start" and is_plan_name(event["plan"]) else None


def _settle(start: Event, round_: Round) -> bool:
    """Close one run if it is over, end its job if that is late; return whether it was lost."""
    path = f"{round_.place.state}/{LOCKS}/{start['plan']}"
    boot_id = read_boot_id()
    holder = lock.find_lock(path)
    if holder and holder.run_id == start["run_id"] and holder.boot_id == boot_id:
        grace_s = read_plan(round_.place.home, start["plan"])[0].grace_s
        end_if_late(holder, start["timeout_s"] or 0.0, grace_s, round_.now)
    descriptor, is_ours = lock.try_lock(path)
    try:
        return is_ours and _close(start, lock.read_lock(descriptor), descriptor, boot_id, round_)
    finally:
        if is_ours:
            lock.unlock(descriptor)
        os.close(descriptor)


def _close(start: Event, holder: LockRecord, descriptor: int, boot_id: str, round_: Round) -> bool:
    """Close one run under its plan's lock, unless it lives; return whether it was lost."""
    is_holder = holder.run_id == start["run_id"]
    if lock.is_held(holder, boot_id) if is_holder else _runs_without_lock(start, boot_id):
        return False
    known = _find_events(round_.place.state, start["run_id"])
    if "start" not in known:
        _append(round_, start)
    if "end" not in known:
        _record_lost(start, "host rebooted" if start["boot_id"] != boot_id else "its wrapper was killed", round_)
    if is_holder:
        lock.clear_lock(descriptor, holder)
    return "end" not in known


def _runs_without_lock(start: Event, boot_id: str) -> bool:
    """Whether the wrapper of a run lives that the lock does not name: it could not open the lock, and will say so."""
    command = read_command(start["pid"] or 0).split(" ")
    return start["boot_id"] == boot_id and start["plan"] in command


def _find_events(state: str, run_id: str) -> set[str]:
    """Return which kinds of events the journal has of a run; no file before its day can have any."""
    found = set()
    day = f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}"
    for file in list_files(state):
        if file.name < day:
            continue
        with open(f"{state}/{JOURNAL}/{file.name}", "rb") as journal_file:
            for line in journal_file:
                if run_id.encode() in line and (event := _parse_any(line)):
                    found.add(event["event"])
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
    by_hand = start["trigger"] == "hand"
    health, alert, flip = enter_outcome(f"{state}/{HEALTH}/{plan}", run_id, LOST, reason, round_.now, by_hand=by_hand)
    if alert != SILENT:
        end["alerted"] = alert
        round_.say(compose({**end, "mailto": start["mailto"]}, health, alert, None))
    if flip:
        _append(round_, _make_flip(end, flip, health.incident))
    _append(round_, end)


def _make_flip(end: dict[str, Value], kind: str, incident: str) -> dict[str, Value]:
    event: dict[str, Value] = {"event": "flip", "at": end["at"], "run_id": end["run_id"], "seq": _FLIP_SEQ}
    named = {key: end[key] for key in _NAMES}
    return {**event, **named, "incident": incident, "kind": kind, "outcome": LOST}


def _append(round_: Round, event: dict[str, Value]) -> None:
    """Append to the journal of today, synced, also what is of an earlier day: that file may be drained and gone."""
    today = format_instant(round_.now)[:10]
    append_record(f"{round_.place.state}/{JOURNAL}", today, encode_event(event), sync=True)


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
