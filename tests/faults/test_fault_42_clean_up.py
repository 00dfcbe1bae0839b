"""FAULT-42: cleaning up while others read and write loses no line and mixes none (RUN-43, RUN-13)."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from lab import Lab, need_program

from runner.ledger.logs import follow_log

SWEEPS = 4
BODY = 'for n in 1 2 3 4 5 6 7 8; do echo "$RUNNER_SLOT line $n"; sleep 0.01; done'


@contextmanager
def sweeping(lab: Lab) -> Iterator[list[int]]:
    """Sweep again and again, as if it were time to expire each time; give the exit codes."""
    codes: list[int] = []
    is_over = threading.Event()

    def loop() -> None:
        while not is_over.is_set():
            (lab.state / "sweep.alive").unlink(missing_ok=True)
            codes.append(lab.sweep().code)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield codes
    finally:
        is_over.set()
        thread.join()


def slot(number: int) -> str:
    return f"2026-03-08T{number // 60:02}:{number % 60:02}:00Z"


def wanted(runs: int) -> list[str]:
    return [f"{slot(run)} line {line}" for run in range(runs) for line in range(1, 9)]


def ours(text: str) -> list[str]:
    return [line for line in text.splitlines() if " line " in line and not line.startswith("#")]


def run_many(lab: Lab, codes: list[int], begun: int = 0) -> int:
    """Run the job again and again until the sweep has cleaned up some times; return how many runs there are."""
    while len(codes) < SWEEPS:
        lab.run("job", "--slot", slot(begun))
        begun += 1
    return begun


@pytest.fixture
def kept_shortly(lab: Lab) -> Lab:
    """A lab whose job keeps no log but the newest."""
    lab.job("job", BODY, log_keep_s=0.2)
    return lab


def test_fault_42_a_follower_of_the_newest_log_loses_no_line_to_the_sweep(kept_shortly: Lab) -> None:
    """``tail -F state/logs/JOB/latest.log``, as ops do."""
    need_program("tail")
    lab = kept_shortly
    directory = lab.state / "logs/job"
    directory.mkdir(parents=True)
    out = lab.home / "followed"
    with out.open("wb") as file:
        tail = subprocess.Popen(
            ["tail", "-n", "+1", "-s", "0.005", "-F", directory / "latest.log"], stdout=file, stderr=subprocess.DEVNULL
        )
    try:
        with sweeping(lab) as codes:
            runs = run_many(lab, codes)
        last = wanted(runs)[-1]
        lab.wait_for(lambda: last in out.read_text(), "the follower to have the last line")
    finally:
        tail.kill()
        tail.wait()
    assert set(codes) == {0}
    assert ours(out.read_text()) == wanted(runs)
    assert len(list(directory.glob("2*.log"))) < runs


def test_fault_42_logs_dash_f_shows_every_line_of_every_run_it_began_before(kept_shortly: Lab) -> None:
    lab = kept_shortly
    lab.run("job", "--slot", slot(0))
    followed: list[bytes] = []
    is_over = threading.Event()
    path = next(iter(sorted(lab.state.glob("logs/job/2*.log"))))

    def follow() -> None:
        for chunk in follow_log(path, 0.005):
            followed.append(chunk)
            if is_over.is_set() and last.encode() in b"".join(followed):
                return

    thread = threading.Thread(target=follow)
    thread.start()
    with sweeping(lab) as codes:
        runs = run_many(lab, codes, 1)
        last = wanted(runs + 1)[-1]
        is_over.set()
        lab.run("job", "--slot", slot(runs))
    thread.join(20)
    assert not thread.is_alive()
    assert set(codes) == {0}
    assert ours(b"".join(followed).decode()) == wanted(runs + 1)


def test_fault_42_of_eight_plans_that_write_the_journal_while_it_is_swept_no_event_is_lost_or_mixed(lab: Lab) -> None:
    names = [f"job-{number}" for number in range(8)]
    for name in names:
        lab.job(name, "true")
    with sweeping(lab) as codes:
        for number in range(3):
            for one in [lab.start(name, "--slot", slot(number)) for name in names]:
                assert lab.finish(one).code == 0
    lab.sweep()

    lines = [line for line in lab.journal_text().split("\n") if line]
    events = [json.loads(line) for line in lines]
    for kind in ("start", "end"):
        found = sorted((event["plan"], event["slot"]) for event in events if event["event"] == kind)
        assert found == sorted((name, slot(number)) for name in names for number in range(3))
    assert set(codes) == {0}
    assert not (lab.state / "journal/rejected.jsonl").exists()
    for name in names:
        lab.assert_clean(name)
