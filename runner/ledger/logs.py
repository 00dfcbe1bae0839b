"""Which log is meant, and following a plan over all its runs (RUN-40).

No database is asked: a log is named after its run, and run ids sort by time. Nothing outside ``logs/`` is ever
opened, whatever a name or a link says (SEC-14).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from io import FileIO
from pathlib import Path

from runner.errors import UserError
from runner.launch.gates import is_plan_name
from runner.launch.state import LATEST_LOG, LOGS
from runner.ledger.record import RUN_ID

POLL_S = 0.25
# So many of a plan are kept at most (RUN-43).
MOST_LOGS = 500
_CHUNK_BYTES = 1 << 16
# How much of what was shown last is looked for in a log that became shorter.
_REMEMBERED_BYTES = 1024
_DROPPED = b" bytes dropped ...\n"


def is_log_of(name: str, host: str) -> bool:
    """Whether a file of that name is the log of a run on a host, which is given as run ids have it."""
    run_id = name.removesuffix(".log")
    return run_id != name and bool(RUN_ID.fullmatch(run_id)) and run_id.split("-", 1)[1].rpartition("-")[0] == host


def get_log(state: str, name: str = "") -> Path:
    """Return the log of a run, or the newest one of a job, of a plan, or of all (empty name).

    Raises
    ------
    UserError
        There is none.
    """
    logs = Path(state) / LOGS
    if RUN_ID.fullmatch(name):
        found = list(logs.glob(f"*/{name}.log"))
    elif not name or is_plan_name(name):
        found = [directory / LATEST_LOG for directory in logs.iterdir() if _is_of(directory.name, name)]
    else:
        found = []
    inside = _resolve_inside(logs, found)
    if not inside:
        raise UserError(f"there is no log of {name!r} in {logs}" if name else f"there is no log in {logs}")
    return max(inside, key=lambda path: path.name)


def list_plans(state: str, name: str) -> set[str]:
    """Return the plans of a job that have logs; none if a run is named, or all jobs are meant."""
    logs = Path(state) / LOGS
    return {directory.name for directory in logs.iterdir() if name and _is_of(directory.name, name)}


def list_runs(state: str, prefix: str) -> list[str]:
    """Return the runs that have a log and whose ids begin so, the newest first."""
    found = [path.stem for path in (Path(state) / LOGS).glob("*/*.log")]
    return sorted({run for run in found if run.startswith(prefix) and RUN_ID.fullmatch(run)}, reverse=True)


def read_log(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a log that are there now."""
    with _open(path) as file:
        yield from iter(lambda: file.read(_CHUNK_BYTES), b"")


def follow_log(path: Path, poll_s: float = POLL_S) -> Iterator[bytes]:
    """Yield the bytes of a log as they come, then those of each later run of its plan; ends with its caller.

    A log is left only when a later one is there, and after that is read to its end: a run has written all
    of it before the next run of its plan can begin. Several runs since the last look are shown one by one.
    """
    while True:
        yield from _follow_one(path, poll_s)
        path = _find_later(path) or path


def _follow_one(path: Path, poll_s: float) -> Iterator[bytes]:
    shown = b""
    with _open(path) as file:
        while True:
            is_over = _find_later(path) is not None
            _find_place(file, shown)
            for chunk in iter(lambda: file.read(_CHUNK_BYTES), b""):
                shown = (shown + chunk)[-_REMEMBERED_BYTES:]
                yield chunk
            if is_over:
                return
            time.sleep(poll_s)


def _find_place(file: FileIO, shown: bytes) -> None:
    """In a log that became shorter, because the middle was dropped (RUN-42), go to what was not shown yet."""
    if os.fstat(file.fileno()).st_size >= file.tell():
        return
    file.seek(0)
    data = file.readall()
    position = data.rfind(shown)
    # If the last bytes shown were dropped, all that stands behind the gap is new.
    file.seek(position + len(shown) if position >= 0 else data.rfind(_DROPPED) + len(_DROPPED))


def _find_later(path: Path) -> Path | None:
    """Return the log of the next run of the same plan, None if there is none yet."""
    later = [one for one in path.parent.glob("*.log") if one.name > path.name and RUN_ID.fullmatch(one.stem)]
    return min(later, default=None)


def _is_of(plan: str, name: str) -> bool:
    """Whether a plan is the one, or one of the job, that a person means."""
    return name in ("", plan, plan.partition("@")[0])


def _resolve_inside(directory: Path, paths: Iterable[Path]) -> list[Path]:
    """Return the real paths of those files that are in `directory`."""
    root = directory.resolve()
    real = [path.resolve() for path in paths]
    return [path for path in real if path.is_relative_to(root) and path.is_file()]


def _open(path: Path) -> FileIO:
    return FileIO(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC))
