"""TERM, INT or HUP to the wrapper ends the whole tree; that is nobody's failure."""

import os
import signal
import time

import pytest
from lab import SLOT, Lab

# A parent and a child in a session of its own, both polite.
_TREE = 'setsid sleep 300 & sleep 300 & touch "$RUNNER_WORK/ready"; wait'


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_fault_05_a_shutdown_stops_the_tree_without_a_mail(lab: Lab, number: int) -> None:
    lab.job("long", _TREE)
    wrapper = lab.start_running("long", "--slot", SLOT)

    wrapper.send_signal(number)
    result = lab.finish(wrapper, within_s=10)

    end = lab.end("long")
    assert (result.code, result.err) == (143, b"")
    assert (end["outcome"], end["reason"], end["exit_code"]) == ("stopped", "shutdown", 143)
    lab.assert_clean("long")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_fault_05_a_signal_that_job_and_wrapper_get_together_is_a_shutdown_too(lab: Lab, number: int) -> None:
    """As at the end of a service or a login: the job dies first, its wrapper hears of it a moment later."""
    lab.job("long", "touch $RUNNER_WORK/ready; exec sleep 300")
    wrapper = lab.start_running("long", "--slot", SLOT)
    job = lab.lock("long").job

    os.kill(job.pid, number)
    wrapper.send_signal(number)
    result = lab.finish(wrapper, within_s=10)

    end = lab.end("long")
    assert (result.code, result.err, end["outcome"], end["reason"]) == (143, b"", "stopped", "shutdown")
    lab.assert_clean("long")


def test_fault_05_a_signal_for_the_job_alone_is_its_failure(lab: Lab) -> None:
    lab.job("long", "kill -TERM $$")

    assert lab.run("long", "--slot", SLOT).code == 143

    assert (lab.end("long")["outcome"], lab.end("long")["signal"]) == ("failed", signal.SIGTERM)


def test_fault_05_a_deaf_tree_is_killed_after_the_grace(lab: Lab) -> None:
    lab.job("deaf", "trap '' TERM HUP INT; touch $RUNNER_WORK/ready; while :; do sleep 1; done", grace_s=0.5)
    wrapper = lab.start_running("deaf", "--slot", SLOT)

    wrapper.terminate()
    result = lab.finish(wrapper, within_s=10)

    assert (result.code, lab.end("deaf")["outcome"]) == (143, "stopped")
    lab.assert_clean("deaf")


def test_fault_05_the_wrapper_sleeps_while_it_waits_for_the_grace(lab: Lab) -> None:
    """The job itself ends at once; the child that lives on must not make its waiter spin."""
    lab.job("deaf", "(trap '' TERM; touch $RUNNER_WORK/ready; while :; do sleep 0.2; done) & wait", grace_s=2.0)
    wrapper = lab.start_running("deaf", "--slot", SLOT)
    wrapper.terminate()
    time.sleep(1.5)

    seconds = lab.cpu_s(wrapper.pid)

    lab.finish(wrapper)
    assert seconds < 0.5


def test_fault_05_ten_wrappers_at_once_all_end_their_trees(lab: Lab) -> None:
    names = [f"long-{number}" for number in range(10)]
    for name in names:
        lab.job(name, _TREE)
    wrappers = [lab.start(name, "--slot", SLOT) for name in names]
    lab.wait_for(lambda: all((lab.work(name) / "ready").exists() for name in names), "ten jobs to be ready")

    for wrapper in wrappers:
        wrapper.terminate()

    assert {lab.finish(wrapper, within_s=20).code for wrapper in wrappers} == {143}
    for name in names:
        assert lab.outcomes(name) == ["stopped"]
        lab.assert_clean(name)


def test_fault_05_at_whatever_moment_a_shutdown_comes_the_record_is_whole(lab: Lab) -> None:
    """Before the start is recorded the signal ends a wrapper that has done nothing; from then on it stops a run."""
    lab.job("job", "sleep 60")
    slots = [f"2026-03-08T07:{minute:02d}:00Z" for minute in range(40)]

    codes = []
    for number, slot in enumerate(slots):
        wrapper = lab.start("job", "--slot", slot)
        time.sleep(number * 0.0025)
        wrapper.terminate()
        codes.append(lab.finish(wrapper, within_s=10).code)

    assert set(codes) <= {-signal.SIGTERM, 143}
    assert lab.outcomes("job") == ["stopped"] * codes.count(143)
    assert len(lab.events("start")) == codes.count(143)
    lab.assert_clean("job")
