"""What the hourly build of an unchanged commit costs, and whether starts during switches see half a release."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from measure import Figure, measure

sys.path.insert(0, str(Path(__file__).parents[1]))
from remotes import JOBS, Installation

_BUILDS = 5
_STARTS, _AT_ONCE = 1_000, 20


def run_benchmarks(directory: Path) -> Iterator[Figure]:
    """Yield the CPU time of a build that finds nothing new, the command as a whole."""
    place = Installation(directory)
    place.build_well()
    command = [sys.executable, "-m", "runner.cli.main", "release", "build", "--base", str(place.base)]
    costs = [measure(command, env=place.env).cpu_s for _ in range(_BUILDS)]
    yield Figure("build of an unchanged commit, CPU", median(costs), 1, "s", f"median of {_BUILDS}, fetch included")


def run_long(directory: Path) -> Iterator[Figure]:
    """Yield how many of so many runs did not go from start to end in one release, while releases were switched."""
    place = Installation(directory)
    place.remote.write("jobs/all.yaml", JOBS.replace("profile", "overlap: allow, profile"))
    commits = [(place.remote.commit(subject), place.build_well())[1] for subject in ("one", "two")]
    is_over, switches = threading.Event(), [0]

    def switch() -> None:
        link = place.base / ".link"
        while not is_over.wait(0.002):
            link.symlink_to(f"releases/{commits[switches[0] % 2]}")
            link.rename(place.base / "current")
            switches[0] += 1

    switcher = threading.Thread(target=switch)
    switcher.start()
    try:
        failed = sum(_count_failed(place.line("hello"), place.env) for _ in range(_STARTS // _AT_ONCE))
    finally:
        is_over.set()
        switcher.join()
    whole = [end for end in place.events("end") if _is_of_one(place, end["run_id"], end["release"])]
    detail = f"{_STARTS} starts, {_AT_ONCE} at once, {switches[0]} switches"
    yield Figure("runs that were not of one release", failed + _STARTS - len(whole), 0, "runs", detail)


def _count_failed(line: list[str], env: dict[str, str]) -> int:
    """Start the line of a crontab so many times at once; return how many failed."""
    quiet = subprocess.DEVNULL
    runs = [subprocess.Popen(line, env=env, stdout=quiet, stderr=quiet) for _ in range(_AT_ONCE)]
    return sum(run.wait() != 0 for run in runs)


def _is_of_one(place: Installation, run_id: str, release: str) -> bool:
    """Whether the job of a run was that of the release in its record."""
    return f"hello from {release}\n" in (place.state / "logs/hello" / f"{run_id}.log").read_text()
