"""RUN-40 to RUN-42: one file a run, a link to the newest, and a cap that keeps both ends."""

import errno
import os
import posix
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.launch.journal import make_end
from runner.launch.log import Log, format_footer, open_log

_MARKER = re.compile(rb"# \.\.\. (\d+) bytes dropped \.\.\.\n")
_WIDTHS = {"short": 1, "usual": 80, "long": 3000, "longer than the log": 10**6}


def _open(tmp_path: Path, max_bytes: int = 1 << 20, run_id: str = "run-1") -> Log:
    (tmp_path / "logs").mkdir(exist_ok=True)
    return open_log(str(tmp_path), "job", run_id, max_bytes)


def _read(log: Log) -> bytes:
    return Path(log.path).read_bytes()


def _make_chunks(sizes: list[int], width: int) -> list[bytes]:
    """Return chunks of the given sizes that together are numbered lines of one width."""
    numbers = range(sum(sizes) // (width + 2) + 1)
    text = b"".join([f"{number} ".encode() + b"x" * width + b"\n" for number in numbers])
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    return [text[start : start + size] for start, size in zip(starts, sizes, strict=True)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cap=st.sampled_from([4096, 5000, 16 << 10, 200_000]),
    sizes=st.lists(st.integers(1, 400_000), min_size=1, max_size=8),
    width=st.sampled_from(sorted(_WIDTHS)),
)
def test_a_log_of_any_lines_keeps_both_ends_and_counts_what_is_between(
    tmp_path: Path, cap: int, sizes: list[int], width: str
) -> None:
    """RUN-42 at many sizes."""
    chunks = _make_chunks(sizes, _WIDTHS[width])
    path = tmp_path / "log"
    log = Log(str(path), os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC), cap)
    for chunk in chunks:
        log.write(chunk)
        assert path.stat().st_size <= cap
    log.close()
    data, text = path.read_bytes(), b"".join(chunks)

    if len(text) <= cap:
        assert data == text
        return
    head, dropped, tail = _MARKER.split(data)
    head = head if text.startswith(head) else head[:-1]  # the newline between a cut line and the marker is ours
    assert (text.startswith(head), text.endswith(tail)) == (True, True)
    assert len(head) + int(dropped) + len(tail) == len(text)
    assert min(len(head), len(tail)) > 0


def refuse_to_copy(*_: object) -> int:
    raise OSError(errno.EOPNOTSUPP, "no file system of ours")


@pytest.mark.parametrize("copy", [os.copy_file_range, refuse_to_copy, lambda *_: 0], ids=["kernel", "refused", "none"])
def test_what_is_kept_are_whole_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copy: Callable[..., int]
) -> None:
    """Whether or not the kernel copies within a file."""
    monkeypatch.setattr(posix, "copy_file_range", copy)
    log = _open(tmp_path, 40_000)
    for number in range(10_000):
        log.write(f"line {number:06d}\n".encode())

    lines = _read(log).splitlines()

    assert all(re.fullmatch(rb"line \d{6}|# \.\.\. \d+ bytes dropped \.\.\.", line) for line in lines)
    assert (lines[0], lines[-1]) == (b"line 000000", b"line 009999")
    assert 40_000 // 2 < len(_read(log)) <= 40_000


def test_one_write_larger_than_the_cap_leaves_no_hole(tmp_path: Path) -> None:
    log = _open(tmp_path, 8192)
    log.write(b"short\n")

    log.write(b"x" * 100_000)

    assert b"\0" not in _read(log)
    assert len(_read(log)) <= 8192


def test_a_log_that_somebody_truncates_goes_on(tmp_path: Path) -> None:
    log = _open(tmp_path, 8192)
    log.write(b"line\n" * 1500)
    Path(log.path).write_bytes(b"")

    for _ in range(2000):
        log.write(b"more\n")

    assert _read(log).endswith(b"more\nmore\n")


def test_lines_of_ours_begin_with_a_hash_and_never_within_a_line_of_the_job(tmp_path: Path) -> None:
    log = _open(tmp_path)
    log.write(b"no newline at its end")

    log.write_comment("one\ntwo\udcff")

    assert _read(log) == b"no newline at its end\n# one\n# two\\udcff\n"


def test_the_log_is_readable_by_the_group_and_new(tmp_path: Path) -> None:
    """RUN-40, RUN-43, SEC-6: O_EXCL."""
    log = _open(tmp_path)

    assert Path(log.path).stat().st_mode & 0o777 == 0o640
    assert "File exists" in _open(tmp_path).trouble


def test_the_latest_log_is_a_link_that_is_replaced(tmp_path: Path) -> None:
    _open(tmp_path, run_id="run-1")
    log = _open(tmp_path, run_id="run-2")

    assert (tmp_path / "logs/job/latest.log").readlink() == Path("run-2.log")
    assert sorted(path.name for path in (tmp_path / "logs/job").iterdir()) == ["latest.log", "run-1.log", "run-2.log"]
    assert log.trouble == ""


@pytest.mark.parametrize("plant", [Path.symlink_to, Path.hardlink_to])
def test_a_planted_log_is_not_written_through(tmp_path: Path, plant: object) -> None:
    """SEC-6."""
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / "logs/job").mkdir(parents=True)
    plant(tmp_path / "logs/job/run-1.log", target)  # type: ignore[operator]

    log = _open(tmp_path)
    log.write(b"bytes")

    assert target.read_text() == "precious"
    assert "5 bytes of the log were lost" in log.describe_trouble()


def test_a_planted_latest_log_is_replaced_and_its_target_unchanged(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / "logs/job").mkdir(parents=True)
    (tmp_path / "logs/job/latest.log").symlink_to(target)

    _open(tmp_path).write(b"bytes")

    assert target.read_text() == "precious"
    assert (tmp_path / "logs/job/latest.log").read_bytes() == b"bytes"


def test_a_link_that_a_killed_run_left_half_made_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "logs/job").mkdir(parents=True)
    (tmp_path / "logs/job/latest.log.tmp").symlink_to("run-0.log")

    assert _open(tmp_path).trouble == ""

    assert sorted(path.name for path in (tmp_path / "logs/job").iterdir()) == ["latest.log", "run-1.log"]


def test_many_runs_at_once_set_the_link_without_trouble(tmp_path: Path) -> None:
    """RUN-11 with ``allow``: one may put away what another has just made."""
    with ThreadPoolExecutor(8) as pool:
        logs = list(pool.map(lambda number: _open(tmp_path, run_id=f"run-{number}"), range(200)))

    assert {log.trouble for log in logs} == {""}
    assert (tmp_path / "logs/job/latest.log").exists()


def test_a_latest_log_that_cannot_be_replaced_leaves_no_litter(tmp_path: Path) -> None:
    (tmp_path / "logs/job/latest.log").mkdir(parents=True)

    log = _open(tmp_path)
    log.write(b"bytes")

    assert _read(log) == b"bytes"
    assert sorted(path.name for path in (tmp_path / "logs/job").iterdir()) == ["latest.log", "run-1.log"]
    assert "Is a directory" in log.describe_trouble()


def test_a_log_that_cannot_be_made_counts_what_it_loses(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")

    log = open_log(str(tmp_path), "job", "run-1", 1 << 20)
    log.write(b"12345")

    assert log.describe_trouble() == f"5 bytes of the log were lost: {tmp_path}/logs/job/run-1.log: Not a directory"


def test_a_footer_says_how_the_run_ended() -> None:
    start = dict.fromkeys(("plan", "job", "profile", "slot", "host", "trigger", "release", "log", "started_at"), "x")
    end = make_end(
        {**start, "run_id": "run-1"}, 1, "2026-03-08T07:00:01Z", outcome="lost", duration_s=1.23456, reason="r"
    )

    assert format_footer(end) == (
        "end run-1 2026-03-08T07:00:01Z outcome=lost exit_code=- signal=- duration_s=1.235 cpu_s=- max_rss_bytes=- "
        "stdout_bytes=- stderr_bytes=- reason=r"
    )
