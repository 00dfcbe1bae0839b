"""What compiling a registry costs: against the bare interpreter, and how it grows."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from launch_bench import make_bare_interpreter
from measure import Figure, clean_environment, compare, measure

from runner.home.template import create_home, find_template

_ENTRY = """\
  job-{number}:
    when: "{minute} {hour} * * *"
    run: jobs/download.py --instrument wfc3 --part {number}
    profile: local
"""


def run_benchmarks(directory: Path) -> Iterator[Figure]:
    """Yield the figures of ``runner compile``; each run compiles from nothing."""
    bare = [make_bare_interpreter(directory / "bare"), "-c", "pass"]
    small = make_home(directory / "small", 20)
    compiled = compare(compile_from_nothing(small), bare, 11)
    detail = f"{compiled.subject.wall_s * 1000:.0f} ms against {compiled.floor.wall_s * 1000:.1f} ms"
    yield Figure("compile 20 jobs, wall", compiled.wall, 20, "x bare Python", detail)
    thousand, ten = (
        min(measure(compile_from_nothing(make_home(directory / str(jobs), jobs))).wall_s for _ in range(3))
        for jobs in (1_000, 10_000)
    )
    detail = f"{ten:.2f} s against {thousand:.2f} s"
    yield Figure("compile 10 000 jobs, wall", ten / thousand, 12, "x 1 000 jobs", detail)


def make_home(home: Path, jobs: int) -> Path:
    """Make a home with so many jobs, in files of 1 000."""
    shutil.rmtree(home, ignore_errors=True)
    create_home(home, find_template(), "ops")
    for path in (home / "jobs").glob("*.yaml"):
        path.unlink()
    for first in range(0, jobs, 1_000):
        entries = [
            _ENTRY.format(number=number, minute=number % 60, hour=number % 24)
            for number in range(first, min(first + 1_000, jobs))
        ]
        (home / "jobs" / f"part{first}.yaml").write_text("jobs:\n" + "".join(entries))
    return home


def compile_from_nothing(home: Path) -> list[str]:
    """Return the command that compiles a home whose output was taken away."""
    path = clean_environment()["PATH"]
    command = 'rm -rf "$0/crontab.d" && exec "$1" -m runner.cli.main --home "$0" compile'
    return ["/usr/bin/env", "-i", f"PATH={path}", "/bin/sh", "-c", command, str(home), sys.executable]
