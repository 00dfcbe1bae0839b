"""Which log is meant, and that following it loses nothing (RUN-40, SEC-14)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from journals import NOW

from runner.errors import UserError
from runner.launch.journal import make_run_id
from runner.launch.log import Log, open_log
from runner.ledger.logs import follow_log, get_log, read_log

POLL_S = 0.005


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "state" / "logs").mkdir(parents=True)
    return tmp_path / "state"


def _open(state: Path, plan: str, number: int, max_bytes: int = 1 << 20) -> Log:
    return open_log(str(state), plan, make_run_id(NOW + number, "ops1", 7), max_bytes)


def _write(state: Path, plan: str, number: int, text: str = "") -> Path:
    log = _open(state, plan, number)
    log.write((text or f"{plan} {number}\n").encode())
    log.close()
    return Path(log.path)


def test_a_job_means_the_newest_log_of_all_its_plans(state: Path) -> None:
    _write(state, "index@a", 1)
    newest = _write(state, "index@b", 2)
    other = _write(state, "download", 3)

    assert get_log(str(state), "index") == newest
    assert get_log(str(state), "index@a") != newest
    assert get_log(str(state)) == other


def test_a_run_means_its_own_log(state: Path) -> None:
    first, _ = _write(state, "download", 1), _write(state, "download", 2)

    assert get_log(str(state), first.stem) == first
    assert b"".join(read_log(first)) == b"download 1\n"


@pytest.mark.parametrize("name", ["nobody", "../../etc/passwd", "/etc/passwd", "20261121T120001.000000Z-ops1-7", "*"])
def test_a_name_without_a_log_is_the_users_mistake(state: Path, name: str) -> None:
    with pytest.raises(UserError, match="there is no log of '"):
        get_log(str(state), name)


def test_nothing_outside_the_logs_is_read_whatever_a_link_says(state: Path) -> None:
    (state / "secret.log").write_text("s3cret")
    (state / "logs" / "download").mkdir()
    (state / "logs" / "download" / "latest.log").symlink_to(state / "secret.log")
    (state / "logs" / "download" / "20261121T120001.000000Z-ops1-7.log").symlink_to(state / "secret.log")

    for name in ("download", "20261121T120001.000000Z-ops1-7", ""):
        with pytest.raises(UserError, match="there is no log"):
            get_log(str(state), name)


def _follow_until(chunks: Iterator[bytes], last: bytes) -> bytes:
    """Return all bytes up to the line `last`."""
    seen = b""
    while not seen.endswith(last):
        seen += next(chunks)
    return seen


def test_following_shows_what_is_there_and_what_comes(state: Path) -> None:
    log = _open(state, "download", 1)
    log.write(b"one\n")
    chunks = follow_log(Path(log.path), POLL_S)

    assert next(chunks) == b"one\n"
    log.write(b"two\n")
    assert next(chunks) == b"two\n"


def test_following_goes_on_with_each_later_run(state: Path) -> None:
    chunks = follow_log(_write(state, "download", 1), POLL_S)
    assert next(chunks) == b"download 1\n"

    for number in range(2, 5):
        _write(state, "download", number)

    assert _follow_until(chunks, b"download 4\n") == b"download 2\ndownload 3\ndownload 4\n"


def test_following_loses_no_line_while_runs_come_and_go(state: Path) -> None:
    """The writer is as fast as it can be; every line of every run arrives, in order."""
    wanted = [f"run {run} line {line}" for run in range(40) for line in range(50)]
    log = _open(state, "download", 0)

    def write() -> None:
        current = log
        for number, line in enumerate(wanted):
            if number and number % 50 == 0:
                current.close()
                current = _open(state, "download", number)
            current.write(f"{line}\n".encode())

    chunks = follow_log(Path(log.path), POLL_S)
    writer = threading.Thread(target=write)
    writer.start()
    seen = _follow_until(chunks, f"{wanted[-1]}\n".encode())
    writer.join()

    assert seen.decode().splitlines() == wanted


def test_a_log_whose_middle_is_dropped_is_followed_from_where_it_was(state: Path) -> None:
    """RUN-42: at its cap the log becomes shorter under the reader."""
    log = _open(state, "download", 1, max_bytes=8000)
    chunks = follow_log(Path(log.path), POLL_S)
    lines = [f"{number:05d}\n".encode() for number in range(3000)]
    seen = b""
    for start in range(0, len(lines), 100):
        for line in lines[start : start + 100]:
            log.write(line)
        seen += _follow_until(chunks, lines[start + 99])

    assert seen == b"".join(lines)
