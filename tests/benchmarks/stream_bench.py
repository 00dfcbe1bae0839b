"""What much output costs: against ``job | cat > file``, and in memory (RUN-28, RUN-42)."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from launch_bench import make_home
from measure import Figure, clean_environment

from runner.launch.plan import Plan, Step
from runner.launch.plan_encode import encode_plan

_LINE = "a line of some sixty characters, as a talkative program has"
_BYTES = 400_000_000
_MUCH_BYTES, _VERY_MUCH_BYTES = 2_000_000_000, 10_000_000_000
_ROUNDS = 9


def run_benchmarks(directory: Path) -> Iterator[Figure]:
    """Yield the figures of the stream from a job to its log."""
    home = make_home(directory / "home")
    wrapper = str(home / "wrappers" / "run-job")
    _write_plan(home, "talk", _BYTES)
    yield from _compare_with_cat(directory, wrapper)
    yield _weigh(home, _MUCH_BYTES)


def run_long(directory: Path) -> Iterator[Figure]:
    """Yield the figure of the whole case (FAULT-37)."""
    yield _weigh(make_home(directory / "home"), _VERY_MUCH_BYTES)


def _weigh(home: Path, size_bytes: int) -> Figure:
    """Return how much memory the wrapper takes for so much output."""
    _write_plan(home, "much", size_bytes)
    rss_bytes = _watch_memory([str(home / "wrappers" / "run-job"), "much"])
    return Figure(f"wrapper memory, {size_bytes / 1e9:g} GB of output", rss_bytes / 2**20, 32.0, "MiB RSS")


def _write_plan(home: Path, name: str, size_bytes: int) -> None:
    plan = Plan(name, name, "bench")
    plan.log_max_bytes = 50 << 20  # rotation is on: the default
    plan.steps = [Step("success", ["/bin/sh", "-c", _talk(size_bytes)])]
    (home / "crontab.d" / "plans" / f"{name}.plan").write_bytes(encode_plan(plan))


def _talk(size_bytes: int) -> str:
    return f"yes '{_LINE}' | head -c {size_bytes}"


def _compare_with_cat(directory: Path, wrapper: str) -> Iterator[Figure]:
    """Yield the throughput of the wrapper against that of a pipe into a file, and its own CPU.

    The first round does not count: memory that a virtual machine never used before costs more than what is measured.
    """
    file = directory / "output"
    through_cat = ["/bin/sh", "-c", f"{{ {_talk(_BYTES)}; }} | cat >{file}"]
    ratios, cpu_s = [], []
    for _ in range(1 + _ROUNDS):
        peer_s = _time(through_cat)[0]
        file.unlink()
        own_s, own_cpu_s = _time([wrapper, "talk"])
        ratios.append(peer_s / own_s)
        cpu_s.append(own_cpu_s)
    detail = f"{_BYTES / 1e6:g} MB, rotation on"
    yield Figure("streaming, throughput", median(ratios[1:]), 0.7, "x job | cat > file", detail, at_least=True)
    per_100_mb = median(cpu_s[1:]) / (_BYTES / 1e8) * 1000
    yield Figure("streaming, CPU of the wrapper", per_100_mb, 250.0, "ms per 100 MB")


def _time(command: list[str]) -> tuple[float, float]:
    """Return the wall seconds of a command, and the CPU seconds of its own process, children not counted.

    It begins when the disk has nothing left to do: to write the 400 MB of the command before, or to discard them,
    would take its time.
    """
    os.sync()
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=clean_environment(), stdin=subprocess.DEVNULL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    wall_s = time.perf_counter() - begun
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    assert process.wait() == 0, command
    return wall_s, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _watch_memory(command: list[str]) -> int:
    """Return the most memory that a command's own process ever had."""
    process = subprocess.Popen(command, env=clean_environment(), stdin=subprocess.DEVNULL)
    peak_bytes = 0
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        peak_bytes = max([peak_bytes, *(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))])
        time.sleep(0.05)
    assert process.returncode == 0
    return peak_bytes
