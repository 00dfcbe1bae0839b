"""FAULT-24: the clock is set while a run goes on, and back and forth between runs."""

from pathlib import Path

import pytest
from lab import CALLER, Lab
from missing import give_up

_LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
_WAIT = 'touch "$RUNNER_WORK/ready"; while [ ! -e "$RUNNER_WORK/go" ]; do sleep 0.02; done'


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """A file that tells libfaketime what the wrapper's clock shows, as an offset in seconds."""
    if not _LIBRARIES:
        give_up("no libfaketime")
    path = tmp_path / "clock"
    path.write_text("+0\n")
    return path


def _env(clock: Path) -> dict[str, str]:
    fake = {"LD_PRELOAD": str(_LIBRARIES[0]), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1"}
    return {**CALLER, **fake, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def _set(clock: Path, offset_s: int) -> None:
    clock.with_name("next").write_text(f"{offset_s:+d}\n")
    clock.with_name("next").rename(clock)


@pytest.mark.parametrize("step_s", [-7200, 86400])
def test_fault_24_a_step_in_mid_run_is_told_and_the_duration_is_true(lab: Lab, clock: Path, step_s: int) -> None:
    lab.job("job", _WAIT)
    wrapper = lab.start("job", "--hand", env=_env(clock))
    lab.wait_for(lambda: lab.events("attempt"), "the job to run")

    _set(clock, step_s)
    (lab.work("job") / "go").touch()
    result = lab.finish(wrapper)

    end = lab.end("job")
    assert (result.code, end["outcome"], end["reason"]) == (0, "ok", f"clock stepped {step_s:+d} s")
    assert 0 <= end["duration_s"] < 60
    lab.assert_clean("job")


def test_fault_24_a_clock_set_back_starts_no_slot_twice_and_harms_no_later_one(lab: Lab, clock: Path) -> None:
    lab.job("job", 'echo "$RUNNER_SLOT"', schedules=_each_minute())
    for offset_s in (86400, 0, 60, 86400):
        _set(clock, offset_s)
        lab.run("job", env=_env(clock))

    slots = [event["slot"] for event in lab.events("start", "job")]

    assert len(slots) >= 3
    assert len(set(slots)) == len(slots)
    assert lab.outcomes("job") == ["ok"] * len(slots)
    lab.assert_clean("job")


def _each_minute() -> list[object]:
    from runner.launch.plan import decode_schedule

    return [decode_schedule("* * * * *")]
