"""Files that cannot be executed: each cause is named, and the run is recorded (RUN-22)."""

from pathlib import Path

import pytest
from lab import SLOT, Lab

_FILES = {
    "missing": (None, 0o755, 127, 'no file "{program}"'),
    "not-executable": (b"#!/bin/sh\n", 0o644, 126, "{program}: not executable (chmod +x)"),
    "bad-interpreter": (b"#!/no/such arg\n", 0o755, 126, '{program}: bad interpreter "/no/such"'),
    "crlf": (b"#!/bin/sh\r\nexit 0\r\n", 0o755, 126, "{program}: interpreter name ends in a carriage return"),
    "no-shebang": (b"echo hello\n", 0o755, 126, "{program}: no #! line"),
}


@pytest.mark.parametrize("name", _FILES)
def test_fault_14_the_cause_is_named(lab: Lab, name: str) -> None:
    data, mode, code, reason = _FILES[name]
    program = lab.home / "jobs" / name
    if data is not None:
        program.write_bytes(data)
        program.chmod(mode)
    lab.plan("job", steps=[[f"jobs/{name}"]])

    result = lab.run("job", "--slot", SLOT)

    end = lab.end("job")
    assert (result.code, end["outcome"], end["exit_code"]) == (code, "cannot_start", code)
    assert end["reason"].startswith(reason.format(program=program))
    assert result.subject.startswith("CANNOT_START job [dsoc-prod] ")
    assert end["reason"] in result.mail
    assert end["reason"].encode() in lab.log("job")
    lab.assert_clean("job")


def test_fault_14_a_directory_is_no_program(lab: Lab) -> None:
    lab.plan("job", steps=[["jobs/"]])

    assert lab.run("job", "--slot", SLOT).code == 126


def test_fault_14_a_word_that_is_on_no_path_is_named(lab: Lab) -> None:
    lab.plan("job", steps=[["no-such-program-anywhere"]])

    result = lab.run("job", "--slot", SLOT)

    assert result.code == 127
    assert lab.end("job")["reason"] == 'no program "no-such-program-anywhere" on PATH /usr/bin:/bin'


def test_fault_14_a_missing_working_directory_is_named(lab: Lab) -> None:
    lab.job("job", "true", cwd="/no/such")

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, lab.end("job")["reason"]) == (126, "cwd /no/such: No such file or directory")
    lab.assert_clean("job")


def test_fault_14_a_step_that_cannot_start_comes_after_the_steps_before_it(lab: Lab) -> None:
    first = lab.script("first", "echo did this")
    lab.plan("job", steps=[[first], ["jobs/none"]])

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, lab.end("job")["outcome"]) == (127, "cannot_start")
    assert lab.output("job").startswith(b"did this\n")
    lab.assert_clean("job")


def test_fault_14_a_step_that_cannot_start_fails_like_any_other(lab: Lab) -> None:
    """RUN-23: what is to run ``always`` runs, what needs success does not."""
    after, clean_up = lab.script("after", "echo after"), lab.script("clean-up", "echo clean up")
    lab.plan("job", steps=[["jobs/none"], [after], lab.step("failure", clean_up), lab.step("always", clean_up)])

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, lab.end("job")["outcome"]) == (127, "cannot_start")
    assert lab.output("job") == b"clean up\nclean up\n"
    lab.assert_clean("job")


def test_fault_14_without_its_plan_a_run_is_recorded_as_not_started(lab: Lab) -> None:
    result = lab.run("unknown", "--slot", SLOT)

    reason = 'no plan for unknown in home; run "runner compile"'
    assert (result.code, lab.end("unknown")["outcome"]) == (127, "cannot_start")
    assert lab.end("unknown")["reason"] == reason
    assert reason in result.mail
    lab.assert_clean("unknown")


def test_fault_14_a_plan_that_was_edited_by_hand_is_refused(lab: Lab) -> None:
    lab.job("job", "true")
    path = Path(lab.home / "crontab.d/plans/job.plan")
    path.write_bytes(path.read_bytes().replace(b"jobs/job", b"jobs/bad"))

    assert lab.run("job", "--slot", SLOT).code == 127

    assert "it was changed after it was compiled" in lab.end("job")["reason"]
