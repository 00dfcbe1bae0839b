"""FAULT-24: the clock is set while a run goes on, and back and forth between runs."""

import pytest
from clock import Clock
from lab import Lab

from runner.launch.plan import decode_schedule

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
