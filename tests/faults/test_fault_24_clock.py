"""FAULT-24: the clock is set while a run goes on, and back and forth between runs."""

import time

import pytest
from clock import Clock
from lab import SLOT, Lab

from runner.launch.plan import decode_schedule
from runner.plans.installed import note_installed
from runner.plans.write import read_compiled_plans

_WAIT = 'touch "$RUNNER_WORK/ready"; while [ ! -e "$RUNNER_WORK/go" ]; do sleep 0.02; done'


@pytest.mark.parametrize("step_s", [-7200, 86400])
def test_fault_24_a_step_in_mid_run_is_told_and_the_duration_is_true(lab: Lab, clock: Clock, step_s: int) -> None:
    lab.job("job", _WAIT)
    wrapper = lab.start("job", "--hand", env=clock.env)
    lab.wait_for(lambda: lab.events("attempt"), "the job to run")

    clock.set_off_by(step_s)
    (lab.work("job") / "go").touch()
    result = lab.finish(wrapper)

    end = lab.end("job")
    assert (result.code, end["outcome"], end["reason"]) == (0, "ok", f"clock stepped {step_s:+d} s")
    assert 0 <= end["duration_s"] < 60
    lab.assert_clean("job")


def test_fault_24_a_clock_set_back_starts_no_slot_twice_and_harms_no_later_one(lab: Lab, clock: Clock) -> None:
    lab.job("job", 'echo "$RUNNER_SLOT"', schedules=[decode_schedule("* * * * *")])
    for offset_s in (86400, 0, 60, 86400):
        clock.set_off_by(offset_s)
        lab.run("job", env=clock.env)

    slots = [event["slot"] for event in lab.events("start", "job")]

    assert len(slots) >= 3
    assert len(set(slots)) == len(slots)
    assert lab.outcomes("job") == ["ok"] * len(slots)
    lab.assert_clean("job")


def test_fault_24_a_clock_that_is_set_on_by_a_day_makes_no_run_long(lab: Lab, clock: Clock) -> None:
    """ALERT-18: neither for the sweep nor at its end."""
    lab.job("job", _WAIT, schedules=[decode_schedule("0 0 * * *")], max_duration_s=3600.0)
    note_installed(lab.state, read_compiled_plans(lab.home), time.time())
    clock.set_off_by(-86400)
    wrapper = lab.start("job", "--slot", SLOT, env=clock.env)
    lab.wait_for(lambda: lab.events("attempt"), "the job to run")

    clock.set_off_by(0)
    swept = lab.sweep()
    (lab.work("job") / "go").touch()
    lab.finish(wrapper)

    assert (swept.code, swept.err, lab.outcomes("job")) == (0, b"", ["ok"])
