"""Locks, trouble, survivors, logs, chores: DIAG019, 021, 022, 030, 031."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from doctor import find, find_one, set_age
from homes import Home
from lab import CALLER, kill

from runner.diagnose.checks import held
from runner.launch.incident import Health, encode_health
from runner.launch.journal import make_run_id, short_host
from runner.launch.record import open_record, write_record
from runner.launch.state import make_state

FOREVER = "touch $RUNNER_WORK/ready; exec sleep 600"


@pytest.fixture
def running(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """A run that goes on, of a job that may run for an hour."""
    home.script("hello.sh", FOREVER)
    home.job("timeout: 1h, grace: 1s")
    home.compile()
    process = subprocess.Popen([home.path / "wrappers/run-job", "job"], env=CALLER)
    ready = home.state / "work/job/ready"
    until = time.monotonic() + 20
    while not ready.exists() and time.monotonic() < until:
        time.sleep(0.01)
    yield process
    process.terminate()
    process.wait(30)


def test_diag019_is_silent_while_a_run_is_within_its_time(home: Home, running: subprocess.Popen[bytes]) -> None:
    assert find(home, "DIAG019") == []


def test_diag019_finds_a_run_beyond_all_its_time(
    home: Home, running: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    home.job("timeout: 1s, grace: 0s")  # compiled anew while it runs
    home.compile()
    monkeypatch.setattr(held, "SLACK_S", 0.0)
    time.sleep(1.2)
    finding = find_one(home, "DIAG019")
    assert finding.message.startswith("job runs for ")
    assert finding.hint == "runner stop job"


@contextmanager
def _open(path: Path) -> Iterator[int]:
    descriptor = open_record(str(path))
    yield descriptor
    os.close(descriptor)


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Have a process of somebody's lock a file."""
    program = "import fcntl, sys, time; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True)"
    command = [sys.executable, "-c", f"{program}; time.sleep(600)", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    yield
    process.kill()
    process.communicate()


@pytest.mark.parametrize(("name", "what"), [("locks/nightly", "held by no run"), ("sweep.alive", "a sweep hangs")])
def test_diag019_finds_who_keeps_a_lock_without_being_a_run(home: Home, name: str, what: str) -> None:
    make_state(str(home.state))
    path = home.state / name
    path.touch(0o600)
    set_age(path, 3600)
    assert find(home, "DIAG019") == []
    with hold(path):
        finding = find_one(home, "DIAG019")
    assert what in finding.message
    assert finding.evidence.startswith("pid ")


def test_diag019_takes_no_lock_itself(home: Home) -> None:
    """A run that starts just then would be skipped."""
    make_state(str(home.state))
    path = home.state / "locks/nightly"
    path.touch(0o600)
    with open(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert find(home, "DIAG019") == []


def leave_health(home: Home, name: str = "nightly", **fields: object) -> None:
    """Leave the health of a plan, bad for an hour unless told otherwise."""
    home.compile()
    health = Health()
    health.incident, health.bad_runs, health.opened_at = "a-run", 3, time.time() - 3600
    for key, value in fields.items():
        setattr(health, key, value)
    with _open(home.state / "health" / name) as descriptor:
        write_record(descriptor, encode_health(health))


def test_diag021_is_silent_on_what_failed_just_now(home: Home) -> None:
    """The mail tells of that."""
    leave_health(home)
    assert find(home, "DIAG021") == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"opened_at": time.time() - 5 * 86400}, "bad for 5 d"),
        ({"flapping": True}, "flapping"),
        ({"late": "2026-11-20T02:30:00Z"}, "late: slot 2026-11-20T02:30:00Z has no run"),
    ],
    ids=["stuck", "flapping", "late"],
)
def test_diag021_finds_jobs_that_do_not_recover(home: Home, fields: dict[str, object], words: str) -> None:
    leave_health(home, **fields)
    assert find_one(home, "DIAG021").message == f"nightly is {words}"


def test_diag021_the_job_that_diagnoses_does_not_find_itself(home: Home) -> None:
    """Else what it has once found it would find for ever."""
    leave_health(home, flapping=True)
    assert find(home, "DIAG021", own_job="nightly") == []


def leave_survivor(home: Home, keys: str) -> int:
    """Run a job that leaves a process behind; return its pid."""
    home.script("hello.sh", "setsid sleep 600 >/dev/null 2>&1 & echo $! >$RUNNER_WORK/pid")
    home.job(f"when: '@daily', {keys}")
    home.compile()
    subprocess.run([home.path / "wrappers/run-job", "job"], env=CALLER, capture_output=True, check=False)
    return int((home.state / "work/job/pid").read_text())


@pytest.mark.parametrize(("keys", "count"), [("survivors: report", 1), ("survivors: allow", 0)])
def test_diag022_finds_what_a_run_has_left_behind_unless_it_may(home: Home, keys: str, count: int) -> None:
    """RUN-33."""
    pid = leave_survivor(home, keys)
    try:
        found = find(home, "DIAG022")
    finally:
        kill(pid, 9)
    assert len(found) == count
    assert all(f'pid {pid} "sleep 600"' in one.evidence for one in found)


def test_diag022_is_silent_while_a_run_goes_on(home: Home, running: subprocess.Popen[bytes]) -> None:
    assert find(home, "DIAG022") == []


def leave_logs(home: Home, count: int, age_s: float, size: int = 10) -> None:
    """Leave logs of a plan, each of so long ago."""
    home.compile()
    directory = home.state / "logs/nightly"
    directory.mkdir(parents=True, exist_ok=True)
    host = short_host(os.uname().nodename)
    for number in range(count):
        log = directory / f"{make_run_id(time.time() - age_s - number, host, 1)}.log"
        with open(log, "wb") as file:
            file.truncate(size)
        set_age(log, age_s)


@pytest.mark.parametrize(("count", "age_s"), [(100, 86400), (2, 400 * 86400)])
def test_diag030_is_silent_on_logs_that_may_stay(home: Home, count: int, age_s: float) -> None:
    """The newest, and the newest of a run that did not end well, stay however old they are."""
    leave_logs(home, count, age_s)
    assert find(home, "DIAG030") == []


@pytest.mark.parametrize(
    ("count", "age_s", "size", "words"),
    [
        (3, 20 * 86400, 10, "3 logs of nightly are older than 14 d"),
        (600, 60, 10, "nightly has 600 logs, at most 500 are kept"),
        (1, 60, 60 << 20, "a log of nightly has 60 MiB, more than 50 MiB"),
    ],
    ids=["too old", "too many", "too large"],
)
def test_diag030_finds_logs_that_nobody_removed(home: Home, count: int, age_s: float, size: int, words: str) -> None:
    leave_logs(home, count, age_s, size)
    assert find_one(home, "DIAG030").message == words


def test_diag031_is_silent_when_the_sweep_works(home: Home) -> None:
    home.compile()
    assert home.runner("sweep").code == 0
    assert find(home, "DIAG031") == []


def test_diag031_finds_a_chore_that_fails(home: Home) -> None:
    home.write("envs/site.yaml", "name: lab\nmail: {via: cron, ops: ops@example.org}\ndatabase: sqlite:////no/where\n")
    home.compile()
    (home.state / "journal/2026-01-01.jsonl").write_text("\n{}\n")
    assert home.runner("sweep").code == 75
    assert find_one(home, "DIAG031").message.startswith("the sweep's chore drain fails for ")
