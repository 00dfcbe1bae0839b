"""What one command in a profile costs, against the same command in an emptied environment (issue "Profiles", speed)."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from launch_bench import make_bare_interpreter
from measure import Figure, compare

from runner.home.machine import write_machine_files
from runner.home.settings import read_settings
from runner.launch.gates import read_place
from runner.launch.log import Log
from runner.launch.plan import HOME_PLAN, HomePlan
from runner.launch.plan_encode import encode_home_plan
from runner.launch.snapshot import keep_snapshot
from runner.launch.state import make_state
from runner.profiles.changes import make_activation
from runner.profiles.snapshots import admit_people, capture_snapshot, list_sources
from runner.profiles.use import get_profile

_PAIRS = 40
_PROFILE = "bench"


def run_benchmarks(directory: Path) -> Iterator[Figure]:
    """Yield the figures of ``with-profile`` from a snapshot.

    Of the smallest command the interpreter alone makes eight times ``env -i``, whatever it does; so what is ours is
    held against a bare interpreter, and the ratio to ``env -i`` is told beside it.
    """
    with_profile = [str(make_home(directory / "home") / "wrappers" / "with-profile"), _PROFILE]
    empty, bare = ["/usr/bin/env", "-i"], [make_bare_interpreter(directory / "bare"), "-c", "pass"]
    ours = compare([*with_profile, *bare], [*empty, *bare], _PAIRS)
    detail = f"{ours.subject.wall_s * 1000:.1f} ms against {ours.floor.wall_s * 1000:.1f} ms"
    yield Figure("with-profile python -c pass, wall", ours.wall, 8, "x env -i", detail)
    smallest = [*with_profile, "/bin/true"]
    least, most = compare(smallest, [*empty, "/bin/true"], _PAIRS), compare(smallest, bare, _PAIRS)
    detail = f"{most.subject.cpu_s * 1000:.1f} ms, {least.cpu:.1f} x env -i"
    yield Figure("with-profile /bin/true, CPU", most.cpu, 1.2, "x bare Python", detail)


def make_home(home: Path) -> Path:
    """Make a home with a profile of twenty variables, and its snapshot."""
    for name in ("crontab.d", "envs", "wrappers"):
        (home / name).mkdir(parents=True)
    shutil.copy(Path(__file__).parents[2] / "wrappers" / "with-profile", home / "wrappers")
    variables = ", ".join([f"VARIABLE_{number}: value" for number in range(20)])
    (home / "envs" / f"{_PROFILE}.yaml").write_text(f"env: {{{variables}}}\n")
    write_machine_files(home)
    make_state(str(home / "state"))
    (home / HOME_PLAN).write_bytes(encode_home_plan(HomePlan("bench")))
    settings = read_settings(home)
    profile = get_profile(settings, _PROFILE)
    activation = make_activation(profile, settings)
    place = read_place(str(home))
    sources = list_sources(place.home, _PROFILE)
    snapshot = capture_snapshot(activation, _PROFILE, place, sources, Log("", -1, 0), time.time()).snapshot
    admit_people(snapshot, activation, profile, settings)
    keep_snapshot(place.state, snapshot, place.host)
    return home
