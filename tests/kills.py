"""Kill -9 a process at every step of its work, and see what is left (FAULT-43).

``python kills.py WORK HOME URL EVERY`` forks a child for each n that counts the calls of our own code and of
the database driver, and kills itself at the n-th, until a child gets through. What each child left behind is
finished by a second call, in this process, and printed as one JSON object a line. The state directory is
``HOME/state``, and is as it was at the beginning for each child.

It is a program of its own because a process with threads, such as pytest's workers, must not fork.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from housekeeping import House
from journals import NOW, Journal

from runner.database.connect import connect
from runner.database.migrate import VERSIONS, prepare_schema, read_version
from runner.launch.installed import read_installed
from runner.ledger.drain import drain_journal

TABLES = ("runs", "last_runs", "events", "journals")
# Of later versions, those first that refer to others.
LATER = ("package_lists", "hdus", "files", "roots")
# Counted: each call of a function of ours, and each call of C that we make or that is made of a database driver.
_OURS = str(Path(__file__).parents[1] / "runner")
_DRIVERS = ("sqlite3", "psycopg2")

Work = Callable[[House, str], dict[str, object]]


def drain(house: House, url: str) -> dict[str, object]:
    """Bring the journal into the ledger; return all of it."""
    with connect(url) as database:
        drain_journal(database, str(house.state), NOW)
        ledger = {table: sorted(database.read(f"SELECT * FROM {table}")) for table in TABLES}
    lines = house.journal.rejected().splitlines()
    return {"ledger": json.dumps(ledger), "rejected": [json.loads(line)["line"] for line in lines if line]}


def upgrade(house: House, url: str) -> dict[str, object]:
    """Create the schema; return its version."""
    with connect(url) as database:
        prepare_schema(database)
        return {"version": read_version(database)}


def close(house: House, url: str) -> dict[str, object]:
    """Close lost runs; return which events the journal has, and which run the lock names."""
    house.sweep("close")
    return {"events": [event["event"] for event in house.events()], "holder": house.lock("download").run_id}


def rerun(house: House, url: str) -> dict[str, object]:
    """Close a lost run and let it run again, until nothing is owed; return how often it was started again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what is said of it is not for this test
    until = time.monotonic() + 20
    while True:
        house.sweep("close")
        house.sweep("missed", time.time(), {"missed": time.time()})
        events = house.events()
        starts = [event["run_id"] for event in events if event["event"] == "start" and event["trigger"] == "rerun"]
        ends = [event["run_id"] for event in events if event["event"] == "end"]
        if not read_installed(str(house.state))["download"].rerun and set(starts) <= set(ends):
            return {"reruns": len(starts), "ends": len(ends)}
        assert time.monotonic() < until, events
        time.sleep(0.05)


def look(work: str, url: str) -> dict[str, object]:
    """Return what a killed child left in the database."""
    if work in ("close", "rerun"):
        return {}
    with connect(url) as database:
        if work == "drain":
            return {"runs": database.read("SELECT count(*) FROM runs")[0][0]}
        return {"tables": sum(map(database.has_table, TABLES)), "old": read_version(database) != VERSIONS[-1]}


def run(work: str, house: House, url: str, every: int) -> list[dict[str, Any]]:
    """Run this program; return what it printed."""
    command = [sys.executable, __file__, work, str(house.home), url, str(every)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def main(name: str, home: str, url: str, every: str) -> None:
    """Try all steps, `every` how many of them."""
    house = House(Path(home), Journal(Path(home, "state")))
    backup = shutil.copytree(house.state, Path(home, "backup"))
    work: Work = globals()[name]
    steps, survived = 0, False
    while not survived:
        shutil.rmtree(house.state)
        shutil.copytree(backup, house.state)
        _empty(name, url)
        steps += int(every)
        survived = run_and_die(lambda: work(house, url), steps)
        print(json.dumps({**look(name, url), **work(house, url)}), flush=True)


def run_and_die(action: Callable[[], object], steps: int) -> bool:
    """Do something in a child that kills itself at a step; return whether it came to its end before that."""
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
        action()
        sys.setprofile(None)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    assert status in (0, signal.SIGKILL), status
    return status == 0


def _is_step(frame: FrameType, event: str, called: object) -> bool:
    if event in ("call", "c_call") and frame.f_code.co_filename.startswith(_OURS):
        return True
    return event == "c_call" and type(getattr(called, "__self__", None)).__module__.startswith(_DRIVERS)


def _empty(name: str, url: str) -> None:
    """Make the ledger empty, or have no table at all."""
    with connect(url) as database:
        if name == "drain":
            prepare_schema(database)
            for table in TABLES:
                database.execute(f"DELETE FROM {table}")
        elif database.has_table("alembic_version"):
            for table in (*LATER, *TABLES, "alembic_version"):
                database.execute(f"DROP TABLE {table}")


if __name__ == "__main__":
    main(*sys.argv[1:])
