"""What a recorded run costs, against the bare interpreter that runs it (RUN-44, RUN-45)."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from measure import Figure, clean_environment, compare, read_pss_bytes

from runner.home.machine import write_machine_files
from runner.launch.activation import Change
from runner.launch.plan import HomePlan, Plan, Step, decode_schedule
from runner.launch.plan_encode import encode_home_plan, encode_plan
from runner.launch.state import make_state

_PAIRS = 40
_AT_ONCE = 100
_ROUNDS = 5


def run_benchmarks(directory: Path) -> Iterator[Figure]:
    """Yield the figures of the wrapper."""
    home = make_home(directory / "home")
    wrapper = str(home / "wrappers" / "run-job")
    bare = [make_bare_interpreter(directory / "bare"), "-c", "pass"]
    run = compare([wrapper, "noop"], bare, _PAIRS)
    detail = f"{run.subject.cpu_s * 1000:.1f} ms against {run.floor.cpu_s * 1000:.1f} ms"
    yield Figure("recorded no-op run, CPU", run.cpu, 1.2, "x bare Python", detail)
    detail = f"{run.subject.wall_s * 1000:.1f} ms against {run.floor.wall_s * 1000:.1f} ms"
    yield Figure("recorded no-op run, wall", run.wall, 1.4, "x bare Python", detail)
    yield from _run_many_at_once(home, wrapper, bare)
    yield _weigh_waiting(wrapper)


def make_bare_interpreter(directory: Path) -> str:
    """Return the interpreter of an empty virtual environment: the floor is CPython, not this site's packages."""
    python = str(Path(os.path.realpath("/proc/self/exe")))
    subprocess.run([python, "-m", "venv", "--without-pip", str(directory)], check=True)
    return str(directory / "bin" / "python")


def make_home(home: Path) -> Path:
    """Make a home whose plans are a no-op, a waiting job, and a hundred no-ops for one moment."""
    (home / "crontab.d" / "plans").mkdir(parents=True)
    (home / "wrappers").mkdir()
    shutil.copy(Path(__file__).parents[2] / "wrappers" / "run-job", home / "wrappers")
    write_machine_files(home)
    make_state(str(home / "state"))
    settings = HomePlan("bench")
    settings.mail_ops = ["ops@example.org"]
    (home / "crontab.d" / "home.plan").write_bytes(encode_home_plan(settings))
    _write_plan(home, "noop", ["/bin/true"])
    _write_plan(home, "wait", ["/bin/sleep", "3"])
    for number in range(_AT_ONCE):
        _write_plan(home, f"noop-{number}", ["/bin/true"])
    return home


def _write_plan(home: Path, name: str, words: list[str]) -> None:
    plan = Plan(name, name, "bench")
    # No slot is near, so that each firing counts as asked for and none as a duplicate.
    plan.schedules = [decode_schedule("0 0 29 2 *")]
    plan.steps = [Step("success", words)]
    plan.activation.changes = [Change("set", f"VARIABLE_{number}", "value") for number in range(20)]
    (home / "crontab.d" / "plans" / f"{name}.plan").write_bytes(encode_plan(plan))


def _run_many_at_once(home: Path, wrapper: str, bare: list[str]) -> Iterator[Figure]:
    """A hundred lines of the crontab fire in one minute; the floor is as many bare interpreters, one by one."""
    names = " ".join(f"noop-{number}" for number in range(_AT_ONCE))
    runs = ["/bin/sh", "-c", f'for name in {names}; do "$0" "$name" & done; wait', wrapper]
    one_by_one = ["/bin/sh", "-c", f'for name in {names}; do "$0" "$@"; done', *bare]
    cost = compare(runs, one_by_one, _ROUNDS)
    recorded = _count_ends(home / "state" / "journal", "noop-") / (_ROUNDS + 1)
    yield Figure("100 runs at once, recorded", recorded, _AT_ONCE, "runs", at_least=True)
    costs = [one.cpu_s * 1000 / _AT_ONCE for one in (cost.subject, cost.floor)]
    detail = f"{costs[0]:.1f} ms against {costs[1]:.1f} ms, all done in {cost.subject.wall_s:.2f} s"
    yield Figure("100 runs at once, CPU a run", cost.cpu, 1.5, "x bare Python", detail)


def _count_ends(journal: Path, plans: str) -> int:
    lines = [line for file in journal.glob("*.jsonl") for line in file.read_text().splitlines()]
    return sum('"event": "end"' in line and f'"plan": "{plans}' in line for line in lines)


def _weigh_waiting(wrapper: str) -> Figure:
    process = subprocess.Popen([wrapper, "wait"], env=clean_environment())
    time.sleep(1.0)
    pss_bytes = read_pss_bytes(process.pid)
    process.wait()
    return Figure("waiting wrapper", pss_bytes / 2**20, 10.0, "MiB PSS")
