"""A job that fails by itself: its code, its signal, and one mail."""

import pytest
from lab import SLOT, Lab


def test_fault_01_a_failing_job_gives_its_exit_code_and_one_mail(lab: Lab) -> None:
    lab.job("download", "echo not me; echo 404 Not Found >&2; exit 3")

    result = lab.run("download", "--slot", SLOT)

    end = lab.end("download")
    assert (result.code, end["outcome"], end["exit_code"]) == (3, "failed", 3)
    assert result.subject == "FAILED download [dsoc-prod] exit 3"
    assert "404 Not Found\n" in result.mail
    assert "not me" not in result.mail
    assert end["log"] in result.mail
    assert "runner run download\n" in result.mail
    lab.assert_clean("download")


def test_fault_01_the_next_failure_is_silent(lab: Lab) -> None:
    lab.job("download", "exit 3")
    lab.run("download", "--slot", "2026-03-08T07:00:00Z")

    result = lab.run("download", "--slot", "2026-03-08T07:05:00Z")

    assert (result.code, result.err) == (3, b"")
    assert [end["alerted"] for end in lab.events("end")] == ["first", ""]


@pytest.mark.parametrize(("number", "name"), [(11, "SEGV"), (9, "KILL"), (15, "TERM")])
def test_fault_02_a_signal_that_is_not_ours_is_a_failure_of_the_job(lab: Lab, number: int, name: str) -> None:
    lab.job("dies", f"kill -{number} $$")

    result = lab.run("dies", "--slot", SLOT)

    end = lab.end("dies")
    assert (result.code, end["outcome"], end["signal"]) == (128 + number, "failed", number)
    assert end["reason"].startswith(f"killed by signal {number} ({name})")
    assert ("maybe out of memory" in end["reason"]) == (number == 9)
    lab.assert_clean("dies")


def test_fault_02_a_kill_names_the_count_of_the_cgroup_where_it_can_be_read(lab: Lab) -> None:
    lab.job("dies", "kill -9 $$")

    lab.run("dies", "--slot", SLOT)

    reason = lab.end("dies")["reason"]
    assert reason == "killed by signal 9 (KILL), maybe out of memory" or "oom_kill " in reason
