"""RUN-25, RUN-24: attempts of one run, and the ladder of memory."""

import json
import signal
from itertools import pairwise
from pathlib import Path

import pytest
from lab import SLOT, Lab

from runner.launch.instant import parse_instant

_NTH = 'echo "attempt $RUNNER_ATTEMPT" >&2; echo "$RUNNER_RUN_ID $RUNNER_SLOT"'


def test_a_run_that_succeeds_at_its_second_attempt_is_ok_and_silent(lab: Lab) -> None:
    lab.job("job", "[ $RUNNER_ATTEMPT = 2 ] || { echo no >&2; exit 1; }", retry_times=2, retry_delay_s=0.05)

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, result.err) == (0, b"")
    assert (lab.end("job")["outcome"], lab.end("job")["attempts"]) == ("ok", 2)
    assert [event["attempt"] for event in lab.events("attempt")] == [1, 2]
    lab.assert_clean("job")


def test_only_the_last_attempt_decides_and_one_mail_is_sent(lab: Lab) -> None:
    """Worked example 3, with shorter pauses."""
    lab.job("job", f"{_NTH}; exit 1", retry_times=2, retry_delay_s=0.2, retry_backoff=2.0)

    result = lab.run("job", "--slot", SLOT)

    assert result.subject == "FAILED job [dsoc-prod] exit 1"
    assert "attempt 3\n" in result.mail
    assert "attempt 2\n" not in result.mail
    assert (result.code, lab.end("job")["attempts"]) == (1, 3)
    first, second = (later - earlier for earlier, later in pairwise(_attempts_at(lab)))
    assert first >= 0.2
    assert second >= 0.4
    lab.assert_clean("job")


def _attempts_at(lab: Lab) -> list[float]:
    return [parse_instant(event["at"]) for event in lab.events("attempt")]


def test_attempts_keep_run_id_slot_and_log(lab: Lab) -> None:
    lab.job("job", f"{_NTH}; exit 1", retry_times=1, retry_delay_s=0.0)

    lab.run("job", "--slot", SLOT)

    lines = {line for line in lab.output("job").decode().splitlines() if line.endswith(SLOT)}
    assert lines == {f"{lab.end('job')['run_id']} {SLOT}"}
    assert b"# attempt 1 of 2 ended: failed, exit 1; the next in 0 s\n" in lab.log("job")
    assert lab.end("job")["stderr_bytes"] == 2 * len("attempt 1\n")


def test_a_job_that_cannot_start_is_tried_again_if_the_plan_says_so(lab: Lab) -> None:
    lab.plan("job", steps=[["jobs/missing"]], retry_times=2, retry_delay_s=0.0, retry_on=["cannot_start"])

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, lab.end("job")["outcome"], lab.end("job")["attempts"]) == (127, "cannot_start", 3)


def test_each_attempt_has_the_whole_timeout(lab: Lab) -> None:
    """RUN-32: it counts per attempt, not the pauses."""
    lab.job("job", "[ $RUNNER_ATTEMPT = 3 ] || sleep 30", retry_times=2, retry_delay_s=0.3, timeout_s=0.5)

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, lab.end("job")["outcome"], lab.end("job")["attempts"]) == (0, "ok", 3)


def test_a_stop_ends_the_pause_between_attempts(lab: Lab) -> None:
    lab.job("job", 'touch "$RUNNER_WORK/ready"; exit 1', retry_times=1, retry_delay_s=60.0)
    wrapper = lab.start_running("job", "--slot", SLOT)
    lab.wait_for(lambda: b"the next in 60 s" in lab.log("job"), "the pause to begin")

    wrapper.send_signal(signal.SIGTERM)

    assert lab.finish(wrapper, within_s=5).code == 143
    assert (lab.end("job")["outcome"], lab.end("job")["attempts"]) == ("stopped", 1)
    lab.assert_clean("job")


_EAT = "import sys; block = bytearray(400 << 20); print('enough')"


@pytest.fixture
def python(lab: Lab) -> Path:
    return (lab.home / ".runner/python").resolve()


def test_memory_climbs_the_ladder_one_rung_for_each_attempt_that_ran_out(lab: Lab, python: Path) -> None:
    script = lab.script("eat.py", _EAT, interpreter=str(python))
    ladder = [200 << 20, 300 << 20, 2 << 30]
    lab.plan("job", steps=[[script]], limit_memory_bytes=ladder, retry_times=2, retry_delay_s=0.0, retry_on=["memory"])

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, lab.end("job")["outcome"], lab.end("job")["attempts"]) == (0, "ok", 3)
    assert b"enough" in lab.output("job")


@pytest.mark.parametrize("command", ["perl -e '$x = \"a\" x (1 << 30)'", "awk 'BEGIN {x = 1; while (1) x = x x}'"])
def test_out_of_memory_is_told_by_its_reason(lab: Lab, command: str) -> None:
    lab.job("job", f"exec {command}", limit_memory_bytes=[200 << 20])

    result = lab.run("job", "--slot", SLOT)

    assert (lab.end("job")["outcome"], lab.end("job")["reason"]) == ("failed", "memory")
    assert result.subject == "FAILED job [dsoc-prod] memory"


def test_limits_hold_for_the_job_and_not_for_the_wrapper(lab: Lab) -> None:
    limits = {"limit_cpu_s": 7.2, "limit_files": 50, "limit_memory_bytes": [1 << 30], "limit_nice": 5}
    lab.job("job", "ulimit -St; ulimit -Ht; ulimit -n; ulimit -v; nice; umask; ps -o sid= -p $$; echo $$", **limits)

    lab.run("job", "--slot", SLOT)

    *bounds, session, pid = lab.output("job").decode().split()
    assert bounds == ["8", "13", "50", str(1 << 20), "5", "0027"]
    assert session == pid
    assert b"# limits memory 1073741824  cpu 7.2  files 50  nice 5\n" in lab.log("job")


def test_a_job_over_its_processor_time_dies_of_sigxcpu(lab: Lab) -> None:
    lab.job("job", "while :; do :; done", limit_cpu_s=1.0)

    lab.run("job", "--slot", SLOT)

    assert (lab.end("job")["signal"], lab.end("job")["reason"]) == (24, "killed by signal 24 (XCPU)")


def test_a_limit_that_cannot_be_set_is_named(lab: Lab) -> None:
    lab.job("job", "true", limit_files=1 << 30)

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, lab.end("job")["reason"]) == (126, f"limits: files {1 << 30}: Operation not permitted")


def test_a_job_with_limits_starts_as_clean_as_any_other(lab: Lab) -> None:
    """RUN-20: signals, descriptors, stdin, environment."""
    python = json.dumps(str((lab.home / ".runner/python").resolve()))
    body = f"""exec {python} -IS -c '
import os, signal
status = open("/proc/self/status").read()
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, status.split("SigIgn:")[1].split()[0])
descriptors = sorted(map(int, os.listdir("/proc/self/fd")))
print(descriptors[:3], os.readlink("/proc/self/fd/0"), "CANARY" in os.environ)
'"""
    lab.job("job", body, limit_nice=1)

    lab.run("job", "--slot", SLOT)

    signals, rest = lab.output("job").decode().splitlines()
    assert signals == f"True {0x1001000:016x}"  # Python itself ignores SIGPIPE and SIGXFSZ
    assert rest == "[0, 1, 2] /dev/null False"


def test_a_script_with_limits_that_cannot_be_executed_is_explained_as_ever(lab: Lab) -> None:
    lab.plan("job", steps=[[lab.script("job.sh", "true", interpreter="/no/such")]], limit_nice=1)

    lab.run("job", "--slot", SLOT)

    assert lab.end("job")["reason"].endswith('bad interpreter "/no/such"')
