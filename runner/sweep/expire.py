"""``expire``: old logs, drained journal files, pauses and stop requests that are over go (RUN-43, RUN-16, RUN-7)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runner.launch.gates import is_plan_name, read_plan
from runner.launch.journal import short_host
from runner.launch.outcome import OK
from runner.launch.pauses import expire_pause
from runner.launch.state import DIRECTORIES, JOURNAL, LOGS, PAUSES, PRODUCTS, STOPS, TEMPORARY, WORK
from runner.ledger.files import list_files, read_drained
from runner.ledger.logs import MOST_LOGS, is_log_of
from runner.sweep.chores import Round

IDLE = "less than an hour since the last time"
EVERY_S = 3600.0
JOURNAL_KEEP_S = 7 * 86400.0
# No run takes longer to end after it was asked to.
STOP_KEEP_S = 86400.0
# Nobody takes longer to rename what he has written.
TEMPORARY_KEEP_S = 3600.0
_FOOTER_BYTES = 4096
# What jobs write is theirs.
_NOT_OURS = (WORK, PRODUCTS)


@dataclass(frozen=True, slots=True, order=True)
class LogFile:
    """A log of a run; ``name`` sorts by time, `written_at` is when it last grew (POSIX seconds)."""

    name: str
    written_at: float


def has_work(round_: Round) -> bool:
    """Whether it is time to look: once an hour is enough for what is kept for days."""
    return round_.now - round_.worked_at.get("expire", 0.0) >= EVERY_S


def work(round_: Round) -> str:
    """Remove the logs that each plan keeps too long or too many of, and what else nobody needs any more."""
    from runner.home.group import share_logs

    share_logs(round_.place.state, round_.place.plan.group)
    plans = [path for path in (Path(round_.place.state) / LOGS).iterdir() if is_plan_name(path.name)]
    logs = sum(_expire_logs(round_, plan) for plan in plans if plan.is_dir() and not plan.is_symlink())
    removed = {"logs": logs, "journal files": _expire_journals(round_)}
    removed |= {"pauses": _expire_pauses(round_), "stops": _expire_stops(round_)}
    removed["temporary files"] = _expire_temporaries(round_)
    counts = ", ".join(f"{count} {what}" for what, count in removed.items() if count)
    return f"removed {counts}" if counts else ""


def choose_expired(logs: Iterable[LogFile], oldest_at: float) -> list[LogFile]:
    """Return the logs of one plan that are too old or too many, oldest first; the newest never is."""
    ordered = sorted(logs)
    extra = len(ordered) - MOST_LOGS
    return [log for number, log in enumerate(ordered[:-1]) if number < extra or log.written_at < oldest_at]


def _expire_logs(round_: Round, directory: Path) -> int:
    """Remove expired logs of one plan and return how many; the newest that did not end well stays however old."""
    logs = _list_logs(directory, short_host(round_.place.host))
    keep_s = read_plan(round_.place.home, directory.name)[0].log_keep_s
    expired = choose_expired(logs, round_.now - keep_s)
    newest_first = sorted(logs, reverse=True) if expired else []
    last_trouble = next((log for log in newest_first if _read_outcome(directory / log.name) != OK), None)
    removed = [log for log in expired if log != last_trouble]
    for log in removed:
        (directory / log.name).unlink()
    return len(removed)


def _list_logs(directory: Path, host: str) -> list[LogFile]:
    """Return the logs that `host` wrote: another's are its own to remove."""
    with os.scandir(directory) as entries:
        return [
            LogFile(entry.name, entry.stat(follow_symlinks=False).st_mtime)
            for entry in entries
            if is_log_of(entry.name, host) and entry.is_file(follow_symlinks=False)
        ]


def _read_outcome(path: Path) -> str:
    """Return the outcome that the last line of a log tells, empty if it has no footer."""
    with path.open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - _FOOTER_BYTES, 0))
        last = file.read().rstrip(b"\n").rpartition(b"\n")[2].decode("utf-8", "replace")
    outcomes = [word.removeprefix("outcome=") for word in last.split(" ") if word.startswith("outcome=")]
    return outcomes[0] if last.startswith("# end ") and outcomes else ""


def _expire_journals(round_: Round) -> int:
    """Remove old journal files that the ledger has to their last byte, and return how many."""
    _, drained_bytes = read_drained(round_.place.state)
    old = [file for file in list_files(round_.place.state) if round_.now - file.written_at > JOURNAL_KEEP_S]
    removed = [file for file in old if drained_bytes.get(file.name) == file.size_bytes]
    for file in removed:
        (Path(round_.place.state) / JOURNAL / file.name).unlink()
    return len(removed)


def _expire_pauses(round_: Round) -> int:
    """Remove the pauses whose time is over, and return how many; one that cannot be read holds (RUN-7)."""
    state = round_.place.state
    removed = 0
    for path in (Path(state) / PAUSES).iterdir():
        with suppress(OSError):
            removed += is_plan_name(path.name) and expire_pause(state, path.name, round_.now)
    return removed


def _expire_stops(round_: Round) -> int:
    """Remove requests that no run has taken along, and return how many."""
    requests = [path for path in (Path(round_.place.state) / STOPS).iterdir() if is_plan_name(path.name)]
    old = [path for path in requests if round_.now - path.lstat().st_mtime > STOP_KEEP_S]
    for path in old:
        path.unlink()
    return len(old)


def _expire_temporaries(round_: Round) -> int:
    """Remove what writers that were killed have left of files that they were about to replace, and return how many."""
    state = Path(round_.place.state)
    places = [state, *(state / name for name in DIRECTORIES if name not in _NOT_OURS), *(state / LOGS).glob("*/")]
    found = [path for place in places for path in place.glob(f"*{TEMPORARY}")]
    old = [path for path in found if round_.now - path.lstat().st_mtime > TEMPORARY_KEEP_S]
    for path in old:
        path.unlink()
    return len(old)
