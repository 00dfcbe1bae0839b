"""Keeping a job from being started, and ending what runs (RUN-7, RUN-35), with a word on who did it (SEC-20)."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from homes import Home
from lab import CALLER, SLOT, is_alive

from runner.cli.control import parse_until
from runner.errors import UserError
from runner.home.here import read_user
from runner.launch.instant import parse_instant
from runner.launch.lock import LockRecord, find_lock, write_lock
from runner.launch.process import identify, read_boot_id
from runner.launch.record import open_record
from runner.launch.slot import use_zone
from runner.launch.stops import read_stop
from runner.launch.tree import find_session

NOW = parse_instant("2026-03-08T12:00:00Z")


@pytest.fixture
def compiled(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.delenv("SUDO_USER", raising=False)
    home.compile()
    return home


def run_job(home: Home, plan: str) -> subprocess.CompletedProcess[bytes]:
    command = [home.path / "wrappers" / "run-job", plan, "--slot", SLOT]
    return subprocess.run(command, env=CALLER, capture_output=True, check=False)


def read_events(home: Home, kind: str) -> list[dict[str, Any]]:
    files = sorted(home.state.glob("journal/????-??-??.jsonl"))
    lines = [json.loads(line) for file in files for line in file.read_text().split("\n") if line]
    return [line for line in lines if line["event"] == kind]


# pause and resume


def test_a_paused_job_is_not_started_until_it_is_resumed(compiled: Home) -> None:
    assert compiled.runner("pause", "nightly", "--reason", "disk full").out == (
        "paused nightly until it is resumed: disk full\n"
    )
    run_job(compiled, "nightly")
    (skip,) = read_events(compiled, "skip")
    assert skip["reason"] == "paused"
    assert re.fullmatch(rf"by {read_user()} since \S+Z: disk full", skip["detail"])

    assert compiled.runner("resume", "nightly").out.startswith(f"resumed nightly, which was paused by {read_user()}")
    run_job(compiled, "nightly")
    assert len(read_events(compiled, "start")) == 1


def test_a_pause_says_how_long_it_lasts(compiled: Home) -> None:
    answer = compiled.runner("pause", "nightly", "--until", "2040-03-08T14:00:00Z", "--json")
    assert answer.objects == [
        {
            "job": "nightly", "author": read_user(), "until": "2040-03-08T14:00:00Z", "reason": "", "replaced": None,
            "dry_run": False,
        }
    ]  # fmt: skip
    assert "\nuntil 2040-03-08T14:00:00.000000Z\n" in (compiled.state / "pauses/nightly").read_text()


def test_to_pause_again_replaces_the_pause_and_says_so(compiled: Home) -> None:
    compiled.runner("pause", "nightly", "--reason", "disk full")
    answer = compiled.runner("pause", "nightly", "--reason", "dome open")
    assert re.fullmatch(
        r"nightly was paused already, by \S+ since \S+: disk full\npaused nightly until it is resumed: dome open\n",
        answer.out,
    )
    assert "reason dome open" in (compiled.state / "pauses/nightly").read_text()


def test_to_resume_what_is_not_paused_is_no_trouble(compiled: Home) -> None:
    assert [compiled.runner("resume", "nightly").code for _ in range(2)] == [0, 0]
    assert compiled.runner("resume", "nightly").out == "nightly is not paused\n"
    assert read_events(compiled, "audit") == []


def test_a_pause_of_a_job_that_is_gone_can_be_taken_back(compiled: Home) -> None:
    compiled.runner("pause", "nightly")
    compiled.job("when: '@daily'")
    compiled.compile()
    assert compiled.runner("resume", "nightly").out.startswith("resumed nightly")


def test_who_paused_and_resumed_is_in_the_journal(compiled: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "ana")
    compiled.runner("pause", "nightly", "--reason", "disk full")
    compiled.runner("resume", "nightly")

    paused, resumed = read_events(compiled, "audit")
    assert (paused["action"], paused["job"], paused["user"], paused["sudo_user"]) == (
        "pause", "nightly", read_user(), "ana",
    )  # fmt: skip
    assert paused["detail"] == "until it is resumed: disk full"
    assert resumed["action"] == "resume"
    assert resumed["detail"].startswith("was paused by ana since ")


def test_a_dry_run_pauses_resumes_and_stops_nothing(compiled: Home, sleeper: subprocess.Popen[bytes]) -> None:
    assert compiled.runner("pause", "nightly", "--dry-run").out.startswith("dry run: would pause nightly")
    assert not list(compiled.state.glob("pauses/*"))
    compiled.runner("pause", "nightly")
    before = compiled.tree()
    assert compiled.runner("resume", "nightly", "--dry-run").out.startswith("dry run: would resume nightly")
    assert compiled.runner("stop", "sleeper", "--dry-run").out.startswith("dry run: would stop sleeper: run ")
    assert compiled.tree() == before
    assert sleeper.poll() is None


@pytest.mark.parametrize("command", ["pause", "resume", "stop"])
def test_a_job_that_nobody_knows_is_a_mistake(compiled: Home, command: str) -> None:
    answer = compiled.runner(command, "nightlt")
    assert (answer.code, answer.err) == (2, 'no job is called "nightlt"; did you mean "nightly"?\n')


def test_the_profiles_of_a_job_are_paused_together(home: Home) -> None:
    home.write("jobs/all.yaml", "jobs:\n  job: {run: jobs/hello.sh, profile: [local]}\n")
    home.compile()
    answer = home.runner("pause", "job@local")
    assert answer.code == 2
    assert answer.err == "job@local is one profile of a job, and all are paused together: name job\n"


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("2h", "2026-03-08T14:00:00Z"),
        ("3d", "2026-03-11T12:00:00Z"),
        ("2026-03-08T14:00:00Z", "2026-03-08T14:00:00Z"),
        ("2026-03-08T14:00", "2026-03-08T20:00:00Z"),
        ("2026-03-09 07:30:15", "2026-03-09T13:30:15Z"),
        ("2026-03-09", "2026-03-09T06:00:00Z"),
        ("2026-03-08T14:00:00+01:00", "2026-03-08T13:00:00Z"),
    ],
)
def test_a_pause_ends_after_a_while_or_at_an_instant_that_is_local_unless_it_says_otherwise(
    text: str, until: str
) -> None:
    use_zone("America/Denver")  # whose clock goes forward on that morning
    try:
        assert parse_until(text, NOW) == parse_instant(until)
    finally:
        use_zone(None)


@pytest.mark.parametrize("text", ["2026-03-08T11:59:59Z", "2026-03-08T12:00:00Z", "1999-01-01"])
def test_a_pause_that_is_over_already_is_a_mistake(text: str) -> None:
    with pytest.raises(UserError, match=r"is past; to let the job run again, use resume"):
        parse_until(text, NOW)


@pytest.mark.parametrize("text", ["", "soon", "2w", "0h", "2026-02-30", "25:00", "-1h", "9999-99-99T00:00:00Z"])
def test_what_is_no_instant_is_a_mistake(text: str) -> None:
    with pytest.raises(UserError, match="is no instant; write a time to wait like 2h"):
        parse_until(text, NOW)


# stop


@pytest.fixture
def sleeper(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """The wrapper of a job that runs for long."""
    home.script("sleep.sh", 'touch "$RUNNER_WORK/ready"; sleep 600 & wait')
    home.write("jobs/sleep.yaml", "jobs:\n  sleeper: {run: jobs/sleep.sh, profile: local, grace: 1s}\n")
    home.compile()
    process = subprocess.Popen(
        [home.path / "wrappers/run-job", "sleeper", "--slot", SLOT], env=CALLER, stderr=subprocess.PIPE
    )
    await_file(home.state / "work/sleeper/ready")
    await_that(lambda: lock_of(home, "sleeper").job)  # the wrapper notes it a moment after the job has begun
    yield process
    job = lock_of(home, "sleeper").job
    process.kill()
    for left in find_session(job) if job else []:
        os.kill(left.pid, signal.SIGKILL)
    process.communicate()


def await_file(path: Path) -> None:
    await_that(path.exists)


def await_that(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def lock_of(home: Home, plan: str) -> LockRecord:
    record = find_lock(str(home.state / "locks" / plan))
    assert record
    return record


def test_a_stopped_run_is_gone_with_all_its_processes_and_nobody_gets_mail(
    home: Home, sleeper: subprocess.Popen[bytes]
) -> None:
    run = lock_of(home, "sleeper")
    assert run.job
    answer = home.runner("stop", "sleeper", "--reason", "wrong input")
    assert (answer.code, answer.err) == (0, "")
    assert re.fullmatch(rf"stopped sleeper, gone after \d\.\d s: run {run.run_id}\n", answer.out)
    assert not is_alive(run.job.pid)
    assert (sleeper.wait(), sleeper.stderr and sleeper.stderr.read()) == (143, b"")
    (end,) = read_events(home, "end")
    assert (end["outcome"], end["exit_code"], end["alerted"]) == ("stopped", 143, "")


def test_a_stopped_run_names_who_stopped_it_and_why(home: Home, sleeper: subprocess.Popen[bytes]) -> None:
    """RUN-35, worked example 6."""
    home.runner("stop", "sleeper", "--reason", "wrong input")
    assert read_events(home, "end")[0]["reason"] == f"stopped by {read_user()}: wrong input"


def test_the_journal_says_who_stopped_which_run(home: Home, sleeper: subprocess.Popen[bytes]) -> None:
    run_id = lock_of(home, "sleeper").run_id
    home.runner("stop", "sleeper", "--reason", "wrong input")
    (audit,) = read_events(home, "audit")
    assert (audit["action"], audit["job"], audit["detail"]) == ("stop", "sleeper", f"{run_id}: wrong input")


def test_a_plan_that_does_not_exist_is_the_callers_mistake(compiled: Home) -> None:
    answer = compiled.runner("stop", "nightly@typo")
    assert (answer.code, answer.err) == (2, 'no plan is called "nightly@typo"; of nightly there is nightly\n')


def test_where_nothing_runs_nothing_is_stopped(compiled: Home) -> None:
    answer = compiled.runner("stop", "nightly")
    assert (answer.code, answer.out) == (1, "nothing runs of nightly\n")
    assert read_events(compiled, "audit") == []
    assert not list(compiled.state.glob("stops/*"))


def test_a_run_that_is_over_is_not_stopped_though_a_stranger_has_its_pid(compiled: Home) -> None:
    """RUN-34."""
    with subprocess.Popen(["sleep", "60"]) as stranger:
        leave_lock(compiled, "nightly", stranger.pid, started=1)
        assert compiled.runner("stop", "nightly").code == 1
        assert stranger.poll() is None
        stranger.kill()


def leave_lock(home: Home, name: str, wrapper: int, started: int = 0) -> None:
    record = LockRecord()
    record.run_id, record.boot_id, record.since = "20260308T070000.000000Z-ops1-1", read_boot_id(), SLOT
    record.wrapper = identify(wrapper)
    record.wrapper.started = started or record.wrapper.started
    record.start = '{"event": "start"}'
    (home.state / "locks").mkdir(parents=True, exist_ok=True)
    descriptor = open_record(str(home.state / "locks" / name))
    write_lock(descriptor, record)
    os.close(descriptor)


@pytest.mark.parametrize("name", ["nightly+wait", "nightly+1", "nightly+12"])
def test_a_run_that_waits_or_runs_beside_another_is_stopped_too(compiled: Home, name: str) -> None:
    with subprocess.Popen(["sleep", "60"]) as wrapper:
        leave_lock(compiled, name, wrapper.pid)
        assert compiled.runner("stop", "nightly").code == 0
        assert wrapper.wait() == -signal.SIGTERM
    assert read_stop(str(compiled.state), "nightly", lock_of(compiled, name).run_id)


def test_what_a_killed_wrapper_left_is_ended_as_the_sweep_would(home: Home, sleeper: subprocess.Popen[bytes]) -> None:
    job = lock_of(home, "sleeper").job
    assert job
    sleeper.kill()
    sleeper.wait()
    assert home.runner("stop", "sleeper").code == 0
    assert not is_alive(job.pid)
    assert home.runner("stop", "sleeper").code == 1
    assert home.runner("sweep").err.startswith("LOST sleeper")


def test_a_job_that_does_not_listen_is_killed_after_its_grace(home: Home) -> None:
    home.script("deaf.sh", 'trap "" TERM; touch "$RUNNER_WORK/ready"; while :; do sleep 0.1; done')
    home.write("jobs/deaf.yaml", "jobs:\n  deaf: {run: jobs/deaf.sh, profile: local, grace: 1s}\n")
    home.compile()
    with subprocess.Popen([home.path / "wrappers/run-job", "deaf", "--hand"], env=CALLER) as wrapper:
        await_file(home.state / "work/deaf/ready")
        assert home.runner("stop", "deaf").code == 0
        assert wrapper.wait() == 143


def test_what_does_not_end_is_named_and_to_be_tried_again(compiled: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.sweep.stop.EXTRA_S", 0.1)
    compiled.job("grace: 1s", name="deaf")
    compiled.compile()
    deaf = ["sh", "-c", "trap '' TERM; echo; while :; do sleep 0.1; done"]
    with subprocess.Popen(deaf, stdout=subprocess.PIPE) as wrapper:
        assert wrapper.stdout
        assert wrapper.stdout.readline()
        leave_lock(compiled, "deaf", wrapper.pid)
        answer = compiled.runner("stop", "deaf")
        wrapper.kill()
    assert answer.code == 75
    assert f"is still there: pid {wrapper.pid}" in answer.err


@pytest.mark.skipif(os.geteuid() != 0, reason="root")
def test_root_must_say_for_whom_it_acts(compiled: Home) -> None:
    compiled.write("envs/site.yaml", "name: x\nmail: {ops: a@b}\ntargets: {t: {hosts: ['*'], user: nobody}}\n")
    answer = compiled.runner("pause", "nightly")
    assert answer.code == 2
    assert "in envs/site.yaml are: t (nobody on *)" in answer.err
    assert compiled.runner("resume", "nightly", "--target", "t").out == "nightly is not paused\n"
