"""Programs of a build: their output is in its log, without secrets, and nothing of them goes on afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab import is_alive

from runner.releases.log import BuildLog, read_end

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log"


def run(path: Path, script: str, timeout_s: float = 60) -> str:
    with BuildLog(path) as log:
        return log.run(["/bin/sh", "-c", script], ENVIRONMENT, path.parent, timeout_s)


def test_how_it_ended_is_said(path: Path) -> None:
    assert run(path, "exit 0") == ""
    assert run(path, "exit 3") == "exit 3"
    assert run(path, "kill -9 $$") == "signal 9"
    with BuildLog(path) as log:
        assert log.run(["/no/such"], ENVIRONMENT, path.parent, 1) == "/no/such: No such file or directory"


def test_one_that_takes_too_long_is_ended_with_its_children(path: Path) -> None:
    assert run(path, f"sleep 600 & echo $! > {path}.pid; wait", 1) == "it took more than 1 s"
    assert not is_alive(int(Path(f"{path}.pid").read_text()))


def test_what_it_leaves_in_its_group_is_ended(path: Path) -> None:
    assert run(path, f"sleep 600 & echo $! > {path}.pid") == ""
    assert not is_alive(int(Path(f"{path}.pid").read_text()))


def test_the_end_of_the_log_is_what_programs_said_last(path: Path) -> None:
    run(path, "seq 100; printf 'bad \\033[31m\\n' >&2")
    assert read_end(path).splitlines() == [*map(str, range(82, 101)), "bad \\x1b[31m"]


def test_secrets_are_hidden(path: Path) -> None:
    run(path, "echo https://ana:s3cr3t-canary@host/x password=s3cr3t-canary")
    assert b"s3cr3t-canary" not in b"".join(
        line for line in path.read_bytes().splitlines() if not line.startswith(b"# ")
    )
