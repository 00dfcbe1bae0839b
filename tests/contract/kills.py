"""Kill -9 a process at every step of its work, and see what is left (FAULT-43).

``python kills.py WORK URL STATE`` forks a child for each n that counts the calls of our own code and of the
database driver, and kills itself at the n-th, until a child gets through. What each child left behind is
finished by a second call, in this process, and printed as one JSON object a line.

It is a program of its own because a process with threads, such as pytest's workers, must not fork.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from runner.database.connect import connect
from runner.database.migrate import VERSIONS, prepare_schema, read_version
from runner.launch.instant import parse_instant
from runner.ledger.drain import drain_journal

NOW = parse_instant("2026-11-21T12:00:00Z")
TABLES = ("runs", "last_runs", "events", "journals")
# Counted: each call of a function of ours, and each call of C that we make or that is made of a database driver.
_OURS = str(Path(__file__).parents[2] / "runner")
_DRIVERS = ("sqlite3", "psycopg2")


def drain(url: str, state: str) -> None:
    """Bring the journal into the ledger."""
    with connect(url) as database:
        drain_journal(database, state, NOW)


def upgrade(url: str, state: str) -> None:
    """Create the schema."""
    with connect(url) as database:
        prepare_schema(database)


def main(work: str, url: str, state: str, every: str) -> None:
    """Try all steps, `every` how many of them."""
    steps = 0
    while True:
        _restore(work, url, state)
        steps += int(every)
        survived = _run_and_die(lambda: globals()[work](url, state), steps)
        print(json.dumps({"steps": steps, "survived": survived, **_finish(work, url, state)}), flush=True)
        if survived:
            return


def _run_and_die(action: object, steps: int) -> bool:
    pid = os.fork()
    if pid == 0:
        left = steps

        def count(frame: FrameType, event: str, called: object) -> None:
            nonlocal left
            if _is_step(frame, event, called):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.setprofile(count)
        action()  # type: ignore[operator]
        sys.setprofile(None)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    assert status in (0, signal.SIGKILL), status
    return status == 0


def _is_step(frame: FrameType, event: str, called: object) -> bool:
    if event in ("call", "c_call") and frame.f_code.co_filename.startswith(_OURS):
        return True
    return event == "c_call" and type(getattr(called, "__self__", None)).__module__.startswith(_DRIVERS)


def _restore(work: str, url: str, state: str) -> None:
    """Make the ledger as it was before: empty, or without any table; forget what is remembered beside the journal."""
    for name in ("drained", "rejected.jsonl"):
        Path(state, "journal", name).unlink(missing_ok=True)
    with connect(url) as database:
        if work == "drain":
            prepare_schema(database)
        elif database.has_table("alembic_version"):
            for table in (*TABLES, "alembic_version"):
                database.execute(f"DROP TABLE {table}")
        for table in TABLES if work == "drain" else ():
            database.execute(f"DELETE FROM {table}")


def _finish(work: str, url: str, state: str) -> dict[str, object]:
    """Return what was left, and what there is after a second call."""
    with connect(url) as database:
        if work == "upgrade":
            left = [table for table in TABLES if database.has_table(table)]
            version = read_version(database)
            prepare_schema(database)
            return {"left": left, "version": version, "finished": read_version(database) == VERSIONS[-1]}
        left = database.read("SELECT count(*) FROM runs")[0][0]
        drain_journal(database, state, NOW)
        dump = {table: sorted(database.read(f"SELECT * FROM {table}")) for table in TABLES}
    lines = Path(state, "journal", "rejected.jsonl").read_text().splitlines()
    return {"left": left, "ledger": json.dumps(dump), "rejected": [json.loads(line)["line"] for line in lines if line]}


if __name__ == "__main__":
    main(*sys.argv[1:])
