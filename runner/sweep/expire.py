"""``expire``: old logs and drained journal files go (RUN-43, RUN-16)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from runner.launch.gates import is_plan_name, read_plan
from runner.launch.journal import short_host
from runner.launch.outcome import OK
from runner.launch.state import JOURNAL, LOGS
from runner.sweep.chores import Round

EVERY_S = 3600.0
MOST_LOGS = 500
JOURNAL_KEEP_S = 7 * 86400.0
_FOOTER_BYTES = 4096


def has_work(round_: Round) -> bool:
    """Whether it is time to look: once an hour is enough for what is kept for days."""
    return round_.now - round_.expired_at >= EVERY_S


def work(round_: Round) -> str:
    """Remove the logs that every plan keeps too long or too many of, and journal files that the ledger has."""
    logs = [log for plan in _list_plans(round_) for log in choose_expired(plan, *_keep(plan, round_))]
    journals = list(_find_drained(round_))
    for path in (*logs, *journals):
        path.unlink(missing_ok=True)
    return f"{len(logs)} logs, {len(journals)} journal files" if logs or journals else ""


def choose_expired(directory: Path, host: str, oldest_at: float) -> list[Path]:
    """Return the logs of one plan that may go.

    Only those of `host` are judged, by the time of their last line. The newest stays, and the newest that did
    not end well, however old: somebody will want to read it.
    """
    logs = sorted((path for path in directory.glob("*.log") if f"-{host}-" in path.name), reverse=True)
    logs = [path for path in logs if path.is_file() and not path.is_symlink()]
    expired = [path for number, path in enumerate(logs) if number and _is_old(path, number, oldest_at)]
    if expired:
        worst = next((path for path in logs if _read_outcome(path) != OK), None)
        expired = [path for path in expired if path != worst]
    return expired


def _is_old(path: Path, number: int, oldest_at: float) -> bool:
    return number >= MOST_LOGS or path.stat().st_mtime < oldest_at


def _list_plans(round_: Round) -> Iterator[Path]:
    with os.scandir(f"{round_.place.state}/{LOGS}") as entries:
        names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    yield from (Path(round_.place.state) / LOGS / name for name in names if is_plan_name(name))


def _keep(plan: Path, round_: Round) -> tuple[str, float]:
    """Return whose logs are ours to remove and how old they may be; a plan that is gone has the default."""
    keep_s = read_plan(round_.place.home, plan.name)[0].log_keep_s
    return short_host(round_.place.host), round_.now - keep_s


def _read_outcome(path: Path) -> str:
    """Return the outcome that the last line of a log tells, empty if it has none."""
    with path.open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - _FOOTER_BYTES, 0))
        last = file.read().rstrip(b"\n").rpartition(b"\n")[2]
    words = last.decode("utf-8", "replace").split()
    found = [word.removeprefix("outcome=") for word in words if word.startswith("outcome=")]
    return found[0] if last.startswith(b"# end ") and found else ""


def _find_drained(round_: Round) -> Iterator[Path]:
    """Yield old journal files whose every byte the ledger says it has."""
    from runner.ledger.files import list_files

    old = [file for file in list_files(round_.place.state) if file.age_s(round_.now) > JOURNAL_KEEP_S]
    if not old:
        return
    from runner.database.connect import connect
    from runner.home.here import find_database
    from runner.home.settings import read_settings
    from runner.ledger.drain import read_offsets

    with connect(find_database(read_settings(Path(round_.place.home)))) as database:
        drained_bytes = read_offsets(database, round_.place.state)
    for file in old:
        if drained_bytes.get(file.name) == file.size_bytes:
            yield Path(round_.place.state) / JOURNAL / file.name
