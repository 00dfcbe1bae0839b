"""What a download costs beside ``curl --parallel`` and ``sha256sum``, and beside parfive (PERF-8)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from measure import Figure
from peers import find_peers

sys.path.insert(0, str(Path(__file__).parents[1]))
from nginx import Nginx

# Files of each set, and the bytes of each.
_SETS = {"500 x 1 MB": (500, 1_000_000), "5 x 200 MB": (5, 200_000_000)}
_ROUNDS = 3
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
    peers = find_peers()
    server = Nginx(directory / "nginx")
    try:
        for name, (count, size_bytes) in _SETS.items():
            yield from _compare(directory, server, peers, name, count, size_bytes)
    finally:
        server.stop()


def _compare(directory: Path, server: Nginx, peers: Path, name: str, count: int, size_bytes: int) -> Iterator[Figure]:
    urls = [_write_file(server, number, size_bytes) for number in range(count)]
    listed = directory / "urls"
    listed.write_text("\n".join(urls))
    (directory / "curl.conf").write_text("".join(f"url = {url}\nremote-name\n" for url in urls))
    (directory / "empty").write_text("")
    fetch = [sys.executable, "-m", "runner.cli.main", "fetch"]
    parfive = [peers / "python", "-c", _PARFIVE]
    started_s = median(_time(directory, [*fetch, f"@{directory}/empty"]) for _ in range(3))
    parfive_started_s = median(_time(directory, [*parfive, directory / "empty"]) for _ in range(3))
    rounds = [
        (
            _time(directory, [*fetch, f"@{listed}"]) - started_s,
            _time_curl(directory),
            _time(directory, [*parfive, listed]) - parfive_started_s,
        )
        for _ in range(_ROUNDS)
    ]
    ours, curl, theirs = (median(times) for times in zip(*rounds, strict=True))
    detail = f"{ours:.2f} s; curl + sha256sum {curl:.2f} s, parfive {theirs:.2f} s"
    yield Figure(f"fetch {name}, curl + sha256sum", ours / curl, 1.5, "x", detail)
    yield Figure(f"parfive of {name}, fetch", theirs / ours, 3.0, "x", at_least=True)
    for path in server.files.iterdir():
        path.unlink()


def _write_file(server: Nginx, number: int, size_bytes: int) -> str:
    (server.files / f"{number}.fits").write_bytes(os.urandom(1_000_000) * (size_bytes // 1_000_000))
    return f"{server.url}/range/{number}.fits"


def _time(directory: Path, command: list[object]) -> float:
    """Return how long a download into an empty directory takes."""
    return _time_in(directory / "out", lambda out: [[*command, out]])


def _time_curl(directory: Path) -> float:
    curl = ["curl", "--silent", "--parallel", "--config", directory / "curl.conf"]
    digest = ["sh", "-c", "sha256sum * >/dev/null"]
    return _time_in(directory / "out", lambda _: [curl, digest])


def _time_in(out: Path, make: Callable[[Path], list[list[object]]]) -> float:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    os.sync()  # what was written before costs whoever wrote it
    begun = time.perf_counter()
    for command in make(out):
        subprocess.run(list(map(str, command)), cwd=out, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun
