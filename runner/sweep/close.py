"""``close``: runs whose wrapper is gone get the end that it could not write (RUN-17).

All that is needed stands in the lock file, so neither SQL nor the registry is asked. Killed between any two of
its steps and started again, it says the same once more: events have the same keys, a health file names the
last run it was told of.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from runner.launch import journal, lock, tree
from runner.launch.incident import SILENT, enter_outcome
from runner.launch.instant import format_instant, parse_instant
from runner.launch.journal import LOST_SEQ, append_event, make_end
from runner.launch.log import format_footer
from runner.launch.outcome import LOST
from runner.launch.process import Identity, is_alive, read_boot_id
from runner.launch.report import compose
from runner.launch.state import HEALTH, JOURNAL, LOCKS
from runner.sweep.chores import Round

# A job without its wrapper gets this long from TERM to KILL.
GRACE_S = 10.0


def has_work(round_: Round) -> bool:
    """Whether any lock file names a run."""
    return any(_find_run(path) for path in _list_locks(round_))


def work(round_: Round) -> str:
    """Close what nobody owns; end what nobody watches and is over its time."""
    boot_id = read_boot_id()
    closed = [path.name for path in _list_locks(round_) if _find_run(path) and _close(path, round_, boot_id)]
    return f"closed as lost: {', '.join(closed)}" if closed else ""


def _list_locks(round_: Round) -> list[Path]:
    return sorted((Path(round_.place.state) / LOCKS).iterdir())


def _find_run(path: Path) -> str:
    """Return the run that a lock file names, empty if none; a lock that cannot be read is its next run's trouble."""
    try:
        record = lock.find_lock(str(path))
    except OSError:
        return ""
    return record.run_id if record else ""


def _close(path: Path, round_: Round, boot_id: str) -> bool:
    """Close the run of one lock file if its processes are gone; return whether it was lost."""
    descriptor, is_ours = lock.try_lock(str(path))
    try:
        record = lock.read_lock(descriptor)
        if not record.run_id:
            return False
        start = json.loads(record.start)
        if not is_ours or lock.is_held(record, boot_id):
            _end_late_job(record, start, round_.now)
            return False
        is_lost = not _has_end(round_, record.run_id)
        if is_lost:
            reason = "host rebooted" if record.boot_id != boot_id else "its wrapper was killed"
            _record_lost(start, reason, round_)
        lock.clear_lock(descriptor, record)
        return is_lost
    finally:
        if is_ours:
            lock.unlock(descriptor)
        os.close(descriptor)


def _has_end(round_: Round, run_id: str) -> bool:
    """Whether the wrapper wrote the end and was killed just after; the journal is asked, since it is synced."""
    for path in (Path(round_.place.state) / JOURNAL).glob("*.jsonl"):
        for line in path.read_bytes().split(b"\n"):
            if run_id.encode() in line and b'"event": "end"' in line:
                return True
    return False


def _end_late_job(record: lock.LockRecord, start: dict[str, Any], now: float) -> None:
    """End a job that outlived its wrapper and its timeout, with all of its session."""
    job, wrapper = record.job, record.wrapper
    timeout_s = float(start.get("timeout_s") or 0.0)
    if not timeout_s or not job or (wrapper and is_alive(wrapper)) or not is_alive(job):
        return
    if now < parse_instant(record.since) + timeout_s:
        return
    tree.terminate(tree.find_session(job))
    until = time.monotonic() + GRACE_S
    while tree.find_session(job) and time.monotonic() < until:
        time.sleep(0.05)
    _kill(job)


def _kill(job: Identity) -> None:
    while left := tree.find_session(job):
        tree.signal_all(left, 9)
        time.sleep(0.01)


def _record_lost(start: dict[str, Any], reason: str, round_: Round) -> None:
    """Write everything that the wrapper would have written at the end, and tell ops."""
    directory = f"{round_.place.state}/{JOURNAL}"
    append_event(directory, start, sync=False)
    ended_at = format_instant(round_.now)
    end = make_end(start, LOST_SEQ, ended_at, outcome=LOST, reason=reason, attempts=1, alerted="")
    _write_footer(str(start["log"]), format_footer(end))
    health_file = f"{round_.place.state}/{HEALTH}/{start['plan']}"
    by_hand = start["trigger"] == "hand"
    health, alert, flip = enter_outcome(health_file, start["run_id"], LOST, reason, round_.now, by_hand=by_hand)
    if flip:
        append_event(directory, _make_flip(start, ended_at, flip, health.incident), sync=False)
    if alert != SILENT:
        end["alerted"] = alert
        round_.say(compose({**end, "mailto": start["mailto"]}, health, alert, None))
    append_event(directory, end, sync=True)


def _make_flip(start: dict[str, Any], at: str, flip: str, incident: str) -> dict[str, journal.Value]:
    named = {key: start[key] for key in ("plan", "job", "profile", "slot", "host", "trigger", "release")}
    event = {"event": "flip", "at": at, "run_id": start["run_id"], "seq": LOST_SEQ - 1}
    return {**event, **named, "incident": incident, "kind": flip, "outcome": LOST}


def _write_footer(path: str, footer: str) -> None:
    """Append the last line to the log of a run; the log may never have been made."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as log:
        log.write(f"\n# {footer}\n")
