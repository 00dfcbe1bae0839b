"""One run at a time, one run for a slot, and no signal to a stranger."""

import posix
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
from lab import SLOT, Lab, is_alive

from runner.launch.journal import append_event
from runner.launch.lock import LockRecord, try_lock, write_lock
from runner.launch.process import Identity, identify, read_boot_id

_HOLD = 'touch "$RUNNER_WORK/ready"; while [ ! -e "$RUNNER_WORK/go" ]; do sleep 0.02; done'
_SLOTS = [f"2026-03-08T07:{minute:02d}:00Z" for minute in range(60)]


@pytest.fixture
def stranger() -> Iterator[int]:
    process = subprocess.Popen(["sleep", "60"])
    yield process.pid
    process.kill()
    process.wait()


def _leave_record(lab: Lab, pid: int) -> None:
    """Leave the lock file and journal of a run whose pids were given to a stranger since."""
    identity = identify(pid)
    start = {
        "event": "start", "at": _SLOTS[0], "run_id": "20260308T070000.000001Z-lab-1", "seq": 1, "plan": "job",
        "job": "job", "profile": "dsoc-prod", "slot": _SLOTS[0], "host": posix.uname().nodename,
        "boot_id": read_boot_id(), "pid": pid, "trigger": "cron", "started_at": _SLOTS[0], "release": "-",
        "plan_digest": "", "log": f"{lab.state}/logs/job/x.log", "mailto": ["ops@example.org"], "timeout_s": 1,
    }  # fmt: skip
    append_event(str(lab.state / "journal"), start, sync=False)
    record = LockRecord()
    record.run_id, record.boot_id, record.since = str(start["run_id"]), read_boot_id(), _SLOTS[0]
    record.wrapper = record.job = Identity(pid, identity.started - 1)
    record.start = lab.journal_text().strip()
    record.slots = [_SLOTS[0]]
    descriptor, _ = try_lock(str(lab.state / "locks" / "job"))
    write_lock(descriptor, record)
    posix.close(descriptor)


def test_fault_16_a_stranger_with_a_recorded_pid_gets_no_signal_and_the_run_is_lost(lab: Lab, stranger: int) -> None:
    lab.job("job", "true")
    _leave_record(lab, stranger)

    lab.sweep()
    lab.sweep()

    assert lab.outcomes("job") == ["lost"]
    assert is_alive(stranger)
    lab.assert_clean("job")


def test_fault_16_a_stranger_with_a_recorded_pid_does_not_block_the_plan(lab: Lab, stranger: int) -> None:
    lab.job("job", "true")
    _leave_record(lab, stranger)

    assert lab.run("job", "--slot", _SLOTS[5]).code == 0

    assert lab.end("job")["outcome"] == "ok"
    assert is_alive(stranger)


def test_fault_17_each_slot_in_a_long_run_is_skipped_once_and_the_third_speaks(lab: Lab) -> None:
    lab.job("slow", _HOLD)
    first = lab.start_running("slow", "--slot", _SLOTS[0])

    results = [lab.run("slow", "--slot", slot) for slot in _SLOTS[5:30:5]]

    skips = lab.events("skip", "slow")
    assert [result.code for result in results] == [0] * 5
    assert [skip["slot"] for skip in skips] == _SLOTS[5:30:5]
    assert {skip["reason"] for skip in skips} == {"overlap"}
    assert [result.subject for result in results] == ["", "", "SKIPPED slow [dsoc-prod] overlap", "", ""]
    assert f"pid {lab.events('attempt', 'slow')[0]['pid']}" in results[2].mail
    (lab.work("slow") / "go").touch()
    assert lab.finish(first).subject.startswith("RECOVERED slow [dsoc-prod] after ")
    lab.assert_clean("slow")


def test_fault_17_a_slot_that_was_started_leaves_no_trace_the_second_time(lab: Lab) -> None:
    lab.job("slow", _HOLD)
    first = lab.start_running("slow", "--slot", SLOT)
    before = lab.journal_text()

    during = lab.run("slow", "--slot", SLOT)
    (lab.work("slow") / "go").touch()
    lab.finish(first)
    after = lab.run("slow", "--slot", SLOT)

    assert [(result.code, result.err) for result in (during, after)] == [(0, b"")] * 2
    assert lab.journal_text().startswith(before)
    assert lab.outcomes("slow") == ["ok"]


def test_fault_17_a_person_may_run_a_slot_again(lab: Lab) -> None:
    """RUN-5: runs by hand are exempt, and leave the slot to cron."""
    lab.job("job", "true")

    for words in (["--hand"], ["--hand"], [], ["--hand"], []):
        assert lab.run("job", "--slot", SLOT, *words).code == 0

    assert [start["trigger"] for start in lab.events("start")] == ["hand", "hand", "cron", "hand"]


def test_fault_17_whoever_started_a_slot_it_counts(lab: Lab) -> None:
    """RUN-38: also of a lost run the sweep frees the slot first, so that two reruns cannot be."""
    lab.job("job", "true")

    for word in ("--missed", "--missed", "--rerun"):
        assert lab.run("job", "--slot", SLOT, word).code == 0

    assert [start["trigger"] for start in lab.events("start")] == ["missed"]
    assert lab.lock("job").slots == [SLOT]


@pytest.mark.parametrize("word", ["--missed", "--rerun"])
def test_fault_17_the_sweep_never_starts_a_run_without_its_slot(lab: Lab, word: str) -> None:
    lab.job("job", "true")

    answer = lab.run("job", word)

    assert answer.code == 2
    assert answer.mail.startswith(f"run-job: {word} needs the --slot that it is for")
    assert lab.journal_text() == ""


def test_fault_17_only_the_last_sixteen_slots_are_remembered(lab: Lab) -> None:
    lab.job("quick", "true")
    for slot in _SLOTS[:17]:
        lab.run("quick", "--slot", slot)

    assert lab.lock("quick").slots == _SLOTS[1:17]


def test_fault_18_of_two_simultaneous_starts_of_a_slot_exactly_one_runs(lab: Lab) -> None:
    lab.job("job", "true")
    slots = [f"2026-03-{8 + trial // 50:02d}T07:{trial % 50:02d}:00Z" for trial in range(100)]

    for slot in slots:
        barrier_end, barrier = posix.pipe()
        pair = [_start_behind(lab, barrier_end, "job", "--slot", slot) for _ in range(2)]
        posix.close(barrier_end)
        posix.close(barrier)
        assert [wrapper.wait(30) for wrapper in pair] == [0, 0]

    assert Counter(start["slot"] for start in lab.events("start", "job")) == dict.fromkeys(slots, 1)
    assert lab.outcomes("job") == ["ok"] * 100, "the other one knew that it was a duplicate"
    lab.assert_clean("job")


def _start_behind(lab: Lab, barrier: int, *words: str) -> subprocess.Popen[bytes]:
    """Start a wrapper that waits until the write end of `barrier` is closed."""
    waiting = "import os, sys; os.read(int(sys.argv[1]), 1); os.execv(sys.argv[2], sys.argv[2:])"
    run_job = str(lab.home / "wrappers" / "run-job")
    command = [sys.executable, "-ISc", waiting, str(barrier), run_job, *words]
    return subprocess.Popen(command, pass_fds=[barrier], stdout=subprocess.DEVNULL)
