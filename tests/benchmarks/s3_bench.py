"""What a fetch from S3 costs beside ``aws s3 cp --recursive``: whole processes, from moto's server on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from measure import Figure, measure
from peers import find_peers

sys.path.insert(0, str(Path(__file__).parents[1]))
from s3_server import KEYS, make_client
from watch import find_closed_port

_SETS = {"200 x 1 MB": (200, 1_000_000), "4 x 50 MB": (4, 50_000_000)}
_ROUNDS = 3


def run_benchmarks(directory: Path) -> Iterator[Figure]:
    """Yield the figures of a fetch from S3."""
    peers = find_peers()
    address = f"http://127.0.0.1:{find_closed_port()}"
    environment = {**os.environ, **KEYS, "AWS_CONFIG_FILE": "/dev/null", "AWS_DEFAULT_REGION": "us-east-1"}
    (directory / "archive.yaml").write_text(f"s3: {{endpoint: '{address}', region: us-east-1}}\n")
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", address.rpartition(":")[2]],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        client = _wait_for(make_client(address))
        for number, (name, (count, size_bytes)) in enumerate(_SETS.items()):
            _fill(client, f"set{number}", count, size_bytes)
            source = f"s3://set{number}/"
            # aws has ten connections to a host; ours are eight in all, four to a host unless one says so.
            config = ["--config", directory / "archive.yaml", "--per-host", "8"]
            ours = [sys.executable, "-m", "runner.cli.main", "fetch", *config, source]
            aws = [peers / "aws", "--endpoint-url", address, "s3", "cp", "--recursive", "--only-show-errors", source]
            yield _compare(directory / "out", ours, aws, environment, name)
    finally:
        server.terminate()
        server.wait()


def _compare(out: Path, ours: list[Any], aws: list[Any], environment: dict[str, str], name: str) -> Figure:
    rounds = [(_time(out, ours, environment), _time(out, aws, environment)) for _ in range(_ROUNDS)]
    fetch_s, aws_s = (median(times) for times in zip(*rounds, strict=True))
    detail = f"{fetch_s:.2f} s; aws {aws_s:.2f} s; start-up in both"
    return Figure(f"fetch {name} from S3, aws s3 cp", fetch_s / aws_s, 1.0, "x", detail)


def _time(out: Path, command: list[Any], environment: dict[str, str]) -> float:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    os.sync()  # what was written before costs whoever wrote it
    return measure([*map(str, command), str(out)], env=environment, cwd=out).wall_s


def _wait_for(client: Any) -> Any:
    """Return the client when its server answers."""
    from botocore.exceptions import ConnectionError

    for _ in range(600):
        try:
            client.list_buckets()
        except ConnectionError:
            time.sleep(0.05)
        else:
            return client
    raise RuntimeError("moto's server does not answer")


def _fill(client: Any, bucket: str, count: int, size_bytes: int) -> None:
    client.create_bucket(Bucket=bucket)
    for number in range(count):
        content = os.urandom(1_000_000) * (size_bytes // 1_000_000)
        client.put_object(Bucket=bucket, Key=f"{number}.fits", Body=content)
