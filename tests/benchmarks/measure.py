"""How the benchmarks measure: whole processes, interleaved pairs, medians, ratios within one run.

Absolute times drift by tens of percent on a shared machine; only ratios are compared with a limit.
"""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the report: what was measured, its value, and the limit it is held against."""

    name: str
    value: float
    limit: float
    unit: str
    detail: str = ""
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the value is on the right side of the limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process cost: user + system seconds with all its children, and wall seconds."""

    cpu_s: float
    wall_s: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two commands run in turn: the median cost of each, and the median of the pairs' ratios.

    A clock that is slow now and fast then is so for both of a pair.
    """

    subject: Cost
    floor: Cost
    cpu: float
    wall: float


def measure(argv: Sequence[str], wanted: int = 0, **options: object) -> Cost:
    """Run one command, its output thrown away; AssertionError unless it exits with the code that is wanted."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    code = subprocess.run(  # type: ignore[call-overload]
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    ).returncode
    wall_s, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert code == wanted, f"{argv} exited {code}"
    return Cost(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall_s)


def compare(subject: Sequence[str], floor: Sequence[str], pairs: int) -> Comparison:
    """Compare what two commands cost, after one run of each that does not count.

    What was written before is on the disk by then: a command that syncs would have to pay for it.
    """
    os.sync()
    measure(subject), measure(floor)
    costs = [(measure(subject), measure(floor)) for _ in range(pairs)]
    return Comparison(
        _median([one for one, _ in costs]),
        _median([other for _, other in costs]),
        median(one.cpu_s / other.cpu_s for one, other in costs),
        median(one.wall_s / other.wall_s for one, other in costs),
    )


def run_beside(commands: Sequence[Sequence[str]]) -> list[str]:
    """Run some commands beside each other; return what each printed, AssertionError if it printed nothing."""
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    printed = [process.communicate()[0] for process in processes]
    assert all(printed), printed
    return printed


def median_of(runs: int, action: Callable[[], float]) -> float:
    """Return the median of what `action` returns, called `runs` times."""
    return median(action() for _ in range(runs))


def read_pss_bytes(pid: int) -> int:
    """Return the proportional set size of a process."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))


def clean_environment() -> dict[str, str]:
    """Return an environment as cron gives it: little, and nothing that changes how Python starts."""
    return {"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/"), "SHELL": "/bin/sh"}


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(median(cost.cpu_s for cost in costs), median(cost.wall_s for cost in costs))
