"""kill -9 of the wrapper, of the job, of both: history is truthful and no second copy runs."""

import os
import shutil
import signal
import time
from pathlib import Path

import kills
import pytest
from housekeeping import House
from journals import Journal
from lab import Event, Lab, is_alive, kill, need_program

from runner.plans.installed import note_installed
from runner.plans.write import read_compiled_plans

# Ready, then alive until the test lets it go: no time of its own.
_SH = 'touch "$RUNNER_WORK/ready"; while [ ! -e "$RUNNER_WORK/go" ]; do sleep 0.02; done'
_TCSH = 'touch "$RUNNER_WORK/ready"\nwhile (! -e "$RUNNER_WORK/go")\nsleep 0.02\nend'
_SHELLS = {"sh": ("/bin/sh", _SH), "tcsh": ("/usr/bin/tcsh -f", _TCSH)}
_SLOTS = [f"2026-03-08T07:{minute:02d}:00Z" for minute in range(0, 60, 5)]


@pytest.fixture(params=sorted(_SHELLS))
def shell(request: pytest.FixtureRequest) -> str:
    need_program(request.param)
    return str(request.param)


def _orphan(lab: Lab, shell: str, **fields: object) -> int:
    """Run a job, kill its wrapper with -9, return the job's pid."""
    interpreter, body = _SHELLS[shell]
    lab.job("long", body, interpreter=interpreter, **fields)
    wrapper = lab.start_running("long", "--slot", _SLOTS[0])
    wrapper.kill()
    wrapper.wait()
    return int(lab.events("attempt", "long")[0]["pid"])


def _release(lab: Lab, pid: int) -> None:
    (lab.work("long") / "go").touch()
    lab.wait_for(lambda: not is_alive(pid), "the orphan to end")


def _ends(lab: Lab) -> list[Event]:
    return lab.events("end", "long")


def test_fault_03_the_next_slot_is_skipped_while_the_orphan_lives(lab: Lab, shell: str) -> None:
    pid = _orphan(lab, shell)

    result = lab.run("long", "--slot", _SLOTS[1])

    (skip,) = lab.events("skip", "long")
    assert (result.code, result.err, skip["reason"]) == (0, b"", "overlap")
    assert f"job pid {pid}" in skip["detail"]
    assert f"since {lab.events('start', 'long')[0]['started_at']}" in skip["detail"]


def test_fault_03_a_person_is_told_who_runs(lab: Lab, shell: str) -> None:
    pid = _orphan(lab, shell)

    result = lab.run("long", "--hand")

    assert result.code == 75
    assert f"job pid {pid}" in result.mail


def test_fault_03_the_sweep_closes_the_run_when_the_orphan_has_ended(lab: Lab, shell: str) -> None:
    pid = _orphan(lab, shell)
    lab.sweep()
    assert _ends(lab) == []

    _release(lab, pid)
    lab.sweep()
    lab.sweep()

    assert lab.outcomes("long") == ["lost"]
    lab.assert_clean("long")


def test_fault_03_the_following_slot_runs(lab: Lab, shell: str) -> None:
    _release(lab, _orphan(lab, shell))
    lab.sweep()

    result = lab.run("long", "--slot", _SLOTS[1])

    assert result.code == 0
    assert lab.outcomes("long") == ["lost", "ok"]
    lab.assert_clean("long")


def test_fault_03_a_slot_before_the_next_sweep_runs_and_the_lost_run_is_closed_all_the_same(lab: Lab) -> None:
    _release(lab, _orphan(lab, "sh"))

    lab.run("long", "--slot", _SLOTS[1])
    lab.sweep()
    lab.sweep()

    assert sorted(lab.outcomes("long")) == ["lost", "ok"]
    lab.assert_clean("long")


def test_fault_03_an_orphan_that_writes_dies_of_its_broken_pipe_and_is_closed(lab: Lab) -> None:
    lab.job("long", 'touch "$RUNNER_WORK/ready"; while :; do echo tick; sleep 0.02; done')
    wrapper = lab.start_running("long", "--slot", _SLOTS[0])
    pid = lab.events("attempt", "long")[0]["pid"]
    wrapper.kill()
    wrapper.communicate()
    lab.wait_for(lambda: not is_alive(pid), "the orphan to die of SIGPIPE")

    lab.sweep()

    assert lab.outcomes("long") == ["lost"]
    lab.assert_clean("long")


def test_fault_03_the_sweep_ends_an_orphan_at_its_timeout(lab: Lab, shell: str) -> None:
    pid = _orphan(lab, shell, timeout_s=1.0, grace_s=1.0)

    def sweep_once() -> bool:
        lab.sweep()
        return bool(_ends(lab))

    lab.wait_for(sweep_once, "the sweep to end the orphan")

    assert not is_alive(pid)
    assert lab.outcomes("long") == ["lost"]
    lab.assert_clean("long")


def test_fault_04_wrapper_and_job_killed_are_lost_with_one_mail(lab: Lab, shell: str) -> None:
    pid = _orphan(lab, shell)
    os.kill(pid, signal.SIGKILL)
    lab.wait_for(lambda: not is_alive(pid), "the job to be gone")
    for stray in lab.processes():
        kill(stray, signal.SIGKILL)

    sweeps = [lab.sweep() for _ in range(4)]

    assert lab.outcomes("long") == ["lost"]
    assert [sweep.subject.split(" [")[0] for sweep in sweeps if sweep.err] == ["LOST long"]
    assert len(lab.events("start", "long")) == 1
    lab.assert_clean("long")


def test_fault_04_a_lost_slot_is_never_started_again(lab: Lab) -> None:
    os.kill(_orphan(lab, "sh"), signal.SIGKILL)
    lab.wait_for(lambda: not lab.processes(), "the job to be gone")
    lab.sweep()
    (lab.work("long") / "go").touch()

    result = lab.run("long", "--slot", _SLOTS[0])

    assert (result.code, result.err) == (0, b"")
    assert len(lab.events("start", "long")) == 1


def test_fault_04_the_log_of_a_lost_run_gets_its_footer(lab: Lab) -> None:
    os.kill(_orphan(lab, "sh"), signal.SIGKILL)
    lab.wait_for(lambda: not lab.processes(), "the job to be gone")

    lab.sweep()

    footer = lab.log("long").splitlines()[-1].decode()
    assert footer.startswith(f"# end {lab.end('long')['run_id']} ")
    assert "outcome=lost" in footer


def test_fault_04_a_job_killed_under_its_wrapper_is_a_failure_not_a_loss(lab: Lab) -> None:
    lab.job("long", _SH)
    wrapper = lab.start_running("long", "--slot", _SLOTS[0])

    os.kill(lab.events("attempt", "long")[0]["pid"], signal.SIGKILL)

    assert lab.finish(wrapper).code == 137
    assert lab.outcomes("long") == ["failed"]
    lab.assert_clean("long")


def test_fault_04_at_whatever_moment_a_wrapper_is_killed_each_run_has_one_end(lab: Lab) -> None:
    lab.job("short", "sleep 0.01")
    slots = [f"2026-03-08T07:{minute:02d}:00Z" for minute in range(40)]

    for number, slot in enumerate(slots):
        wrapper = lab.start("short", "--slot", slot)
        time.sleep(number * 0.001)
        wrapper.kill()
        wrapper.communicate()
        lab.wait_for(lambda: not lab.processes(), "the orphan to end")
    lab.sweep()
    lab.sweep()

    assert lab.run("short", "--slot", "2026-03-08T08:00:00Z").code == 0
    assert set(lab.outcomes("short")) <= {"ok", "lost"}
    lab.assert_clean("short")


def test_fault_04_a_state_that_is_gone_is_made_anew(lab: Lab) -> None:
    lab.job("short", "true")
    shutil.rmtree(lab.state)

    assert lab.run("short", "--slot", _SLOTS[0]).code == 0

    assert lab.outcomes("short") == ["ok"]
    assert Path(lab.state).stat().st_mode & 0o777 == 0o700


def _install(lab: Lab) -> None:
    note_installed(lab.state, read_compiled_plans(lab.home), time.time() - 60)


def _kill_run(lab: Lab) -> None:
    """Kill the wrapper that runs and its job with -9."""
    lab.wait_for(lambda: lab.lock("long").job, "the job to be noted")
    record = lab.lock("long")
    assert record.wrapper
    assert record.job
    for who in (record.wrapper, record.job):
        kill(who.pid, signal.SIGKILL)
    lab.wait_for(lambda: lab.is_lock_free("long"), "the last process to be gone")


def test_fault_04_a_lost_run_of_a_job_that_may_is_run_once_more_and_its_rerun_never(lab: Lab) -> None:
    """RUN-17 with ``rerun_lost``; the alert of the lost run does not wait for the rerun."""
    lab.job("long", _SH, rerun_lost=True)
    _install(lab)
    wrapper = lab.start("long", "--slot", _SLOTS[0])
    lab.wait_for((lab.state / "locks/long").exists, "the lock")
    _kill_run(lab)
    lab.finish(wrapper)

    assert lab.sweep().subject.startswith("LOST long")
    assert [start["trigger"] for start in lab.events("start")] == ["cron"]
    second = lab.start("--sweep")
    assert second.wait(30) == 0
    _kill_run(lab)
    lab.finish(second)
    for _ in range(3):
        lab.sweep()

    starts = lab.events("start")
    assert [(start["trigger"], start["slot"]) for start in starts] == [("cron", _SLOTS[0]), ("rerun", _SLOTS[0])]
    assert lab.outcomes("long") == ["lost", "lost"]
    lab.assert_clean("long")


def test_fault_04_whatever_step_the_sweep_is_killed_at_a_lost_run_is_run_exactly_once_more(lab: Lab) -> None:
    lab.job("download", "true", rerun_lost=True)
    _install(lab)
    house = House(lab.home, Journal(lab.state))
    house.leave_run("download")

    tries = kills.run("rerun", house, f"sqlite:///{lab.state}/runner.db", every=83)

    assert len(tries) > 20
    assert {(one["reruns"], one["ends"]) for one in tries} == {(1, 2)}
