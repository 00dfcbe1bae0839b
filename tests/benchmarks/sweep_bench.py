"""What the sweep costs each minute with nothing to do, and how fast a whole one drains a journal (RUN-16)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from compile_bench import make_home
from launch_bench import make_bare_interpreter
from ledger_bench import write_journal
from measure import Figure, clean_environment, compare, measure

from runner.database.connect import connect
from runner.launch.state import JOURNAL
from runner.plans.installed import note_installed
from runner.plans.write import read_compiled_plans

sys.path.insert(0, str(Path(__file__).parents[1]))
from postgres import Postgres

_JOBS = 25
_PAIRS = 20
_RECORDS = 10_000
_ROUNDS = 5


def run_benchmarks(directory: Path) -> Iterator[Figure]:
    """Yield the figures of the process that the block's own line starts."""
    yield _measure_idle(_install(directory / "idle"), make_bare_interpreter(directory / "bare"))
    server = Postgres()
    try:
        yield _measure_drain(directory / "sqlite", "SQLite", f"sqlite:///{directory}/runner.db")
        yield _measure_drain(directory / "postgresql", "PostgreSQL", server.url(server.create_database()))
    finally:
        server.stop()


def _install(home: Path, database: str = "") -> Path:
    """Make a home of so many installed jobs, and let it have been swept once, so that nothing is left to do."""
    make_home(home, _JOBS)
    settings = home / "envs" / "site.yaml"
    settings.write_text(settings.read_text() + (f'\ndatabase: "{database}"\n' if database else ""))
    command = [sys.executable, "-m", "runner.cli.main", "--home", str(home), "compile"]
    subprocess.run(command, check=True, capture_output=True)
    note_installed(home / "state", read_compiled_plans(home), time.time())
    write_journal(home / "state", 1, _JOBS)
    measure(_sweep(home), env=clean_environment())
    return home


def _sweep(home: Path) -> list[str]:
    return [str(home / "wrappers" / "run-job"), "--sweep"]


def _measure_idle(home: Path, bare: str) -> Figure:
    sweep = compare(_sweep(home), [bare, "-c", "pass"], _PAIRS)
    costs = f"{sweep.subject.cpu_s * 1000:.0f} ms against {sweep.floor.cpu_s * 1000:.1f} ms"
    detail = f"{costs}, {_JOBS} jobs installed"
    return Figure("idle sweep, CPU", sweep.cpu, 10, "x bare Python", detail)


def _measure_drain(home: Path, kind: str, database: str) -> Figure:
    """Return how many records a second go through one sweep, from its start to its end, into a ledger that is there."""
    _install(home, database)
    seconds = []
    for number in range(_ROUNDS):
        shutil.rmtree(home / "state" / JOURNAL)
        # Of days of their own: no file is taken for one that was drained before.
        write_journal(home / "state", _RECORDS // 2, _JOBS, first=(number + 1) * _RECORDS)
        seconds.append(measure(_sweep(home), env=clean_environment()).wall_s)
    with connect(database) as ledger:
        ((ended,),) = ledger.read("SELECT count(*) FROM runs WHERE outcome IS NOT NULL")
    assert ended == 1 + _ROUNDS * _RECORDS // 2, ended
    # No ratio takes out what else the machine does: the best of several rounds has least of it.
    detail = f"{min(seconds):.2f} s for {_RECORDS:,}, the whole process"
    return Figure(f"sweep that drains into {kind}", _RECORDS / min(seconds), 5_000, "records/s", detail, at_least=True)
