"""What a profile costs a run that finds its snapshot, against the same run in a profile without activators."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from launch_bench import make_home
from measure import Figure, compare

from runner.launch.activation import Change
from runner.launch.plan import PLANS, Plan, Step, decode_schedule
from runner.launch.plan_encode import encode_plan

_PAIRS = 40
_CONDA_PAIRS = 5


def run_benchmarks(directory: Path) -> Iterator[Figure]:
    """Yield the figures of activation."""
    home = make_home(directory / "home")
    wrapper = str(home / "wrappers" / "run-job")
    for kind, change in (("conda", _make_conda(directory)), ("setup", _make_setup(directory))):
        _write_plan(home, kind, change)
        subprocess.run([wrapper, kind], check=True)  # activates, and asks for the snapshot
        _capture(home, kind)
        run = compare([wrapper, kind], [wrapper, "noop"], _PAIRS)
        detail = f"{run.subject.cpu_s * 1000:.1f} ms against {run.floor.cpu_s * 1000:.1f} ms"
        yield Figure(f"run in a {kind} profile, CPU", run.cpu, 1.15, "x no profile", detail)
    if conda := shutil.which("conda"):
        prefix = str(directory / "conda/envs/wfc3")
        run = compare([wrapper, "conda"], [conda, "run", "-p", prefix, "/bin/true"], _CONDA_PAIRS)
        yield Figure("run in a conda profile, CPU", run.cpu, 1.0, "x conda run")


def _write_plan(home: Path, kind: str, change: Change) -> None:
    plan = Plan(kind, kind, kind)
    plan.schedules = [decode_schedule("0 0 29 2 *")]
    plan.steps = [Step("success", ["/bin/true"])]
    plan.activation.changes = [Change("set", f"VARIABLE_{number}", "value") for number in range(20)] + [change]
    (home / PLANS / f"{kind}.plan").write_bytes(encode_plan(plan))


def _capture(home: Path, kind: str) -> None:
    """Capture as the sweep does."""
    subprocess.run([sys.executable, "-I", "-m", "runner.profiles.keep", home, kind], check=True)


def _make_conda(directory: Path) -> Change:
    """Make an environment with ten activation scripts and ten variables, as a pipeline's has."""
    prefix = directory / "conda" / "envs" / "wfc3"
    for name in ("bin", "conda-meta", "etc/conda/activate.d", "etc/conda/env_vars.d"):
        (prefix / name).mkdir(parents=True)
    (prefix / "conda-meta/history").touch()
    for number in range(10):
        (prefix / f"etc/conda/activate.d/{number}.sh").write_text(f"export OF_SCRIPT_{number}=1\n")
        (prefix / f"etc/conda/env_vars.d/{number}.json").write_text(json.dumps({f"OF_PACKAGE_{number}": "1"}))
    return Change("conda", details=[("root", str(directory / "conda")), ("name", "wfc3")])


def _make_setup(directory: Path) -> Change:
    script = directory / "setup.sh"
    lines = [f"export OF_SETUP_{number}=/opt/{number}\n" for number in range(30)]
    script.write_text("".join([*lines, "PATH=/opt/bin:$PATH\n"]))
    return Change("setup", details=[("shell", "bash"), ("source", str(script))])
