"""What a download costs beside ``curl --parallel`` and ``sha256sum``, and beside parfive (PERF-8)."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from measure import Figure
from peers import find_peers

sys.path.insert(0, str(Path(__file__).parents[1]))
from fetch_kills import kill_fetch_at_random
from nginx import Nginx

# Files of each set, and the bytes of each.
_SETS = {"500 x 1 MB": (500, 1_000_000), "5 x 200 MB": (5, 200_000_000)}
_ROUNDS = 3
_KILLS = 200
_SEED = 20261125
_MEMORY = Path("/dev/shm")
Make = Callable[[Path], list[list[object]]]
_PARFIVE = """
import sys
from parfive import Downloader
downloader = Downloader(max_conn=8, progress=False)
for line in open(sys.argv[1]):
    downloader.enqueue_file(line.strip(), path=sys.argv[2])
results = downloader.download()
sys.exit(bool(results.errors))
"""


def run_benchmarks(directory: Path) -> Iterator[Figure]:
    """Yield the figures of a fetch from nginx on loopback."""
    server = Nginx(directory / "nginx")
    try:
        for name, (count, size_bytes) in _SETS.items():
            urls = [_write_file(server, number, size_bytes) for number in range(count)]
            (directory / "urls").write_text("\n".join(urls))
            (directory / "curl.conf").write_text("".join(f"url = {url}\nremote-name\n" for url in urls))
            (directory / "none").write_text("")
            yield _compare_with_curl(directory, name)
            yield _compare_with_parfive(directory, name)
            for path in server.files.iterdir():
                path.unlink()
    finally:
        server.stop()


def run_long(directory: Path) -> Iterator[Figure]:
    """Yield how many of 200 kills left anything else than whole files (ARCH-14)."""
    server = Nginx(directory / "nginx")
    try:
        for number in range(12):
            (server.files / f"{number}.fits").write_bytes(os.urandom(1 << 20) * (number % 3 + 1))
        report = kill_fetch_at_random(server.files, f"{server.url}/range/", directory / "out", _SEED, _KILLS)
    finally:
        server.stop()
    print("\n".join(report.untruths), file=sys.stderr, end="\n" * bool(report.untruths))
    detail = f"{report.ended} calls came to their end, {report.resumed} went on from a part"
    yield Figure(f"{report.kills} kills of a fetch: faults", len(report.untruths), 0, "", detail)


def _compare_with_curl(directory: Path, name: str) -> Figure:
    """Return the figure on the disk: what we have fetched is on it, what curl has is on its way there."""
    curl = [["curl", "--silent", "--parallel", "--config", directory / "curl.conf"], ["sh", "-c", "sha256sum * >&2"]]
    ours, theirs = _measure(
        directory / "out", lambda urls: [_fetch(urls)], lambda urls: curl if urls.stat().st_size else [], directory
    )
    return Figure(f"fetch {name}, curl and sha256sum", ours / theirs, 1.5, "x", f"{ours:.2f} s and {theirs:.2f} s")


def _compare_with_parfive(directory: Path, name: str) -> Figure:
    """Return the figure in memory, where there is such a place: parfive asks no disk to keep what it has written."""
    parfive = find_peers() / "python"
    with tempfile.TemporaryDirectory(prefix="runner-bench-", dir=_MEMORY if _MEMORY.is_dir() else None) as memory:
        ours, theirs = _measure(
            Path(memory), lambda urls: [_fetch(urls)], lambda urls: [[parfive, "-c", _PARFIVE, urls, "."]], directory
        )
    return Figure(
        f"parfive of {name}, both in memory", theirs / ours, 3.0, "x", f"{theirs:.2f} s and {ours:.2f} s", at_least=True
    )


def _fetch(urls: Path) -> list[object]:
    return [sys.executable, "-m", "runner.cli.main", "fetch", f"@{urls}", "."]


def _measure(out: Path, ours: Make, theirs: Make, directory: Path) -> tuple[float, float]:
    """Return the median seconds of both, run in turn in an empty directory, without those for no file at all."""
    urls, none = directory / "urls", directory / "none"
    times = [(_time(out, ours(urls)), _time(out, theirs(urls))) for _ in range(_ROUNDS)]
    starts = [(_time(out, ours(none)), _time(out, theirs(none))) for _ in range(_ROUNDS)]
    (one, other), (start, other_start) = (
        [median(column) for column in zip(*rows, strict=True)] for rows in (times, starts)
    )
    return one - start, other - other_start


def _time(out: Path, commands: list[list[object]]) -> float:
    for path in out.iterdir() if out.exists() else ():
        path.unlink()
    out.mkdir(exist_ok=True)
    os.sync()  # what was written before costs whoever wrote it
    begun = time.perf_counter()
    for command in commands:
        subprocess.run(
            list(map(str, command)), cwd=out, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    return time.perf_counter() - begun


def _write_file(server: Nginx, number: int, size_bytes: int) -> str:
    (server.files / f"{number}.fits").write_bytes(os.urandom(1_000_000) * (size_bytes // 1_000_000))
    return f"{server.url}/range/{number}.fits"
